import Convolutions
import Tensors

/// A convolution of sequences: `[batch, time, inputs] → [batch, time′, outputs]`, `Conv1d` in PyTorch.
public final class Conv1D: WeightedLayer {
  /// `[taps, inputs, outputs]`.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// The step of the window, the zeros around the sequence, and the distance between the times that a window reads.
  public let stride: Int, padding: ConvolutionPadding, dilation: Int

  /// A layer with a window of `taps` times, weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, taps: Int, stride: Int = 1, padding: ConvolutionPadding = .valid, dilation: Int = 1,
    initialization: Initialization = .heUniform, using random: inout Random
  ) {
    checkWindow("Conv1D", [taps, inputs, outputs], stride, dilation)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
    weight = initialization.sample([taps, inputs, outputs], using: &random)
    bias = .zeros([outputs])
  }

  /// The convolution of `x` with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    checkSequence(x, weight.shape[1], of: "Conv1D")
    return convolution1D(x, weight, bias, stride: stride, padding: padding, dilation: dilation)
  }
}
