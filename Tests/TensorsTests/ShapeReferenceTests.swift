import LinearAlgebra
import TestSupport
import Testing

@testable import Tensors

/// Shapes, indices and matrices against PyTorch's values on random cases, which `Tests/Reference/shapes.py` makes.
@Suite struct ShapeReferenceTests {
  struct Operation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let scale: Float
    let body: @Sendable (ReferenceCases.Case) -> [Tensor]

    init(_ name: String, scale: Float = 0, _ body: @escaping @Sendable (ReferenceCases.Case) -> [Tensor]) {
      testDescription = name
      self.scale = scale
      self.body = body
    }
  }

  @Test func `random cases agree with PyTorch`() throws {
    var suite = try ReferenceCases.read("shapes")
    for operation in Self.shaping + Self.indexing + Self.matrices + Self.matrixGradients {
      let found = suite.removeValue(forKey: operation.testDescription)
      let cases = try #require(found, "\(operation.testDescription)")
      cases.check(tolerance: 1e-5, scale: operation.scale, operation.body)
    }
    #expect(suite.isEmpty, "not tested: \(suite.keys)")
  }

  static func range(_ case: ReferenceCases.Case, _ name: String = "range") -> Range<Int> {
    let bounds = `case`.list(name)
    return bounds[0]..<bounds[1]
  }

  static let shaping = [
    Operation("reshaped") { [$0.inputs[0].reshaped(to: $0.list("shape"))] },
    Operation("broadcast") { [$0.inputs[0].broadcast(to: $0.list("shape"))] },
    Operation("permuted") { [$0.inputs[0].permuted($0.list("order"))] },
    Operation("transposed") { [$0.inputs[0].transposed()] },
    Operation("sliced") { [$0.inputs[0].sliced(range($0), axis: $0["axis"])] },
    Operation("sliced several") { one in [one.inputs[0].sliced((0..<one["count"]).map { range(one, "range\($0)") })] },
    Operation("padded") { [$0.inputs[0].padded(before: $0["before"], after: $0["after"], axis: $0["axis"])] },
    Operation("concatenate") { [concatenate($0.inputs, axis: $0["axis"])] },
    Operation("stack") { [stack($0.inputs, axis: $0["axis"])] },
    Operation("split") { $0.inputs[0].split(sizes: $0.list("sizes"), axis: $0["axis"]) },
    Operation("replacing") { [$0.inputs[0].replacing(range($0), axis: $0["axis"], with: $0.inputs[1])] },
    Operation("flipped") { [$0.inputs[0].flipped(axis: $0["axis"])] },
    Operation("rolled") { [$0.inputs[0].rolled(by: $0["places"], axis: $0["axis"])] },
    Operation("tiled") { [$0.inputs[0].tiled(times: $0["times"], axis: $0["axis"])] },
    Operation("repeated") { [$0.inputs[0].repeated($0["times"], axis: $0["axis"])] },
  ]

  /// An input of whole numbers as indices below `limit`.
  static func indices(_ case: ReferenceCases.Case, _ input: Int, below limit: Int) -> IndexTensor {
    let drawn = `case`.indices(input)
    return IndexTensor(drawn.scalars.map { $0 % Int32(limit) }, shape: drawn.shape)
  }

  static func pointers(_ case: ReferenceCases.Case) -> IndexTensor {
    let (shape, axis) = (`case`.inputs[0].shape, `case`["axis"])
    return indices(`case`, 1, below: shape[axis < 0 ? axis + shape.count : axis])
  }

  static let indexing = [
    Operation("gathered") { [$0.inputs[0].gathered(at: pointers($0), axis: $0["axis"])] },
    Operation("scatterAdded", scale: 0.1) {
      [$0.inputs[0].scatterAdded($0.inputs[2], at: pointers($0), axis: $0["axis"])]
    },
    Operation("embedding") { [embedding($0.inputs[0], indices($0, 1, below: $0.inputs[0].shape[0]))] },
    Operation("oneHot") { [oneHot(indices($0, 0, below: $0["classes"]), classes: $0["classes"])] },
  ]

  static let matrices = [
    Operation("logDeterminant") { one in
      let (sign, magnitude) = logDeterminant(one.inputs[0])
      return [sign, magnitude]
    },
    Operation("inverse") { [inverse($0.inputs[0])] },
    Operation("solve") { [solve($0.inputs[0], $0.inputs[1])] },
    Operation("solveTriangular") {
      [solveTriangular($0.inputs[0], $0.inputs[1], transposing: $0["transposing"] == 1)]
    },
    Operation("cholesky", scale: 0.1) { one in
      let n = one.inputs[0].shape.last ?? 0
      let identity = Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, shape: [n, n])
      return [cholesky(one.inputs[0] + identity * Float(2 * n + 1))]
    },
    Operation("luDecomposition") { one in
      let (permutation, lower, upper) = luDecomposition(one.inputs[0])
      return [permutation, lower, upper]
    },
    Operation("singularValueDecomposition", scale: 1) { one in
      let (left, values, right) = singularValueDecomposition(one.inputs[0])
      return [
        values, matmul(left * values.reshaped(to: values.shape.dropLast() + [1] + values.shape.suffix(1)), right),
      ]
    },
    Operation("symmetricEigenvectors", scale: 1) { one in
      let (values, vectors) = symmetricEigenvectors(one.inputs[0])
      let scaled = vectors * values.reshaped(to: values.shape.dropLast() + [1] + values.shape.suffix(1))
      return [values, matmul(scaled, vectors, transposingSecond: true)]
    },
  ]
}
