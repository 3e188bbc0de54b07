import Tensors

/// One of several laws, chosen by its weight; `torch.distributions.MixtureSameFamily`.
///
/// The last axis of the logits numbers the components, and so does the same axis of the components' parameters. What follows
/// that axis in the components is drawn together from one component:
///
/// - logits `[batch, k]` and parameters `[batch, k, d]`: vectors `[batch, d]` from one component each;
/// - logits `[batch, d, k]` and parameters `[batch, d, k]`: every one of d values chooses for itself;
/// - logits `[batch, height, width, k]` and parameters `[batch, height, width, k, 3]`: a pixel's channels choose together
///   (PixelCNN++, Salimans 2017, arXiv 1701.05517, with ``DiscretizedLogistic``).
public struct Mixture<Component: ProbabilityDistribution>: ProbabilityDistribution {
  /// The values of the components.
  public typealias Value = Component.Value

  /// Log-weights up to a constant, `[batch, …, k]`.
  public let logits: Tensor
  /// The laws to choose from, with samples of shape `[batch, …, k, …]`.
  public let components: Component

  /// A mixture with weights softmax(`logits`) over the last axis.
  ///
  /// - Precondition: a batch axis and two components or more, and the components' shape begins with the logits' shape.
  public init(logits: Tensor, components: Component) {
    let shape = logits.shape
    guard shape.count >= 2, shape[shape.count - 1] >= 2 else {
      fail("Mixture", "logits of shape \(shape) must be [batch, …, components] with two components or more")
    }
    guard Array(components.shape.prefix(shape.count)) == shape else {
      fail("Mixture", "the components' shape \(components.shape) must begin with the logits' shape \(shape)")
    }
    self.logits = logits
    self.components = components
  }

  /// The axis that numbers the components.
  private var axis: Int { logits.rank - 1 }

  /// The components' shape without the axis that numbers them.
  public var shape: [Int] { components.shape.removing(axis) }

  /// ln Σ weight·p(x) for each choice of a component, in nats: `[batch, …]`, the logits' shape without the components.
  public func elementwiseLogProbability(of x: Value) -> Tensor {
    guard x.shape.count == shape.count else {
      fail(
        "Mixture.logProbability", "values of shape \(x.shape) must have the \(shape.count) axes of a sample \(shape)")
    }
    let logs = components.elementwiseLogProbability(of: x.insertingAxis(axis))  // [batch, …, k, …]
    let joint = logs.rank > logits.rank ? logs.sum(axes: Array(logits.rank..<logs.rank)) : logs
    return (logSoftmax(logits) + joint).logSumExp(axis: -1)
  }

  /// A value of the component that its weight chose; no gradient flows.
  public func sample(using random: inout Random) -> Value {
    let choice = IndexTensor.categorical(logits: logits, using: &random)
    return withoutGradients { components.sample(using: &random) }.choosing(choice, axis: axis)
  }

  /// softmax(`logits`), with axes of extent 1 to meet the components: `[batch, …, k, 1…]`.
  private var weights: Tensor {
    softmax(logits).reshaped(to: logits.shape + Array(repeating: 1, count: components.shape.count - logits.rank))
  }
}

extension Mixture: Sendable where Component: Sendable {}

extension Mixture where Component: Distribution {
  /// Σ weight·mean, of the shape of a sample.
  public var mean: Tensor { (weights * components.mean).sum(axis: axis) }

  /// Σ weight·(variance + squared distance of the component's mean), of the shape of a sample.
  public var variance: Tensor {
    let distances = components.mean - mean.insertingAxis(axis)
    return (weights * (components.variance + square(distances))).sum(axis: axis)
  }
}

extension Mixture: DiscreteDistribution where Component: DiscreteDistribution {
  /// How many values each component may take.
  public var classes: Int { components.classes }

  /// ln p of every value of each component, in nats, `[batch, …, classes]`.
  ///
  /// - Precondition: every component of a value chooses for itself; else values are not independent and have no such table.
  public var logProbabilities: Tensor {
    guard components.shape.count == logits.rank else {
      fail(
        "Mixture.logProbabilities",
        "values of shape \(components.shape[logits.rank...]) are drawn together: give the logits \(logits.shape) those axes too"
      )
    }
    return (logSoftmax(logits).insertingAxis(logits.rank) + components.logProbabilities).logSumExp(axis: axis)
  }
}

extension Mixture where Component == DiscretizedLogistic {
  /// The expectation of the bins' middles, of the shape of a sample.
  public var mean: Tensor { (weights * components.mean).sum(axis: axis) }
}
