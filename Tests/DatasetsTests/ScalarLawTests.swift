import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("The digitised mixture and correlated pairs")
struct ScalarLawTests {
  /// Simpson's rule over a bin, an independent way to its probability; the edge bins reach 12 deviations out.
  static func probability(_ lower: Double, _ upper: Double, _ parts: [(Double, Double, Double)]) -> Double {
    let width = upper - lower
    let count = width > 1 ? 4000 : 200
    return (0...count).reduce(0.0) { sum, index -> Double in
      let x = lower + width * Double(index) / Double(count)
      let weight = index == 0 || index == count ? 1.0 : index % 2 == 1 ? 4 : 2
      let density = parts.reduce(0.0) { sum, part -> Double in
        let z = (x - part.1) / part.2
        return sum + part.0 / part.2 * exp(-0.5 * z * z) / (2 * Double.pi).squareRoot()
      }
      return sum + weight * density * width / Double(count) / 3
    }
  }

  @Test("Bin probabilities and entropies are those of Simpson's rule: 4.0658 and 2.1223 nats")
  func digitised() {
    let twoParts = [(0.5, 0.3, 0.1), (0.5, 0.8, 0.05)]
    for (law, parts, figure) in [
      (DigitisedMixture.twoPeaks, twoParts, 4.0658), (.onePeak, [(1.0, 0.4, 0.1)], 2.1223),
    ] {
      let bins = law.bins
      let expected = (0..<bins).map { bin -> Double in
        let lower = bin == 0 ? -1.2 : Double(bin) / Double(bins)
        let upper = bin == bins - 1 ? 2.2 : Double(bin + 1) / Double(bins)
        return Self.probability(lower, upper, parts)
      }
      for (a, b) in zip(law.probabilities, expected) { #expect(near(a, b, 1e-9)) }
      #expect(near(law.probabilities.reduce(0, +), 1, 1e-12))
      let entropy: Double = expected.reduce(0) { $0 - $1 * log($1) }
      #expect(near(law.entropy, entropy, 1e-7))
      #expect(near(law.entropy, figure, 5e-5))
      let logs = law.logProbability(of: IndexTensor((0..<Int32(bins)).map { $0 })).scalars
      for (value, p) in zip(logs, law.probabilities) { #expect(near(Double(value), log(p), 1e-5)) }
    }
  }

  @Test("Digitised samples fill the bins as their probabilities say")
  func digitisedSamples() {
    var random = Random(seed: 41)
    for law in [DigitisedMixture.twoPeaks, .onePeak, DigitisedMixture([(1, 0.1, 0.3)], bins: 4)] {
      let samples = law.samples(20_000, using: &random)
      let counts = samples.scalars.reduce(into: [Int](repeating: 0, count: law.bins)) { $0[Int($1)] += 1 }
      #expect(chiSquared(counts, law.probabilities) < 5.5)
      #expect(entropyDeviation(law.logProbability(of: samples), law.entropy) < 5.5)
    }
  }

  @Test("Mutual information is −(d/2) ln(1 − ρ²), as quadrature of the pair's density has it, and .8304 at ρ = .9")
  func mutualInformation() {
    let law = CorrelatedGaussians(correlation: 0.9, dimension: 1)
    let axis = (-75...75).map { Double($0) * 0.1 }
    let pairs = axis.flatMap { x in axis.flatMap { y in [Float(x), Float(y)] } }
    let logs = law.logProbability(of: Tensor(pairs, shape: [axis.count * axis.count, 2, 1])).scalars
    var (mass, entropy, information) = (0.0, 0.0, 0.0)
    for (index, value) in logs.enumerated() {
      let (p, x, y) = (exp(Double(value)) * 0.01, Double(pairs[2 * index]), Double(pairs[2 * index + 1]))
      mass += p
      entropy -= p * Double(value)
      information += p * (Double(value) + (x * x + y * y) / 2 + log(2 * Double.pi))
    }
    #expect(near(mass, 1, 1e-5))
    #expect(near(entropy, law.entropy, 1e-5))
    #expect(near(information, law.mutualInformation, 1e-5))
    #expect(near(law.mutualInformation, 0.8304, 5e-5))
    #expect(near(CorrelatedGaussians(correlation: -0.9, dimension: 5).mutualInformation, 5 * 0.8303656, 1e-6))
    #expect(CorrelatedGaussians(correlation: 0, dimension: 3).mutualInformation == 0)
  }

  /// Bounds at 5.5 standard errors, exceeded with probability below 4e-8 each.
  @Test("Pairs have unit variances, correlate coordinate by coordinate, and not otherwise")
  func pairs() {
    let law = CorrelatedGaussians(correlation: 0.6, dimension: 2)
    var random = Random(seed: 42)
    let (x, y) = law.pairs(20_000, using: &random)
    #expect(x.shape == [20_000, 2] && y.shape == [20_000, 2])
    func mean(_ a: Tensor, _ i: Int, _ b: Tensor, _ j: Int) -> Double {
      let (p, q) = (a.scalars, b.scalars)
      var sum = 0.0
      for pair in 0..<20_000 { sum += Double(p[2 * pair + i] * q[2 * pair + j]) }
      return sum / 20_000
    }
    for axis in 0..<2 {
      #expect(near(mean(x, axis, x, axis), 1, 0.055))
      #expect(near(mean(y, axis, y, axis), 1, 0.055))
      #expect(near(mean(x, axis, y, axis), 0.6, 0.0454))
      #expect(near(mean(x, axis, y, 1 - axis), 0, 0.0389))
    }
    let both = law.samples(20_000, using: &random)
    #expect(both.shape == [20_000, 2, 2])
    #expect(entropyDeviation(law.logProbability(of: both), law.entropy) < 5.5)
  }

  @Test("A bin that is not there, and a correlation of 1, stop with a clear line")
  func mistakes() async {
    let bin = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = DigitisedMixture.onePeak.logProbability(of: IndexTensor([3, 20]))
    }
    #expect(text(bin).contains("error: logProbability: there is no bin 20; bins are 0 to 19"))
    let correlation = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = CorrelatedGaussians(correlation: 1, dimension: 2)
    }
    #expect(text(correlation).contains("needs a correlation within −1…1"))
  }
}
