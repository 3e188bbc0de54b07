import LessonKit
import Testing

@testable import Lesson04_VAE

@MainActor
@Suite("Lesson04-VAE: identity")
struct VAEIdentityTests {
  @Test("The Gaussian KL is the closed form, by hand and by the library", .solved("VAE.1"))
  func gaussianKLByHand() {
    // −½(1 + ln 4 − 9 − 4) and 0, summed over the two codes of the first example.
    let mean = Tensor([[3, 0], [0, 0]])
    let logVariance = Tensor([[log(4), 0], [0, 0]])
    let divergence = gaussianKL(mean: mean, logVariance: logVariance)
    #expect(abs(divergence.scalars[0] - 5.306_853) < 1e-5)
    #expect(divergence.scalars[1] == 0)
    let library = klDivergence(Normal(mean: mean, logVariance: logVariance), .standard([2, 2]))
    #expect(zip(divergence.scalars, library.scalars).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("Reparameterised samples carry gradients 1 to the mean and ½σε to the log-variance", .solved("VAE.2"))
  func reparameterizationGradients() {
    let noise = Tensor([[0.5, -2, 1]])
    let mean = Tensor([[1, 2, 3]])
    let logVariance = Tensor([[0, log(4), log(9)]])
    #expect(reparameterized(mean: mean, logVariance: logVariance, noise: noise).scalars == [1.5, -2, 6])
    let toMean = gradient(at: mean) { reparameterized(mean: $0, logVariance: logVariance, noise: noise).sum() }
    let toVariance = gradient(at: logVariance) { reparameterized(mean: mean, logVariance: $0, noise: noise).sum() }
    #expect(toMean.scalars == [1, 1, 1])
    #expect(zip(toVariance.scalars, [0.25, -2, 1.5]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("Interpolation includes both ends and moves in equal steps", .solved("VAE.4"))
  func interpolationSteps() {
    let line = interpolated(from: Tensor([0, 4]), to: Tensor([2, 0]), steps: 5)
    #expect(line.shape == [5, 2])
    #expect(line.scalars == [0, 4, 0.5, 3, 1, 2, 1.5, 1, 2, 0])
  }

  /// x = w z + b + ε with one latent variable, whose posterior is N(Σ w (x−b)/d² / s, 1/s) with s = 1 + Σ w²/d².
  private func exactModel() -> (model: VAE, logProbability: ([Float]) -> Double) {
    var random = Random(seed: 1)
    let (w, b, d) = ([1.5, -0.5], [0.3, -0.2], [0.8, 1.2])
    let examples = Tensor.normal([10, 2], using: &random)
    let model = VAE(
      encoder: Encoder(inputs: 2, hidden: [], latents: 1, using: &random),
      decoder: GaussianDecoder(latents: 1, examples: examples, using: &random))
    let decoder = model.decoder as! GaussianDecoder
    decoder.mean.weight = Tensor([w.map(Float.init)])
    decoder.mean.bias = Tensor(b.map(Float.init))
    decoder.logScale = log(Tensor(d.map(Float.init)))
    let s = 1 + zip(w, d).reduce(0) { $0 + $1.0 * $1.0 / ($1.1 * $1.1) }
    let slope = zip(w, d).map { $0 / ($1 * $1) / s }
    model.encoder.mean.weight = Tensor(slope.map { [Float($0)] })
    model.encoder.mean.bias = Tensor([-Float(zip(slope, b).reduce(0) { $0 + $1.0 * $1.1 })])
    model.encoder.logVariance.weight = .zeros([2, 1])
    model.encoder.logVariance.bias = Tensor([-Float(log(s))])
    let law = LinearGaussian(mean: b, weights: w.map { [$0] }, noise: d)
    return (model, { Double(law.logProbability(of: Tensor([$0])).scalar) })
  }

  @Test("With the exact posterior as encoder one importance sample gives log p(x) exactly, whatever z is drawn")
  func exactPosteriorHasNoVariance() {
    let (model, logProbability) = exactModel()
    var random = Random(seed: 2)
    for x in [[0, 0], [1, -2], [-3, 4]] as [[Float]] {
      for _ in 0..<5 {
        let estimate = model.logLikelihood(Tensor([x]), samples: 1, using: &random).scalar
        #expect(abs(Double(estimate) - logProbability(x)) < 1e-4)
      }
    }
  }

  @Test(
    "The bound equals log p(x) for the exact posterior and lies KL(q‖posterior) below it for another encoder",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func gapIsDivergenceFromPosterior() {
    let (model, logProbability) = exactModel()
    var random = Random(seed: 3)
    let x: [Float] = [1, -2]
    let many = Tensor([x]).broadcast(to: [100_000, 2])
    let exact = model.bound(many, using: &random).elbo
    // Standard error 0.005: a false alarm at 5 of them, 6e-7.
    #expect(abs(Double(exact.mean().scalar) - logProbability(x)) < 5 * standardError(exact))
    // A posterior moved by one of its deviations: KL = ½.
    let deviation = exp(model.encoder.logVariance.bias * 0.5)
    model.encoder.mean.bias = model.encoder.mean.bias + deviation
    let shifted = model.bound(many, using: &random).elbo
    #expect(abs(Double(shifted.mean().scalar) - (logProbability(x) - 0.5)) < 5 * standardError(shifted))
  }

  @Test("One importance sample is the bound on average, and more samples lie between it and log p(x)")
  func importanceSamplesRise() {
    let (model, logProbability) = exactModel()
    // The exact posterior moved by one of its deviations: the ELBO is log p(x) − ½.
    model.encoder.mean.bias = model.encoder.mean.bias + exp(model.encoder.logVariance.bias * 0.5)
    var random = Random(seed: 9)
    let x: [Float] = [1, -2]
    let many = Tensor([x]).broadcast(to: [100_000, 2])
    // 5 standard errors: a false alarm at 6e-7.
    let one = model.logLikelihood(many, samples: 1, using: &random)
    #expect(abs(Double(one.mean().scalar) - (logProbability(x) - 0.5)) < 5 * standardError(one))
    let ten = model.logLikelihood(many.sliced(0..<20_000, axis: 0), samples: 10, using: &random)
    #expect(Double(ten.mean().scalar) > logProbability(x) - 0.25)
    #expect(Double(ten.mean().scalar) < logProbability(x) + 5 * standardError(ten))
  }

  @Test("Each code's KL by itself is the closed form, averaged over examples", .solved("VAE.1"))
  func divergencePerCode() {
    var random = Random(seed: 10)
    let model = VAE(
      encoder: Encoder(inputs: 2, hidden: [], latents: 3, using: &random),
      decoder: BernoulliDecoder(latents: 3, hidden: [], outputs: 2, using: &random))
    // μ = (x₁, 0, 0) and σ² = (1, 4, 1): KL ½·x₁² , ½ (4 − 1 − ln 4) and 0.
    model.encoder.mean.weight = Tensor([[1, 0, 0], [0, 0, 0]])
    model.encoder.logVariance.weight = .zeros([2, 3])
    model.encoder.logVariance.bias = Tensor([0, log(4), 0])
    let divergence = model.divergencePerCode(Tensor([[1, 7], [3, -7]])).scalars
    #expect(zip(divergence, [2.5, 0.806_853, 0]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  /// All 64 images of 6 binary pixels, and their exact p(x) = ∫ p(x|z) p(z) dz by the midpoint rule on −6…6.
  private func enumerated(_ model: VAE) -> (images: Tensor, probabilities: [Float]) {
    let images = Tensor((0..<64).map { code in (0..<6).map { Float(code >> $0 & 1) } })  // [64, 6]
    let z = Tensor((0..<600).map { [-6 + (Float($0) + 0.5) * 0.02] })
    let weights = exp(Normal.standard([600, 1]).logProbability(of: z)) * 0.02
    let exact = (0..<64).map { index -> Float in
      let x = images.sliced(index..<index + 1, axis: 0).broadcast(to: [600, 6])
      return (exp(model.decoder(z).logProbability(of: x)) * weights).sum().scalar
    }
    return (images, exact)
  }

  private func smallModel(hidden: [Int], using random: inout Random) -> VAE {
    VAE(
      encoder: Encoder(inputs: 6, hidden: hidden, latents: 1, using: &random),
      decoder: BernoulliDecoder(latents: 1, hidden: hidden.reversed(), outputs: 6, using: &random))
  }

  @Test("A sample of the prior, decoded and drawn, has the exact p(x) of all 64 binary images (χ² at 1e-6)")
  func ancestralSamples() {
    var random = Random(seed: 11)
    let model = smallModel(hidden: [8, 5], using: &random)
    // Weights far from their start, where z would hardly matter.
    for named in model.decoder.parameters {
      named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -0.7..<0.7, using: &random)
    }
    let exact = enumerated(model).probabilities
    let count = 200_000
    let x = model.decoder(.normal([count, 1], using: &random)).sample(using: &random)  // [count, 6]
    let places = matmul(x, Tensor((0..<6).map { [Float(1 << $0)] })).scalars
    var counts = [Double](repeating: 0, count: 64)
    for place in places { counts[Int(place)] += 1 }
    #expect(exact.allSatisfy { Double($0) * Double(count) > 8 })
    let chiSquare = zip(counts, exact).reduce(0) { sum, pair in
      let expected = Double(pair.1) * Double(count)
      return sum + (pair.0 - expected) * (pair.0 - expected) / expected
    }
    // scipy.stats.chi2.isf(1e-6, 63) = 131.37
    #expect(chiSquare < 131.37)
  }

  @Test(
    "p(x) sums to 1 over all 64 binary images, and importance sampling finds it above the bound",
    .solved("VAE.1", "VAE.2", "VAE.3"), arguments: [[8], [8, 5]])
  func probabilitiesSumToOne(hidden: [Int]) {
    var random = Random(seed: 4)
    let model = smallModel(hidden: hidden, using: &random)
    let (images, exact) = enumerated(model)
    #expect(abs(exact.reduce(0, +) - 1) < 1e-4)
    let estimated = model.logLikelihood(images, samples: 2000, using: &random).scalars
    for (estimate, probability) in zip(estimated, exact) { #expect(abs(estimate - log(probability)) < 0.05) }
    let bounds = model.bound(
      images.reshaped(to: [64, 1, 6]).broadcast(to: [64, 500, 6]).reshaped(to: [32_000, 6]), using: &random)
    let means = bounds.elbo.reshaped(to: [64, 500]).mean(axis: 1).scalars
    for (bound, probability) in zip(means, exact) { #expect(bound < log(probability) + 0.05) }
  }

  private func standardError(_ values: Tensor) -> Double {
    (Double(values.variance().scalar) / Double(values.count)).squareRoot()
  }
}

@MainActor
@Suite("Lesson04-VAE: learning and samples")
struct VAELearningTests {
  private func fit(_ law: LinearGaussian, steps: Int, seed: UInt64, noise: Float = 1) -> VAE {
    var random = Random(seed: seed)
    let model = VAE(
      encoder: Encoder(inputs: 2, hidden: [], latents: 2, using: &random),
      decoder: GaussianDecoder(latents: 2, examples: law.samples(1000, using: &random), noise: noise, using: &random))
    var optimizer = Adam(model.parameters)
    for step in 0..<steps {
      optimizer.learningRate = 0.02 * (1 - Float(step) / Float(steps))
      optimizer.minimize(-model.bound(law.samples(256, using: &random), using: &random).elbo.mean())
    }
    return model
  }

  /// −ELBO and KL on fresh points, with log p(x) of the same points as control variate.
  private func evaluate(_ model: VAE, _ law: LinearGaussian) -> (loss: Double, error: Double, divergence: Double) {
    var random = Random(seed: 100)
    let x = law.samples(20_000, using: &random)
    let bound = withoutGradients { model.bound(x, using: &random) }
    let gap = law.logProbability(of: x) - bound.elbo
    let error = (Double(gap.variance().scalar) / 20_000).squareRoot()
    return (law.entropy + Double(gap.mean().scalar), error, Double(bound.divergence.mean().scalar))
  }

  @Test(
    "Rotated: the exact optimum 4.4473 within 0.05 nats, and at least ln 5 nats through the code",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func rotatedOptimum() {
    let law = LinearGaussian.rotated
    let model = fit(law, steps: 4000, seed: 1)
    let (loss, error, divergence) = evaluate(model, law)
    #expect(abs(law.entropy - 4.4473) < 5e-5)
    #expect(loss < law.entropy + 0.05)
    #expect(loss > law.entropy - 3 * error)
    #expect(divergence > log(5) - 0.05 && divergence < log(5) + 0.3)

    // Samples of the model have the law's moments: 5 standard errors (6e-7 each) and 5 % for the model's own distance.
    var random = Random(seed: 7)
    let x = model.decoder(.normal([20_000, 2], using: &random)).sample(using: &random)
    let mean = x.mean(axis: 0)
    let centred = x - mean
    let covariance = matmul(centred, centred, transposingFirst: true) / 20_000
    #expect(zip(mean.scalars, [1, 2]).allSatisfy { abs($0 - $1) < 5 * (13.0 / 20_000).squareRoot() + 0.2 })
    #expect(zip(covariance.scalars, [13, 12, 12, 13]).allSatisfy { abs($0 - $1) < 0.05 * 13 + 5 * 0.13 })
  }

  @Test("Aligned: the exact optimum within 0.05 nats with a collapsed code", .solved("VAE.1", "VAE.2", "VAE.3"))
  func alignedCollapse() {
    let (loss, error, divergence) = evaluate(fit(.aligned, steps: 2000, seed: 2), .aligned)
    #expect(loss < 4.4473 + 0.05 && loss > 4.4473 - 3 * error)
    #expect(divergence >= 0 && divergence < 0.1)
  }

  @Test(
    "Aligned, from little noise: the same optimum with codes in use, so collapse is a matter of the start",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func alignedWithoutCollapse() {
    let (loss, error, divergence) = evaluate(fit(.aligned, steps: 3000, seed: 3, noise: 0.2), .aligned)
    #expect(loss < 4.4473 + 0.05 && loss > 4.4473 - 3 * error)
    #expect(divergence > 0.3)
  }

  private func independentPixels(_ greys: Tensor, _ test: Tensor) -> Float {
    let means = (greys.sum(axis: 0) + 0.5) / Float(greys.shape[0] + 1)
    return Bernoulli(logits: log(means / (1 - means)).broadcast(to: test.shape)).logProbability(of: test).mean().scalar
  }

  @Test(
    "Digits: log p(x) far above independent pixels, never above the entropy of drawing, with some codes collapsed",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func digitsLearn() throws {
    let data = try Digits()
    var random = Random(seed: 6)
    let greys = data.train.images(at: data.train.indices).reshaped(to: [-1, 64])
    let testGreys = data.test.images(at: data.test.indices).reshaped(to: [-1, 64])
    let test = Tensor.bernoulli(testGreys, using: &random)
    let model = VAE(
      encoder: Encoder(inputs: 64, hidden: [100], latents: 20, using: &random),
      decoder: BernoulliDecoder(latents: 20, hidden: [100], outputs: 64, using: &random))
    var optimizer = Adam(model.parameters, learningRate: 4e-3)
    for _ in 0..<50 {
      for greys in greys.batches(ofSize: 100, shuffledUsing: &random) {
        optimizer.minimize(-model.bound(.bernoulli(greys, using: &random), using: &random).elbo.mean())
      }
    }
    let logLikelihood = model.logLikelihood(test, samples: 50, using: &random)
    let error = (logLikelihood.variance().scalar / 297).squareRoot()
    let drawing = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar
    #expect(logLikelihood.mean().scalar > -23.5)
    #expect(logLikelihood.mean().scalar > independentPixels(greys, test) + 2)
    #expect(logLikelihood.mean().scalar < -drawing + 3 * error)
    let used = model.divergencePerCode(test).scalars.count { $0 > 0.05 }
    #expect((4..<20).contains(used))
  }

  @Test(
    "The plane of a 2-D code shows garments of many classes, and of few before training",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func planeOfClasses() throws {
    let data = try FashionMNIST()
    var random = Random(seed: 8)
    let greys = data.train.images(at: 0..<4000).reshaped(to: [-1, 784])
    let model = VAE(
      encoder: Encoder(inputs: 784, hidden: [100, 50], latents: 2, using: &random),
      decoder: BernoulliDecoder(latents: 2, hidden: [50, 100], outputs: 784, using: &random))
    let judge = try ImageClassifier.fashionMNIST()
    let steps = (0..<10).map { Float(Normal.standardQuantile((Double($0) + 0.5) / 10)) }
    let plane = Tensor(steps.flatMap { y in steps.map { [$0, y] } })  // [100, 2]
    func classes() -> Int {
      let images = withoutGradients { model.decoder(plane).mean.reshaped(to: [-1, 28, 28, 1]) }
      return Set(judge.classes(of: images).scalars).count
    }
    #expect(classes() <= 2)
    var optimizer = Adam(model.parameters, learningRate: 3e-3)
    for _ in 0..<8 {
      for greys in greys.batches(ofSize: 100, shuffledUsing: &random) {
        optimizer.minimize(-model.bound(.bernoulli(greys, using: &random), using: &random).elbo.mean())
      }
    }
    #expect(classes() >= 7)
  }

  @Test(
    "Images: far below independent pixels, never below the entropy of drawing, and the bound below log p(x)",
    .solved("VAE.1", "VAE.2", "VAE.3"))
  func imagesLearn() throws {
    let data = try FashionMNIST()
    var random = Random(seed: 5)
    let greys = data.train.images(at: 0..<2000).reshaped(to: [2000, 784])
    let testGreys = data.test.images(at: 0..<500).reshaped(to: [500, 784])
    let test = Tensor.bernoulli(testGreys, using: &random)
    let model = VAE(
      encoder: Encoder(inputs: 784, hidden: [100], latents: 8, using: &random),
      decoder: BernoulliDecoder(latents: 8, hidden: [100], outputs: 784, using: &random))
    var optimizer = Adam(model.parameters, learningRate: 2e-3)
    for _ in 0..<12 {
      for batch in (0..<2000).batches(ofSize: 100, droppingLast: true) {
        let x = Tensor.bernoulli(greys.sliced(batch[0]..<batch[0] + 100, axis: 0), using: &random)
        optimizer.minimize(-model.bound(x, using: &random).elbo.mean())
      }
    }
    let elbo = withoutGradients { model.bound(test, using: &random).elbo }
    let drawing = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy
    let error = (elbo.variance().scalar / 500).squareRoot()
    #expect(-elbo.mean().scalar < -independentPixels(greys, test) - 50)
    #expect(-elbo.mean().scalar > drawing.mean().scalar - 3 * error)
    let likelihood = model.logLikelihood(test.sliced(0..<50, axis: 0), samples: 50, using: &random)
    #expect(likelihood.mean().scalar > elbo.sliced(0..<50, axis: 0).mean().scalar)
  }
}

@Suite("Lesson04-VAE: the command")
struct VAECommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others",
    .solved("VAE.1", "VAE.2", "VAE.3", "VAE.4"))
  func reproducible() throws {
    try LessonRunner.checkReproducible("Lesson04-VAE", killedAt: "vae-20d", leastMeasurements: 8)
  }

  @Test(
    "Bad input gets one clear line that names the thing, and a status that is not 0",
    .solved("VAE.1", "VAE.2", "VAE.3", "VAE.4"),
    arguments: [(["--quick", "--data", "/nowhere"], "/nowhere")])
  func badInput(arguments: [String], named: String) throws {
    let runner = try LessonRunner("Lesson04-VAE")
    defer { runner.remove() }
    let outcome = try runner.run(arguments)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains(named))
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1)
  }

  @Test(
    "A damaged or mismatched checkpoint is refused by name and left as it is",
    .solved("VAE.1", "VAE.2", "VAE.3", "VAE.4"))
  func badCheckpoint() throws {
    try LessonRunner.checkBadCheckpoint("Lesson04-VAE", "vae-20d")
  }
}
