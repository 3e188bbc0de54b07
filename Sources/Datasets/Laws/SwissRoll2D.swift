import Foundation

/// A spiral, (t cos t, t sin t) with t uniform on 1.5π…4.5π: entropy 5.1870 nats.
public struct SwissRoll2D: PlanarMixtureLaw {
  /// The one spiral.
  public let mixture: PlanarMixture

  /// The law with normal noise of standard deviation `noise`.
  ///
  /// - Precondition: `noise` is above 0.
  public init(noise: Double = 0.5) {
    let spiral = PlanarMixture.Component.curve(weight: 1, nodeCount: 768) { part in
      let t = 1.5 * Double.pi * (1 + 2 * part)
      return SIMD2(t * cos(t), t * sin(t))
    }
    mixture = PlanarMixture([spiral], noise: noise)
  }
}
