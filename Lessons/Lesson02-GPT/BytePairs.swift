import LessonKit

// Byte-pair encoding as GPT-2 has it: Sennrich, Haddow & Birch, arXiv 1508.07909, on bytes, so that every text has tokens.

/// The tokens with each pair `(first, second)` replaced by `token`, from left to right; pairs do not overlap.
func merged(_ tokens: [Int32], _ first: Int32, _ second: Int32, into token: Int32) -> [Int32] {
  // BEGIN SOLUTION GPT.2
  var result: [Int32] = []
  var index = 0
  while index < tokens.count {
    let isPair = tokens[index] == first && index + 1 < tokens.count && tokens[index + 1] == second
    result.append(isPair ? token : tokens[index])
    index += isPair ? 2 : 1
  }
  return result
  // END SOLUTION
}

/// Tokens 0 to 255 are the bytes; each further one stands for a pair of earlier ones.
struct BytePairs {
  /// The pair of tokens that token 256 + i stands for.
  private(set) var pairs: [[Int32]] = []
  /// The bytes of every token.
  private(set) var bytes: [[UInt8]] = (0...255).map { [UInt8($0)] }
  private var ranks: [[Int32]: Int32] = [:]
  private var known: [ArraySlice<UInt8>: [Int32]] = [:]

  var count: Int { bytes.count }

  /// Learns `count - 256` pairs: each time the one that is most frequent in the text by then.
  init(_ text: [UInt8], count: Int) {
    var words: [(tokens: [Int32], times: Int)] = Self.words(of: text)
      .reduce(into: [:]) { $0[$1, default: 0] += 1 }
      .map { ($0.key.map(Int32.init), $0.value) }
    while bytes.count < count {
      var frequencies: [[Int32]: Int] = [:]
      for (tokens, times) in words {
        for index in tokens.indices.dropLast() { frequencies[[tokens[index], tokens[index + 1]], default: 0] += times }
      }
      // Of equally frequent pairs the first in the order of tokens, so that the same text gives the same pairs.
      let best = frequencies.max {
        $0.value == $1.value ? $1.key.lexicographicallyPrecedes($0.key) : $0.value < $1.value
      }
      guard let pair = best?.key else { break }
      let token = Int32(bytes.count)
      for index in words.indices where words[index].tokens.count > 1 {
        words[index].tokens = merged(words[index].tokens, pair[0], pair[1], into: token)
      }
      ranks[pair] = token
      pairs.append(pair)
      bytes.append(bytes[Int(pair[0])] + bytes[Int(pair[1])])
    }
  }

  /// Any bytes as tokens: in each word the pair that was learned first is merged first.
  mutating func tokens(of text: [UInt8]) -> [Int32] {
    var result: [Int32] = []
    for word in Self.words(of: text) {
      if let tokens = known[word] {
        result += tokens
        continue
      }
      var tokens = word.map(Int32.init)
      while let next = zip(tokens, tokens.dropFirst()).compactMap({ ranks[[$0, $1]] }).min() {
        let pair = pairs[Int(next) - 256]
        tokens = merged(tokens, pair[0], pair[1], into: next)
      }
      known[word] = tokens
      result += tokens
    }
    return result
  }

  /// The bytes that tokens stand for.
  func bytes(of tokens: [Int32]) -> [UInt8] { tokens.flatMap { bytes[Int($0)] } }

  /// Pieces that no pair crosses: letters, with at most one other byte, such as a space, before them.
  static func words(of text: [UInt8]) -> [ArraySlice<UInt8>] {
    var words: [ArraySlice<UInt8>] = []
    var start = 0
    for index in text.indices {
      let isLetter = text[index] >= 128 || (text[index] | 32 >= 97 && text[index] | 32 <= 122)
      if !isLetter, index > start {
        words.append(text[start..<index])
        start = index
      }
    }
    if start < text.count { words.append(text[start...]) }
    return words
  }
}
