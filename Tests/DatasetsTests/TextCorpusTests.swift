import Foundation
import Testing

@testable import Datasets

@Suite("Text corpora")
struct TextCorpusTests {
  let folder = try! TemporaryFolder()

  @Test("The King James Bible is three parts of whole chapters without headings, in 63 characters")
  func kingJames() throws {
    let corpus = try TextCorpus.kingJames()
    let parts = [corpus.train, corpus.validation, corpus.test]
    // Counted in Python from the output of `bible -f gen1:1-rev22:21`.
    #expect(parts.map { $0.utf8.count } == [3_739_978, 196_962, 202_093])
    #expect(parts.map { $0.split(separator: "\n").count } == [28_045, 1_484, 1_573])
    #expect(parts.map { text in text.utf8.filter { $0 == UInt8(ascii: "\n") }.count } == [29_115, 1_542, 1_631])
    #expect(corpus.train.hasPrefix("In the beginning God created the heaven and the earth.\nAnd the earth"))
    #expect(corpus.validation.hasPrefix("Now these are the generations of the sons of Noah"))  // Genesis 10
    #expect(corpus.test.hasPrefix("And Abraham journeyed from thence toward the south country"))  // Genesis 20
    #expect(corpus.train.hasSuffix("The grace of our Lord Jesus Christ be with you all. Amen.\n"))
    #expect(Vocabulary(of: corpus.train).count == 63)
    #expect(parts.allSatisfy { Vocabulary(of: corpus.train).tokens(of: $0) != nil })
  }

  @Test("A damaged shipped text is to be restored from the repository")
  func damaged() throws {
    for bytes in [[0xff, 0xfe, 1, 2], Array("Genesis 1\nIn the beginning\n\n".utf8)] as [[UInt8]] {
      _ = try folder.write(bytes, "king-james.txt.gz")
      let error = try #require(throws: DataError.self) { try TextCorpus.kingJames(folder: folder.path) }
      #expect(error.description.hasPrefix("\(folder.path)/king-james.txt.gz: "))
      #expect(error.description.hasSuffix("restore the shipped files with `git checkout -- data`"))
    }
  }

  @Test("A folder's text files are read in the order of their names and cut by position at 90 and 95 hundredths")
  func otherText() throws {
    _ = try folder.write(Array(String(repeating: "b", count: 600).utf8), "2.txt")
    _ = try folder.write(Array(String(repeating: "ä", count: 400).utf8), "1.txt")
    _ = try folder.write([1, 2, 3], "picture.png")
    let corpus = try TextCorpus(folder: folder.path)
    #expect(corpus.train == String(repeating: "ä", count: 400) + String(repeating: "b", count: 500))
    #expect(corpus.validation == String(repeating: "b", count: 50) && corpus.test == corpus.validation)
  }

  @Test("A folder that is missing, without text or with too little of it is named")
  func badFolders() throws {
    func problem(_ path: String) throws -> String {
      try #require(throws: DataError.self) { try TextCorpus(folder: path) }.description
    }
    #expect(try problem(folder.path + "/x").hasPrefix("\(folder.path)/x: there is no such folder; give"))
    #expect(try problem(folder.path).hasPrefix("\(folder.path): holds no text files; put UTF-8"))
    _ = try folder.write(Array("abc".utf8), "a.txt")
    #expect(try problem(folder.path).hasPrefix("\(folder.path): its text has only 3 characters; put"))
    _ = try folder.write([0xff, 0x20], "b.txt")
    #expect(try problem(folder.path).hasPrefix("\(folder.path)/b.txt: is not UTF-8 text"))
  }
}
