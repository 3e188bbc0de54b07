import Foundation
import Tensors

/// A stationary autoregressive process of order 2: x_t = a₁ x_{t−1} + a₂ x_{t−2} + σ ε_t, ε standard normal.
///
/// (Box & Jenkins, "Time Series Analysis", 1970, section 3.2.4.)
public struct AutoregressiveProcess: Law {
  /// The coefficients a₁ and a₂.
  public let coefficients: (first: Double, second: Double)
  /// The standard deviation σ of the innovations.
  public let deviation: Double
  /// The number of steps of a sample.
  public let length: Int

  /// The process with these coefficients.
  ///
  /// - Precondition: it is stable (|a₂| < 1, a₁ + a₂ < 1, a₂ − a₁ < 1), `deviation` is above 0, `length` 1 or more.
  public init(coefficients: (first: Double, second: Double), deviation: Double, length: Int) {
    let (a, b) = coefficients
    guard abs(b) < 1, a + b < 1, b - a < 1 else {
      fail("AutoregressiveProcess", "a₁ = \(a), a₂ = \(b) is not stable: |a₂|, a₁ + a₂ and a₂ − a₁ must be below 1")
    }
    guard deviation > 0, deviation.isFinite, length >= 1 else {
      fail("AutoregressiveProcess", "needs a deviation above 0, a length of 1 or more; got \(deviation), \(length)")
    }
    self.coefficients = coefficients
    self.deviation = deviation
    self.length = length
  }

  /// A process that swings with a period, in steps, and whose values have a standard deviation.
  ///
  /// - Parameters:
  ///   - period: the steps of one swing.
  ///   - damping: the factor by which a swing shrinks in one step, below 1.
  ///   - standardDeviation: the standard deviation of the values.
  ///   - length: the number of steps of a sample.
  /// - Precondition: `period` is above 0, `damping` within 0..<1, `standardDeviation` above 0, `length` 1 or more.
  public init(period: Double, damping: Double, standardDeviation: Double, length: Int) {
    guard period > 0, damping >= 0, damping < 1 else {
      fail("AutoregressiveProcess", "needs a period above 0 and damping in 0..<1; got \(period) and \(damping)")
    }
    let coefficients = (first: 2 * damping * cos(2 * Double.pi / period), second: -damping * damping)
    let unit = AutoregressiveProcess(coefficients: coefficients, deviation: 1, length: 1)
    self.init(
      coefficients: coefficients, deviation: standardDeviation / unit.variance.squareRoot(), length: length)
  }

  /// The variance of each value.
  public var variance: Double {
    let (a, b) = coefficients
    return deviation * deviation * (1 - b) / ((1 + b) * ((1 - b) * (1 - b) - a * a))
  }

  /// The correlation of neighbouring values.
  public var correlation: Double { coefficients.first / (1 - coefficients.second) }

  /// The entropy of a step given all before it, ½ ln 2πeσ², in nats.
  public var entropyRate: Double { Self.entropy(ofDeviation: deviation) }

  /// The exact entropy of a sample, all its steps together, in nats.
  public var entropy: Double {
    let first = Self.entropy(ofDeviation: variance.squareRoot())
    guard length > 1 else { return first }
    return first + Self.entropy(ofDeviation: secondDeviation) + Double(length - 2) * entropyRate
  }

  /// The standard deviation of the second value given the first.
  var secondDeviation: Double { (variance * (1 - correlation * correlation)).squareRoot() }

  private static func entropy(ofDeviation deviation: Double) -> Double {
    0.5 * (log(2 * Double.pi) + 1) + log(deviation)
  }

  /// The mean and the standard deviation of step `time` given the two values before it.
  @inline(__always)
  func prediction(at time: Int, _ last: Double, _ beforeLast: Double) -> (mean: Double, deviation: Double) {
    switch time {
    case 0: (0, variance.squareRoot())
    case 1: (correlation * last, secondDeviation)
    default: (coefficients.first * last + coefficients.second * beforeLast, deviation)
    }
  }

  /// Independent stationary stretches of the process, `[count, length]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    var values: [Float] = []
    values.reserveCapacity(count * length)
    for _ in 0..<count { values += path(using: &random).map { Float($0) } }
    return Tensor(values, shape: [count, length])
  }

  /// One sample.
  func path(using random: inout Random) -> [Double] {
    var (last, beforeLast) = (0.0, 0.0)
    return normalDeviates(length, using: &random).enumerated().map { time, deviate in
      let (mean, deviation) = prediction(at: time, last, beforeLast)
      (last, beforeLast) = (mean + deviation * deviate, last)
      return last
    }
  }

  /// The exact log-density of each sequence of `[count, length]`, `[count]`, in nats.
  public func logProbability(of sequences: Tensor) -> Tensor {
    let count = eventCount(of: sequences.shape, size: length, named: "\(length)")
    let values = sequences.withUnsafeScalars { scalars in
      (0..<count).map { sequence -> Float in
        var (last, beforeLast, sum) = (0.0, 0.0, 0.0)
        for time in 0..<length {
          let (mean, deviation) = prediction(at: time, last, beforeLast)
          let value = Double(scalars[sequence * length + time])
          let distance = (value - mean) / deviation
          sum -= 0.5 * distance * distance + log(deviation)
          (last, beforeLast) = (value, last)
        }
        return Float(sum - 0.5 * Double(length) * log(2 * Double.pi))
      }
    }
    return Tensor(values)
  }
}
