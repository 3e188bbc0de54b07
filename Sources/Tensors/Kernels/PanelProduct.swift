// Products with a second matrix repacked once into panels of sixteen columns: for small factors that are used many times.

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

  /// The first `depth` rows and `columns` columns as panels `[columns / 16, depth, 16]`, the last one filled up with zeros.
  func packed(depth: Int, columns: Int) -> Storage {
    let panels = Storage(count: (columns + 15) / 16 * 16 * depth)
    for column in stride(from: 0, to: columns, by: 16) {
      let (source, panel) = (pointer + column * columnStride, panels.pointer + column * depth)
      if columnStride == 1 {
        for k in 0..<depth { Lanes(source + k * rowStride, columns - column)[0].store(to: panel + k * 16) }
      } else {
        if columns - column < 16 { panel.update(repeating: 0, count: depth * 16) }
        for lane in 0..<min(16, columns - column) { spread(source + lane * columnStride, depth, over: panel + lane) }
      }
    }
    return panels
  }
}

/// A row's values written sixteen places apart.
@inline(always) private func spread(_ row: Pointer, _ count: Int, over target: Pointer) {
  for k in stride(from: 0, to: count, by: 16) {
    let values = Lanes(row + k, count - k)[0]  // one load, so that many rows are under way at once
    for i in 0..<min(16, count - k) { target[(k &+ i) &* 16] = values[i] }
  }
}

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, added to what `c` holds when `accumulating`; on this thread.
///
/// - Parameter packedDepth: the depth that the panels were packed with, where only the first `depth` rows are used.
func multiplyPanels(
  _ a: StridedMatrix, _ panels: Storage, packedDepth: Int? = nil, into c: StridedMatrix, rows: Int, columns: Int,
  depth: Int, accumulating: Bool = false
) {
  for column in stride(from: 0, to: columns, by: 16) {
    let panel = panels.pointer + column * (packedDepth ?? depth)
    for row in stride(from: 0, to: rows, by: 8) {
      multiplyTile(
        a.rows(from: row), panel, c.pointer + row * c.rowStride + column, c.rowStride, min(8, rows - row),
        columns - column, depth, accumulating)
    }
  }
}

/// Eight rows by sixteen columns, kept in registers; rows beyond the last are computed from the last and not stored.
@inline(always) private func multiplyTile(
  _ a: StridedMatrix, _ panel: Pointer, _ c: Pointer, _ stride: Int, _ rows: Int, _ columns: Int, _ depth: Int,
  _ accumulating: Bool
) {
  let row = { (index: Int) in min(index, rows - 1) * a.rowStride }
  let (r1, r2, r3, r4, r5, r6, r7) = (row(1), row(2), row(3), row(4), row(5), row(6), row(7))
  var (c0, c1, c2, c3) = (Vector(), Vector(), Vector(), Vector())
  var (c4, c5, c6, c7) = (Vector(), Vector(), Vector(), Vector())
  for k in 0..<depth {
    let (x, y) = (a.pointer + k * a.columnStride, Vector(loading: panel + k * 16))
    c0 = fma(Vector(repeating: x[0]), y, c0)
    c1 = fma(Vector(repeating: x[r1]), y, c1)
    c2 = fma(Vector(repeating: x[r2]), y, c2)
    c3 = fma(Vector(repeating: x[r3]), y, c3)
    c4 = fma(Vector(repeating: x[r4]), y, c4)
    c5 = fma(Vector(repeating: x[r5]), y, c5)
    c6 = fma(Vector(repeating: x[r6]), y, c6)
    c7 = fma(Vector(repeating: x[r7]), y, c7)
  }
  withUnsafeBytes(of: (c0, c1, c2, c3, c4, c5, c6, c7)) { sums in
    for row in 0..<rows {
      let (sum, target) = (
        sums.loadUnaligned(fromByteOffset: row * 64, as: Vector.self), Lanes(c + row * stride, columns)
      )
      target[0] = accumulating ? target[0] + sum : sum
    }
  }
}
