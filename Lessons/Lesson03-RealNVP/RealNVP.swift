import LessonKit

// RealNVP, real-valued non-volume-preserving flows: Dinh, Sohl-Dickstein & Bengio (2016), arXiv 1605.08803, with the paper's names.

/// From data to latent variables, or back.
enum Direction { case forward, inverse }

/// An invertible layer: its result and log|det ∂y/∂x| for the direction taken, `[batch]`, in nats.
protocol FlowLayer: Module {
  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor)
}

/// An affine coupling (equations 7 to 9): y = b ⊙ x + (1 − b) ⊙ (x ⊙ exp(s(b ⊙ x)) + t(b ⊙ x)), or its inverse.
///
/// x is `[batch, …]`, the mask b `[…]`; `network` gives s and t, of the shape of x, and may see only the places where b is 1.
func coupled(
  _ x: Tensor, mask: Tensor, _ direction: Direction, by network: (Tensor) -> (s: Tensor, t: Tensor)
) -> (y: Tensor, logDeterminant: Tensor) {
  // BEGIN SOLUTION RealNVP.1
  let (s, t) = network(mask * x)
  let (scale, shift) = ((1 - mask) * s, (1 - mask) * t)
  let total = scale.sum(axes: Array(1..<x.rank))  // [batch]
  return direction == .forward ? (x * exp(scale) + shift, total) : ((x - shift) * exp(-scale), -total)
  // END SOLUTION
}

/// A checkerboard `[height, width, 1]`: 1 where row + column is even (figure 3, left).
func checkerboard(height: Int, width: Int) -> Tensor {
  // BEGIN SOLUTION RealNVP.2
  Tensor((0..<height * width).map { ($0 / width + $0 % width) % 2 == 0 ? 1 : 0 }, shape: [height, width, 1])
  // END SOLUTION
}

/// An affine coupling with networks s and t in one; it begins as the identity.
final class AffineCoupling: FlowLayer {
  let mask: Tensor
  let network: Sequential
  /// Bounds |s| for each channel: s = bound ⊙ tanh(…) (section 4.1).
  @Parameter var bound: Tensor
  /// Without scales, s = 0, it is NICE's additive coupling.
  let isAffine: Bool

  /// - Parameter network: from the shape of x to twice as many values along the last axis, s and t.
  init(mask: Tensor, isAffine: Bool = true, network: Sequential) {
    (self.mask, self.isAffine, self.network) = (mask, isAffine, network)
    bound = .ones([mask.shape[mask.rank - 1]])
  }

  func callAsFunction(_ x: Tensor, _ direction: Direction) -> (y: Tensor, logDeterminant: Tensor) {
    coupled(x, mask: mask, direction) { visible in
      let last = x.rank - 1
      let parts = network(visible).split(sizes: [x.shape[last], x.shape[last]], axis: last)
      return (isAffine ? bound * tanh(parts[0]) : .zeros(x.shape), parts[1])
    }
  }
}

/// The multi-scale flow (section 3.6): after each scale but the last, half of the channels are done and go to z.
final class RealNVP: Module {
  let scales: [Chain]
  /// The shape of an example after each scale.
  let shapes: [[Int]]

  init(scales: [Chain], shapes: [[Int]]) { (self.scales, self.shapes) = (scales, shapes) }

  /// The number of latent variables.
  var dimension: Int {
    let counts = shapes.map { $0.reduce(1, *) }
    return counts.dropLast().reduce(counts.last ?? 0) { $0 + $1 / 2 }
  }

  /// x → z, `[batch, dimension]`, what the first scale sets aside first; and log|det ∂z/∂x|, `[batch]`.
  func encode(_ x: Tensor) -> (z: Tensor, logDeterminant: Tensor) {
    var (rest, total, parts) = (x, Tensor.zeros([x.shape[0]]), [Tensor]())
    for (index, scale) in scales.enumerated() {
      let (y, change) = scale(rest, .forward)
      (rest, total) = (y, total + change)
      if index < scales.count - 1 {
        let halves = y.split(sizes: [y.shape[3] / 2, y.shape[3] / 2], axis: 3)
        parts.append(halves[0].reshaped(to: [x.shape[0], -1]))
        rest = halves[1]
      }
    }
    return (concatenate(parts + [rest.reshaped(to: [x.shape[0], -1])], axis: 1), total)
  }

  /// z → x, `[batch] + the shape of an example`.
  func decode(_ z: Tensor) -> Tensor {
    let batch = z.shape[0]
    var end = z.shape[1]
    func take(_ shape: [Int]) -> Tensor {
      let count = shape.reduce(1, *)
      defer { end -= count }
      return z.sliced(end - count..<end, axis: 1).reshaped(to: [batch] + shape)
    }
    var rest = take(shapes[scales.count - 1])
    for index in scales.indices.reversed() {
      if index < scales.count - 1 {
        let half = shapes[index].dropLast() + [shapes[index][2] / 2]
        rest = concatenate([take(Array(half)), rest], axis: 3)
      }
      rest = scales[index](rest, .inverse).y
    }
    return rest
  }

  /// log p(x) = log N(z; 0, I) + log|det ∂z/∂x| (equation 3), nats, `[batch]`.
  func logProbability(of x: Tensor) -> Tensor {
    let (z, logDeterminant) = encode(x)
    return Normal.standard(z.shape).logProbability(of: z) + logDeterminant
  }
}
