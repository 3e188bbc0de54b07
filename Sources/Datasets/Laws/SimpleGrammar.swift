import Foundation
import Tensors

/// The rules of a ``GrammarText`` with symbols as numbers, symbol 0 being the sentence.
struct SimpleGrammar: Sendable {
  struct Rule: Sendable {
    let probability: Double
    let token: Int32
    let rest: [Int]
  }

  let letters: [Character]
  /// The rules of each symbol.
  let rules: [[Rule]]
  /// The entropy of the choice among each symbol's rules.
  private let entropies: [Double]
  /// How often each symbol is written in a sentence, in the mean.
  private let occurrences: [Double]

  init(_ rules: [GrammarText.Rule]) {
    let symbols = rules.reduce(into: [String]()) { if !$0.contains($1.symbol) { $0.append($1.symbol) } }
    let letters = Set(rules.map(\.letter)).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(symbols, symbols.indices))
    for rule in rules {
      for symbol in rule.rest where numbers[symbol] == nil {
        fail("GrammarText", "there is no rule for \"\(symbol)\", which a rule for \"\(rule.symbol)\" uses")
      }
    }
    self.letters = letters
    self.rules = symbols.map { symbol in
      let own = rules.filter { $0.symbol == symbol }
      guard own.allSatisfy({ $0.probability > 0 }), abs(own.reduce(0) { $0 + $1.probability } - 1) < 1e-9,
        Set(own.map(\.letter)).count == own.count
      else {
        fail("GrammarText", "the rules for \"\(symbol)\" need probabilities that sum to 1, and different letters")
      }
      return own.map { rule in
        Rule(
          probability: rule.probability, token: Int32(letters.firstIndex(of: rule.letter)!),
          rest: rule.rest.map { numbers[$0]! })
      }
    }
    entropies = self.rules.map { Datasets.entropy(ofProbabilities: $0.map(\.probability)) }
    guard !self.rules.isEmpty, let occurrences = Self.occurrences(self.rules) else {
      fail("GrammarText", "sentences must end: make rules without further symbols more likely")
    }
    self.occurrences = occurrences
  }

  /// The fixed point of: once for the sentence, and once for each mention in a rule that is used; nil if it grows for ever.
  private static func occurrences(_ rules: [[Rule]]) -> [Double]? {
    var counts = rules.indices.map { $0 == 0 ? 1.0 : 0 }
    for _ in 0..<100_000 {
      var next = rules.indices.map { $0 == 0 ? 1.0 : 0 }
      for symbol in rules.indices {
        for rule in rules[symbol] {
          for child in rule.rest { next[child] += counts[symbol] * rule.probability }
        }
      }
      let change = zip(counts, next).reduce(0) { $0 + abs($1.0 - $1.1) }
      counts = next
      if change < 1e-13 * counts.reduce(0, +) { return counts }
    }
    return nil
  }

  /// Each symbol writes one letter before its rest, so a sentence has as many letters as symbols.
  var meanLength: Double { occurrences.reduce(0, +) }

  var entropyRate: Double { zip(occurrences, entropies).reduce(0) { $0 + $1.0 * $1.1 } / meanLength }

  func logProbability(of text: ArraySlice<Int32>) -> Float {
    var stack: [Int] = []
    var sum = 0.0
    for token in text {
      guard let rule = rules[stack.popLast() ?? 0].first(where: { $0.token == token }) else { return -.infinity }
      sum += log(rule.probability)
      stack += rule.rest.reversed()
    }
    return Float(sum)
  }

  /// The entropy of the first `length` letters: at each, the mean entropy of the symbol on top of the stack.
  func entropy(ofLength length: Int) -> Double {
    let lengths = LengthLaws(self, upTo: length)
    var tops = [[[Double]]](repeating: [], count: rules.count)  // [symbol][time][symbol on top]
    for time in 0..<length {
      for symbol in rules.indices {
        tops[symbol].append(top(of: symbol, at: time, lengths, tops))
      }
    }
    var starts = [Double](repeating: 0, count: length)  // the probability that a sentence begins at each time
    var sum = 0.0
    for time in 0..<length {
      starts[time] = time == 0 ? 1 : (0..<time).reduce(0) { $0 + starts[$1] * lengths.whole[0][time - $1] }
      for start in 0...time {
        for symbol in rules.indices { sum += starts[start] * tops[0][time - start][symbol] * entropies[symbol] }
      }
    }
    return sum
  }

  /// The probability that, `time` letters into what `symbol` became, each symbol is on top and `symbol` is not finished.
  private func top(of symbol: Int, at time: Int, _ lengths: LengthLaws, _ tops: [[[Double]]]) -> [Double] {
    var result = [Double](repeating: 0, count: rules.count)
    guard time > 0 else {
      result[symbol] = 1
      return result
    }
    for (number, rule) in rules[symbol].enumerated() {
      for (place, child) in rule.rest.enumerated() {
        for elapsed in 0..<time {
          let reached = rule.probability * lengths.beginnings[symbol][number][place][elapsed]
          guard reached > 0 else { continue }
          for other in rules.indices { result[other] += reached * tops[child][time - 1 - elapsed][other] }
        }
      }
    }
    return result
  }
}

/// How likely it is that what a symbol becomes has each number of letters.
private struct LengthLaws {
  /// For each symbol, the probability of each length.
  private(set) var whole: [[Double]]
  /// For each symbol, rule and place in its rest, the probability that the places before take each number of letters.
  private(set) var beginnings: [[[[Double]]]]

  init(_ grammar: SimpleGrammar, upTo length: Int) {
    let zeros = [Double](repeating: 0, count: length + 2)
    whole = grammar.rules.map { _ in zeros }
    beginnings = grammar.rules.map { $0.map { [[Double]](repeating: zeros, count: $0.rest.count + 1) } }
    for letters in 0...length {
      for symbol in grammar.rules.indices {
        for (number, rule) in grammar.rules[symbol].enumerated() {
          extend(&beginnings[symbol][number], by: rule.rest, to: letters)
        }
      }
      for symbol in grammar.rules.indices {
        whole[symbol][letters + 1] = zip(grammar.rules[symbol], beginnings[symbol]).reduce(0) {
          $0 + $1.0.probability * $1.1[$1.0.rest.count][letters]
        }
      }
    }
  }

  private func extend(_ laws: inout [[Double]], by rest: [Int], to letters: Int) {
    laws[0][letters] = letters == 0 ? 1 : 0
    for (place, child) in rest.enumerated() where letters > 0 {
      laws[place + 1][letters] = (1...letters).reduce(0) { $0 + laws[place][letters - $1] * whole[child][$1] }
    }
  }
}
