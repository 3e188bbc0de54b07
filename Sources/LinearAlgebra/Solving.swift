import Tensors

// All of these take one matrix or a batch of them, `[…, n, n]`, and compute in double precision through LAPACK.

/// The sign and the logarithm of the magnitude of each determinant: `[…, n, n] → […], […]`; a singular matrix has 0 and −∞.
///
/// The gradient, a⁻ᵀ, flows through the magnitude alone.
public func logDeterminant(_ a: Tensor) -> (sign: Tensor, logMagnitude: Tensor) {
  _ = a.checkedSquare(in: "logDeterminant")
  let leading = Array(a.shape.dropLast(2))
  let (sign, magnitude) = (Tensor.zeros(leading), Tensor.zeros(leading))
  _ = a.eachMatrix { number in
    var matrix = DoubleMatrix(a, number)
    let found = matrix.logDeterminant()
    (sign.storage.pointer[number], magnitude.storage.pointer[number]) = (found.sign, Float(found.logMagnitude))
    return nil
  }
  let result = magnitude.recorded(a) { upstream, inputs, _ in
    upstream.reshaped(to: leading + [1, 1]) * inverse(inputs[0]).transposed()
  }
  return (sign, result)
}

/// x in a·x = b: `[…, n, n]` and `[…, n, k]` give `[…, n, k]`, or `[…, n]` gives `[…, n]`; leading axes broadcast.
///
/// - Precondition: no matrix is singular.
public func solve(_ a: Tensor, _ b: Tensor) -> Tensor {
  if b.shape == a.shape.dropLast() { return solve(a, b.reshaped(to: b.shape + [1])).reshaped(to: b.shape) }
  let (a, b) = matched(a, b, in: "solve")
  return solution(a, b, in: "solve") { $0.solve(&$1) }.recorded(a, b) { upstream, inputs, output in
    -matmul(solve(inputs[0].transposed(), upstream), output, transposingSecond: true)
  } _: { upstream, inputs, _ in
    solve(inputs[0].transposed(), upstream)
  }
}

/// x in l·x = b, or in lᵀ·x = b when `transposing`, where l is the lower triangle of `lower`; shapes as for ``solve(_:_:)``.
///
/// - Precondition: no value on a diagonal is 0.
public func solveTriangular(_ lower: Tensor, _ b: Tensor, transposing: Bool = false) -> Tensor {
  if b.shape == lower.shape.dropLast() {
    return solveTriangular(lower, b.reshaped(to: b.shape + [1]), transposing: transposing).reshaped(to: b.shape)
  }
  let (lower, b) = matched(lower, b, in: "solveTriangular")
  let value = solution(lower, b, in: "solveTriangular") { $0.solveTriangle(&$1, transposing: transposing) }
  return value.recorded(lower, b) { upstream, inputs, output in
    let slope = solveTriangular(inputs[0], upstream, transposing: !transposing)
    let (rows, columns) = transposing ? (output, slope) : (slope, output)
    return -matmul(rows, columns, transposingSecond: true) * triangle(output.shape[output.rank - 2])
  } _: { upstream, inputs, _ in
    solveTriangular(inputs[0], upstream, transposing: !transposing)
  }
}

/// The inverse of each matrix.
///
/// - Precondition: no matrix is singular.
public func inverse(_ a: Tensor) -> Tensor {
  let identity = triangle(a.checkedSquare(in: "inverse"), below: 0).broadcast(to: a.shape)
  return solution(a, identity, in: "inverse") { $0.solve(&$1) }.recorded(a) { upstream, _, output in
    -matmul(matmul(output, upstream, transposingFirst: true), output, transposingSecond: true)
  }
}

/// The lower triangular L with positive diagonal in a = L·Lᵀ; of `a` the symmetric part, (a + aᵀ)/2, is taken.
///
/// The gradient is that of Murray 2016 (section 3.1, arXiv:1602.07527), by triangular systems.
///
/// - Precondition: each matrix is positive definite.
public func cholesky(_ a: Tensor) -> Tensor {
  let n = a.checkedSquare(in: "cholesky")
  let symmetric = a.symmetricPart
  let result = Tensor.zeros(a.shape)
  let failed = symmetric.eachMatrix { number in
    var matrix = DoubleMatrix(symmetric, number)
    defer { result.write(matrix, number) }
    return matrix.factorSymmetric()
  }
  if let failed {
    fail(
      "cholesky",
      "matrix \(failed.matrix) of shape \(a.shape) is not positive definite: pivot \(failed.pivot) (from 0) is not above 0; "
        + "add a small multiple of the identity")
  }
  return result.recorded(symmetric) { upstream, _, lower in
    let inner = matmul(lower, upstream, transposingFirst: true) * triangle(n, diagonal: 0.5)
    let half = solveTriangular(lower, inner, transposing: true).transposed()
    return solveTriangular(lower, half, transposing: true)
  }
}

/// Zeros above the diagonal: `[n, n]`.
private func triangle(_ n: Int, below: Float = 1, diagonal: Float = 1) -> Tensor {
  Tensor((0..<n * n).map { $0 % n < $0 / n ? below : $0 % n == $0 / n ? diagonal : 0 }, shape: [n, n])
}

/// The two with the same leading axes, after checking that they fit.
private func matched(_ a: Tensor, _ b: Tensor, in operation: String) -> (Tensor, Tensor) {
  guard b.rank >= 2, b.shape[b.rank - 2] == a.checkedSquare(in: operation) else {
    fail(operation, "the matrices of shape \(a.shape) and the right sides of shape \(b.shape) do not fit")
  }
  let leading = broadcastShape(a.shape.dropLast(2), b.shape.dropLast(2), in: operation)
  return (a.broadcast(to: leading + a.shape.suffix(2)), b.broadcast(to: leading + b.shape.suffix(2)))
}

/// The constant x in a·x = b, by a body that replaces the rows of bᵀ by those of xᵀ and returns a pivot that is zero.
private func solution(
  _ a: Tensor, _ b: Tensor, in operation: String, _ body: (inout DoubleMatrix, inout DoubleMatrix) -> Int?
) -> Tensor {
  let result = b.detached().transposed()
  let singular = a.eachMatrix { number in
    var (matrix, x) = (DoubleMatrix(a, number), DoubleMatrix(result, number))
    defer { result.write(x, number) }
    return body(&matrix, &x)
  }
  guard let singular else { return result.transposed() }
  fail(
    operation,
    "matrix \(singular.matrix) of shape \(a.shape) is singular: pivot \(singular.pivot) (from 0) is 0, so its rows "
      + "depend on each other; add a small multiple of the identity, or look at how it was made")
}
