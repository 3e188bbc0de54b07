import TestSupport
import Testing

@testable import Tensors

/// Two hundred random cases of each operation against PyTorch in double precision (`Tests/Reference/elementwise.py`).
@Suite struct ElementwiseReferenceTests {
  typealias Case = ReferenceCases.Case
  typealias Operation = @Sendable ([Tensor], Case) -> Tensor

  static let cases = Result { try ReferenceCases.read("elementwise") }

  static let arithmetic: [String: Operation] = [
    "+": { x, _ in x[0] + x[1] }, "-": { x, _ in x[0] - x[1] }, "*": { x, _ in x[0] * x[1] },
    "/": { x, _ in x[0] / x[1] }, "power": { x, _ in power(x[0], x[1]) }, "negation": { x, _ in -x[0] },
    "minimum": { x, _ in minimum(x[0], x[1]) }, "maximum": { x, _ in maximum(x[0], x[1]) },
    "maximum of reals": { x, _ in maximum(x[0], x[1]) }, "select": { x, _ in select(x[0], x[1], x[2]) },
    "+ scalar": { x, one in x[0] + one.number("scalar") }, "- scalar": { x, one in x[0] - one.number("scalar") },
    "scalar -": { x, one in one.number("scalar") - x[0] }, "* scalar": { x, one in x[0] * one.number("scalar") },
    "/ scalar": { x, one in x[0] / one.number("scalar") }, "scalar /": { x, one in one.number("scalar") / x[0] },
    "scalar power": { x, one in power(x[0], one.number("scalar")) },
    "whole power": { x, one in power(x[0], one.number("scalar")) },
    "leakyRelu": { x, one in leakyRelu(x[0], slope: 0.125 + abs(one.number("scalar")) / 16) },
    "clamped": { x, one in x[0].clamped(to: min(one.number("scalar"), 1)...1.5) },
  ]

  static let comparisons: [String: Operation] = [
    ".<": { x, _ in x[0] .< x[1] }, ".<=": { x, _ in x[0] .<= x[1] }, ".>": { x, _ in x[0] .> x[1] },
    ".>=": { x, _ in x[0] .>= x[1] }, ".==": { x, _ in x[0] .== x[1] }, ".!=": { x, _ in x[0] .!= x[1] },
    ".< scalar": { x, one in x[0] .< one.number("scalar") }, ".<= scalar": { x, one in x[0] .<= one.number("scalar") },
    ".> scalar": { x, one in x[0] .> one.number("scalar") }, ".>= scalar": { x, one in x[0] .>= one.number("scalar") },
    ".== scalar": { x, one in x[0] .== one.number("scalar") },
    ".!= scalar": { x, one in x[0] .!= one.number("scalar") },
  ]

  static let elementary: [String: Operation] = [
    "exp": { x, _ in exp(x[0]) }, "expm1": { x, _ in expm1(x[0]) }, "log": { x, _ in log(x[0]) },
    "log1p": { x, _ in log1p(x[0]) }, "sqrt": { x, _ in sqrt(x[0]) }, "square": { x, _ in square(x[0]) },
    "abs": { x, _ in abs(x[0]) }, "tanh": { x, _ in tanh(x[0]) }, "relu": { x, _ in relu(x[0]) },
    "elu": { x, _ in elu(x[0]) }, "gelu": { x, _ in gelu(x[0]) }, "silu": { x, _ in silu(x[0]) },
    "sigmoid": { x, _ in sigmoid(x[0]) }, "logSigmoid": { x, _ in logSigmoid(x[0]) },
    "softplus": { x, _ in softplus(x[0]) }, "sign": { x, _ in sign(x[0]) }, "floor": { x, _ in floor(x[0]) },
    "sin": { x, _ in sin(x[0]) }, "cos": { x, _ in cos(x[0]) },
    "bernoulliLogLikelihood": { x, _ in bernoulliLogLikelihood(x[0], logits: x[1]) },
  ]

  static let reductions: [String: Operation] = [
    "sum": { x, one in x[0].sum(axes: one.axes, keepingAxes: one.keeps) },
    "mean": { x, one in x[0].mean(axes: one.axes, keepingAxes: one.keeps) },
    "variance": { x, one in x[0].variance(axes: one.axes, keepingAxes: one.keeps) },
    "max": { x, one in x[0].max(axes: one.axes, keepingAxes: one.keeps) },
    "max of reals": { x, one in x[0].max(axes: one.axes, keepingAxes: one.keeps) },
    "min": { x, one in x[0].min(axes: one.axes, keepingAxes: one.keeps) },
    "product": { x, one in x[0].product(axes: one.axes, keepingAxes: one.keeps) },
    "product with zeros": { x, one in x[0].product(axes: one.axes, keepingAxes: one.keeps) },
    "logSumExp": { x, one in x[0].logSumExp(axes: one.axes, keepingAxes: one.keeps) },
    "long sum": { x, one in x[0].sum(axis: one["axis"]) }, "long mean": { x, one in x[0].mean(axis: one["axis"]) },
    "long variance": { x, one in x[0].variance(axes: [one["axis"]]) },
    "long max": { x, one in x[0].max(axis: one["axis"]) },
    "long logSumExp": { x, one in x[0].logSumExp(axis: one["axis"]) },
    "argmax": { x, one in values(x[0].argmax(axis: one["axis"])) },
    "argmin": { x, one in values(x[0].argmin(axis: one["axis"])) },
    "cumulativeSum": { x, one in x[0].cumulativeSum(axis: one["axis"]) },
    "sorted": { x, one in x[0].sorted(axis: one["axis"]).values },
  ]

  static let operations = {
    var all = [arithmetic, comparisons, elementary, reductions].reduce(into: [:]) { $0.merge($1) { one, _ in one } }
    for name in ["argmax", "argmin", "cumulativeSum", "sorted"] { all["few " + name] = all[name] }
    return all
  }()

  /// Sums of terms of both signs may cancel: their errors are measured against the largest value.
  ///
  /// So are those of sine and
  /// cosine, whose zeros are no floats, and of gradients, most of which are such sums or factors.
  static let cancelling: Set = [
    "sin", "cos", "sum", "mean", "logSumExp", "long sum", "long mean", "cumulativeSum", "few cumulativeSum",
    "bernoulliLogLikelihood",
  ]

  @Test(arguments: operations.keys.sorted())
  func `values agree with PyTorch's`(name: String) throws {
    let found = try #require(try Self.cases.get()[name])
    let operation = try #require(Self.operations[name])
    let isLong = name.hasPrefix("long")
    found.check(tolerance: isLong ? 1e-4 : 1e-5, scale: Self.cancelling.contains(name) ? 1 : 0) { one in
      if name.hasSuffix("sorted") {
        let (sorted, indices) = one.inputs[0].sorted(axis: one["axis"])
        return [sorted, values(indices)]
      }
      return [operation(one.inputs, one)]
    }
  }

  @Test(arguments: [false, true])
  func `gradients agree with PyTorch's`(recording: Bool) throws {
    let found = try Self.cases.get().filter { $0.key.hasSuffix(" gradient") }
    #expect(found.count == 51)
    for (name, cases) in found {
      let operation = try #require(Self.operations[String(name.dropLast(" gradient".count))])
      cases.check(scale: 1) { one in
        let variables = one.inputs.map { $0.asVariable() }
        let sum = square(operation(variables, one)).sum()
        // Recorded or not: rules have a fast form for the latter.
        let keeps = { backward(from: sum, to: variables, keepsGraph: true, operation: name) }
        let gradients = recording ? keeps() : withoutGradients(keeps)
        return zip(gradients, variables).map { $0 ?? .zeros($1.shape) }
      }
    }
  }
}

extension ReferenceCases.Case {
  fileprivate var axes: [Int]? { arguments["axes"].map { $0.map { Int($0) } } }
  fileprivate var keeps: Bool { self["keeping"] == 1 }
}

/// Indices as values to compare.
private func values(_ indices: IndexTensor) -> Tensor {
  Tensor(indices.scalars.map { Float($0) }, shape: indices.shape)
}
