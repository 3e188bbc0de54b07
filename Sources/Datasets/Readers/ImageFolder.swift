import Foundation
import Tensors

/// Pictures sorted into folders by class: every PNG file of a subfolder has the subfolder's name as its label.
public struct ImageFolder: Sendable {
  /// The pictures, classes in the order of ``classNames``, files in the order of their names.
  public let images: LabelledImages
  /// The subfolders' names in the order of their bytes; label i is the i-th.
  public let classNames: [String]

  /// Reads all PNG files of all subfolders; they must be of one size.
  ///
  /// Palettes become colours, 16 bits are rounded to 8, transparency is laid on white. Files of other kinds are refused.
  ///
  /// - Parameters:
  ///   - folder: the folder whose subfolders are the classes.
  ///   - channels: 1 turns colour into grey, 3 grey into colour; nil takes 3 if any picture has colour, and else 1.
  /// - Throws: `DataError` if the folder holds no pictures, or a file is damaged or of another size.
  /// - Precondition: `channels` is 1, 3 or nil.
  public init(_ folder: String, channels: Int? = nil) throws(DataError) {
    guard channels == nil || channels == 1 || channels == 3 else {
      fail("ImageFolder", "pictures have 1 or 3 channels, not \(channels!)")
    }
    let remedy = "give a folder with one subfolder of PNG files for each class"
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    classNames = try folderContents(folder, remedy: remedy).filter { ShippedData.isFolder(base + $0) }
    var files: [PNGFile] = []
    var paths: [String] = []
    var labels: [Int32] = []
    for (label, name) in classNames.enumerated() {
      for file in try folderContents(base + name, remedy: remedy) {
        paths.append(base + name + "/" + file)
        files.append(try PNGFile(contentsOf: paths.last!))
        labels.append(Int32(label))
        try Self.checkSize(files.last!, paths.last!, against: files[0], paths[0])
      }
    }
    guard let first = files.first else {
      throw DataError(path: folder, problem: "there are no PNG files in subfolders of it", remedy: remedy)
    }
    let wanted = channels ?? files.map(\.channels).max() ?? 1
    images = LabelledImages(
      files.flatMap { Self.pixels(of: $0, channels: wanted) }, labels: IndexTensor(labels), height: first.height,
      width: first.width, channels: wanted, levels: 256)
  }

  private static func checkSize(
    _ file: PNGFile, _ path: String, against first: PNGFile, _ firstPath: String
  ) throws(DataError) {
    guard file.height == first.height, file.width == first.width else {
      throw DataError(
        path: path,
        problem: "has \(file.height)x\(file.width) pixels, and \(firstPath) has \(first.height)x\(first.width)",
        remedy: "bring all pictures to one size")
    }
  }

  /// Grey by the weights of ITU-R BT.601; colour by three equal channels.
  private static func pixels(of file: PNGFile, channels: Int) -> [UInt8] {
    if file.channels == channels { return file.pixels }
    if channels == 3 { return file.pixels.flatMap { [$0, $0, $0] } }
    return stride(from: 0, to: file.pixels.count, by: 3).map { start in
      let red = 299 * Int(file.pixels[start])
      let green = 587 * Int(file.pixels[start + 1])
      let blue = 114 * Int(file.pixels[start + 2])
      return UInt8((red + green + blue + 500) / 1000)
    }
  }
}
