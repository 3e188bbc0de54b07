import Foundation

/// Two eyes and a mouth, a third of the points each: entropy 1.3339 nats, and 3.6408 for one normal distribution.
///
/// The eyes are normal around (−1.5, 2.5) and (1.5, 2.5); the mouth is the arc (2 cos θ, −sin θ), θ uniform on [0, π].
public struct Smiley: PlanarMixtureLaw {
  /// Left eye, right eye and mouth, in this order of labels.
  public let mixture: PlanarMixture

  /// The law with normal noise of standard deviation `noise`.
  ///
  /// - Precondition: `noise` is above 0.
  public init(noise: Double = 0.2) {
    let mouth = PlanarMixture.Component.curve(weight: 1) { part in
      SIMD2(2 * cos(Double.pi * part), -sin(Double.pi * part))
    }
    mixture = PlanarMixture([.point(-1.5, 2.5, weight: 1), .point(1.5, 2.5, weight: 1), mouth], noise: noise)
  }
}
