import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Text files")
struct PlainTextTests {
  let folder = try! TemporaryFolder()

  @Test("Text comes back exactly from its tokens, numbered in the order of Unicode")
  func roundTrip() throws {
    let text = "naïve cafe\u{301} café\r\n日本語 🙂👩‍👩‍👧\n"
    for bytes in [Array(text.utf8), gzipped(Array(text.utf8)), [0xef, 0xbb, 0xbf] + Array(text.utf8)] {
      let read = try PlainText(contentsOf: folder.write(bytes, "text"))
      #expect(Array(read.text.utf8) == Array(text.utf8))
      #expect(Array(read.vocabulary.text(of: read.tokens).utf8) == Array(text.utf8))
    }
    let read = try PlainText(contentsOf: folder.write(Array("banana".utf8), "text"))
    #expect(read.vocabulary.characters == ["a", "b", "n"] && read.vocabulary.count == 3)
    #expect(read.tokens == IndexTensor([1, 0, 2, 0, 2, 0]))
    #expect(read.vocabulary.tokens(of: "nab") == IndexTensor([2, 0, 1]))
    #expect(read.vocabulary.tokens(of: "x") == nil)
    #expect(read.vocabulary.text(of: IndexTensor([1, 0, 2, 2], shape: [2, 2])) == "bann")
  }

  static let whole = Array("Es war einmal ein König.\n".utf8)
  static func broken(_ bytes: UInt8...) -> [UInt8] { Array("abc".utf8) + bytes + Array("def".utf8) }

  static let damages =
    Damage.ofAny(whole, notA: "").filter { !["a web page", "a zip archive"].contains($0.name) } + [
      Damage("a byte order mark alone", says: "holds no text", [0xef, 0xbb, 0xbf]),
      Damage("UTF-16, little-endian", says: "is text in UTF-16", [0xff, 0xfe, 0x61, 0]),
      Damage("UTF-16, big-endian", says: "is text in UTF-16", [0xfe, 0xff, 0, 0x61]),
      Damage("UTF-16 without a mark", says: "byte 1 is zero", [0x61, 0, 0x62, 0]),
      Damage("a zero byte", says: "byte 3 is zero", broken(0)),
      Damage("Latin-1", says: "it breaks at byte 3", broken(0xe4)),
      Damage("a continuation alone", says: "it breaks at byte 3", broken(0x80)),
      Damage("two bytes cut", says: "it breaks at byte 3", Array("abc".utf8) + [0xc3]),
      Damage("three bytes cut", says: "it breaks at byte 3", Array("abc".utf8) + [0xe2, 0x82]),
      Damage("four bytes cut", says: "it breaks at byte 3", Array("abc".utf8) + [0xf0, 0x9f, 0x99]),
      Damage("two bytes for a slash", says: "it breaks at byte 3", broken(0xc0, 0xaf)),
      Damage("three bytes for a slash", says: "it breaks at byte 3", broken(0xe0, 0x80, 0xaf)),
      Damage("four bytes for a slash", says: "it breaks at byte 3", broken(0xf0, 0x80, 0x80, 0xaf)),
      Damage("half of a surrogate pair", says: "it breaks at byte 3", broken(0xed, 0xa0, 0x80)),
      Damage("beyond Unicode", says: "it breaks at byte 3", broken(0xf4, 0x90, 0x80, 0x80)),
      Damage("five bytes", says: "it breaks at byte 3", broken(0xf8, 0x88, 0x80, 0x80, 0x80)),
      Damage("byte fe", says: "it breaks at byte 3", broken(0xfe)),
      Damage("byte ff", says: "it breaks at byte 3", broken(0xff)),
      Damage("damage after a long character", says: "it breaks at byte 5", Array("ä日".utf8) + [0xff]),
      Damage("a picture", says: "is not", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]),
      Damage("a program", says: "byte 4 is zero", [0x7f, 0x45, 0x4c, 0x46, 0, 1, 1]),
      Damage("gzip of nothing", says: "holds no text", gzipped([])),
    ]

  @Test("Damage gets one line that names the file, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    let path = try folder.write(damage.bytes, "text.txt")
    try expectRefusal(of: path, says: damage.says) { _ = try PlainText(contentsOf: path) }
  }
}
