import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("The linear Gaussian law")
struct LinearGaussianTests {
  static let three = LinearGaussian(
    mean: [1, -2, 0.5], weights: [[1, 0.5], [-2, 0], [0.3, 1.5]], noise: [0.5, 1, 2])

  /// Σ over a grid of step 0.5, ±40 around the law's mean, of p and of −p ln p, times the area of a cell.
  ///
  /// For a normal density of least deviation 1 the error of the rule is far below Float's.
  static func quadrature(_ law: LinearGaussian) -> (mass: Double, entropy: Double) {
    let steps = (-80...80).map { Double($0) * 0.5 }
    let points = steps.flatMap { x in steps.flatMap { y in [Float(law.mean[0] + x), Float(law.mean[1] + y)] } }
    let logs = law.logProbability(of: Tensor(points, shape: [points.count / 2, 2])).scalars.map(Double.init)
    return (
      logs.reduce(0) { $0 + exp($1) } * 0.25, logs.reduce(0) { $0 - exp($1) * $1 } * 0.25
    )
  }

  @Test("Both instances have entropy ln 2πe + ln 5, and quadrature of the density agrees")
  func entropy() {
    for law in [LinearGaussian.rotated, .aligned] {
      #expect(abs(law.entropy - (log(2 * Double.pi * M_E) + log(5))) < 1e-12)
      #expect(abs(law.entropy - 4.4473) < 5e-5)
      let (mass, entropy) = Self.quadrature(law)
      #expect(abs(mass - 1) < 1e-6)
      #expect(abs(entropy - law.entropy) < 5e-6)
    }
  }

  @Test("The rotated covariance is R diag(25, 1) Rᵀ at 45 degrees, the aligned one diag(25, 1)")
  func covariance() {
    func distance(_ law: LinearGaussian, _ expected: [Double]) -> Double {
      zip(law.covariance.flatMap { $0 }, expected).map { abs($0 - $1) }.max()!
    }
    #expect(distance(.rotated, [13, 12, 12, 13]) < 1e-12)
    #expect(distance(.aligned, [25, 0, 0, 1]) < 1e-12)
    #expect(distance(Self.three, [1.5, -2, 1.05, -2, 5, -0.6, 1.05, -0.6, 6.34]) < 1e-12)
    #expect(LinearGaussian.rotated.mean == [1, 2] && LinearGaussian.aligned.mean == [0, 0])
  }

  @Test("Log-densities agree with the closed form in two and, by the inverse matrix, in three dimensions")
  func logDensity() {
    let points = Tensor([[1, 2], [4, 6], [-3, 2.5]])
    for (value, point) in zip(
      LinearGaussian.rotated.logProbability(of: points).scalars, [(0.0, 0.0), (3, 4), (-4, 0.5)])
    {
      let along = (point.0 + point.1) * (point.0 + point.1) / 2 / 25
      let across = (point.0 - point.1) * (point.0 - point.1) / 2
      #expect(abs(Double(value) - (-log(2 * Double.pi * 5) - (along + across) / 2)) < 1e-5)
    }
    // numpy: inverse and determinant of the covariance at x − mean = (1, 2, −1).
    let value = Self.three.logProbability(of: Tensor([[2, 0, -0.5]])).scalars
    #expect(value.count == 1 && abs(value[0] + 7.6922699) < 1e-5)
  }

  /// With 40,000 samples every statistic below exceeds its bound with probability under 1e-7
  /// for a right sampler; the seed is fixed.
  @Test(
    "Samples have the law's mean, covariance and normal shape", arguments: [LinearGaussian.rotated, .aligned, three])
  func moments(law: LinearGaussian) {
    let (n, d) = (40_000, law.dimension)
    var random = Random(seed: 11)
    let samples = law.samples(n, using: &random)
    #expect(samples.shape == [n, d])
    let x = samples.scalars.map(Double.init)
    for i in 0..<d {
      let mean = (0..<n).reduce(0) { $0 + x[$1 * d + i] } / Double(n)
      #expect(abs(mean - law.mean[i]) < 5.5 * (law.covariance[i][i] / Double(n)).squareRoot())
      for j in 0...i {
        let products = (0..<n).map { (x[$0 * d + i] - law.mean[i]) * (x[$0 * d + j] - law.mean[j]) }
        let spread = law.covariance[i][i] * law.covariance[j][j] + law.covariance[i][j] * law.covariance[i][j]
        let covariance = products.reduce(0, +) / Double(n)
        #expect(abs(covariance - law.covariance[i][j]) < 5.5 * (spread / Double(n)).squareRoot())
      }
      // Kurtosis 3: the fourth power of a standard normal number has variance 96.
      let fourth = (0..<n).reduce(0) { $0 + pow(x[$1 * d + i] - law.mean[i], 4) } / Double(n)
      #expect(abs(fourth / pow(law.covariance[i][i], 2) - 3) < 6 * (96 / Double(n)).squareRoot())
    }
  }

  /// −log p has variance d/2 under the law, so 5.5 standard errors are exceeded with probability under 1e-7.
  @Test("The mean of −log p over samples is the entropy", arguments: [LinearGaussian.rotated, .aligned, three])
  func entropyBySampling(law: LinearGaussian) {
    var random = Random(seed: 12)
    let n = 40_000
    let logs = law.logProbability(of: law.samples(n, using: &random)).scalars
    let mean = logs.reduce(0) { $0 - Double($1) } / Double(n)
    #expect(abs(mean - law.entropy) < 5.5 * (Double(law.dimension) / 2 / Double(n)).squareRoot())
  }

  @Test("The same seed gives the same samples, another seed others")
  func seeds() {
    func draw(_ seed: UInt64) -> [Float] {
      var random = Random(seed: seed)
      return LinearGaussian.rotated.samples(5, using: &random).scalars
    }
    #expect(draw(1) == draw(1))
    #expect(draw(1) != draw(2))
    var random = Random(seed: 1)
    #expect(LinearGaussian.aligned.samples(0, using: &random).shape == [0, 2])
    #expect(LinearGaussian.aligned.logProbability(of: Tensor([], shape: [0, 2])).shape == [0])
  }

  /// The distance of Kolmogorov and Smirnov, at a false-alarm rate of 2 exp(−2 · 2.8²) = 3e-7.
  @Test("Normal deviates follow the normal distribution function, in odd numbers too")
  func deviates() {
    var random = Random(seed: 13)
    let n = 40_001
    let sorted = normalDeviates(n, using: &random).sorted()
    #expect(sorted.count == n)
    let distances = sorted.enumerated().map { rank, value in
      let probability = 0.5 * erfc(-value / 2.0.squareRoot())
      return max(abs(Double(rank) / Double(n) - probability), abs(Double(rank + 1) / Double(n) - probability))
    }
    #expect(distances.max()! < 2.8 / Double(n).squareRoot())
  }

  @Test("Points of another dimension, and a covariance without volume, stop with a clear line")
  func mistakes() async {
    let points = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LinearGaussian.rotated.logProbability(of: Tensor([[1, 2, 3]]))
    }
    let pointsText = String(decoding: points?.standardErrorContent ?? [], as: UTF8.self)
    #expect(pointsText.contains("error: logProbability: needs points of shape [count, 2]; got [1, 3]"))
    let flat = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LinearGaussian(mean: [0, 0], weights: [[1], [1]], noise: [0, 0])
    }
    let flatText = String(decoding: flat?.standardErrorContent ?? [], as: UTF8.self)
    #expect(flatText.contains("is not positive definite; give every axis noise above 0"))
  }
}
