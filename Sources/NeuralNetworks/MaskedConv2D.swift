import Convolutions
import Tensors

/// A convolution of images in which a mask cuts connections: `[batch, height, width, inputs] → [batch, height′, width′,
/// outputs]`.
///
/// Van den Oord, Kalchbrenner & Kavukcuoglu (2016), arXiv 1601.06759, section 3.4. Places of the window that the mask
/// cuts for all channels are not computed.
public final class MaskedConv2D: WeightedLayer {
  /// `[window height, window width, inputs, outputs]`; what the mask takes away is not used.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// 1 where a connection stands and 0 where it is cut: `[window height, window width]` for all channels alike, or of
  /// the weight's shape.
  public let mask: Tensor
  /// The step of the window, the zeros around the image, and the distance between the places that a window reads.
  public let stride: Int, padding: ConvolutionPadding, dilation: Int

  /// A layer with a window as large as the mask, weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, mask: Tensor, stride: Int = 1, padding: ConvolutionPadding = .same,
    dilation: Int = 1, initialization: Initialization = .heUniform, using random: inout Random
  ) {
    let shape = Array(mask.shape.prefix(2)) + [inputs, outputs]
    guard mask.rank == 2 || mask.shape == shape else {
      fail("MaskedConv2D", "needs a mask of shape [height, width] or […, \(inputs), \(outputs)], not \(mask.shape)")
    }
    checkWindow("MaskedConv2D", shape, stride, dilation)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
    self.mask = mask.detached()
    weight = initialization.sample(shape, using: &random)
    bias = .zeros([outputs])
  }

  /// The weight where the mask is 1, and 0 elsewhere.
  public var effectiveWeight: Tensor {
    weight * (mask.rank == 2 ? mask.reshaped(to: mask.shape + [1, 1]) : mask)
  }

  /// The convolution of `x` with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    checkImages(x, weight, of: "MaskedConv2D")
    return convolution2D(x, weight, bias, stride: stride, padding: padding, dilation: dilation, mask: mask)
  }
}
