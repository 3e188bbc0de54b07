import Foundation

/// Two interleaved half circles: entropy 1.0076 nats, and 1.9083 for one normal distribution.
///
/// The arcs are (cos t, sin t) and (1 − cos t, ½ − sin t), t uniform on [0, π], as scikit-learn's `make_moons` has them.
public struct TwoMoons: PlanarMixtureLaw {
  /// The upper moon, label 0, and the lower, label 1.
  public let mixture: PlanarMixture

  /// The law with normal noise of standard deviation `noise`.
  ///
  /// - Precondition: `noise` is above 0.
  public init(noise: Double = 0.1) {
    mixture = PlanarMixture(
      [
        .curve(weight: 1) { SIMD2(cos(Double.pi * $0), sin(Double.pi * $0)) },
        .curve(weight: 1) { SIMD2(1 - cos(Double.pi * $0), 0.5 - sin(Double.pi * $0)) },
      ], noise: noise)
  }
}
