// Products with a second matrix repacked once into panels of sixteen columns: for small factors that are used many times.

/// Room for `depth` rows of `columns` columns as panels.
func panelCount(depth: Int, columns: Int) -> Int { (columns + 15) / 16 * 16 * depth }

/// The matrix `[depth, columns]` as panels `[columns / 16, depth, 16]`, the last one filled up with zeros.
func packPanels(_ b: MatrixView, depth: Int, columns: Int, into panels: Pointer) {
  for column in stride(from: 0, to: columns, by: 16) {
    let panel = panels + column * depth
    guard b.isTransposed else {
      let source = b.pointer + column
      for k in 0..<depth { Vector(row: source + k * b.stride, count: columns - column).store(to: panel + k * 16) }
      continue
    }
    let valid = min(16, columns - column)
    if valid < 16 { panel.update(repeating: 0, count: depth * 16) }
    for lane in 0..<valid { spread(b.pointer + (column + lane) * b.stride, depth, over: panel + lane) }
  }
}

/// The values of a row written sixteen places apart.
@inline(always)
private func spread(_ row: Pointer, _ count: Int, over target: Pointer) {
  for k in stride(from: 0, to: count, by: 16) {
    let values = Vector(row: row + k, count: count - k)  // one load, so that many rows are under way at once
    let place = target + k * 16
    if k + 16 <= count {
      for i in 0..<16 { place[i &* 16] = values[i] }
    } else {
      for i in 0..<count - k { place[i &* 16] = values[i] }
    }
  }
}

/// A matrix read at `pointer[row·rowStride + column·columnStride]`.
struct StridedMatrix {
  let pointer: Pointer
  let rowStride: Int
  var columnStride = 1

  func rows(from row: Int) -> StridedMatrix {
    StridedMatrix(pointer: pointer + row * rowStride, rowStride: rowStride, columnStride: columnStride)
  }

  /// Rows and columns exchanged.
  var across: StridedMatrix { StridedMatrix(pointer: pointer, rowStride: columnStride, columnStride: rowStride) }

  func view(transposed: Bool) -> MatrixView {
    MatrixView(pointer: pointer, stride: rowStride, isTransposed: transposed)
  }
}

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, added to what `c` holds when `accumulating`; on this thread.
///
/// - Parameter packedDepth: the depth that the panels were packed with, where only the first `depth` rows are used.
func multiplyPanels(
  _ a: StridedMatrix, _ panels: Pointer, packedDepth: Int? = nil, into c: StridedMatrix, rows: Int, columns: Int,
  depth: Int, accumulating: Bool = false
) {
  for column in stride(from: 0, to: columns, by: 16) {
    let panel = panels + column * (packedDepth ?? depth)
    for row in stride(from: 0, to: rows, by: 8) {
      multiplyTile(
        a.rows(from: row), panel, c.pointer + row * c.rowStride + column, c.rowStride, min(8, rows - row), columns - column, depth,
        accumulating)
    }
  }
}

/// Eight rows by sixteen columns, kept in registers; rows beyond the last are computed from the last and not stored.
@inline(always)
private func multiplyTile(
  _ a: StridedMatrix, _ panel: Pointer, _ c: Pointer, _ stride: Int, _ rows: Int, _ columns: Int, _ depth: Int,
  _ accumulating: Bool
) {
  let row = { (index: Int) in min(index, rows - 1) * a.rowStride }
  let (r1, r2, r3, r4, r5, r6, r7) = (row(1), row(2), row(3), row(4), row(5), row(6), row(7))
  var (c0, c1, c2, c3) = (Vector(), Vector(), Vector(), Vector())
  var (c4, c5, c6, c7) = (Vector(), Vector(), Vector(), Vector())
  for k in 0..<depth {
    let x = a.pointer + k * a.columnStride
    let y = Vector(loading: panel + k * 16)
    c0 = fma(Vector(repeating: x[0]), y, c0)
    c1 = fma(Vector(repeating: x[r1]), y, c1)
    c2 = fma(Vector(repeating: x[r2]), y, c2)
    c3 = fma(Vector(repeating: x[r3]), y, c3)
    c4 = fma(Vector(repeating: x[r4]), y, c4)
    c5 = fma(Vector(repeating: x[r5]), y, c5)
    c6 = fma(Vector(repeating: x[r6]), y, c6)
    c7 = fma(Vector(repeating: x[r7]), y, c7)
  }
  let sums = (c0, c1, c2, c3, c4, c5, c6, c7)
  withUnsafeBytes(of: sums) { bytes in
    for row in 0..<rows {
      let target = c + row * stride
      let sum = bytes.loadUnaligned(fromByteOffset: row * 64, as: Vector.self)
      (accumulating ? sum + Vector(row: target, count: columns) : sum).store(to: target, count: columns)
    }
  }
}
