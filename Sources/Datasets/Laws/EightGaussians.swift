import Foundation
import Tensors

/// Eight normal distributions on a ring: entropy 2.1776 nats with the standard radius and deviation.
public struct EightGaussians: PlanarMixtureLaw {
  /// The eight modes, the label counting them counterclockwise from the right.
  public let mixture: PlanarMixture
  /// The middle of each mode, `[8, 2]`.
  public let modes: Tensor

  /// The law with modes at `radius` from the origin and standard deviation `deviation`, by default ⅔ sin(π/8).
  ///
  /// - Precondition: `deviation` is above 0.
  public init(radius: Double = 2, deviation: Double = 2.0 / 3 * sin(Double.pi / 8)) {
    let angles = (0..<8).map { Double($0) * Double.pi / 4 }
    mixture = PlanarMixture(
      angles.map { .point(radius * cos($0), radius * sin($0), weight: 1) }, noise: deviation)
    modes = Tensor(angles.map { [Float(radius * cos($0)), Float(radius * sin($0))] })
  }
}
