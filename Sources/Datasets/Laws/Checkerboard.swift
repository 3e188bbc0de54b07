import Foundation
import Tensors

/// Uniform on 8 of the 16 squares of side 2 that cover [−4, 4]², those of one colour: entropy ln 32 = 3.4657 nats.
public struct Checkerboard: PlanarLaw {
  /// The law.
  public init() {}

  /// The mean of each coordinate, `[2]`.
  public var mean: [Double] { [0, 0] }

  /// The covariance of the coordinates, `[2][2]`: 16/3 along the axes, 1 between them.
  public var covariance: [[Double]] { [[16.0 / 3, 1], [1, 16.0 / 3]] }

  /// The exact entropy in nats, ln 32.
  public var entropy: Double { log(32) }

  /// Independent points, `[count, 2]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    var points: [Float] = []
    points.reserveCapacity(2 * count)
    for _ in 0..<count {
      let square = random.index(below: 8)
      let (row, pair) = (square / 2, square % 2)
      let column = 2 * pair + row % 2
      for cell in [column, row] {
        // Rounding to Float could reach the square's open end.
        let top = Float(2 * cell - 2).nextDown
        points.append(min(Float(Double(2 * cell - 4) + 2 * random.uniform()), top))
      }
    }
    return Tensor(points, shape: [count, 2])
  }

  /// The exact log-density of each point of `[count, 2]`, `[count]`: −ln 32, or −∞ on the other squares and outside.
  public func logProbability(of points: Tensor) -> Tensor {
    let count = eventCount(of: points.shape, size: 2, named: "2")
    let inside = Float(-log(32.0))
    let values = points.withUnsafeScalars { coordinates in
      (0..<count).map { index -> Float in
        let (x, y) = (coordinates[2 * index], coordinates[2 * index + 1])
        guard x >= -4, x < 4, y >= -4, y < 4 else { return -.infinity }
        return (Int((x + 4) / 2) + Int((y + 4) / 2)) % 2 == 0 ? inside : -.infinity
      }
    }
    return Tensor(values)
  }
}
