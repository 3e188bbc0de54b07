/// A matrix in memory, as it is or read transposed.
package struct MatrixView {
  package let pointer: Pointer
  /// The distance between stored rows.
  let stride: Int
  var isTransposed = false

  package init(pointer: Pointer, stride: Int, isTransposed: Bool = false) {
    (self.pointer, self.stride, self.isTransposed) = (pointer, stride, isTransposed)
  }

  /// The view from row (as read) `row`.
  package func rows(from row: Int) -> MatrixView { moved(by: isTransposed ? row : row * stride) }

  /// The view from column (as read) `column`.
  func columns(from column: Int) -> MatrixView { moved(by: isTransposed ? column * stride : column) }

  func moved(by offset: Int) -> MatrixView {
    MatrixView(pointer: pointer + offset, stride: stride, isTransposed: isTransposed)
  }

  package var transposed: MatrixView { MatrixView(pointer: pointer, stride: stride, isTransposed: !isTransposed) }
}

/// `c[rows, columns] = a[rows, depth] · b[depth, columns]`, each sum in the order of the depth, wherever the work is cut.
package struct MatrixProduct {
  let a, b, c: MatrixView
  let rows, columns, depth: Int
  /// Added to each row where there is one, `[columns]`.
  var bias: Pointer?
  /// Whether the product is added to what `c` holds.
  var accumulates = false
  /// `b` as ``strips(of:depth:columns:)`` copies it, for a factor of many products.
  var strips: Pointer?
  /// Rows of `b` that are not all zeros, for each sixteen of its columns; nil for all.
  var support: [Range<Int>]?
  /// Rows of `c` that are wanted, for each sixteen of its columns, the others becoming 0; nil for all.
  var wanted: [Range<Int>]?

  /// Columns that share one strip of `b`, and rows that share the strip once it is copied.
  private var stripCount: Int { (columns + TileLimit.width - 1) / TileLimit.width }
  private var bands: Int { max(1, rows / 128) }
  /// Steps whose part of a strip, and of as many rows of `a`, stays in the nearest cache.
  private var reach: Int { a.isTransposed ? 128 : 6144 / TileLimit.width }

  /// The whole product, on several threads where it is large.
  func run() {
    if strips == nil, !accumulates, support == nil, wanted == nil, let sparse = SparseProduct(self) {
      return sparse.run()
    }
    var product = self
    // Many bands: `b` is copied once for all of them.
    let copy = strips == nil && bands > 2 ? Self.strips(of: b, depth: depth, columns: columns) : nil
    if let copy { product.strips = copy.pointer }
    // A multiply-add costs far less than an element of memory.
    parallel(stripCount * bands, work: rows * columns * depth / 8) { product.run($0) }
    withExtendedLifetime(copy) {}
  }

  /// The whole product on this thread.
  func runHere() { run(0..<stripCount * bands) }

  /// Some strips and bands of the product on this thread.
  private func run(_ units: Range<Int>) {
    let spill = 14 * 32
    let scratch = Storage(count: spill + 32 + (min(reach, depth) + 4) * TileLimit.width)
    let zeros = scratch.pointer + spill
    zeros.update(repeating: 0, count: 32)
    for unit in units {
      let (band, strip) = unit.quotientAndRemainder(dividingBy: stripCount)
      compute(
        strip * TileLimit.width, rows * band / bands..<rows * (band + 1) / bands, zeros: zeros, spill: scratch.pointer)
    }
    withExtendedLifetime(scratch) {}
  }

  private func compute(_ column: Int, _ band: Range<Int>, zeros: Pointer, spill: Pointer) {
    let valid = min(TileLimit.width, columns - column)
    let width = valid > 16 ? TileLimit.width : 16
    let steps = support.map { extent($0, column, width) } ?? 0..<depth
    let band = wanted.map { clear(band, outside: extent($0, column, width), column, valid) } ?? band
    let tiling = Tiling(band.count, parts: TileLimit.parts(band.count, width: width))
    var (step, isFirst) = (steps.lowerBound, !accumulates)
    repeat {
      let count = min(reach, steps.upperBound - step)
      let from = b.rows(from: step).columns(from: column)
      let isCopied = strips == nil && (b.isTransposed || band.count > 12)
      if isCopied { Self.copy(from, count, valid, width, to: zeros + 32) }
      let strip =
        strips.map { $0 + column * Self.pitch(depth) + step * width } ?? (isCopied ? zeros + 32 : from.pointer)
      tiling.visit { first, tiles, size in
        let a = a.rows(from: band.lowerBound + first).columns(from: step)
        let target = c.pointer + (band.lowerBound + first) * c.stride + column
        ProductLoop(
          x: a.pointer, rowStep: a.isTransposed ? 1 : a.stride, xStep: a.isTransposed ? a.stride : 1,
          strip: strip, stripStep: isCopied || strips != nil ? width : b.stride, depth: count,
          start: isFirst ? bias.map { $0 + column } ?? zeros : target, startStride: isFirst ? 0 : c.stride,
          target: target, stride: c.stride, valid: valid, spill: spill, tiles: tiles
        ).run(.mixed, width: width, count: size)
      }
      (step, isFirst) = (step + count, false)
    } while step < steps.upperBound
  }

  /// The rows from the first to the last of those that `ranges` names for these columns.
  private func extent(_ ranges: [Range<Int>], _ column: Int, _ width: Int) -> Range<Int> {
    let parts = ranges[column / 16..<min(ranges.count, (column + width) / 16)].filter { !$0.isEmpty }
    return (parts.map(\.lowerBound).min() ?? 0)..<(parts.map(\.upperBound).max() ?? 0)
  }

  /// The rows of `band` within `rows`; the others are set to 0.
  private func clear(_ band: Range<Int>, outside rows: Range<Int>, _ column: Int, _ valid: Int) -> Range<Int> {
    for row in band where !rows.contains(row) {
      (c.pointer + row * c.stride + column).update(repeating: 0, count: valid)
    }
    return band.clamped(to: rows)
  }

  /// A right factor copied into strips of columns, as products read it.
  package static func strips(of b: MatrixView, depth: Int, columns: Int) -> Storage {
    let pitch = pitch(depth)
    let result = Storage(count: (columns + 31) / 16 * 16 * pitch)
    parallel(columns, work: columns * depth / 2, alignment: TileLimit.width) { range in
      for column in stride(from: range.lowerBound, to: range.upperBound, by: TileLimit.width) {
        let valid = min(TileLimit.width, columns - column)
        let width = valid > 16 ? TileLimit.width : 16
        copy(b.columns(from: column), depth, valid, width, to: result.pointer + column * pitch)
      }
    }
    return result
  }

  /// The steps that a strip has room for.
  private static func pitch(_ depth: Int) -> Int { (depth + 3) / 4 * 4 }

  /// The first `valid` columns of `from` as `[count, width]`; what stands in other columns is not used.
  static func copy(_ from: MatrixView, _ count: Int, _ valid: Int, _ width: Int, to strip: Pointer) {
    guard from.isTransposed else {
      for step in 0..<count {
        for lane in stride(from: 0, to: width, by: 16) {
          Vector(loading: from.pointer + step * from.stride + lane).store(to: strip + step * width + lane)
        }
      }
      return
    }
    for lane in stride(from: 0, to: valid, by: 4) {
      let row = { from.pointer + min(lane + $0, valid - 1) * from.stride }
      let (a, b, c, d) = (row(0), row(1), row(2), row(3))
      for step in stride(from: 0, to: count, by: 4) {
        transposeSquare((a + step, b + step, c + step, d + step), to: strip + step * width + lane, width)
      }
    }
  }
}

/// Four values from each of four rows, as four columns.
@inline(always)
private func transposeSquare(_ rows: (Pointer, Pointer, Pointer, Pointer), to target: Pointer, _ stride: Int) {
  func four(_ pointer: Pointer) -> SIMD4<Float> { UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<Float>.self) }
  func put(_ row: Int, _ value: SIMD4<Float>) {
    UnsafeMutableRawPointer(target + row * stride).storeBytes(of: value, as: SIMD4<Float>.self)
  }
  let (a, b, c, d) = (four(rows.0), four(rows.1), four(rows.2), four(rows.3))
  put(0, SIMD4(a[0], b[0], c[0], d[0]))
  put(1, SIMD4(a[1], b[1], c[1], d[1]))
  put(2, SIMD4(a[2], b[2], c[2], d[2]))
  put(3, SIMD4(a[3], b[3], c[3], d[3]))
}

/// Neighbouring rows of one strip of a product.
private struct ProductLoop: TileLoop {
  let x: Pointer
  let rowStep, xStep: Int
  let strip: Pointer
  let stripStep, depth: Int
  let start: Pointer
  let startStride: Int
  let target: Pointer
  let stride, valid: Int
  let spill: Pointer
  let tiles: Int

  func run<T: Tile>(_ tile: T.Type) {
    let width = T.Row.width
    var (x, start, target) = (x, start, target)
    for _ in 0..<tiles {
      if valid >= width {
        run(tile, x, from: start, startStride, to: target, stride)
      } else {
        for row in 0..<T.count { (spill + row * width).update(from: start + row * startStride, count: valid) }
        run(tile, x, from: spill, width, to: spill, width)
        for row in 0..<T.count { (target + row * stride).update(from: spill + row * width, count: valid) }
      }
      x += T.count * rowStep
      start += T.count * startStride
      target += T.count * stride
    }
  }

  // A call, since loops around it would cost the sums their registers.
  @inline(never)
  private func run<T: Tile>(
    _ tile: T.Type, _ x: Pointer, from start: Pointer, _ startStride: Int, to target: Pointer, _ stride: Int
  ) {
    var sums = T(loading: start, stride: startStride)
    var (x, factors) = (x, strip)
    for _ in 0..<depth {
      sums.add(x, rowStep, times: T.Row(loading: factors, stride: 0))
      x += xStep
      factors += stripStep
    }
    sums.store(to: target, stride: stride, floor: nil)
  }
}

/// Matrices of one shape, each at its distance from the first.
struct MatrixBatch {
  let first: MatrixView
  let offsets: [Int]
}

/// The product of each pair of matrices, one after another in `c`.
func multiplyMatrices(_ a: MatrixBatch, _ b: MatrixBatch, into c: Pointer, rows: Int, columns: Int, depth: Int) {
  let count = a.offsets.count
  let product = { (index: Int) in
    MatrixProduct(
      a: a.first.moved(by: a.offsets[index]), b: b.first.moved(by: b.offsets[index]),
      c: MatrixView(pointer: c + index * rows * columns, stride: columns), rows: rows, columns: columns, depth: depth)
  }
  // Too few to give each thread the same: each is cut itself.
  if count < 2 * Threads.count {
    for index in 0..<count { product(index).run() }
  } else {
    parallel(count, work: count * rows * columns * depth / 8) { for index in $0 { product(index).runHere() } }
  }
}

/// One product on this thread, added to what `c` holds when `accumulating`; `strips` are those of `b`, if at hand.
package func gemm(
  _ a: MatrixView, _ b: MatrixView, into c: MatrixView, _ rows: Int, _ columns: Int, _ depth: Int,
  accumulating: Bool = false, strips: Pointer? = nil
) {
  MatrixProduct(
    a: a, b: b, c: c, rows: rows, columns: columns, depth: depth, accumulates: accumulating, strips: strips
  ).runHere()
}
