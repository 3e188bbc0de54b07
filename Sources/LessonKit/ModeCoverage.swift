import Datasets
import Tensors

/// How samples share out over the modes of a law, each sample counted for the mode nearest to it.
///
/// What a model without a likelihood is judged by on ``EightGaussians`` and ``GridGaussians``: modes left out, samples between
/// the modes, and modes shrunk to a point.
public struct ModeCoverage: Sendable {
  /// The distance from a mode within which a sample is good.
  public let radius: Double
  /// The share of all samples that is nearest to each mode; together 1.
  public let shares: [Double]
  /// The share of all samples that is nearest to each mode and within ``radius`` of it.
  public let goodShares: [Double]
  /// The standard deviation along an axis of the samples nearest to each mode, about their own mean; NaN for fewer than two.
  public let spreads: [Double]

  /// The share of all samples within ``radius`` of a mode.
  public var goodShare: Double { goodShares.reduce(0, +) }

  /// The number of modes that hold at least this share of all samples within ``radius``.
  public func coveredModes(holding leastShare: Double = 0.01) -> Int { goodShares.count { $0 >= leastShare } }

  /// The coverage of `modes`, `[count, dimensions]`, by `samples`, `[batch, dimensions]`.
  ///
  /// - Precondition: there are a sample and a mode, and both have as many dimensions.
  public init(of samples: Tensor, modes: Tensor, radius: Double) {
    checkPoints("ModeCoverage", samples, modes, least: 1)
    let distances = squaredDistances(samples, modes)
    let (nearest, batch) = (distances.argmin(axis: 1).scalars.map { Int($0) }, Double(samples.shape[0]))
    let isGood = distances.min(axis: 1).scalars.map { Double($0) <= radius * radius }
    let counts = modes.shape[0]
    var (all, good) = ([Double](repeating: 0, count: counts), [Double](repeating: 0, count: counts))
    for (mode, isGood) in zip(nearest, isGood) {
      all[mode] += 1
      if isGood { good[mode] += 1 }
    }
    self.radius = radius
    shares = all.map { $0 / batch }
    goodShares = good.map { $0 / batch }
    spreads = (0..<counts).map { mode in
      let own = samples.examples(at: nearest.indices.filter { nearest[$0] == mode })
      return own.shape[0] < 2 ? .nan : Double(own.variance(axes: [0]).mean().scalar).squareRoot()
    }
  }
}
