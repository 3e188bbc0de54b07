import COpenBLAS
import Foundation
import Tensors

/// OpenBLAS on the calling thread alone; the threads are ours.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// A matrix in double precision: the digits of the input are the only limit to those of the result.
///
/// LAPACK keeps matrices column after column, so what it sees in these rows is the transpose; each function allows for that.
struct DoubleMatrix {
  let rows: Int
  let columns: Int
  var values: [Double]

  init(rows: Int, columns: Int, _ values: [Double]? = nil) {
    _ = singleThreadedBLAS
    (self.rows, self.columns) = (rows, columns)
    self.values = values ?? Array(repeating: 0, count: max(1, rows * columns))  // LAPACK wants an address
  }

  /// Matrix `number` of a batch, `[…, rows, columns]`.
  init(_ batch: Tensor, _ number: Int) {
    self.init(rows: batch.shape[batch.rank - 2], columns: batch.shape[batch.rank - 1])
    let source = batch.storage.pointer + number * rows * columns
    for place in 0..<rows * columns { values[place] = Double(source[place]) }
  }

  subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

  private var stride: blasint { blasint(max(1, columns)) }

  /// Replaces the rows of the transpose aᵀ by those of Uᵀ and Lᵀ, where a = P·L·U; returns the exchanges of rows of a.
  mutating func factorTransposed() -> [blasint] {
    var (n, lda, info) = (blasint(rows), stride, blasint(0))
    var (m, exchanges) = (n, [blasint](repeating: 0, count: max(1, rows)))
    dgetrf_(&m, &n, &values, &lda, &exchanges, &info)
    return exchanges
  }

  /// After factoring: the first pivot that is no larger than its own rounding error, (k + 1)·2⁻⁵²·(|L|·|U|)ₖₖ.
  private var vanishingPivot: Int? {
    (0..<rows).first { k in
      let size = (0..<k).reduce(abs(self[k, k])) { $0 + abs(self[k, $1] * self[$1, k]) }
      return abs(self[k, k]) <= Double(k + 1) * 0x1p-52 * size
    }
  }

  /// The sign of the determinant and ln |determinant|, 0 and −∞ for a singular matrix, which is factored.
  mutating func logDeterminant() -> (sign: Float, logMagnitude: Double) {
    let exchanges = factorTransposed()
    guard vanishingPivot == nil else { return (0, -.infinity) }
    return (0..<rows).reduce((1, 0)) { result, k in
      let isNegative = (self[k, k] < 0) != (exchanges[k] != k + 1)
      return (isNegative ? -result.0 : result.0, result.1 + log(abs(self[k, k])))
    }
  }

  /// Factors the matrix and replaces the rows of bᵀ by those of xᵀ, where a·x = b; returns a pivot that is zero.
  mutating func solve(_ b: inout DoubleMatrix) -> Int? {
    let exchanges = factorTransposed()
    var (n, count, lda, ldb, info) = (blasint(rows), blasint(b.rows), stride, b.stride, blasint(0))
    dgetrs_("T", &n, &count, values, &lda, exchanges, &b.values, &ldb, &info, 1)
    return vanishingPivot
  }

  /// Replaces the rows of bᵀ by those of xᵀ, where l·x = b or lᵀ·x = b, for the lower triangle l; returns a pivot that is zero.
  func solveTriangle(_ b: inout DoubleMatrix, transposing: Bool) -> Int? {
    cblas_dtrsm(
      CblasRowMajor, CblasRight, CblasLower, transposing ? CblasNoTrans : CblasTrans, CblasNonUnit, blasint(b.rows),
      blasint(rows), 1, values, stride, &b.values, b.stride)
    return (0..<rows).first { self[$0, $0] == 0 }
  }

  /// Replaces a symmetric matrix by L, where a = L·Lᵀ; returns a pivot that is not positive.
  mutating func factorSymmetric() -> Int? {
    var (n, lda, info) = (blasint(rows), stride, blasint(0))
    dpotrf_("U", &n, &values, &lda, &info, 1)
    for row in 0..<rows { for column in row + 1..<max(row + 1, columns) { values[row * columns + column] = 0 } }
    return info == 0 ? nil : Int(info) - 1
  }

  /// The thin decomposition, left·diag(values)·right; nil when the iteration does not converge.
  mutating func singularValues() -> (left: DoubleMatrix, values: DoubleMatrix, right: DoubleMatrix)? {
    let count = min(rows, columns)
    var (left, right) = (DoubleMatrix(rows: rows, columns: count), DoubleMatrix(rows: count, columns: columns))
    var found = DoubleMatrix(rows: 1, columns: count)
    var (m, n, ldu, ldv, info) = (blasint(columns), blasint(rows), stride, left.stride, blasint(0))
    var (lda, room) = (ldu, blasint(4 * count * count + 6 * count + max(1, rows, columns)))
    var (work, integers) = ([Double](repeating: 0, count: Int(room)), [blasint](repeating: 0, count: 8 * count + 1))
    dgesdd_(
      "S", &m, &n, &values, &lda, &found.values, &right.values, &ldu, &left.values, &ldv, &work, &room, &integers,
      &info,
      1)
    return info == 0 ? (left, found, right) : nil
  }

  /// Replaces a symmetric matrix by its eigenvectors in rows; returns the ascending eigenvalues, nil when the iteration does not converge.
  mutating func eigenvalues() -> DoubleMatrix? {
    var found = DoubleMatrix(rows: 1, columns: rows)
    var (n, lda, info) = (blasint(rows), stride, blasint(0))
    var (room, integerRoom) = (blasint(1 + 6 * rows + 2 * rows * rows), blasint(3 + 5 * rows))
    var (work, integers) = ([Double](repeating: 0, count: Int(room)), [blasint](repeating: 0, count: Int(integerRoom)))
    dsyevd_("V", "L", &n, &values, &lda, &found.values, &work, &room, &integers, &integerRoom, &info, 1, 1)
    return info == 0 ? found : nil
  }
}

extension Tensor {
  /// Writes matrix `number` of a batch that is being filled.
  func write(_ matrix: DoubleMatrix, _ number: Int) {
    let size = matrix.rows * matrix.columns
    for place in 0..<size { storage.pointer[number * size + place] = Float(matrix.values[place]) }
  }

  /// Calls `body` for the number of each matrix of a batch; returns the first for which it returns a pivot, with that.
  func eachMatrix(_ body: (Int) -> Int?) -> (matrix: Int, pivot: Int)? {
    var pivots = [Int?](repeating: nil, count: shape.dropLast(2).reduce(1, *))
    pivots.withUnsafeMutableBufferPointer { pivots in
      // Stopping the program is left to the calling thread, whose stack knows the line.
      parallel(pivots.count, work: count * Swift.min(shape[rank - 1], shape[rank - 2])) { part in
        for number in part { pivots[number] = body(number) }
      }
    }
    return pivots.indices.lazy.compactMap { number in pivots[number].map { (number, $0) } }.first
  }
}
