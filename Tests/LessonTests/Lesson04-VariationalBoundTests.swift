import LessonKit
import Testing

@testable import Lesson04_VariationalBound

@MainActor
@Suite("Lesson04-VariationalBound: identity")
struct VariationalBoundIdentityTests {
  private let model = LinearModel(
    LinearGaussian(mean: [0.3, -0.2], weights: [[1.5, 1.2], [0.6, 1.0]], noise: [0.7, 0.9]))
  private let x = Tensor([[1.5, -0.5]])
  private let mean = Tensor([[0.4, -0.6]])
  private let covariance = Tensor([[0.5, -0.2], [-0.2, 0.3]])

  /// ∫ f(z) dz over the plane by the midpoint rule on [−6, 6]², in double precision.
  private func integral(_ f: (Double, Double) -> Double) -> Double {
    let step = 0.04
    var sum = 0.0
    for i in 0..<300 {
      for j in 0..<300 { sum += f(-6 + (Double(i) + 0.5) * step, -6 + (Double(j) + 0.5) * step) }
    }
    return sum * step * step
  }

  /// ln N((a, b); mean, covariance) from scratch.
  private func logNormal(_ a: Double, _ b: Double, _ mean: [Double], _ c: [Double]) -> Double {
    let (da, db, determinant) = (a - mean[0], b - mean[1], c[0] * c[3] - c[1] * c[2])
    let square = (c[3] * da * da - (c[1] + c[2]) * da * db + c[0] * db * db) / determinant
    return -0.5 * square - log(2 * .pi) - 0.5 * log(determinant)
  }

  /// ln p(x, z) from scratch.
  private func logJoint(_ a: Double, _ b: Double) -> Double {
    let (law, x) = (model.law, [1.5, -0.5])
    var sum = logNormal(a, b, [0, 0], [1, 0, 0, 1])
    for i in 0..<2 {
      let error = (x[i] - law.mean[i] - law.weights[i][0] * a - law.weights[i][1] * b) / law.noise[i]
      sum -= 0.5 * error * error + log(law.noise[i]) + 0.5 * log(2 * .pi)
    }
    return sum
  }

  @Test("KL between Gaussians equals its integral, and the library's", .solved("VariationalBound.1"))
  func klByQuadrature() {
    let (mu, sigma) = (Tensor([[-0.2, 0.5]]), Tensor([[1.0, 0.3], [0.3, 0.6]]))
    let found = gaussianKL(mean, covariance, mu, sigma)
    #expect(found.shape == [1])
    let exact = integral { a, b in
      let q = self.logNormal(a, b, [0.4, -0.6], [0.5, -0.2, -0.2, 0.3])
      return exp(q) * (q - self.logNormal(a, b, [-0.2, 0.5], [1, 0.3, 0.3, 0.6]))
    }
    #expect(abs(Double(found.scalars[0]) - exact) < 1e-5)
    let library = klDivergence(
      MultivariateNormal(mean: mean, covariance: covariance), MultivariateNormal(mean: mu, covariance: sigma))
    #expect(abs(found.scalars[0] - library.scalars[0]) < 1e-5)
    #expect(abs(gaussianKL(mean, covariance, mean, covariance).scalars[0]) < 1e-6)
  }

  @Test(
    "log p(x) − ELBO = KL(q‖posterior) to 1e-4, each by its own closed form and by quadrature",
    .solved("VariationalBound.1", "VariationalBound.2"))
  func gapIsDivergence() {
    let logP = log(integral { exp(self.logJoint($0, $1)) })
    #expect(abs(Double(model.law.logProbability(of: x).scalars[0]) - logP) < 1e-5)
    let elbo = Double(model.elbo(x, mean, covariance).scalars[0])
    let byIntegral = integral { a, b in
      let q = self.logNormal(a, b, [0.4, -0.6], [0.5, -0.2, -0.2, 0.3])
      return exp(q) * (self.logJoint(a, b) - q)
    }
    #expect(abs(elbo - byIntegral) < 1e-4)
    let posterior = model.posterior(x)
    let divergence = Double(gaussianKL(mean, covariance, posterior.mean, posterior.covariance).scalars[0])
    #expect(abs(logP - elbo - divergence) < 1e-4)
    #expect(divergence > 0.1)
    #expect(abs(Double(model.elbo(x, posterior.mean, posterior.covariance).scalars[0]) - logP) < 1e-5)
    // The posterior's moments, by quadrature.
    let m = posterior.mean.scalars.map(Double.init)
    #expect(abs(integral { a, b in exp(self.logJoint(a, b) - logP) * a } - m[0]) < 1e-4)
    let covariance = integral { a, b in exp(self.logJoint(a, b) - logP) * (a - m[0]) * (b - m[1]) }
    #expect(abs(covariance - Double(posterior.covariance.scalars[1])) < 1e-4)
  }

  @Test("The sampled bound agrees within 4 standard errors (a false alarm: 6e-5), and has none at the posterior")
  func sampledBound() {
    var random = Random(seed: 1)
    let posterior = model.posterior(x)
    for (m, s, isExact) in [(mean, covariance, false), (posterior.mean, posterior.covariance, true)] {
      let q = MultivariateNormal(mean: m.broadcast(to: [100_000, 2]), covariance: s)
      let z = q.sample(using: &random)
      let estimate = Estimate(model.logJoint(x, z) - q.logProbability(of: z))
      let logP = model.law.logProbability(of: x).scalars[0]
      let divergence = klDivergence(
        MultivariateNormal(mean: m, covariance: s),
        MultivariateNormal(mean: posterior.mean, covariance: posterior.covariance)
      ).scalars[0]
      #expect(abs(logP - divergence - estimate.mean) < 4 * estimate.standardError + 1e-5)
      #expect((estimate.standardError < 1e-6) == isExact)
    }
  }

  @Test("For a mixture the same line holds, with sums")
  func discreteIdentity() {
    let (logJoint, logits) = (Tensor([-1.2, -3, -0.4]), Tensor([0.3, 1, -2]))
    let joint = [-1.2, -3, -0.4]
    let normalizer = [0.3, 1, -2].reduce(0) { $0 + exp($1) }
    let q = [0.3, 1, -2].map { exp($0) / normalizer }
    let logP = log(joint.reduce(0) { $0 + exp($1) })
    let divergence = zip(q, joint).reduce(0) { $0 + $1.0 * (log($1.0) - $1.1 + logP) }
    #expect(abs(Double(discreteBound(logits: logits, logJoint: logJoint).scalar) - (logP - divergence)) < 1e-5)
  }

  @Test("One reparameterised draw by hand: z = 1 + 2·0.5 on ln p = −½z²", .solved("VariationalBound.3"))
  func reparameterizedByHand() {
    // f(m, ln σ) = −½ z² + ln σ + constant, z = m + σ ε: ∂m = −z = −2 and ∂ln σ = −z σ ε + 1 = −2 + 1.
    let found = reparameterizedGradients(Tensor([[1, log(2)]]), noise: Tensor([[0.5]])) {
      square($0).sum(axis: 1) * -0.5
    }
    #expect(zip(found.scalars, [-2, -1]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("One draw of the score function by hand, with a baseline", .solved("VariationalBound.4"))
  func scoreByHand() {
    // q uniform over 2, draw 1: the weight is −3 − ln ½ − 0.5, the score (−½, ½).
    let draws = IndexTensor([1])
    let found = scoreFunctionGradients(
      Tensor([[0, 0]]), logJoint: Tensor([-3]), baseline: 0.5, logQ: categoricalLogQ(draws))
    let weight = Float(-3 + log(2) - 0.5)
    #expect(zip(found.scalars, [-weight / 2, weight / 2]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(
    "Over 10,000 draws both estimators have the exact gradient as mean and the score function the larger variance",
    .solved("VariationalBound.2", "VariationalBound.3", "VariationalBound.4"))
  func estimatorsAreUnbiased() {
    var random = Random(seed: 2)
    let point: [Float] = [0.2, -0.3, -0.5, -0.2]
    func bound(_ p: [Float]) -> Double {
      Double(model.elbo(x, Tensor([[p[0], p[1]]]), Tensor([[exp(2 * p[2]), 0], [0, exp(2 * p[3])]])).scalars[0])
    }
    let parameters = Tensor([point]).broadcast(to: [10_000, 4])
    let noise = Tensor.normal([10_000, 2], using: &random)
    let z = parameters.sliced(0..<2, axis: 1) + exp(parameters.sliced(2..<4, axis: 1)) * noise
    let pathwise = reparameterizedGradients(parameters, noise: noise) { self.model.logJoint(self.x, $0) }
    let score = scoreFunctionGradients(parameters, logJoint: model.logJoint(x, z), logQ: gaussianLogQ(z))
    for j in 0..<4 {
      var (up, down) = (point, point)
      up[j] += 1e-2
      down[j] -= 1e-2
      let exact = (bound(up) - bound(down)) / 2e-2
      let columns = [pathwise, score].map { $0.sliced(j..<j + 1, axis: 1).reshaped(to: [-1]) }
      // Eight comparisons at 5 standard errors: a false alarm 5e-6 in all.
      for column in columns {
        let estimate = Estimate(column)
        #expect(abs(Double(estimate.mean) - exact) < 5 * Double(estimate.standardError) + 2e-3)
      }
      let difference = Estimate(columns[0] - columns[1])
      #expect(abs(difference.mean) < 5 * difference.standardError)
      #expect(columns[1].variance().scalar > 3 * columns[0].variance().scalar)
    }
  }
}

@MainActor
@Suite("Lesson04-VariationalBound: learning")
struct VariationalBoundLearningTests {
  @Test(
    "Climbing the bound, a full q reaches the posterior, and independent axes the best there are",
    .solved("VariationalBound.1", "VariationalBound.2"))
  func optimum() {
    let model = LinearModel(LinearGaussian(mean: [0, 0], weights: [[1.5, 1.2], [0.6, 1.0]], noise: [0.7, 0.7]))
    let x = Tensor([[1.5, -0.5]])
    let (mean, covariance) = model.posterior(x)
    let c = covariance.scalars
    let determinant = c[0] * c[3] - c[1] * c[1]
    // Precisions are c₂₂/|C| and c₁₁/|C|: their inverses are the best variances.
    for (isDiagonal, target, gap) in [
      (false, covariance, 0),
      (true, Tensor([[determinant / c[3], 0], [0, determinant / c[0]]]), -0.5 * log(determinant / (c[0] * c[3]))),
    ] {
      let q = GaussianQ(latents: 2, isDiagonal: isDiagonal)
      var optimizer = Adam(q.parameters)
      for step in 0..<600 {
        optimizer.learningRate = 0.05 * (1 - Float(step) / 600)
        optimizer.minimize(-model.elbo(x, q.mean, q.covariance).sum())
      }
      #expect(abs(q.mean - mean).max().scalar < 1e-3)
      #expect(abs(q.covariance - target).max().scalar < 1e-3)
      let found = (model.law.logProbability(of: x) - model.elbo(x, q.mean, q.covariance)).scalars[0]
      #expect(abs(found - gap) < 1e-4)
    }
  }

  private func fit(steps: Int, seed: UInt64) -> LinearVAE {
    var random = Random(seed: seed)
    let vae = LinearVAE(latents: 2, examples: LinearGaussian.rotated.samples(1000, using: &random), using: &random)
    var optimizer = Adam(vae.parameters)
    for step in 0..<steps {
      optimizer.learningRate = 0.02 * (1 - Float(step) / Float(steps))
      optimizer.minimize(-vae.bound(LinearGaussian.rotated.samples(256, using: &random), using: &random).mean())
    }
    return vae
  }

  @Test(
    "The linear VAE comes within 0.01 nats of the entropy 4.4473 and not below it, and its samples have the law's moments",
    .solved("VariationalBound.1", "VariationalBound.2"))
  func linearVAE() {
    let (law, vae) = (LinearGaussian.rotated, fit(steps: 2500, seed: 3))
    #expect(abs(law.entropy - 4.4473) < 5e-5)
    var random = Random(seed: 4)
    let x = law.samples(20_000, using: &random)
    let gap = Estimate(law.logProbability(of: x) - vae.exactBound(x))
    #expect(Double(gap.mean) < 0.01)
    #expect(gap.mean > -3 * gap.standardError)
    let own = vae.model.law.logProbability(of: x) - vae.exactBound(x)
    #expect(own.min().scalar > -1e-4)

    // The learnt law's exact moments; training sets them to a few per cent.
    let learnt = vae.model.law
    #expect(zip(learnt.covariance.joined(), [13, 12, 12, 13]).allSatisfy { abs($0 - $1) < 1 })
    #expect(zip(learnt.mean, [1, 2]).allSatisfy { abs($0 - $1) < 0.3 })
    // Samples of the decoder against those moments, 5 standard errors: a false alarm 6e-7 each.
    let z = Tensor.normal([20_000, 2], using: &random)
    let samples = Normal(mean: vae.decoder(z), logScale: vae.logNoise).sample(using: &random)
    for axis in 0..<2 {
      let column = samples.sliced(axis..<axis + 1, axis: 1).reshaped(to: [-1])
      let variance = learnt.covariance[axis][axis]
      #expect(abs(Double(column.mean().scalar) - learnt.mean[axis]) < 5 * (variance / 20_000).squareRoot())
      #expect(abs(Double(column.variance().scalar) - variance) < 5 * variance * (2.0 / 20_000).squareRoot())
    }
  }

  @Test("The same seed gives the same VAE, another seed another")
  func reproducible() {
    func trained(_ seed: UInt64) -> [Float] {
      fit(steps: 20, seed: seed).parameters.flatMap(\.parameter.wrappedValue.scalars)
    }
    #expect(trained(5) == trained(5))
    #expect(trained(5) != trained(6))
  }

  @Test(
    "The command gives the same numbers again, also from the checkpoint of its last epoch",
    .solved("VariationalBound.1", "VariationalBound.2", "VariationalBound.3", "VariationalBound.4"))
  func command() throws {
    let runner = try LessonRunner("Lesson04-VariationalBound")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "1"]
    #expect(try runner.run(["--out", "one"] + options).status == 0)
    let first = try runner.measurements(in: "one")
    #expect(first.count >= 10)
    #expect(try runner.run(["--out", "one", "--resume"] + options).status == 0)
    #expect(try runner.measurements(in: "one") == first)
    #expect(try runner.run(["--out", "two", "--seed", "2"] + options).status == 0)
    #expect(try runner.measurements(in: "two") != first)
  }
}
