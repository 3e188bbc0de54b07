import Convolutions
import Tensors

/// A convolution of images: `[batch, height, width, inputs] → [batch, height′, width′, outputs]`, `Conv2d` in PyTorch.
public final class Conv2D: WeightedLayer {
  /// `[window height, window width, inputs, outputs]`.
  @Parameter public var weight: Tensor
  /// `[outputs]`.
  @Parameter public var bias: Tensor
  /// The step of the window, the zeros around the image, and the distance between the places that a window reads.
  public let stride: Int, padding: ConvolutionPadding, dilation: Int

  /// A layer with a window of `height` × `width`, weights from `initialization` and a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, height: Int, width: Int, stride: Int = 1, padding: ConvolutionPadding = .valid,
    dilation: Int = 1, initialization: Initialization = .heUniform, using random: inout Random
  ) {
    checkWindow("Conv2D", [height, width, inputs, outputs], stride, dilation)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
    weight = initialization.sample([height, width, inputs, outputs], using: &random)
    bias = .zeros([outputs])
  }

  /// A layer with a square window.
  public convenience init(
    _ inputs: Int, _ outputs: Int, size: Int, stride: Int = 1, padding: ConvolutionPadding = .valid,
    dilation: Int = 1, initialization: Initialization = .heUniform, using random: inout Random
  ) {
    self.init(
      inputs, outputs, height: size, width: size, stride: stride, padding: padding, dilation: dilation,
      initialization: initialization, using: &random)
  }

  /// The convolution of `x` with `weight` in place of the layer's own.
  public func callAsFunction(_ x: Tensor, weight: Tensor) -> Tensor {
    checkImages(x, weight, of: "Conv2D")
    return convolution2D(x, weight, bias, stride: stride, padding: padding, dilation: dilation)
  }
}

/// Stops unless every extent of a window is positive.
func checkWindow(_ layer: String, _ shape: [Int], _ stride: Int, _ dilation: Int = 1) {
  guard shape.allSatisfy({ $0 > 0 }), stride > 0, dilation > 0 else {
    fail(
      layer,
      "needs positive extents, stride and dilation; the weight would have shape \(shape), they are \(stride) and \(dilation)"
    )
  }
}

/// Stops unless `x` is `[batch, height, width, inputs]` for this weight.
func checkImages(_ x: Tensor, _ weight: Tensor, of layer: String) {
  let inputs = weight.shape[weight.rank - 2]
  guard x.rank == 4, x.shape[3] == inputs else {
    fail(layer, "reads [batch, height, width, \(inputs)]; the input has shape \(x.shape)")
  }
}
