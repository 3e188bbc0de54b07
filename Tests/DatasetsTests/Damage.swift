import Foundation
import Tensors
import Testing

@testable import Datasets

/// A way to damage a file, what the message must say of it, and the file's bytes.
struct Damage: CustomTestStringConvertible, Sendable {
  let name: String
  let says: String
  let bytes: [UInt8]
  var testDescription: String { name }

  init(_ name: String, says: String, _ bytes: [UInt8]) {
    self.name = name
    self.says = says
    self.bytes = bytes
  }

  /// Damage that no format survives, to a whole file of any format.
  static func ofAny(_ whole: [UInt8], notA refusal: String) -> [Damage] {
    let compressed = gzipped(whole)
    return [
      Damage("empty", says: "the file is empty", []),
      Damage("a web page", says: refusal, Array("<!DOCTYPE html><html>Not found</html>".utf8)),
      Damage("a zip archive", says: "; ", [0x50, 0x4b, 3, 4] + whole),
      Damage("gzip magic alone", says: "its gzip data stops before the end", [0x1f, 0x8b]),
      Damage("gzip cut in the data", says: "stops before the end", Array(compressed.prefix(compressed.count / 2))),
      Damage("gzip checksum wrong", says: "corrupted", compressed.dropLast(8) + [1, 2, 3, 4] + compressed.suffix(4)),
      Damage("gzip with bytes after it", says: "more bytes after the end of its gzip data", compressed + [0]),
    ]
  }
}

/// Expects one line that names the file, the damage and the remedy.
func expectRefusal(of path: String, says: String, _ read: () throws -> Void) throws {
  let error = try #require(throws: DataError.self) { try read() }
  let line = error.description
  #expect(line.hasPrefix(path + ": "), "\(line)")
  #expect(line.contains(says), "\(line)")
  #expect(line.contains("; ") && !error.remedy.isEmpty && !line.contains("\n"))
}

/// Bytes of numbers, little-endian.
func littleEndian<Value: FixedWidthInteger>(_ values: Value...) -> [UInt8] {
  values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

@Suite("Files of every format")
struct AnyReaderTests {
  let folder = try! TemporaryFolder()

  struct Reader: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let read: @Sendable (String) throws -> Void
  }

  static let readers = [
    Reader(testDescription: "IDX") { _ = try IDX(contentsOf: $0) },
    Reader(testDescription: "PNG") { _ = try PNGFile(contentsOf: $0) },
    Reader(testDescription: "WAV") { _ = try WAV(contentsOf: $0) },
    Reader(testDescription: "text") { _ = try PlainText(contentsOf: $0) },
    Reader(testDescription: "npy") { _ = try NPY(contentsOf: $0) },
  ]

  @Test("A missing file, a folder, a device, a loop and a file under a file are named as such", arguments: readers)
  func notFiles(reader: Reader) throws {
    let file = try folder.write([1, 2, 3], "file")
    let loop = folder.path + "/loop"
    try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
    for (path, says) in [
      (folder.path + "/absent", "there is no such file"), (file + "/below", "there is no such file"),
      (folder.path, "this is a folder"), ("/dev/zero", "this is not a regular file"), (loop, "cannot be read: "),
    ] {
      try expectRefusal(of: path, says: says) { try reader.read(path) }
    }
  }

  @Test(
    "A file without permission says so", .enabled(if: geteuid() != 0, "root may read every file"), arguments: readers)
  func noPermission(reader: Reader) throws {
    let path = try folder.write([1, 2, 3], "secret")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    try expectRefusal(of: path, says: "you may not read it") { try reader.read(path) }
  }

  @Test("A gzip bomb is refused at the limit, not inflated")
  func bomb() throws {
    let path = try folder.write(gzipped([UInt8](repeating: 65, count: 3_000_000)), "bomb")
    try expectRefusal(of: path, says: "holds more than 100000 bytes") {
      _ = try fileBytes(path, limit: 100_000, remedy: "give another")
    }
  }
}
