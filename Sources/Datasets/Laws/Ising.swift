import Foundation
import Tensors

/// Spins on an n × n grid with free boundary, p ∝ exp(β Σ s·s over neighbours), exact by listing all 2^(n·n) states.
///
/// Pixels are 1 for spin +1 and 0 for spin −1, so that models of black and white images apply. (Ising, "Beitrag zur Theorie des
/// Ferromagnetismus", 1925.)
public struct Ising: Law {
  /// The rows, and the columns, of the grid.
  public let side: Int
  /// The inverse temperature β: 0 makes spins independent, above 0 neighbours like to agree.
  public let beta: Double
  /// ln Σ exp(β Σ s·s), in nats.
  public let logNormalizer: Double
  /// The exact entropy in nats.
  public let entropy: Double
  /// The log-probability of every state, in the order of ``allBinaryImages(height:width:)``, `[2^(side · side)]`.
  public let logProbabilities: Tensor
  private let cumulative: [Double]

  /// The law of a grid of `side` by `side` spins at inverse temperature `beta`.
  ///
  /// - Precondition: `side` is 1 to 4, `beta` is finite.
  public init(_ side: Int, beta: Double) {
    guard (1...4).contains(side), beta.isFinite else {
      fail("Ising", "can list the states of 1 to 4 spins a side at a finite beta; got \(side) and \(beta)")
    }
    self.side = side
    self.beta = beta
    let agreements = (0..<1 << (side * side)).map { beta * Double(Self.agreement($0, side)) }
    let largest = agreements.max()!
    let logNormalizer = largest + log(agreements.reduce(0) { $0 + exp($1 - largest) })
    let probabilities = agreements.map { exp($0 - logNormalizer) }
    self.logNormalizer = logNormalizer
    entropy = zip(probabilities, agreements).reduce(0) { $0 + $1.0 * (logNormalizer - $1.1) }
    logProbabilities = Tensor(agreements.map { Float($0 - logNormalizer) })
    cumulative = cumulativeSums(probabilities)
  }

  /// Σ s·s over pairs of neighbours: agreeing pairs less disagreeing ones.
  private static func agreement(_ state: Int, _ side: Int) -> Int {
    let across = (0..<side).reduce(0) { $0 | ((1 << (side - 1)) - 1) << ($1 * side) }
    let down = (1 << (side * (side - 1))) - 1
    let unequal = ((state ^ state >> 1) & across).nonzeroBitCount + ((state ^ state >> side) & down).nonzeroBitCount
    return 2 * side * (side - 1) - 2 * unequal
  }

  /// Independent exact samples, zeros and ones, `[count, side, side, 1]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    var pixels: [Float] = []
    pixels.reserveCapacity(count * side * side)
    for _ in 0..<count {
      let state = random.index(cumulative: cumulative)
      for pixel in 0..<side * side { pixels.append(Float(state >> pixel & 1)) }
    }
    return Tensor(pixels, shape: [count, side, side, 1])
  }

  /// The exact log-probability of each image of `[count, side, side, 1]` or `[count, side · side]`, `[count]`, in nats.
  ///
  /// It is −∞ for an image with other values than 0 and 1.
  public func logProbability(of images: Tensor) -> Tensor {
    _ = eventCount(of: images.shape, size: side * side, named: "\(side), \(side), 1")
    return logProbabilities.withUnsafeScalars { known in
      Tensor(binaryCodes(of: images, size: side * side).map { $0.map { known[$0] } ?? -.infinity })
    }
  }
}
