import Tensors

/// An affine map of the last axis: `[…, inputs] → […, outputs]`.
public final class Linear: Module {
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

  /// The map applied to `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight, bias) }
}
