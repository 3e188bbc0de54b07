import Tensors

/// Independent binary values with the log-odds of a 1; `torch.distributions.Bernoulli(logits=…)`.
///
/// Values are 0 and 1 in a `Tensor`, as binary images are.
public struct Bernoulli: Distribution, Sendable {
  /// ln (p / (1 − p)), `[batch, …]`.
  public let logits: Tensor

  /// A law with these log-odds of a 1.
  public init(logits: Tensor) { self.logits = logits }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { logits.shape }

  /// The probabilities of a 1.
  public var mean: Tensor { sigmoid(logits) }

  /// p(1 − p).
  public var variance: Tensor { sigmoid(logits) * sigmoid(-logits) }

  /// x·logit − ln(1 + e^logit) for each component, in nats; exact at any log-odds.
  ///
  /// Values between 0 and 1 give the negative cross-entropy, which is a log-probability at 0 and 1 only.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    let common = commonShape("Bernoulli.logProbability", [("the values", x.shape), ("the logits", shape)])
    return bernoulliLogLikelihood(x.broadcast(to: common), logits: logits.broadcast(to: common))
  }

  /// 0 or 1 for each component; no gradient flows.
  public func sample(using random: inout Random) -> Tensor { .bernoulli(mean, using: &random) }

  /// −p ln p − (1−p) ln(1−p), summed: the entropy in nats, `[batch]`.
  public var entropy: Tensor {
    // Two terms of one sign keep their digits when p is near 0 or 1.
    (sigmoid(logits) * softplus(-logits) + sigmoid(-logits) * softplus(logits)).summedOverEvent
  }
}

/// KL(q‖p) between binary laws of one shape, in nats, `[batch]`.
public func klDivergence(_ q: Bernoulli, _ p: Bernoulli) -> Tensor {
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let ofOne = sigmoid(q.logits) * (softplus(-p.logits) - softplus(-q.logits))
  let ofZero = sigmoid(-q.logits) * (softplus(p.logits) - softplus(q.logits))
  return (ofOne + ofZero).summedOverEvent
}
