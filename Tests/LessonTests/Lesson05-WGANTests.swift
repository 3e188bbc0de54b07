import LessonKit
import Testing

@testable import Lesson05_WGAN

private func column(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count, 1]) }

@MainActor
@Suite("Lesson05-WGAN: identity")
struct WGANIdentityTests {
  @Test(
    "Both objectives by hand: scores beyond the hinge cost nothing, and the generator has no hinge", .solved("WGAN.1"))
  func lossesByHand() {
    let (real, fake) = (Tensor([2, 0.5, -1]), Tensor([-3, 0.25]))
    let wasserstein = Objective.wasserstein(real: real, fake: fake)
    #expect(abs(wasserstein.critic.scalar - (-1.375 - 0.5)) < 1e-6)
    #expect(wasserstein.generator.scalar == 1.375)
    let hinge = Objective.hinge(real: real, fake: fake)
    #expect(abs(hinge.critic.scalar - ((0 + 0.5 + 2) / 3 + (0 + 1.25) / 2)) < 1e-6)
    #expect(hinge.generator.scalar == 1.375)
  }

  @Test("A linear critic's penalty is (‖w‖ − 1)² wherever the points lie", .solved("WGAN.2"))
  func linearCritic() {
    var random = Random(seed: 1)
    let w = column([2, -1, 2])
    let (real, fake) = (Tensor.normal([5, 3], using: &random), Tensor.normal([5, 3], using: &random))
    let mix = Tensor.uniform([5, 1], using: &random)
    let penalty = { (critic: (Tensor) -> Tensor) in gradientPenalty(of: critic, real: real, fake: fake, mix: mix).scalar
    }
    #expect(abs(penalty { matmul($0, w).reshaped(to: [5]) } - 4) < 1e-5)
    #expect(penalty { matmul($0, w / 3).reshaped(to: [5]) } < 1e-10)
  }

  @Test("With f = ½‖x‖² each length is that of the point itself: ε weighs the data, row by row", .solved("WGAN.2"))
  func penaltyPoints() {
    let (real, fake) = (Tensor([[3, 4], [0, 2]]), Tensor([[0, 0], [4, 2]]))
    // The points are (0.6, 0.8) of length 1 and (3, 2) of length √13.
    let penalty = gradientPenalty(
      of: { square($0).sum(axis: 1) * 0.5 }, real: real, fake: fake, mix: column([0.2, 0.25]))
    #expect(abs(penalty.scalar - Float(pow(13.0.squareRoot() - 1, 2) / 2)) < 1e-5)
  }

  @Test("The penalty's gradient equals finite differences, and so does the gradient of that", .solved("WGAN.2"))
  func penaltyGradient() {
    var random = Random(seed: 2)
    let (real, fake) = (Tensor.normal([4, 2], using: &random), Tensor.normal([4, 2], using: &random))
    let mix = Tensor.uniform([4, 1], using: &random)
    let weights = [
      Tensor.normal([2, 5], using: &random), Tensor.normal([5], using: &random), Tensor.normal([5, 1], using: &random),
    ]
    let report = gradientCheck(
      of: { w in
        gradientPenalty(
          of: { x in matmul(tanh(matmul(x, w[0]) + w[1]), w[2]).reshaped(to: [4]) }, real: real, fake: fake, mix: mix)
      }, at: weights, order: 2)
    #expect(report.passes, "\(report)")
  }

  @Test("The penalty of the lesson's own critic moves every weight as finite differences say", .solved("WGAN.2"))
  func criticGradient() {
    var random = Random(seed: 3)
    let critic = Critic(inputs: 2, hidden: [6, 6], .penalty(1), using: &random)
    let (real, fake) = (Tensor.normal([8, 2], using: &random), Tensor.normal([8, 2], using: &random) + 1)
    let mix = Tensor.uniform([8, 1], using: &random)
    func penalty() -> Tensor { gradientPenalty(of: critic.callAsFunction, real: real, fake: fake, mix: mix) }
    let weights = critic.parameters.filter { $0.name.hasSuffix("weight") }
    let found = gradients(of: penalty(), withRespectTo: weights.map(\.parameter.wrappedValue))
    let h: Float = 1e-3
    for (named, slope) in zip(weights, found) {
      let value = named.parameter.wrappedValue.detached()
      let direction = Tensor.normal(value.shape, using: &random)
      let values = [h, -h].map { step in
        named.parameter.wrappedValue = value + direction * step
        return Double(penalty().scalar)
      }
      named.parameter.wrappedValue = value
      let (difference, exact) = ((values[0] - values[1]) / Double(2 * h), Double((slope * direction).sum().scalar))
      #expect(abs(exact) > 0.01)
      #expect(abs(difference - exact) < 0.01 * abs(exact) + 0.003, "\(named.name): \(difference), \(exact)")
    }
  }

  @Test("Sorting finds the cheapest of all 720 pairings of six numbers", .solved("WGAN.3"))
  func sortingIsOptimal() {
    var random = Random(seed: 4)
    let (x, y) = (Tensor.normal([6], using: &random), Tensor.normal([6], using: &random) * 2 + 0.5)
    var best = Float.infinity
    func pair(_ rest: [Float], _ place: Int, _ cost: Float) {
      if rest.isEmpty { best = min(best, cost / 6) }
      for (index, other) in rest.enumerated() {
        var fewer = rest
        fewer.remove(at: index)
        pair(fewer, place + 1, cost + abs(x.scalars[place] - other))
      }
    }
    pair(y.scalars, 0, 0)
    #expect(abs(wasserstein1D(x, y).scalar - best) < 1e-5)
    #expect(abs(wasserstein1D(x, x + 1.25).scalar - 1.25) < 1e-6)
  }

  @Test("Power iteration comes to the SVD's largest singular value, and its gradient to v·uᵀ", .solved("WGAN.4"))
  func spectralNormAgainstSVD() {
    var random = Random(seed: 5)
    for (rows, columns) in [(1, 4), (6, 6), (20, 7), (7, 20)] {
      let w = Tensor.normal([rows, columns], using: &random)
      let start = unit(.normal([columns, 1], using: &random))
      let (left, values, right) = singularValueDecomposition(w)
      let (sigma, slope) = valueWithGradient(at: w) { spectralNorm(of: $0, start: start, iterations: 500) }
      #expect(abs(sigma.scalar / values.scalars[0] - 1) < 1e-4)
      let first = matmul(left.sliced(0..<1, axis: 1), right.sliced(0..<1, axis: 0))
      #expect(abs(slope - first).max().scalar < 0.02, "\(rows) × \(columns)")
      // From below: vᵀ·W·u exceeds σ for no unit vectors.
      let early = (1...5).map { spectralNorm(of: w, start: start, iterations: $0).scalar }
      #expect(
        zip(early, early.dropFirst()).allSatisfy { $0 <= $1 * 1.00001 } && early[4] <= values.scalars[0] * 1.00001)
    }
  }

  @Test("With spectral norms no two points' scores differ by more than their distance; without, they do")
  func lipschitz() {
    var random = Random(seed: 6)
    let (x, y) = (Tensor.normal([2000, 2], using: &random), Tensor.normal([2000, 2], using: &random))
    let steepest = [Constraint.spectralNorm, .penalty(1)].map { constraint -> Float in
      let critic = Critic(inputs: 2, hidden: [32, 32], constraint, using: &random)
      for _ in 0..<100 { _ = critic(.zeros([1, 2])) }  // a step of the power method each
      let rise = abs(critic.judge(x).score - critic.judge(y).score)
      return (rise / sqrt(square(x - y).sum(axis: 1))).max().scalar
    }
    #expect(steepest[0] <= 1.01 && steepest[0] > 0.01 && steepest[1] > 1.5, "\(steepest)")
  }

  @Test("The steepness is the length of the gradient, and judging moves no vector of the power method")
  func steepness() {
    var random = Random(seed: 9)
    let critic = Critic(inputs: 2, hidden: [16, 16], frequency: 1, .spectralNorm, using: &random)
    let vectors = critic.untrained.map(\.cell.wrappedValue.scalars)
    let x = Tensor.normal([50, 2], using: &random)
    let steepness = critic.judge(x).steepness
    let h: Float = 1e-2
    let slopes = [Tensor([[h, 0]]), Tensor([[0, h]])].map {
      (critic.judge(x + $0).score - critic.judge(x - $0).score) / (2 * h)
    }
    let lengths = sqrt(square(slopes[0]) + square(slopes[1]))
    // Rectifiers bend within a step of few points.
    #expect(zip(steepness.scalars, lengths.scalars).count { abs($0 - $1) < 0.02 * $1 + 1e-3 } >= 45)
    #expect(vectors.count == 6 && critic.untrained.map(\.cell.wrappedValue.scalars) == vectors)
  }

  @Test("Clipping puts every weight and bias back into −c…c and leaves the others; other constraints leave all")
  func clipping() {
    var random = Random(seed: 7)
    for (constraint, c) in [(Constraint.clipping(0.4), Float(0.4)), (.penalty(0.4), .infinity)] {
      let critic = Critic(inputs: 2, hidden: [8], constraint, using: &random)
      let before = critic.parameters.map(\.parameter.wrappedValue.scalars)
      critic.clip()
      for (old, named) in zip(before, critic.parameters) {
        #expect(named.parameter.wrappedValue.scalars == old.map { max(-c, min(c, $0)) }, "\(named.name)")
      }
    }
  }

  @Test(
    "The critic's loss is minus its lead, plus λ times the penalty, of which a warm-up takes the logarithm's share",
    .solved("WGAN.1", "WGAN.2"))
  func criticLoss() {
    var random = Random(seed: 10)
    let (real, fake) = (Tensor.normal([6, 2], using: &random), Tensor.normal([6, 2], using: &random) + 1)
    for constraint in [Constraint.penalty(100), .clipping(1)] {
      let critic = Critic(inputs: 2, hidden: [8], constraint, using: &random)
      let lead = (critic.judge(real).score.mean() - critic.judge(fake).score.mean()).scalar
      var copy = random
      let mix = Tensor.uniform([6, 1], using: &copy)
      let penalty = gradientPenalty(of: callable(critic), real: real, fake: fake, mix: mix).scalar
      for (share, weight) in [(Float(0), Float(1)), (0.5, 10), (1, 100), (2, 100)] {
        var copy = random
        let (loss, found) = critic.loss(.wasserstein, real: real, fake: fake, share: share, using: &copy)
        #expect(abs(found - lead) < 1e-5)
        let expected = constraint == .clipping(1) ? -lead : weight * penalty - lead
        #expect(abs(loss.scalar - expected) < 1e-4 * abs(expected) + 1e-5)
      }
    }
  }

  private func callable(_ critic: Critic) -> (Tensor) -> Tensor { { critic($0) } }

  private let shift = LinePair(real: Bumps(centres: [1]), fake: Bumps(centres: [-1]))
  private let zigzag = LinePair(real: Bumps(centres: [-2, 0, 2]), fake: Bumps(centres: [-1, 1]))

  @Test("The integral |F − G| is what sorting finds, and r the density of points between", .solved("WGAN.3"))
  func exactDistance() {
    #expect(abs(shift.distance - 2) < 1e-6)
    var random = Random(seed: 8)
    let count = 60_000
    let (x, y) = (zigzag.real.samples(count, using: &random), zigzag.fake.samples(count, using: &random))
    // Shares of bumps deviate by √(p(1−p)/n) = 0.002: 0.02 is far beyond 6 standard errors of their sum.
    let sorted = wasserstein1D(x.reshaped(to: [count]), y.reshaped(to: [count])).scalar
    #expect(abs(Double(sorted) - zigzag.distance) < 0.02)
    for pair in [shift, zigzag] {
      let (x, y) = (pair.real.samples(count, using: &random), pair.fake.samples(count, using: &random))
      let mix = Tensor.uniform([count, 1], using: &random)
      let points = (mix * x + (1 - mix) * y).scalars
      #expect(abs(pair.between.reduce(0, +) * pair.cell - 1) < 1e-3)
      // Thirty bins: 5.5 standard errors each, 4e-8 a bin.
      for bin in 0..<30 {
        let cells = 40 * bin..<40 * (bin + 1)
        let share = pair.between[cells].reduce(0, +) * pair.cell
        let low = pair.x[cells.lowerBound] - pair.cell / 2
        let found = Double(points.count { Double($0) >= low && Double($0) < low + 40 * pair.cell }) / Double(count)
        #expect(abs(found - share) < 5.5 * (share * (1 - share) / Double(count)).squareRoot() + 2e-4)
      }
    }
  }

  @Test("Under the penalty no other slopes score higher; the bias is at least W₁²/(2λ), and the mean slope 1 + W₁/(2λ)")
  func exactBias() {
    for pair in [shift, zigzag] {
      for lambda in [1.0, 10, 100] {
        let (best, distance) = (pair.slopes(lambda: lambda), pair.distance)
        func score(_ slopes: [Double]) -> Double {
          zip(zip(slopes, pair.crossing), pair.between).reduce(0) { sum, part in
            let ((slope, crossing), r) = part
            return sum + (slope * crossing - lambda * r * pow(abs(slope) - 1, 2)) * pair.cell
          }
        }
        for change in [0.99, 1.01, -1] { #expect(score(best.map { $0 * change }) < score(best)) }
        #expect(score(best.enumerated().map { $0 < 600 ? $1 : $1 * 1.02 }) < score(best))
        let bias = pair.value(lambda: lambda) - distance
        #expect(bias > 0.9999 * distance * distance / (2 * lambda))
        if pair.real.centres.count == 1 { #expect(bias < 1.002 * 4 / (2 * lambda)) }
        let mean = zip(best, pair.between).reduce(0) { $0 + abs($1.0) * $1.1 } * pair.cell
        #expect(abs(mean - 1 - distance / (2 * lambda)) < 1e-3)
      }
    }
  }
}

@MainActor
@Suite("Lesson05-WGAN: learning and samples")
struct WGANLearningTests {
  private let pair = LinePair(real: Bumps(centres: [1]), fake: Bumps(centres: [-1]))

  /// The lead on fresh points, and the mean slope between them.
  private func fit(_ constraint: Constraint, steps: Int) -> (lead: Double, slope: Double) {
    var random = Random(seed: 1)
    let critic = Critic(inputs: 1, hidden: [32, 32], constraint, using: &random)
    var optimizer = Adam(critic.parameters, beta1: 0.5, beta2: 0.9)
    let rate = Schedule.cosine(from: 5e-3, steps: steps)
    for step in 0..<steps {
      optimizer.learningRate = rate(step)
      let (real, fake) = (pair.real.samples(128, using: &random), pair.fake.samples(128, using: &random))
      let share = 2 * Float(step) / Float(steps)
      optimizer.minimize(critic.loss(.wasserstein, real: real, fake: fake, share: share, using: &random).loss)
      critic.clip()
    }
    var testing = Random(seed: 100)
    let (x, y) = (pair.real.samples(5000, using: &testing), pair.fake.samples(5000, using: &testing))
    let mix = Tensor.uniform([5000, 1], using: &testing)
    let lead = critic.judge(x).score.mean() - critic.judge(y).score.mean()
    return (Double(lead.scalar), Double(critic.judge(mix * x + (1 - mix) * y).steepness.mean().scalar))
  }

  @Test(
    "λ = 100: the estimate is W₁ = 2 within 2 %; λ = 10: biased to 2.2, and within 3 % once divided by the slope 1.1",
    .solved("WGAN.1", "WGAN.2"))
  func penalty() {
    let hundred = fit(.penalty(100), steps: 500)
    #expect(abs(hundred.lead / 2 - 1) < 0.02, "\(hundred)")
    let ten = fit(.penalty(10), steps: 500)
    #expect(abs(ten.lead / 2.2 - 1) < 0.02 && abs(ten.slope / 1.1 - 1) < 0.02, "\(ten)")
    #expect(abs(ten.lead / ten.slope / 2 - 1) < 0.03)
  }

  @Test(
    "Clipping's estimate is W₁ times a factor that c makes; the spectral norm's is no more than W₁", .solved("WGAN.1"))
  func otherConstraints() {
    let clipped = [0.03, 0.1].map { fit(.clipping($0), steps: 300) }
    #expect(clipped[0].lead < 0.2 && clipped[1].lead > 10 * clipped[0].lead, "\(clipped)")
    for (lead, slope) in clipped { #expect(abs(lead / slope / 2 - 1) < 0.05) }
    let normed = fit(.spectralNorm, steps: 300)
    #expect(normed.lead > 1.9 && normed.lead < 2.01, "\(normed)")
  }

  @Test("Bumps have their moments, and their points fall below x as often as stated")
  func bumps() {
    var random = Random(seed: 11)
    let law = Bumps(centres: [-2, 0, 2])
    let x = law.samples(40_000, using: &random)
    // Variance 8/3 + 0.01: 5.5 standard errors, 4e-8.
    #expect(abs(x.mean().scalar) < 5.5 * (2.677 / 40_000.0).squareRoot())
    #expect(abs(x.variance().scalar - 2.6767) < 0.04)
    for edge in [-2.05, -1, 0.1, 1.95] {
      let (share, found) = (law.cumulative(edge), Double(x.scalars.count { Double($0) < edge }) / 40_000)
      #expect(abs(share - found) < 5.5 * (share * (1 - share) / 40_000).squareRoot(), "\(edge)")
    }
  }

  @Test(
    "A generator learns four modes: each is covered, most samples are good, far more than of one Gaussian",
    .solved("WGAN.1", "WGAN.2"))
  func generatorLearns() {
    var random = Random(seed: 12)
    let law = GridGaussians(4, spacing: 2, deviation: 0.1)
    let critic = Critic(inputs: 2, hidden: [48, 48], frequency: 1.5, .penalty(0.25), using: &random)
    let generator = Generator(latents: 2, hidden: [48, 48], frequency: 2.5, using: &random)
    let batch = 128
    var (critics, generators) = (
      Adam(critic.parameters, beta1: 0.5, beta2: 0.9), Adam(generator.parameters, beta1: 0.5, beta2: 0.9)
    )
    let rate = Schedule.cosine(from: 4e-3, steps: 700)
    for step in 0..<700 {
      (critics.learningRate, generators.learningRate) = (rate(step), rate(step))
      let (real, fake) = (law.samples(batch, using: &random), generator.constants(batch, using: &random))
      critics.minimize(critic.loss(.wasserstein, real: real, fake: fake, using: &random).loss)
      let scores = critic(generator.samples(batch, using: &random))
      generators.minimize(Objective.wasserstein(real: scores, fake: scores).generator)
    }
    let found = ModeCoverage(of: generator.constants(5000, using: &random), modes: law.modes, radius: 0.4)
    let ideal = ModeCoverage(of: law.samples(5000, using: &random), modes: law.modes, radius: 0.4)
    #expect(found.coveredModes(holding: 0.1) == 4, "\(found.goodShares)")
    // One Gaussian with the law's covariance has 0.19; the law itself 0.9997.
    #expect(found.goodShare > 0.6 && found.goodShare <= ideal.goodShare + 0.01, "\(found.goodShare)")
  }
}

@Suite("Lesson05-WGAN: the command")
struct WGANCommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others; a damaged checkpoint is refused",
    .solved("WGAN.1", "WGAN.2", "WGAN.3", "WGAN.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson05-WGAN")
    defer { runner.remove() }
    #expect(try runner.run(["--quick", "--out", "whole"]).status == 0)
    // Killed as soon as a first checkpoint is there.
    let process = try runner.start(["--quick", "--out", "parts"])
    let checkpoint = runner.folder.appending(path: "parts/wasserstein.safetensors")
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint.path) { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try runner.run(["--quick", "--out", "parts", "--resume"]).status == 0)
    let whole = try runner.measurements(in: "whole")
    #expect(whole.count >= 12)
    #expect(try runner.measurements(in: "parts") == whole)

    let bytes = try Data(contentsOf: checkpoint)
    try bytes.prefix(bytes.count / 2).write(to: checkpoint)
    let damaged = try runner.run(["--quick", "--out", "parts", "--resume"])
    #expect(damaged.status != 0 && damaged.errors.contains("wasserstein.safetensors"))
    #expect(try Data(contentsOf: checkpoint) == bytes.prefix(bytes.count / 2))

    #expect(try runner.run(["--quick", "--epochs", "1", "--out", "other", "--seed", "2"]).status == 0)
    let name = "shift, λ = 100: estimate off W1"
    #expect(whole[name] != nil)
    #expect(try runner.measurements(in: "other")[name] != whole[name])
  }
}
