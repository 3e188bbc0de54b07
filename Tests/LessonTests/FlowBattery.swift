import LessonKit
import Testing

/// Tests that every invertible layer and every flow must pass, against truths that do not come from the layer itself.
///
/// The closures see `[batch, dimension]`; log-determinants and log-probabilities are `[batch]`, in nats. They run in
/// inference mode. `FlowBattery(…).check()` inside a `@MainActor` test records an issue for each fault.
@MainActor
struct FlowBattery {
  let name: String
  let dimension: Int
  /// x → (z, log|det ∂z/∂x|).
  let forward: @MainActor (Tensor) -> (z: Tensor, logDeterminant: Tensor)
  /// z → x.
  let inverse: @MainActor (Tensor) -> Tensor
  /// log p(x); left out, z is taken as standard normal, so that single layers are tested as flows too.
  var logProbability: (@MainActor (Tensor) -> Tensor)?
  /// Where test points are drawn, uniformly on each axis.
  var points: Range<Float> = -2..<2
  /// Where the density is summed, on each axis, in 1-D and 2-D, and how far from 1 the sum may be.
  var support: Range<Float> = -12..<12
  var sumTolerance = 2e-3
  /// Of the central differences; taken at half this step too.
  var step: Float = 0.02
  /// Of log-determinants and gradients, relative to values above 1.
  var tolerance = 3e-3
  var roundTripTolerance: Float = 1e-4
  var pointCount = 24
  var seed: UInt64 = 1

  /// Records an issue for each fault.
  func check(sourceLocation: SourceLocation = #_sourceLocation) {
    for fault in faults() {
      Issue.record("\(name), dimension \(dimension): \(fault)", sourceLocation: sourceLocation)
    }
  }

  /// What is wrong, in sentences.
  func faults() -> [String] {
    inference {
      withoutGradients {
        let wrong = shapeFaults()
        return wrong.isEmpty
          ? dependenceFaults() + roundTripFaults() + determinantFaults() + sumFaults() + gradientFaults() : wrong
      }
    }
  }

  private func testPoints(_ stream: UInt64) -> Tensor {
    var random = Random(seed: seed &* 1000 &+ stream)
    return .uniform([pointCount, dimension], in: points, using: &random)
  }

  private func density(_ x: Tensor) -> Tensor {
    if let logProbability { return logProbability(x) }
    let (z, logDeterminant) = forward(x)
    return Normal.standard(z.shape).logProbability(of: z) + logDeterminant
  }

  private func shapeFaults() -> [String] {
    let x = testPoints(1)
    let (z, logDeterminant) = forward(x)
    for (what, value, shape) in [
      ("z", z, x.shape), ("the log-determinant", logDeterminant, [pointCount]),
      ("the inverse", inverse(z), x.shape), ("log p(x)", density(x), [pointCount]),
    ] {
      if value.shape != shape { return ["\(what) has shape \(value.shape) in place of \(shape)"] }
      if !value.scalars.allSatisfy(\.isFinite) { return ["\(what) is not finite everywhere"] }
    }
    return []
  }

  /// A row's result does not depend on the other rows.
  private func dependenceFaults() -> [String] {
    let (x, others) = (testPoints(2), testPoints(3) * 3)
    func worst(_ function: (Tensor) -> Tensor) -> Float {
      let whole = function(x).sliced(0..<2, axis: 0)
      let first = x.sliced(0..<2, axis: 0)
      let mixed = function(concatenate([first, others], axis: 0)).sliced(0..<2, axis: 0)
      let alone = concatenate((0..<2).map { function(x.sliced($0..<$0 + 1, axis: 0)) }, axis: 0)
      let scale = 1 + largest(whole)
      return max(largest(whole - mixed), largest(whole - alone)) / scale
    }
    return [
      ("z", worst { forward($0).z }), ("the log-determinant", worst { forward($0).logDeterminant }),
      ("the inverse", worst(inverse)), ("log p(x)", worst(density)),
    ].filter { $0.1 > 1e-5 }
      .map { "\($0.0) of a row changes by \($0.1) with the other rows of the batch" }
  }

  private func roundTripFaults() -> [String] {
    let x = testPoints(4)
    let there = largest(inverse(forward(x).z) - x)
    let z = testPoints(5)
    // Where points were confined, z = −2…2 may be outside of what the layer reaches.
    let back = points == -2..<2 ? largest(forward(inverse(z)).z - z) : 0
    return [("x → z → x", there), ("z → x → z", back)].filter { !($0.1 <= roundTripTolerance) }
      .map { "\($0.0) misses by \($0.1), and \(roundTripTolerance) is allowed" }
  }

  /// The log-determinant against that of a Jacobian by central differences, which knows nothing of the inverse.
  private func determinantFaults() -> [String] {
    let x = testPoints(6)
    let claimed = forward(x).logDeterminant.scalars.map(Double.init)
    let (fine, coarse) = differences(x) { forward($0).z }
    let judged = (0..<pointCount).compactMap { point -> (claimed: Double, exact: Double)? in
      let (best, half) = (extrapolated(fine[point], coarse[point]), fine[point])
      let (exact, rough) = (logMagnitudeOfDeterminant(best), logMagnitudeOfDeterminant(half))
      // Where the two steps disagree there is a kink between the points, as rectifiers make them.
      return abs(exact - rough) < 3 * tolerance * max(1, abs(exact)) ? (claimed[point], exact) : nil
    }
    guard judged.count * 3 >= pointCount else {
      return ["only \(judged.count) of \(pointCount) points are smooth enough for differences: take a smaller step"]
    }
    let misses = judged.map { abs($0.claimed - $0.exact) / max(1, abs($0.exact)) }
    let worst = misses.indices.max { misses[$0] < misses[$1] }!
    return misses[worst] <= tolerance
      ? []
      : [
        "the log-determinant is \(judged[worst].claimed) where finite differences give \(judged[worst].exact)"
      ]
  }

  /// ∫ p(x) dx = 1, by the midpoint rule, in 1-D and 2-D.
  private func sumFaults() -> [String] {
    guard dimension <= 2 else { return [] }
    let count = dimension == 1 ? 4800 : 240
    let width = (support.upperBound - support.lowerBound) / Float(count)
    let middles = (0..<count).map { support.lowerBound + (Float($0) + 0.5) * width }
    let axis = Tensor(middles, shape: [count, 1])
    var total = 0.0
    for first in dimension == 1 ? [0] : middles {
      let x = dimension == 1 ? axis : concatenate([.init(repeating: first, shape: [count, 1]), axis], axis: 1)
      total += exp(density(x)).scalars.reduce(0) { $0 + Double($1) }
    }
    let sum = total * (dimension == 1 ? Double(width) : Double(width) * Double(width))
    return abs(sum - 1) <= sumTolerance ? [] : ["p(x) integrates to \(sum) in place of 1"]
  }

  /// ∂ log p(x)/∂x against central differences.
  private func gradientFaults() -> [String] {
    let x = testPoints(7)
    let claimed = gradient(at: x) { density($0).sum() }.scalars.map(Double.init)
    let (fine, coarse) = differences(x) { density($0).reshaped(to: [$0.shape[0], 1]) }
    var (judged, worst, message) = (0, 0.0, "")
    for point in 0..<pointCount {
      let best = extrapolated(fine[point], coarse[point])
      for axis in 0..<dimension where abs(best[axis][0] - fine[point][axis][0]) < 0.02 * max(1, abs(best[axis][0])) {
        judged += 1
        let miss = abs(claimed[point * dimension + axis] - best[axis][0]) / max(1, abs(best[axis][0]))
        if !(miss <= worst) {
          worst = miss
          message = "∂ log p/∂x is \(claimed[point * dimension + axis]) where finite differences give \(best[axis][0])"
        }
      }
    }
    guard judged * 3 >= pointCount * dimension else {
      return ["log p is too rough for differences: take a smaller step"]
    }
    return worst <= 5 * tolerance ? [] : [message]
  }

  /// ∂ output/∂ input for each point, input by output, with half the step and with the whole.
  private func differences(
    _ x: Tensor, _ function: (Tensor) -> Tensor
  ) -> (fine: [[[Double]]], coarse: [[[Double]]]) {
    var rows: [Float] = []
    let scalars = x.scalars
    let offsets: [Float] = [step / 2, -step / 2, step, -step]
    for point in 0..<pointCount {
      for axis in 0..<dimension {
        for offset in offsets {
          var row = Array(scalars[point * dimension..<(point + 1) * dimension])
          row[axis] += offset
          rows += row
        }
      }
    }
    let moved = Tensor(rows, shape: [rows.count / dimension, dimension])
    let (values, outputs) = (function(moved), function(x).shape[1])
    let results = values.scalars
    func quotient(_ point: Int, _ axis: Int, _ first: Int) -> [Double] {
      let row = (point * dimension + axis) * 4 + first
      // The step as Float32 has rounded it.
      let width = Double(rows[row * dimension + axis]) - Double(rows[(row + 1) * dimension + axis])
      return (0..<outputs).map {
        (Double(results[row * outputs + $0]) - Double(results[(row + 1) * outputs + $0])) / width
      }
    }
    func all(_ first: Int) -> [[[Double]]] {
      (0..<pointCount).map { point in (0..<dimension).map { quotient(point, $0, first) } }
    }
    return (all(0), all(2))
  }

  /// Richardson's: the error of both steps without its leading part.
  private func extrapolated(_ fine: [[Double]], _ coarse: [[Double]]) -> [[Double]] {
    zip(fine, coarse).map { zip($0, $1).map { (4 * $0 - $1) / 3 } }
  }

  private func largest(_ x: Tensor) -> Float { x.scalars.reduce(0) { $1.isNaN ? .infinity : max($0, abs($1)) } }
}

/// log|det A| by elimination with partial pivoting, in Double.
func logMagnitudeOfDeterminant(_ matrix: [[Double]]) -> Double {
  var (a, total) = (matrix, 0.0)
  for column in a.indices {
    let pivot = (column..<a.count).max { abs(a[$0][column]) < abs(a[$1][column]) }!
    a.swapAt(column, pivot)
    total += log(abs(a[column][column]))
    for row in a.indices.dropFirst(column + 1) {
      let factor = a[row][column] / a[column][column]
      for index in column..<a.count { a[row][index] -= factor * a[column][index] }
    }
  }
  return total
}

@MainActor
@Suite("FlowBattery: the battery itself")
struct FlowBatteryTests {
  /// z₁ = s₁ (x₁ + ¼ sin x₁), zⱼ = sⱼ xⱼ + ½ sin xⱼ₋₁: a triangular Jacobian.
  private func battery(
    _ dimension: Int, sign: Float = 1, factor: Float = 1, swapped: Bool = false, batched: Float = 0
  ) -> FlowBattery {
    let scales = (0..<dimension).map { 0.6 + 0.3 * Float($0) }
    func axis(_ x: Tensor, _ j: Int) -> Tensor { x.sliced(j..<j + 1, axis: 1) }
    func forward(_ x: Tensor) -> (z: Tensor, logDeterminant: Tensor) {
      let columns = (0..<dimension).map { j in
        // The first axis stretches by an amount that depends on itself: x + ¼ sin x.
        j == 0 ? (axis(x, 0) + sin(axis(x, 0)) * 0.25) * scales[0] : axis(x, j) * scales[j] + sin(axis(x, j - 1)) * 0.5
      }
      let own = log(1 + cos(axis(x, 0)) * 0.25).reshaped(to: [x.shape[0]])
      let logDeterminant = (own + scales.map { log($0) }.reduce(0, +)) * (sign * factor)
      return (concatenate(columns, axis: 1) + x.mean() * batched, logDeterminant)
    }
    func inverse(_ z: Tensor) -> Tensor {
      var columns: [Tensor] = []
      for j in 0..<dimension {
        if j == 0 {
          let target = axis(z, 0) / scales[0]
          columns.append((0..<40).reduce(target) { x, _ in target - sin(x) * 0.25 })  // a fixed point
        } else {
          columns.append((axis(z, j) - sin(columns[j - 1]) * 0.5) / scales[j])
        }
      }
      return concatenate(columns, axis: 1)
    }
    return FlowBattery(
      name: "bent", dimension: dimension, forward: forward, inverse: { swapped ? forward($0).z : inverse($0) })
  }

  @Test("A right flow has no fault in dimensions 1, 2, 3, 5", arguments: [1, 2, 3, 5])
  func right(dimension: Int) { #expect(battery(dimension).faults() == []) }

  @Test("A log-determinant with the wrong sign or a missing factor is caught", arguments: [1, 2, 3, 5])
  func wrongDeterminants(dimension: Int) {
    for faults in [battery(dimension, sign: -1).faults(), battery(dimension, factor: 0.5).faults()] {
      #expect(faults.contains { $0.hasPrefix("the log-determinant is") })
      if dimension <= 2 { #expect(faults.contains { $0.hasPrefix("p(x) integrates to") }) }
    }
  }

  @Test("An inverse that is the forward direction and a row that looks at others are caught", arguments: [1, 2, 3, 5])
  func wrongDirections(dimension: Int) {
    #expect(battery(dimension, swapped: true).faults().contains { $0.hasPrefix("x → z → x misses") })
    #expect(battery(dimension, batched: 0.1).faults().contains { $0.contains("other rows of the batch") })
  }

  @Test("A density that takes the inverse for the forward direction, and one without gradients, are caught")
  func wrongDensities() {
    let right = battery(2)
    var swapped = right
    swapped.logProbability = { x in
      Normal.standard(x.shape).logProbability(of: right.inverse(x)) + right.forward(x).logDeterminant
    }
    #expect(swapped.faults().contains { $0.hasPrefix("p(x) integrates to") })
    var detached = right
    detached.logProbability = { x in
      let (z, logDeterminant) = right.forward(x)
      return Normal.standard(z.shape).logProbability(of: z) + logDeterminant.detached()
    }
    #expect(detached.faults().contains { $0.hasPrefix("∂ log p/∂x is") })
  }

  @Test("The determinant by elimination is that by hand")
  func determinant() {
    #expect(abs(logMagnitudeOfDeterminant([[0, 2, 1], [1, 0, 0], [3, 4, 5]]) - log(6)) < 1e-12)
  }
}
