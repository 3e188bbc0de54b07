import Tensors

/// Independent binary values with the log-odds of a 1; `torch.distributions.Bernoulli(logits=…)`.
public struct Bernoulli: Distribution, Sendable {
  /// ln (p / (1 − p)), `[batch, …]`.
  public let logits: Tensor

  /// A law with these log-odds of a 1.
  public init(logits: Tensor) { self.logits = logits }

  /// The probabilities of a 1.
  public var mean: Tensor { sigmoid(logits) }

  /// x·logit − ln(1 + e^logit) for each component, in nats; exact at any log-odds.
  ///
  /// Values between 0 and 1 give the negative cross-entropy, which is a log-probability at 0 and 1 only.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor { bernoulliLogLikelihood(x, logits: logits) }

  /// 0 or 1 for each component; no gradient flows.
  public func sample(using random: inout Random) -> Tensor { .bernoulli(mean, using: &random) }

  /// The entropy in nats, `[batch]`.
  public var entropy: Tensor { (softplus(logits) - logits * sigmoid(logits)).summedOverEvent }
}
