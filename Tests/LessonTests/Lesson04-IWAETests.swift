import LessonKit
import Testing

@testable import Lesson04_IWAE

@MainActor
@Suite("Lesson04-IWAE: identity")
struct IWAEIdentityTests {
  @Test(
    "The bound and the normalised weights are PyTorch's, at log-weights whose exponentials are 0",
    .solved("IWAE.2", "IWAE.3"))
  func pyTorch() {
    // w = torch.tensor([[-500., -501.5, -499.25], [-90., -120., -91.]], requires_grad=True)
    // b = torch.logsumexp(w, 1) - torch.log(torch.tensor(3.)); b.sum().backward(); print(b, w.grad)
    let logWeights = Tensor([[-500, -501.5, -499.25], [-90, -120, -91]])
    #expect(isClose(bound(logWeights), [-499.892_58, -90.785_347], 1e-4))
    let weights: [Float] = [0.299_385, 0.066_802, 0.633_799, 0.731_058, 0, 0.268_941]
    #expect(isClose(normalizedWeights(logWeights), weights, 1e-5))
    #expect(isClose(gradient(at: logWeights) { bound($0).sum() }, weights, 1e-5))
    #expect(isClose(gradient(at: logWeights) { (normalizedWeights($0) * $0).sum() }, weights, 1e-5))
  }

  @Test(
    "Log-weights are log p(z) + log p(x|z) − log q(z|x), written out, an example's samples in a row", .solved("IWAE.1"))
  func logWeightsByHand() {
    let model = gaussianToy(offset: 0.25)
    model.encoder.logVariance.bias = Tensor([log(4)])
    let x = Tensor([[2], [-1], [0.5]])
    var (random, again) = (Random(seed: 1), Random(seed: 1))
    let found = model.logWeights(x, samples: 4, using: &random)
    let noise = Tensor.normal([12, 1], using: &again).scalars
    let expected = (0..<12).map { i -> Float in
      let (x, epsilon) = (x.scalars[i / 4], noise[i])
      let z = x / 2 + 2 * epsilon
      // The three terms −½ ln 2π leave one.
      let logJoint = -z * z / 2 - (x - z - 0.25) * (x - z - 0.25) / 2
      return logJoint + epsilon * epsilon / 2 + log(2) - 0.5 * log(2 * .pi)
    }
    #expect(found.shape == [3, 4])
    #expect(isClose(found, expected, 1e-4))
  }

  @Test("The toy's quadrature: ½(1 − ln 2) for k = 1, a plane integral for k = 2, and the known figures for 5 and 50")
  func toyQuadrature() {
    let entropy = LinearGaussian(mean: [0], weights: [[1]], noise: [1]).entropy
    #expect(abs(entropy - 1.765_512) < 1e-6)
    #expect(abs(exactToyGap(samples: 1) - 0.5 * (1 - log(2.0))) < 1e-6)
    let grid = stride(from: -8.0, through: 8, by: 0.1).map {
      ($0, exp(-$0 * $0 / 2) * 0.1 / (2 * Double.pi).squareRoot())
    }
    var plane = 0.0
    for (u, p) in grid {
      for (v, q) in grid { plane += p * q * log((exp(-u * u / 2) + exp(-v * v / 2)) / 2.0.squareRoot()) }
    }
    #expect(abs(exactToyGap(samples: 2) + plane) < 1e-5)
    #expect(abs(-entropy - exactToyGap(samples: 5) + 1.7825) < 0.001)
    #expect(abs(-entropy - exactToyGap(samples: 50) + 1.768) < 0.005)
  }

  @Test("The toy's bounds are the exact ones for x from N(0, 2), and do not depend on x", .solved("IWAE.1", "IWAE.2"))
  func toyBounds() {
    let law = LinearGaussian(mean: [0], weights: [[1]], noise: [1])
    let model = gaussianToy()
    var random = Random(seed: 2)
    let drawn = law.samples(20_000, using: &random)
    for x in [drawn, .zeros([20_000, 1]) + 3] {
      let logP = law.logProbability(of: x)
      for k in [1, 5, 50] {
        let gap = Estimate(logP - bound(model.logWeights(x, samples: k, using: &random)))
        #expect(abs(Double(gap.mean) - exactToyGap(samples: k)) < 5 * Double(gap.standardError), "k = \(k)")
      }
    }
  }

  @Test("With the exact posterior as encoder every bound is log p(x), whatever is drawn", .solved("IWAE.1", "IWAE.2"))
  func exactPosterior() {
    let model = gaussianToy()
    model.encoder.logVariance.bias = Tensor([log(0.5)])
    let x = Tensor([[0], [1.5], [-4]])
    let logP = LinearGaussian(mean: [0], weights: [[1]], noise: [1]).logProbability(of: x).scalars
    var random = Random(seed: 3)
    for k in [1, 2, 7, 50] {
      #expect(isClose(bound(model.logWeights(x, samples: k, using: &random)), logP, 1e-4))
    }
  }

  /// Six binary pixels from one latent variable, and p(x) of all 64 images by the midpoint rule on −7…7.
  private func smallModel() -> (model: IWAE, images: Tensor, probabilities: [Float]) {
    var random = Random(seed: 4)
    let model = IWAE(
      encoder: Encoder(inputs: 6, hidden: [8], latents: 1, using: &random),
      decoder: BernoulliDecoder(
        latents: 1, hidden: [8], pixelMeans: Tensor([0.2, 0.3, 0.4, 0.5, 0.6, 0.7]), using: &random))
    // Not the posterior, but wide enough for weights of finite variance.
    model.encoder.mean.weight = .normal([8, 1], using: &random) * 0.2
    model.encoder.logVariance.bias = Tensor([0.4])
    let images = Tensor((0..<64).map { code in (0..<6).map { Float(code >> $0 & 1) } })  // [64, 6]
    let z = Tensor((0..<700).map { [-7 + (Float($0) + 0.5) * 0.02] })
    let weights = exp(Normal.standard([700, 1]).logProbability(of: z)) * 0.02
    let probabilities = (0..<64).map { index -> Float in
      let x = images.sliced(index..<index + 1, axis: 0).broadcast(to: [700, 6])
      return (exp(model.decoder(z).logProbability(of: x)) * weights).sum().scalar
    }
    return (model, images, probabilities)
  }

  @Test("The mean weight is an unbiased estimate of p(x), for all 64 images and two k", .solved("IWAE.1", "IWAE.2"))
  func unbiased() {
    let (model, images, probabilities) = smallModel()
    #expect(abs(probabilities.reduce(0, +) - 1) < 1e-4)
    var random = Random(seed: 5)
    for k in [1, 8] {
      let repeats = 2000 / k
      let x = images.repeated(repeats, axis: 0)
      let estimates = exp(withoutGradients { bound(model.logWeights(x, samples: k, using: &random)) })
      for (index, probability) in probabilities.enumerated() {
        let estimate = Estimate(estimates.sliced(index * repeats..<(index + 1) * repeats, axis: 0))
        #expect(abs(estimate.mean - probability) < 5.5 * estimate.standardError)
      }
    }
  }

  @Test("With one sample the bound is the VAE's, whose KL is in closed form", .solved("IWAE.1", "IWAE.2"))
  func oneSampleIsELBO() {
    let (model, images, probabilities) = smallModel()
    var random = Random(seed: 6)
    let x = images.repeated(1000, axis: 0)
    let sampled = withoutGradients { bound(model.logWeights(x, samples: 1, using: &random)) }
    let closed = withoutGradients { model.elbo(x, using: &random) }
    let difference = Estimate(sampled - closed)
    #expect(abs(difference.mean) < 5 * difference.standardError)
    #expect(Estimate(closed).standardError < 0.02)
    let means = closed.reshaped(to: [64, 1000]).mean(axis: 1).scalars
    #expect(zip(means, probabilities).allSatisfy { $0 < log($1) + 0.1 })
  }

  @Test(
    "Groups of samples: the bound rises with k on every example, and a shift of log-weights shifts it",
    .solved("IWAE.2"))
  func neverFalls() {
    var random = Random(seed: 7)
    let logWeights = Tensor.normal([50, 1000], using: &random) * 4
    func grouped(_ k: Int, _ logWeights: Tensor) -> [Float] {
      bound(logWeights.reshaped(to: [-1, k])).reshaped(to: [50, -1]).mean(axis: 1).scalars
    }
    let counts = [1, 2, 10, 50, 500, 1000]
    for (small, large) in zip(counts, counts.dropFirst()) {
      #expect(zip(grouped(small, logWeights), grouped(large, logWeights)).allSatisfy { $0 < $1 })
    }
    #expect(isClose(Tensor(grouped(1, logWeights)), logWeights.mean(axis: 1).scalars, 1e-4))
    for shift in [-1e4, 1e4] as [Float] {
      #expect(isClose(Tensor(grouped(50, logWeights + shift)), grouped(50, logWeights).map { $0 + shift }, 0.02))
    }
  }

  @Test(
    "The bound's gradient is Σ w̃ ∇ log w, for every parameter of both networks", .solved("IWAE.1", "IWAE.2", "IWAE.3"))
  func gradientForm() {
    let (model, images, _) = smallModel()
    let cells = model.parameters.map(\.parameter.wrappedValue)
    var random = Random(seed: 8)
    let logWeights = model.logWeights(images, samples: 10, using: &random)
    let weights = normalizedWeights(logWeights)
    let direct = gradients(of: bound(logWeights).sum(), withRespectTo: cells)
    let weighted = gradients(of: (weights * logWeights).sum(), withRespectTo: cells)
    for (direct, weighted) in zip(direct, weighted) {
      #expect(isClose(direct, weighted.scalars, 1e-3))
      #expect(abs(direct).max().scalar > 0.01)
    }
    #expect(isClose(weights.sum(axis: 1), Array(repeating: 1, count: 64), 1e-5))
  }

  @Test("Activity is the variance of the posterior mean, however wide the posterior is", .solved("IWAE.4"))
  func activityByHand() {
    var random = Random(seed: 9)
    let encoder = Encoder(inputs: 2, hidden: [], latents: 3, using: &random)
    encoder.mean.weight = Tensor([[1, 0, 0], [0, 2, 0]])
    encoder.mean.bias = Tensor([5, 0, 7])
    encoder.logVariance.bias = Tensor([3, -3, 3])
    let model = IWAE(encoder: encoder, decoder: GaussianDecoder(latents: 3, outputs: 2, using: &random))
    // The first input is 0, 1, 2, 3 (variance 5/4), the second ±1 (times 2²); the third unit moves with neither.
    #expect(isClose(model.activity(Tensor([[0, 1], [1, -1], [2, 1], [3, -1]])), [1.25, 4, 0], 1e-5))
  }

  @Test(
    "Signal-to-noise on the toy: the encoder's falls like 1/√k, the decoder's rises like √k",
    .solved("IWAE.1", "IWAE.2"))
  func signalToNoiseExponents() {
    var random = Random(seed: 10)
    let x = LinearGaussian(mean: [0], weights: [[1]], noise: [1]).samples(1000, using: &random)
    let counts = [4, 16, 64]
    let ratios = counts.map { signalToNoise(gaussianToy(offset: 0.5), x, samples: $0, draws: 300, using: &random) }
    #expect(abs(logarithmicSlope(counts, ratios.map(\.encoder)) + 0.5) < 0.1)
    #expect(abs(logarithmicSlope(counts, ratios.map(\.decoder)) - 0.5) < 0.1)
    #expect(abs(logarithmicSlope([1, 2, 8], [3, 12, 192]) - 2) < 1e-5)
  }

  @Test("Signal-to-noise of one Gaussian sample's gradient, by hand", .solved("IWAE.1", "IWAE.2"))
  func signalToNoiseByHand() {
    // At k = 1 the decoder's weight and bias have gradients z(x − b − z) and x − b − z, with z ~ N(x/2, 1).
    // For x = 2, b = ½: means −½ and ½; variances 1, and Var(z(1.5 − z)) = Var(−½ε − ε²) = ¼ + 2.
    var random = Random(seed: 11)
    let ratios = signalToNoise(gaussianToy(offset: 0.5), Tensor([[2]]), samples: 1, draws: 1500, using: &random)
    #expect(abs(ratios.decoder - (0.5 / 3.25 as Float).squareRoot()) < 0.05)
  }
}

/// Whether all values are within a tolerance.
private func isClose(_ found: Tensor, _ expected: [Float], _ tolerance: Float) -> Bool {
  found.count == expected.count && zip(found.scalars, expected).allSatisfy { abs($0 - $1) < tolerance }
}

@MainActor
@Suite("Lesson04-IWAE: learning and samples")
struct IWAELearningTests {
  @Test(
    "Digits, ten samples: inside the logarithm they learn a better model and more active units than outside",
    .solved("IWAE.1", "IWAE.2", "IWAE.4"))
  func digitsLearn() throws {
    let data = try Digits()
    var random = Random(seed: 12)
    func greys(_ set: LabelledImages) -> Tensor { set.images(at: set.indices).reshaped(to: [-1, 64]) }
    let (train, testGreys) = (greys(data.train), greys(data.test))
    let test = Tensor.bernoulli(testGreys, using: &random)
    let means = (train.sum(axis: 0) + 0.5) / Float(train.shape[0] + 1)
    func fit(_ objective: (Tensor) -> Tensor) -> (logP: Tensor, activity: Tensor, pixelMeans: Tensor) {
      var (start, random) = (Random(seed: 13), Random(seed: 14))
      let model = IWAE(
        encoder: Encoder(inputs: 64, hidden: [50], latents: 8, using: &start),
        decoder: BernoulliDecoder(latents: 8, hidden: [50], pixelMeans: means, using: &start))
      var optimizer = Adam(model.parameters)
      for step in 0..<300 {
        optimizer.learningRate = 5e-3 * (1 - Float(step) / 300)
        let x = Tensor.bernoulli(train.sliced(step % 15 * 100..<step % 15 * 100 + 100, axis: 0), using: &random)
        optimizer.minimize(-objective(model.logWeights(x, samples: 10, using: &random)).mean())
      }
      return withoutGradients {
        let samples = model.decoder(.normal([5000, 8], using: &random)).sample(using: &random)
        return (
          model.logWeights(test, samples: 100, using: &random).logSumExp(axis: 1) - log(100),
          model.activity(train .>= 0.5),
          samples.mean(axis: 0)
        )
      }
    }
    let (outside, inside) = (fit { $0.mean(axes: [1]) }, fit(bound))
    let lead = Estimate(inside.logP - outside.logP)
    #expect(lead.mean > 5 * lead.standardError, "\(lead)")
    let independent = Bernoulli(logits: log(means / (1 - means)).broadcast(to: test.shape)).logProbability(of: test)
    let floor = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar
    for run in [outside, inside] {
      let loss = Estimate(-run.logP)
      #expect(loss.mean < -independent.mean().scalar - 2)
      #expect(loss.mean > floor - 3 * loss.standardError)
      // Each pixel's mean over 5,000 samples: 5.5 standard errors (4e-8 each) and 0.05 for the model's own distance.
      let errors = zip(run.pixelMeans.scalars, means.scalars).map {
        abs($0 - $1) - 5.5 * ($1 * (1 - $1) / 5000).squareRoot()
      }
      #expect(errors.max()! < 0.05)
    }
    #expect(inside.activity.min().scalar > 2 * outside.activity.min().scalar)
  }

  @Test("Samples of q, weighted by w̃, have the posterior's mean and variance", .solved("IWAE.1", "IWAE.3"))
  func resampling() {
    // q(z|1) = N(½, 1), the posterior N(½, ½). 5 standard errors: 6e-7 each; the weights' bias, of order 1/k, is less.
    var (random, again) = (Random(seed: 15), Random(seed: 15))
    let (count, k) = (200, 1000)
    let weights = normalizedWeights(
      gaussianToy().logWeights(.ones([count, 1]), samples: k, using: &random))
    let noise = Tensor.normal([count * k, 1], using: &again).reshaped(to: [count, k])  // z − ½
    let mean = Estimate((weights * noise).sum(axis: 1))
    let variance = Estimate((weights * square(noise)).sum(axis: 1))
    #expect(abs(mean.mean) < 5 * mean.standardError)
    #expect(abs(variance.mean - 0.5) < 5 * variance.standardError && variance.standardError < 0.003)
  }
}

@Suite("Lesson04-IWAE: the command")
struct IWAECommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others",
    .solved("IWAE.1", "IWAE.2", "IWAE.3", "IWAE.4"))
  func reproducible() throws {
    try LessonRunner.checkReproducible("Lesson04-IWAE", killedAt: "k50", leastMeasurements: 15)
  }

  @Test(
    "A damaged or mismatched checkpoint is refused by name and left as it is",
    .solved("IWAE.1", "IWAE.2", "IWAE.3", "IWAE.4"))
  func badCheckpoint() throws {
    try LessonRunner.checkBadCheckpoint("Lesson04-IWAE", "k1")
  }
}
