import LessonKit
import Testing

@testable import Lesson03_MAF

@MainActor
@Suite("Lesson03-MAF: identity")
struct MAFIdentityTests {
  /// A flow far from the identity.
  private func flow(_ dimension: Int, steps: Int, seed: UInt64 = 1) -> MAF {
    var random = Random(seed: seed)
    let flow = MAF(dimension: dimension, steps: steps, hidden: [12, 12], using: &random)
    for network in flow.steps { shake(network, using: &random) }
    return flow
  }

  @Test("A step by hand: u = (x − μ)/e^α, and a scale of 2 halves the volume", .solved("MAF.1"))
  func stepByHand() {
    let (u, logDeterminant) = autoregressiveStep(
      Tensor([[3, 1], [0, -2]]), mu: Tensor([[1, 1], [1, 0]]), alpha: Tensor([[log(2), 0], [0, log(4)]]))
    #expect(zip(u.scalars, [1, 0, -1, -0.5]).allSatisfy { abs($0 - $1) < 1e-6 })
    let halved: [Float] = [-log(2), -log(4)]
    #expect(zip(logDeterminant.scalars, halved).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("μᵢ and αᵢ depend on each coordinate before i, and on no other", arguments: [1, 2, 3, 5])
  func masks(dimension: Int) {
    let network = flow(dimension, steps: 1).steps[0]
    var random = Random(seed: 2)
    let x = Tensor.normal([1, dimension], using: &random)
    for i in 0..<dimension {
      for part in 0..<2 {
        let slope = gradient(at: x) { x in
          let (shift, logScale) = network(x)
          return (part == 0 ? shift : logScale).sliced(i..<i + 1, axis: 1).sum() + x.sum() * 0
        }
        for (j, value) in slope.scalars.enumerated() { #expect(j < i ? abs(value) > 1e-4 : value == 0) }
      }
    }
  }

  @Test(
    "A step and a stack pass the battery in dimensions 1, 2, 3, 5", .solved("MAF.1", "MAF.2", "MAF.3", "MAF.4"),
    arguments: [1, 2, 3, 5])
  func battery(dimension: Int) {
    for steps in [1, 2] {
      let flow = flow(dimension, steps: steps, seed: UInt64(dimension))
      FlowBattery(
        name: "MAF of \(steps) steps", dimension: dimension,
        forward: { x in
          let (u, logDeterminant) = flow(x)
          return (u, logDeterminant)
        }, inverse: flow.inverse,
        logProbability: flow.logProbability, support: -24..<24
      ).check()
    }
  }

  @Test(
    "In one dimension a step is a normal law with the output's biases as mean and log-scale",
    .solved("MAF.1", "MAF.3", "MAF.4"))
  func oneDimension() {
    let flow = flow(1, steps: 1)
    let bias = flow.steps[0].output.bias.scalars
    let x = Tensor([[-1], [0], [2.5]])
    let normal = Normal(mean: Tensor([[bias[0]]]), logScale: Tensor([[bias[1]]]))
    for (one, other) in zip(flow.logProbability(of: x).scalars, normal.logProbability(of: x).scalars) {
      #expect(abs(one - other) < 1e-5)
    }
  }

  @Test("Two steps see both orders: every coordinate of u depends on every one of x", .solved("MAF.1", "MAF.3"))
  func reversedOrders() {
    let x = Tensor([[0.3, -0.7, 0.2]])
    for (steps, full) in [(1, false), (2, true)] {
      let flow = flow(3, steps: steps)
      let slopes = (0..<3).map { i in gradient(at: x) { flow($0).u.sliced(i..<i + 1, axis: 1).sum() }.scalars }
      #expect(slopes.allSatisfy { $0.allSatisfy { abs($0) > 1e-5 } } == full)
    }
  }

  @Test("The turned parabolas: a rotation, a density that integrates to 1, the entropy and the baseline as stated")
  func parabolas() throws {
    let law = Parabolas.turned(pairs: 3)
    let rotation = try #require(law.rotation)
    let product = matmul(rotation, rotation, transposingSecond: true).scalars
    for (index, value) in product.enumerated() { #expect(abs(value - (index % 7 == 0 ? 1 : 0)) < 1e-5) }
    // ∫p and −∫p ln p of one pair by the trapezoidal rule at a tenth of the least deviation.
    let grid = WarpedGrid.points(xRange: -8...40, yRange: -12...12, rows: 241, columns: 481)
    let logs = Parabolas.pair.logProbability(of: grid).scalars.map(Double.init)
    let cell = 0.01
    #expect(abs(logs.reduce(0) { $0 + exp($1) } * cell - 1) < 1e-4)
    let entropy = -logs.reduce(0) { $0 + exp($1) * $1 } * cell
    #expect(abs(entropy - Parabolas.pair.entropy) < 1e-3)
    #expect(abs(law.entropy - 3 * entropy) < 3e-3 && abs(law.entropy - 10.5930) < 1e-4)
    // Samples: −log p has mean 10.593, and their covariance the determinant of diag(3, 4) three times.
    var random = Random(seed: 4)
    let x = law.samples(50_000, using: &random)
    let loss = Estimate(-law.logProbability(of: x))
    #expect(abs(Double(loss.mean) - law.entropy) < 5 * Double(loss.standardError))  // a false alarm: 6e-7
    let centred = x - x.mean(axis: 0)
    let (sign, logMagnitude) = logDeterminant(matmul(centred, centred, transposingFirst: true) / 50_000)
    #expect(sign.scalar == 1)
    // The logarithm of three determinants, each of two variances with a relative error of below 2 %: 5 errors.
    #expect(abs(Double(logMagnitude.scalar) - 3 * log(12)) < 0.25)
    #expect(abs(law.gaussianEntropy - (3 * (log(2 * .pi) + 1) + 1.5 * log(12))) < 1e-9)
  }
}

@MainActor
@Suite("Lesson03-MAF: learning and samples")
struct MAFLearningTests {
  private func fit(_ law: any Law<Tensor>, steps: Int, hidden: [Int], batches: Int, seed: UInt64) -> MAF {
    var random = Random(seed: seed)
    let model = MAF(
      dimension: law.samples(1, using: &random).shape[1], steps: steps, hidden: hidden, using: &random)
    var optimizer = Adam(model.parameters)
    let schedule = Schedule.cosine(from: 8e-3, steps: batches)
    for step in 0..<batches {
      optimizer.learningRate = schedule(step)
      optimizer.minimize(-model.logProbability(of: law.samples(200, using: &random)).mean(), clippingToNorm: 5)
    }
    return model
  }

  private func gap(_ model: MAF, _ law: any Law<Tensor>, seed: UInt64) -> Estimate {
    var random = Random(seed: seed)
    let x = law.samples(10_000, using: &random)
    return Estimate(law.logProbability(of: x) - withoutGradients { model.logProbability(of: x) })
  }

  @Test(
    "Two moons: near the floor, never below it, u standard normal, samples with the law's moments",
    .solved("MAF.1", "MAF.2", "MAF.3", "MAF.4"))
  func moons() {
    let law = TwoMoons()
    let model = fit(law, steps: 6, hidden: [24], batches: 1500, seed: 1)
    let gap = gap(model, law, seed: 100)
    #expect(gap.mean < 0.15)
    #expect(gap.mean > -3 * gap.standardError)
    #expect(law.entropy + Double(gap.mean) < law.gaussianEntropy - 0.7)

    // Moments of u and of samples: 5 standard errors, and .1 for the model's own distance.
    var random = Random(seed: 7)
    let u = withoutGradients { model(law.samples(20_000, using: &random)).u }
    let x = model.samples(20_000, using: &random)
    for (points, mean, covariance) in [(u, [0, 0], [[1, 0], [0, 1]]), (x, law.mean, law.covariance)] {
      let centred = points - points.mean(axis: 0)
      let measured = (matmul(centred, centred, transposingFirst: true) / 20_000).scalars
      for (one, other) in zip(points.mean(axis: 0).scalars, mean) { #expect(abs(Double(one) - other) < 0.1 + 0.035) }
      for (one, other) in zip(measured, covariance.flatMap { $0 }) { #expect(abs(Double(one) - other) < 0.1 + 0.05) }
    }
    // Samples lie where the law is: fewer than 5 % where its density is below a hundredth of its mean.
    let outside = law.logProbability(of: x) .< -Float(law.entropy) - 4.6
    #expect(outside.mean().scalar < 0.05)
  }

  @Test(
    "In the wrong order one step stays far from the parabola and five come near it", .solved("MAF.1", "MAF.3", "MAF.4"))
  func orders() {
    let one = gap(fit(Parabolas.pair, steps: 1, hidden: [24], batches: 500, seed: 2), Parabolas.pair, seed: 101)
    let five = gap(fit(Parabolas.pair, steps: 5, hidden: [24], batches: 700, seed: 2), Parabolas.pair, seed: 101)
    #expect(one.mean > 0.25 && one.mean < 0.55)
    #expect(five.mean < 0.08 && five.mean > -3 * five.standardError)
  }

  @Test(
    "Six dimensions in which no order is right: within 0.3 nats of the floor after 500 batches",
    .solved("MAF.1", "MAF.3", "MAF.4"))
  func sixDimensions() {
    let law = Parabolas.turned(pairs: 3)
    let gap = gap(fit(law, steps: 4, hidden: [32], batches: 500, seed: 3), law, seed: 102)
    #expect(gap.mean < 0.3 && gap.mean > -3 * gap.standardError)
    #expect(law.entropy + Double(gap.mean) < law.gaussianEntropy - 1)
  }
}

@Suite("Lesson03-MAF: the command")
struct MAFCommandTests {
  @Test(
    "The same seed gives the same numbers, and another seed gives others", .solved("MAF.1", "MAF.2", "MAF.3", "MAF.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson03-MAF")
    defer { runner.remove() }
    for (out, seed) in [("one", "1"), ("again", "1"), ("other", "2")] {
      #expect(try runner.run(["--quick", "--epochs", "1", "--seed", seed, "--out", out]).status == 0)
    }
    let one = try runner.measurements(in: "one")
    #expect(one.count == 5)
    #expect(try runner.measurements(in: "again") == one)
    #expect(try runner.measurements(in: "other") != one)
  }
}
