import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Laws of black and white images")
struct BinaryLawTests {
  @Test("Every image there is: all different, in the order of their bits")
  func allImages() {
    let images = allBinaryImages(height: 2, width: 3)
    #expect(images.shape == [64, 2, 3, 1])
    #expect(Array(images.scalars[30..<36]) == [1, 0, 1, 0, 0, 0])
    #expect(Set(binaryCodes(of: images, size: 6)) == Set((0..<64).map { Optional($0) }))
  }

  @Test("Of all images, 2·2ⁿ − 2 are bars or stripes, and their probabilities sum to 1", arguments: [2, 3, 4])
  func barsAndStripes(side: Int) {
    let law = BarsAndStripes(side)
    let logs = law.logProbability(of: allBinaryImages(height: side, width: side)).scalars.map(Double.init)
    let possible = logs.filter { $0.isFinite }
    #expect(possible.count == [2: 6, 3: 14, 4: 30][side]! && law.imageCount == possible.count)
    let mass: Double = possible.reduce(0) { $0 + exp($1) }
    let entropy: Double = possible.reduce(0) { $0 - exp($1) * $1 }
    #expect(near(mass, 1, 1e-6))
    #expect(near(entropy, law.entropy, 1e-6))
    if side == 4 { #expect(near(law.entropy, 3.4012, 5e-5)) }
    if side == 3 { #expect(near(law.entropy, 2.6391, 5e-5)) }
    #expect(Set(binaryCodes(of: law.allImages, size: side * side)).count == law.imageCount)
    #expect(law.logProbability(of: law.allImages).scalars.allSatisfy { $0.isFinite })
    let grey = Tensor(repeating: 0.5, shape: [1, side, side, 1])
    #expect(law.logProbability(of: grey).scalars == [-.infinity])
  }

  @Test("Each of the 30 bars and stripes is sampled as often as the others")
  func barsAndStripesSamples() {
    var random = Random(seed: 31)
    let samples = BarsAndStripes(4).samples(6_000, using: &random)
    #expect(samples.shape == [6_000, 4, 4, 1])
    var counts: [Int?: Int] = [:]
    for code in binaryCodes(of: samples, size: 16) { counts[code, default: 0] += 1 }
    #expect(counts.count == 30)
    #expect(chiSquared(Array(counts.values), [Double](repeating: 1 / 30, count: 30)) < 5.5)
  }

  /// Σ s·s over neighbours, straight from the definition.
  static func agreement(_ state: Int, _ side: Int) -> Double {
    func spin(_ row: Int, _ column: Int) -> Int { state >> (row * side + column) & 1 == 1 ? 1 : -1 }
    var sum = 0
    for row in 0..<side {
      for column in 0..<side {
        if row + 1 < side { sum += spin(row, column) * spin(row + 1, column) }
        if column + 1 < side { sum += spin(row, column) * spin(row, column + 1) }
      }
    }
    return Double(sum)
  }

  @Test("Probabilities, normaliser and entropy of the Ising law are those of the definition", arguments: [1, 2, 3])
  func ising(side: Int) {
    let law = Ising(side, beta: 0.4)
    let weights = (0..<1 << (side * side)).map { exp(0.4 * Self.agreement($0, side)) }
    let total = weights.reduce(0, +)
    let logs = law.logProbability(of: allBinaryImages(height: side, width: side)).scalars
    for (value, weight) in zip(logs, weights) { #expect(near(Double(value), log(weight / total), 2e-6)) }
    #expect(near(law.logNormalizer, log(total), 1e-12))
    let entropy: Double = weights.reduce(0) { $0 - $1 / total * log($1 / total) }
    #expect(near(law.entropy, entropy, 1e-12))
    // numpy: 3.1050286, 2.4235525 and 7.2676528, 5.0912937.
    if side == 2 { #expect(near(law.entropy, 2.4235525, 1e-7)) }
    if side == 3 { #expect(near(law.entropy, 5.0912937, 1e-7)) }
  }

  /// The sum over states of a strip, row by row (Kramers & Wannier's transfer matrix): another way to the same number.
  @Test("The normaliser of 4 × 4 spins is that of the transfer matrix, and the entropy its derivative's")
  func isingFour() {
    func logNormalizer(_ beta: Double) -> Double {
      func across(_ row: Int) -> Double { Double(3 - 2 * ((row ^ row >> 1) & 7).nonzeroBitCount) }
      var sums = (0..<16).map { exp(beta * across($0)) }
      for _ in 1..<4 {
        sums = (0..<16).map { row -> Double in
          var sum = 0.0
          for above in 0..<16 { sum += sums[above] * exp(beta * Double(4 - 2 * (row ^ above).nonzeroBitCount)) }
          return sum * exp(beta * across(row))
        }
      }
      return log(sums.reduce(0, +))
    }
    let law = Ising(4, beta: 0.4)
    #expect(near(law.logNormalizer, logNormalizer(0.4), 1e-10))
    let slope = (logNormalizer(0.4 + 1e-5) - logNormalizer(0.4 - 1e-5)) / 2e-5
    #expect(near(law.entropy, law.logNormalizer - 0.4 * slope, 1e-8))
    #expect(near(law.entropy, 8.6634251, 1e-7))
    #expect(law.logProbabilities.shape == [65_536])
  }

  @Test("Ising samples come as often as their probabilities say, and their mean −log p is the entropy")
  func isingSamples() {
    let law = Ising(3, beta: 0.4)
    var random = Random(seed: 32)
    let samples = law.samples(20_000, using: &random)
    #expect(samples.shape == [20_000, 3, 3, 1])
    var counts = [Int](repeating: 0, count: 512)
    for code in binaryCodes(of: samples, size: 9) { counts[code!] += 1 }
    #expect(chiSquared(counts, law.logProbabilities.scalars.map { exp(Double($0)) }) < 5.5)
    let four = Ising(4, beta: 0.4)
    #expect(entropyDeviation(four.logProbability(of: four.samples(5_000, using: &random)), four.entropy) < 5.5)
  }

  @Test("Sizes that cannot be listed stop with a clear line")
  func mistakes() async {
    let ising = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Ising(5, beta: 0.4)
    }
    #expect(text(ising).contains("error: Ising: can list the states of 1 to 4 spins a side at a finite beta; got 5"))
    let all = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = allBinaryImages(height: 5, width: 5)
    }
    #expect(text(all).contains("at most 20 pixels can be"))
  }
}
