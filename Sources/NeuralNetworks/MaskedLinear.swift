import Tensors

/// An affine map of the last axis in which a mask cuts connections: `[…, inputs] → […, outputs]`.
///
/// Germain, Gregor, Murray & Larochelle (2015), arXiv 1502.03509, equation 7.
public final class MaskedLinear: WeightedLayer {
  /// `[inputs, outputs]`; what the mask takes away is not used.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// `[inputs, outputs]`, 1 where a connection stands and 0 where it is cut; a new one must have the same shape.
  public var mask: Tensor {
    didSet {
      checkMask(mask, shape: weight.shape, of: "MaskedLinear")
      support = MatrixSupport(mask)
    }
  }
  /// What the mask leaves, so that blocks of zeros are not computed.
  private var support: MatrixSupport?

  /// A layer with the connections of `mask`, `[inputs, outputs]`, weights from `initialization` and a bias of zeros.
  public init(mask: Tensor, initialization: Initialization = .heUniform, using random: inout Random) {
    guard mask.rank == 2, mask.count > 0 else {
      fail("MaskedLinear", "needs a mask of shape [inputs, outputs], not \(mask.shape)")
    }
    self.mask = mask.detached()
    support = MatrixSupport(mask)
    weight = initialization.sample(mask.shape, fanIn: mask.shape[0], fanOut: mask.shape[1], using: &random)
    bias = .zeros([mask.shape[1]])
  }

  /// The weight where the mask is 1, and 0 elsewhere.
  public var effectiveWeight: Tensor { weight * mask }

  /// The map applied to `x`, with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    guard x.shape.last == weight.shape[0] else {
      fail("MaskedLinear", "reads \(weight.shape[0]) values along the last axis; the input has shape \(x.shape)")
    }
    return linear(x, weight * mask, bias, support: support)
  }
}

/// Stops when a mask does not have the weight's shape.
func checkMask(_ mask: Tensor, shape: [Int], of layer: String) {
  guard mask.shape == shape else { fail(layer, "needs a mask of shape \(shape), not \(mask.shape)") }
}
