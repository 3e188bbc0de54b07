import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Samples against their laws.
///
/// Bounds are at a false-alarm rate of 1e-6 or less, so 4.9 standard errors for a normal
/// statistic; seeds are fixed.
@Suite struct RandomStatisticsTests {
  static let sigmas = 4.9

  @Test(arguments: [10, 11, 12] as [UInt64])
  func `uniform moments and Kolmogorov-Smirnov`(seed: UInt64) {
    let count = 50_000
    let x = uniform([count], in: 0..<1, seed: seed).scalars.map(Double.init)
    expectMean(x, 0.5, deviation: (1.0 / 12).squareRoot())
    expectMean(x.map { ($0 - 0.5) * ($0 - 0.5) }, 1.0 / 12, deviation: (1.0 / 180).squareRoot())
    expectSameLaw(x) { $0 }
    let wide = uniform([count], in: -3..<5, seed: seed).scalars.map(Double.init)
    expectSameLaw(wide) { ($0 + 3) / 8 }
  }

  @Test(arguments: [13, 14, 15] as [UInt64])
  func `normal moments and Kolmogorov-Smirnov`(seed: UInt64) {
    let x = normal([50_000], seed: seed).scalars.map(Double.init)
    expectMean(x, 0, deviation: 1)
    expectMean(x.map { $0 * $0 }, 1, deviation: 2.0.squareRoot())
    expectMean(x.map { $0 * $0 * $0 }, 0, deviation: 15.0.squareRoot())
    expectMean(x.map { $0 * $0 * $0 * $0 }, 3, deviation: 96.0.squareRoot())
    expectSameLaw(x) { 0.5 * erfc(-$0 / 2.0.squareRoot()) }
  }

  @Test func `Gumbel and logistic moments and Kolmogorov-Smirnov`() {
    var random = Random(seed: 22)
    let gumbel = Tensor.gumbel([50_000], using: &random).scalars.map(Double.init)
    expectMean(gumbel, 0.577_215_664_9, deviation: Double.pi / 6.0.squareRoot())
    expectSameLaw(gumbel) { Foundation.exp(-Foundation.exp(-$0)) }
    let logistic = Tensor.logistic([50_000], using: &random).scalars.map(Double.init)
    expectMean(logistic, 0, deviation: Double.pi / 3.0.squareRoot())
    expectSameLaw(logistic) { 1 / (1 + Foundation.exp(-$0)) }
  }

  @Test func `categorical frequencies, by chi-square`() {
    let probabilities: [Float] = [0.01, 0.04, 0.15, 0.3, 0.5, 0]
    var random = Random(seed: 23)
    let logits = (log(Tensor(probabilities)) + 7).broadcast(to: [200, 500, 6])
    let drawn = IndexTensor.categorical(logits: logits, using: &random)
    #expect(drawn.shape == [200, 500])
    var counts = [Double](repeating: 0, count: 6)
    for index in drawn.scalars { counts[Int(index)] += 1 }
    #expect(counts[5] == 0)
    let statistic = zip(counts, probabilities).prefix(5).reduce(0.0) { sum, pair in
      let expected = Double(pair.1) * 100_000
      return sum + (pair.0 - expected) * (pair.0 - expected) / expected
    }
    #expect(statistic < 33.4)  // the 1 - 1e-6 quantile of chi-square with 4 degrees of freedom
  }

  @Test func `permutations hold every number once, and every order is as likely`() {
    var random = Random(seed: 24)
    #expect(IndexTensor.permutation(0, using: &random) == IndexTensor([]))
    #expect(IndexTensor.permutation(1000, using: &random).scalars.sorted() == Array(0..<1000))
    var counts: [[Int32]: Double] = [:]
    for _ in 0..<24_000 { counts[IndexTensor.permutation(4, using: &random).scalars, default: 0] += 1 }
    #expect(counts.count == 24)
    let statistic = counts.values.reduce(0.0) { $0 + ($1 - 1000) * ($1 - 1000) / 1000 }
    #expect(statistic < 70.6)  // the 1 - 1e-6 quantile of chi-square with 23 degrees of freedom
  }

  @Test func `the tails of the normal law`() {
    let x = normal([4_000_000], seed: 16)
    for bound in [2, 3, 4, 4.5] as [Float] {
      let probability = erfc(Double(bound) / 2.0.squareRoot()) / 2
      let deviation = (probability * (1 - probability) / 4_000_000).squareRoot()
      for count in [(x .> bound).mean(), (x .< -bound).mean()] {
        #expect(abs(Double(count.scalar) - probability) < Self.sigmas * deviation + 1e-7, "beyond \(bound)")
      }
    }
    // P(no value beyond 4.8) is e^-6 for each side; P(any beyond 5.8) is 0.03: this seed's are fixed.
    #expect(abs(x).max().scalar > 4.8)
    #expect(abs(x).max().scalar < 5.8)
  }

  @Test func `pairs made together are independent`() {
    // Box and Muller's two results stand sixteen places apart.
    let x = normal([2_000, 2, 16], seed: 17)
    let (a, b) = (x.sliced(0..<1, axis: 1), x.sliced(1..<2, axis: 1))
    let deviation = 1 / Double(a.count).squareRoot()
    #expect(abs(Double((a * b).mean().scalar)) < Self.sigmas * deviation)
    #expect(abs(Double(((square(a) - 1) * (square(b) - 1)).mean().scalar)) < Self.sigmas * 2 * deviation)
    for lag in [1, 2, 16, 31, 32] {
      let flat = x.reshaped(to: [64_000])
      let product = flat.sliced(0..<64_000 - lag, axis: 0) * flat.sliced(lag..<64_000, axis: 0)
      #expect(abs(Double(product.mean().scalar)) < Self.sigmas / Double(64_000 - lag).squareRoot(), "lag \(lag)")
    }
  }

  @Test func `bernoulli frequencies, by chi-square`() {
    let probabilities: [Float] = [0.001, 0.1, 0.25, 0.5, 0.9, 0.999]
    let count = 100_000
    var random = Random(seed: 18)
    let drawn = Tensor.bernoulli(Tensor(probabilities).broadcast(to: [count, 6]), using: &random).mean(axis: 0).scalars
    let statistic = zip(probabilities, drawn).reduce(0.0) { sum, pair in
      let (p, frequency) = (Double(pair.0), Double(pair.1))
      return sum + (frequency - p) * (frequency - p) * Double(count) / (p * (1 - p))
    }
    #expect(statistic < 38.3)  // the 1 - 1e-6 quantile of chi-square with 6 degrees of freedom
  }

  @Test func `every byte of the generator is uniform, by chi-square`() {
    var random = Random(seed: 19)
    var counts = [Int](repeating: 0, count: 8 * 256)
    for _ in 0..<20_000 {
      let value = random.next()
      for byte in 0..<8 { counts[byte * 256 + Int(value >> (8 * UInt64(byte)) & 255)] += 1 }
    }
    let expected = 20_000.0 / 256
    let statistic = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    #expect(abs(statistic - 2040) < Self.sigmas * (2.0 * 2040).squareRoot())
  }

  @Test func `split streams are uncorrelated`() {
    var parent = Random(seed: 20)
    var children = (0..<4).map { _ in parent.split() }
    var streams = children.indices.map { Tensor.normal([40_000], using: &children[$0]) }
    streams.append(.normal([40_000], using: &parent))
    streams.append(normal([40_000], seed: 21))
    for i in streams.indices {
      for j in streams.indices where j > i {
        #expect(abs(Double((streams[i] * streams[j]).mean().scalar)) < Self.sigmas / 200, "streams \(i) and \(j)")
      }
    }
  }

  /// The mean lies within 4.9 standard errors.
  private func expectMean(_ x: [Double], _ mean: Double, deviation: Double) {
    let found = x.reduce(0, +) / Double(x.count)
    #expect(abs(found - mean) < Self.sigmas * deviation / Double(x.count).squareRoot())
  }

  /// Kolmogorov-Smirnov: P(√n·D > 2.7) is 2·exp(−2·2.7²) = 9.3e-7.
  private func expectSameLaw(_ x: [Double], cumulative: (Double) -> Double) {
    let count = Double(x.count)
    var distance = 0.0
    for (index, value) in x.sorted().enumerated() {
      let probability = cumulative(value)
      distance = max(distance, probability - Double(index) / count, Double(index + 1) / count - probability)
    }
    #expect(distance * count.squareRoot() < 2.7)
  }
}
