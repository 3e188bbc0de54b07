import Tensors

/// An affine map of the last axis: `[…, inputs] → […, outputs]`, `Linear` in PyTorch.
public final class Linear: WeightedLayer {
  /// `[inputs, outputs]`.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor

  /// A layer with weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, initialization: Initialization = .heUniform, using random: inout Random
  ) {
    guard inputs > 0, outputs > 0 else {
      fail("Linear", "needs 1 input and 1 output or more, not \(inputs) and \(outputs)")
    }
    weight = initialization.sample([inputs, outputs], fanIn: inputs, fanOut: outputs, using: &random)
    bias = .zeros([outputs])
  }

  /// The map applied to `x`, with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    guard x.shape.last == weight.shape[0] else {
      fail("Linear", "reads \(weight.shape[0]) values along the last axis; the input has shape \(x.shape)")
    }
    return linear(x, weight, bias)
  }
}
