import Convolutions
import Tensors

/// A convolution of sequences in which a mask cuts connections: `[batch, time, inputs] → [batch, time′, outputs]`.
public final class MaskedConv1D: WeightedLayer {
  /// `[taps, inputs, outputs]`; what the mask takes away is not used.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// 1 where a connection stands and 0 where it is cut: `[taps]` for all channels alike, or of the weight's shape.
  public let mask: Tensor
  /// The step of the window, the zeros around the sequence, and the distance between the times that a window reads.
  public let stride: Int, padding: ConvolutionPadding, dilation: Int

  /// A layer with a window as large as the mask, weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, mask: Tensor, stride: Int = 1, padding: ConvolutionPadding = .same,
    dilation: Int = 1, initialization: Initialization = .heUniform, using random: inout Random
  ) {
    let shape = Array(mask.shape.prefix(1)) + [inputs, outputs]
    guard mask.rank == 1 || mask.shape == shape else {
      fail("MaskedConv1D", "needs a mask of shape [taps] or [taps, \(inputs), \(outputs)], not \(mask.shape)")
    }
    checkWindow("MaskedConv1D", shape, stride, dilation)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
    self.mask = mask.detached()
    weight = initialization.sample(shape, using: &random)
    bias = .zeros([outputs])
  }

  /// The weight where the mask is 1, and 0 elsewhere.
  public var effectiveWeight: Tensor { masked(weight) }

  /// The convolution of `x` with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    checkSequence(x, weight.shape[1], of: "MaskedConv1D")
    return convolution1D(x, masked(weight), bias, stride: stride, padding: padding, dilation: dilation)
  }

  private func masked(_ weight: Tensor) -> Tensor {
    weight * (mask.rank == 1 ? mask.reshaped(to: [mask.count, 1, 1]) : mask)
  }
}
