import LessonKit
import Testing

@testable import Lesson06_SimCLR

@MainActor
@Suite("Lesson06-SimCLR: identity")
struct SimCLRIdentityTests {
  @Test("Scores are cosines over the temperature, by hand", .solved("SimCLR.1"))
  func cosinesByHand() {
    let scores = scaledCosines(Tensor([[3, 4], [0, 2], [-4, 3]]), temperature: 0.5)
    #expect(zip(scores.scalars, [2, 1.6, 0, 1.6, 2, 1.2, 0, 1.2, 2]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("NT-Xent is PyTorch's cross-entropy over the others", .solved("SimCLR.1", "SimCLR.2"))
  func againstPyTorch() {
    // z = torch.tensor([[1., 2, 0], [0, 1, 1], [2, 1, 1], [1, -1, 3]], dtype=torch.float64)
    // u = torch.nn.functional.normalize(z); s = (u @ u.T / .5).fill_diagonal_(-torch.inf)
    // torch.nn.functional.cross_entropy(s, torch.tensor([2, 3, 0, 1]))
    let z = Tensor([[1, 2, 0], [0, 1, 1], [2, 1, 1], [1, -1, 3]])
    #expect(abs(ntXent(z, temperature: 0.5).scalar - 0.951_182_64) < 1e-6)
  }

  @Test(
    "NT-Xent is the double loop of equation 1, and its gradient the difference quotient",
    .solved("SimCLR.1", "SimCLR.2"))
  func bruteForce() {
    var random = Random(seed: 1)
    for (images, temperature) in [(2, 0.5), (5, 0.2), (9, 1.5)] as [(Int, Float)] {
      let z = Tensor.normal([2 * images, 4], using: &random) * 3
      let rows = (0..<2 * images).map { row in (0..<4).map { Double(z.scalars[4 * row + $0]) } }
      #expect(abs(Double(ntXent(z, temperature: temperature).scalar) - loop(rows, Double(temperature))) < 1e-5)
      let slope = gradient(at: z) { ntXent($0, temperature: temperature) }
      var (up, down) = (rows, rows)
      up[1][2] += 1e-4
      down[1][2] -= 1e-4
      let quotient = (loop(up, Double(temperature)) - loop(down, Double(temperature))) / 2e-4
      #expect(abs(Double(slope.scalars[6]) - quotient) < 1e-4)
    }
  }

  /// Equation 1, pair by pair.
  private func loop(_ z: [[Double]], _ temperature: Double) -> Double {
    func sim(_ i: Int, _ k: Int) -> Double {
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      return dot(z[i], z[k]) / (dot(z[i], z[i]) * dot(z[k], z[k])).squareRoot()
    }
    var total = 0.0
    for i in z.indices {
      let j = i < z.count / 2 ? i + z.count / 2 : i - z.count / 2
      var sum = 0.0
      for k in z.indices where k != i { sum += exp(sim(i, k) / temperature) }
      total -= log(exp(sim(i, j) / temperature) / sum)
    }
    return total / Double(z.count)
  }

  @Test(
    "Views that are all alike cost ln(2N − 1), partners alone in their directions ln(1 + (2N − 2) e^(−1/τ))",
    .solved("SimCLR.1", "SimCLR.2"))
  func closedForms() {
    #expect(abs(ntXent(.ones([12, 3]), temperature: 0.1).scalar - log(11)) < 1e-5)
    let axes = oneHot(IndexTensor((0..<6).map(Int32.init)), classes: 6)
    let apart = ntXent(axes.tiled(times: 2, axis: 0) * 7, temperature: 0.5)
    #expect(abs(apart.scalar - log(1 + 10 * exp(Float(-2)))) < 1e-5)
  }

  @Test(
    "The estimate is ln N less the loss, by a loop, is 0 for equal scores and never above ln N", .solved("SimCLR.3"))
  func estimateByLoop() {
    var random = Random(seed: 2)
    let scores = Tensor.normal([7, 7], using: &random) * 2
    var expected = 0.0
    for row in 0..<7 {
      let own = (0..<7).map { exp(Double(scores.scalars[7 * row + $0])) }
      expected += log(own[row] / (own.reduce(0, +) / 7)) / 7
    }
    #expect(abs(Double(informationEstimate(scores).scalar) - expected) < 1e-5)
    #expect(abs(informationEstimate(.ones([5, 5]) * 4).scalar) < 1e-6)
    let perfect = oneHot(IndexTensor((0..<9).map(Int32.init)), classes: 9) * 50
    #expect(abs(informationEstimate(perfect).scalar - log(9)) < 1e-5)
    for scale in [0.1, 1, 10, 100] as [Float] {
      let wild = Tensor.normal([16, 16], using: &random) * scale
      #expect(informationEstimate(wild).scalar <= log(16))
    }
  }

  @Test(
    "A simplex of images reaches the floor of NT-Xent, and other views stay above it", .solved("SimCLR.1", "SimCLR.2"))
  func lossFloor() {
    let axes = oneHot(IndexTensor((0..<5).map(Int32.init)), classes: 5)
    var random = Random(seed: 6)
    for temperature in [0.2, 0.5, 2] as [Float] {
      let floor = ntXentFloor(images: 5, temperature: temperature)
      let simplex = (axes - 0.2).tiled(times: 2, axis: 0)
      #expect(abs(ntXent(simplex, temperature: temperature).scalar - floor) < 1e-5)
      for _ in 0..<20 {
        let near = simplex + Tensor.normal([10, 5], using: &random) * 0.3
        #expect(ntXent(near, temperature: temperature).scalar > floor)
      }
    }
  }

  @Test("The exact critic is ln p(x, y) − ln p(x) − ln p(y) of every pair")
  func exactCriticIsDensityRatio() {
    var random = Random(seed: 3)
    let law = CorrelatedGaussians(correlation: -0.7, dimension: 3)
    let (x, y) = law.pairs(4, using: &random)
    let critic = exactCritic(law, x, y)
    for i in 0..<4 {
      for k in 0..<4 {
        let pair = [x.sliced(i..<i + 1, axis: 0), y.sliced(k..<k + 1, axis: 0)]
        let marginal = pair.map { Normal.standard([1, 3]).logProbability(of: $0).scalar }.reduce(0, +)
        let joint = law.logProbability(of: stack(pair, axis: 1)).scalar
        #expect(abs(critic.scalars[4 * i + k] - (joint - marginal)) < 1e-4)
      }
    }
  }

  @Test("Views i and N + i are of image i, and are drawn twice", .solved("SimCLR.4"))
  func viewOrder() {
    var random = Random(seed: 4)
    let images = Tensor([0.2, 0.5, 0.8], shape: [3, 1, 1, 1]).broadcast(to: [3, 4, 4, 1])
    let x = views(of: images, using: &random) { $0.augmented(by: [.noise(0.01)], using: &$1) }
    #expect(x.shape == [6, 4, 4, 1])
    let means = x.mean(axes: [1, 2, 3]).scalars
    #expect(zip(means, [0.2, 0.5, 0.8, 0.2, 0.5, 0.8]).allSatisfy { abs($0 - $1) < 0.02 })
    let halves = x.split(sizes: [3, 3], axis: 0)
    #expect(zip(halves[0].scalars, halves[1].scalars).allSatisfy { $0 != $1 })
    #expect(zip(halves[1].scalars, images.scalars).allSatisfy { $0 != $1 })
  }
}

@MainActor
@Suite("Lesson06-SimCLR: learning and samples")
struct SimCLRLearningTests {
  /// Estimates of critics on the same fresh batches.
  private func estimates(
    _ law: CorrelatedGaussians, size: Int, count: Int, seed: UInt64, _ critics: [(Tensor, Tensor) -> Tensor],
    shuffling: Bool = false
  ) -> [Tensor] {
    var random = Random(seed: seed)
    let all = (0..<count).map { _ -> [Float] in
      let (x, y) = law.pairs(size, using: &random)
      let partners = shuffling ? y.rolled(by: 1, axis: 0) : y
      return withoutGradients { critics.map { informationEstimate($0(x, partners)).scalar } }
    }
    return Tensor(all).split(sizes: critics.map { _ in 1 }, axis: 1)
  }

  @Test(
    "The exact critic's estimate is within 6 % of the information, never above it, and below ln N where that is less",
    .solved("SimCLR.3"))
  func exactCriticEstimates() {
    let law = CorrelatedGaussians(correlation: 0.9, dimension: 2)
    let found = Estimate(estimates(law, size: 256, count: 200, seed: 5) { exactCritic(law, $0, $1) })
    #expect(Double(found.mean) > 0.94 * law.mutualInformation)
    // Five standard errors: 3e-7 for a false alarm.
    #expect(Double(found.mean) < law.mutualInformation + 5 * Double(found.standardError))
    let much = CorrelatedGaussians(correlation: 0.9, dimension: 10)
    let lid = estimates(much, size: 16, count: 100, seed: 6) { exactCritic(much, $0, $1) }
    #expect(lid.max().scalar <= log(16) && lid.mean().scalar > log(16) - 0.1)
  }

  @Test(
    "Partners exchanged: the exact critic's estimate is far below 0, as a critic that is sure and wrong must have",
    .solved("SimCLR.3"))
  func exchangedPartners() {
    let law = CorrelatedGaussians(correlation: 0.9, dimension: 2)
    let found = Estimate(
      estimates(law, size: 64, count: 100, seed: 7, [{ exactCritic(law, $0, $1) }], shuffling: true)[0])
    #expect(found.mean < -1)
  }

  private func estimates(
    _ law: CorrelatedGaussians, size: Int, count: Int, seed: UInt64, _ critic: (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    withoutActuallyEscaping(critic) { estimates(law, size: size, count: count, seed: seed, [$0])[0] }
  }

  @Test("A learnt critic comes within 3 % of the exact one's estimate and not above it", .solved("SimCLR.3"))
  func learntCritic() {
    let law = CorrelatedGaussians(correlation: 0.9, dimension: 1)
    var random = Random(seed: 8)
    let critic = SeparableCritic(1, width: 32, outputs: 16, using: &random)
    var optimizer = Adam(critic.parameters)
    let rates = Schedule.cosine(from: 5e-3, steps: 500)
    for step in 0..<500 {
      let (x, y) = law.pairs(128, using: &random)
      optimizer.learningRate = rates(step)
      optimizer.minimize(-informationEstimate(critic(x, y)))
    }
    let both = estimates(law, size: 128, count: 200, seed: 9, [{ critic($0, $1) }, { exactCritic(law, $0, $1) }])
    let (learnt, gap) = (Estimate(both[0]), Estimate(both[1] - both[0]))
    #expect(gap.mean < 0.03 * Float(law.mutualInformation))
    #expect(gap.mean > -3 * gap.standardError)
    #expect(Double(learnt.mean) < law.mutualInformation + 3 * Double(learnt.standardError))
  }

  @Test(
    "Digits: new images' loss falls between floor and guessing, and few labels go further than on untrained features",
    .solved("SimCLR.1", "SimCLR.2", "SimCLR.4"))
  func digitsLearn() throws {
    let digits = try Digits()
    var random = Random(seed: 10)
    let few = FewLabels(digits.train, test: digits.test, perClass: 10, draws: 3, using: &random)
    let recipe: [Augmentation] = [.rotation(degrees: -20...20), .crop(area: 0.5...1), .shift(by: 1)]
    let model = SimCLR(side: 8, channels: [16, 16, 32], using: &random)
    let before = few.probe(weightDecays: [0.03]) { model.f($0) }.estimate
    var optimizer = Adam(model.parameters, learningRate: 3e-3)
    for _ in 0..<150 {
      let x = digits.train.images(at: (0..<64).map { _ in Int.random(in: digits.train.indices, using: &random) })
      optimizer.minimize(model.loss(x, by: recipe, temperature: 0.5, using: &random))
    }
    let fresh = digits.test.images(at: 0..<64)
    let loss = withoutGradients { model.loss(fresh, by: recipe, temperature: 0.5, using: &random).scalar }
    #expect(loss > ntXentFloor(images: 64, temperature: 0.5))
    #expect(loss < log(127) - 0.8)
    let after = few.probe(weightDecays: [0.03]) { model.f($0) }.estimate
    #expect(after.mean > before.mean + 1)
  }
}
