import Foundation
import Tensors

/// Colour photographs of 32x32 pixels in ten classes, from the "binary version" of CIFAR-10.
///
/// Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
public struct CIFAR10: Sendable {
  /// 50,000 training images, `[32, 32, 3]` each.
  public let train: LabelledImages
  /// 10,000 test images, `[32, 32, 3]` each.
  public let test: LabelledImages

  /// What the labels 0 to 9 mean.
  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  private static let remedy = "get cifar-10-binary.tar.gz again, and unpack it"
  private static let imageSize = 3 * 32 * 32

  /// Reads the folder with `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.
  ///
  /// A record is the label, then the red, the green and the blue pixels row by row: 3,073 bytes.
  ///
  /// - Parameters:
  ///   - folder: the folder.
  ///   - recordsPerFile: how many records each file must have; nil takes any number, for files of one's own.
  /// - Throws: `DataError` if a file is missing or damaged.
  public init(folder: String, recordsPerFile: Int? = 10_000) throws(DataError) {
    _ = try folderContents(folder, remedy: "give the folder with data_batch_1.bin and so on")
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    let names = (1...5).map { "data_batch_\($0).bin" }
    train = try Self.read(names.map { base + $0 }, recordsPerFile)
    test = try Self.read([base + "test_batch.bin"], recordsPerFile)
  }

  private static func read(_ paths: [String], _ expected: Int?) throws(DataError) -> LabelledImages {
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    for path in paths {
      let records = try fileBytes(path, limit: 1 << 28, remedy: remedy)
      let count = try recordCount(records, expected, path)
      pixels.reserveCapacity(paths.count * count * imageSize)
      for record in 0..<count {
        let start = record * (imageSize + 1)
        guard records[start] < 10 else {
          throw DataError(
            path: path, problem: "record \(record) has the label \(records[start]), not 0 to 9", remedy: remedy)
        }
        labels.append(Int32(records[start]))
        for pixel in 0..<1024 {
          for channel in 0..<3 { pixels.append(records[start + 1 + channel * 1024 + pixel]) }
        }
      }
    }
    return LabelledImages(
      pixels, labels: IndexTensor(labels), height: 32, width: 32, channels: 3, levels: 256)
  }

  private static func recordCount(_ bytes: [UInt8], _ expected: Int?, _ path: String) throws(DataError) -> Int {
    let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: imageSize + 1)
    if bytes.starts(with: [0x80, 0x02]) || bytes.starts(with: [0x80, 0x03]) || bytes.starts(with: [0x80, 0x04]) {
      throw DataError(path: path, problem: "is the Python version of CIFAR-10", remedy: "get the binary version")
    }
    guard rest == 0, count > 0 else {
      throw DataError(
        path: path, problem: "its \(bytes.count) bytes are not a whole number of records of \(imageSize + 1) bytes",
        remedy: remedy)
    }
    guard count == expected ?? count else {
      throw DataError(path: path, problem: "has \(count) records, not \(expected ?? count)", remedy: remedy)
    }
    return count
  }
}
