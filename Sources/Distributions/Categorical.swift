import Tensors

/// Independent labels 0 ..< classes with a logit for each class; `torch.distributions.Categorical(logits=…)`.
public struct Categorical: DiscreteDistribution, Sendable {
  /// Log-probabilities up to a constant, `[batch, …, classes]`; −∞ excludes a class.
  public let logits: Tensor

  /// A law with probabilities in proportion to exp(`logits`).
  ///
  /// - Precondition: a batch axis and an axis of two classes or more.
  public init(logits: Tensor) {
    guard logits.rank >= 2, logits.shape[logits.rank - 1] >= 2 else {
      fail("Categorical", "logits of shape \(logits.shape) must be [batch, …, classes] with two classes or more")
    }
    self.logits = logits
  }

  /// `[batch, …]`: the logits' shape without the classes.
  public var shape: [Int] { Array(logits.shape.dropLast()) }

  /// How many values each component may take.
  public var classes: Int { logits.shape[logits.rank - 1] }

  /// ln p of every value of each component, in nats, `[batch, …, classes]`.
  public var logProbabilities: Tensor { logSoftmax(logits) }

  /// ln softmax(logits) at each label, in nats, `[batch, …]`.
  ///
  /// - Precondition: labels are within 0 ..< `classes`.
  public func elementwiseLogProbability(of x: IndexTensor) -> Tensor {
    let common = commonShape("Categorical.logProbability", [("the labels", x.shape), ("the logits' batch", shape)])
    return categoricalLogLikelihood(logits.broadcast(to: common + [classes]), x.broadcast(to: common))
  }

  /// A label for each component, `[batch, …]`.
  public func sample(using random: inout Random) -> IndexTensor { .categorical(logits: logits, using: &random) }
}
