import GradientChecking
import Tensors
import Testing

@testable import Distributions

/// Two laws whose divergence has a closed form, at parameters of batch 1.
struct Pair: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let parameters: [Tensor]
  /// How many of the parameters are q's.
  let split: Int
  let grid: Grid
  let divergence: @Sendable (_ q: [Tensor], _ p: [Tensor]) -> Tensor
  let sampled: @Sendable (_ q: [Tensor], _ p: [Tensor], inout Random) -> SampledEstimate
  let logProbabilities: @Sendable (_ q: [Tensor], _ p: [Tensor]) -> (Tensor, Tensor)

  var q: [Tensor] { Array(parameters[..<split]) }
  var p: [Tensor] { Array(parameters[split...]) }

  /// Laws over numbers.
  init<Q: ProbabilityDistribution<Tensor> & SendableMetatype, P: ProbabilityDistribution<Tensor> & SendableMetatype>(
    _ name: String, _ parametersOfQ: [Tensor], _ makeQ: @escaping @Sendable ([Tensor]) -> Q, _ parametersOfP: [Tensor],
    _ makeP: @escaping @Sendable ([Tensor]) -> P, grid: Grid, _ divergence: @escaping @Sendable (Q, P) -> Tensor
  ) {
    (testDescription, parameters, split, self.grid) = (name, parametersOfQ + parametersOfP, parametersOfQ.count, grid)
    self.divergence = { divergence(makeQ($0), makeP($1)) }
    sampled = { sampledDivergence(makeQ($0), makeP($1), samples: 20, using: &$2) }
    logProbabilities = { q, p in
      guard case .real(let x) = grid.events else { fatalError("labels given to a law over numbers") }
      return (makeQ(q).logProbability(of: x), makeP(p).logProbability(of: x))
    }
  }

  /// Laws over labels.
  init<Q: DiscreteDistribution & SendableMetatype, P: DiscreteDistribution & SendableMetatype>(
    _ name: String, _ parametersOfQ: [Tensor], _ makeQ: @escaping @Sendable ([Tensor]) -> Q, _ parametersOfP: [Tensor],
    _ makeP: @escaping @Sendable ([Tensor]) -> P, grid: Grid
  ) {
    (testDescription, parameters, split, self.grid) = (name, parametersOfQ + parametersOfP, parametersOfQ.count, grid)
    divergence = { klDivergence(makeQ($0), makeP($1)) }
    sampled = { sampledDivergence(makeQ($0), makeP($1), samples: 20, using: &$2) }
    logProbabilities = { q, p in
      guard case .labels(let x) = grid.events else { fatalError("numbers given to a law over labels") }
      return (makeQ(q).logProbability(of: x), makeP(p).logProbability(of: x))
    }
  }
}

@Suite struct DivergenceTests {
  static let bins = Bins.levels(16, from: 0, to: 15)
  static let scaled: [Tensor] = [Tensor([[0.7]]), Tensor([[-0.4]])]
  static let other: [Tensor] = [Tensor([[-0.2]]), Tensor([[0.3]])]
  static let gaussian: [Tensor] = [
    Tensor([[0.5, -0.3]]), Tensor([[0.2, -0.4]]), Tensor([0, 0, 0.6, 0], shape: [1, 2, 2]),
  ]
  static let otherGaussian: [Tensor] = [
    Tensor([[0.1, 0.2]]), Tensor([[0.4, 0.1]]), Tensor([0, 0, -0.5, 0], shape: [1, 2, 2]),
  ]
  static let mixture: [Tensor] = [
    Tensor([0.3, -0.5], shape: [1, 1, 2]), Tensor([3, 11], shape: [1, 1, 2]), Tensor([0.7, 0.2], shape: [1, 1, 2]),
  ]
  @Sendable static func normal(_ p: [Tensor]) -> Normal { Normal(mean: p[0], logScale: p[1]) }
  @Sendable static func laplace(_ p: [Tensor]) -> Laplace { Laplace(mean: p[0], logScale: p[1]) }
  @Sendable static func logistic(_ p: [Tensor]) -> Logistic { Logistic(mean: p[0], logScale: p[1]) }
  @Sendable static func uniform(_ p: [Tensor]) -> Uniform { Uniform(lower: p[0], upper: p[1]) }
  @Sendable static func bernoulli(_ p: [Tensor]) -> Bernoulli { Bernoulli(logits: p[0]) }
  @Sendable static func categorical(_ p: [Tensor]) -> Categorical { Categorical(logits: p[0]) }
  @Sendable static func multivariate(_ p: [Tensor]) -> MultivariateNormal {
    MultivariateNormal(mean: p[0], logDiagonal: p[1], lower: p[2])
  }
  @Sendable static func discretized(_ p: [Tensor]) -> DiscretizedLogistic {
    DiscretizedLogistic(location: p[0], logScale: p[1], bins: bins)
  }
  @Sendable static func mixed(_ p: [Tensor]) -> Mixture<DiscretizedLogistic> {
    Mixture(logits: p[0], components: DiscretizedLogistic(location: p[1], logScale: p[2], bins: bins))
  }

  static let pairs: [Pair] = [
    Pair("Normal", scaled, normal, other, normal, grid: .line(-6, 8, 4000)) { klDivergence($0, $1) },
    Pair("Laplace", scaled, laplace, other, laplace, grid: .line(-19.3, 20.7, 40_000)) { klDivergence($0, $1) },
    Pair(
      "Uniform", [Tensor([[0]]), Tensor([[1]])], uniform, [Tensor([[-0.5]]), Tensor([[3]])], uniform,
      grid: .line(0, 1, 500)
    ) {
      klDivergence($0, $1)
    },
    Pair(
      "Bernoulli", [Tensor([[0.4, -1.2, 2]])], bernoulli, [Tensor([[-0.6, 1, 1.5]])], bernoulli, grid: .bits(3)
    ) { klDivergence($0, $1) },
    Pair("MultivariateNormal", gaussian, multivariate, otherGaussian, multivariate, grid: .square(10, 300)) {
      klDivergence($0, $1)
    },
    Pair(
      "MultivariateNormal to Normal", gaussian, multivariate, Array(otherGaussian[..<2]), normal, grid: .square(10, 300)
    ) { klDivergence($0, $1) },
    Pair("Laplace to Normal", scaled, laplace, other, normal, grid: .line(-19.3, 20.7, 40_000)) {
      klDivergence($0, $1)
    },
    Pair("Logistic to Normal", scaled, logistic, other, normal, grid: .line(-15, 17, 8000)) { klDivergence($0, $1) },
    Pair("Uniform to Normal", [Tensor([[0]]), Tensor([[1]])], uniform, other, normal, grid: .line(0, 1, 500)) {
      klDivergence($0, $1)
    },
    Pair(
      "Categorical", [Tensor([0.5, -1, 2], shape: [1, 1, 3])], categorical,
      [Tensor([0, 0.4, -0.6], shape: [1, 1, 3])],
      categorical, grid: .labels(3, 1)),
    Pair(
      "DiscretizedLogistic", [Tensor([[4.5]]), Tensor([[0.7]])], discretized, [Tensor([[7.5]]), Tensor([[1.2]])],
      discretized, grid: .labels(16, 1)),
    Pair(
      "Mixture of DiscretizedLogistic to DiscretizedLogistic", mixture, mixed, [Tensor([[7.5]]), Tensor([[1.2]])],
      discretized, grid: .labels(16, 1)),
  ]

  @Test(arguments: pairs)
  func `the closed form is the sum over all events and the mean over samples`(_ pair: Pair) {
    let closed = pair.divergence(pair.q, pair.p)
    #expect(closed.shape == [1])
    let (logQ, logP) = pair.logProbabilities(pair.q, pair.p)
    let summed = (exp(logQ) * (logQ - logP) * pair.grid.weights).sum().scalar
    #expect(abs(closed.scalar - summed) < 2e-5 * max(1, summed), "\(closed.scalar) \(summed)")

    let batch = 1000
    var random = Random(seed: 11)
    let estimate = pair.sampled(
      pair.q.map { $0.repeated(batch, axis: 0) }, pair.p.map { $0.repeated(batch, axis: 0) }, &random)
    #expect(estimate.mean.shape == [batch] && estimate.standardError.shape == [batch])
    // The batch's events are independent, so their standard errors add as squares.
    let error = square(estimate.standardError).mean().scalar.squareRoot() / Float(batch).squareRoot()
    #expect(abs(estimate.mean.mean().scalar - closed.scalar) < 5 * error + 1e-6)
    #expect(error < 0.05)
  }

  @Test(arguments: pairs)
  func `gradients of the closed form agree with differences to the second order`(_ pair: Pair) {
    let split = pair.split
    let report = gradientCheck(
      of: { pair.divergence(Array($0[..<split]), Array($0[split...])) }, at: pair.parameters)
    #expect(report.passes, "\(report)")
  }

  @Test func `a law does not diverge from itself`() {
    for (name, value) in [
      ("Normal", klDivergence(Self.normal(Self.scaled), Self.normal(Self.scaled))),
      ("Laplace", klDivergence(Self.laplace(Self.scaled), Self.laplace(Self.scaled))),
      (
        "Uniform",
        klDivergence(Self.uniform([Tensor([[0]]), Tensor([[2]])]), Self.uniform([Tensor([[0]]), Tensor([[2]])]))
      ),
      ("Bernoulli", klDivergence(Self.bernoulli([Tensor([[3, -40]])]), Self.bernoulli([Tensor([[3, -40]])]))),
      (
        "Categorical",
        klDivergence(Categorical(logits: Tensor([[3, -40, 0]])), Categorical(logits: Tensor([[3, -40, 0]])))
      ),
      ("DiscretizedLogistic", klDivergence(Self.discretized(Self.other), Self.discretized(Self.other))),
      ("Mixture", klDivergence(Self.mixed(Self.mixture), Self.mixed(Self.mixture))),
      (
        "MultivariateNormal",
        klDivergence(Self.multivariate(Self.gaussian), Self.multivariate(Self.gaussian))
      ),
    ] { #expect(abs(value.scalar) < 1e-6, "\(name): \(value)") }
  }

  @Test func `excluded values make a divergence infinite in one direction only`() {
    let (some, all) = (Categorical(logits: Tensor([[0, 0, -.infinity]])), Categorical(logits: Tensor([[0, 0, 0]])))
    expect(klDivergence(some, all), shape: [1], [0.405_465_108])
    expect(klDivergence(all, some), shape: [1], [.infinity])
    expect(klDivergence(some, some), shape: [1], [0])
    expect(some.entropy, shape: [1], [0.693_147_181])
    let (narrow, wide) = (
      Uniform(lower: Tensor([[0]]), upper: Tensor([[1]])), Uniform(lower: Tensor([[0]]), upper: Tensor([[2]]))
    )
    expect(klDivergence(narrow, wide), shape: [1], [0.693_147_181])
    expect(klDivergence(wide, narrow), shape: [1], [.infinity])
  }

  @Test func `an entropy without a closed form is estimated, with its error`() {
    var random = Random(seed: 12)
    let law = Self.normal([Tensor([[0, 1]]), Tensor([[0.5, -0.5]])])
    let estimate = sampledEntropy(law, samples: 4000, using: &random)
    // The variance of −ln q is ½ for each of the two components.
    expect(estimate.standardError, shape: [1], [(1 / 4000 as Float).squareRoot()], tolerance: 1e-3)
    #expect(abs(estimate.mean.scalar - law.entropy.scalar) < 5 * estimate.standardError.scalar)
  }

  @Test func `laws of unlike types compare by samples, also when their types are not known`() {
    var random = Random(seed: 13)
    let laws: [any Distribution] = [Self.logistic(Self.scaled), Self.laplace(Self.scaled)]
    expect(laws[1].logProbability(of: Tensor([[0.7]])), shape: [1], [0.4 - 0.693_147_181])
    expect(laws[0].entropy, shape: [1], [1.6])
    func estimate(_ p: some ProbabilityDistribution<Tensor>) -> SampledEstimate {
      sampledDivergence(laws[0], p, samples: 4000, using: &random)
    }
    expect(estimate(laws[0]).mean, shape: [1], [0], tolerance: 0)
    let mixture = Mixture(
      logits: Tensor([0, 0], shape: [1, 1, 2]),
      components: Self.normal(Self.scaled.map { $0.repeated(2, axis: 1).insertingAxis(0) }))
    // Both components are the same Gaussian, to which the divergence has a closed form.
    let (found, closed) = (estimate(mixture), klDivergence(Self.logistic(Self.scaled), Self.normal(Self.scaled)))
    #expect(abs(found.mean.scalar - closed.scalar) < 5 * found.standardError.scalar)
    #expect(found.standardError.scalar < 0.2)
  }
}
