import Tensors

/// A layer that is linear in one weight, which ``WeightNormalized`` and ``SpectrallyNormalized`` can replace.
public protocol WeightedLayer: Layer {
  /// `[…, outputs]`.
  var weight: Tensor { get set }
  /// `[outputs]`.
  var bias: Tensor { get set }
  /// The weight with what a mask takes away set to zero.
  var effectiveWeight: Tensor { get }
  /// The layer applied to `x`, with `weight` in place of its own.
  func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor
}

extension WeightedLayer {
  /// The weight, since there is no mask.
  public var effectiveWeight: Tensor { weight }

  /// The layer applied to `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, weight: weight) }
}
