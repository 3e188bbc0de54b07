import Foundation
import Tensors
import Testing

@testable import Distributions

/// Mistakes stop the program with the operation, the values, and the line of the mistake.
@Suite struct MistakeTests {
  struct Mistake: Sendable {
    let operation: String
    let parts: [String]
    let line: Int
    let body: @Sendable () -> Void

    init(_ operation: String, _ parts: String..., line: Int = #line, body: @escaping @Sendable () -> Void) {
      (self.operation, self.parts, self.line, self.body) = (operation, parts, line, body)
    }
  }

  static let (a, b) = (Tensor.zeros([2, 3]), Tensor.zeros([2, 4]))
  static let bins = Bins.levels(4, from: 0, to: 1)

  static let mistakes: [Mistake] = [
    Mistake("Normal", "mean [2, 3]", "logScale [2, 4]") { _ = Normal(mean: a, logScale: b) },
    Mistake("Laplace", "mean [2, 3]", "logScale [2, 4]") { _ = Laplace(mean: a, logScale: b) },
    Mistake("Logistic", "mean [2, 3]", "logScale [2, 4]") { _ = Logistic(mean: a, logScale: b) },
    Mistake("DiscretizedLogistic", "[2, 3]", "[2, 4]", line: #line + 1) {
      _ = DiscretizedLogistic(location: a, logScale: b, bins: bins)
    },
    Mistake("Uniform", "lower [2, 3]", "upper [2, 4]") { _ = Uniform(lower: a, upper: b) },
    Mistake("Uniform", "upper bound -1.0", "value 1", "lower bound 0.0", line: #line + 1) {
      _ = Uniform(lower: Tensor([0, 0]), upper: Tensor([1, -1]))
    },
    Mistake("Bins.levels", "-1.0", "1.0") { _ = Bins.levels(256, from: 1, to: -1) },
    Mistake("Bins.dividing", "two bins", "not 1") { _ = Bins.dividing(from: 0, to: 1, into: 1) },
    Mistake("Bins.values", "7", "0..<4") { _ = bins.values(of: IndexTensor([7])) },
    Mistake("Bins.indices", "NaN") { _ = bins.indices(of: Tensor([.nan])) },
    Mistake("Categorical", "[2, 1]", "two classes") { _ = Categorical(logits: .zeros([2, 1])) },
    Mistake("categoricalLogLikelihood", "the index 3", "[1]", line: #line + 1) {
      _ = Categorical(logits: a).logProbability(of: IndexTensor([0, 3]))
    },
    Mistake("Categorical.logProbability", "the labels [3]", "batch [2]", line: #line + 1) {
      _ = Categorical(logits: a).logProbability(of: IndexTensor([0, 1, 2]))
    },
    Mistake("DiscretizedLogistic.logProbability", "-1", "position 0", "0..<4", line: #line + 1) {
      _ = DiscretizedLogistic(location: a, logScale: a, bins: bins).logProbability(of: IndexTensor([-1]))
    },
    Mistake("Normal.logProbability", "[2, 4]", "[2, 3]") { _ = Normal(mean: a, logScale: a).logProbability(of: b) },
    Mistake("Bernoulli.logProbability", "[2, 4]", "[2, 3]") { _ = Bernoulli(logits: a).logProbability(of: b) },
    Mistake("Distribution", "batch axis") { _ = Normal(mean: Tensor(0), logScale: Tensor(0)).entropy },
    Mistake("GumbelSoftmax", "temperature 0.0") { _ = GumbelSoftmax(logits: a, temperature: 0) },
    Mistake("GumbelSoftmax", "[3]") { _ = GumbelSoftmax(logits: .zeros([3]), temperature: 1) },
    Mistake("Mixture", "[2, 4]", "[2, 3]") { _ = Mixture(logits: b, components: Normal(mean: a, logScale: a)) },
    Mistake("Mixture", "[2, 1]", "two components", line: #line + 1) {
      _ = Mixture(logits: .zeros([2, 1]), components: Normal(mean: a, logScale: a))
    },
    Mistake("Mixture.logProbability", "[2, 3]", "1 axes", "[2]", line: #line + 1) {
      _ = Mixture(logits: a, components: Normal(mean: a, logScale: a)).logProbability(of: a)
    },
    Mistake("Mixture.logProbabilities", "[5]", "[2, 3]", line: #line + 2) {
      let wide = Tensor.zeros([2, 3, 5])
      _ = Mixture(logits: a, components: DiscretizedLogistic(location: wide, logScale: wide, bins: bins)).entropy
    },
    Mistake("MultivariateNormal", "[2, 3]", "[3]", "[4, 4]", line: #line + 1) {
      _ = MultivariateNormal(mean: a, scale: .zeros([4, 4]))
    },
    Mistake("MultivariateNormal", "entry -1.0 at row 1, column 1", line: #line + 1) {
      _ = MultivariateNormal(mean: .zeros([1, 2]), scale: Tensor([[1, 0], [0.5, -1]]))
    },
    Mistake("MultivariateNormal", "entry 0.5 at row 0, column 1", line: #line + 1) {
      _ = MultivariateNormal(mean: .zeros([1, 2]), scale: Tensor([[1, 0.5], [0, 1]]))
    },
    Mistake("klDivergence", "q [2, 3]", "p [2, 4]") { _ = klDivergence(Bernoulli(logits: a), Bernoulli(logits: b)) },
    Mistake("klDivergence", "3 values", "4") { _ = klDivergence(Categorical(logits: a), Categorical(logits: b)) },
    Mistake("klDivergence", "[2, 3]", "[2, 1]", line: #line + 2) {
      let one = Tensor.zeros([2, 1])
      _ = klDivergence(Laplace(mean: a, logScale: a), Normal(mean: one, logScale: one))
    },
    Mistake("sampledDivergence", "two samples", "not 1", line: #line + 2) {
      var random = Random(seed: 1)
      _ = sampledDivergence(Bernoulli(logits: a), Bernoulli(logits: a), samples: 1, using: &random)
    },
  ]

  @Test(arguments: mistakes.indices)
  func `a mistake names operation, values, file and line`(index: Int) async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) { [index] in
      MistakeTests.mistakes[index].body()
    }
    let mistake = Self.mistakes[index]
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.hasPrefix("error: \(mistake.operation): "), "\(message)")
    for part in mistake.parts + ["/MistakeTests.swift:\(mistake.line)"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(message.split(separator: "\n").count == 1, "\(message)")
  }
}
