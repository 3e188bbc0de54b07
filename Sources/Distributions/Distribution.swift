import Tensors

/// A probability law over tensors.
///
/// Axis 0 is the batch; all other axes are one event, over which log-probabilities are summed. What PyTorch writes `Independent(Normal(…), n)` is simply ``Normal`` here.
public protocol Distribution {
  /// ln p of each component of each event, in nats: the shape of `x`.
  func elementwiseLogProbability(of x: Tensor) -> Tensor
  /// One draw for each event of the batch.
  func sample(using random: inout Random) -> Tensor
  /// The expectation, of the shape of a sample.
  var mean: Tensor { get }
  /// The entropy of each event in nats (differential entropy where values are continuous), `[batch]`.
  var entropy: Tensor { get }
}

extension Distribution {
  /// ln p of each event in nats, `[batch]`.
  public func logProbability(of x: Tensor) -> Tensor { elementwiseLogProbability(of: x).summedOverEvent }
}

extension Tensor {
  /// Summed over all axes but the first: `[batch, …] → [batch]`.
  var summedOverEvent: Tensor {
    guard rank >= 1 else { fail("Distribution", "needs a batch axis; a scalar has none") }
    return rank == 1 ? self : sum(axes: Array(1..<rank))
  }
}
