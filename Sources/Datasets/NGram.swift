import Foundation
import Tensors

/// A model of tokens that looks `order − 1` tokens back and counts: every order's frequencies, mixed with the order below by
/// Witten & Bell's rule (1991, doi 10.1109/18.87000, method C).
///
/// pₖ(w | c) = (count(c w) + T(c) pₖ₋₁(w | c′)) / (count(c) + T(c)), where T(c) is the number of different tokens seen after
/// the context c, and c′ is c without its oldest token. Below the single tokens stands 1/vocabulary.
public struct NGram: Sendable {
  /// The number of different tokens.
  public let vocabulary: Int
  /// 1 for single tokens, 2 for pairs, 3 for triples, and so on.
  public let order: Int
  /// For each number of tokens looked back, count(c w) at `[context · vocabulary + w]`.
  private var counts: [[Int32]] = []
  /// count(c) and T(c) for each context.
  private var totals: [[(count: Int32, kinds: Int32)]] = []

  /// Counts the tokens of a text, `[length]`.
  ///
  /// - Precondition: tokens are 0 to `vocabulary - 1`, and vocabulary^order is at most 2²⁵.
  public init(_ text: IndexTensor, vocabulary: Int, order: Int) {
    guard vocabulary > 0, order > 0, pow(Double(vocabulary), Double(order)) <= 33_554_432 else {
      fail("NGram", "cannot count the \(order)-grams of \(vocabulary) tokens: they must be 1 to 2²⁵")
    }
    checkTokens(text, below: vocabulary)
    (self.vocabulary, self.order) = (vocabulary, order)
    let tokens = text.scalars.map(Int.init)
    var contexts = 1
    for back in 0..<order {
      var counts = [Int32](repeating: 0, count: contexts * vocabulary)
      var gram = 0
      for (index, token) in tokens.enumerated() {
        gram = (gram * vocabulary + token) % counts.count
        if index >= back { counts[gram] += 1 }
      }
      totals.append(
        (0..<contexts).map { context in
          counts[context * vocabulary..<(context + 1) * vocabulary]
            .reduce(into: (count: 0, kinds: 0)) { $0 = ($0.count + $1, $0.kinds + ($1 > 0 ? 1 : 0)) }
        })
      self.counts.append(counts)
      contexts *= vocabulary
    }
  }

  /// ln p of each token of a text given those before it, `[length] → [length]`, in nats; the first ones have a shorter context.
  ///
  /// - Precondition: tokens are 0 to `vocabulary - 1`.
  public func logProbabilities(of text: IndexTensor) -> Tensor {
    checkTokens(text, below: vocabulary)
    let tokens = text.scalars.map(Int.init)
    return Tensor(
      tokens.indices.map { index in
        var probability = 1 / Double(vocabulary)
        var (context, size) = (0, 1)
        for back in 0..<min(order, index + 1) {
          if back > 0 {
            context += tokens[index - back] * size
            size *= vocabulary
          }
          let total = totals[back][context]
          if total.count == 0 { break }
          let count = Double(counts[back][context * vocabulary + tokens[index]])
          probability = (count + Double(total.kinds) * probability) / Double(total.count + total.kinds)
        }
        return Float(log(probability))
      })
  }
}
