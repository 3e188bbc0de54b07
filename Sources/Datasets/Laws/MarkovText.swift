import Foundation
import Tensors

/// Text in which each letter depends on the `order` letters before it alone, so that its entropy is known exactly.
///
/// (Shannon, "A Mathematical Theory of Communication", 1948, section 7.)
public struct MarkovText: Law {
  /// The letters, in the order of their tokens.
  public let letters: [Character]
  /// How many letters back the next one looks.
  public let order: Int
  /// The number of letters of a sample.
  public let length: Int
  /// The probability of each next letter after each context, `[letters^order][letters]`.
  ///
  /// A context's number has the letters' tokens as digits, the oldest first.
  public let transitions: [[Double]]
  /// The stationary probability of each context, `[letters^order]`.
  public let stationary: [Double]
  private let cumulativeContexts: [Double]
  private let cumulativeTransitions: [[Double]]

  /// The text with these transition probabilities.
  ///
  /// - Precondition: 1 to 65,536 contexts, `length` at least `order` and 1, rows of probabilities that sum to 1, and a
  ///   chain that settles (any with all transitions possible does).
  public init(letters: String, order: Int, length: Int, transitions: [[Double]]) {
    let letters = Array(letters)
    let contexts = Self.contextCount(letters.count, order)
    guard Set(letters).count == letters.count, length >= max(order, 1) else {
      fail(
        "MarkovText", "needs letters that differ, and a length of at least \(max(order, 1)); got \(letters), \(length)")
    }
    let isLaw = transitions.allSatisfy { row in
      row.count == letters.count && row.allSatisfy { $0 >= 0 } && abs(row.reduce(0, +) - 1) < 1e-9
    }
    guard transitions.count == contexts, isLaw else {
      fail("MarkovText", "needs \(contexts) rows of \(letters.count) probabilities that sum to 1, one for each context")
    }
    self.letters = letters
    self.order = order
    self.length = length
    self.transitions = transitions
    stationary = Self.stationary(transitions)
    cumulativeContexts = cumulativeSums(stationary)
    cumulativeTransitions = transitions.map(cumulativeSums)
  }

  /// A text with random transition probabilities, all above 0: those of a softmax of normal numbers.
  ///
  /// - Parameters:
  ///   - letters: the letters.
  ///   - order: how many letters back the next one looks.
  ///   - length: the number of letters of a sample.
  ///   - sharpness: the normal numbers' standard deviation; 0 makes all letters equally likely.
  ///   - random: where the probabilities come from.
  /// - Precondition: 1 to 65,536 contexts, `length` at least `order` and 1, `sharpness` 0 or more.
  public init(letters: String, order: Int, length: Int, sharpness: Double = 1.5, using random: inout Random) {
    let transitions = (0..<Self.contextCount(letters.count, order)).map { _ in
      let weights = normalDeviates(letters.count, using: &random).map { exp(sharpness * $0) }
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
    self.init(letters: letters, order: order, length: length, transitions: transitions)
  }

  private static func contextCount(_ letters: Int, _ order: Int) -> Int {
    let count = order >= 0 && order <= 16 ? pow(Double(letters), Double(order)) : .infinity
    guard letters >= 1, count <= 65_536 else {
      fail(
        "MarkovText", "\(letters) letters of order \(order) have not 1 to 65536 contexts; use fewer or a lower order")
    }
    return Int(count)
  }

  /// Half the chain and half standing still has the same stationary law and never swings.
  private static func stationary(_ transitions: [[Double]]) -> [Double] {
    let (contexts, letters) = (transitions.count, transitions[0].count)
    var law = [Double](repeating: 1 / Double(contexts), count: contexts)
    for _ in 0..<20_000 {
      var next = law.map { 0.5 * $0 }
      for context in 0..<contexts {
        for letter in 0..<letters {
          next[(context * letters + letter) % contexts] += 0.5 * law[context] * transitions[context][letter]
        }
      }
      let change = zip(law, next).reduce(0) { $0 + abs($1.0 - $1.1) }
      law = next
      if change < 1e-15 { break }
    }
    return law
  }

  /// The entropy of a letter given all before it, in nats: Σ over contexts of their probability times their entropy.
  public var entropyRate: Double {
    zip(stationary, transitions).reduce(0) { $0 + $1.0 * Datasets.entropy(ofProbabilities: $1.1) }
  }

  /// The exact entropy of a sample, all its letters together, in nats.
  public var entropy: Double {
    Datasets.entropy(ofProbabilities: stationary) + Double(length - order) * entropyRate
  }

  /// Independent stretches of the text, tokens `[count, length]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> IndexTensor {
    checkSampleCount(count)
    var tokens: [Int32] = []
    tokens.reserveCapacity(count * length)
    for _ in 0..<count {
      var context = random.index(cumulative: cumulativeContexts)
      var rest = context
      var start: [Int32] = []
      for _ in 0..<order {
        start.append(Int32(rest % letters.count))
        rest /= letters.count
      }
      tokens += start.reversed()
      for _ in order..<length {
        let token = random.index(cumulative: cumulativeTransitions[context])
        tokens.append(Int32(token))
        context = (context * letters.count + token) % transitions.count
      }
    }
    return IndexTensor(tokens, shape: [count, length])
  }

  /// The exact log-probability of each sequence of tokens of `[count, length]`, `[count]`, in nats.
  ///
  /// - Precondition: every token is below the number of letters.
  public func logProbability(of sequences: IndexTensor) -> Tensor {
    let count = eventCount(of: sequences.shape, size: length, named: "\(length)")
    checkTokens(sequences, below: letters.count)
    return Tensor(
      (0..<count).map { sequence in
        var context = 0
        var sum = 0.0
        for (time, token) in sequences.scalars[sequence * length..<(sequence + 1) * length].enumerated() {
          if time == order { sum += log(stationary[context]) }
          if time >= order { sum += log(transitions[context][Int(token)]) }
          context = (context * letters.count + Int(token)) % transitions.count
        }
        return Float(length == order ? log(stationary[context]) : sum)
      })
  }

  /// The letters of each sequence of tokens, `[count, length]`.
  ///
  /// - Precondition: every token is below the number of letters.
  public func text(of sequences: IndexTensor) -> [String] { Datasets.text(of: sequences, letters: letters) }
}

/// Stops at a token for which there is no letter.
func checkTokens(_ tokens: IndexTensor, below count: Int) {
  if let odd = tokens.scalars.first(where: { $0 < 0 || $0 >= count }) {
    fail("tokens", "there is no letter with token \(odd); tokens are 0 to \(count - 1)")
  }
}

/// One string for each row of tokens.
func text(of sequences: IndexTensor, letters: [Character]) -> [String] {
  checkTokens(sequences, below: letters.count)
  let length = sequences.shape.last ?? 1
  guard length > 0 else { return [] }
  return stride(from: 0, to: sequences.count, by: length).map { start in
    String(sequences.scalars[start..<start + length].map { letters[Int($0)] })
  }
}
