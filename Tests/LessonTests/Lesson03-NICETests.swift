import LessonKit
import Testing

@testable import Lesson03_NICE

@MainActor
@Suite("Lesson03-NICE: identity")
struct NICEIdentityTests {
  /// A model whose couplings, scales and units all do something.
  private func model(
    _ dimension: Int, prior: Prior = .logistic, couplings: Int = 4, seed: UInt64 = 1
  ) -> NICE {
    var random = Random(seed: seed)
    let model = NICE(
      centre: .uniform([dimension], in: -1..<1, using: &random),
      unit: .uniform([dimension], in: 0.7..<1.5, using: &random),
      couplings: couplings, hidden: [8, 8], prior: prior, dropout: 0.2, using: &random)
    model.s = .uniform([dimension], in: -0.5..<0.5, using: &random)
    for coupling in model.couplings {
      let last = coupling.m.layers.last as! Linear
      last.weight = .uniform(last.weight.shape, in: -0.5..<0.5, using: &random)
      last.bias = .uniform(last.bias.shape, in: -0.5..<0.5, using: &random)
    }
    return model
  }

  @Test("The flow battery holds for NICE with both priors", .solved("NICE.1", "NICE.2"), arguments: [1, 2, 3, 5])
  func flow(dimension: Int) {
    for prior in [Prior.logistic, .gaussian] {
      let model = model(dimension, prior: prior)
      FlowBattery(
        name: "NICE, \(prior)", dimension: dimension,
        forward: { x in
          // log p(x) less the prior's is the log-determinant that the model claims.
          let h = model.encode(x)
          return (h, model.logProbability(of: x) - prior.law(h.shape).logProbability(of: h))
        },
        inverse: { model.decode($0) }, logProbability: { model.logProbability(of: $0) },
        // The logistic's tails hold 2e-3 beyond ±7.6 of its scales.
        support: -30..<30, sumTolerance: 2e-3
      ).check()
    }
  }

  @Test("The flow battery holds for a single coupling with either mask", .solved("NICE.1"), arguments: [1, 2, 3, 5])
  func coupling(dimension: Int) {
    for layer in model(dimension, couplings: 2).couplings {
      FlowBattery(
        name: "coupling", dimension: dimension, forward: { (layer($0, .forward), .zeros([$0.shape[0]])) },
        inverse: { layer($0, .inverse) }
      ).check()
    }
  }

  @Test("A coupling by hand: (2, 3) becomes (2, 3 + 2²), and back", .solved("NICE.1"))
  func couplingByHand() {
    let mask = Tensor([1, 0])
    let y = coupled(Tensor([[2, 3]]), mask: mask, .forward) { square($0.sum(axis: 1, keepingAxes: true)) }
    #expect(y.scalars == [2, 7])
    let x = coupled(y, mask: mask, .inverse) { square($0.sum(axis: 1, keepingAxes: true)) }
    #expect(x.scalars == [2, 3])
  }

  @Test("Every dimension can act on every other through four couplings, and not through two", .solved("NICE.1"))
  func reach() {
    func jacobian(_ couplings: Int) -> [[Float]] {
      let model = model(5, couplings: couplings, seed: 3)
      let x = Tensor([[0.3, -0.2, 0.5, 0.1, -0.4]])
      return inference {
        (0..<5).map { j in gradient(at: x) { model.encode($0).sliced(j..<j + 1, axis: 1).sum() }.scalars }
      }
    }
    #expect(jacobian(4).allSatisfy { $0.allSatisfy { $0 != 0 } })
    #expect(jacobian(2).flatMap { $0 }.contains(0))
  }

  @Test(
    "A uniform density costs log₂ 17 bits/dim, and cells of an exact histogram their own probability",
    .solved("NICE.3"))
  func bits() {
    var random = Random(seed: 4)
    let levels = floor(.uniform([50, 3], in: 0..<17, using: &random))
    let noise = Tensor.uniform([50, 3], using: &random)
    let uniform = bitsPerDimension(levels: levels, noise: noise, levelCount: 17) { .zeros([$0.shape[0]]) }
    #expect(uniform.scalars.allSatisfy { abs($0 - 4.087_463) < 1e-5 })
    // A density that is constant on each cell: P(level) ∝ level + 1, so that p(x) = 17 P there.
    let exact = bitsPerDimension(levels: levels, noise: noise, levelCount: 17) { x in
      log((floor(x * 17) + 1) / 153 * 17).sum(axis: 1)
    }
    let expected = (log((levels + 1) / 153) / -log(2)).mean(axis: 1)
    #expect(zip(exact.scalars, expected.scalars).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test("Inpainting finds the conditional mode of a Gaussian and leaves the known places alone", .solved("NICE.4"))
  func inpainting() {
    let law = MultivariateNormal(mean: Tensor([[0.5, 0.5]]), covariance: Tensor([[0.04, 0.03], [0.03, 0.04]]))
    var x = Tensor([[0.7, 0.1]])
    for _ in 0..<400 {
      x = inpainted(x, hidden: Tensor([0, 1]), rate: Tensor([1e-3, 1e-3]), noise: .zeros([1, 2])) {
        law.logProbability(of: $0)
      }
    }
    #expect(x.scalars[0] == 0.7)
    #expect(abs(x.scalars[1] - 0.65) < 1e-3)  // ½ + ¾ · 0.2
  }

  @Test(
    "The volume floor is the entropy where the law is the prior's own, and the closed form where the prior is Gaussian")
  func volumeFloor() {
    // A round Gaussian: the floor is its entropy, ln 2πe + 2 ln σ.
    let round = LinearGaussian(mean: [0, 0], weights: [[0], [0]], noise: [0.5, 0.5])
    #expect(abs(volumePreservingFloor(of: Round(law: round), prior: .gaussian) - 1.451_583) < 3e-3)
    // With a Gaussian prior: 1 + ln E[area as dense as x or denser], summed independently on a grid in NumPy.
    #expect(abs(volumePreservingFloor(of: TwoMoons(), prior: .gaussian) - 1.0434) < 2e-3)
    #expect(abs(volumePreservingFloor(of: TwoMoons(), prior: .logistic) - 1.0900) < 2e-3)
    #expect(abs(volumePreservingFloor(of: Smiley(), prior: .logistic) - 1.3901) < 2e-3)
  }

  /// A Gaussian as a law of the plane.
  private struct Round: PlanarLaw {
    let law: LinearGaussian
    let mean = [0.0, 0.0]
    let covariance = [[0.25, 0.0], [0.0, 0.25]]
    var entropy: Double { law.entropy }
    func samples(_ count: Int, using random: inout Random) -> Tensor { law.samples(count, using: &random) }
    func logProbability(of samples: Tensor) -> Tensor { law.logProbability(of: samples) }
  }
}

@MainActor
@Suite("Lesson03-NICE: learning and samples")
struct NICELearningTests {
  private func fit(_ law: TwoMoons, prior: Prior, steps: Int, seed: UInt64) -> NICE {
    var random = Random(seed: seed)
    let model = NICE(
      centre: Tensor(law.mean.map { Float($0) }), unit: .ones([2]), couplings: 12, hidden: [24, 24], prior: prior,
      using: &random)
    var optimizer = Adam(model.parameters)
    let schedule = Schedule.cosine(from: 1e-2, steps: steps).warmedUp(steps: 30)
    for step in 0..<steps {
      optimizer.learningRate = schedule(step)
      optimizer.minimize(-model.logProbability(of: law.samples(128, using: &random)).mean(), clippingToNorm: 5)
    }
    return model
  }

  @Test(
    "TwoMoons: above its volume floor, far below one Gaussian; z standard normal; samples fall where the law is",
    .solved("NICE.1", "NICE.2"))
  func twoMoons() {
    let law = TwoMoons()
    let model = fit(law, prior: .gaussian, steps: 900, seed: 1)
    var random = Random(seed: 100)
    let x = law.samples(20_000, using: &random)
    let loss = law.entropy + Estimate(law.logProbability(of: x) - withoutGradients { model.logProbability(of: x) })
    #expect(loss.mean < 1.25)
    #expect(Double(loss.mean) > volumePreservingFloor(of: law, prior: .gaussian) - 3 * Double(loss.standardError))
    let h = withoutGradients { model.encode(x) }
    let found = moments(h, .gaussian)
    // Five standard errors of a moment of 20,000 points are 0.05; the model's own distance has as much again.
    for (moment, exact) in zip(found, [0, 0, 1, 0, 1] as [Float]) { #expect(abs(moment - exact) < 0.1) }
    // −log p of the law at the model's samples is larger than the entropy by a KL that is small; false alarms below 1e-6.
    let drawn = withoutGradients { model.samples(5000, using: &random) }
    let share = drawn.shape[0] - law.logProbability(of: drawn).scalars.count { $0 < -8 }
    #expect(share > 4500)
    let mean = drawn.mean(axis: 0).scalars
    #expect(abs(mean[0] - 0.5) < 0.1 && abs(mean[1] - 0.25) < 0.1)
  }

  @Test(
    "Digits: below the full-covariance Gaussian on the same split, noise and constant",
    .solved("NICE.1", "NICE.2", "NICE.3"))
  func digits() throws {
    var (random, noise) = (Random(seed: 2), Random(seed: 3))
    let data = try Digits()
    let images = QuantizedImages(data.train, test: data.test, using: &random, noise: &noise)
    let (mean, covariance) = images.moments(using: &random)
    let gaussian = images.gaussian(mean: mean, covariance: covariance)
    let variance = gaussian.variance.reshaped(to: [64])
    let model = NICE(
      centre: mean.reshaped(to: [64]), unit: sqrt(variance + 0.014), couplings: 4, hidden: [96, 96], dropout: 0.1,
      using: &random)
    model.s = log(1.8 * model.unit / sqrt(variance))
    var optimizer = AdamW(model.parameters, learningRate: 3e-3, weightDecay: 0.1)
    for _ in 0..<25 {
      for levels in images.train.batches(ofSize: 100, droppingLast: true, shuffledUsing: &random) {
        let noise = Tensor.uniform(levels.shape, using: &random)
        let bits = bitsPerDimension(levels: levels, noise: noise, levelCount: 17) { model.logProbability(of: $0) }
        optimizer.minimize(bits.mean(), clippingToNorm: 1)
      }
    }
    let gain = Estimate(
      images.testBits { gaussian.logProbability(of: $0) } - images.testBits { model.logProbability(of: $0) })
    #expect(gain.mean - 3 * gain.standardError > 0)
  }

  @Test("The same seed gives the same numbers, and another seed gives others", .solved("NICE.1", "NICE.2"))
  func reproducible() {
    func numbers(_ seed: UInt64) -> [Float] {
      let model = fit(TwoMoons(), prior: .logistic, steps: 20, seed: seed)
      return model.logProbability(of: Tensor([[0, 0], [1, 0.5]])).scalars
    }
    let first = numbers(5)
    #expect(numbers(5) == first)
    #expect(numbers(6) != first)
  }
}
