import Convolutions
import Tensors

/// The transpose of a convolution, which enlarges images: `[batch, height, width, inputs] → [batch, height′, width′,
/// outputs]`.
///
/// A height n becomes (n − 1)·stride + size − 2·padding + outputPadding. `ConvTranspose2d` in PyTorch.
public final class ConvTranspose2D: WeightedLayer {
  /// `[window height, window width, inputs, outputs]`.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// The distance between the windows of neighbouring inputs, what is cut off each edge, and what is added at the ends.
  public let stride: Int, padding: Int, outputPadding: Int

  /// A layer with a square window, weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, size: Int, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0,
    initialization: Initialization = .heUniform, using random: inout Random
  ) {
    checkWindow("ConvTranspose2D", [size, size, inputs, outputs], stride)
    (self.stride, self.padding, self.outputPadding) = (stride, padding, outputPadding)
    // Windows overlap: each output reads size² / stride² places of each input.
    let reads = max(1, size * size / (stride * stride))
    weight = initialization.sample(
      [size, size, inputs, outputs], fanIn: reads * inputs, fanOut: size * size * outputs, using: &random)
    bias = .zeros([outputs])
  }

  /// The transposed convolution of `x` with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    checkImages(x, weight, of: "ConvTranspose2D")
    return transposedConvolution2D(x, weight, bias, stride: stride, padding: padding, outputPadding: outputPadding)
  }
}
