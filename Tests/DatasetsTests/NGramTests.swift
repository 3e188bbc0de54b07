import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("N-grams")
struct NGramTests {
  @Test("The probabilities are Witten & Bell's, worked by hand")
  func byHand() {
    // a b a a: singles a 3, b 1, T = 2; after a: b 1, a 1, T = 2; after b: a 1, T = 1.
    let text = IndexTensor([0, 1, 0, 0])
    let a = (3 + 2.0 / 3) / 6
    let (b, c) = ((1 + 2.0 / 3) / 6, (0 + 2.0 / 3) / 6)
    let singles = NGram(text, vocabulary: 3, order: 1).logProbabilities(of: IndexTensor([0, 1, 2]))
    #expect(zip(singles.scalars, [a, b, c]).allSatisfy { abs(Double($0) - log($1)) < 1e-6 })
    let pairs = NGram(text, vocabulary: 3, order: 2)
    let expected = [c, a, (1 + 2 * b) / 4, (1 + a) / 2, (1 + 2 * a) / 4, (2 * c) / 4]  // c a b a a c
    let found = pairs.logProbabilities(of: IndexTensor([2, 0, 1, 0, 0, 2]))
    #expect(zip(found.scalars, expected).allSatisfy { abs(Double($0) - log($1)) < 1e-6 })
  }

  @Test("The probabilities of the next token sum to 1 after every context, seen or not", arguments: [1, 2, 3, 4])
  func sumsToOne(order: Int) {
    var random = Random(seed: 1)
    let text = IndexTensor.categorical(logits: Tensor([[0, 1, -1, 0.5]]).broadcast(to: [60, 4]), using: &random)
    let model = NGram(text, vocabulary: 5, order: order)  // token 4 never occurs
    for context in 0..<125 {
      let start = [context / 25, context / 5 % 5, context % 5].map(Int32.init)
      let sum = (0..<Int32(5)).reduce(0.0) { sum, next in
        sum + exp(Double(model.logProbabilities(of: IndexTensor(start + [next])).scalars[3]))
      }
      #expect(abs(sum - 1) < 1e-6)
    }
  }

  @Test("On a long text of a Markov chain the loss is its entropy rate from the chain's order on")
  func entropyRate() {
    var random = Random(seed: 2)
    let law = MarkovText(letters: "abc", order: 2, length: 100_000, using: &random)
    let (train, test) = (law.samples(1, using: &random), law.samples(1, using: &random))
    let losses = (1...4).map { order in
      -Double(
        NGram(train.reshaped(to: [100_000]), vocabulary: 3, order: order)
          .logProbabilities(of: test.reshaped(to: [100_000])).mean().scalar)
    }
    #expect(losses[1] > law.entropyRate + 0.02)
    #expect(abs(losses[2] - law.entropyRate) < 0.01 && abs(losses[3] - law.entropyRate) < 0.01)
  }
}
