import Foundation
import Tensors

/// Cells that cover the real line, so that values become levels and levels values; the outer cells take the tails.
public struct Quantizer: Sendable, Equatable {
  /// Where one cell ends and the next begins, ascending, `[levels - 1]`.
  public let edges: [Double]
  /// The value that stands for each level, ascending, `[levels]`.
  public let centers: [Double]

  private init(edges: [Double], centers: [Double]) {
    self.edges = edges
    self.centers = centers
  }

  /// How many levels there are.
  public var levels: Int { centers.count }

  /// Equal cells over a range.
  ///
  /// - Precondition: `levels` is 2 or more, the range has a width.
  public static func uniform(levels: Int, in range: ClosedRange<Double> = -1...1) -> Quantizer {
    let step = (range.upperBound - range.lowerBound) / Double(levels)
    guard levels >= 2, step > 0, step.isFinite else {
      fail("Quantizer.uniform", "needs 2 levels or more and a range with a width; got \(levels) over \(range)")
    }
    return Quantizer(
      edges: (1..<levels).map { range.lowerBound + Double($0) * step },
      centers: (0..<levels).map { range.lowerBound + (Double($0) + 0.5) * step })
  }

  /// Cells that widen away from 0: equal after sign(x) ln(1 + μ|x|) / ln(1 + μ), with μ = levels − 1, on −1…1.
  ///
  /// ITU-T G.711, as van den Oord et al., "WaveNet", 2016, arXiv 1609.03499, section 2.2, use it with 256 levels.
  ///
  /// - Precondition: `levels` is 2 or more.
  public static func muLaw(levels: Int = 256) -> Quantizer {
    guard levels >= 2 else { fail("Quantizer.muLaw", "needs 2 levels or more; got \(levels)") }
    let mu = Double(levels - 1)
    func expanded(_ level: Double) -> Double {
      let companded = 2 * level / mu - 1
      return (companded < 0 ? -1 : 1) * expm1(abs(companded) * log1p(mu)) / mu
    }
    return Quantizer(
      edges: (0..<levels - 1).map { expanded(Double($0) + 0.5) }, centers: (0..<levels).map { expanded(Double($0)) })
  }

  /// The level of each value, of the same shape; what is not a number gets level 0.
  public func indices(of values: Tensor) -> IndexTensor {
    let levels = values.withUnsafeScalars { scalars in scalars.map { Int32(index(of: Double($0))) } }
    return IndexTensor(levels, shape: values.shape)
  }

  /// The value of each level, of the same shape.
  ///
  /// - Precondition: every level is 0 to `levels - 1`.
  public func values(of indices: IndexTensor) -> Tensor {
    let values = indices.scalars.map { level -> Float in
      guard level >= 0, level < levels else {
        fail("Quantizer.values", "there is no level \(level); levels are 0 to \(levels - 1)")
      }
      return Float(centers[Int(level)])
    }
    return Tensor(values, shape: indices.shape)
  }

  /// The level of one value.
  func index(of value: Double) -> Int {
    var (low, high) = (0, edges.count)
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The ends of a cell, those of the outer ones infinite.
  func cell(_ level: Int) -> (lower: Double, upper: Double) {
    (level == 0 ? -.infinity : edges[level - 1], level == edges.count ? .infinity : edges[level])
  }
}
