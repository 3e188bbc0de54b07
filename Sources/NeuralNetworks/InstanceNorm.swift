import Tensors

/// Each channel of each example brought to mean 0 and variance 1 over space, then scaled and shifted: `[batch, …,
/// channels]`.
///
/// Ulyanov, Vedaldi & Lempitsky (2016), arXiv 1607.08022; `InstanceNorm2d(affine=True)` in PyTorch.
public final class InstanceNorm: Layer {
  /// γ, `[channels]`.
  @Parameter public var scale: Tensor
  /// β, `[channels]`.
  @Parameter public var offset: Tensor
  /// ε, added to the variance.
  public let epsilon: Float

  /// A layer with γ = 1 and β = 0.
  public init(_ channels: Int, epsilon: Float = 1e-5) {
    guard channels > 0 else { fail("InstanceNorm", "needs 1 channel or more, not \(channels)") }
    self.epsilon = epsilon
    scale = .ones([channels])
    offset = .zeros([channels])
  }

  /// The normalised values.
  ///
  /// - Precondition: an axis or more between batch and channels.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    checkChannels(x, scale.count, rank: 3, of: "InstanceNorm")
    return standardized(x, over: Array(1..<x.rank - 1), epsilon: epsilon) * scale + offset
  }
}
