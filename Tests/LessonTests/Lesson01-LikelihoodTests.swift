import LessonKit
import Testing

@testable import Lesson01_Likelihood

@MainActor
@Suite("Lesson01-Likelihood: identity")
struct LikelihoodIdentityTests {
  @Test("Log-sum-exp is right by hand from −10⁴ to 10⁴, and its gradient is a softmax", .solved("Likelihood.1"))
  func logSumExpAtAnySize() {
    for shift in [-1e4, -50, 0, 50, 1e4] as [Float] {
      let x = Tensor([[shift, shift], [shift + 2, shift - 1e4]])
      let values = logSumExp(x).scalars
      #expect(abs(values[0] - (shift + log(2))) < 1e-6 * (1 + abs(shift)))
      #expect(abs(values[1] - (shift + 2)) < 1e-6 * (1 + abs(shift)))
      #expect(gradient(at: x) { logSumExp($0).sum() }.scalars == [0.5, 0.5, 1, 0])
    }
  }

  @Test("Cross-entropy is the mean of −ln p over the samples: ½ ln 2 + ½ ln 8 by hand", .solved("Likelihood.2"))
  func crossEntropyByHand() {
    let logs = log(Tensor([0.5, 0.25, 0.125, 0.125]))
    #expect(abs(crossEntropy(logs, IndexTensor([0, 0, 2, 3])).scalar - (log(2) + log(8)) / 2) < 1e-6)
  }

  @Test(
    "A discretised logistic sums to 1 within 1e-5 at any location and scale, and has finite logarithms and gradients",
    .solved("Likelihood.3"))
  func sumsToOne() {
    for location in [-1e4, -3, 0, 0.01, 0.37, 0.5, 1, 20, 1e4] as [Float] {
      for logScale in [-30, -9, -5, -2, 0, 9, 30] as [Float] {
        for bins in [2, 100] {
          let at = (Tensor([location]), Tensor([logScale]))
          let logs = discretizedLogistic(location: at.0, logScale: at.1, bins: bins)
          #expect(abs(probabilities(logs).reduce(0, +) - 1) < 1e-5, "location \(location), ln scale \(logScale)")
          #expect(logs.scalars.allSatisfy { $0.isFinite && $0 <= 0 })
          let slopes = [
            gradient(at: at.0) { discretizedLogistic(location: $0, logScale: at.1, bins: bins).mean() },
            gradient(at: at.1) { discretizedLogistic(location: at.0, logScale: $0, bins: bins).mean() },
          ]
          #expect(slopes.allSatisfy { $0.scalar.isFinite })
        }
      }
    }
  }

  @Test(
    "Each bin holds the difference of the distribution function at its edges, in double precision",
    .solved("Likelihood.3"))
  func differencesOfSigmoids() {
    func below(_ x: Double, _ location: Double, _ scale: Double) -> Double { 1 / (1 + exp(-(x - location) / scale)) }
    let (locations, scales) = ([0.3, 0.81, -0.2], [0.05, 0.5, 2])
    let logs = discretizedLogistic(
      location: Tensor(locations.map(Float.init)), logScale: Tensor(scales.map { Float(log($0)) }), bins: 10)
    #expect(logs.shape == [10, 3])
    for bin in 0..<10 {
      for (index, (location, scale)) in zip(locations, scales).enumerated() {
        let upper = bin == 9 ? 1 : below(Double(bin + 1) / 10, location, scale)
        let lower = bin == 0 ? 0 : below(Double(bin) / 10, location, scale)
        #expect(abs(exp(Double(logs.scalars[bin * 3 + index])) - (upper - lower)) < 2e-6)
      }
    }
  }

  @Test(
    "The mixture weights probabilities by the softmax of its logits, and sums to 1",
    .solved("Likelihood.1", "Likelihood.4"))
  func mixtureByHand() {
    let logs = log(Tensor([[0.5, 0.2], [0.25, 0.2], [0.25, 0.6]]))
    let found = probabilities(mixture(logits: Tensor([log(3), 0]), logs))
    #expect(zip(found, [0.425, 0.2375, 0.3375]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(
    "At the counts the histogram's gradient is zero, and there alone: model less count",
    .solved("Likelihood.1", "Likelihood.2"))
  func optimumIsTheCounts() {
    let samples = IndexTensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
    let counts = Tensor([0.3, 0.2, 0.4, 0.1])
    func slope(_ logits: Tensor) -> Tensor {
      gradient(at: logits) { crossEntropy($0 - logSumExp($0), samples) }
    }
    #expect(slope(log(counts)).scalars.allSatisfy { abs($0) < 1e-7 })
    #expect(zip(slope(.zeros([4])).scalars, (0.25 - counts).scalars).allSatisfy { abs($0 - $1) < 1e-6 })
    let raw = countedLogProbabilities(samples, bins: 5)
    #expect(raw.scalars[4] == -.infinity && abs(raw.scalars[1] - log(0.2)) < 1e-6)
    #expect(
      probabilities(countedLogProbabilities(samples, bins: 5, adding: 1)).map { ($0 * 15).rounded() } == [
        4, 3, 5, 2, 1,
      ])
  }

  @Test("KL by hand: 0 for equal laws, infinite where what happens is excluded, and not symmetric")
  func divergenceByHand() {
    #expect(divergence([0.25, 0.75], [0.25, 0.75]) == 0)
    #expect(divergence([0.5, 0.5], [1, 0]) == .infinity)
    #expect(abs(divergence([1, 0], [0.5, 0.5]) - log(2)) < 1e-12)
  }
}

@MainActor
@Suite("Lesson01-Likelihood: learning and samples")
struct LikelihoodLearningTests {
  private let law = DigitisedMixture.twoPeaks

  private func fitMixture(_ components: Int, _ samples: IndexTensor, passes: Int = 500) -> LogisticMixture {
    let model = LogisticMixture(components: components, spreadOver: samples, bins: law.bins)
    var optimizer = Adam(model.parameters)
    for pass in 0..<passes {
      optimizer.learningRate = 0.03 * (1 - Float(pass) / Float(passes))
      optimizer.minimize(crossEntropy(model.logProbabilities, samples))
    }
    return model
  }

  private func distance(_ logProbabilities: Tensor) -> Double {
    divergence(law.probabilities, probabilities(logProbabilities))
  }

  @Test("The law's entropy is 4.0658 nats by a sum over bins of the error function")
  func entropyByErrorFunction() {
    func below(_ x: Double) -> Double {
      zip([0.3, 0.8], [0.1, 0.05]).reduce(0) { $0 + 0.25 * erfc(-(x - $1.0) / ($1.1 * 2.0.squareRoot())) }
    }
    let entropy = (0..<100).reduce(0.0) { sum, bin in
      let p = (bin == 99 ? 1 : below(Double(bin + 1) / 100)) - (bin == 0 ? 0 : below(Double(bin) / 100))
      return sum - p * log(p)
    }
    #expect(abs(entropy - 4.0658) < 5e-5 && abs(law.entropy - entropy) < 1e-9)
  }

  @Test(
    "8,000 points: histogram by descent and mixture within 0.015 nats of the entropy, on each of three draws, never below it",
    .solved("Likelihood.1", "Likelihood.2", "Likelihood.3", "Likelihood.4"), arguments: [1, 2, 3] as [UInt64])
  func manyPoints(seed: UInt64) {
    var random = Random(seed: seed)
    let samples = law.samples(8000, using: &random)
    let histogram = Histogram(bins: law.bins)
    var optimizer = SGD(histogram.parameters, learningRate: 20)
    for _ in 0..<2500 { optimizer.minimize(crossEntropy(histogram.logProbabilities, samples)) }
    let counts = probabilities(countedLogProbabilities(samples, bins: law.bins))
    #expect(zip(probabilities(histogram.logProbabilities), counts).allSatisfy { abs($0 - $1) < 4e-5 })
    for model in [histogram, fitMixture(4, samples)] as [any Model] {
      let found = distance(model.logProbabilities)
      #expect(found < 0.015 && found > 0)
      let test = law.samples(20_000, using: &random)
      let loss =
        law.entropy
        + Estimate(law.logProbability(of: test) - model.logProbabilities.detached().gathered(at: test, axis: 0))
      #expect(Double(loss.mean) > law.entropy - 3 * Double(loss.standardError))
      // Five standard errors: a false alarm at 6e-7.
      #expect(abs(Double(loss.mean) - law.entropy - found) < 5 * Double(loss.standardError))
    }
  }

  @Test(
    "200 points: the mixture within 0.08 nats and 0.06 below add-one counts on each of six draws; raw counts are infinite",
    .solved("Likelihood.1", "Likelihood.2", "Likelihood.3", "Likelihood.4"), arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func fewPoints(seed: UInt64) {
    var random = Random(seed: seed)
    let samples = law.samples(200, using: &random)
    let found = distance(fitMixture(2, samples).logProbabilities)
    #expect(found > 0 && found < 0.08)
    #expect(found < distance(countedLogProbabilities(samples, bins: law.bins, adding: 1)) - 0.06)
    #expect(distance(countedLogProbabilities(samples, bins: law.bins)) == .infinity)
  }

  @Test(
    "Samples of the fitted mixture have the law's shares of bins, by χ² at a false-alarm rate of 1e-6 plus the model's own distance",
    .solved("Likelihood.1", "Likelihood.2", "Likelihood.3", "Likelihood.4"))
  func samplesFollowTheLaw() {
    var random = Random(seed: 9)
    let model = fitMixture(4, law.samples(20_000, using: &random))
    let count = 5000
    let logits = model.logProbabilities.detached().reshaped(to: [1, law.bins]).broadcast(to: [count, law.bins])
    let drawn = IndexTensor.categorical(logits: logits, using: &random)
    // Ten groups of ten bins, of which those that nearly never happen are put together.
    var groups = [(found: Double, expected: Double)](repeating: (0, 0), count: 10)
    for bin in drawn.scalars { groups[Int(bin) / 10].found += 1 }
    for (bin, p) in law.probabilities.enumerated() { groups[bin / 10].expected += p * Double(count) }
    let large = groups.filter { $0.expected >= 20 }
    let statistic = large.reduce(0) { $0 + ($1.found - $1.expected) * ($1.found - $1.expected) / $1.expected }
    // χ² with 9 degrees exceeds 45 with probability 9e-7; a distance of KL adds about 2·count·KL.
    #expect(statistic < 45 + 2 * Double(count) * 0.004)
  }
}

@Suite("Lesson01-Likelihood: the command")
struct LikelihoodCommandTests {
  @Test(
    "The same seed gives the same numbers, and another seed gives others",
    .solved("Likelihood.1", "Likelihood.2", "Likelihood.3", "Likelihood.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson01-Likelihood")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "20"]
    #expect(try runner.run(["--out", "one"] + options).status == 0)
    #expect(try runner.run(["--out", "two"] + options).status == 0)
    #expect(try runner.run(["--out", "other", "--seed", "2"] + options).status == 0)
    let one = try runner.measurements(in: "one")
    #expect(one.count == 8)
    #expect(try runner.measurements(in: "two") == one)
    #expect(try runner.measurements(in: "other") != one)
  }
}
