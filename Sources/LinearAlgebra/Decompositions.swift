import Tensors

// All of these take one matrix or a batch of them and compute in double precision through LAPACK; no gradient flows.

/// a = permutation·lower·upper, each `[…, n, n]`; `torch.linalg.lu` in PyTorch.
public func luDecomposition(_ a: Tensor) -> (permutation: Tensor, lower: Tensor, upper: Tensor) {
  let n = a.checkedSquare(in: "luDecomposition")
  let (permutation, lower, upper) = (Tensor.zeros(a.shape), Tensor.zeros(a.shape), Tensor.zeros(a.shape))
  let transpose = a.detached().transposed()
  _ = a.eachMatrix { number in
    var matrix = DoubleMatrix(transpose, number)
    var order = Array(0..<n)
    for (row, other) in matrix.factorTransposed().prefix(n).enumerated() { order.swapAt(row, Int(other) - 1) }
    for row in 0..<n {
      let start = (number * n + row) * n
      for column in 0..<n {
        (column < row ? lower : upper).storage.pointer[start + column] = Float(matrix[column, row])
      }
      lower.storage.pointer[start + row] = 1
      permutation.storage.pointer[(number * n + order[row]) * n + row] = 1
    }
    return nil
  }
  return (permutation, lower, upper)
}

/// a = left·diag(values)·right: `[…, m, n]` gives `[…, m, k]`, descending `[…, k]` and `[…, k, n]`, k being the smaller of m and n.
///
/// The columns of left and the rows of right are orthonormal; a pair of them is determined up to its sign. `torch.linalg.svd` in PyTorch.
public func singularValueDecomposition(_ a: Tensor) -> (left: Tensor, values: Tensor, right: Tensor) {
  let leading = Array(a.shape.dropLast(2))
  guard a.rank >= 2, case (let m, let n) = (a.shape[a.rank - 2], a.shape[a.rank - 1]) else {
    fail("singularValueDecomposition", "needs matrices, […, m, n], not shape \(a.shape)")
  }
  let (left, values) = (Tensor.zeros(leading + [m, min(m, n)]), Tensor.zeros(leading + [min(m, n)]))
  let right = Tensor.zeros(leading + [min(m, n), n])
  a.decomposed(in: "singularValueDecomposition") { matrix, number in
    guard let found = matrix.singularValues() else { return false }
    left.write(found.left, number)
    values.write(found.values, number)
    right.write(found.right, number)
    return true
  }
  return (left, values, right)
}

/// The ascending eigenvalues of symmetric matrices, `[…, n, n] → […, n]`; of `a` the symmetric part, (a + aᵀ)/2, is taken.
public func symmetricEigenvalues(_ a: Tensor) -> Tensor { symmetricEigenvectors(a).values }

/// The ascending eigenvalues of symmetric matrices and, in columns, their orthonormal eigenvectors: `[…, n, n] → […, n], […, n, n]`.
///
/// A column is determined up to its sign; of `a` the symmetric part, (a + aᵀ)/2, is taken.
public func symmetricEigenvectors(_ a: Tensor) -> (values: Tensor, vectors: Tensor) {
  _ = a.checkedSquare(in: "symmetricEigenvectors")
  let (values, vectors) = (Tensor.zeros(Array(a.shape.dropLast())), Tensor.zeros(a.shape))
  a.detached().symmetricPart.decomposed(in: "symmetricEigenvectors") { matrix, number in
    guard let found = matrix.eigenvalues() else { return false }
    values.write(found, number)
    vectors.write(matrix, number)
    return true
  }
  return (values, vectors.transposed())
}

extension Tensor {
  /// The extent n of the square matrices `[…, n, n]`.
  func checkedSquare(in operation: String) -> Int {
    guard rank >= 2, shape[rank - 1] == shape[rank - 2] else {
      fail(operation, "needs square matrices, […, n, n], not shape \(shape)")
    }
    return shape[rank - 1]
  }

  /// (a + aᵀ)/2 for each matrix.
  var symmetricPart: Tensor { (self + transposed()) * 0.5 }

  /// Calls `body` for each matrix, and stops the program where it does not converge or a value is not finite.
  fileprivate func decomposed(in operation: String, _ body: (inout DoubleMatrix, Int) -> Bool) {
    if let odd = scalars.firstIndex(where: { !$0.isFinite }) {
      fail(operation, "the value \(scalars[odd]) at \(multiIndex(odd, in: shape)) of shape \(shape) is not finite")
    }
    let failed = eachMatrix { number in
      var matrix = DoubleMatrix(self, number)
      return body(&matrix, number) ? nil : 0
    }
    if let failed { fail(operation, "matrix \(failed.matrix) of shape \(shape) does not converge") }
  }
}
