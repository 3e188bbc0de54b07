import Foundation
import Tensors

/// Sentences of a probabilistic grammar, one after another, whose entropy is known exactly and whose brackets match.
///
/// Each rule begins with a letter that no other rule for the same symbol begins with, so each letter tells the rule and
/// the rest of the sentence is a stack of symbols: a *simple deterministic* grammar (Korenjak & Hopcroft, 1966).
public struct GrammarText: Law {
  /// A way to write a symbol: a letter, then other symbols.
  public struct Rule: Sendable {
    let symbol: String
    let probability: Double
    let letter: Character
    let rest: [String]

    /// `symbol` becomes, with `probability`, `letter` followed by the symbols of `rest`.
    public init(_ symbol: String, _ probability: Double, _ letter: Character, _ rest: [String] = []) {
      self.symbol = symbol
      self.probability = probability
      self.letter = letter
      self.rest = rest
    }
  }

  /// The letters, in the order of their tokens.
  public let letters: [Character]
  /// The number of letters of a sample.
  public let length: Int
  private let grammar: SimpleGrammar
  private let knownEntropy: Lazily<Double>

  /// The text of these rules; the symbol of the first one makes a sentence.
  ///
  /// - Precondition: for each symbol the rules' probabilities sum to 1 and their letters differ; every symbol of a rule
  ///   has rules; sentences end; `length` is 1 or more.
  public init(rules: [Rule], length: Int) {
    guard length >= 1 else { fail("GrammarText", "needs a length of 1 or more; got \(length)") }
    let grammar = SimpleGrammar(rules)
    self.length = length
    self.grammar = grammar
    letters = grammar.letters
    knownEntropy = Lazily { grammar.entropy(ofLength: length) }
  }

  /// Sums and products of x and y in brackets, such as `((x+y)*x);`.
  ///
  /// - Precondition: `length` is 1 or more.
  public static func expressions(length: Int) -> GrammarText {
    GrammarText(
      rules: [
        Rule("sentence", 0.25, "x", ["end"]), Rule("sentence", 0.15, "y", ["end"]),
        Rule("sentence", 0.6, "(", ["value", "operator", "value", "close", "end"]),
        Rule("value", 0.45, "x"), Rule("value", 0.25, "y"),
        Rule("value", 0.3, "(", ["value", "operator", "value", "close"]),
        Rule("operator", 0.7, "+"), Rule("operator", 0.3, "*"),
        Rule("close", 1, ")"), Rule("end", 1, ";"),
      ], length: length)
  }

  /// The entropy of a letter given all before it, in the long run, in nats: that of a sentence by its mean length.
  public var entropyRate: Double { grammar.entropyRate }

  /// The mean number of letters of a sentence.
  public var meanSentenceLength: Double { grammar.meanLength }

  /// The exact entropy of a sample, all its letters together, in nats.
  public var entropy: Double { knownEntropy.value }

  /// Independent texts that begin with a sentence and break off at `length`, tokens `[count, length]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> IndexTensor {
    checkSampleCount(count)
    var tokens: [Int32] = []
    tokens.reserveCapacity(count * length)
    for _ in 0..<count {
      var stack: [Int] = []
      for _ in 0..<length {
        let rules = grammar.rules[stack.popLast() ?? 0]
        let rule = rules[random.index(cumulative: cumulativeSums(rules.map(\.probability)))]
        tokens.append(rule.token)
        stack += rule.rest.reversed()
      }
    }
    return IndexTensor(tokens, shape: [count, length])
  }

  /// The exact log-probability of each text of `[count, length]`, `[count]`, in nats; −∞ for what the grammar cannot write.
  ///
  /// - Precondition: every token is below the number of letters.
  public func logProbability(of texts: IndexTensor) -> Tensor {
    let count = eventCount(of: texts.shape, size: length, named: "\(length)")
    checkTokens(texts, below: letters.count)
    return Tensor(
      (0..<count).map { grammar.logProbability(of: texts.scalars[$0 * length..<($0 + 1) * length]) })
  }

  /// The letters of each text of tokens, `[count, length]`.
  ///
  /// - Precondition: every token is below the number of letters.
  public func text(of texts: IndexTensor) -> [String] { Datasets.text(of: texts, letters: letters) }
}
