import LessonKit
import Testing

@testable import Lesson03_IAF

@MainActor
@Suite("Lesson03-IAF: identity")
struct IAFIdentityTests {
  /// A flow far from the identity.
  private func flow(_ dimension: Int, steps: Int, seed: UInt64 = 1) -> IAF {
    var random = Random(seed: seed)
    return shakenFlow(dimension: dimension, steps: steps, using: &random)
  }

  @Test("A step by hand: μ + σ z, and a σ of 2 doubles the volume", .solved("IAF.1"))
  func stepByHand() {
    let (z, logDeterminant) = inverseAutoregressiveStep(
      Tensor([[3, 1], [0, -2]]), mu: Tensor([[1, 1], [1, 0]]), logSigma: Tensor([[log(2), 0], [0, -log(4)]]))
    #expect(zip(z.scalars, [7, 2, 1, -0.5]).allSatisfy { abs($0 - $1) < 1e-5 })
    let expected: [Float] = [log(2), -log(4)]
    #expect(zip(logDeterminant.scalars, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("μᵢ and σᵢ depend on each coordinate before i, and on no other", arguments: [1, 2, 3, 5])
  func masks(dimension: Int) {
    let network = flow(dimension, steps: 1).steps[0]
    var random = Random(seed: 2)
    let z = Tensor.normal([1, dimension], using: &random)
    for i in 0..<dimension {
      for part in 0..<2 {
        let slope = gradient(at: z) { z in
          let (shift, logScale) = network(z)
          return (part == 0 ? shift : logScale).sliced(i..<i + 1, axis: 1).sum() + z.sum() * 0
        }
        for (j, value) in slope.scalars.enumerated() { #expect(j < i ? abs(value) > 1e-5 : value == 0) }
      }
    }
  }

  @Test(
    "Both readings pass the battery in dimensions 1, 2, 3, 5: the IAF's density from x, the MAF's from u",
    .solved("IAF.1", "IAF.2", "IAF.4"), arguments: [1, 2, 3, 5])
  func battery(dimension: Int) {
    let flow = flow(dimension, steps: 3, seed: UInt64(dimension))
    let maf = MAF(of: flow)
    FlowBattery(
      name: "IAF from x to ε", dimension: dimension,
      forward: { x in
        let noise = maf.sample(x)
        return (noise, -flow(noise).logDeterminant)
      }, inverse: { flow($0).x }, logProbability: flow.logProbability, support: -24..<24
    ).check()
    FlowBattery(
      name: "the same weights as a MAF", dimension: dimension,
      forward: { x in
        let (u, logDeterminant) = flow(x)
        return (u, logDeterminant)
      }, inverse: maf.sample, logProbability: maf.logProbability, support: -24..<24
    ).check()
  }

  @Test(
    "The log q that comes with a sample is the density at that point found from outside",
    .solved("IAF.1", "IAF.2", "IAF.4"))
  func densityOfSamples() {
    let flow = flow(3, steps: 3)
    var random = Random(seed: 3)
    let (x, logQ) = flow.sample(.normal([50, 3], using: &random))
    #expect(abs(flow.logProbability(of: x) - logQ).max().scalar < 1e-3)
  }

  @Test(
    "Reverse KL from a normal law to a normal law times a constant is the closed form less ln Z",
    .solved("IAF.1", "IAF.2", "IAF.3"))
  func divergenceOfNormals() {
    var random = Random(seed: 4)
    let flow = IAF(dimension: 2, steps: 1, hidden: [4], using: &random)
    // x₂ = 0.5 + 2 ε₁ and x₁ = −1 + ½ ε₂, since the coordinates are reversed.
    let raw: Float = 0.75 * log((1.5 + log(2)) / (1.5 - log(2)))  // 1.5 tanh(raw/1.5) = ln 2
    flow.steps[0].output.bias = Tensor([0.5, -1, raw, -raw])
    let (scale, constant): (Float, Float) = (3, 0.7)
    func target(_ x: Tensor) -> Tensor {
      Normal(mean: .zeros(x.shape), logScale: Tensor(repeating: log(scale), shape: x.shape)).logProbability(of: x)
        + constant
    }
    let noise = Tensor.normal([200_000, 2], using: &random)
    let value = reverseDivergence(flow, from: target, beta: 1, noise: noise).scalar
    // At β = 0 it is minus the entropy, 1 + ln 2π since the two σ cancel; the target has no part in it.
    let hot = reverseDivergence(flow, from: target, beta: 0, noise: noise).scalar
    #expect(abs(hot + 1 + log(2 * .pi)) < 0.012)  // its standard error is 1/√200,000 = 0.0022
    // Σ ln(3/σ) + (σ² + μ²)/18 − ½ over σ = 2, ½ and μ = ½, −1.
    let closed = 2 * log(scale) + (4 + 0.25 + 0.25 + 1) / 18 - 1 - constant
    #expect(abs(value - closed) < 0.01)  // its standard error is below 0.002: 5 of them, 6e-7
  }

  @Test("ln σ stays within ±1.5 however large the network's output", arguments: [Float(-50), 50])
  func boundedScale(bias: Float) {
    let network = flow(3, steps: 1).steps[0]
    network.output.bias = Tensor([Float](repeating: bias, count: 6))
    let (mu, logSigma) = network(Tensor([[0.1, -3, 8]]))
    #expect(abs(abs(logSigma) - 1.5).max().scalar < 1e-5 && (logSigma * bias).min().scalar > 0)
    #expect((mu * bias).min().scalar > 1000)
  }

  @Test(
    "Stragglers: only a sample with an energy above 30 nats is pulled, down the energy's gradient", .solved("IAF.1"))
  func pull() {
    var random = Random(seed: 6)
    let flow = IAF(dimension: 2, steps: 2, hidden: [4], using: &random)  // the identity as yet
    func target(_ x: Tensor) -> Tensor { square(x).sum(axis: 1) * -0.5 }
    let noise = Tensor([[10, 0], [0, 7]])
    #expect(abs(stragglers(flow, from: target, noise: noise).scalar - (50 - 30) / 2) < 1e-4)
    #expect(gradient(at: noise) { stragglers(flow, from: target, noise: $0) }.scalars == [5, 0, 0, 0])
  }

  @Test(
    "Both gradients of the reverse KL agree, and both vanish where q is the target",
    .solved("IAF.1", "IAF.2", "IAF.3", "IAF.4"))
  func gradientsAgree() {
    let flow = flow(2, steps: 2)
    let law = flow.logProbability
    func target(_ x: Tensor) -> Tensor { Normal.standard(x.shape).logProbability(of: x) }
    var random = Random(seed: 5)
    let noise = Tensor.normal([100_000, 2], using: &random)
    let biases = flow.steps.map(\.output.bias)
    let path = gradients(of: reverseDivergence(flow, from: target, beta: 1, noise: noise), withRespectTo: biases)
    let score = gradients(
      of: scoreSurrogate(flow, from: target, beta: 1, noise: noise, limit: .infinity), withRespectTo: biases)
    let own = gradients(
      of: scoreSurrogate(flow, from: { law($0).detached() }, beta: 1, noise: noise), withRespectTo: biases)
    for index in biases.indices {
      #expect(abs(path[index]).max().scalar > 0.1)
      #expect(abs(path[index] - score[index]).max().scalar < 0.05)  // standard errors of below 0.01
      #expect(abs(own[index]).max().scalar < 1e-3)
    }
  }
}

@MainActor
@Suite("Lesson03-IAF: learning and samples")
struct IAFLearningTests {
  /// A tempered start as in the lesson, smaller, and a polish.
  private func fit(seed: UInt64) -> IAF {
    var random = Random(seed: seed)
    let flow = IAF(dimension: 2, steps: 8, hidden: [24], using: &random)
    let target = TwoMoonsEnergy().unnormalizedLogProbability
    for (steps, isFirst) in [(700, true), (350, false)] {
      var optimizer = Adam(flow.parameters)
      let schedule = Schedule.cosine(from: isFirst ? 5e-3 : 3e-3, to: isFirst ? 3e-3 : 0, steps: steps)
      for step in 0..<steps {
        let (noise, part) = (Tensor.normal([200, 2], using: &random), Float(step) / Float(steps))
        optimizer.learningRate = schedule(step)
        if isFirst {
          optimizer.minimize(reverseDivergence(flow, from: target, beta: 0.1 * pow(5, part), noise: noise))
        } else {
          let loss = scoreSurrogate(flow, from: target, beta: min(1, 0.5 * pow(2, 2 * part)), noise: noise)
          optimizer.minimize(loss + stragglers(flow, from: target, noise: noise), clippingToNorm: 1)
        }
      }
    }
    return flow
  }

  @Test(
    "Two crescents: the bound comes near −ln Z and never crosses it, with at least 30 % on each side; q is a density",
    .solved("IAF.1", "IAF.2", "IAF.3", "IAF.4"))
  func crescents() {
    let law = TwoMoonsEnergy()
    #expect(abs(law.logNormalizer - 0.8042) < 5e-5)
    let flow = fit(seed: 1)
    var random = Random(seed: 100)
    let noise = Tensor.normal([20_000, 2], using: &random)
    let (x, logQ) = withoutGradients { flow.sample(noise) }
    let bound = Estimate(logQ - law.unnormalizedLogProbability(of: x))
    #expect(bound.mean < -0.6)
    #expect(Double(bound.mean) > -law.logNormalizer - 3 * Double(bound.standardError))
    let left = (x.sliced(0..<1, axis: 1) .< 0).mean().scalar
    #expect(left > 0.3 && left < 0.7)

    // The same weights as a MAF undo it, and ∫q = 1 over a grid.
    let back = withoutGradients { MAF(of: flow).sample(x) }
    #expect(abs(back - noise).max().scalar < 3e-4)
    let grid = WarpedGrid.points(xRange: -3.98...3.98, yRange: -3.98...3.98, rows: 200, columns: 200)
    let density = exp(withoutGradients { flow.logProbability(of: grid) })
    #expect(abs(density.scalars.reduce(0) { $0 + Double($1) } * 0.0016 - 1) < 0.005)

    // Samples against the law's: the radius, whose mean and deviation the law has as 2.0 and .2 or nearly so.
    let exact = law.samples(20_000, using: &random)
    let radii = [x, exact].map { sqrt(square($0).sum(axis: 1)) }
    #expect(abs(radii[0].mean().scalar - radii[1].mean().scalar) < 0.05)
    #expect(abs(radii[0].variance().scalar - radii[1].variance().scalar) < 0.05)
  }
}

@Suite("Lesson03-IAF: the command")
struct IAFCommandTests {
  @Test(
    "The same seed gives the same numbers, and another seed gives others", .solved("IAF.1", "IAF.2", "IAF.3", "IAF.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson03-IAF")
    defer { runner.remove() }
    for (out, seed) in [("one", "1"), ("again", "1"), ("other", "2")] {
      #expect(try runner.run(["--quick", "--epochs", "1", "--seed", seed, "--out", out]).status == 0)
    }
    let one = try runner.measurements(in: "one")
    #expect(one.count == 8)
    #expect(try runner.measurements(in: "again") == one)
    #expect(try runner.measurements(in: "other") != one)
  }
}
