import LessonKit
import Testing

@testable import Lesson03_RealNVP

@MainActor
@Suite("Lesson03-RealNVP: identity")
struct RealNVPIdentityTests {
  /// Gives every network's last layer, and every running average, values that do something.
  private func stir(_ model: some Module, by amplitude: Float = 0.4, using random: inout Random) {
    for named in model.parameters where named.parameter.wrappedValue.scalars.allSatisfy({ $0 == 0 }) {
      named.parameter.wrappedValue = .uniform(
        named.parameter.wrappedValue.shape, in: -amplitude..<amplitude, using: &random)
    }
    for named in model.untrained where named.name.hasSuffix("mean") {
      named.cell.wrappedValue = .uniform(named.cell.wrappedValue.shape, in: -0.5..<0.5, using: &random)
    }
    for named in model.untrained where named.name.hasSuffix("variance") {
      named.cell.wrappedValue = .uniform(named.cell.wrappedValue.shape, in: 0.6..<1.6, using: &random)
    }
  }

  /// The battery for a layer on examples of any shape.
  private func check(_ name: String, _ layer: some FlowLayer, shape: [Int], points: Int = 24) {
    FlowBattery(
      name: name, dimension: shape.reduce(1, *),
      forward: { x in
        let (y, logDeterminant) = layer(x.reshaped(to: [x.shape[0]] + shape), .forward)
        return (y.reshaped(to: x.shape), logDeterminant)
      },
      inverse: { z in layer(z.reshaped(to: [z.shape[0]] + shape), .inverse).y.reshaped(to: z.shape) },
      pointCount: points
    ).check()
  }

  @Test(
    "The flow battery holds for couplings, batch normalisation and their chain", .solved("RealNVP.1", "RealNVP.4"),
    arguments: [1, 2, 3, 5])
  func layers(dimension: Int) {
    var random = Random(seed: 1)
    let chain = planarLayers(dimension: dimension, couplings: 4, hidden: [8, 8], using: &random)
    stir(chain, using: &random)
    check("coupling", chain.layers[0] as! AffineCoupling, shape: [dimension])
    check("batch normalisation", chain.layers[1] as! FlowBatchNorm, shape: [dimension])
    check("chain", chain, shape: [dimension])
  }

  @Test(
    "The flow battery holds for RealNVP on vectors, with its own density", .solved("RealNVP.1", "RealNVP.4"),
    arguments: [1, 2, 3, 5])
  func vectors(dimension: Int) {
    var random = Random(seed: 2)
    let chain = planarLayers(dimension: dimension, couplings: 4, hidden: [8, 8], using: &random)
    let model = RealNVP(scales: [chain], shapes: [[dimension]])
    stir(model, using: &random)
    FlowBattery(
      name: "RealNVP", dimension: dimension, forward: { model.encode($0) }, inverse: { model.decode($0) },
      logProbability: { model.logProbability(of: $0) }
    ).check()
  }

  @Test(
    "The flow battery holds for image layers and the multi-scale flow, also with three channels",
    .solved("RealNVP.1", "RealNVP.2", "RealNVP.3", "RealNVP.4"))
  func images() {
    var random = Random(seed: 3)
    FlowBattery(
      name: "squeeze", dimension: 24,
      forward: { x in
        let (y, logDeterminant) = Squeeze()(x.reshaped(to: [x.shape[0], 2, 4, 3]), .forward)
        return (y.reshaped(to: x.shape), logDeterminant)
      },
      inverse: { z in Squeeze()(z.reshaped(to: [z.shape[0], 1, 2, 12]), .inverse).y.reshaped(to: z.shape) },
      pointCount: 3
    ).check()
    check("batch normalisation of images", FlowBatchNorm(2), shape: [3, 2, 2], points: 6)
    for (channels, network) in [(1, NetworkKind.dense([10])), (3, .convolutional(channels: 4, layers: 2))] {
      let model = imageFlow(
        side: 4, channels: channels, counts: (3, 3, 4), network: network, isAffine: true, using: &random)
      stir(model, by: 0.1, using: &random)
      let shape = [4, 4, channels]
      FlowBattery(
        name: "multi-scale, \(channels) channels", dimension: shape.reduce(1, *),
        forward: { x in model.encode(x.reshaped(to: [x.shape[0]] + shape)) },
        inverse: { z in model.decode(z).reshaped(to: z.shape) },
        logProbability: { x in model.logProbability(of: x.reshaped(to: [x.shape[0]] + shape)) },
        points: 0.1..<0.9, pointCount: 6
      ).check()
    }
  }

  @Test("The logit's density integrates to 1 over 0…1, and its log-determinant is that of differences")
  func logit() {
    let layer = Logit(alpha: 0.05)
    for dimension in [1, 2] {
      // What α leaves out on both sides is the base's mass beyond ±logit(0.95) = ±2.944: 0.0032 for each axis.
      FlowBattery(
        name: "logit", dimension: dimension,
        forward: { x in
          let (y, logDeterminant) = layer(x, .forward)
          return (y, logDeterminant)
        }, inverse: { layer($0, .inverse).y },
        points: 0.05..<0.95, support: 0..<1, sumTolerance: 0.008
      ).check()
    }
  }

  @Test(
    "Squeezing puts blocks row by row into channels, as the library does, and unsqueezing undoes it",
    .solved("RealNVP.3"))
  func squeeze() {
    let x = Tensor((0..<16).map { Float($0) }, shape: [1, 4, 4, 1])
    #expect(squeezed(x, .forward).scalars == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
    var random = Random(seed: 4)
    let images = Tensor.uniform([2, 6, 4, 3], using: &random)
    #expect(squeezed(images, .forward).scalars == spaceToDepth(images, block: 2).scalars)
    #expect(squeezed(squeezed(images, .forward), .inverse).scalars == images.scalars)
  }

  @Test("A checkerboard alternates along both axes, whatever the width", .solved("RealNVP.2"))
  func mask() {
    #expect(checkerboard(height: 2, width: 4).scalars == [1, 0, 1, 0, 0, 1, 0, 1])
    #expect(checkerboard(height: 3, width: 3).scalars == [1, 0, 1, 0, 1, 0, 1, 0, 1])
    #expect(checkerboard(height: 2, width: 4).shape == [2, 4, 1])
  }

  @Test(
    "In training batch normalisation takes the newest batch into its averages, in use it does not",
    .solved("RealNVP.4"))
  func batchStatistics() {
    let layer = FlowBatchNorm(1, momentum: 0.5, epsilon: 0)
    let x = Tensor([1, 3, 5, 7], shape: [2, 2, 1, 1])  // mean 4, variance 5
    let (y, logDeterminant) = layer(x, .forward)
    // Half of mean 0 and variance 1, half of the batch's: mean 2 and variance 3.
    #expect(layer.mean.scalars == [2] && layer.variance.scalars == [3])
    #expect(zip(y.scalars, x.scalars).allSatisfy { abs($0 - ($1 - 2) / Float(3).squareRoot()) < 1e-6 })
    #expect(logDeterminant.scalars.allSatisfy { abs($0 + log(3)) < 1e-6 })  // 2 places, each −½ ln 3
    // In use the averages stay, and a second batch changes nothing.
    _ = inference { layer(x * 10, .forward) }
    #expect(layer.mean.scalars == [2])
  }

  @Test(
    "What the first scale sets aside stands first in z, and does not depend on the second",
    .solved("RealNVP.1", "RealNVP.2", "RealNVP.3", "RealNVP.4"))
  func scales() {
    var random = Random(seed: 5)
    let model = imageFlow(
      side: 4, channels: 1, counts: (3, 3, 4), network: .dense([10]), isAffine: true, using: &random)
    stir(model, using: &random)
    let x = Tensor.uniform([3, 4, 4, 1], in: 0.1..<0.9, using: &random)
    inference {
      let before = model.encode(x).z
      for named in model.scales[1].parameters {
        named.parameter.wrappedValue = named.parameter.wrappedValue + 0.3
      }
      let after = model.encode(x).z
      let (first, second) = (0..<8, 8..<16)
      #expect(before.sliced(first, axis: 1).scalars == after.sliced(first, axis: 1).scalars)
      #expect(before.sliced(second, axis: 1).scalars != after.sliced(second, axis: 1).scalars)
    }
  }

  @Test("The floor of a single mask is the sum of two Gaussians' entropies, here on Smiley")
  func singleMask() {
    // By a separate quadrature in NumPy, on 1001 × 901 points: 3.22643.
    #expect(abs(oneMaskFloor(of: Smiley()) - 3.2264) < 2e-3)
  }
}

@MainActor
@Suite("Lesson03-RealNVP: learning and samples")
struct RealNVPLearningTests {
  private func fit(_ law: any PlanarLaw, steps: Int, seed: UInt64, alternates: Bool = true) -> RealNVP {
    var random = Random(seed: seed)
    let model = RealNVP(
      scales: [
        planarLayers(dimension: 2, couplings: 6, hidden: [24, 24], alternates: alternates, using: &random)
      ], shapes: [[2]])
    var optimizer = Adam(model.parameters)
    let schedule = Schedule.cosine(from: 7e-3, steps: steps).warmedUp(steps: 30)
    for step in 0..<steps {
      optimizer.learningRate = schedule(step)
      optimizer.minimize(-model.logProbability(of: law.samples(256, using: &random)).mean(), clippingToNorm: 5)
    }
    return model
  }

  private func loss(_ model: RealNVP, _ law: any PlanarLaw, _ x: Tensor) -> Estimate {
    withoutGradients {
      inference { law.entropy + Estimate(law.logProbability(of: x) - model.logProbability(of: x)) }
    }
  }

  @Test(
    "TwoMoons: near the floor and not below it, z standard normal, samples where the law is",
    .solved("RealNVP.1", "RealNVP.4"))
  func twoMoons() {
    let law = TwoMoons()
    let model = fit(law, steps: 800, seed: 1)
    var random = Random(seed: 100)
    let x = law.samples(20_000, using: &random)
    let reached = loss(model, law, x)
    #expect(reached.mean < 1.15)
    #expect(Double(reached.mean) > law.entropy - 3 * Double(reached.standardError))
    let z = withoutGradients { inference { model.encode(x).z } }
    // Five standard errors of a moment of 20,000 points are 0.05; the model's own distance has as much again.
    for (moment, exact) in zip(moments(z), [0, 0, 1, 0, 1] as [Float]) { #expect(abs(moment - exact) < 0.1) }
    let drawn = withoutGradients { inference { model.decode(.normal([5000, 2], using: &random)) } }
    #expect(law.logProbability(of: drawn).scalars.count { $0 < -8 } < 400)
    let mean = drawn.mean(axis: 0).scalars
    #expect(abs(mean[0] - 0.5) < 0.1 && abs(mean[1] - 0.25) < 0.1)
  }

  @Test(
    "With one mask for all couplings Smiley stays above the floor of a single mask and comes near it",
    .solved("RealNVP.1", "RealNVP.4"))
  func badMask() {
    let law = Smiley()
    let model = fit(law, steps: 400, seed: 2, alternates: false)
    var random = Random(seed: 101)
    let reached = loss(model, law, law.samples(20_000, using: &random))
    #expect(Double(reached.mean) > oneMaskFloor(of: law) - 3 * Double(reached.standardError))
    #expect(Double(reached.mean) < oneMaskFloor(of: law) + 0.1)
  }

  @Test(
    "Digits: below the full-covariance Gaussian on the same split, noise and constant",
    .solved("RealNVP.1", "RealNVP.2", "RealNVP.3", "RealNVP.4"))
  func digits() throws {
    var (random, noise) = (Random(seed: 2), Random(seed: 3))
    let data = try Digits()
    let images = QuantizedImages(data.train, test: data.test, using: &random, noise: &noise)
    let gaussian = images.gaussian(using: &random)
    let model = imageFlow(
      side: 8, channels: 1, counts: (3, 3, 4), network: .dense([64]), isAffine: true, using: &random)
    var optimizer = AdamW(model.parameters, learningRate: 4e-3, weightDecay: 0.1)
    for _ in 0..<8 {
      for levels in images.train.batches(ofSize: 100, droppingLast: true, shuffledUsing: &random) {
        let noise = Tensor.uniform(levels.shape, using: &random)
        optimizer.minimize(images.bits(levels, noise) { model.logProbability(of: $0) }.mean(), clippingToNorm: 1)
      }
    }
    let bits = images.testBits { model.logProbability(of: $0) }
    let gain = Estimate(images.testBits { gaussian.logProbability(of: $0.reshaped(to: [-1, 64])) } - bits)
    #expect(gain.mean - 3 * gain.standardError > 0)
  }

  @Test("The same seed gives the same numbers, and another seed gives others", .solved("RealNVP.1", "RealNVP.4"))
  func reproducible() {
    func numbers(_ seed: UInt64) -> [Float] {
      inference {
        fit(TwoMoons(), steps: 20, seed: seed).logProbability(of: Tensor([[0, 0], [1, 0.5]])).scalars
      }
    }
    let first = numbers(5)
    #expect(numbers(5) == first)
    #expect(numbers(6) != first)
  }
}
