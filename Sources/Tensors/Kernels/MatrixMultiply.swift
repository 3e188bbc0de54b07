import COpenBLAS

/// A matrix in memory, as it is or read transposed.
struct MatrixView {
  let pointer: Pointer
  /// The distance between stored rows.
  let stride: Int
  let isTransposed: Bool

  /// The view from row (as read) `row`.
  func rows(from row: Int) -> MatrixView {
    MatrixView(pointer: pointer + (isTransposed ? row : row * stride), stride: stride, isTransposed: isTransposed)
  }

  /// The view from column (as read) `column`.
  func columns(from column: Int) -> MatrixView {
    MatrixView(pointer: pointer + (isTransposed ? column * stride : column), stride: stride, isTransposed: isTransposed)
  }
}

/// OpenBLAS on the calling thread alone; the threads are ours.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, added to what `c` holds when `accumulating`.
func multiplyMatrices(
  _ a: MatrixView, _ b: MatrixView, into c: Pointer, rows: Int, columns: Int, depth: Int, accumulating: Bool = false
) {
  _ = singleThreadedBLAS
  let work = rows * columns * depth / 8  // a multiply-add costs far less than an element of memory
  if rows >= columns {
    parallel(rows, work: work, alignment: 16) { part in
      gemm(
        a.rows(from: part.lowerBound), b, c + part.lowerBound * columns, part.count, columns, depth, columns,
        accumulating)
    }
  } else {
    parallel(columns, work: work, alignment: 16) { part in
      gemm(
        a, b.columns(from: part.lowerBound), c + part.lowerBound, rows, part.count, depth, columns, accumulating)
    }
  }
}

private func gemm(
  _ a: MatrixView, _ b: MatrixView, _ c: Pointer, _ rows: Int, _ columns: Int, _ depth: Int, _ stride: Int,
  _ accumulating: Bool
) {
  cblas_sgemm(
    CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
    blasint(rows), blasint(columns), blasint(depth), 1, a.pointer, blasint(max(1, a.stride)),
    b.pointer, blasint(max(1, b.stride)), accumulating ? 1 : 0, c, blasint(max(1, stride)))
}
