import LessonKit

// The invertible layers beside the coupling.

/// (x − mean) / √(variance + ε) for each channel, or its inverse (section 3.7): x is `[batch, …, channels]`.
func normalized(
  _ x: Tensor, mean: Tensor, variance: Tensor, epsilon: Float, _ direction: Direction
) -> (y: Tensor, logDeterminant: Tensor) {
  // BEGIN SOLUTION RealNVP.4
  let places = Float(x.count / x.shape[0] / mean.count)  // each channel is scaled at every place of the image
  let total = (log(variance + epsilon) * (-0.5 * places)).sum().broadcast(to: [x.shape[0]])  // [batch]
  let deviation = sqrt(variance + epsilon)
  return direction == .forward ? ((x - mean) / deviation, total) : (x * deviation + mean, -total)
  // END SOLUTION
}

/// Batch normalisation as a layer of the flow, by running averages of the batches' statistics (section 3.7).
///
/// In training the newest batch has its share in them, and gradients go through that share; in use they stay as they are.
final class FlowBatchNorm: FlowLayer {
  @Untrained var mean: Tensor
  @Untrained var variance: Tensor
  let momentum: Float, epsilon: Float

  init(_ channels: Int, momentum: Float = 0.02, epsilon: Float = 1e-4) {
    (mean, variance) = (.zeros([channels]), .ones([channels]))
    (self.momentum, self.epsilon) = (momentum, epsilon)
  }

  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor) {
    guard direction == .forward, !Inference.isOn else {
      return normalized(x, mean: mean, variance: variance, epsilon: epsilon, direction)
    }
    let axes = Array(0..<x.rank - 1)
    let newMean = mean * (1 - momentum) + x.mean(axes: axes) * momentum  // [channels]
    let newVariance = variance * (1 - momentum) + x.variance(axes: axes) * momentum
    (mean, variance) = (newMean, newVariance)  // without their history
    return normalized(x, mean: newMean, variance: newVariance, epsilon: epsilon, direction)
  }
}

/// Each block of 2 × 2 pixels as one pixel with four times the channels (figure 3, right), or back; heights and widths are even.
///
/// `[batch, height, width, channels] → [batch, height/2, width/2, 4·channels]`. New channels go through the block row by
/// row, all channels of one pixel together.
func squeezed(_ x: Tensor, _ direction: Direction) -> Tensor {
  // BEGIN SOLUTION RealNVP.3
  let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  switch direction {
  case .forward:
    return x.reshaped(to: [batch, height / 2, 2, width / 2, 2, channels]).permuted([0, 1, 3, 2, 4, 5])
      .reshaped(to: [batch, height / 2, width / 2, 4 * channels])
  case .inverse:
    return x.reshaped(to: [batch, height, width, 2, 2, channels / 4]).permuted([0, 1, 3, 2, 4, 5])
      .reshaped(to: [batch, 2 * height, 2 * width, channels / 4])
  }
  // END SOLUTION
}

/// `squeezed` as a layer: it moves values and changes none.
final class Squeeze: FlowLayer {
  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor) {
    (squeezed(x, direction), .zeros([x.shape[0]]))
  }
}

/// logit(α + (1 − 2α) x) of pixels in 0…1, which then range over all numbers (section 4.1).
final class Logit: FlowLayer {
  let alpha: Float
  init(alpha: Float = 0.05) { self.alpha = alpha }

  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor) {
    let p = direction == .forward ? x * (1 - 2 * alpha) + alpha : sigmoid(x)
    // d logit(p)/dx = (1 − 2α) / (p (1 − p))
    let slope = (log(p) + log(1 - p) - log(1 - 2 * alpha)).sum(axes: Array(1..<x.rank))
    return direction == .forward ? (log(p) - log(1 - p), -slope) : ((p - alpha) / (1 - 2 * alpha), slope)
  }
}

/// Flow layers one after the other.
final class Chain: FlowLayer {
  let layers: [any FlowLayer]
  init(_ layers: [any FlowLayer]) { self.layers = layers }

  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor) {
    var (y, total) = (x, Tensor.zeros([x.shape[0]]))
    for layer in direction == .forward ? layers : layers.reversed() {
      let (next, change) = layer(y, direction)
      (y, total) = (next, total + change)
    }
    return (y, total)
  }
}
