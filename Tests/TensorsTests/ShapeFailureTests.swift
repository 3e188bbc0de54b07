import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Tensors

/// Mistakes in shapes, indices and matrices.
@Suite struct ShapeFailureTests {
  static let a = Tensor.zeros([2, 3])
  static let square = Tensor([[1, 2], [2, 4]])
  static let mistakes: [Mistake] = [
    Mistake("stack", "[2, 3]", "[3]", "differ") { _ = stack([a, .zeros([3])], axis: 0) },
    Mistake("stack", "axis 4") { _ = stack([a], axis: 4) },
    Mistake("split", "[1, 1]", "axis 1", "[2, 3]") { _ = a.split(sizes: [1, 1], axis: 1) },
    Mistake("sliced", "0..<4", "axis 1", "[2, 3]") { _ = a.sliced([0..<1, 0..<4]) },
    Mistake("replacing", "[4]", "[2, 2]") { _ = a.replacing(0..<2, axis: 1, with: .zeros([4])) },
    Mistake("rolled", "axis -3", "[2, 3]") { _ = a.rolled(by: 1, axis: -3) },
    Mistake("tiled", "-1 times") { _ = a.tiled(times: -1, axis: 0) },
    Mistake("reshaped", "[-1, -1]", "[2, 3]") { _ = a.reshaped(to: [-1, -1]) },
    Mistake("padded", "-1") { _ = a.padded(before: -1, after: 0, axis: 0) },
    Mistake("gathered", "index 3", "[1, 0]", "0..<3", "axis 1", "[2, 3]", line: #line + 1) {
      _ = a.gathered(at: IndexTensor([2, 3], shape: [2, 1]), axis: 1)
    },
    Mistake("gathered", "[3, 1]", "[2, 3]", "axis 1", line: #line + 1) {
      _ = a.gathered(at: IndexTensor([0, 0, 0], shape: [3, 1]), axis: 1)
    },
    Mistake("scatterAdded", "[2]", "[2, 1]", line: #line + 1) {
      _ = a.scatterAdded(.zeros([2]), at: IndexTensor([0, 0], shape: [2, 1]), axis: 1)
    },
    Mistake("embedding", "index -1", "[0, 1]", "0..<2") { _ = embedding(a, IndexTensor([0, -1], shape: [1, 2])) },
    Mistake("oneHot", "index 5", "[1]", "0..<5") { _ = oneHot(IndexTensor([0, 5]), classes: 5) },
    Mistake("IndexTensor", "0.5", "[1]") { _ = IndexTensor(Tensor([1, 0.5])) },
    Mistake("IndexTensor", "[3]", "[2]") { _ = IndexTensor([1, 2])[3] },
    Mistake("inverse", "[2, 2]", "singular", "pivot 1", "identity") { _ = inverse(square) },
    Mistake("solve", "matrix 1", "[2, 2, 2]", "singular", "pivot 1", line: #line + 1) {
      _ = solve(stack([Tensor([[1, 0], [0, 1]]), square], axis: 0), Tensor.zeros([2, 1]))
    },
    Mistake("solve", "[2, 2]", "[3, 1]") { _ = solve(square, Tensor.zeros([3, 1])) },
    Mistake("solveTriangular", "singular", "pivot 0", line: #line + 1) {
      _ = solveTriangular(Tensor([[0, 1], [1, 1]]), Tensor([1, 2]))
    },
    Mistake("cholesky", "not positive definite", "pivot 1", "[2, 2]") { _ = cholesky(Tensor([[1, 2], [2, 1]])) },
    Mistake("luDecomposition", "[2, 3]", "square") { _ = luDecomposition(a) },
    Mistake("gathered(rows:)", "index 2", "0..<2") { _ = IndexTensor([5, 6]).gathered(rows: IndexTensor([1, 2])) },
    Mistake("logDeterminant", "[2, 3]", "square") { _ = logDeterminant(a) },
    Mistake("singularValueDecomposition", "nan", "[0, 1]") { _ = singularValueDecomposition(Tensor([[1, .nan]])) },
  ]

  @Test(arguments: mistakes.indices)
  func `a mistake names operation, shapes, file and line`(index: Int) async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) { [index] in
      ShapeFailureTests.mistakes[index].body()
    }
    let mistake = Self.mistakes[index]
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.hasPrefix("error: \(mistake.testDescription): "), "\(message)")
    for part in mistake.parts + ["/ShapeFailureTests.swift:\(mistake.line)"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(message.split(separator: "\n").count == 1, "\(message)")
  }
}
