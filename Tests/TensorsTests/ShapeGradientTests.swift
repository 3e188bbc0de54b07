import GradientChecking
import LinearAlgebra
import TestSupport
import Testing

@testable import Tensors

/// First- and second-order gradients of shape, index and matrix operations against central differences.
@Suite struct ShapeGradientTests {
  typealias Case = GradientTests.Case

  @Test(arguments: shaping + indexing + matrices)
  func `differentiation agrees with differences to the second order`(_ test: Case) {
    let report = gradientCheck(of: test.function, at: test.inputs)
    #expect(report.passes, "\(report)")
  }

  static let shaping: [Case] = {
    let x = normal([2, 3, 5], seed: 10)
    let y = normal([2, 3, 5], seed: 11)
    return [
      Case("stack", x, y) { exp(stack([$0[0], $0[1], $0[0]], axis: 1)) },
      Case("stack of scalars", Tensor(0.3), Tensor(0.4)) { square(stack($0, axis: 0)) },
      Case("split", x) { inputs in
        let parts = inputs[0].split(sizes: [2, 0, 3], axis: 2)
        return parts[0] * parts[2].sliced(1..<3, axis: -1)
      },
      Case("sliced several", x) { square($0[0].sliced([1..<2, 0..<3, 1..<4])) * $0[0].sliced([0..<1]).sum() },
      Case("replacing", x, normal([2, 2, 5], seed: 12)) { inputs in
        exp(inputs[0].replacing(1..<3, axis: 1, with: inputs[1] * inputs[1])) * inputs[0]
      },
      Case("replacing by itself", x) { square($0[0].replacing(0..<2, axis: 2, with: $0[0].sliced(3..<5, axis: 2))) },
      Case("replacing, broadcasting", x, normal([3, 1], seed: 13)) {
        square($0[0].replacing(2..<5, axis: 2, with: $0[1]))
      },
      Case("flipped", x) { exp($0[0].flipped(axis: 1)) * $0[0] + square($0[0].flipped(axis: -1)) },
      Case("rolled", x) { exp($0[0].rolled(by: 2, axis: 2)) * $0[0] + square($0[0].rolled(by: -7, axis: 1)) },
      Case("tiled", x) { square($0[0].tiled(times: 3, axis: 1)) },
      Case("tiled 0", x) { $0[0].tiled(times: 0, axis: 0) },
    ]
  }()

  static let indexing: [Case] = {
    let x = normal([3, 5], seed: 14)
    let last = IndexTensor([4, 4, 0, 1, 1, 1], shape: [3, 2])
    let first = IndexTensor([0, 2, 2, 1, 0], shape: [1, 5])
    let rows = IndexTensor([2, 0, 2, 2], shape: [2, 2])
    return [
      Case("gathered last", x) { exp($0[0].gathered(at: last, axis: 1)) },
      Case("gathered first", x) { square($0[0].gathered(at: first, axis: 0)) * $0[0] },
      Case("scatterAdded", x, normal([3, 2], seed: 15)) { exp($0[0].scatterAdded($0[1] * $0[1], at: last, axis: -1)) },
      Case("scatterAdded first", x, normal([1, 5], seed: 16)) { square($0[0].scatterAdded($0[1], at: first, axis: 0)) },
      Case("embedding", x) { exp(embedding($0[0], rows)) * embedding($0[0] * $0[0], rows) },
      Case("embedding of a vector", normal([3], seed: 17)) { square(embedding($0[0], rows)) },
    ]
  }()

  static let matrices: [Case] =
    [([1, 1], 1), ([3, 3], 2), ([2, 3, 3], 3), ([0, 0], 2)].flatMap { shape, k -> [Case] in
      let n = shape.last ?? 0
      let identity = Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, shape: [n, n])
      let a = normal(shape, seed: 18) * 0.4 + identity * 2
      let b = normal(shape.dropLast() + [k], seed: 19)
      let definite = { @Sendable (x: Tensor) in matmul(x, x, transposingSecond: true) + identity }
      let name = "\(shape) \(k)"
      return [
        Case("logDeterminant \(name)", a) { logDeterminant($0[0]).logMagnitude },
        Case("logDeterminant diamond \(name)", a) { logDeterminant(matmul($0[0], $0[0])).logMagnitude * $0[0].sum() },
        Case("solve \(name)", a, b) { solve($0[0], $0[1] * $0[1]) },
        Case("solve diamond \(name)", a) { solve($0[0], $0[0] * $0[0]) },
        Case("solveTriangular \(name)", a, b) { solveTriangular($0[0], square($0[1])) },
        Case("solveTriangular transposing \(name)", a, b) { solveTriangular($0[0], square($0[1]), transposing: true) },
        Case("inverse \(name)", a) { inverse($0[0]) },
        Case("inverse diamond \(name)", a) { matmul(inverse($0[0]), $0[0] * $0[0]) },
        Case("cholesky \(name)", definite(a)) { cholesky($0[0]) },
        Case("cholesky diamond \(name)", a) { square(cholesky(definite($0[0]))) * $0[0] },
      ]
    } + [
      Case(
        "solve a vector", normal([3, 3], seed: 20) * 0.4 + Tensor([[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
        normal([3], seed: 21)
      ) {
        solve($0[0], $0[1])
      },
      Case("solve with one matrix for a batch", Tensor([[2, 1], [0.5, 3]]), normal([3, 2, 2], seed: 22)) {
        solve($0[0], $0[1])
      },
    ]
}
