import LessonKit
import Testing

@testable import Lesson05_GAN

@MainActor
@Suite("Lesson05-GAN: identity")
struct GANIdentityTests {
  // l = torch.tensor([.5, -2., 3.], requires_grad=True); m = torch.tensor([-1., .25, 4.], requires_grad=True)
  // bce = F.binary_cross_entropy_with_logits
  // loss = bce(l, torch.ones(3)) + bce(m, torch.zeros(3)); loss.backward(); print(loss, l.grad, m.grad)
  private let real = Tensor([0.5, -2, 3])
  private let fake = Tensor([-1, 0.25, 4])

  @Test("The discriminator's loss and gradients are PyTorch's, and stay finite at logits of ±1000", .solved("GAN.1"))
  func discriminatorLossAgainstPyTorch() {
    let loss = discriminatorLoss(real: real, fake: fake).scalar
    #expect(abs(loss - 2.602_314_5) < 1e-5)
    let toReal = gradient(at: real) { discriminatorLoss(real: $0, fake: fake) }
    let toFake = gradient(at: fake) { discriminatorLoss(real: real, fake: $0) }
    #expect(isClose(toReal, [-0.125_846_88, -0.293_599_04, -0.015_808_62]))
    #expect(isClose(toFake, [0.089_647_144, 0.187_392_18, 0.327_337_92]))
    let extreme = Tensor([-1000])
    #expect(discriminatorLoss(real: extreme, fake: -extreme).scalar == 2000)
    #expect(gradient(at: extreme) { discriminatorLoss(real: $0, fake: fake) }.scalar == -1)
  }

  // s = m.detach().requires_grad_(); a = bce(s, torch.ones(3)); a.backward(); print(a, s.grad); likewise -bce(s, torch.zeros(3))
  @Test("Both losses of the generator, and their gradients, are PyTorch's", .solved("GAN.2"))
  func generatorLossesAgainstPyTorch() {
    #expect(abs(GeneratorLoss.nonSaturating(fake: fake).scalar - 0.635_783_74) < 1e-5)
    #expect(abs(GeneratorLoss.saturating(fake: fake).scalar + 1.719_117) < 1e-5)
    let steep = gradient(at: fake) { GeneratorLoss.nonSaturating(fake: $0) }
    let flat = gradient(at: fake) { GeneratorLoss.saturating(fake: $0) }
    #expect(isClose(steep, [-0.243_686_2, -0.145_941_15, -0.005_995_41]))
    #expect(isClose(flat, [-0.089_647_144, -0.187_392_18, -0.327_337_92]))
  }

  @Test(
    "For one sample the saturating gradient is D/(1 − D) times the other, in the same direction",
    .solved("GAN.2", "GAN.4"))
  func gradientRatio() {
    let gan = wideGAN(seed: 1)
    var random = Random(seed: 2)
    for _ in 0..<5 {
      let z = gan.generator.noise(1, using: &random)
      let d = gan.discriminator.probability(gan.generator(z)).scalar
      let norms = [GeneratorLoss.saturating, .nonSaturating].map {
        gradientNorm(of: gan.lossOfGenerator(noise: z, $0), gan.generator)
      }
      #expect(norms[1] > 0 && abs(norms[0] / norms[1] / (d / (1 - d)) - 1) < 1e-3)
      let flat = gradient(at: z) { gan.lossOfGenerator(noise: $0, .saturating) }
      let steep = gradient(at: z) { gan.lossOfGenerator(noise: $0) }
      #expect(isClose(flat * (1 - d), (steep * d).scalars))
    }
  }

  // p = norm(0, 1).pdf; q = norm(1, 2).pdf
  // scipy.integrate.quad(lambda x: p(x) * log(p(x) / (p(x) + q(x))) + q(x) * log(q(x) / (p(x) + q(x))), -20, 20, limit=200)
  @Test("V(D*) is SciPy's quadrature, −2 ln 2 for equal laws and 0 for laws that do not meet", .solved("GAN.3"))
  func optimalValues() {
    let line = Tensor((0..<4000).map { [-20 + (Float($0) + 0.5) * 0.01] })
    let (narrow, wide, far) = (Peaks([(0, 1)]), Peaks([(1, 2)]), Peaks([(15, 0.3)]))
    let logs = [narrow, wide, far].map { $0.logProbability(of: line) }
    let found = optimum(logP: logs[0], logQ: logs[1], cell: 0.01)
    #expect(abs(found.value.scalar + 1.129_944_4) < 1e-4)
    #expect(abs(found.divergence - (2 * log(2) - 1.129_944_4) / 2) < 1e-4)
    #expect(abs(optimum(logP: logs[0], logQ: logs[0], cell: 0.01).value.scalar + 2 * log(2)) < 1e-4)
    let apart = optimum(logP: logs[0], logQ: logs[2], cell: 0.01)
    #expect(abs(apart.value.scalar) < 1e-4 && abs(apart.divergence - log(2)) < 1e-4)
    // Densities of e^−200 and e^−201 are 0 in Float, but their ratio is known.
    let distant = optimum(logP: Tensor([-200]), logQ: Tensor([-201]), cell: 1).discriminator.scalar
    #expect(abs(distant - 1 / (1 + exp(-1))) < 1e-6)
  }

  @Test("At D* the gradient of V vanishes everywhere, and any other D is worth less", .solved("GAN.3"))
  func optimumIsStationary() {
    let line = Tensor((0..<200).map { [-6 + (Float($0) + 0.5) * 0.06] })
    let (p, q) = (Peaks([(-1, 0.5), (2, 1)]).logProbability(of: line), Peaks([(0, 1.5)]).logProbability(of: line))
    func value(_ d: Tensor) -> Tensor { ((exp(p) * log(d) + exp(q) * log(1 - d)) * 0.06).sum() }
    let best = optimum(logP: p, logQ: q, cell: 0.06)
    let d = best.discriminator.clamped(to: 1e-5...(1 - 1e-5))
    #expect(abs(value(d) - best.value).scalar < 1e-4)
    let slope = gradient(at: d, of: value) * d * (1 - d)  // by the logit
    #expect(abs(slope).max().scalar < 1e-5)
    var random = Random(seed: 3)
    for _ in 0..<5 {
      let other = sigmoid(log(d) - log(1 - d) + 0.5 * .normal([200], using: &random))
      #expect(value(other).scalar < best.value.scalar - 1e-3)
    }
  }

  @Test(
    "The discriminator's step leaves the generator as it is, and the generator's the discriminator",
    .solved("GAN.1", "GAN.2", "GAN.4"))
  func whoLearns() {
    let gan = wideGAN(seed: 4)
    var random = Random(seed: 5)
    let (x, z) = (EightGaussians().samples(16, using: &random), gan.generator.noise(16, using: &random))
    func weights(_ model: some Module) -> [Float] { model.parameters.flatMap(\.parameter.wrappedValue.scalars) }
    #expect(gradient(at: z) { gan.lossOfDiscriminator(x, noise: $0) }.scalars.allSatisfy { $0 == 0 })
    #expect(gradient(at: x) { gan.lossOfDiscriminator($0, noise: z) }.scalars.contains { $0 != 0 })
    let start = (weights(gan.generator), weights(gan.discriminator))
    var (first, second) = (
      SGD(gan.discriminator.parameters, learningRate: 0.1), SGD(gan.generator.parameters, learningRate: 0.1)
    )
    first.minimize(gan.lossOfDiscriminator(x, noise: z))
    #expect(weights(gan.generator) == start.0 && weights(gan.discriminator) != start.1)
    let middle = weights(gan.discriminator)
    let belief = gan.discriminator.probability(gan.generator(z)).mean().scalar
    for _ in 0..<10 { second.minimize(gan.lossOfGenerator(noise: z)) }
    #expect(weights(gan.generator) != start.0 && weights(gan.discriminator) == middle)
    #expect(gan.discriminator.probability(gan.generator(z)).mean().scalar > belief + 0.01)
  }

  @Test("Out of place is 0 for perfect shares, and the total variation distance by hand for others")
  func outOfPlaceByHand() {
    let modes = Tensor([[0, 0], [10, 0]])
    // Both modes with one sample in four outside the radius.
    let even = Tensor([[0, 0], [0, 0], [0, 0], [0, 3], [10, 0], [10, 0], [10, 0], [10, 3]])
    #expect(ModeCoverage(of: even, modes: modes, radius: 1).outOfPlace(goodShare: 0.75) < 1e-9)
    // All in one mode, all good: |1 − 3/8| + 1/8 + 3/8 + 1/8 over two.
    let one = ModeCoverage(of: Tensor([[0, 0], [0, 0]]), modes: modes, radius: 1).outOfPlace(goodShare: 0.75)
    #expect(abs(one - 0.625) < 1e-9)
  }

  private func isClose(_ found: Tensor, _ values: [Float]) -> Bool {
    found.count == values.count && zip(found.scalars, values).allSatisfy { abs($0 - $1) < 2e-6 + 1e-4 * abs($1) }
  }
}

/// A small GAN with weights and biases uniform on −1…1.
@MainActor
private func wideGAN(seed: UInt64) -> GAN {
  var random = Random(seed: seed)
  let gan = GAN(latents: 3, hidden: 8, using: &random)
  for named in gan.parameters {
    named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -1..<1, using: &random)
  }
  return gan
}

@MainActor
@Suite("Lesson05-GAN: learning and samples")
struct GANLearningTests {
  private let law = EightGaussians()
  private let goodShare = 1 - exp(-2.0)

  private func fit(_ real: Peaks, _ fake: Peaks, seed: UInt64) -> Discriminator {
    var random = Random(seed: seed)
    let d = Discriminator(inputs: 1, hidden: 32, using: &random)
    var optimizer = Adam(d.parameters)
    for step in 0..<500 {
      optimizer.learningRate = 1e-2 * (1 - Float(step) / 500)
      let loss = discriminatorLoss(
        real: d(real.samples(256, using: &random)), fake: d(fake.samples(256, using: &random)))
      optimizer.minimize(loss)
    }
    return d
  }

  @Test(
    "With the generator fixed D comes within 0.03 of p/(p + q), and V within 0.01 nats below V(D*), never above",
    .solved("GAN.1", "GAN.3"))
  func learnsTheOptimum() {
    let (p, q) = (Peaks([(-1.5, 0.4), (1, 0.7)]), Peaks([(0.3, 1.2)]))
    let d = fit(p, q, seed: 1)
    var random = Random(seed: 100)
    let (x, y) = (p.samples(10_000, using: &random), q.samples(10_000, using: &random))
    func logit(_ x: Tensor) -> Tensor { p.logProbability(of: x) - q.logProbability(of: x) }
    let points = concatenate([x, y], axis: 0)
    let exact = optimum(logP: p.logProbability(of: points), logQ: q.logProbability(of: points), cell: 0).discriminator
    #expect(abs(d.probability(points) - exact).mean().scalar < 0.03)
    #expect(abs(exact - 0.5).mean().scalar > 0.15)
    let gain = withoutGradients {
      Estimate(logSigmoid(d(x)) - logSigmoid(logit(x)) + logSigmoid(-d(y)) - logSigmoid(-logit(y)))
    }
    #expect(gain.mean > -0.01 && gain.mean < 3 * gain.standardError)
  }

  @Test("Where data and samples have one law V is −2 ln 2 within 0.01 nats", .solved("GAN.1"))
  func equalLaws() {
    let p = Peaks([(-1.5, 0.4), (1, 0.7)])
    let d = fit(p, p, seed: 2)
    var random = Random(seed: 101)
    let loss = withoutGradients {
      discriminatorLoss(real: d(p.samples(10_000, using: &random)), fake: d(p.samples(10_000, using: &random)))
    }
    #expect(abs(loss.scalar - 1.386_294) < 0.01)
  }

  private func play(steps: Int, generatorSteps: Int, seed: UInt64) -> ModeCoverage {
    var random = Random(seed: seed)
    let gan = GAN(latents: 4, hidden: 64, using: &random)
    var first = Adam(gan.discriminator.parameters, beta1: 0.5, beta2: 0.99)
    var second = Adam(gan.generator.parameters, beta1: 0.5, beta2: 0.99)
    let rate = Schedule.cosine(from: 3e-3, steps: steps)
    for step in 0..<steps {
      (first.learningRate, second.learningRate) = (rate(step), rate(step))
      first.minimize(
        gan.lossOfDiscriminator(law.samples(128, using: &random), noise: gan.generator.noise(128, using: &random)))
      for _ in 0..<generatorSteps {
        second.minimize(gan.lossOfGenerator(noise: gan.generator.noise(128, using: &random)))
      }
    }
    return ModeCoverage(
      of: gan.generator.samples(5000, using: &random), modes: law.modes, radius: 2 * law.mixture.noise)
  }

  @Test(
    "A short game reaches all eight modes with less out of place than a ring; modes are neither points nor bridges",
    .solved("GAN.1", "GAN.2", "GAN.4"))
  func reachesAllModes() {
    let found = play(steps: 1500, generatorSteps: 1, seed: 1)
    var random = Random(seed: 102)
    let ring = PlanarMixture(
      [.curve(weight: 1) { SIMD2(2 * cos(2 * .pi * $0), 2 * sin(2 * .pi * $0)) }], noise: law.mixture.noise)
    let plain = ModeCoverage(of: ring.samples(5000, using: &random), modes: law.modes, radius: found.radius)
    #expect(plain.goodShare > 0.5 && plain.goodShare < 0.6)
    #expect(found.coveredModes(holding: 0.04) == 8)
    #expect(found.outOfPlace(goodShare: goodShare) < 0.6 * plain.outOfPlace(goodShare: goodShare))
    #expect(found.spreads.allSatisfy { $0 > 0.1 && $0 < 0.36 })
  }

  @Test(
    "As many steps of the generator, but ten to each of the discriminator's, cover at most two modes",
    .solved("GAN.1", "GAN.2", "GAN.4"))
  func collapses() {
    #expect(play(steps: 150, generatorSteps: 10, seed: 2).coveredModes() <= 2)
  }

  @Test("A generator wired to be affine has the moments of its normal law, at 5 standard errors (6e-7 each)")
  func affineGenerator() {
    var random = Random(seed: 7)
    let generator = Generator(latents: 2, hidden: 4, using: &random)
    let layers = generator.network.layers.compactMap { $0 as? Linear }
    // relu(z) − relu(−z) = z, kept in both hidden layers as its two parts.
    (layers[0].weight, layers[0].bias) = (Tensor([[1, -1, 0, 0], [0, 0, 1, -1]]), .zeros([4]))
    (layers[1].weight, layers[1].bias) = (Tensor((0..<4).map { row in (0..<4).map { $0 == row ? 1 : 0 } }), .zeros([4]))
    (layers[2].weight, layers[2].bias) = (Tensor([[2, 1], [-2, -1], [0, 1], [0, -1]]), Tensor([1, -3]))
    let samples = generator.samples(20_000, using: &random)
    let mean = samples.mean(axis: 0)
    #expect(abs(mean.scalars[0] - 1) < 5 * 2 / 141.4 && abs(mean.scalars[1] + 3) < 5 * 1.415 / 141.4)
    let centred = samples - mean
    let covariance = (matmul(centred, centred, transposingFirst: true) / 20_000).scalars
    // A covariance's standard error is the root of (σ₁²σ₂² + σ₁₂²)/n.
    for (found, (exact, error)) in zip(
      covariance, [(4, 0.04), (2, 0.0245), (2, 0.0245), (2, 0.02)] as [(Float, Float)])
    {
      #expect(abs(found - exact) < 5 * error)
    }
  }
}

@Suite("Lesson05-GAN: the command")
struct GANCommandTests {
  @Test(
    "The command gives the same numbers again, also from the checkpoint of its last epoch",
    .solved("GAN.1", "GAN.2", "GAN.3", "GAN.4"))
  func command() throws {
    let runner = try LessonRunner("Lesson05-GAN")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "1"]
    #expect(try runner.run(["--out", "one"] + options).status == 0)
    let first = try runner.measurements(in: "one")
    #expect(first.count >= 12)
    #expect(try runner.run(["--out", "one", "--resume"] + options).status == 0)
    #expect(try runner.measurements(in: "one") == first)
  }
}
