import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Autoregressive processes")
struct ProcessTests {
  static let process = AutoregressiveProcess(coefficients: (1.2, -0.6), deviation: 0.3, length: 5)

  /// Autocovariances from the answer to a single impulse: γ_k = σ² Σ ψ_j ψ_{j+k}.
  static func autocovariances(_ process: AutoregressiveProcess, _ count: Int) -> [Double] {
    var answer = [1.0, process.coefficients.first]
    for j in 2..<2_000 {
      answer.append(process.coefficients.first * answer[j - 1] + process.coefficients.second * answer[j - 2])
    }
    return (0..<count).map { lag in
      var sum = 0.0
      for j in 0..<2_000 - lag { sum += answer[j] * answer[j + lag] }
      return sum * process.deviation * process.deviation
    }
  }

  @Test("Variance, correlation, entropy and log-density are those of the normal law with these autocovariances")
  func closedForms() {
    let process = Self.process
    let gamma = Self.autocovariances(process, 5)
    #expect(near(process.variance, gamma[0], 1e-10))
    #expect(near(process.correlation, gamma[1] / gamma[0], 1e-10))
    let normal = LinearGaussian(
      mean: [0, 0, 0, 0, 0], weights: choleskyFactor((0..<5).map { i in (0..<5).map { gamma[abs(i - $0)] } }),
      noise: [0, 0, 0, 0, 0])
    #expect(near(process.entropy, normal.entropy, 1e-9))
    #expect(near(process.entropyRate, 0.5 * log(2 * Double.pi * M_E * 0.09), 1e-12))
    let points = Tensor([[0.1, -0.2, 0.5, 0.7, 0.2], [1, 1, 0, -1, -0.5]])
    for (a, b) in zip(process.logProbability(of: points).scalars, normal.logProbability(of: points).scalars) {
      #expect(near(a, b, 1e-4))
    }
  }

  func choleskyFactor(_ matrix: [[Double]]) -> [[Double]] {
    var factor = matrix.map { $0.map { _ in 0.0 } }
    for row in matrix.indices {
      for column in 0...row {
        var rest = matrix[row][column]
        for k in 0..<column { rest -= factor[row][k] * factor[column][k] }
        factor[row][column] = row == column ? rest.squareRoot() : rest / factor[column][column]
      }
    }
    return factor
  }

  @Test("A period and a standard deviation give a process that has them")
  func period() {
    let process = AutoregressiveProcess(period: 16, damping: 0.98, standardDeviation: 0.25, length: 8)
    let gamma = Self.autocovariances(process, 17)
    #expect(near(gamma[0].squareRoot(), 0.25, 1e-6))
    #expect(gamma[16] / gamma[0] > 0.6 && gamma[8] / gamma[0] < -0.75)
  }

  /// Five standard errors of independent sequences: probability below 6e-7 each.
  @Test("Samples are stationary with these autocovariances, and their mean −log p is the entropy")
  func samples() {
    let gamma = Self.autocovariances(Self.process, 5)
    var random = Random(seed: 51)
    let samples = Self.process.samples(20_000, using: &random)
    let values = samples.scalars.map { Double($0) }
    #expect(samples.shape == [20_000, 5])
    for (i, j) in [(0, 0), (4, 4), (0, 1), (2, 3), (1, 4), (0, 4)] {
      var sum = 0.0
      for row in 0..<20_000 { sum += values[5 * row + i] * values[5 * row + j] }
      let expected = gamma[j - i]
      let error = ((gamma[0] * gamma[0] + expected * expected) / 20_000).squareRoot()
      #expect(near(sum / 20_000, expected, 5 * error))
    }
    #expect(entropyDeviation(Self.process.logProbability(of: samples), Self.process.entropy) < 5.5)
  }

  @Test("A process that is not stable stops with a clear line")
  func unstable() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AutoregressiveProcess(coefficients: (0.7, 0.4), deviation: 1, length: 3)
    }
    #expect(text(result).contains("error: AutoregressiveProcess: a₁ = 0.7, a₂ = 0.4 is not stable"))
  }
}

@Suite("Quantised processes")
struct QuantizedProcessTests {
  @Test("μ-law levels follow the formula, go back to their own level, and cells meet halfway")
  func muLaw() {
    let quantizer = Quantizer.muLaw()
    #expect(quantizer.levels == 256 && quantizer.edges == quantizer.edges.sorted())
    for x in [-1, -0.3, -0.001, 0.0005, 0.02, 0.7, 1] {
      let companded = (x < 0 ? -1 : 1) * log(1 + 255 * abs(x)) / log(256)
      let level = ((companded + 1) / 2 * 255).rounded()
      #expect(Double(quantizer.index(of: x)) == level)
    }
    let levels = IndexTensor((0..<256).map { Int32($0) }, shape: [16, 16])
    #expect(quantizer.indices(of: quantizer.values(of: levels)) == levels)
    #expect(near(quantizer.centers[255], 1, 1e-12) && near(quantizer.centers[0], -1, 1e-12))
    #expect(near(quantizer.edges[127], 0, 1e-12))
    #expect(quantizer.indices(of: Tensor([-5, 5])).scalars == [0, 255])
  }

  @Test("Uniform cells have one width, their values in the middle, and take the tails at the ends")
  func uniform() {
    let quantizer = Quantizer.uniform(levels: 4, in: -2...2)
    #expect(quantizer.edges == [-1, 0, 1] && quantizer.centers == [-1.5, -0.5, 0.5, 1.5])
    #expect(quantizer.indices(of: Tensor([[-9, -1.01], [-1, 0.99], [1, 9]])).scalars == [0, 0, 1, 2, 3, 3])
  }

  static let coarse = QuantizedProcess(
    AutoregressiveProcess(coefficients: (1.2, -0.6), deviation: 0.5, length: 3), quantizer: .uniform(levels: 3))

  /// All 27 sequences of three levels.
  static var sequences: IndexTensor {
    var levels: [Int32] = []
    for number in Int32(0)..<27 { levels += [number / 9, number / 3 % 3, number % 3] }
    return IndexTensor(levels, shape: [27, 3])
  }

  @Test("Probabilities of all 27 sequences of three coarse levels sum to 1, and their entropy is the law's")
  func everything() {
    let logs = Self.coarse.logProbability(of: Self.sequences).scalars.map { Double($0) }
    var (mass, entropy) = (0.0, 0.0)
    for value in logs {
      mass += exp(value)
      entropy -= exp(value) * value
    }
    #expect(near(mass, 1, 1e-6))
    #expect(near(entropy, Self.coarse.entropy, 5.5 * Self.coarse.entropyStandardError))
    #expect(Self.coarse.entropyStandardError < 0.01)
  }

  @Test("A pair of levels has the probability that summing the normal density over both cells gives")
  func pair() {
    let process = AutoregressiveProcess(coefficients: (1.2, -0.6), deviation: 0.5, length: 2)
    let law = QuantizedProcess(process, quantizer: .uniform(levels: 3))
    let (v, r, step) = (process.variance, process.correlation, 0.005)
    var sum = 0.0
    for i in 0..<800 {
      let x = 1.0 / 3 + (Double(i) + 0.5) * step
      var inner = 0.0
      for j in 0..<133 {
        let y = -1.0 / 3 + (Double(j) + 0.5) * 2 / 3 / 133
        inner += exp(-(x * x - 2 * r * x * y + y * y) / (2 * v * (1 - r * r)))
      }
      sum += inner * step * 2 / 3 / 133
    }
    let expected = sum / (2 * Double.pi * v * (1 - r * r).squareRoot())
    let found = law.logProbability(of: IndexTensor([2, 1], shape: [1, 2])).scalar
    #expect(near(Double(exp(found)), expected, 1e-6))
  }

  @Test("Sequences come as often as their probabilities say")
  func histogram() {
    var random = Random(seed: 52)
    let samples = Self.coarse.samples(20_000, using: &random).scalars
    var counts = [Int](repeating: 0, count: 27)
    for row in 0..<20_000 {
      counts[Int(samples[3 * row]) * 9 + Int(samples[3 * row + 1]) * 3 + Int(samples[3 * row + 2])] += 1
    }
    let probabilities = Self.coarse.logProbability(of: Self.sequences).scalars.map { exp(Double($0)) }
    #expect(chiSquared(counts, probabilities) < 5.5)
  }

  static let quantizers = [
    "µ-law": Quantizer.muLaw(), "256 levels": .uniform(levels: 256), "8 levels": .uniform(levels: 8),
  ]

  @Test("The mean of −log p over quantised sequences is the entropy", arguments: quantizers.keys.sorted())
  func entropy(name: String) throws {
    let process = AutoregressiveProcess(period: 12, damping: 0.95, standardDeviation: 0.3, length: 40)
    let law = QuantizedProcess(process, quantizer: try #require(Self.quantizers[name]))
    var random = Random(seed: 53)
    let logs = law.logProbability(of: law.samples(200, using: &random))
    #expect(entropyDeviation(logs, law.entropy) < 5.5)
    #expect(law.entropyRateStandardError < 0.006)
    #expect(law.entropyRate >= law.entropyRateLowerBound)
  }

  @Test("The formula for small cells is right for small cells, and too low by the error it states for wide ones")
  func smallCells() {
    let process = AutoregressiveProcess(coefficients: (1.5, -0.8), deviation: 0.1, length: 10)
    for (width, error) in [(0.01, 0.0016), (0.05, 0.0376), (0.1, 0.1245)] {
      let quantizer = Quantizer.uniform(levels: Int((4 / width).rounded()), in: -2...2)
      let law = QuantizedProcess(process, quantizer: quantizer)
      #expect(near(law.smallCellEntropyRate, process.entropyRate - log(width), 1e-9))
      #expect(near(law.entropyRate - law.smallCellEntropyRate, error, 5e-5 + 5 * law.entropyRateStandardError))
      // As if rounding added independent noise of variance width²/12 to each value that is known.
      let guess = 0.5 * log(1 + (1.5 * 1.5 + 0.8 * 0.8) * width * width / 12 / 0.01)
      #expect(near(law.entropyRate - law.smallCellEntropyRate, guess, 0.35 * guess))
    }
  }
}
