import Foundation
import Tensors

/// Independent Gaussians with a mean and the logarithm of a scale for each component; `torch.distributions.Normal`.
public struct Normal: ContinuousDistribution, Sendable {
  /// μ, `[batch, …]`.
  public let mean: Tensor
  /// ln σ, of the shape of the mean.
  public let logScale: Tensor

  /// A Gaussian with mean μ and scale σ = exp(`logScale`); the shapes broadcast.
  public init(mean: Tensor, logScale: Tensor) {
    let shape = commonShape("Normal", [("mean", mean.shape), ("logScale", logScale.shape)])
    self.mean = mean.broadcast(to: shape)
    self.logScale = logScale.broadcast(to: shape)
  }

  /// A Gaussian with mean μ and variance σ² = exp(`logVariance`), as encoders emit it.
  public init(mean: Tensor, logVariance: Tensor) {
    self.init(mean: mean, logScale: logVariance * 0.5)
  }

  /// The standard Gaussian, mean 0 and scale 1, of a given shape `[batch, …]`.
  public static func standard(_ shape: [Int]) -> Normal {
    Normal(mean: .zeros(shape), logScale: .zeros(shape))
  }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { mean.shape }

  /// σ.
  public var scale: Tensor { exp(logScale) }

  /// σ².
  public var variance: Tensor { exp(logScale * 2) }

  /// −½((x−μ)/σ)² − ln σ − ½ ln 2π for each component, in nats.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    _ = commonShape("Normal.logProbability", [("the values", x.shape), ("the parameters", shape)])
    return square((x - mean) * exp(-logScale)) * -0.5 - logScale - 0.5 * log(2 * Float.pi)
  }

  /// μ + σ·ε with ε standard normal: differentiable with respect to μ and σ (Kingma & Welling 2013, arXiv 1312.6114, section 2.4).
  public func sample(using random: inout Random) -> Tensor {
    mean + scale * .normal(mean.shape, using: &random)
  }

  /// Σ (ln σ + ½ ln 2πe), in nats, `[batch]`.
  public var entropy: Tensor { (logScale + 0.5 * (1 + log(2 * Float.pi))).summedOverEvent }
}

extension Normal {
  /// The value below which a standard normal variable falls with this probability.
  ///
  /// - Precondition: the probability is above 0 and below 1.
  public static func standardQuantile(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else {
      fail("standardQuantile", "the probability \(probability) must lie between 0 and 1, ends excluded")
    }
    var (lower, upper) = (-40.0, 40.0)
    while upper - lower > 1e-12 {
      let middle = (lower + upper) / 2
      if 0.5 * erfc(-middle / 2.0.squareRoot()) < probability { lower = middle } else { upper = middle }
    }
    return (lower + upper) / 2
  }
}

/// KL(q‖p) between Gaussians of one shape, in nats, `[batch]`.
///
/// For p standard this is −½ Σ (1 + ln σ² − μ² − σ²) (Kingma & Welling 2013, arXiv 1312.6114, appendix B).
public func klDivergence(_ q: Normal, _ p: Normal) -> Tensor {
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let logRatio = q.logScale - p.logScale
  let shift = (q.mean - p.mean) * exp(-p.logScale)
  return ((excessOfExponential(logRatio * 2) + square(shift)) * 0.5).summedOverEvent
}
