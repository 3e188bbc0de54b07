import Tensors

/// What every probability law offers, whatever its values are: a shape, log-probabilities and samples.
///
/// One shape rule: axis 0 is the batch; all other axes are one event, over which log-probabilities are summed. What PyTorch
/// writes `Independent(Normal(…), n)` is simply ``Normal`` here. Log-probabilities (log-densities where values are
/// continuous) are in nats, and parameters are what networks emit: logits and log-scales, of any size.
public protocol ProbabilityDistribution<Value> {
  /// `Tensor`, or `IndexTensor` where values are numbered.
  associatedtype Value: DistributionValue
  /// The shape of a sample, `[batch, …]`.
  var shape: [Int] { get }
  /// ln p of each component of each event, in nats; `x` may have any shape that broadcasts with ``shape``.
  func elementwiseLogProbability(of x: Value) -> Tensor
  /// One draw for each event of the batch.
  func sample(using random: inout Random) -> Value
}

extension ProbabilityDistribution {
  /// ln p of each event in nats, `[batch]`.
  public func logProbability(of x: Value) -> Tensor { elementwiseLogProbability(of: x).summedOverEvent }
}

/// A law over tensors with its moments and its entropy in closed form.
public protocol Distribution: ProbabilityDistribution where Value == Tensor {
  /// The expectation, of the shape of a sample.
  var mean: Tensor { get }
  /// The expected squared distance from the mean of each component, of the shape of a sample.
  var variance: Tensor { get }
  /// The entropy of each event in nats (differential entropy where values are continuous), `[batch]`.
  var entropy: Tensor { get }
}

/// A law with a density, whose samples are differentiable with respect to its parameters.
public protocol ContinuousDistribution: Distribution {}

extension Tensor {
  /// Summed over all axes but the first: `[batch, …] → [batch]`.
  var summedOverEvent: Tensor {
    guard rank >= 1 else { fail("Distribution", "needs a batch axis; a scalar has none") }
    return rank == 1 ? self : sum(axes: Array(1..<rank))
  }
}

/// The shape to which named shapes broadcast, after checking that they do.
func commonShape(_ operation: String, _ parts: [(name: String, shape: [Int])]) -> [Int] {
  let rank = parts.reduce(0) { max($0, $1.shape.count) }
  var result = [Int](repeating: 1, count: rank)
  for part in parts {
    for (axis, extent) in zip((rank - part.shape.count)..., part.shape) where extent != 1 {
      guard result[axis] == 1 || result[axis] == extent else {
        let shapes = parts.map { "\($0.name) \($0.shape)" }.joined(separator: " and ")
        fail(operation, "the shapes of \(shapes) do not broadcast: give extents that agree, or are 1")
      }
      result[axis] = extent
    }
  }
  return result
}
