import Foundation
import Tensors

/// A law of points in the plane, `[count, 2]`, whose mean and covariance are known.
public protocol PlanarLaw: Law where Samples == Tensor {
  /// The mean of each coordinate, `[2]`.
  var mean: [Double] { get }

  /// The covariance of the coordinates, `[2][2]`.
  var covariance: [[Double]] { get }
}

extension PlanarLaw {
  /// What the best single normal distribution reaches, in nats for each point: its entropy, ½ ln((2πe)² |covariance|).
  ///
  /// The trivial baseline: a model of this law that is worse has learnt nothing of its shape.
  public var gaussianEntropy: Double {
    let determinant = covariance[0][0] * covariance[1][1] - covariance[0][1] * covariance[1][0]
    return log(2 * Double.pi) + 1 + 0.5 * log(determinant)
  }
}

/// Means and covariance of weighted points, as a law keeps them.
struct PlanarMoments: Sendable {
  let mean: [Double]
  let covariance: [[Double]]

  init(_ points: [SIMD2<Double>], weights: [Double]) {
    let total = weights.reduce(0, +)
    let mean = zip(points, weights).reduce(SIMD2<Double>()) { $0 + $1.0 * $1.1 } / total
    var squares = SIMD2<Double>()
    var product = 0.0
    for (point, weight) in zip(points, weights) {
      let offset = point - mean
      squares += offset * offset * weight
      product += offset.x * offset.y * weight
    }
    self.mean = [mean.x, mean.y]
    covariance = [[squares.x / total, product / total], [product / total, squares.y / total]]
  }
}
