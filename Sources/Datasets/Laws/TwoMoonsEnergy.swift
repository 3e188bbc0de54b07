import Foundation
import Tensors

/// Two crescents known by their energy: ln p̃(z) = −½((‖z‖ − 2)/.2)² − ½((|z₁| − 2)/.3)² + ln(1 + e^(−4|z₁|/.09)).
///
/// The first target of Rezende & Mohamed, "Variational Inference with Normalizing Flows", 2015, arXiv 1505.05770, table 1,
/// with .3 for .6. By quadrature Z = 2.2349, ln Z = .8042, and the entropy is 1.5711 nats.
public struct TwoMoonsEnergy: PlanarLaw {
  /// The law.
  public init() {}

  /// ln ∫ p̃, in nats: a bound on it by any flow may not pass it.
  public var logNormalizer: Double { Self.integrals.logNormalizer }

  /// The exact entropy in nats, by quadrature.
  public var entropy: Double { Self.integrals.entropy }

  /// The mean of each coordinate, `[2]`.
  public var mean: [Double] { Self.integrals.moments.mean }

  /// The covariance of the coordinates, `[2][2]`.
  public var covariance: [[Double]] { Self.integrals.moments.covariance }

  /// ln p̃ of each point of `[count, 2]`, `[count]`: what a model that never sees data learns from, so it is differentiable.
  public func unnormalizedLogProbability(of points: Tensor) -> Tensor {
    let count = eventCount(of: points.shape, size: 2, named: "2")
    let across = abs(points.reshaped(to: [count, 2]).sliced(0..<1, axis: 1).reshaped(to: [count]))  // [count]
    let radius = sqrt(square(points).sum(axis: 1))  // [count]
    let ring = square((radius - 2) / 0.2) * -0.5
    let halves = square((across - 2) / 0.3) * -0.5 + softplus(across * (-4 / 0.09))
    return ring + halves
  }

  /// The exact log-density of each point of `[count, 2]`, `[count]`, in nats; differentiable.
  public func logProbability(of points: Tensor) -> Tensor {
    unnormalizedLogProbability(of: points) - Float(logNormalizer)
  }

  /// Independent points, `[count, 2]`, by rejection.
  ///
  /// z₁ comes from the mixture that the last two terms are, z₂ uniform; the first term decides. Beyond |z₂| = 3.4,
  /// seven deviations off the ring, lies a probability of less than 1e-10.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    var points: [Float] = []
    points.reserveCapacity(2 * count)
    while points.count < 2 * count {
      for deviate in normalDeviates(256, using: &random) where points.count < 2 * count {
        let x = (random.uniform() < 0.5 ? -2 : 2) + 0.3 * deviate
        let y = 6.8 * random.uniform() - 3.4
        let distance = ((x * x + y * y).squareRoot() - 2) / 0.2
        if random.uniform() < exp(-0.5 * distance * distance) {
          points.append(Float(x))
          points.append(Float(y))
        }
      }
    }
    return Tensor(points, shape: [count, 2])
  }

  private struct Integrals: Sendable {
    let logNormalizer: Double
    let entropy: Double
    let moments: PlanarMoments
  }

  /// By the trapezoidal rule, whose error at a quarter of the least deviation is far below 1e-8.
  private static let integrals: Integrals = {
    let step = 0.05
    let axis = (-80...80).map { Double($0) * step }
    let points = axis.flatMap { x in axis.map { SIMD2(x, $0) } }
    let logs = points.map(energy)
    let weights = logs.map { exp($0) * step * step }
    let total = weights.reduce(0, +)
    let meanLog = zip(weights, logs).reduce(0) { $0 + $1.0 * $1.1 } / total
    return Integrals(
      logNormalizer: log(total), entropy: log(total) - meanLog, moments: PlanarMoments(points, weights: weights))
  }()

  private static func energy(_ point: SIMD2<Double>) -> Double {
    let ring = ((point * point).sum().squareRoot() - 2) / 0.2
    let half = (abs(point.x) - 2) / 0.3
    return -0.5 * (ring * ring + half * half) + log1p(exp(-4 * abs(point.x) / 0.09))
  }
}
