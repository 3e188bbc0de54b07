import Tensors

/// (x − μ) / √(σ² + ε) with mean and variance over `axes`.
func standardized(_ x: Tensor, over axes: [Int], epsilon: Float) -> Tensor {
  let centred = x - x.mean(axes: axes, keepingAxes: true)
  return centred / sqrt(square(centred).mean(axes: axes, keepingAxes: true) + epsilon)
}

/// Stops unless the last axis of `x` has `channels` values, and there are `rank` axes or more.
func checkChannels(_ x: Tensor, _ channels: Int, rank: Int, of layer: String) {
  guard x.rank >= rank, x.shape.last == channels else {
    fail(layer, "reads \(rank) axes or more, the last of \(channels) channels; the input has shape \(x.shape)")
  }
}
