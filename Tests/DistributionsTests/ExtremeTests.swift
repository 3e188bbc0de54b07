import Foundation
import Tensors
import Testing

@testable import Distributions

/// Parameters and values as far out as a badly started network emits them.
@Suite struct ExtremeTests {
  static let logScales: [Double] = [-12, -6, 0, 6, 12]
  static let values: [Double] = [0, 1, -3, 40, -2e3, 3e4]

  /// Location–scale laws with their log-densities in double precision, in terms of z = (x−μ)/s.
  struct Family: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let logDensity: @Sendable (Double) -> Double
    let logProbability: @Sendable (_ mean: Tensor, _ logScale: Tensor, _ x: Tensor) -> Tensor
  }

  static let families = [
    Family(
      testDescription: "Normal", logDensity: { -0.5 * $0 * $0 - 0.5 * Foundation.log(2 * Double.pi) },
      logProbability: { Normal(mean: $0, logScale: $1).logProbability(of: $2) }),
    Family(
      testDescription: "Laplace", logDensity: { -Swift.abs($0) - Foundation.log(2) },
      logProbability: { Laplace(mean: $0, logScale: $1).logProbability(of: $2) }),
    Family(
      testDescription: "Logistic",
      logDensity: { -Swift.abs($0) - 2 * Foundation.log1p(Foundation.exp(-Swift.abs($0))) },
      logProbability: { Logistic(mean: $0, logScale: $1).logProbability(of: $2) }),
    // Two equal components are one.
    Family(
      testDescription: "Mixture of Logistic",
      logDensity: { -Swift.abs($0) - 2 * Foundation.log1p(Foundation.exp(-Swift.abs($0))) },
      logProbability: { mean, logScale, x in
        let pair = { (t: Tensor) in concatenate([t, t], axis: 1).insertingAxis(1) }  // [batch, 1, 2]
        let logits = Tensor([100, -100], shape: [1, 1, 2]).broadcast(to: pair(mean).shape)
        return Mixture(logits: logits, components: Logistic(mean: pair(mean), logScale: pair(logScale)))
          .logProbability(of: x)
      }),
  ]

  @Test(arguments: families)
  func `densities in the far tails are finite and right, and so are their gradients`(_ family: Family) {
    let cases = Self.logScales.flatMap { scale in Self.values.map { (scale, $0) } }
    let column = { (v: [Double]) in Tensor(v.map(Float.init), shape: [v.count, 1]) }
    let (mean, logScale, x) = (column(cases.map { _ in 0.5 }), column(cases.map(\.0)), column(cases.map(\.1)))
    let expected = cases.map { Float(family.logDensity(($1 - 0.5) * Foundation.exp(-$0)) - $0) }
    expect(family.logProbability(mean, logScale, x), shape: [cases.count], expected, tolerance: 1e-6)
    for slope in [
      gradient(at: mean) { family.logProbability($0, logScale, x).sum() },
      gradient(at: logScale) { family.logProbability(mean, $0, x).sum() },
      gradient(at: x) { family.logProbability(mean, logScale, $0).sum() },
    ] { #expect(slope.scalars.allSatisfy { $0.isFinite }, "\(slope)") }
  }

  // from mpmath import mp, mpf, exp, log; mp.dps = 60
  // def mass(k, mu, ls):  # mu rounded to float32
  //   s = exp(mpf(ls)); c = -1 + k * mpf(2) / 255; sig = lambda z: 1 / (1 + exp(-z))
  //   a, b = (c - mpf(1) / 255 - mu) / s, (c + mpf(1) / 255 - mu) / s
  //   return log(sig(b) if k == 0 else sig(-a) if k == 255 else sig(b) - sig(a) if b < 0 else sig(-a) - sig(-b))
  static let masses: [(bin: Int32, location: Float, logScale: Float, logMass: Float)] = [
    (0, 0, 0, -1.310_396_3), (255, 0, 0, -1.310_396_3), (128, 0.25, -3, -6.803_964_74), (0, -1, -12, 0),
    (0, 0.5, -7, -1640.649_22), (200, -0.9, -6, -590.947_686), (10, 0.9, -12, -295_830.764),
    (128, 0, 12, -18.234_410_7), (255, 3e4, 0, 0), (0, 3e4, 0, -30_000.996_1), (100, -1e4, -2, -73_891.815_2),
    (77, 0.3, -12, -112_651.848), (0, 1e6, 5, -6737.953_71), (255, -1, 12, -0.693_153_313),
  ]

  @Test func `discretised logistics are right at any location and scale, with finite gradients`() {
    let bins = Bins.levels(256, from: -1, to: 1)
    let locations = Tensor(Self.masses.map(\.location))
    let logScales = Tensor(Self.masses.map(\.logScale))
    let x = IndexTensor(Self.masses.map(\.bin))
    let logs = DiscretizedLogistic(location: locations, logScale: logScales, bins: bins).logProbability(of: x)
    expect(logs, shape: [Self.masses.count], Self.masses.map(\.logMass), tolerance: 5e-6)
    #expect(logs.scalars.allSatisfy { $0 <= 0 })
    for slope in [
      gradient(at: locations) {
        DiscretizedLogistic(location: $0, logScale: logScales, bins: bins).logProbability(of: x).sum()
      },
      gradient(at: logScales) {
        DiscretizedLogistic(location: locations, logScale: $0, bins: bins).logProbability(of: x).sum()
      },
    ] { #expect(slope.scalars.allSatisfy { $0.isFinite }, "\(slope)") }
  }

  @Test func `discretised logistics sum to one over the bins at any location and scale`() {
    let locations: [Float] = [-1e6, -30, -1, -0.502, 0, 0.999, 1.5, 1e4]
    let logScales: [Float] = [-80, -12, -7, -5, -3, 0, 3, 12, 80]
    let cases = locations.flatMap { location in logScales.map { (location, $0) } }
    let law = DiscretizedLogistic(
      location: Tensor(cases.map(\.0)), logScale: Tensor(cases.map(\.1)), bins: .levels(256, from: -1, to: 1))
    let sums = law.logProbabilities.logSumExp(axis: -1)
    expect(sums, shape: [cases.count], cases.map { _ in 0 }, tolerance: 1e-5)
    #expect(law.entropy.scalars.allSatisfy { $0 > -1e-6 && $0 < 5.5452 })
    var random = Random(seed: 4)
    let sample = law.sample(using: &random)
    #expect(law.logProbability(of: sample).scalars.allSatisfy { $0 > -30 })
  }

  @Test func `logits of ±100 keep log-probabilities, entropies and divergences exact`() {
    let law = Categorical(logits: Tensor([[100, -100, 0], [-100, 100, 100]]))
    let logs = concatenate(
      (0..<3).map { law.logProbability(of: IndexTensor([Int32($0), Int32($0)])).insertingAxis(1) }, axis: 1)
    expect(logs, shape: [2, 3], [0, -200, -100, -200.693_147, -0.693_147_181, -0.693_147_181])
    expect(law.logProbabilities, shape: [2, 3], logs.scalars)
    expect(law.entropy, shape: [2], [0, 0.693_147_181])
    expect(
      klDivergence(law, Categorical(logits: Tensor([[-100, 100, 0], [0, 0, 0]]))), shape: [2], [200, 0.405_465_108])
    let (q, p) = (Bernoulli(logits: Tensor([100, -100, 100])), Bernoulli(logits: Tensor([-100, 100, 100])))
    expect(klDivergence(q, p), shape: [3], [100 + 100, 100 + 100, 0].map { $0 / 2 })
    for slope in [
      gradient(at: law.logits) { Categorical(logits: $0).entropy.sum() },
      gradient(at: q.logits) { klDivergence(Bernoulli(logits: $0), p).sum() },
    ] { #expect(slope.scalars.allSatisfy { $0.isFinite }, "\(slope)") }
  }

  @Test func `the entropy of a nearly certain bit keeps its digits`() {
    // p(1 + logit) to first order in p = e^−logit; in Python: (log1p(exp(-12)) + 12 / (1 + exp(12))).
    for sign: Float in [1, -1] {
      let entropy = Bernoulli(logits: Tensor([12 * sign, 30 * sign])).entropy.scalars
      #expect(Swift.abs(entropy[0] / 7.987_428_87e-5 - 1) < 2e-6, "\(entropy)")
      #expect(Swift.abs(entropy[1] / 2.900_863_12e-12 - 1) < 2e-6, "\(entropy)")
    }
  }

  @Test func `divergences between very different scales are finite and right`() {
    let (narrow, wide) = (Tensor([[-12]]), Tensor([[12]]))
    let zero = Tensor([[0]])
    // In Python: KL of Normals: 24 + (exp(-48) - 1) / 2; of Laplaces: 24 + exp(-24) - 1.
    expect(
      klDivergence(Normal(mean: zero, logScale: narrow), Normal(mean: zero, logScale: wide)), shape: [1], [23.5])
    expect(klDivergence(Laplace(mean: zero, logScale: narrow), Laplace(mean: zero, logScale: wide)), shape: [1], [23])
    // (exp(24) - 1 - 24) and (exp(48) - 1 - 48) / 2.
    expect(
      klDivergence(Laplace(mean: zero, logScale: wide), Laplace(mean: zero, logScale: narrow)), shape: [1],
      [2.648_912_21e10])
    expect(
      klDivergence(Normal(mean: zero, logScale: wide), Normal(mean: zero, logScale: narrow)), shape: [1],
      [3.508_367_96e20], tolerance: 3e-6)
    let far = MultivariateNormal(
      mean: Tensor([[1e3, 0]]), logDiagonal: Tensor([[-12, 12]]), lower: Tensor([0, 0, 5, 0], shape: [1, 2, 2]))
    #expect(far.logProbability(of: Tensor([[0, 0]])).scalar.isFinite)
    expect(far.logProbability(of: Tensor([[1e3, 0]])), shape: [1], [-1.837_877_07])
  }
}
