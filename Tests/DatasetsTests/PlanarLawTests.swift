import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Laws in the plane")
struct PlanarLawTests {
  /// A law, what the course says of it, and a density written here once more, independently of the library.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let law: any PlanarLaw
    let entropy: Double
    let gaussian: Double
    /// Where the mass is, as a square around the origin's neighbourhood, and the step of the sums.
    let reach: Double
    let step: Double
    let density: @Sendable (Double, Double) -> Double
    var testDescription: String { name }
  }

  /// The mean of normal densities around points.
  static func blurred(_ x: Double, _ y: Double, _ s: Double, _ points: [(Double, Double)]) -> Double {
    var sum = 0.0
    for c in points { sum += exp(-((x - c.0) * (x - c.0) + (y - c.1) * (y - c.1)) / (2 * s * s)) }
    return sum / Double(points.count) / (2 * Double.pi * s * s)
  }

  /// Points of a curve over 0…1, two in each of `pairs` equal parts where Gauss's rule puts them.
  static func points(_ pairs: Int, _ at: (Double) -> (Double, Double)) -> [(Double, Double)] {
    (0..<2 * pairs).map { index in
      let offset = (index % 2 == 0 ? -0.5 : 0.5) / 3.0.squareRoot()
      return at((Double(index / 2) + 0.5 + offset) / Double(pairs))
    }
  }

  static let mouth = points(75) { (2 * cos(Double.pi * $0), -sin(Double.pi * $0)) }
  static let moons =
    points(75) { (cos(Double.pi * $0), sin(Double.pi * $0)) }
    + points(75) { (1 - cos(Double.pi * $0), 0.5 - sin(Double.pi * $0)) }
  static let ring = (0..<8).map { (2 * cos(Double($0) * Double.pi / 4), 2 * sin(Double($0) * Double.pi / 4)) }
  static let spiral = points(200) { part in
    let t = 1.5 * Double.pi * (1 + 2 * part)
    return (t * cos(t), t * sin(t))
  }

  static let cases: [Case] = [
    Case(name: "Smiley", law: Smiley(), entropy: 1.3339, gaussian: 3.6408, reach: 4, step: 0.15) { x, y in
      (blurred(x, y, 0.2, mouth) + 2 * blurred(x, y, 0.2, [(-1.5, 2.5), (1.5, 2.5)])) / 3
    },
    Case(name: "TwoMoons", law: TwoMoons(), entropy: 1.0076, gaussian: 1.9083, reach: 2.6, step: 0.08) { x, y in
      blurred(x, y, 0.1, moons)
    },
    Case(name: "EightGaussians", law: EightGaussians(), entropy: 2.1776, gaussian: 3.5630, reach: 4, step: 0.2) {
      x, y in
      blurred(x, y, 2.0 / 3 * sin(Double.pi / 8), ring)
    },
    Case(name: "SwissRoll2D", law: SwissRoll2D(), entropy: 5.1870, gaussian: 6.6685, reach: 17, step: 0.45) { x, y in
      blurred(x, y, 0.5, spiral)
    },
    Case(name: "TwoMoonsEnergy", law: TwoMoonsEnergy(), entropy: 1.5711, gaussian: 3.2936, reach: 4, step: 0.08) {
      x, y in
      let ring = ((x * x + y * y).squareRoot() - 2) / 0.2
      let half = (abs(x) - 2) / 0.3
      return exp(-0.5 * ring * ring - 0.5 * half * half) * (1 + exp(-4 * abs(x) / 0.09)) / 2.23494
    },
    Case(name: "Checkerboard", law: Checkerboard(), entropy: log(32), gaussian: 4.4940, reach: 3.975, step: 0.05) {
      x, y in
      abs(x) < 4 && abs(y) < 4 && (Int((x + 4) / 2) + Int((y + 4) / 2)) % 2 == 0 ? 1.0 / 32 : 0
    },
  ]

  @Test("Entropy, mass and the normal baseline agree with sums over the plane and with the course", arguments: cases)
  func figures(of test: Case) {
    let steps = Int((2 * test.reach / test.step).rounded())
    let axis = (0...steps).map { -test.reach + Double($0) * test.step }
    var (mass, entropy, xx, yy, xy, x1, y1) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for x in axis {
      for y in axis {
        let p = test.density(x, y)
        mass += p
        if p > 0 { entropy -= p * log(p) }
        (xx, yy, xy, x1, y1) = (xx + p * x * x, yy + p * y * y, xy + p * x * y, x1 + p * x, y1 + p * y)
      }
    }
    let area = test.step * test.step
    (mass, entropy) = (mass * area, entropy * area)
    let moments = [xx, xy, xy, yy, x1, y1].map { $0 * area }
    let determinant =
      (moments[0] - moments[4] * moments[4]) * (moments[3] - moments[5] * moments[5])
      - (moments[1] - moments[4] * moments[5]) * (moments[1] - moments[4] * moments[5])
    let gaussian = log(2 * Double.pi * M_E) + 0.5 * log(determinant)
    #expect(near(mass, 1, 2e-5), "mass \(mass)")
    #expect(near(entropy, test.law.entropy, 1e-4), "\(entropy) \(test.law.entropy)")
    #expect(near(test.law.entropy, test.entropy, 6e-5), "\(test.law.entropy)")
    #expect(near(gaussian, test.law.gaussianEntropy, 1e-4))
    #expect(near(test.law.gaussianEntropy, test.gaussian, 6e-5), "\(test.law.gaussianEntropy)")
  }

  @Test("Log-densities are those of the definition at samples and beside them", arguments: cases)
  func density(of test: Case) {
    var random = Random(seed: 21)
    let scattered = Tensor.normal([200, 2], using: &random) * Float(test.reach / 20)
    let points = test.law.samples(200, using: &random) + scattered
    let values = test.law.logProbability(of: points).scalars
    let coordinates = points.scalars.map { Double($0) }
    for (index, value) in values.enumerated() {
      let p = test.density(coordinates[2 * index], coordinates[2 * index + 1])
      if p == 0 || p < 1e-30 { continue }
      #expect(near(Double(value), log(p), 2e-4 * max(1, abs(log(p)))), "\(value) \(log(p))")
    }
  }

  @Test("The mean of −log p over samples is the entropy", arguments: cases)
  func entropyBySampling(of test: Case) {
    var random = Random(seed: 22)
    let logs = test.law.logProbability(of: test.law.samples(10_000, using: &random))
    #expect(logs.shape == [10_000])
    #expect(entropyDeviation(logs, test.law.entropy) < 5.5)
  }

  @Test("Samples fall into the cells of a 24 × 24 grid as often as the density says", arguments: cases)
  func histogram(of test: Case) {
    let (cells, parts) = (24, 6)
    let reach = test.name == "Checkerboard" ? 4.8 : test.reach
    let width = 2 * reach / Double(cells)
    let axis = (0..<cells * parts).map { -reach + (Double($0) + 0.5) * width / Double(parts) }
    let grid = axis.flatMap { y in axis.flatMap { x in [Float(x), Float(y)] } }
    let densities = test.law.logProbability(of: Tensor(grid, shape: [axis.count * axis.count, 2])).scalars
    var probabilities = [Double](repeating: 0, count: cells * cells)
    for (index, value) in densities.enumerated() {
      let (row, column) = (index / axis.count / parts, index % axis.count / parts)
      probabilities[row * cells + column] += Double(exp(value)) * width * width / Double(parts * parts)
    }
    var random = Random(seed: 23)
    var counts = [Int](repeating: 0, count: cells * cells)
    let points = test.law.samples(20_000, using: &random).scalars
    for index in 0..<20_000 {
      let column = Int((Double(points[2 * index]) + reach) / width)
      let row = Int((Double(points[2 * index + 1]) + reach) / width)
      if (0..<cells).contains(row), (0..<cells).contains(column) { counts[row * cells + column] += 1 }
    }
    #expect(counts.reduce(0, +) > 19_900)
    #expect(chiSquared(counts, probabilities) < 5.5)
  }

  @Test("The energy's normaliser is 2.2349, no sample passes it, and its gradient is that of the formula")
  func energy() {
    let law = TwoMoonsEnergy()
    #expect(near(law.logNormalizer, 0.8042, 5e-5) && near(exp(law.logNormalizer), 2.2349, 5e-5))
    // Near z₁ = 0 both halves count: ln(1 + e^(−0.8889)) and ln 2.
    let middle = law.unnormalizedLogProbability(of: Tensor([[0.02, 2], [0, 2.2]])).scalars
    let across = 1.98 / 0.3
    #expect(near(Double(middle[0]), -0.5 * across * across + log(1 + exp(-0.08 / 0.09)), 1e-3))
    #expect(near(Double(middle[1]), -0.5 - 0.5 * 4 / 0.09 + log(2), 1e-4))
    let point = Tensor([[1.7, 0.4], [-2.2, -0.1]])
    let slope = gradient(at: point) { law.unnormalizedLogProbability(of: $0).sum() }.scalars
    for (index, (x, y)) in [(1.7, 0.4), (-2.2, -0.1)].enumerated() {
      let r = (x * x + y * y).squareRoot()
      let odds = -4 / 0.09 / (1 + exp(4 * abs(x) / 0.09))
      let across = -(r - 2) / 0.04 * x / r + (-(abs(x) - 2) / 0.09 + odds) * (x < 0 ? -1 : 1)
      #expect(near(Double(slope[2 * index]), across, 1e-4 * abs(across)))
      let upward = -(r - 2) / 0.04 * y / r
      #expect(near(Double(slope[2 * index + 1]), upward, 1e-4))
    }
  }

  @Test("Twenty-five modes far apart have entropy ln 25 + ln 2πe s², and each its share of the samples")
  func grid() {
    let law = GridGaussians()
    let separate = log(25) + log(2 * Double.pi * M_E * 0.0025)
    #expect(near(law.entropy, separate, 1e-8))
    #expect(near(law.entropy, 0.0653, 5e-5))
    let gaussian = log(2 * Double.pi * M_E) + log(8.0025)
    #expect(near(law.gaussianEntropy, gaussian, 1e-9))
    #expect(law.modes.scalars.prefix(4) == [-4, -4, -2, -4] && law.modes.shape == [25, 2])
    let value = law.logProbability(of: Tensor([[0.05, -2.1]])).scalar
    let atMode = -log(25 * 2 * Double.pi * 0.0025)
    #expect(near(Double(value), atMode - 2.5, 1e-4))
    var random = Random(seed: 24)
    let (points, labels) = law.labelledSamples(10_000, using: &random)
    let counts = labels.scalars.reduce(into: [Int](repeating: 0, count: 25)) { $0[Int($1)] += 1 }
    #expect(chiSquared(counts, [Double](repeating: 0.04, count: 25)) < 5.5)
    #expect(entropyDeviation(law.logProbability(of: points), law.entropy) < 5.5)
    let (places, modes) = (points.scalars, law.modes.scalars)
    for (index, label) in labels.scalars.enumerated() {  // 6 deviations: 20,000 coordinates stray with 4e-5 in all
      for axis in 0..<2 {
        #expect(near(places[2 * index + axis], modes[2 * Int(label) + axis], 0.3))
      }
    }
  }

  @Test("The label of a sample is the moon it came from")
  func moons() {
    var random = Random(seed: 25)
    let (points, labels) = TwoMoons(noise: 0.01).labelledSamples(500, using: &random)
    for (index, label) in labels.scalars.enumerated() {
      let (x, y) = (points.scalars[2 * index], points.scalars[2 * index + 1])
      let radius = label == 0 ? (x * x + y * y).squareRoot() : ((x - 1) * (x - 1) + (y - 0.5) * (y - 0.5)).squareRoot()
      #expect(near(radius, 1, 0.06))
    }
    #expect((200...300).contains(labels.scalars.count { $0 == 1 }))
  }

  @Test("No samples and no points give empty tensors, and points far off a finite log-density")
  func extremes() {
    var random = Random(seed: 26)
    for law in Self.cases.map(\.law) {
      #expect(law.samples(0, using: &random).shape == [0, 2])
      #expect(law.logProbability(of: Tensor([], shape: [0, 2])).shape == [0])
    }
    let far = Smiley().logProbability(of: Tensor([[0, 30]])).scalar
    #expect(near(far, -27.5 * 27.5 / 0.08, 100))
    #expect(Checkerboard().logProbability(of: Tensor([[4, 0], [-4, -4], [-3, -1]])).scalars[0] == -.infinity)
    #expect(
      Checkerboard().logProbability(of: Tensor([[-4, -4], [-3, -1]])).scalars == [Float(-log(32.0)), -.infinity])
  }

  @Test("Points of another dimension, and a number of modes that is no square, stop with a clear line")
  func mistakes() async {
    let points = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Smiley().logProbability(of: Tensor([[1, 2, 3]]))
    }
    #expect(text(points).contains("error: logProbability: needs samples of shape [count, 2]; got [1, 3]"))
    let modes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GridGaussians(24)
    }
    #expect(text(modes).contains("error: GridGaussians: needs 1, 4, 9, 16, 25 … 100 modes; got 24"))
  }
}
