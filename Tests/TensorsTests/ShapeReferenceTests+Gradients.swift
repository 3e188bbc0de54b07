import LinearAlgebra
import TestSupport
import Testing

@testable import Tensors

extension ShapeReferenceTests {
  // The gradients of Σ y², projected on directions that the script drew as inputs too.
  static let matrixGradients = [
    Operation("logDeterminant gradient", scale: 1) { projections($0) { logDeterminant($0[0]).logMagnitude } },
    Operation("inverse gradient", scale: 1) { projections($0) { inverse($0[0]) } },
    Operation("cholesky gradient", scale: 1) { one in
      let n = one.inputs[0].shape.last ?? 0
      let identity = Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, shape: [n, n])
      return projections(one) { cholesky($0[0] + identity * Float(2 * n + 1)) }
    },
    Operation("solve gradient", scale: 1) { projections($0) { solve($0[0], $0[1]) } },
    Operation("solveTriangular gradient", scale: 1) { one in
      projections(one) { solveTriangular($0[0], $0[1], transposing: one["transposing"] == 1) }
    },
  ]

  /// Σ g·d and Σ |g·d| for the gradient g with respect to each input and its direction d.
  private static func projections(_ one: ReferenceCases.Case, _ function: ([Tensor]) -> Tensor) -> [Tensor] {
    let count = one.inputs.count / 2
    let variables = one.inputs[..<count].map { $0.asVariable() }
    let found = gradients(of: square(function(variables)).sum(), withRespectTo: variables)
    return zip(found, one.inputs[count...]).map { gradient, direction in
      let products = (gradient * direction).scalars.map { Double($0) }
      return Tensor([Float(products.reduce(0, +)), Float(products.reduce(0) { $0 + $1.magnitude })])
    }
  }

  /// The inputs of an operation that are numbers and not indices.
  private static func numbers(of operation: String, count: Int) -> [Int] {
    switch operation {
    case "gathered", "embedding": [0]
    case "scatterAdded": [0, 2]
    default: Array(0..<count)
    }
  }

  // These operations are linear: y(x)·w = x·∇(y·w) for any w, and their values are PyTorch's.
  @Test(arguments: [false, true])
  func `gradients of shaping and indexing are the adjoints of their values`(recording: Bool) throws {
    let suite = try ReferenceCases.read("shapes")
    for operation in Self.shaping + Self.indexing where operation.testDescription != "oneHot" {
      let name = operation.testDescription
      try #require(suite[name]).check(scale: operation.scale) { one in
        let places = Self.numbers(of: name, count: one.inputs.count)
        var inputs = one.inputs
        for place in places { inputs[place] = inputs[place].asVariable() }
        let variable = ReferenceCases.Case(operation: name, inputs: inputs, arguments: one.arguments, expected: [])
        let found = operation.body(variable)
        let weights = found.enumerated().map { normal($1.shape, seed: UInt64($0)) }
        let loss = zip(found, weights).reduce(Tensor(0)) { $0 + ($1.0 * $1.1).sum() }
        let variables = places.map { inputs[$0] }
        let run = { backward(from: loss, to: variables, keepsGraph: true, operation: name) }
        let gradients = recording ? run() : withoutGradients(run)
        let ahead = dot(found, weights)
        let back = dot(variables, zip(gradients, variables).map { $0 ?? .zeros($1.shape) })
        #expect((ahead.sum - back.sum).magnitude <= 1e-5 * max(ahead.size, back.size), "\(one): \(ahead) \(back)")
        return found
      }
    }
  }
}

/// Σ a·b and Σ |a·b| over pairs of tensors.
private func dot(_ a: [Tensor], _ b: [Tensor]) -> (sum: Double, size: Double) {
  var (sum, size) = (0.0, 0.0)
  for (a, b) in zip(a, b) {
    #expect(a.shape == b.shape)
    for (x, y) in zip(a.scalars, b.scalars) {
      sum += Double(x) * Double(y)
      size += (Double(x) * Double(y)).magnitude
    }
  }
  return (sum, size)
}
