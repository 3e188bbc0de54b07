import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Tensors

@Suite struct LinearAlgebraTests {
  let a = Tensor([[2, 1], [4, 5]])

  @Test func `two by two by hand`() {
    let (sign, magnitude) = logDeterminant(a)
    expect(sign, shape: [], [1])
    expect(magnitude, shape: [], [Foundation.log(6)], tolerance: 1e-6)
    expect(inverse(a), shape: [2, 2], [5.0 / 6, -1.0 / 6, -2.0 / 3, 1.0 / 3], tolerance: 1e-6)
    expect(solve(a, Tensor([[4, 1], [14, 5]])), shape: [2, 2], [1, 0, 2, 1], tolerance: 1e-6)
    expect(solve(a, Tensor([4, 14])), shape: [2], [1, 2], tolerance: 1e-6)
    expect(solveTriangular(a, Tensor([4, 13])), shape: [2], [2, 1], tolerance: 1e-6)
    expect(solveTriangular(a, Tensor([8, 10]), transposing: true), shape: [2], [0, 2], tolerance: 1e-6)
    expect(cholesky(Tensor([[4, 6], [6, 25]])), shape: [2, 2], [2, 0, 3, 4], tolerance: 1e-6)
    expect(cholesky(Tensor([[4, 2], [10, 25]])), shape: [2, 2], [2, 0, 3, 4], tolerance: 1e-6)
    let (permutation, lower, upper) = luDecomposition(a)
    expect(permutation, shape: [2, 2], [0, 1, 1, 0])
    expect(lower, shape: [2, 2], [1, 0, 0.5, 1])
    expect(upper, shape: [2, 2], [4, 5, 0, -1.5])
    let (values, vectors) = symmetricEigenvectors(Tensor([[2, 1], [1, 2]]))
    expect(values, shape: [2], [1, 3], tolerance: 1e-6)
    expect(abs(vectors), shape: [2, 2], [Float](repeating: Float(0.5).squareRoot(), count: 4), tolerance: 1e-6)
    #expect(vectors.scalars[0] * vectors.scalars[2] < 0 && vectors.scalars[1] * vectors.scalars[3] > 0)
    expect(symmetricEigenvalues(Tensor([[2, 0], [2, 2]])), shape: [2], [1, 3], tolerance: 1e-6)
    let (left, singular, right) = singularValueDecomposition(Tensor([[3, 0, 0], [0, 0, -2]]))
    expect(singular, shape: [2], [3, 2], tolerance: 1e-6)
    expect(matmul(left * singular, right), shape: [2, 3], [3, 0, 0, 0, 0, -2], tolerance: 1e-6)
  }

  @Test func `the sign of a determinant`() {
    #expect(logDeterminant(Tensor([[0, 1], [1, 0]])).sign.scalar == -1)
    #expect(logDeterminant(Tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0]])).sign.scalar == 1)
    #expect(logDeterminant(Tensor([[-3]])).sign.scalar == -1)
    expect(logDeterminant(Tensor.zeros([0, 0])).sign, shape: [], [1])
    expect(logDeterminant(Tensor.zeros([2, 0, 0])).logMagnitude, shape: [2], [0, 0])
  }

  @Test func `singular matrices have sign 0, small ones do not`() {
    // The last pivot of the last one is not 0 as computed, but its rounding error.
    let almost = Tensor([[-38, -54, -18], [-24, -12, -32], [-22, 9, -48]])
    for singular in [Tensor([[0]]), Tensor([[1, 2], [2, 4]]), Tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), almost] {
      let (sign, magnitude) = logDeterminant(singular)
      #expect(sign.scalar == 0 && magnitude.scalar == -.infinity)
    }
    let small = logDeterminant(Tensor([[1, 0], [0, 1e-30]]))
    #expect(small.sign.scalar == 1)
    expect(small.logMagnitude, [-30 * Foundation.log(10)], tolerance: 1e-6)
    let graded = logDeterminant(Tensor([[1, 0], [1e10, 1e-10]]))
    #expect(graded.sign.scalar == 1)
    expect(graded.logMagnitude, [-10 * Foundation.log(10)], tolerance: 1e-6)
  }

  @Test(arguments: [1, 2, 5, 17, 33]) func `decompositions give the matrix back`(n: Int) {
    let a = normal([3, 2, n, n], seed: UInt64(100 + n))
    let (permutation, lower, upper) = luDecomposition(a)
    expect(matmul(matmul(permutation, lower), upper), shape: a.shape, a.scalars, tolerance: 1e-5)
    let (left, singular, right) = singularValueDecomposition(a)
    expect(matmul(left * singular.reshaped(to: [3, 2, 1, n]), right), shape: a.shape, a.scalars, tolerance: 1e-5)
    let symmetric = a + a.transposed()
    let (values, vectors) = symmetricEigenvectors(symmetric)
    let product = matmul(vectors * values.reshaped(to: [3, 2, 1, n]), vectors, transposingSecond: true)
    expect(product, shape: a.shape, symmetric.scalars, tolerance: 3e-5)
    let identity = Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, shape: [n, n])
    let positive = matmul(a, a, transposingSecond: true) + identity
    let factor = cholesky(positive)
    expect(matmul(factor, factor, transposingSecond: true), shape: a.shape, positive.scalars, tolerance: 1e-5)
    let b = normal([2, n, 3], seed: 99)
    let shifted = a + identity * Float(n)
    expect(
      matmul(shifted, solve(shifted, b)), shape: [3, 2, n, 3], b.broadcast(to: [3, 2, n, 3]).scalars, tolerance: 1e-5)
    expect(matmul(shifted, inverse(shifted)), identity.broadcast(to: a.shape).scalars, tolerance: 1e-5)
  }

  @Test func `several threads at once give the same bits`() async {
    let a = normal([40, 12, 12], seed: 120)
    let run = { @Sendable (threads: Int) -> [[UInt32]] in
      Threads.with(threads) {
        let (left, values, right) = singularValueDecomposition(a)
        let (_, vectors) = symmetricEigenvectors(a)
        return [logDeterminant(a).logMagnitude, inverse(a), left, values, right, vectors, luDecomposition(a).upper].map(
          bits)
      }
    }
    let expected = run(1)
    await withTaskGroup { group in
      for task in 0..<8 { group.addTask { run(1 + task % 3) } }
      for await found in group { #expect(found == expected) }
    }
  }
}
