import COpenBLAS

/// A matrix in memory, as it is or read transposed.
struct MatrixView {
  let pointer: Pointer
  /// The distance between stored rows.
  let stride: Int
  let isTransposed: Bool

  /// The view from row (as read) `row`.
  func rows(from row: Int) -> MatrixView { moved(by: isTransposed ? row : row * stride) }

  /// The view from column (as read) `column`.
  func columns(from column: Int) -> MatrixView { moved(by: isTransposed ? column * stride : column) }

  func moved(by offset: Int) -> MatrixView {
    MatrixView(pointer: pointer + offset, stride: stride, isTransposed: isTransposed)
  }
}

/// Matrices of one shape, each at its distance from the first.
struct MatrixBatch {
  let first: MatrixView
  let offsets: [Int]
}

/// OpenBLAS on the calling thread alone; the threads are ours.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// The product of each pair of matrices, one after another in `c`.
func multiplyMatrices(_ a: MatrixBatch, _ b: MatrixBatch, into c: Pointer, rows: Int, columns: Int, depth: Int) {
  let count = a.offsets.count
  // A batch is divided among the threads, unless it is too small to give each the same.
  let divides = count >= 2 * Threads.count
  parallel(divides ? count : 1, work: divides ? count * rows * columns * depth / 8 : 0) { range in
    for index in divides ? range : 0..<count {
      let (x, y) = (a.first.moved(by: a.offsets[index]), b.first.moved(by: b.offsets[index]))
      let z = c + index * rows * columns
      if divides {
        gemm(x, y, z, rows, columns, depth, columns, nil)
      } else {
        multiplyMatrices(x, y, into: z, rows: rows, columns: columns, depth: depth)
      }
    }
  }
}

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, with a bias `[columns]` added to each row where there is one.
func multiplyMatrices(
  _ a: MatrixView, _ b: MatrixView, into c: Pointer, rows: Int, columns: Int, depth: Int, adding bias: Pointer? = nil
) {
  let work = rows * columns * depth / 8  // a multiply-add costs far less than an element of memory
  if rows >= columns {
    parallel(rows, work: work, alignment: 16) { part in
      gemm(a.rows(from: part.lowerBound), b, c + part.lowerBound * columns, part.count, columns, depth, columns, bias)
    }
  } else {
    parallel(columns, work: work, alignment: 16) { part in
      let first = part.lowerBound
      gemm(a, b.columns(from: first), c + first, rows, part.count, depth, columns, bias.map { $0 + first })
    }
  }
}

private func gemm(
  _ a: MatrixView, _ b: MatrixView, _ c: Pointer, _ rows: Int, _ columns: Int, _ depth: Int, _ stride: Int,
  _ bias: Pointer?
) {
  _ = singleThreadedBLAS
  if let bias {
    for row in 0..<rows { (c + row * stride).update(from: bias, count: columns) }
  }
  cblas_sgemm(
    CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
    blasint(rows), blasint(columns), blasint(depth), 1, a.pointer, blasint(max(1, a.stride)),
    b.pointer, blasint(max(1, b.stride)), bias == nil ? 0 : 1, c, blasint(max(1, stride)))
}
