import Foundation
import Tensors

/// The law of a process's last two values given the cells they and all before them fell into, forward in time.
///
/// Within a cell the density is kept at Gauss–Legendre nodes, so many that the integrals are exact to about 1e-8.
struct CellFilter: Sendable {
  let process: AutoregressiveProcess
  let quantizer: Quantizer
  /// The quadrature of each cell, `[levels]`.
  private let rules: [(nodes: [Double], weights: [Double])]

  /// What is known of the last two values after some steps.
  struct State {
    /// How many steps there were.
    var time = 0
    /// The cell of the last value, and of the one before.
    var last = 0
    var beforeLast = 0
    /// The probability at each pair of nodes, `[nodes of before last][nodes of last]`; of the last alone after one step.
    var mass: [Double] = []
  }

  init(_ process: AutoregressiveProcess, _ quantizer: Quantizer) {
    self.process = process
    self.quantizer = quantizer
    let reach = 6 * process.variance.squareRoot()  // beyond lies a probability of 2e-9
    let (a, b) = process.coefficients
    // The narrowest the density can be across a cell, given what lies before and after.
    let scale = process.deviation / (1 + a * a + b * b).squareRoot()
    rules = (0..<quantizer.levels).map { level in
      let cell = quantizer.cell(level)
      let lower = max(cell.lower, min(-reach, cell.upper - scale))
      let upper = min(cell.upper, max(reach, cell.lower + scale))
      let count = 3 + Int(((upper - lower) / scale).rounded(.up))
      guard count <= 80 || lower > reach || upper < -reach else {
        fail(
          "QuantizedProcess",
          "the cell \(lower)…\(upper) is too wide for innovations of deviation \(process.deviation); use more levels")
      }
      return gaussLegendre(min(count, 80), in: lower...upper)
    }
  }

  /// Takes in the next level; returns its log-probability given those before.
  func advance(_ state: inout State, to level: Int) -> Double {
    let next = rules[level]
    let last = state.time > 0 ? rules[state.last].nodes : [0]
    let beforeLast = state.time > 1 ? rules[state.beforeLast].nodes : [0]
    let (_, deviation) = process.prediction(at: state.time, 0, 0)
    let factor = 1 / (deviation * (2 * Double.pi).squareRoot())
    var mass = [Double](repeating: 0, count: last.count * next.nodes.count)
    for i in beforeLast.indices {
      for j in last.indices {
        let known = state.time > 0 ? state.mass[i * last.count + j] : 1
        guard known > 1e-30 else { continue }
        let mean = process.prediction(at: state.time, last[j], beforeLast[i]).mean
        for k in next.nodes.indices {
          let distance = (next.nodes[k] - mean) / deviation
          guard abs(distance) < 38 else { continue }
          mass[j * next.nodes.count + k] += known * next.weights[k] * factor * exp(-0.5 * distance * distance)
        }
      }
    }
    let total = mass.reduce(0, +)
    guard total > 0 else {
      state = State(
        time: state.time + 1, last: level, beforeLast: state.last, mass: mass.map { _ in 1 / Double(mass.count) })
      return -.infinity
    }
    state = State(time: state.time + 1, last: level, beforeLast: state.last, mass: mass.map { $0 / total })
    return log(total)
  }

  /// About how many exponentials one step of ``losses(along:)`` takes.
  var costOfLosses: Int {
    let (reach, spread) = (5 * process.deviation, process.variance.squareRoot())
    let inReach = Double(quantizer.index(of: reach) - quantizer.index(of: -reach) + 1)
    let cost = rules.enumerated().reduce(0.0) { sum, rule in
      let (cell, nodes) = (quantizer.cell(rule.offset), Double(rule.element.nodes.count))
      return sum + normalProbability(from: cell.lower / spread, to: cell.upper / spread) * nodes * nodes
        * (nodes + inReach)
    }
    return Int(cost)
  }

  /// At each step of a path, the divergence of the prediction from levels from that from values, in nats.
  func losses(along path: [Double]) -> [Double] {
    var state = State()
    return path.indices.map { time in
      let last = time > 0 ? path[time - 1] : 0
      let exact = process.prediction(at: time, last, time > 1 ? path[time - 2] : 0)
      let loss = divergence(from: state, exact)
      _ = advance(&state, to: quantizer.index(of: path[time]))
      return loss
    }
  }

  private func divergence(from state: State, _ exact: (mean: Double, deviation: Double)) -> Double {
    let reach = 5 * exact.deviation  // what lies beyond contributes less than 1e-6
    let levels = quantizer.index(of: exact.mean - reach)...quantizer.index(of: exact.mean + reach)
    let predicted = prediction(of: levels, from: state)
    return zip(levels, predicted).reduce(0) { sum, next in
      let cell = quantizer.cell(next.0)
      let p = normalProbability(
        from: (cell.lower - exact.mean) / exact.deviation, to: (cell.upper - exact.mean) / exact.deviation)
      return p > 0 && next.1 > 0 ? sum + p * log(p / next.1) : sum
    }
  }

  /// The probability of each of some neighbouring levels at the next step.
  private func prediction(of levels: ClosedRange<Int>, from state: State) -> [Double] {
    let last = state.time > 0 ? rules[state.last].nodes : [0]
    let beforeLast = state.time > 1 ? rules[state.beforeLast].nodes : [0]
    var probabilities = [Double](repeating: 0, count: levels.count)
    for i in beforeLast.indices {
      for j in last.indices {
        let known = state.time > 0 ? state.mass[i * last.count + j] : 1
        guard known > 1e-12 else { continue }
        let (mean, deviation) = process.prediction(at: state.time, last[j], beforeLast[i])
        let scale = -0.5.squareRoot() / deviation
        var below = 0.5 * erfc(scale * (quantizer.cell(levels.lowerBound).lower - mean))
        for level in levels {
          let next = 0.5 * erfc(scale * (quantizer.cell(level).upper - mean))
          probabilities[level - levels.lowerBound] += known * (next - below)
          below = next
        }
      }
    }
    return probabilities
  }

  /// The mean entropy of the level of step `time` given the exact values before it, by the trapezoidal rule over its mean.
  func expectedEntropy(at time: Int) -> Double {
    let (_, deviation) = process.prediction(at: time, 0, 0)
    let spread = max(process.variance - deviation * deviation, 0).squareRoot()
    guard spread > 1e-9 * deviation else { return levelEntropy(0, deviation) }
    let count = 100 + Int(64 * spread / deviation)
    let step = 16.0 / Double(count)
    var (sum, total) = (0.0, 0.0)
    for index in 0...count {
      let z = -8 + Double(index) * step
      let weight = exp(-0.5 * z * z)
      sum += weight * levelEntropy(spread * z, deviation)
      total += weight
    }
    return sum / total
  }

  /// The entropy of the level of a normal number.
  private func levelEntropy(_ mean: Double, _ deviation: Double) -> Double {
    let levels = quantizer.index(of: mean - 9 * deviation)...quantizer.index(of: mean + 9 * deviation)
    return entropy(
      ofProbabilities: levels.map { level in
        let cell = quantizer.cell(level)
        return normalProbability(from: (cell.lower - mean) / deviation, to: (cell.upper - mean) / deviation)
      })
  }
}
