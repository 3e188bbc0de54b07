import Foundation

/// Running text in three parts that share none: for learning, for choosing settings, and for the final measurement.
public struct TextCorpus: Sendable {
  /// What a model learns from.
  public let train: String
  /// What settings are chosen by.
  public let validation: String
  /// What is measured once at the end.
  public let test: String

  private static let remedy = "put UTF-8 text files there whose names end in .txt or .txt.gz"

  /// The King James Version of the Bible, shipped in `data/king-james`: 3.7, 0.2 and 0.2 million characters.
  ///
  /// A verse is a line, and an empty line stands between chapters; numbers and headings are left out. Of twenty chapters
  /// on end, the tenth goes to validation and the twentieth to the test, so that all parts hold all kinds of books.
  ///
  /// - Throws: `DataError` if the file is not there or damaged.
  public static func kingJames() throws(DataError) -> TextCorpus {
    try kingJames(folder: ShippedData.folder("king-james"))
  }

  static func kingJames(folder: String) throws(DataError) -> TextCorpus {
    let path = folder + "/king-james.txt.gz"
    var parts: [[Substring]] = [[], [], []]
    for (index, chapter) in try chapters(path).enumerated() {
      parts[index % 20 == 9 ? 1 : index % 20 == 19 ? 2 : 0].append(chapter)
    }
    guard parts.allSatisfy({ !$0.isEmpty }) else {
      throw DataError(path: path, problem: "holds fewer than 20 chapters", remedy: ShippedData.remedy)
    }
    let texts = parts.map { $0.joined(separator: "\n\n") + "\n" }
    return TextCorpus(train: texts[0], validation: texts[1], test: texts[2])
  }

  /// The chapters of the shipped file, each without the heading that is its first line.
  private static func chapters(_ path: String) throws(DataError) -> [Substring] {
    let text: String
    do {
      text = try PlainText(contentsOf: path).text
    } catch {
      throw DataError(path: error.path, problem: error.problem, remedy: ShippedData.remedy)
    }
    var chapters: [Substring] = []
    var start: String.Index?  // of the chapter's first verse
    var isHeading = true
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if isHeading {
        isHeading = false
      } else if line.isEmpty {
        if let start { chapters.append(text[start..<text.utf8.index(before: line.startIndex)]) }
        (start, isHeading) = (nil, true)
      } else {
        start = start ?? line.startIndex
      }
    }
    return chapters
  }

  /// All the text files of a folder in the order of their names, cut by position: nine tenths, and twice a twentieth.
  ///
  /// - Throws: `DataError` if there are none, one cannot be read, or they hold fewer than 1,000 characters together.
  public init(folder: String) throws(DataError) {
    guard ShippedData.isFolder(folder), let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw DataError(path: folder, problem: "there is no such folder", remedy: "give a folder of text files")
    }
    let files = names.filter { $0.hasSuffix(".txt") || $0.hasSuffix(".txt.gz") }.sorted()
    guard !files.isEmpty else { throw DataError(path: folder, problem: "holds no text files", remedy: Self.remedy) }
    var scalars = String.UnicodeScalarView()
    for file in files { scalars += try PlainText(contentsOf: folder + "/" + file).text.unicodeScalars }
    guard scalars.count >= 1000 else {
      throw DataError(path: folder, problem: "its text has only \(scalars.count) characters", remedy: Self.remedy)
    }
    let first = scalars.index(scalars.startIndex, offsetBy: scalars.count * 18 / 20)
    let second = scalars.index(scalars.startIndex, offsetBy: scalars.count * 19 / 20)
    self.init(
      train: String(scalars[..<first]), validation: String(scalars[first..<second]), test: String(scalars[second...]))
  }

  private init(train: String, validation: String, test: String) {
    (self.train, self.validation, self.test) = (train, validation, test)
  }
}
