import Foundation
import Tensors

/// Independent logistic values with a mean and the logarithm of a scale each.
///
/// PyTorch builds it as `TransformedDistribution(Uniform(0, 1), [SigmoidTransform().inv, AffineTransform(…)])`.
public struct Logistic: ContinuousDistribution, Sendable {
  /// μ, also the median, `[batch, …]`.
  public let mean: Tensor
  /// ln s, of the shape of the mean.
  public let logScale: Tensor

  /// The law whose distribution function is sigmoid((x−μ)/s) where s = exp(`logScale`); the shapes broadcast.
  public init(mean: Tensor, logScale: Tensor) {
    let shape = commonShape("Logistic", [("mean", mean.shape), ("logScale", logScale.shape)])
    self.mean = mean.broadcast(to: shape)
    self.logScale = logScale.broadcast(to: shape)
  }

  /// Mean 0 and scale 1, of a given shape `[batch, …]`: the prior of NICE (Dinh 2014, arXiv 1410.8516, section 3.4).
  public static func standard(_ shape: [Int]) -> Logistic { Logistic(mean: .zeros(shape), logScale: .zeros(shape)) }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { mean.shape }

  /// ln σ(z) + ln σ(−z) − ln s with z = (x−μ)/s for each component, in nats.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    _ = commonShape("Logistic.logProbability", [("the values", x.shape), ("the parameters", shape)])
    let z = (x - mean) * exp(-logScale)
    return logSigmoid(z) + logSigmoid(-z) - logScale
  }

  /// μ + s·(ln u − ln(1−u)) with u uniform: differentiable with respect to μ and s.
  public func sample(using random: inout Random) -> Tensor {
    mean + exp(logScale) * .logistic(shape, using: &random)
  }

  /// s²π²/3.
  public var variance: Tensor { exp(logScale * 2) * (Float.pi * Float.pi / 3) }

  /// Σ (2 + ln s), in nats, `[batch]`.
  public var entropy: Tensor { (logScale + 2).summedOverEvent }
}
