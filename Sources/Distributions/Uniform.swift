import Tensors

/// Independent values, each equally likely anywhere between two bounds; `torch.distributions.Uniform`.
public struct Uniform: ContinuousDistribution, Sendable {
  /// The smallest value, `[batch, …]`.
  public let lower: Tensor
  /// The largest value, of the shape of the smallest.
  public let upper: Tensor

  /// A law on the interval from `lower` to `upper`, both ends included; the shapes broadcast.
  ///
  /// - Precondition: every upper bound is above its lower bound.
  public init(lower: Tensor, upper: Tensor) {
    let shape = commonShape("Uniform", [("lower", lower.shape), ("upper", upper.shape)])
    self.lower = lower.broadcast(to: shape)
    self.upper = upper.broadcast(to: shape)
    guard (self.lower .< self.upper).sum().scalar != Float(self.lower.count) else { return }
    for (index, (low, high)) in zip(self.lower.scalars, self.upper.scalars).enumerated() where !(low < high) {
      fail("Uniform", "the upper bound \(high) of value \(index) must be above the lower bound \(low)")
    }
  }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { lower.shape }

  /// −ln(upper − lower) within the bounds and −∞ outside for each component, in nats.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    _ = commonShape("Uniform.logProbability", [("the values", x.shape), ("the parameters", shape)])
    return log((x .>= lower) * (x .<= upper)) - log(upper - lower)
  }

  /// Between the bounds, differentiable with respect to both.
  public func sample(using random: inout Random) -> Tensor {
    let fraction = Tensor.uniform(shape, using: &random)
    // Rounding could pass the upper bound.
    return minimum(lower + (upper - lower) * fraction, upper)
  }

  /// The middle of the interval.
  public var mean: Tensor { lower * 0.5 + upper * 0.5 }

  /// (upper − lower)²/12.
  public var variance: Tensor { square(upper - lower) / 12 }

  /// Σ ln(upper − lower), in nats, `[batch]`.
  public var entropy: Tensor { log(upper - lower).summedOverEvent }
}

/// KL(q‖p) between uniform laws of one shape, in nats, `[batch]`: ∞ where q reaches beyond p.
public func klDivergence(_ q: Uniform, _ p: Uniform) -> Tensor {
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let isWithin = (p.lower .<= q.lower) * (q.upper .<= p.upper)
  return (log(p.upper - p.lower) - log(q.upper - q.lower) - log(isWithin)).summedOverEvent
}
