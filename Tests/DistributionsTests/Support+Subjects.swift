import Tensors
import Testing

@testable import Distributions

/// A law, whatever its values are: what the battery asks of it.
struct Probe {
  let shape: [Int]
  let logProbability: (Events) -> Tensor
  let sample: (inout Random) -> Events
  var mean: (() -> Tensor)?
  var variance: (() -> Tensor)?
  var entropy: (() -> Tensor)?

  init(relaxed law: some ProbabilityDistribution<Tensor>) {
    shape = law.shape
    logProbability = { events in
      guard case .real(let x) = events else { fatalError("labels given to a law over numbers") }
      return law.logProbability(of: x)
    }
    sample = { .real(law.sample(using: &$0)) }
  }

  init(numbered law: some ProbabilityDistribution<IndexTensor>) {
    shape = law.shape
    logProbability = { events in
      guard case .labels(let x) = events else { fatalError("numbers given to a law over labels") }
      return law.logProbability(of: x)
    }
    sample = { .labels(law.sample(using: &$0)) }
  }

  init(_ law: some Distribution) {
    self.init(relaxed: law)
    (mean, variance, entropy) = ({ law.mean }, { law.variance }, { law.entropy })
  }

  init(_ law: some DiscreteDistribution) {
    self.init(numbered: law)
    entropy = { law.entropy }
  }

  init<Component: Distribution>(_ law: Mixture<Component>) {
    self.init(relaxed: law)
    (mean, variance) = ({ law.mean }, { law.variance })
  }
}

/// A kind of law at chosen parameters of batch 1, with a grid over its events.
struct Subject: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let parameters: [Tensor]
  let grid: Grid
  var bins: Bins?
  var isReparameterised = false
  /// Where to check the gradients of log-probabilities, away from kinks; samples when nil.
  var points: Events?
  /// The error of the grid, relative to quantities of size 1.
  var tolerance = 2e-5
  let law: @Sendable ([Tensor]) -> Probe
}

/// Parameters `[1, 1, …]` of one component.
private func one(_ values: Float...) -> [Tensor] { values.map { Tensor([$0], shape: [1, 1]) } }
/// Parameters `[1, 1, k]` of a mixture in which every component of an event chooses for itself.
private func row(_ values: Float...) -> Tensor { Tensor(values, shape: [1, 1, values.count]) }
/// Parameters `[1, k, d]` of vectors, each drawn from one of k components.
private func joint(_ rows: [[Float]]) -> Tensor { Tensor(rows).insertingAxis(0) }

private let factor = Tensor([9, 9, 0.6, 9], shape: [1, 2, 2])
private let unitBins = Bins.dividing(from: 0, to: 1, into: 20)
private let pixelBins = Bins.levels(256, from: -4, to: 4)
private let fewBins = Bins.levels(6, from: 0, to: 5)

let continuousSubjects: [Subject] = [
  Subject(
    testDescription: "Normal", parameters: one(0.7, -0.4), grid: .line(-6, 8, 4000), isReparameterised: true,
    law: { Probe(Normal(mean: $0[0], logScale: $0[1])) }),
  Subject(
    testDescription: "Laplace", parameters: one(0.7, -0.4), grid: .line(-13.3, 14.7, 20_000), isReparameterised: true,
    points: .real(Tensor([[-0.4], [1.6], [3]])),
    law: { Probe(Laplace(mean: $0[0], logScale: $0[1])) }),
  Subject(
    testDescription: "Logistic", parameters: one(0.7, -0.4), grid: .line(-15, 17, 8000), isReparameterised: true,
    law: { Probe(Logistic(mean: $0[0], logScale: $0[1])) }),
  Subject(
    testDescription: "Uniform", parameters: one(-0.5, 1.25), grid: .line(-2.25, 3, 3000), isReparameterised: true,
    law: { Probe(Uniform(lower: $0[0], upper: $0[1])) }),
  Subject(
    testDescription: "MultivariateNormal", parameters: [Tensor([[0.5, -0.3]]), Tensor([[0.2, -0.4]]), factor],
    grid: .square(10, 300), isReparameterised: true,
    law: { Probe(MultivariateNormal(mean: $0[0], logDiagonal: $0[1], lower: $0[2])) }),
  Subject(
    testDescription: "GumbelSoftmax of 2 classes", parameters: [row(0.6, -0.5)], grid: .simplex(2, 40, 8000),
    isReparameterised: true, points: .real(Tensor([0.3, 0.7, 0.6, 0.4], shape: [2, 1, 2])),
    law: { Probe(relaxed: GumbelSoftmax(logits: $0[0], temperature: 0.7)) }),
  Subject(
    testDescription: "GumbelSoftmax of 3 classes", parameters: [row(0.6, -0.5, 0.1)], grid: .simplex(3, 20, 300),
    isReparameterised: true, points: .real(Tensor([0.3, 0.25, 0.45, 0.5, 0.3, 0.2], shape: [2, 1, 3])),
    law: { Probe(relaxed: GumbelSoftmax(logits: $0[0], temperature: 1.3)) }),
  Subject(
    testDescription: "Mixture of Normal", parameters: [row(0.3, -0.5, 1), row(-2, 0.4, 1.5), row(0.1, -0.8, -0.4)],
    grid: .line(-12, 10, 6000), law: { Probe(Mixture(logits: $0[0], components: Normal(mean: $0[1], logScale: $0[2]))) }
  ),
  Subject(
    testDescription: "Mixture of Laplace", parameters: [row(0.3, -0.5), row(-1, 1.5), row(-0.3, -0.8)],
    grid: .line(-17, 17, 34_000), points: .real(Tensor([[-2.2], [0.3], [2.6]])),
    law: { Probe(Mixture(logits: $0[0], components: Laplace(mean: $0[1], logScale: $0[2]))) }),
  Subject(
    testDescription: "Mixture of Logistic", parameters: [row(0.3, -0.5), row(-1, 1.5), row(-0.3, -0.8)],
    grid: .line(-20, 20, 8000),
    law: { Probe(Mixture(logits: $0[0], components: Logistic(mean: $0[1], logScale: $0[2]))) }),
  Subject(
    testDescription: "Mixture of Uniform", parameters: [row(0.3, -0.5), row(-1, 0), row(1, 2)],
    grid: .line(-2, 3, 5000),
    law: { Probe(Mixture(logits: $0[0], components: Uniform(lower: $0[1], upper: $0[2]))) }),
  Subject(
    testDescription: "Mixture of Normal vectors",
    parameters: [Tensor([[0.4, -0.3]]), joint([[-2, 1], [1.5, -0.5]]), joint([[-0.2, 0.3], [0.1, -0.6]])],
    grid: .square(10, 300), law: { Probe(Mixture(logits: $0[0], components: Normal(mean: $0[1], logScale: $0[2]))) }),
  Subject(
    testDescription: "Mixture of MultivariateNormal",
    parameters: [
      Tensor([[0.4, -0.3]]), joint([[-2, 1], [1.5, -0.5]]), joint([[-0.2, 0.3], [0.1, -0.6]]),
      concatenate([factor, factor * -0.5], axis: 0).insertingAxis(0),
    ],
    grid: .square(10, 300),
    law: {
      Probe(
        Mixture(logits: $0[0], components: MultivariateNormal(mean: $0[1], logDiagonal: $0[2], lower: $0[3])))
    }),
]

let discreteSubjects: [Subject] = [
  Subject(
    testDescription: "Bernoulli", parameters: [Tensor([[0.4, -1.2, 2]])], grid: .bits(3),
    law: { Probe(Bernoulli(logits: $0[0])) }),
  Subject(
    testDescription: "Categorical", parameters: [Tensor([0.5, -1, 2, 0, -0.3, 0.6], shape: [1, 2, 3])],
    grid: .labels(3, 2), law: { Probe(Categorical(logits: $0[0])) }),
  Subject(
    testDescription: "DiscretizedLogistic in 20 bins", parameters: one(0.62, -2.2), grid: .labels(20, 1),
    bins: unitBins,
    law: { numbered(DiscretizedLogistic(location: $0[0], logScale: $0[1], bins: unitBins)) }),
  Subject(
    testDescription: "DiscretizedLogistic at 256 levels, by the edge", parameters: one(-3.9, -0.6),
    grid: .labels(256, 1),
    bins: pixelBins, law: { numbered(DiscretizedLogistic(location: $0[0], logScale: $0[1], bins: pixelBins)) }),
  Subject(
    testDescription: "Mixture of Bernoulli vectors",
    parameters: [Tensor([[0.4, -0.3]]), joint([[2, -1, 0.5], [-1, 1.5, 0]])], grid: .bits(3),
    law: { Probe(Mixture(logits: $0[0], components: Bernoulli(logits: $0[1]))) }),
  Subject(
    testDescription: "Mixture of Categorical",
    parameters: [row(0.4, -0.3), Tensor([0.5, -1, 2, 0, -0.3, 0.6], shape: [1, 1, 2, 3])], grid: .labels(3, 1),
    law: { Probe(Mixture(logits: $0[0], components: Categorical(logits: $0[1]))) }),
  Subject(
    testDescription: "Mixture of DiscretizedLogistic",
    parameters: [row(0.3, -0.5, 1), row(-3.6, 1.6, 3.9), row(-0.6, 0.1, -0.3)], grid: .labels(256, 1),
    bins: pixelBins,
    law: { p in
      let law = Mixture(
        logits: p[0], components: DiscretizedLogistic(location: p[1], logScale: p[2], bins: pixelBins))
      var probe = Probe(law)
      probe.mean = { law.mean }
      return probe
    }),
  Subject(
    testDescription: "Mixture of DiscretizedLogistic, channels together",
    parameters: [Tensor([[0.4, -0.3]]), joint([[0.7, 3], [4, -1]]), joint([[-0.2, -0.5], [0.4, -1]])],
    grid: .labels(6, 2), bins: fewBins,
    law: { p in
      let law = Mixture(logits: p[0], components: DiscretizedLogistic(location: p[1], logScale: p[2], bins: fewBins))
      var probe = Probe(numbered: law)
      probe.mean = { law.mean }
      return probe
    }),
]

private func numbered(_ law: DiscretizedLogistic) -> Probe {
  var probe = Probe(law)
  (probe.mean, probe.variance) = ({ law.mean }, { law.variance })
  return probe
}
