import Foundation
import Testing

@testable import Datasets

@Suite("IDX files")
struct IDXTests {
  let folder = try! TemporaryFolder()

  @Test("A plain and a gzipped file give the same shape and values, whatever their names")
  func roundTrip() throws {
    let values = (0..<24).map { UInt8($0 * 10) }
    for isGzipped in [false, true] {
      let path = try folder.writeIDX([2, 3, 4], values, "file.\(isGzipped ? "idx" : "gz")", gzipped: isGzipped)
      let array = try IDX(contentsOf: path, rank: 3)
      #expect(array.shape == [2, 3, 4])
      #expect(array.bytes == values)
    }
  }

  @Test("Sizes are read big-endian over all four bytes")
  func bigEndian() throws {
    let path = try folder.writeIDX([66_051, 1], [UInt8](repeating: 7, count: 66_051), "big", gzipped: true)
    #expect(try IDX(contentsOf: path).shape == [66_051, 1])
  }

  /// A way to damage a whole file of shape [4, 3], what the message must say of it, and the bytes.
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
  }

  static let whole = idx([4, 3], Array(0..<12))
  static let wholeGzipped = gzipped(whole)

  static func changed(_ bytes: [UInt8], at index: Int, to byte: UInt8) -> [UInt8] {
    var copy = bytes
    copy[index] = byte
    return copy
  }

  static let damages = [
    Damage("empty", says: "the file is empty", []),
    Damage("one byte", says: "is truncated: it has 1 bytes", [0]),
    Damage("three bytes of magic", says: "is truncated: it has 3 bytes", [0, 0, 8]),
    Damage("header cut after the magic", says: "its header has 4 of 12 bytes", Array(whole.prefix(4))),
    Damage("header cut within a size", says: "its header has 11 of 12 bytes", Array(whole.prefix(11))),
    Damage("no data", says: "12 bytes, and 0 are there", Array(whole.prefix(12))),
    Damage("last byte missing", says: "12 bytes, and 11 are there", Array(whole.dropLast())),
    Damage("one byte too many", says: "has more bytes than the 12", whole + [0]),
    Damage("text", says: "is not an IDX file: it begins with 6c 61 62 65", Array("label,pixel0,pixel1".utf8)),
    Damage("little-endian magic", says: "is not an IDX file: it begins with 02 08 00 00", [2, 8, 0, 0] + whole),
    Damage("web page", says: "is a web page", Array("<!DOCTYPE html><html>Not found</html>".utf8)),
    Damage("zip archive", says: "is a zip archive", [0x50, 0x4b, 3, 4] + whole),
    Damage("32-bit floats", says: "its values are 32-bit floats", idx([4, 3], Array(0..<48), type: 0x0d)),
    Damage("unknown type", says: "of the unknown type 7", idx([4, 3], Array(0..<12), type: 7)),
    Damage("rank 1", says: "its rank is 1, not 2", idx([12], Array(0..<12))),
    Damage("rank 3", says: "its rank is 3, not 2", idx([4, 3, 1], Array(0..<12))),
    Damage("rank 0", says: "its rank is 0, not 2", [0, 0, 8, 0]),
    Damage("no images", says: "holds nothing: its header gives the sizes [0, 3]", idx([0, 3], [])),
    Damage("no pixels", says: "holds nothing: its header gives the sizes [4, 0]", idx([4, 0], [])),
    Damage("a gigabyte promised", says: "which so small a file cannot hold", idx([1 << 15, 1 << 15], Array(0..<12))),
    Damage("more than can be read", says: "more than the 1073741824 bytes", idx([1 << 16, 1 << 15], Array(0..<12))),
    Damage("largest sizes", says: "more than the 1073741824 bytes", idx([0xffff_ffff, 0xffff_ffff], Array(0..<12))),
    Damage("gzip magic alone", says: "its gzip data stops before the end", [0x1f, 0x8b]),
    Damage("gzip cut in the header", says: "stops before the end", Array(wholeGzipped.prefix(9))),
    Damage("gzip cut in the data", says: "stops before the end", Array(wholeGzipped.prefix(20))),
    Damage("gzip cut in the checksum", says: "stops before the end", Array(wholeGzipped.dropLast(5))),
    Damage("gzip cut in the length", says: "stops before the end", Array(wholeGzipped.dropLast())),
    Damage(
      "gzip checksum wrong", says: "corrupted (incorrect data check)",
      changed(wholeGzipped, at: wholeGzipped.count - 8, to: wholeGzipped[wholeGzipped.count - 8] ^ 1)),
    Damage(
      "gzip length wrong", says: "corrupted (incorrect length check)",
      changed(wholeGzipped, at: wholeGzipped.count - 4, to: 99)),
    Damage("gzip block type wrong", says: "corrupted (invalid block type)", changed(wholeGzipped, at: 10, to: 0xff)),
    Damage("gzip method wrong", says: "corrupted (unknown compression method)", changed(wholeGzipped, at: 2, to: 9)),
    Damage("gzip with bytes after it", says: "more bytes after the end of its gzip data", wholeGzipped + [1]),
    Damage("gzip of nothing", says: "is truncated: it has 0 bytes", gzipped([])),
    Damage("gzip of a cut file", says: "12 bytes, and 10 are there", gzipped(Array(whole.dropLast(2)))),
    Damage("gzip of a longer file", says: "has more bytes than the 12", gzipped(whole + [1, 2])),
    Damage("gzip of gzip", says: "is compressed twice", gzipped(wholeGzipped)),
    Damage("gzip of text", says: "is not an IDX file", gzipped(Array("0,1,2,3\n".utf8))),
    Damage(
      "gzip that promises a gigabyte", says: "which so small a file cannot hold", gzipped(idx([1 << 15, 1 << 15], []))),
    Damage(
      "gzip bomb", says: "has more bytes than the 12",
      gzipped(whole + [UInt8](repeating: 0, count: 10_000_000))),
  ]

  @Test("Damage gets one line that names the file, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    let path = try folder.write(damage.bytes, "values")
    let error = try #require(throws: DataError.self) {
      try IDX(contentsOf: path, rank: 2, remedy: "do this")
    }
    let line = error.description
    #expect(line.hasPrefix(path + ": "))
    #expect(line.contains(damage.says), "\(line)")
    #expect(line.contains("; ") && !error.remedy.isEmpty && !line.contains("\n"))
  }

  @Test("A missing file, a folder, a device and a file under a file are named as such")
  func notFiles() throws {
    func problem(_ path: String) throws -> String {
      let error = try #require(throws: DataError.self) { try IDX(contentsOf: path) }
      #expect(error.path == path)
      return error.problem
    }
    let file = try folder.write(Self.whole, "file")
    #expect(try problem(folder.path + "/absent") == "there is no such file")
    #expect(try problem(file + "/below") == "there is no such file")
    #expect(try problem("") == "there is no such file")
    #expect(try problem(folder.path) == "this is a folder")
    #expect(try problem("/dev/zero") == "this is not a regular file")
    let loop = folder.path + "/loop"
    try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
    #expect(try problem(loop).hasPrefix("cannot be read: "))
  }

  @Test("A file without permission says so", .enabled(if: geteuid() != 0, "root may read every file"))
  func noPermission() throws {
    let path = try folder.write(Self.whole, "secret")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    let error = try #require(throws: DataError.self) { try IDX(contentsOf: path) }
    #expect(error.description.hasPrefix("\(path): you may not read it; allow reading with `chmod a+r`"))
  }

  @Test("The system's refusal to read is told in the reader's words")
  func permissionMessage() {
    #expect(ByteStream.systemError(EACCES, "a/b").description.hasPrefix("a/b: you may not read it; allow reading"))
  }

  @Test("Every single-byte change of a gzipped file is noticed or changes nothing")
  func everyByte() throws {
    let reference = try IDX(contentsOf: folder.write(Self.wholeGzipped, "whole"))
    for index in Self.wholeGzipped.indices {
      let bytes = Self.changed(Self.wholeGzipped, at: index, to: Self.wholeGzipped[index] ^ 0x55)
      let path = try folder.write(bytes, "changed")
      guard let read = try? IDX(contentsOf: path, rank: 2) else { continue }
      #expect(read == reference, "byte \(index)")
    }
  }
}
