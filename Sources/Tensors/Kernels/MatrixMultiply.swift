import COpenBLAS

/// A matrix in memory, as it is or read transposed.
struct MatrixView {
  let pointer: Pointer
  /// The distance between stored rows.
  let stride: Int
  var isTransposed = false

  /// The view from row (as read) `row`.
  func rows(from row: Int) -> MatrixView { moved(by: isTransposed ? row : row * stride) }

  /// The view from column (as read) `column`.
  func columns(from column: Int) -> MatrixView { moved(by: isTransposed ? column * stride : column) }

  func moved(by offset: Int) -> MatrixView {
    MatrixView(pointer: pointer + offset, stride: stride, isTransposed: isTransposed)
  }

  var transposed: MatrixView { MatrixView(pointer: pointer, stride: stride, isTransposed: !isTransposed) }
}

/// Matrices of one shape, each at its distance from the first.
struct MatrixBatch {
  let first: MatrixView
  let offsets: [Int]
}

/// The product of each pair of matrices, one after another in `c`.
func multiplyMatrices(_ a: MatrixBatch, _ b: MatrixBatch, into c: Pointer, rows: Int, columns: Int, depth: Int) {
  let (count, size) = (a.offsets.count, rows * columns)
  let factors = { (index: Int) in (a.first.moved(by: a.offsets[index]), b.first.moved(by: b.offsets[index])) }
  guard count >= 2 * Threads.count else {  // too few to give each thread the same
    for index in 0..<count {
      let (x, y) = factors(index)
      multiplyMatrices(x, y, into: c + index * size, rows: rows, columns: columns, depth: depth)
    }
    return
  }
  parallel(count, work: count * size * depth / 8) { range in
    for index in range {
      let (x, y) = factors(index)
      gemm(x, y, into: MatrixView(pointer: c + index * size, stride: columns), rows, columns, depth)
    }
  }
}

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, with a bias `[columns]` added to each row where there is one.
func multiplyMatrices(
  _ a: MatrixView, _ b: MatrixView, into c: Pointer, rows: Int, columns: Int, depth: Int, adding bias: Pointer? = nil
) {
  let c = MatrixView(pointer: c, stride: columns)
  func part(_ row: Int, _ column: Int, _ rows: Int, _ columns: Int) {
    let c = c.rows(from: row).columns(from: column)
    if let bias {
      for row in 0..<rows { c.rows(from: row).pointer.update(from: bias + column, count: columns) }
    }
    gemm(a.rows(from: row), b.columns(from: column), into: c, rows, columns, depth, accumulating: bias != nil)
  }
  let work = rows * columns * depth / 8  // a multiply-add costs far less than an element of memory
  if rows >= columns {
    parallel(rows, work: work, alignment: 16) { part($0.lowerBound, 0, $0.count, columns) }
  } else {
    parallel(columns, work: work, alignment: 16) { part(0, $0.lowerBound, rows, $0.count) }
  }
}

/// OpenBLAS on the calling thread alone; the threads are ours.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// One product on this thread, added to what `c` holds when `accumulating`.
func gemm(
  _ a: MatrixView, _ b: MatrixView, into c: MatrixView, _ rows: Int, _ columns: Int, _ depth: Int,
  accumulating: Bool = false
) {
  _ = singleThreadedBLAS
  cblas_sgemm(
    CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
    blasint(rows), blasint(columns), blasint(depth), 1, a.pointer, blasint(max(1, a.stride)),
    b.pointer, blasint(max(1, b.stride)), accumulating ? 1 : 0, c.pointer, blasint(max(1, c.stride)))
}
