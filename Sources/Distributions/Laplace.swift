import Foundation
import Tensors

/// Independent double-exponential values with a mean and the logarithm of a scale each; `torch.distributions.Laplace`.
public struct Laplace: ContinuousDistribution, Sendable {
  /// μ, also the median, `[batch, …]`.
  public let mean: Tensor
  /// ln b, of the shape of the mean.
  public let logScale: Tensor

  /// A law with the density exp(−|x−μ|/b) / 2b where b = exp(`logScale`); the shapes broadcast.
  public init(mean: Tensor, logScale: Tensor) {
    let shape = commonShape("Laplace", [("mean", mean.shape), ("logScale", logScale.shape)])
    self.mean = mean.broadcast(to: shape)
    self.logScale = logScale.broadcast(to: shape)
  }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { mean.shape }

  /// −|x−μ|/b − ln 2b for each component, in nats.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    _ = commonShape("Laplace.logProbability", [("the values", x.shape), ("the parameters", shape)])
    return -abs((x - mean) * exp(-logScale)) - logScale - log(2 as Float)
  }

  /// μ + b·(E₁ − E₂) with E₁ and E₂ standard exponential: differentiable with respect to μ and b.
  public func sample(using random: inout Random) -> Tensor {
    let (u, v) = (Tensor.uniform(shape, using: &random), Tensor.uniform(shape, using: &random))
    return mean + exp(logScale) * (log(v) - log(u))
  }

  /// 2b².
  public var variance: Tensor { exp(logScale * 2) * 2 }

  /// Σ (1 + ln 2b), in nats, `[batch]`.
  public var entropy: Tensor { (logScale + (1 + log(2 as Float))).summedOverEvent }
}

/// KL(q‖p) between double-exponential laws of one shape, in nats, `[batch]`.
///
/// ln(b_p/b_q) + |Δ|/b_p + (b_q/b_p)·exp(−|Δ|/b_q) − 1, in an order that does not cancel.
public func klDivergence(_ q: Laplace, _ p: Laplace) -> Tensor {
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let logRatio = q.logScale - p.logScale
  let distance = abs(q.mean - p.mean) * exp(-q.logScale)
  return (exp(logRatio) * excessOfExponential(-distance) + excessOfExponential(logRatio)).summedOverEvent
}
