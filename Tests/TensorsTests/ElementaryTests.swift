import Foundation
import Testing

@testable import Tensors

/// Elementary functions against Foundation's in double precision.
@Suite struct ElementaryTests {
  struct Function: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let domain: ClosedRange<Float>
    let ours: @Sendable (Tensor) -> Tensor
    let exact: @Sendable (Double) -> Double
    /// Results smaller than this may be taken as zero.
    var smallest: Double = Double(Float.leastNonzeroMagnitude)
  }

  static let functions = [
    Function(testDescription: "exp", domain: -110...90, ours: exp, exact: Foundation.exp),
    Function(testDescription: "log", domain: 0...3e38, ours: log, exact: Foundation.log),
    Function(testDescription: "sqrt", domain: 0...3e38, ours: sqrt, exact: { $0.squareRoot() }),
    // Where e⁻ˣ overflows, a denormal result is given as zero.
    Function(
      testDescription: "sigmoid", domain: -1e4...1e4, ours: sigmoid, exact: { 1 / (1 + Foundation.exp(-$0)) },
      smallest: Double(Float.leastNormalMagnitude)),
    Function(
      testDescription: "softplus", domain: -1e4...1e4, ours: softplus,
      exact: { Swift.max($0, 0) + log1p(Foundation.exp(-$0.magnitude)) }),
    Function(testDescription: "tanh", domain: -1e4...1e4, ours: tanh, exact: Foundation.tanh),
    Function(testDescription: "square", domain: -1e4...1e4, ours: square, exact: { $0 * $0 }),
  ]

  @Test(arguments: functions)
  func `relative error is at most 5e-7 over dense grids`(_ function: Function) {
    // Evenly spaced numbers, and evenly spaced bit patterns: all magnitudes, denormals among them.
    let domain = function.domain
    let even = (0...15_000).map { domain.lowerBound + (domain.upperBound - domain.lowerBound) * Float($0) / 15_000 }
    let near = (0...15_000).map { Float($0 - 7500) / 750 }
    let patterns = (0..<15_000).map { Float(bitPattern: UInt32($0) * 142_606 + 1) }
    let points = (even + near + patterns + patterns.map { -$0 }).filter { domain.contains($0) && $0.isFinite }
    check(function, at: points)
  }

  @Test(arguments: functions)
  func `extreme values follow Foundation`(_ function: Function) {
    let tiny = [
      .leastNonzeroMagnitude, 0x1p-140, Float.leastNormalMagnitude.nextDown, .leastNormalMagnitude, 1.19e-38, 1e-30,
    ]
    let large: [Float] = [
      0, 1, 87, 88, 88.72, 88.73, 89, 103, 104, 150, 1e4, 3e38, .greatestFiniteMagnitude, .infinity,
    ]
    let points = (tiny + large).flatMap { [$0, -$0] } + [.nan]
    check(function, at: points)
  }

  private func check(_ function: Function, at points: [Float]) {
    let found = function.ours(Tensor(points)).scalars
    var worst = (error: 0.0, x: Float(0), found: Float(0), expected: 0.0)
    for (x, y) in zip(points, found) {
      let exact = function.exact(Double(x))
      let rounded = Float(exact)
      if rounded == y || (rounded.isNaN && y.isNaN) { continue }
      // A result that is denormal or zero has no relative precision, only its last digit.
      let error = (Double(y) - exact).magnitude
      let relative = error <= function.smallest ? 0 : error / exact.magnitude
      if !(relative <= worst.error) { worst = (relative, x, y, exact) }
    }
    #expect(worst.error <= 5e-7, "at \(worst.x): \(worst.found), expected \(worst.expected)")
  }

  @Test func `values by hand`() {
    expect(relu(Tensor([-1, -0.0, 0, 2, -.infinity, .infinity, .nan])), [0, 0, 0, 2, 0, .infinity, .nan])
    expect(abs(Tensor([-1, -0.0, 2, -.infinity, .nan])), [1, 0, 2, .infinity, .nan])
    expect(sign(Tensor([-3, -0.0, 0, .leastNonzeroMagnitude, .infinity, .nan])), [-1, 0, 0, 1, 1, .nan])
    expect(square(Tensor([-3, 0.5, 1e30])), [9, 0.25, .infinity])
    expect(exp(Tensor([0, 1])), [1, 2.718_281_8], tolerance: 1e-7)
    expect(sigmoid(Tensor([0, .infinity, -.infinity])), [0.5, 1, 0])
    expect(tanh(Tensor([0, .infinity, -.infinity, 20, -20])), [0, 1, -1, 1, -1])
    expect(softplus(Tensor([0, .infinity, -.infinity])), [0.693_147_2, .infinity, 0], tolerance: 1e-7)
  }

  @Test func `gradients at kinks and far away`() {
    expect(gradient(at: Tensor([-1, 0, 2])) { relu($0).sum() }, [0, 0, 1])
    expect(gradient(at: Tensor([-3, 0, 2])) { abs($0).sum() }, [-1, 0, 1])
    expect(gradient(at: Tensor([-1e4, 1e4])) { softplus($0).sum() }, [0, 1])
    expect(gradient(at: Tensor([-1e4, 1e4])) { sigmoid($0).sum() }, [0, 0])
    expect(gradient(at: Tensor([-1e4, 1e4])) { tanh($0).sum() }, [0, 0])
  }

  @Test func `Bernoulli log-likelihood is accurate at any logit`() {
    let logits: [Float] = [-1e4, -100, -20, -8, -1, 0, 1, 8, 20, 100, 1e4]
    for x in [0, 1] as [Float] {
      let found = bernoulliLogLikelihood(Tensor(repeating: x, shape: [logits.count]), logits: Tensor(logits)).scalars
      for (logit, value) in zip(logits, found) {
        let signed = Double(x == 1 ? -logit : logit)
        let exact = -(Swift.max(signed, 0) + log1p(Foundation.exp(-signed.magnitude)))
        #expect(
          abs(Double(value) - exact) <= 5e-7 * exact.magnitude + 1e-44, "x \(x), logit \(logit): \(value), \(exact)")
      }
    }
    expect(bernoulliLogLikelihood(Tensor([0.25]), logits: Tensor([2])), [0.5 - 2.126_928], tolerance: 1e-6)
  }
}
