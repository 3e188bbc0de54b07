import Tensors

/// A layer whose weight is split into directions and lengths, w = g · v / ‖v‖ for each output (Salimans & Kingma 2016,
/// arXiv 1602.07868, equation 2); `weight_norm` in PyTorch, with `dim` the axis of outputs.
public final class WeightNormalized: Layer {
  /// The layer; its weight is v.
  public let layer: any WeightedLayer
  /// g, `[outputs]`.
  @Parameter public var magnitude: Tensor

  /// The layer with its weight as it is: g = ‖v‖.
  public init(_ layer: any WeightedLayer) {
    self.layer = layer
    magnitude = norms(layer.effectiveWeight)
  }

  /// w, of the shape of the layer's weight; an output without connections keeps zeros.
  public var weight: Tensor {
    let direction = layer.effectiveWeight
    return direction * (magnitude / norms(direction))
  }

  /// The layer applied to `x` with the weight w.
  public func callAsFunction(_ x: Tensor) -> Tensor { layer(x, weight: weight) }

  /// Sets g and the bias so that each output has mean 0 and variance 1 over a batch `x` (section 3, equation 6).
  public func adapt(to x: Tensor) {
    withoutGradients {
      layer.bias = layer.bias * 0
      magnitude = .ones(magnitude.shape)
      let outputs = self(x)
      let axes = Array(0..<outputs.rank - 1)
      let scale = 1 / sqrt(outputs.variance(axes: axes) + 1e-10)
      magnitude = scale
      layer.bias = -outputs.mean(axes: axes) * scale
    }
  }
}

/// ‖v‖ for each output, `[…, outputs] → [outputs]`.
private func norms(_ weight: Tensor) -> Tensor {
  // Without the smallest normal number, an output whose connections are all masked would give 0 / 0.
  sqrt(square(weight).sum(axes: Array(0..<weight.rank - 1)) + Float.leastNormalMagnitude)
}
