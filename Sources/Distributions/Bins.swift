import Foundation
import Tensors

/// Equal bins on a line, numbered from 0; the first and the last also take everything beyond them.
public struct Bins: Sendable, Equatable {
  /// How many there are.
  public let count: Int
  /// The middle of bin 0.
  public let firstCenter: Float
  /// The distance from one bin's middle to the next.
  public let width: Float

  /// The interval from `lower` to `upper` cut into `count` equal bins.
  ///
  /// - Precondition: two bins or more, and `upper` above `lower`.
  public static func dividing(from lower: Float, to upper: Float, into count: Int) -> Bins {
    check("Bins.dividing", count, lower, upper)
    let width = (upper - lower) / Float(count)
    return Bins(count: count, firstCenter: lower + width / 2, width: width)
  }

  /// Bins around `count` equally spaced levels, the first at `lower` and the last at `upper`.
  ///
  /// 8-bit pixels are `.levels(256, from: 0, to: 1)`, or from −1 to 1 (PixelCNN++, Salimans 2017, arXiv 1701.05517, section 2.1).
  ///
  /// - Precondition: two bins or more, and `upper` above `lower`.
  public static func levels(_ count: Int, from lower: Float, to upper: Float) -> Bins {
    check("Bins.levels", count, lower, upper)
    return Bins(count: count, firstCenter: lower, width: (upper - lower) / Float(count - 1))
  }

  private static func check(_ operation: String, _ count: Int, _ lower: Float, _ upper: Float) {
    guard count >= 2 else { fail(operation, "needs two bins or more, not \(count)") }
    guard lower < upper, (upper - lower).isFinite else {
      fail(operation, "the upper bound \(upper) must be above the lower bound \(lower), and both finite")
    }
  }

  /// The middle of each bin, `[count]`.
  public var centers: Tensor { Tensor((0..<count).map { firstCenter + Float($0) * width }) }

  /// The boundary below bin `index`; the one above it is the next bin's.
  func edge(below index: Int) -> Float { firstCenter + (Float(index) - 0.5) * width }

  /// The bin that holds each value: the shape of `x`.
  ///
  /// - Precondition: no value is NaN.
  public func indices(of x: Tensor) -> IndexTensor {
    let last = Float(count - 1)
    let indices = x.withUnsafeScalars { values in
      values.map { value in
        guard !value.isNaN else { fail("Bins.indices", "a value is NaN, which is in no bin") }
        return Int32(min(max(((value - firstCenter) / width).rounded(), 0), last))
      }
    }
    return IndexTensor(indices, shape: x.shape)
  }

  /// The middle of the bin that each index names: the shape of `indices`.
  ///
  /// - Precondition: indices are within 0 ..< `count`.
  public func values(of indices: IndexTensor) -> Tensor {
    let values = indices.scalars.map { index in
      guard index >= 0, index < count else { fail("Bins.values", "the index \(index) is not within 0..<\(count)") }
      return firstCenter + Float(index) * width
    }
    return Tensor(values, shape: indices.shape)
  }
}
