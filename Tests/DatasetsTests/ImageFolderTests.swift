import CPNG
import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Folders of PNG files")
struct ImageFolderTests {
  let folder = try! TemporaryFolder()

  static func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }

  static func chunk(_ name: String, _ bytes: [UInt8], length: Int? = nil) -> [UInt8] {
    let checked = Array(name.utf8) + bytes
    return bigEndian(length ?? bytes.count) + checked + bigEndian(Int(crc32(0, checked, uInt(checked.count))))
  }

  static func header(
    _ width: Int, _ height: Int, bits: UInt8 = 8, kind: UInt8 = 0, method: UInt8 = 0, filter: UInt8 = 0,
    interlace: UInt8 = 0
  ) -> [UInt8] {
    chunk("IHDR", bigEndian(width) + bigEndian(height) + [bits, kind, method, filter, interlace])
  }

  static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var size = uLong(bytes.count + 100)
    var target = [UInt8](repeating: 0, count: Int(size))
    compress(&target, &size, bytes, uLong(bytes.count))
    return Array(target.prefix(Int(size)))
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
  static let end = chunk("IEND", [])
  /// Two rows of two grey pixels, each row with its filter's number before it.
  static let pixels = chunk("IDAT", compressed([0, 10, 20, 0, 30, 255]))
  static let whole = signature + header(2, 2) + pixels + end

  static func png(_ width: Int, _ height: Int, bits: UInt8 = 8, kind: UInt8, _ rows: [UInt8], _ extra: [UInt8] = [])
    -> [UInt8]
  {
    signature + header(width, height, bits: bits, kind: kind) + extra + chunk("IDAT", compressed(rows)) + end
  }

  func write(_ bytes: [UInt8], _ name: String, label: String = "a") throws {
    try FileManager.default.createDirectory(atPath: folder.path + "/" + label, withIntermediateDirectories: true)
    _ = try folder.write(bytes, label + "/" + name)
  }

  @Test("Classes are the subfolders in order, pictures the files in order; hidden files are passed over")
  func classes() throws {
    try write(Self.whole, "2.png", label: "zebra")
    try write(Self.png(2, 2, kind: 0, [0, 1, 2, 0, 3, 4]), "1.png", label: "zebra")
    try write(Self.whole, "x.png", label: "Ape")
    try write([1], ".DS_Store", label: "Ape")
    _ = try folder.write([1, 2], "README")
    let set = try ImageFolder(folder.path)
    #expect(set.classNames == ["Ape", "zebra"])
    #expect(set.images.labels.scalars == [0, 1, 1] && set.images.channels == 1)
    #expect(set.images.levels(at: [0, 1]) == IndexTensor([10, 20, 30, 255, 1, 2, 3, 4], shape: [2, 2, 2]))
    #expect(set.images.images(at: [1]).scalars == [1, 2, 3, 4].map { Float($0) / 255 })
    #expect(try ImageFolder(folder.path + "/").images.count == 3)
  }

  /// A picture of one row, the bytes of its file and the values it must have.
  static let pictures: [(String, [UInt8], Int, [UInt8])] = [
    ("grey", png(3, 1, kind: 0, [0, 0, 128, 255]), 1, [0, 128, 255]),
    ("16-bit grey", png(2, 1, bits: 16, kind: 0, [0, 0x80, 0x12, 0xff, 0xff]), 1, [128, 255]),
    ("1-bit grey", png(3, 1, bits: 1, kind: 0, [0, 0b1010_0000]), 1, [255, 0, 255]),
    ("2-bit grey", png(3, 1, bits: 2, kind: 0, [0, 0b0001_1000]), 1, [0, 85, 170]),
    ("colour", png(2, 1, kind: 2, [0, 1, 2, 3, 250, 100, 50]), 3, [1, 2, 3, 250, 100, 50]),
    (
      "16-bit colour", png(1, 1, bits: 16, kind: 2, [0, 0x10, 0x02, 0x80, 0x10, 0xff, 0xfe]), 3, [16, 128, 255]
    ),
    (
      "palette", png(3, 1, kind: 3, [0, 1, 0, 1], chunk("PLTE", [9, 8, 7, 250, 0, 1])), 3,
      [250, 0, 1, 9, 8, 7, 250, 0, 1]
    ),
    (
      "colour, transparent on white", png(2, 1, kind: 6, [0, 10, 20, 30, 255, 9, 9, 9, 0]), 3,
      [10, 20, 30, 255, 255, 255]
    ),
    ("grey, transparent on white", png(2, 1, kind: 4, [0, 77, 255, 0, 0]), 1, [77, 255]),
  ]

  @Test("Grey, colour, 16 bits, few bits, palettes and transparency give 8-bit pixels", arguments: pictures.indices)
  func kinds(index: Int) throws {
    let (name, bytes, channels, values) = Self.pictures[index]
    let file = try PNGFile(contentsOf: folder.write(bytes, "x.png"))
    #expect(file.channels == channels, "\(name)")
    #expect(file.pixels == values, "\(name)")
  }

  @Test("Grey joins colour as three equal channels, and colour becomes grey when one channel is asked for")
  func channels() throws {
    try write(Self.png(1, 1, kind: 0, [0, 50]), "1.png")
    try write(Self.png(1, 1, kind: 2, [0, 255, 0, 100]), "2.png")
    let color = try ImageFolder(folder.path).images
    #expect(color.levels(at: [0, 1]) == IndexTensor([50, 50, 50, 255, 0, 100], shape: [2, 1, 1, 3]))
    let grey = try ImageFolder(folder.path, channels: 1).images
    #expect(grey.levels(at: [0, 1]).scalars == [50, Int32((0.299 * 255 + 0.114 * 100).rounded())])
  }

  @Test("A picture of another size is named, with the one it differs from")
  func sizes() throws {
    try write(Self.whole, "1.png")
    try write(Self.png(3, 2, kind: 0, [0, 1, 2, 3, 0, 4, 5, 6]), "2.png", label: "b")
    try expectRefusal(of: folder.path + "/b/2.png", says: "has 2x3 pixels, and \(folder.path)/a/1.png has 2x2") {
      _ = try ImageFolder(folder.path)
    }
  }

  @Test("A folder without pictures, a missing one and a file in its place are named")
  func folders() throws {
    try expectRefusal(of: folder.path, says: "there are no PNG files in subfolders") {
      _ = try ImageFolder(folder.path)
    }
    try expectRefusal(of: folder.path + "/x", says: "there is no such folder") {
      _ = try ImageFolder(folder.path + "/x")
    }
    let file = try folder.write(Self.whole, "a.png")
    try expectRefusal(of: file, says: "this is a file, not a folder") { _ = try ImageFolder(file) }
    try FileManager.default.createDirectory(atPath: folder.path + "/c/d.png", withIntermediateDirectories: true)
    try expectRefusal(of: folder.path + "/c/d.png", says: "this is a folder") { _ = try ImageFolder(folder.path) }
  }

  static let damages =
    Damage.ofAny(whole, notA: "is not a PNG file") + [
      Damage("a JPEG picture", says: "is not a PNG file", [0xff, 0xd8, 0xff, 0xe0, 0, 16]),
      Damage("half the signature", says: "is not a PNG file", Array(signature.prefix(4))),
      Damage("signature alone", says: "has no header", signature),
      Damage(
        "signature of a text transfer", says: "is not a PNG file",
        [0x89, 0x50, 0x4e, 0x47, 0x0a, 0x1a, 0x0a] + whole.dropFirst(8)),
      Damage("cut in a chunk's length", says: "is truncated within a chunk's header", Array(whole.prefix(10))),
      Damage("cut in the header", says: "its chunk \"IHDR\" should have 13 bytes", Array(whole.prefix(28))),
      Damage("cut in the header's checksum", says: "should have 13 bytes", Array(whole.prefix(31))),
      Damage("cut after the header", says: "has no pixels", Array(whole.prefix(33))),
      Damage("cut in the pixels", says: "should have", Array(whole.prefix(45))),
      Damage("cut before the end", says: "has no end", whole.dropLast(12)),
      Damage("cut in the end", says: "is truncated within a chunk's header", whole.dropLast()),
      Damage("one byte too many", says: "has 1 bytes after its end", whole + [0]),
      Damage("two pictures", says: "bytes after its end", whole + whole),
      Damage("no header", says: "has no header", signature + pixels + end),
      Damage("a short header", says: "has no header", signature + chunk("IHDR", [0, 0, 0, 1]) + pixels + end),
      Damage("no pixels", says: "has no pixels", signature + header(2, 2) + end),
      Damage(
        "a chunk's length absurd", says: "should have 4294967295 bytes",
        signature + chunk("IHDR", [], length: 0xffff_ffff)),
      Damage(
        "a checksum wrong", says: "the checksum of its chunk \"IHDR\" is wrong",
        signature + Array(header(2, 2).dropLast()) + [9] + pixels + end),
      Damage("a name of control bytes", says: "chunk \"????\"", signature + [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]),
      Damage("width 0", says: "is damaged", signature + header(0, 2) + pixels + end),
      Damage("height 0", says: "is damaged", signature + header(2, 0) + pixels + end),
      Damage(
        "largest extents", says: "more than so small a file",
        signature + header(0x7fff_ffff, 0x7fff_ffff) + pixels + end),
      Damage(
        "negative extents", says: "more than so small a file",
        signature + header(0xffff_ffff, 0xffff_ffff) + pixels + end),
      Damage(
        "a gigapixel promised", says: "more than so small a file", signature + header(30_000, 30_000) + pixels + end),
      Damage(
        "16 megapixels promised", says: "more than so small a file", signature + header(4_000, 4_000) + pixels + end),
      Damage("3 bits", says: "is damaged", signature + header(2, 2, bits: 3) + pixels + end),
      Damage("unknown kind of colour", says: "is damaged", signature + header(2, 2, kind: 5) + pixels + end),
      Damage("16-bit palette", says: "is damaged", signature + header(2, 2, bits: 16, kind: 3) + pixels + end),
      Damage("palette missing", says: "is damaged", signature + header(2, 2, kind: 3) + pixels + end),
      Damage("unknown compression", says: "is damaged", signature + header(2, 2, method: 1) + pixels + end),
      Damage("unknown filter", says: "is damaged", signature + header(2, 2, filter: 9) + pixels + end),
      Damage("unknown interlacing", says: "is damaged", signature + header(2, 2, interlace: 7) + pixels + end),
      Damage("unknown row filter", says: "is damaged", png(2, 2, kind: 0, [9, 1, 2, 0, 3, 4])),
      Damage("too few rows", says: "is damaged", png(2, 2, kind: 0, [0, 1, 2])),
      Damage(
        "pixels not compressed", says: "is damaged", signature + header(2, 2) + chunk("IDAT", [0, 1, 2, 0, 3, 4]) + end),
      Damage(
        "compressed pixels cut", says: "is damaged",
        signature + header(2, 2) + chunk("IDAT", Array(compressed([0, 1, 2, 0, 3, 4]).prefix(5))) + end),
      Damage("empty pixels", says: "is damaged", signature + header(2, 2) + chunk("IDAT", []) + end),
      Damage(
        "an unknown critical chunk", says: "is damaged", signature + header(2, 2) + chunk("ABCD", []) + pixels + end),
    ]

  @Test("Damage gets one line that names the file, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    try write(damage.bytes, "x.png")
    try expectRefusal(of: folder.path + "/a/x.png", says: damage.says) { _ = try ImageFolder(folder.path) }
  }
}
