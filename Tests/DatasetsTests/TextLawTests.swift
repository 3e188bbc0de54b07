import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Laws of text")
struct TextLawTests {
  /// All sequences of `length` tokens below `letters`, `[letters^length, length]`.
  static func sequences(_ letters: Int, _ length: Int) -> IndexTensor {
    var tokens: [Int32] = []
    var count = 1
    for _ in 0..<length { count *= letters }
    for number in 0..<count {
      var rest = number
      for _ in 0..<length {
        tokens.append(Int32(rest % letters))
        rest /= letters
      }
    }
    return IndexTensor(tokens, shape: [count, length])
  }

  /// Σ p and −Σ p ln p over all sequences.
  static func sums(_ logProbabilities: Tensor) -> (mass: Double, entropy: Double) {
    var (mass, entropy) = (0.0, 0.0)
    for value in logProbabilities.scalars where value.isFinite {
      mass += exp(Double(value))
      entropy -= exp(Double(value)) * Double(value)
    }
    return (mass, entropy)
  }

  @Test("Probabilities of all Markov texts sum to 1 and their entropy is the law's", arguments: 0...3)
  func markov(order: Int) {
    var random = Random(seed: 61)
    let law = MarkovText(letters: "abc", order: order, length: 7, using: &random)
    let (mass, entropy) = Self.sums(law.logProbability(of: Self.sequences(3, 7)))
    #expect(near(mass, 1, 1e-5))
    #expect(near(entropy, law.entropy, 1e-5))
    #expect(near(law.stationary.reduce(0, +), 1, 1e-12))
    let longer = MarkovText(letters: "abc", order: order, length: 8, transitions: law.transitions)
    #expect(near(longer.entropy - law.entropy, law.entropyRate, 1e-12))
  }

  @Test("A chain of two letters has the stationary law and the entropy rate of the closed form")
  func twoLetters() {
    let law = MarkovText(letters: "ab", order: 1, length: 4, transitions: [[0.9, 0.1], [0.4, 0.6]])
    #expect(near(law.stationary[0], 0.8, 1e-12))
    func binary(_ p: Double) -> Double { -p * log(p) - (1 - p) * log(1 - p) }
    let rate = 0.8 * binary(0.1) + 0.2 * binary(0.4)
    #expect(near(law.entropyRate, rate, 1e-12))
    let value = law.logProbability(of: IndexTensor([0, 0, 1, 1], shape: [1, 4])).scalar
    #expect(near(Double(value), log(0.8 * 0.9 * 0.1 * 0.6), 1e-6))
    let swinging = MarkovText(letters: "ab", order: 1, length: 3, transitions: [[0, 1], [1, 0]])
    #expect(near(swinging.stationary[0], 0.5, 1e-12) && swinging.entropyRate == 0)
    #expect(near(swinging.entropy, log(2), 1e-12))
  }

  @Test("Markov texts come as often as their probabilities say, and read as their letters")
  func markovSamples() {
    var random = Random(seed: 62)
    let law = MarkovText(letters: "xyz", order: 2, length: 4, using: &random)
    let samples = law.samples(10_000, using: &random)
    let scalars = samples.scalars
    var counts = [Int](repeating: 0, count: 81)
    for row in 0..<10_000 {
      var code = 0
      for place in (0..<4).reversed() { code = code * 3 + Int(scalars[4 * row + place]) }
      counts[code] += 1
    }
    let probabilities = law.logProbability(of: Self.sequences(3, 4)).scalars.map { exp(Double($0)) }
    #expect(chiSquared(counts, probabilities) < 5.5)
    #expect(law.text(of: IndexTensor([0, 2, 1, 1, 2, 2, 0, 1], shape: [2, 4])) == ["xzyy", "zzxy"])
    let long = MarkovText(letters: "abcdefgh", order: 3, length: 64, using: &random)
    #expect(entropyDeviation(long.logProbability(of: long.samples(400, using: &random)), long.entropy) < 5.5)
  }

  @Test(
    "Probabilities of all beginnings of the grammar's texts sum to 1, and their entropy is the law's", arguments: 1...6)
  func grammar(length: Int) {
    let law = GrammarText.expressions(length: length)
    #expect(String(law.letters) == "()*+;xy")
    let (mass, entropy) = Self.sums(law.logProbability(of: Self.sequences(7, length)))
    #expect(near(mass, 1, 1e-5))
    #expect(near(entropy, law.entropy, 1e-5))
  }

  /// A sentence x; y; or (…); a value has mean length v = 0.7 + 0.3 (2v + 3), a sentence 0.4·2 + 0.6·(2v + 4).
  @Test("The grammar's entropy rate is that of a sentence by its mean length, which long texts approach")
  func grammarRate() {
    let value = 1.6 / 0.4
    let law = GrammarText.expressions(length: 200)
    #expect(near(law.meanSentenceLength, 0.8 + 0.6 * (2 * value + 4), 1e-9))
    func entropy(_ p: [Double]) -> Double { p.reduce(0) { $0 - $1 * log($1) } }
    let sign = entropy([0.7, 0.3])
    // A value's entropy h = H(.45, .25, .3) + .3 (2h + sign).
    let inner = (entropy([0.45, 0.25, 0.3]) + 0.3 * sign) / 0.4
    let whole = entropy([0.25, 0.15, 0.6]) + 0.6 * (2 * inner + sign)
    #expect(near(law.entropyRate, whole / law.meanSentenceLength, 1e-9))
    let shorter = GrammarText.expressions(length: 180)
    #expect(near((law.entropy - shorter.entropy) / 20, law.entropyRate, 1e-4))
  }

  @Test("Sampled texts belong to the grammar, and their mean −log p is the entropy")
  func grammarSamples() {
    let law = GrammarText.expressions(length: 32)
    var random = Random(seed: 63)
    let samples = law.samples(2_000, using: &random)
    #expect(samples.shape == [2_000, 32])
    #expect(entropyDeviation(law.logProbability(of: samples), law.entropy) < 5.5)
    for text in law.text(of: samples).prefix(100) {
      var depth = 0
      for letter in text {
        depth += letter == "(" ? 1 : letter == ")" ? -1 : 0
        #expect(depth >= 0 && (letter != ";" || depth == 0))
      }
    }
    let broken = IndexTensor([Int32](repeating: 1, count: 32), shape: [1, 32])
    #expect(law.logProbability(of: broken).scalar == -.infinity)
  }

  @Test("Rows that are no probabilities, sentences that never end, and rules that are missing stop with a clear line")
  func mistakes() async {
    let row = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = MarkovText(letters: "ab", order: 1, length: 4, transitions: [[0.9, 0.2], [0.4, 0.6]])
    }
    #expect(text(row).contains("needs 2 rows of 2 probabilities that sum to 1"))
    let endless = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GrammarText(rules: [.init("s", 0.5, "a"), .init("s", 0.5, "b", ["s", "s", "s"])], length: 3)
    }
    #expect(text(endless).contains("sentences must end"))
    let missing = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GrammarText(rules: [.init("s", 1, "a", ["t"])], length: 3)
    }
    #expect(text(missing).contains("there is no rule for \"t\", which a rule for \"s\" uses"))
  }
}
