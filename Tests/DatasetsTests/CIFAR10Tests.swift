import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("CIFAR-10's binary files")
struct CIFAR10Tests {
  let folder = try! TemporaryFolder()
  static let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]

  /// A record whose red, green and blue pixels begin with known values.
  static func record(_ label: UInt8, _ value: UInt8) -> [UInt8] {
    var bytes = [UInt8](repeating: value, count: 3_073)
    bytes[0] = label
    bytes[1] = 1
    bytes[1_025] = 2
    bytes[2_049] = 3
    bytes[2 + 32] = 200  // red of row 1, column 1
    return bytes
  }

  static let whole = record(3, 10) + record(9, 20)

  func write(_ bytes: [UInt8] = whole, except name: String = "", other: [UInt8] = []) throws {
    for file in Self.names { _ = try folder.write(file == name ? other : bytes, file) }
  }

  @Test("Records become images of 32 × 32 × 3 with red, green, blue side by side")
  func reads() throws {
    try write(except: "test_batch.bin", other: Self.record(7, 30))
    let set = try CIFAR10(folder: folder.path, recordsPerFile: nil)
    #expect(set.train.count == 10 && set.test.count == 1)
    #expect(set.train.labels.scalars == [3, 9, 3, 9, 3, 9, 3, 9, 3, 9] && set.test.labels.scalars == [7])
    let image = set.train.images(at: [1])
    #expect(image.shape == [1, 32, 32, 3])
    #expect(Array(image.scalars.prefix(6)) == [1, 2, 3, 20, 20, 20].map { Float($0) / 255 })
    #expect(Array(image.scalars[99..<102]) == [200, 20, 20].map { Float($0) / 255 })
    #expect(set.train.levels(at: [0, 1]).shape == [2, 32, 32, 3] && set.train.channels == 3)
    #expect(set.train.meanImage.shape == [32, 32, 3] && set.train.meanImage.scalars[3] == 15 / 255)
    #expect(set.train.subset(at: [1]).images(at: [0]).scalars == image.scalars)
    #expect(CIFAR10.classNames.count == 10)
  }

  static let damages =
    Damage.ofAny(whole, notA: "not a whole number of records") + [
      Damage("one byte", says: "its 1 bytes are not a whole number", [3]),
      Damage("a label alone", says: "its 3074 bytes", record(1, 1) + [2]),
      Damage("cut in the red", says: "its 3573 bytes", Array(whole.prefix(3_573))),
      Damage("cut in the green", says: "its 4573 bytes", Array(whole.prefix(4_573))),
      Damage("cut in the blue", says: "its 5573 bytes", Array(whole.prefix(5_573))),
      Damage("last byte missing", says: "its 6145 bytes", whole.dropLast()),
      Damage("one byte too many", says: "its 6147 bytes", whole + [0]),
      Damage("a record missing", says: "has 1 records, not 2", record(1, 1)),
      Damage("a record too many", says: "has 3 records, not 2", whole + record(1, 1)),
      Damage("label 10", says: "record 0 has the label 10", record(10, 1) + record(1, 1)),
      Damage("label 255 in the second", says: "record 1 has the label 255", record(1, 1) + record(255, 1)),
      Damage("records without labels", says: "its 6144 bytes", [UInt8](repeating: 1, count: 6_144)),
      Damage("CIFAR-100", says: "its 6148 bytes", [UInt8](repeating: 1, count: 6_148)),
      Damage("shifted by one", says: "record 0 has the label 200", [200] + whole.dropLast()),
      Damage("the Python version", says: "is the Python version", [0x80, 0x02] + whole),
      Damage("the Python version, rewritten", says: "is the Python version", [0x80, 0x04] + whole),
      Damage("an IDX file", says: "not a whole number", idx([1, 2, 2], [1, 2, 3, 4])),
      Damage("gzip of a cut file", says: "its 100 bytes", gzipped(Array(whole.prefix(100)))),
      Damage("gzip of gzip", says: "not a whole number", gzipped(gzipped(whole))),
      Damage("gzip of nothing", says: "its 0 bytes", gzipped([])),
    ]

  @Test("Damage to a file gets one line that names it, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    let name = Self.names[damage.name.utf8.count % 6]
    try write(except: name, other: damage.bytes)
    try expectRefusal(of: folder.path + "/" + name, says: damage.says) {
      _ = try CIFAR10(folder: folder.path, recordsPerFile: 2)
    }
  }

  @Test("A missing file and a folder in its place are named", arguments: names)
  func missing(name: String) throws {
    try write()
    try FileManager.default.removeItem(atPath: folder.path + "/" + name)
    try expectRefusal(of: folder.path + "/" + name, says: "there is no such file") {
      _ = try CIFAR10(folder: folder.path, recordsPerFile: 2)
    }
    try FileManager.default.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: false)
    try expectRefusal(of: folder.path + "/" + name, says: "this is a folder") {
      _ = try CIFAR10(folder: folder.path, recordsPerFile: 2)
    }
  }

  @Test("A folder that is missing or is a file is named, and by default 10,000 records are expected")
  func folders() throws {
    try write()
    let file = folder.path + "/test_batch.bin"
    try expectRefusal(of: file, says: "this is a file, not a folder") { _ = try CIFAR10(folder: file) }
    try expectRefusal(of: file + "x", says: "there is no such folder") { _ = try CIFAR10(folder: file + "x") }
    try expectRefusal(of: folder.path + "/data_batch_1.bin", says: "has 2 records, not 10000") {
      _ = try CIFAR10(folder: folder.path)
    }
  }
}
