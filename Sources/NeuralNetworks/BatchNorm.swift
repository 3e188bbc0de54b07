import Tensors

/// Each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted (Ioffe & Szegedy 2015, arXiv
/// 1502.03167, algorithm 1): `[batch, …, channels]`, `BatchNorm1d` and `BatchNorm2d` in PyTorch.
///
/// Training takes the statistics of the batch and follows them with running averages; inside ``inference(_:)`` these
/// take their place.
public final class BatchNorm: Layer {
  /// γ, `[channels]`.
  @Parameter public var scale: Tensor
  /// β, `[channels]`.
  @Parameter public var offset: Tensor
  /// The running average of the mean, `[channels]`.
  @Untrained public var runningMean: Tensor
  /// The running average of the variance, divided by the count less one, `[channels]`.
  @Untrained public var runningVariance: Tensor
  /// The weight of the newest batch in the running averages.
  public let momentum: Float
  /// ε, added to the variance.
  public let epsilon: Float

  /// A layer with γ = 1 and β = 0.
  public init(_ channels: Int, momentum: Float = 0.1, epsilon: Float = 1e-5) {
    guard channels > 0, momentum >= 0, momentum <= 1, epsilon >= 0 else {
      fail("BatchNorm", "needs 1 channel or more and a momentum in 0…1, not \(channels) and \(momentum)")
    }
    (self.momentum, self.epsilon) = (momentum, epsilon)
    scale = .ones([channels])
    offset = .zeros([channels])
    runningMean = .zeros([channels])
    runningVariance = .ones([channels])
  }

  /// The normalised values; in training, the running averages take a step.
  ///
  /// - Precondition: in training, more than one value for each channel.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let channels = scale.count
    checkChannels(x, channels, rank: 2, of: "BatchNorm")
    if Inference.isOn { return (x - runningMean) * (scale / sqrt(runningVariance + epsilon)) + offset }
    let count = x.count / channels
    guard count > 1 else {
      fail("BatchNorm", "needs more than one value a channel to train, not shape \(x.shape); or use inference { }")
    }
    let (values, mean, variance) = batchNormalized(x, scale: scale, offset: offset, epsilon: epsilon)
    withoutGradients {
      runningMean = runningMean * (1 - momentum) + mean * momentum
      runningVariance = runningVariance * (1 - momentum) + variance * (momentum * Float(count) / Float(count - 1))
    }
    return values
  }
}
