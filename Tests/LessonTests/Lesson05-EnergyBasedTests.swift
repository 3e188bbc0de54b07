import LessonKit
import Testing

@testable import Lesson05_EnergyBased

/// A machine with weights and biases uniform on −1…1, with as many visible and hidden units.
@MainActor
private func randomMachine(_ visible: Int, _ hidden: Int, seed: UInt64) -> RBM {
  var random = Random(seed: seed)
  let machine = RBM(visible: visible, hidden: hidden, chains: 1, using: &random)
  for named in machine.parameters {
    named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -1..<1, using: &random)
  }
  return machine
}

/// A network with a share in the energy that is far from 0.
@MainActor
private func randomNetwork(seed: UInt64) -> NeuralEnergy {
  var random = Random(seed: seed)
  let network = NeuralEnergy(waves: 8, hidden: 8, chains: 1, using: &random)
  network.last.weight = .uniform(network.last.weight.shape, in: -3..<3, using: &random)
  return network
}

/// All that a machine of 3 visible and 2 hidden units has, by scalar loops over its 32 states: the independent truth.
@MainActor
private struct BruteForce {
  /// exp(−energy) of [image][causes], with the joint energy −a·v − b·h − vᵀWh.
  var joint = [[Double]](repeating: [0, 0, 0, 0], count: 8)

  static func bit(_ code: Int, _ place: Int) -> Double { Double(code >> place & 1) }

  init(_ machine: RBM) {
    let (w, a, b) = (machine.weight.scalars, machine.visibleBias.scalars, machine.hiddenBias.scalars)
    for v in 0..<8 {
      for h in 0..<4 {
        var exponent = 0.0
        for i in 0..<3 { exponent += Self.bit(v, i) * Double(a[i]) }
        for j in 0..<2 { exponent += Self.bit(h, j) * Double(b[j]) }
        for i in 0..<3 { for j in 0..<2 { exponent += Self.bit(v, i) * Self.bit(h, j) * Double(w[2 * i + j]) } }
        joint[v][h] = exp(exponent)
      }
    }
  }

  var total: Double { joint.joined().reduce(0, +) }
  var law: [Double] { joint.map { $0.reduce(0, +) / total } }
  /// p(h|v) and p(v|h).
  func up(_ v: Int, _ h: Int) -> Double { joint[v][h] / joint[v].reduce(0, +) }
  func down(_ h: Int, _ v: Int) -> Double { joint[v][h] / joint.reduce(0) { $0 + $1[h] } }

  /// The law one step of Gibbs sampling after a law of images.
  func stepped(_ law: [Double]) -> [Double] {
    (0..<8).map { next in
      (0..<8).reduce(0) { sum, v in sum + law[v] * (0..<4).reduce(0) { $0 + up(v, $1) * down($1, next) } }
    }
  }

  /// −∂E/∂(W, a, b) averaged over a law of images: ⟨vᵢ p(hⱼ = 1|v)⟩, ⟨vᵢ⟩, ⟨p(hⱼ = 1|v)⟩.
  func moments(_ law: [Double]) -> [Double] {
    func on(_ v: Int, _ j: Int) -> Double { (0..<4).reduce(0) { $0 + Self.bit($1, j) * up(v, $1) } }
    func mean(_ f: (Int) -> Double) -> Double { (0..<8).reduce(0) { $0 + law[$1] * f($1) } }
    let products = (0..<3).flatMap { i in (0..<2).map { j in mean { Self.bit($0, i) * on($0, j) } } }
    return products + (0..<3).map { i in mean { Self.bit($0, i) } } + (0..<2).map { j in mean { on($0, j) } }
  }
}

@MainActor
@Suite("Lesson05-EnergyBased: the machine, identity")
struct BoltzmannIdentityTests {
  /// Images 1, 2 and 6 of `images`, and their law.
  private let picked = [1, 2, 6]
  private var data: Tensor { Tensor(picked.map { v in (0..<3).map { Float(BruteForce.bit(v, $0)) } }) }
  private var dataLaw: [Double] { (0..<8).map { picked.contains($0) ? 1.0 / 3 : 0 } }
  /// The place of an image of scalar loops among `images`.
  private func place(_ machine: RBM, _ v: Int) -> Int {
    let rows = machine.images.scalars
    return (0..<8).first { row in (0..<3).allSatisfy { Double(rows[3 * row + $0]) == BruteForce.bit(v, $0) } }!
  }

  @Test("exp(−E(v)) is the sum over h, ln Z that over everything, and p sums to 1", .solved("EnergyBased.1"))
  func freeEnergy() {
    let machine = randomMachine(3, 2, seed: 1)
    let truth = BruteForce(machine)
    let (energies, logP) = (
      machine.energy(machine.images).scalars, machine.logProbability(of: machine.images).scalars
    )
    for v in 0..<8 {
      #expect(abs(Double(energies[place(machine, v)]) + log(truth.joint[v].reduce(0, +))) < 1e-5)
      #expect(abs(Double(logP[place(machine, v)]) - log(truth.law[v])) < 1e-5)
    }
    #expect(abs(Double(machine.logZ.scalar) - log(truth.total)) < 1e-5)
    let wide = randomMachine(9, 8, seed: 2)
    #expect(abs(exp(wide.logProbability(of: wide.images)).sum().scalar - 1) < 1e-5)
  }

  @Test("The chains' law is that of scalar loops, for 1, 2 and 3 steps, and ends at p")
  func chainLaw() {
    let machine = randomMachine(3, 2, seed: 3)
    let truth = BruteForce(machine)
    var law = dataLaw
    for steps in 1...3 {
      law = truth.stepped(law)
      let found = machine.chainLaw(from: data, steps: steps).scalars
      for v in 0..<8 { #expect(abs(Double(found[place(machine, v)]) - law[v]) < 1e-6) }
    }
    let end = machine.chainLaw(from: data, steps: 300).scalars
    for v in 0..<8 { #expect(abs(Double(end[place(machine, v)]) - truth.law[v]) < 1e-5) }
  }

  @Test(
    "CD's gradient is that of the data less that of the chains, on average: scalar loops, 6 standard errors",
    .solved("EnergyBased.1", "EnergyBased.2"))
  func contrastIsUnbiased() {
    let machine = randomMachine(3, 2, seed: 4)
    let truth = BruteForce(machine)
    let exact = zip(truth.moments(truth.stepped(truth.stepped(dataLaw))), truth.moments(dataLaw)).map { $0 - $1 }
    let (batch, weights) = (data.repeated(50, axis: 0), machine.parameters.map(\.parameter.wrappedValue))
    var random = Random(seed: 5)
    let draws = (0..<400).map { _ in
      let loss = machine.contrast(batch, from: batch, steps: 2, using: &random).loss
      return gradients(of: loss, withRespectTo: weights).flatMap(\.scalars)
    }
    for (index, value) in exact.enumerated() {
      let estimate = Estimate(Tensor(draws.map { $0[index] }))
      // 11 values at 6 standard errors: a false alarm 2e-8.
      #expect(abs(Double(estimate.mean) - value) < 6 * Double(estimate.standardError) + 1e-5)
    }
  }

  @Test("Persistent chains begin where they are told, and their ends are zeros and ones", .solved("EnergyBased.2"))
  func chainsGoOn() {
    // Weights of ±20 copy v to h and back, so that a chain stays where it begins.
    var random = Random(seed: 6)
    let machine = RBM(visible: 3, hidden: 3, chains: 1, using: &random)
    machine.weight = Tensor([[40, 0, 0], [0, 40, 0], [0, 0, 40]])
    (machine.visibleBias, machine.hiddenBias) = (Tensor([-20, -20, -20]), Tensor([-20, -20, -20]))
    let start = Tensor([[1, 0, 1], [0, 0, 0]])
    let ends = machine.contrast(Tensor([[1, 1, 1]]), from: start, steps: 7, using: &random).ends
    #expect(ends.scalars == start.scalars)
  }

  @Test("The angle between CD's expected gradient and the exact one is that of scalar loops", .solved("EnergyBased.1"))
  func angles() {
    let machine = randomMachine(3, 2, seed: 7)
    let truth = BruteForce(machine)
    let exact = zip(truth.moments(truth.law), truth.moments(dataLaw)).map { $0 - $1 }
    let one = zip(truth.moments(truth.stepped(dataLaw)), truth.moments(dataLaw)).map { $0 - $1 }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let angle = acos(dot(one, exact) / (dot(one, one) * dot(exact, exact)).squareRoot()) * 180 / .pi
    #expect(angle > 1)
    #expect(abs(Double(machine.angle(data, steps: 1)) - angle) < 0.05)
    #expect(machine.angle(data, steps: 300) < 0.1)
  }
}

@MainActor
@Suite("Lesson05-EnergyBased: energies over the plane, identity and samples")
struct PlanarEnergyTests {
  /// Covariance and mean of a normal law in the plane, and its energy.
  private let covariance = [[1.3, 0.4], [0.4, 0.5]]
  private let mean = [0.3, -0.2]
  private var normal: GaussianEnergy {
    let determinant = 1.3 * 0.5 - 0.4 * 0.4
    let precision = [[0.5, -0.4], [-0.4, 1.3]].map { $0.map { Float($0 / determinant) } }
    let model = GaussianEnergy(dimensions: 2)
    model.precision = Tensor(precision)
    model.tilt = Tensor(precision.map { $0[0] * 0.3 + $0[1] * -0.2 })
    return model
  }

  @Test("Quadrature gives a normal law's ln Z and a KL in closed form; a network's Z is at least the bowl's")
  func quadrature() {
    let plane = Plane(reach: 8, cells: 160)
    // ln Z = ln 2π + ½ ln|Σ| + ½ μᵀΣ⁻¹μ.
    let quadratic = (0.5 * 0.09 - 2 * 0.4 * 0.3 * -0.2 + 1.3 * 0.04) / 0.49
    #expect(abs(Double(plane.logZ(normal)) - (log(2 * Double.pi) + 0.5 * log(0.49) + 0.5 * quadratic)) < 1e-4)
    // The normal law with a law's own moments is as far from it as their entropies are apart.
    let eight = EightGaussians()
    let matched = GaussianEnergy(dimensions: 2)
    matched.precision = matched.precision * Float(1 / eight.covariance[0][0])
    #expect(abs(Double(plane.divergence(eight, matched)) - (eight.gaussianEntropy - eight.entropy)) < 1e-4)
    let (network, wide) = (randomNetwork(seed: 1), Plane(reach: 16, cells: 160))
    #expect(Double(wide.logZ(network)) > log(8 * Double.pi))
    network.last.weight = .zeros(network.last.weight.shape)
    network.last.bias = Tensor([-30])
    #expect(abs(Double(wide.logZ(network)) - log(8 * Double.pi)) < 1e-4)
  }

  @Test("Draws from the grid have the moments of a normal law (5 standard errors: 6e-7 each)")
  func gridDraws() {
    var random = Random(seed: 2)
    let x = Plane(reach: 8, cells: 160).samples(normal, 20_000, using: &random)
    expectMoments(x, of: covariance, mean)
  }

  /// Mean and covariance of `[count, 2]` within 5 standard errors.
  private func expectMoments(_ x: Tensor, of covariance: [[Double]], _ mean: [Double]) {
    let count = Double(x.shape[0])
    let centred = x - x.mean(axis: 0)
    let found = matmul(centred, centred, transposingFirst: true).scalars.map { Double($0) / count }
    for i in 0..<2 {
      #expect(abs(Double(x.mean(axis: 0).scalars[i]) - mean[i]) < 5 * (covariance[i][i] / count).squareRoot())
      for j in 0..<2 {
        let square = covariance[i][i] * covariance[j][j] + covariance[i][j] * covariance[i][j]
        #expect(abs(found[2 * i + j] - covariance[i][j]) < 5 * (square / count).squareRoot())
      }
    }
  }

  @Test("A Langevin step in one dimension, by hand, of a batch", .solved("EnergyBased.3"))
  func stepByHand() {
    let model = GaussianEnergy(dimensions: 1)
    model.precision = Tensor([[4]])
    model.tilt = Tensor([2])
    // ∇ log p = 2 − 4x: from 1 it is −2, and 1 − 2·.08 + .4·1.5 = 1.44; from 0 it is 2, and .16 − .4.
    let moved = model.langevinStep(Tensor([[1], [0]]), step: 0.16, noise: Tensor([[1.5], [-1]]))
    #expect(zip(moved.scalars, [1.44, -0.24]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(
    "Plain Langevin keeps the law with variance σ²/(1 − η/4σ²), corrected Langevin p itself (5 standard errors)",
    .solved("EnergyBased.3"))
  func stationaryLaws() {
    var random = Random(seed: 3)
    let model = GaussianEnergy(dimensions: 2)
    model.precision = model.precision * 4  // σ² = ¼, and with η = .4 the factor is 1/(1 − .4)
    let biased = 0.25 / 0.6
    let start = Tensor.normal([40_000, 2], using: &random)
    let plain = model.langevin(start * Float(biased.squareRoot()), step: 0.4, count: 12, using: &random)
    expectMoments(plain, of: [[biased, 0], [0, biased]], [0, 0])
    let (corrected, accepted) = model.adjustedLangevin(start * 0.5, step: 0.4, count: 12, using: &random)
    expectMoments(corrected, of: [[0.25, 0], [0, 0.25]], [0, 0])
    #expect(accepted > 0.5 && accepted < 0.95)
  }

  @Test("Corrected chains that begin at a network's law stay there: χ² on 64 cells (1e-6)", .solved("EnergyBased.3"))
  func correctedChainsStay() {
    var random = Random(seed: 4)
    let (network, plane) = (randomNetwork(seed: 5), Plane(reach: 8, cells: 160))
    let start = plane.samples(network, 20_000, using: &random)
    let (ends, accepted) = network.adjustedLangevin(start, step: 0.6, count: 8, using: &random)
    #expect(accepted > 0.3 && accepted < 0.98)
    // 8 by 8 cells over −4…4, with what lies further out counted for the cells at the edge.
    func cell(_ x: Float, _ y: Float) -> Int { min(7, max(0, Int(x + 4))) + 8 * min(7, max(0, Int(y + 4))) }
    var (expected, counts) = ([Double](repeating: 0, count: 64), [Double](repeating: 0, count: 64))
    let logP = (-network.energy(plane.points) - (-network.energy(plane.points)).logSumExp()).scalars
    let points = plane.points.scalars
    for (index, value) in logP.enumerated() {
      expected[cell(points[2 * index], points[2 * index + 1])] += exp(Double(value))
    }
    let scalars = ends.scalars
    for index in 0..<20_000 { counts[cell(scalars[2 * index], scalars[2 * index + 1])] += 1 }
    let square = zip(expected, counts).reduce(0) { $0 + pow($1.1 - 20_000 * $1.0, 2) / (20_000 * $1.0) }
    // 63 degrees of freedom: above 131 with probability 1e-6 (scipy.stats.chi2.isf(1e-6, 63) = 130.9).
    #expect(expected.min()! * 20_000 > 5)
    #expect(square < 131)
  }

  @Test("Score matching of a normal law is −tr Λ + ½ mean ‖Λx − θ‖²", .solved("EnergyBased.4"))
  func objectiveInClosedForm() {
    let model = GaussianEnergy(dimensions: 2)
    model.precision = Tensor([[2, 0.5], [0.5, 1]])
    model.tilt = Tensor([1, -1])
    // Λx − θ: at (1, 1) it is (1.5, 2.5), at (0, 2) it is (0, 3).
    let loss = model.scoreMatchingLoss(Tensor([[1, 1], [0, 2]])).scalar
    #expect(abs(loss - (-3 + 0.5 * ((2.25 + 6.25) + 9) / 2)) < 1e-5)
  }

  @Test(
    "J is ½ E‖ψ − ∇ log p‖² − ½ E‖∇ log p‖² for a network, on 20,000 normal points (5 standard errors)",
    .solved("EnergyBased.4"))
  func hyvarinen() {
    var random = Random(seed: 6)
    let network = randomNetwork(seed: 7)
    // A score near the data's, so that the difference has a small spread.
    network.last.weight = network.last.weight * 0.4
    let x = Tensor.normal([20_000, 2], using: &random)
    let psi = network.score(x)
    // ½‖ψ − s‖² − ½‖s‖² with the data's score s = −x; each point's difference to J has mean 0.
    let fisher = (square(psi + x) - square(x)).sum(axis: 1) * 0.5
    let parts = (0..<100).map { part in
      let rows = part * 200..<part * 200 + 200
      return network.scoreMatchingLoss(x.sliced(rows, axis: 0)).scalar - fisher.sliced(rows, axis: 0).mean().scalar
    }
    let difference = Estimate(Tensor(parts))
    #expect(abs(difference.mean) < 5 * difference.standardError)
    #expect(difference.standardError < 0.05)
  }
}

@MainActor
@Suite("Lesson05-EnergyBased: learning")
struct EnergyLearningTests {
  private let law = BarsAndStripes(3)

  /// KL from the data of a machine trained by CD-`steps` (0: the exact gradient), and the least on the way.
  private func fit(steps: Int, updates: Int, seed: UInt64) -> (last: Double, least: Double) {
    var random = Random(seed: seed)
    let data = law.allImages.reshaped(to: [14, 9])
    let batch = data.repeated(16, axis: 0)
    let machine = RBM(visible: 9, hidden: 8, chains: 1, using: &random)
    var optimizer = SGD(machine.parameters, learningRate: 1)
    func divergence() -> Double {
      withoutGradients { -Double(machine.logProbability(of: data).mean().scalar) - law.entropy }
    }
    var least = Double.infinity
    for update in 0..<updates {
      optimizer.learningRate = 1 - Float(update) / Float(updates)
      if steps == 0 {
        optimizer.minimize(-machine.logProbability(of: data).mean())
      } else {
        optimizer.minimize(machine.contrast(batch, from: batch, steps: steps, using: &random).loss)
      }
      if update % 100 == 0 { least = min(least, divergence()) }
    }
    return (divergence(), least)
  }

  @Test(
    "CD-10 comes within 0.2 nats of ln 14, CD-1 stays 0.4 above; no machine is below the floor",
    .solved("EnergyBased.1", "EnergyBased.2"))
  func bars() {
    let (ten, one, exact) = (
      fit(steps: 10, updates: 2500, seed: 1), fit(steps: 1, updates: 6000, seed: 1),
      fit(steps: 0, updates: 2500, seed: 1)
    )
    #expect(ten.last < 0.2 && ten.last > -1e-5)  // all is exact: rounding is the only error
    #expect(one.last > 0.4 && one.last > one.least + 0.03)
    #expect(one.last < 9 * log(2.0) - law.entropy - 1)  // independent pixels
    #expect(exact.last < 0.3 && exact.last > -1e-5)
  }

  @Test(
    "A small network comes within 0.25 nats of EightGaussians, not below, and corrected chains find the eight modes",
    .solved("EnergyBased.3"))
  func network() {
    var random = Random(seed: 2)
    let (eight, plane) = (EightGaussians(), Plane(reach: 6, cells: 100))
    let network = NeuralEnergy(waves: 24, hidden: 32, chains: 128, using: &random)
    var optimizer = Adam(network.parameters)
    var average = ExponentialMovingAverage(network.parameters, decay: 0.98)
    for update in 0..<700 {
      let x = eight.samples(128, using: &random)
      network.chains = network.langevin(network.chains, step: 0.03, count: 10, using: &random)
      optimizer.learningRate = 2e-3 * (1 - Float(update) / 700)
      optimizer.minimize(network.energy(x).mean() - network.energy(network.chains).mean(), clippingToNorm: 5)
      average.update()
    }
    average.withAverages {
      let divergence = plane.divergence(eight, network)
      #expect(divergence < 0.25)
      #expect(divergence > -1e-4)  // the quadrature's rounding
      #expect(Double(divergence) < eight.gaussianEntropy - eight.entropy - 1)
      let start = Tensor.normal([2000, 2], using: &random) * 2
      let (ends, _) = network.adjustedLangevin(start, step: 0.1, count: 150, using: &random)
      let coverage = ModeCoverage(of: ends, modes: eight.modes, radius: 3 * 0.2551)
      #expect(coverage.coveredModes(holding: 0.05) == 8)
      #expect(coverage.goodShare > 0.85)
    }
  }

  @Test(
    "Score matching finds a normal law's five parameters within 5.5 standard errors (2e-7), which are the sample's",
    .solved("EnergyBased.4"))
  func matching() {
    var random = Random(seed: 3)
    let points = LinearGaussian.rotated.samples(4000, using: &random)
    let model = GaussianEnergy(dimensions: 2)
    var descent = SGD(model.parameters, learningRate: 0.02, momentum: 0.9)
    for _ in 0..<1500 { descent.minimize(model.scoreMatchingLoss(points)) }
    let centred = points - points.mean(axis: 0)
    let sample = points.mean(axis: 0).scalars + (matmul(centred, centred, transposingFirst: true) / 4000).scalars
    let found = model.mean.scalars + model.covariance.scalars
    // Var(xᵢ)/n, and (Σᵢᵢ Σⱼⱼ + Σᵢⱼ²)/n for an entry of the covariance.
    let squares: [Float] = [13, 13, 338, 313, 313, 338]
    for (index, value) in [1, 2, 13, 12, 12, 13].enumerated() {
      #expect(abs(found[index] - Float(value)) < 5.5 * (squares[index] / 4000).squareRoot())
      #expect(abs(found[index] - sample[index]) < 0.01)
    }
  }

  @Test(
    "The command gives the same numbers again, also from the checkpoints of its last epochs",
    .solved("EnergyBased.1", "EnergyBased.2", "EnergyBased.3", "EnergyBased.4"))
  func command() throws {
    let runner = try LessonRunner("Lesson05-EnergyBased")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "1"]
    #expect(try runner.run(["--out", "one"] + options).status == 0)
    let first = try runner.measurements(in: "one")
    #expect(first.count >= 10)
    #expect(try runner.run(["--out", "one", "--resume"] + options).status == 0)
    let resumed = try runner.measurements(in: "one")
    for name in ["RBM −log p(x), PCD-5", "KL(data ‖ neural energy)"] { #expect(resumed[name] == first[name]) }
    #expect(try runner.run(["--out", "two", "--seed", "2"] + options).status == 0)
    #expect(try runner.measurements(in: "two") != first)
  }
}
