import Foundation
import Tensors

/// A mixture of normal distributions on [0, 1], clipped and sorted into equal bins; the edge bins take the tails.
public struct DigitisedMixture: Law {
  /// The number of bins.
  public let bins: Int
  /// The exact probability of each bin, `[bins]`.
  public let probabilities: [Double]
  private let components: [(weight: Double, mean: Double, deviation: Double)]
  private let cumulativeWeights: [Double]

  /// ½N(.3, .1²) + ½N(.8, .05²) in 100 bins: entropy 4.0658 nats.
  public static let twoPeaks = DigitisedMixture([(0.5, 0.3, 0.1), (0.5, 0.8, 0.05)], bins: 100)

  /// N(.4, .1²) in 20 bins: entropy 2.1223 nats.
  public static let onePeak = DigitisedMixture([(1, 0.4, 0.1)], bins: 20)

  /// The law with these components.
  ///
  /// - Precondition: there is a component, weights and deviations are above 0, `bins` is 1 or more; weights are scaled to
  ///   sum to 1.
  public init(_ components: [(weight: Double, mean: Double, deviation: Double)], bins: Int) {
    let total = components.reduce(0) { $0 + $1.weight }
    guard !components.isEmpty, components.allSatisfy({ $0.weight > 0 && $0.deviation > 0 }), bins >= 1 else {
      fail("DigitisedMixture", "needs weights and deviations above 0, and 1 bin or more; got \(components), \(bins)")
    }
    self.components = components
    self.bins = bins
    cumulativeWeights = cumulativeSums(components.map { $0.weight / total })
    probabilities = (0..<bins).map { bin in
      components.reduce(0) { sum, part in
        let lower = bin == 0 ? -Double.infinity : (Double(bin) / Double(bins) - part.mean) / part.deviation
        let upper = bin == bins - 1 ? Double.infinity : (Double(bin + 1) / Double(bins) - part.mean) / part.deviation
        return sum + part.weight / total * normalProbability(from: lower, to: upper)
      }
    }
  }

  /// The exact entropy in nats.
  public var entropy: Double { Datasets.entropy(ofProbabilities: probabilities) }

  /// Independent bins, `[count]`, from 0 to `bins - 1`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> IndexTensor {
    checkSampleCount(count)
    let values = normalDeviates(count, using: &random).map { deviate in
      let part = components[random.index(cumulative: cumulativeWeights)]
      let value = (part.mean + part.deviation * deviate) * Double(bins)
      return Int32(min(max(value, 0), Double(bins - 1)))
    }
    return IndexTensor(values)
  }

  /// The exact log-probability of each bin of `[count]`, `[count]`, in nats.
  ///
  /// - Precondition: every bin is 0 to `bins - 1`.
  public func logProbability(of samples: IndexTensor) -> Tensor {
    let logs = probabilities.map { Float(log($0)) }
    return Tensor(
      samples.scalars.map { bin in
        guard bin >= 0, bin < bins else { fail("logProbability", "there is no bin \(bin); bins are 0 to \(bins - 1)") }
        return logs[Int(bin)]
      })
  }
}
