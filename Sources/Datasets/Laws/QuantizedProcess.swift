import Foundation
import Tensors

/// An autoregressive process seen through a quantiser: sequences of levels, as WaveNet models them.
///
/// A level says only in which cell a value lies, so a step depends on all before it. The log-probability is the integral of
/// the process's density over the cells, by quadrature forward in time, and exact to better than 1e-6 nats a step.
public struct QuantizedProcess: Law {
  /// The process.
  public let process: AutoregressiveProcess
  /// The quantiser.
  public let quantizer: Quantizer
  private let filter: CellFilter
  private let start: Lazily<PredictionLosses>
  private let steady: Lazily<PredictionLosses>

  /// The law of the process's levels.
  ///
  /// - Precondition: no cell within six standard deviations of 0 is wider than about 20 deviations of the innovations.
  public init(_ process: AutoregressiveProcess, quantizer: Quantizer) {
    let filter = CellFilter(process, quantizer)
    self.process = process
    self.quantizer = quantizer
    self.filter = filter
    start = Lazily { PredictionLosses(filter, steps: 0..<min(process.length, PredictionLosses.memory)) }
    steady = Lazily { PredictionLosses(filter, steps: PredictionLosses.memory..<3 * PredictionLosses.memory) }
  }

  /// The number of steps of a sample.
  public var length: Int { process.length }

  /// Independent stretches of levels, `[count, length]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> IndexTensor {
    checkSampleCount(count)
    var levels: [Int32] = []
    levels.reserveCapacity(count * length)
    for _ in 0..<count { levels += process.path(using: &random).map { Int32(quantizer.index(of: $0)) } }
    return IndexTensor(levels, shape: [count, length])
  }

  /// The exact log-probability of each sequence of `[count, length]`, `[count]`, in nats.
  ///
  /// - Precondition: every level is 0 to `quantizer.levels - 1`.
  public func logProbability(of sequences: IndexTensor) -> Tensor {
    let count = eventCount(of: sequences.shape, size: length, named: "\(length)")
    if let odd = sequences.scalars.first(where: { $0 < 0 || $0 >= quantizer.levels }) {
      fail("logProbability", "there is no level \(odd); levels are 0 to \(quantizer.levels - 1)")
    }
    return Tensor(
      (0..<count).map { sequence in
        var state = CellFilter.State()
        var sum = 0.0
        for level in sequences.scalars[sequence * length..<(sequence + 1) * length] {
          sum += filter.advance(&state, to: Int(level))
        }
        return Float(sum)
      })
  }

  /// The entropy of a step given the exact values before it, in nats: what knowing levels alone can never reach.
  ///
  /// By quadrature, without sampling error.
  public var entropyRateLowerBound: Double { filter.expectedEntropy(at: 2) }

  /// The entropy of a step given all levels before it, in nats: the floor of any model's loss per step.
  ///
  /// The lower bound, plus what is lost by knowing levels in place of values: a divergence that is computed exactly
  /// at each step and averaged over simulated paths, hence ``entropyRateStandardError``.
  public var entropyRate: Double { entropyRateLowerBound + steady.value.mean / Double(steady.value.steps) }

  /// The standard error of ``entropyRate``, in nats.
  public var entropyRateStandardError: Double { steady.value.standardError / Double(steady.value.steps) }

  /// The formula for cells much smaller than σ: ½ ln 2πeσ² − E ln(width of the cell), in nats.
  ///
  /// Too low otherwise. Outer cells, which are infinite, count as wide as their neighbours.
  public var smallCellEntropyRate: Double {
    let deviation = process.variance.squareRoot()
    let widths = zip(quantizer.edges, quantizer.edges.dropFirst()).map { $1 - $0 }
    guard let first = widths.first, let last = widths.last else { return process.entropyRate }
    let meanLog = ([first] + widths + [last]).enumerated().reduce(0) { sum, next in
      let cell = quantizer.cell(next.offset)
      return sum + normalProbability(from: cell.lower / deviation, to: cell.upper / deviation) * log(next.element)
    }
    return process.entropyRate - meanLog
  }

  /// The entropy of a sample, all its steps together, in nats; known up to ``entropyStandardError``.
  public var entropy: Double {
    let exact = (0..<min(length, 2)).reduce(0) { $0 + filter.expectedEntropy(at: $1) }
    let later = length - start.value.steps
    return exact + Double(max(length - 2, 0)) * entropyRateLowerBound + start.value.mean
      + (later > 0 ? Double(later) * (entropyRate - entropyRateLowerBound) : 0)
  }

  /// The standard error of ``entropy``, in nats.
  public var entropyStandardError: Double {
    let later = length - start.value.steps
    let error = later > 0 ? Double(later) * entropyRateStandardError : 0
    return (start.value.standardError * start.value.standardError + error * error).squareRoot()
  }
}

/// How much is lost over some steps by knowing the levels before in place of the values, over simulated paths.
private struct PredictionLosses: Sendable {
  /// After so many steps the start is as good as forgotten.
  static let memory = 16

  let steps: Int
  let mean: Double
  let standardError: Double

  init(_ filter: CellFilter, steps: Range<Int>) {
    let process = AutoregressiveProcess(
      coefficients: filter.process.coefficients, deviation: filter.process.deviation, length: steps.upperBound)
    // About a fifth of a second.
    let paths = min(max(20_000_000 / filter.costOfLosses / steps.upperBound, 48), 4096)
    var random = Random(seed: 2)
    let sums = (0..<paths).map { _ in
      filter.losses(along: process.path(using: &random))[steps].reduce(0, +)
    }
    let mean = sums.reduce(0, +) / Double(paths)
    let squares = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.steps = steps.count
    self.mean = mean
    standardError = (squares / Double(paths - 1) / Double(paths)).squareRoot()
  }
}
