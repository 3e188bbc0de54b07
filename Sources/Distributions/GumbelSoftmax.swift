import Foundation
import Tensors

/// The relaxed one-hot law: softmax((logits + Gumbel noise)/τ), which approaches one-hot vectors as τ falls.
///
/// The Concrete distribution of Maddison 2016 (arXiv 1611.00712) and Jang 2016 (arXiv 1611.01144); `torch.distributions.RelaxedOneHotCategorical`.
public struct GumbelSoftmax: ProbabilityDistribution, Sendable {
  /// Log-weights ln α up to a constant, `[batch, …, classes]`.
  public let logits: Tensor
  /// τ, above 0.
  public let temperature: Float

  /// A law over vectors of positive numbers that sum to 1.
  ///
  /// - Precondition: a batch axis and two classes or more; a positive, finite temperature.
  public init(logits: Tensor, temperature: Float) {
    guard logits.rank >= 2, logits.shape[logits.rank - 1] >= 2 else {
      fail("GumbelSoftmax", "logits of shape \(logits.shape) must be [batch, …, classes] with two classes or more")
    }
    guard temperature > 0, temperature.isFinite else {
      fail("GumbelSoftmax", "the temperature \(temperature) must be positive and finite")
    }
    self.logits = logits
    self.temperature = temperature
  }

  /// The shape of a sample, `[batch, …, classes]`.
  public var shape: [Int] { logits.shape }

  /// ln p of each vector, in nats: `[batch, …, classes] → [batch, …]` (Maddison 2016, equation 10).
  ///
  /// A density over the first classes − 1 entries. At low temperatures entries of `x` round to 0: use ``elementwiseLogProbability(ofLogarithms:)``.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    let logarithms = log(x)
    return elementwiseLogProbability(ofLogarithms: logarithms) - logarithms.sum(axis: -1)
  }

  /// ln p of the logarithms of each vector, in nats: `[batch, …, classes] → [batch, …]` (Maddison 2016, appendix C.3, equation 22).
  ///
  /// A density over logarithms, for ratios and divergences at low temperatures; `ExpRelaxedCategorical` in PyTorch.
  public func elementwiseLogProbability(ofLogarithms y: Tensor) -> Tensor {
    _ = commonShape("GumbelSoftmax.logProbability", [("the values", y.shape), ("the logits", shape)])
    let classes = logits.shape[logits.rank - 1]
    let logFactorial = (1..<classes).reduce(0) { $0 + Foundation.log(Double($1)) }
    let constant = logFactorial + Double(classes - 1) * Foundation.log(Double(temperature))
    return logSoftmax(logits - y * temperature).sum(axis: -1) + Float(constant)
  }

  /// A vector for each component, differentiable with respect to the logits.
  public func sample(using random: inout Random) -> Tensor { softmax(perturbed(using: &random)) }

  /// The logarithms of a sample, which do not round to zero.
  public func logarithmsOfSample(using random: inout Random) -> Tensor { logSoftmax(perturbed(using: &random)) }

  /// One-hot vectors, exactly, through which gradients pass as though they were the relaxed sample (Jang 2016, section 2.2).
  public func straightThroughSample(using random: inout Random) -> Tensor {
    let relaxed = sample(using: &random)
    let hard = oneHot(relaxed.argmax(axis: -1), classes: logits.shape[logits.rank - 1])
    return hard + (relaxed - relaxed.detached())
  }

  private func perturbed(using random: inout Random) -> Tensor {
    (logits + .gumbel(shape, using: &random)) / temperature
  }
}
