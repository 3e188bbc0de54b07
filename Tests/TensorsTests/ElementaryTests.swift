import Foundation
import TestSupport
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
    Function(testDescription: "log1p", domain: -1...3e38, ours: log1p, exact: Foundation.log1p),
    Function(testDescription: "expm1", domain: -200...88.7, ours: expm1, exact: Foundation.expm1),
    Function(
      testDescription: "logSigmoid", domain: -1e4...1e4, ours: logSigmoid,
      exact: { Swift.min($0, 0) - Foundation.log1p(Foundation.exp(-$0.magnitude)) }),
    // Far below zero the results are given as zero before they become denormal.
    Function(
      testDescription: "gelu", domain: -40...1e4, ours: gelu,
      exact: { $0 < -40 ? 0 : $0 * Foundation.erfc(-$0 / 2.0.squareRoot()) / 2 }, smallest: 1e-36),
    Function(
      testDescription: "silu", domain: -1e4...1e4, ours: silu,
      exact: { $0 < -1e4 ? 0 : $0 / (1 + Foundation.exp(-$0)) }, smallest: 2e-36),
    Function(testDescription: "elu", domain: -200...1e4, ours: elu, exact: { $0 > 0 ? $0 : Foundation.expm1($0) }),
    Function(testDescription: "floor", domain: -1e4...1e4, ours: floor, exact: { $0.rounded(.down) }),
    Function(
      testDescription: "power 1.75", domain: 0...3e38, ours: { power($0, 1.75) }, exact: { Foundation.pow($0, 1.75) }),
    Function(
      testDescription: "power -3", domain: -3e38...3e38, ours: { power($0, -3) }, exact: { Foundation.pow($0, -3) }),
    Function(
      testDescription: "power of 1.5", domain: -250...210, ours: { power(Tensor(1.5), $0) },
      exact: { Foundation.pow(1.5, $0) }),
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

  @Test func `sine and cosine are within 2e-7 near zero, and right at any angle`() {
    let near = (0...40_000).map { Float($0 - 20_000) / 2 }
    let far: [Float] = [1e4, 12_345.678, -98_765.43, 1e6, 3.5e9, 1e20, -3e38]
    for points in [near, near.map { $0 / 5000 }, far, far.map { $0 / 1e4 }] {
      let (sines, cosines) = (sin(Tensor(points)).scalars, cos(Tensor(points)).scalars)
      for (index, x) in points.enumerated() {
        #expect(abs(Double(sines[index]) - Foundation.sin(Double(x))) <= 2e-7, "sin \(x)")
        #expect(abs(Double(cosines[index]) - Foundation.cos(Double(x))) <= 2e-7, "cos \(x)")
      }
    }
    expect(sin(Tensor([0, .infinity, -.infinity, .nan])), [0, .nan, .nan, .nan])
    expect(cos(Tensor([0, .infinity, -.infinity, .nan])), [1, .nan, .nan, .nan])
  }

  @Test func `powers follow C at special values`() {
    let bases: [Float] = [0, 1, -1, 2, -2, 0.5, .infinity, -.infinity, .nan, 3e38, 0x1p-140]
    let exponents: [Float] = [0, 1, -1, 2, 3, -3, 0.5, -0.5, 2.5, 1e9, 16_777_215, .infinity, -.infinity, .nan, 1e-3]
    for exponent in exponents {
      let found = power(Tensor(bases), Tensor(exponent)).scalars
      for (x, y) in zip(bases, found) where !(x == -1 && exponent.isInfinite) {
        let exact = Float(Foundation.pow(Double(x), Double(exponent)))
        let isClose = y == exact || (y.isNaN && exact.isNaN) || abs(y - exact) <= 1e-6 * abs(exact)
        #expect(isClose, "\(x) to the \(exponent): \(y), expected \(exact)")
      }
    }
    expect(power(Tensor([-1.5, 0, 2]), 2), [2.25, 0, 4])
    expect(power(Tensor([[1], [2]]), Tensor([0, 3])), shape: [2, 2], [1, 1, 1, 8])
  }

  @Test func `values by hand`() {
    expect(
      floor(Tensor([-1.5, -1, -0.5, 0.5, 8_388_609, -8_388_609, -.infinity, .nan])),
      [-2, -1, -1, 0, 8_388_609, -8_388_609, -.infinity, .nan])
    expect(leakyRelu(Tensor([-2, 0, 3, .nan, -.infinity]), slope: 0.5), [-1, 0, 3, .nan, -.infinity])
    expect(leakyRelu(Tensor([-2, 3])), [-0.02, 3])
    expect(elu(Tensor([-1, 0, 2, -.infinity, .infinity])), [-0.632_120_6, 0, 2, -1, .infinity], tolerance: 1e-7)
    expect(
      gelu(Tensor([0, 1, -1, -.infinity, .infinity])), [0, 0.841_344_7, -0.158_655_25, 0, .infinity], tolerance: 1e-7)
    expect(silu(Tensor([0, 1, -.infinity, .infinity])), [0, 0.731_058_6, 0, .infinity], tolerance: 1e-7)
    expect(logSigmoid(Tensor([0, -1e4, 1e4])), [-0.693_147_2, -1e4, 0], tolerance: 1e-7)
    expect(Tensor([-5, -1, 0.5, 2, 7, .nan]).clamped(to: -1...2), [-1, -1, 0.5, 2, 2, .nan])
    expect(relu(Tensor([-1, -0.0, 0, 2, -.infinity, .infinity, .nan])), [0, 0, 0, 2, 0, .infinity, .nan])
    expect(abs(Tensor([-1, -0.0, 2, -.infinity, .nan])), [1, 0, 2, .infinity, .nan])
    expect(sign(Tensor([-3, -0.0, 0, .leastNonzeroMagnitude, .infinity, .nan])), [-1, 0, 0, 1, 1, .nan])
    expect(square(Tensor([-3, 0.5, 1e30])), [9, 0.25, .infinity])
    expect(exp(Tensor([0, 1])), [1, 2.718_281_8], tolerance: 1e-7)
    expect(sigmoid(Tensor([0, .infinity, -.infinity])), [0.5, 1, 0])
    expect(tanh(Tensor([0, .infinity, -.infinity, 20, -20])), [0, 1, -1, 1, -1])
    expect(softplus(Tensor([0, .infinity, -.infinity])), [0.693_147_2, .infinity, 0], tolerance: 1e-7)
  }

  @Test func `a value's result does not depend on what stands beside it`() {
    var random = Random(seed: 31)
    let own = (0..<40).map { _ in Float.random(in: -9...9, using: &random) }
    let odd: [Float] = [1e30, -1e30, .infinity, -.infinity, .nan, 9000, -9000, .leastNonzeroMagnitude, 0]
    let unary = Self.functions.map { ($0.testDescription, $0.ours) }
    for (name, function) in unary + [("abs", abs), ("sign", sign), ("sin", sin), ("cos", cos)] {
      let alone = bits(function(Tensor(own)))
      for stranger in odd {
        let mixed = bits(function(Tensor(own.flatMap { [$0, stranger] })))
        #expect(own.indices.map { mixed[2 * $0] } == alone, "\(name) beside \(stranger)")
      }
    }
    for exponent in odd {
      let alone = bits(power(Tensor(own.map(Swift.abs)), 1.7))
      let mixed = power(Tensor(own.flatMap { [Swift.abs($0), 2] }), Tensor(own.flatMap { _ in [1.7, exponent] }))
      #expect(own.indices.map { bits(mixed)[2 * $0] } == alone, "power beside \(exponent)")
    }
  }

  @Test func `square roots are correctly rounded`() {
    var random = Random(seed: 30)
    let values = (0..<5000).map { _ in Float(bitPattern: UInt32.random(in: 0...0x7f80_0000, using: &random)) }
    #expect(sqrt(Tensor(values)).scalars == values.map { $0.squareRoot() })
    expect(sqrt(Tensor([.infinity, -1, .nan, -.leastNonzeroMagnitude])), [.infinity, .nan, .nan, .nan])
    #expect(bits(sqrt(Tensor([-0.0, 0]))) == bits(Tensor([-0.0, 0])))
  }

  @Test func `choices by hand`() {
    let (a, b) = (Tensor([1, 5, .nan, 2, -.infinity]), Tensor([3, 4, 0, .nan, 1]))
    expect(maximum(a, b), [3, 5, .nan, .nan, 1])
    expect(minimum(a, b), [1, 4, .nan, .nan, -.infinity])
    expect(maximum(Tensor([[1], [4]]), Tensor([2, 3])), shape: [2, 2], [2, 3, 4, 4])
    expect(select(Tensor([1, 0, -2]), Tensor([1, .nan, 3]), Tensor([.nan, 5, 6])), [1, 5, 3])
    expect(select(Tensor([[1], [0]]), Tensor([1, 2]), Tensor(9)), shape: [2, 2], [1, 2, 9, 9])
    expect(select(Tensor.zeros([0]), Tensor(1), Tensor(2)), shape: [0], [])
    expect(gradient(at: Tensor([1, 2, 3])) { maximum($0, Tensor([2, 2, 2])).sum() }, [0, 0.5, 1])
    expect(gradient(at: Tensor([1, 2, 3])) { minimum(Tensor(2), $0).sum() }, [1, 0.5, 0])
    expect(gradient(at: Tensor([-2, -1, 0, 1, 2])) { $0.clamped(to: -1...1).sum() }, [0, 1, 1, 1, 0])
    expect(gradient(at: Tensor([1, 2])) { select(Tensor([0, 1]), $0 * 5, $0 * 3).sum() }, [3, 5])
  }

  @Test func `gradients at kinks and far away`() {
    expect(gradient(at: Tensor([-1, 0, 2])) { leakyRelu($0, slope: 0.25).sum() }, [0.25, 0.25, 1])
    expect(gradient(at: Tensor([-1, 0, 2])) { elu($0).sum() }, [0.367_879_44, 1, 1], tolerance: 1e-7)
    expect(gradient(at: Tensor([0, 0, 3])) { power($0, 3).sum() + power($0, 0).sum() }, [0, 0, 27], tolerance: 1e-6)
    expect(gradient(at: Tensor([1.5, -0.5])) { (floor($0) * $0).sum() }, [1, -1])
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
