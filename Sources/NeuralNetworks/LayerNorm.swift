import Tensors

/// The last axis brought to mean 0 and variance 1, then scaled and shifted: `[…, features]`.
///
/// Ba, Kiros & Hinton (2016), arXiv 1607.06450; `LayerNorm` in PyTorch.
public final class LayerNorm: Layer {
  /// The gain, `[features]`.
  @Parameter public var scale: Tensor
  /// The bias, `[features]`.
  @Parameter public var offset: Tensor
  /// ε, added to the variance.
  public let epsilon: Float

  /// A layer with gain 1 and bias 0.
  public init(_ features: Int, epsilon: Float = 1e-5) {
    guard features > 0 else { fail("LayerNorm", "needs 1 feature or more, not \(features)") }
    self.epsilon = epsilon
    scale = .ones([features])
    offset = .zeros([features])
  }

  /// The normalised values.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    checkChannels(x, scale.count, rank: 1, of: "LayerNorm")
    return layerNormalized(x, scale: scale, offset: offset, epsilon: epsilon)
  }
}
