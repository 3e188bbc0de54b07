import Foundation
import Tensors

/// Pairs of normal vectors whose coordinates correlate one by one, so that their mutual information is known.
///
/// It is −(d/2) ln(1 − ρ²) nats, .8304 for each dimension at ρ = .9: the truth for InfoNCE and its kin (Poole et al., "On
/// Variational Bounds of Mutual Information", 2019, arXiv 1905.06922, section 3).
public struct CorrelatedGaussians: Law {
  /// The correlation ρ of each coordinate with its partner.
  public let correlation: Double
  /// The number of coordinates d of each vector of a pair.
  public let dimension: Int

  /// The law of pairs of vectors of `dimension` standard normal coordinates.
  ///
  /// - Precondition: `correlation` is above −1 and below 1, `dimension` is 1 or more.
  public init(correlation: Double, dimension: Int) {
    guard abs(correlation) < 1, dimension >= 1 else {
      fail(
        "CorrelatedGaussians", "needs a correlation within −1…1, 1 dimension or more; got \(correlation), \(dimension)")
    }
    self.correlation = correlation
    self.dimension = dimension
  }

  /// The mutual information of the two vectors of a pair, in nats.
  public var mutualInformation: Double { -0.5 * Double(dimension) * log1p(-correlation * correlation) }

  /// The exact entropy of a pair in nats, d ln 2πe less the mutual information.
  public var entropy: Double { Double(dimension) * (log(2 * Double.pi) + 1) - mutualInformation }

  /// Independent pairs, `[count, 2, dimension]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    var values = normalDeviates(2 * count * dimension, using: &random)
    let rest = (1 - correlation * correlation).squareRoot()
    for pair in 0..<count {
      for axis in 0..<dimension {
        let second = (2 * pair + 1) * dimension + axis
        values[second] = correlation * values[second - dimension] + rest * values[second]
      }
    }
    return Tensor(values.map { Float($0) }, shape: [count, 2, dimension])
  }

  /// Independent pairs in two tensors, `[count, dimension]` each; row i of one belongs to row i of the other.
  ///
  /// - Precondition: `count` is 0 or more.
  public func pairs(_ count: Int, using random: inout Random) -> (first: Tensor, second: Tensor) {
    let both = samples(count, using: &random)
    let halves = (0..<2).map { both.sliced($0..<$0 + 1, axis: 1).reshaped(to: [count, dimension]) }
    return (halves[0], halves[1])
  }

  /// The exact log-density of each pair of `[count, 2, dimension]`, `[count]`, in nats.
  public func logProbability(of pairs: Tensor) -> Tensor {
    let count = eventCount(of: pairs.shape, size: 2 * dimension, named: "2, \(dimension)")
    let rest = 1 - correlation * correlation
    let constant = -Double(dimension) * (log(2 * Double.pi) + 0.5 * log(rest))
    let values = pairs.withUnsafeScalars { scalars in
      (0..<count).map { pair -> Float in
        var sum = 0.0
        for first in 2 * pair * dimension..<(2 * pair + 1) * dimension {
          let (x, y) = (Double(scalars[first]), Double(scalars[first + dimension]))
          sum += x * x + (y - correlation * x) * (y - correlation * x) / rest
        }
        return Float(constant - 0.5 * sum)
      }
    }
    return Tensor(values)
  }
}
