import GradientChecking
import TestSupport
import Testing

@testable import Tensors

/// First- and second-order gradients of every operation against central differences.
@Suite struct GradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let inputs: [Tensor]
    let function: @Sendable ([Tensor]) -> Tensor

    init(_ name: String, _ inputs: Tensor..., function: @escaping @Sendable ([Tensor]) -> Tensor) {
      testDescription = name
      self.inputs = inputs
      self.function = function
    }
  }

  @Test(arguments: arithmetic + elementary + choices + reductions + shaping + products + compositions)
  func `differentiation agrees with differences to the second order`(_ test: Case) {
    let report = gradientCheck(of: test.function, at: test.inputs)
    #expect(report.passes, "\(report)")
    #expect((report.worst?.excess ?? 0) < 0.75, "\(report)")
  }

  static let positive = uniform([3, 5], in: 0.5..<2, seed: 1)

  static let arithmetic: [Case] = {
    let pairs: [([Int], [Int])] = [
      ([], []), ([], [3]), ([17], []), ([1], [1]), ([33], [33]), ([3, 1], [1, 5]), ([5], [3, 5]), ([2, 1, 3], [4, 1]),
      ([2, 1, 3, 1], [3, 1, 2]), ([65], [65]), ([0, 3], [3]), ([1], [0]),
    ]
    return pairs.enumerated().flatMap { index, shapes -> [Case] in
      let a = normal(shapes.0, seed: UInt64(2 * index))
      let b = uniform(shapes.1, in: 0.5..<2, seed: UInt64(2 * index + 1))
      let name = "\(shapes.0) \(shapes.1)"
      return [
        Case("+ \(name)", a, b) { square($0[0] + $0[1]) }, Case("- \(name)", a, b) { square($0[0] - $0[1]) },
        Case("* \(name)", a, b) { $0[0] * $0[1] }, Case("/ \(name)", a, b) { $0[0] / $0[1] },
        Case("reversed / \(name)", b, a) { ($0[1] - $0[0]) / $0[0] },
      ]
    }
  }()

  static let elementary: [Case] = [[], [1], [3], [17], [3, 11], [65]].flatMap { shape -> [Case] in
    let x = normal(shape, seed: 5)
    let apart = awayFromZero(shape, seed: 6)
    let above = uniform(shape, in: 0.5..<3, seed: 7)
    return [
      Case("exp \(shape)", x) { exp($0[0]) }, Case("log \(shape)", above) { log($0[0]) },
      Case("sqrt \(shape)", above) { sqrt($0[0]) }, Case("square \(shape)", x) { square($0[0]) },
      Case("abs \(shape)", apart) { abs($0[0]) * $0[0] }, Case("sign \(shape)", apart) { sign($0[0]) * exp($0[0]) },
      Case("relu \(shape)", apart) { square(relu($0[0])) + relu($0[0]) },
      Case("sigmoid \(shape)", x) { sigmoid($0[0]) },
      Case("softplus \(shape)", x) { softplus($0[0]) }, Case("tanh \(shape)", x) { tanh($0[0]) },
      Case("negation \(shape)", x) { -$0[0] * $0[0] },
      Case("scalars \(shape)", above) { x in (2 - x[0]) * 3 + 0.5 / x[0] - (x[0] * x[0] - 0.25) / 4 + 1.5 * x[0] },
      Case("bernoulliLogLikelihood \(shape)", sigmoid(x), x) { bernoulliLogLikelihood($0[0], logits: $0[1]) },
    ]
  }

  static let choices: [Case] =
    [[], [1], [3], [17], [3, 11], [65]].flatMap { shape -> [Case] in
      let x = normal(shape, seed: 40)
      let apart = awayFromZero(shape, seed: 41)
      let above = uniform(shape, in: 0.5..<3, seed: 42)
      let smooth: [(String, @Sendable (Tensor) -> Tensor)] = [
        ("expm1", expm1), ("sin", sin), ("cos", cos), ("logSigmoid", logSigmoid), ("gelu", gelu), ("silu", silu),
      ]
      return smooth.flatMap { name, function in
        [
          Case("\(name) \(shape)", x) { function($0[0]) },
          Case("diamond of \(name) \(shape)", x * 0.5) {
            let y = function($0[0])
            return y * y + $0[0] * y
          },
        ]
      } + [
        Case("log1p \(shape)", above) { log1p($0[0]) * $0[0] }, Case("power 2.5 \(shape)", above) { power($0[0], 2.5) },
        Case("power 3 \(shape)", x) { power($0[0], 3) }, Case("power of \(shape)", above) { power(Tensor(1.5), $0[0]) },
        Case("leakyRelu \(shape)", apart) { square(leakyRelu($0[0], slope: 0.25)) },
        Case("elu \(shape)", apart) { elu($0[0]) },
        Case("floor \(shape)", apart * 0.05 + 0.5) { (floor($0[0]) + 1) * square($0[0]) },
        Case("clamped \(shape)", apart) { x in x[0].clamped(to: 0...40) * exp(x[0]) },
      ]
    }
    + [([], [3]), ([17], [17]), ([3, 1], [1, 5]), ([2, 1, 3], [4, 1]), ([0, 3], [3])].flatMap { a, b -> [Case] in
      let (x, y) = (normal(a, seed: 43), uniform(b, in: 3..<4, seed: 44))
      let positive = uniform(a, in: 0.5..<2, seed: 45)
      return [
        Case("maximum \(a) \(b)", awayFromZero(a, seed: 43), uniform(b, in: -0.05..<0.05, seed: 44)) {
          exp(maximum($0[0], $0[1])) + minimum($0[1], $0[0]) * $0[0]
        },
        Case("power \(a) \(b)", positive, y) { power($0[0], $0[1] * 0.5) },
        Case("select \(a) \(b)", x, y) {
          select(Tensor([1, 0], shape: [2, 1, 1, 1]), exp($0[0]), square($0[1]) * $0[0])
        },
      ]
    }

  static let reductions: [Case] = {
    let x = normal([3, 1, 5, 2], seed: 8)
    let apart = spread([3, 1, 5, 2], seed: 9)
    let axes: [[Int]?] = [nil, [0], [-1], [1], [0, 2], [3, 1], [-2, 0], []]
    let over = axes.flatMap { axes -> [Case] in
      [true, false].flatMap { keeping -> [Case] in
        let name = "\(axes.map { "\($0)" } ?? "all") \(keeping)"
        return [
          Case("sum \(name)", x) { square($0[0].sum(axes: axes, keepingAxes: keeping)) },
          Case("mean \(name)", x) { exp($0[0].mean(axes: axes, keepingAxes: keeping)) },
          Case("variance \(name)", x) { $0[0].variance(axes: axes, keepingAxes: keeping) },
          Case("max \(name)", x) { square($0[0].max(axes: axes, keepingAxes: keeping)) },
          Case("min \(name)", apart) { square($0[0].min(axes: axes, keepingAxes: keeping)) },
          Case("product \(name)", x + 1.5) { $0[0].product(axes: axes, keepingAxes: keeping) },
          Case("logSumExp \(name)", x) { $0[0].logSumExp(axes: axes, keepingAxes: keeping) },
        ]
      }
    }
    return over + [
      Case("sum of a scalar", Tensor(1.5)) { exp($0[0].sum()) },
      Case("sum over an empty axis", Tensor.zeros([3, 0])) { square($0[0].sum(axis: 1)) },
      Case("product with zeros", Tensor([[0, 2, 3], [0, 0, 2], [1, 2, 3], [0, 0, 0]])) { $0[0].product(axis: 1) },
      Case("product with itself", x) { $0[0].product(axis: 2) * $0[0].product(axis: 0) },
      Case("cumulativeSum first", x) { square($0[0].cumulativeSum(axis: 0)) },
      Case("cumulativeSum middle", x) { exp($0[0].cumulativeSum(axis: -2) * 0.3) },
      Case("cumulativeSum last", normal([33], seed: 46)) { square($0[0].cumulativeSum(axis: -1)) },
      Case("sorted", apart) { $0[0].sorted(axis: 2).values * exp($0[0]) },
      Case("sorted last", spread([3, 17], seed: 47)) { square($0[0].sorted(axis: -1).values) * $0[0] },
      Case("one axis", normal([33, 3], seed: 9)) { x in
        x[0].sum(axis: 0) * x[0].mean(axis: -2) + x[0].max(axis: 0) * x[0].logSumExp(axis: 0)
      },
    ]
  }()

  static let shaping: [Case] = {
    let x = normal([2, 3, 5], seed: 10)
    let y = normal([2, 4, 5], seed: 11)
    return [
      Case("reshaped", x) { square($0[0].reshaped(to: [5, -1])) },
      Case("reshaped scalar", Tensor(0.7)) { exp($0[0].reshaped(to: [1, 1])) },
      Case("broadcast", normal([3, 1], seed: 12)) { square($0[0].broadcast(to: [2, 3, 4])) },
      Case("broadcast scalar", Tensor(0.7)) { exp($0[0].broadcast(to: [2, 3])) },
      Case("broadcast to nothing", normal([1, 3], seed: 13)) { square($0[0].broadcast(to: [0, 3])) },
      Case("permuted", x) { square($0[0].permuted([2, 0, 1])) * 2 },
      Case("permuted rank 4", normal([2, 3, 1, 4], seed: 14)) { exp($0[0].permuted([3, 1, 0, 2])) },
      Case("repeated", x) { square($0[0].repeated(3, axis: 0)) },
      Case("transposed", x) { square($0[0].transposed()) },
      Case("sliced front", x) { square($0[0].sliced(0..<1, axis: 0)) },
      Case("sliced middle", x) { exp($0[0].sliced(1..<4, axis: -1)) },
      Case("sliced to nothing", x) { square($0[0].sliced(1..<1, axis: 1)) },
      Case("padded", x) { square($0[0].padded(before: 2, after: 1, axis: 1) + 1) },
      Case("concatenate", x, y) { exp(concatenate([$0[0], $0[1], $0[0]], axis: 1)) },
      Case("concatenate last", normal([3], seed: 15), normal([1], seed: 16)) { square(concatenate($0, axis: -1)) },
    ]
  }()

  static let products: [Case] = {
    let sizes = [(1, 1, 1), (3, 5, 2), (1, 17, 3), (5, 1, 4), (2, 3, 1), (3, 0, 2)]
    return sizes.flatMap { rows, depth, columns -> [Case] in
      [(false, false), (true, false), (false, true), (true, true)].map { first, second in
        let a = normal(first ? [depth, rows] : [rows, depth], seed: 17)
        let b = normal(second ? [columns, depth] : [depth, columns], seed: 18)
        return Case("matmul \(rows) \(depth) \(columns) \(first) \(second)", a, b) {
          matmul($0[0], $0[1], transposingFirst: first, transposingSecond: second)
        }
      }
        + [
          [rows, depth], [depth], [2, rows, depth],
        ].map { shape in
          let (x, w) = (normal(shape, seed: 19), normal([depth, columns], seed: 20) * 0.3)
          return Case("linear \(shape) \(columns)", x, w, normal([columns], seed: 21)) {
            tanh(linear($0[0], $0[1], $0[2]))
          }
        }
    }
  }()

  static let compositions: [Case] = [
    Case("diamond", normal([3], seed: 22)) { inputs in
      let x = inputs[0]
      let y = exp(x * 0.5)
      return y * y + x * y * x
    },
    Case("matmul with itself", normal([3, 3], seed: 23)) {
      matmul(matmul($0[0], $0[0]), $0[0], transposingSecond: true)
    },
    Case("one input unused", normal([2], seed: 24), normal([3], seed: 25)) { square($0[1]) },
    Case("a constant", normal([2], seed: 26)) { _ in Tensor(3) },
    Case("gradient penalty", normal([4, 3], seed: 27), normal([3, 5], seed: 28), normal([5, 1], seed: 29)) { inputs in
      let slope = gradient(at: inputs[0]) { tanh(matmul(tanh(matmul($0, inputs[1])), inputs[2])).sum() }
      return square(sqrt(square(slope).sum(axis: 1)) - 1).mean()
    },
  ]
}
