import LessonKit

/// The words of a text that occur most, the commonest first.
struct Words {
  let list: [String]
  let counts: [Float]
  private let numbers: [String: Int32]

  init(of texts: [[String]], most: Int) {
    var counts: [String: Int] = [:]
    for text in texts { for word in text { counts[word, default: 0] += 1 } }
    let ranking = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(most)
    list = ranking.map(\.key)
    self.counts = ranking.map { Float($0.value) }
    numbers = Dictionary(uniqueKeysWithValues: zip(list, list.indices.map { Int32($0) }))
  }

  /// A text in small letters, cut where there is anything but a to z; the s of a genitive is left out.
  static func split(_ text: String) -> [String] {
    text.lowercased().utf8.split { $0 < 97 || $0 > 122 }.map { String(Substring($0)) }.filter { $0 != "s" }
  }

  subscript(_ word: String) -> Int? { numbers[word].map { Int($0) } }

  /// The numbers of a text's words; all others are left out.
  func tokens(_ text: [String]) -> [Int32] { text.compactMap { numbers[$0] } }
}

/// Removes words at random, the frequent ones most: a word of frequency f stays with probability √(t/f) (1310.4546, section 2.3).
struct Subsampling {
  private let probabilities: Tensor

  init(_ counts: [Float], threshold: Float) {
    let frequencies = Tensor(counts) / Tensor(counts).sum()
    probabilities = sqrt(threshold / frequencies).clamped(to: 0...1)
  }

  func callAsFunction(_ text: [Int32], using random: inout Random) -> [Int32] {
    let stays = Tensor.bernoulli(probabilities.gathered(at: IndexTensor(text), axis: 0), using: &random).scalars
    return zip(text, stays).compactMap { $1 == 1 ? $0 : nil }
  }
}

/// Vectors with names, in word2vec's text format: a line with both extents, then a line for each word.
struct WordVectors {
  let words: [String]
  let table: Tensor

  init(_ words: [String], _ table: Tensor) {
    (self.words, self.table) = (words, table)
  }

  /// Reads a text in the format; nil if a line is missing or damaged.
  init?(text: String) {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    let extents = lines.first?.compactMap { Int($0) } ?? []
    let rows = lines.dropFirst().map { $0.dropFirst().compactMap { Float($0) } }
    guard extents.count == 2, rows.count == extents[0], rows.allSatisfy({ $0.count == extents[1] }) else { return nil }
    self.init(lines.dropFirst().map { String($0[0]) }, Tensor(rows.flatMap(\.self), shape: extents))
  }

  var text: String {
    let (scalars, width) = (table.scalars, table.shape[1])
    let lines = words.enumerated().map { row, word in
      ([word] + scalars[row * width..<(row + 1) * width].map { "\($0)" }).joined(separator: " ")
    }
    return (["\(words.count) \(width)"] + lines).joined(separator: "\n") + "\n"
  }
}
