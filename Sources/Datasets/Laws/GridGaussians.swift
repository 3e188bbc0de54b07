import Tensors

/// Narrow normal distributions on a square grid: ln 25 + ln 2πe·0.05² = 0.0653 nats for the standard 25.
public struct GridGaussians: PlanarMixtureLaw {
  /// The modes, the label counting them row by row from the lower left.
  public let mixture: PlanarMixture
  /// The middle of each mode, `[count, 2]`.
  public let modes: Tensor

  /// The law with `count` modes at distance `spacing` and of standard deviation `deviation`, around the origin.
  ///
  /// - Precondition: `count` is a square from 1 to 100, `deviation` above 0.
  public init(_ count: Int = 25, spacing: Double = 2, deviation: Double = 0.05) {
    let side = (1...10).first { $0 * $0 == count }
    guard let side else { fail("GridGaussians", "needs 1, 4, 9, 16, 25 … 100 modes; got \(count)") }
    let offsets = (0..<side).map { (Double($0) - Double(side - 1) / 2) * spacing }
    let places = offsets.flatMap { y in offsets.map { x in (x, y) } }
    mixture = PlanarMixture(places.map { .point($0.0, $0.1, weight: 1) }, noise: deviation)
    modes = Tensor(places.map { [Float($0.0), Float($0.1)] })
  }
}
