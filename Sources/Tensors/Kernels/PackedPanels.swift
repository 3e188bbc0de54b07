/// The two ways in which matrices are laid out for register tiles: panels of eight rows of A and of 32 columns of B.
///
/// Where the source runs along the depth, sixteen values of each row are loaded at once and interleaved in registers:
/// a perfect shuffle of `[rows, 16]` rotates the bits of each value's index, so that a few of them transpose it.
enum PackedPanel {
  static let rows = 8
  static let columns = 32

  /// Panels of eight rows, each `[depth, 8]`; rows that are missing in the last are zero.
  static func pack(_ a: MatrixView, rows range: Range<Int>, _ depth: Range<Int>, into packed: Pointer) {
    var target = packed
    for row in stride(from: range.lowerBound, to: range.upperBound, by: rows) {
      let height = min(rows, range.upperBound - row)
      if height < rows { target.update(repeating: 0, count: rows * depth.count) }
      if a.isTransposed {
        copyRows(a.pointer + depth.lowerBound * a.stride + row, a.stride, depth.count, height, rows, into: target)
      } else {
        let source = a.pointer + row * a.stride + depth.lowerBound
        let done = height == rows ? transposeEight(source, a.stride, depth.count, into: target) : 0
        transpose(source, a.stride, done..<depth.count, height, rows, into: target)
      }
      target += rows * depth.count
    }
  }

  /// One panel of up to 32 columns, `[depth, 32]`; columns that are missing are zero.
  static func pack(_ b: MatrixView, columns range: Range<Int>, _ depth: Range<Int>, into packed: Pointer) {
    let width = range.count
    if width < columns { packed.update(repeating: 0, count: columns * depth.count) }
    if b.isTransposed {
      let source = b.pointer + range.lowerBound * b.stride + depth.lowerBound
      let done = width == columns ? transposeThirtyTwo(source, b.stride, depth.count, into: packed) : 0
      transpose(source, b.stride, done..<depth.count, width, columns, into: packed)
    } else {
      copyRows(
        b.pointer + depth.lowerBound * b.stride + range.lowerBound, b.stride, depth.count, width, columns,
        into: packed)
    }
  }

  /// `count` rows of `width` values, `stride` apart, into rows of `packedWidth`.
  private static func copyRows(
    _ source: Pointer, _ stride: Int, _ count: Int, _ width: Int, _ packedWidth: Int, into packed: Pointer
  ) {
    for k in 0..<count {
      let (from, to) = (source + k * stride, packed + k * packedWidth)
      switch width {
      case 32:
        Vector(loading: from).store(to: to)
        Vector(loading: from + 16).store(to: to + 16)
      case 8:
        let eight = UnsafeRawPointer(from).loadUnaligned(as: SIMD8<Float>.self)
        UnsafeMutableRawPointer(to).storeBytes(of: eight, as: SIMD8<Float>.self)
      default: to.update(from: from, count: width)
      }
    }
  }

  /// One value at a time, for the ends.
  private static func transpose(
    _ source: Pointer, _ stride: Int, _ range: Range<Int>, _ height: Int, _ packedWidth: Int, into packed: Pointer
  ) {
    for i in 0..<height {
      for k in range { packed[k * packedWidth + i] = source[i * stride + k] }
    }
  }

  /// `[8, count] → [count, 8]` for as many whole sixteens as there are, whose number is returned.
  private static func transposeEight(_ source: Pointer, _ stride: Int, _ count: Int, into packed: Pointer) -> Int {
    let whole = count / 16 * 16
    for k in Swift.stride(from: 0, to: whole, by: 16) {
      let s = source + k
      let (a0, a1) = interleaved(Vector(loading: s), Vector(loading: s + 4 * stride))
      let (a2, a3) = interleaved(Vector(loading: s + stride), Vector(loading: s + 5 * stride))
      let (a4, a5) = interleaved(Vector(loading: s + 2 * stride), Vector(loading: s + 6 * stride))
      let (a6, a7) = interleaved(Vector(loading: s + 3 * stride), Vector(loading: s + 7 * stride))
      let ((b0, b1), (b2, b3)) = (interleaved(a0, a4), interleaved(a1, a5))
      let ((b4, b5), (b6, b7)) = (interleaved(a2, a6), interleaved(a3, a7))
      let target = packed + k * rows
      for (index, pair) in [(b0, b4), (b1, b5), (b2, b6), (b3, b7)].enumerated() {
        let (low, high) = interleaved(pair.0, pair.1)
        low.store(to: target + index * 32)
        high.store(to: target + index * 32 + 16)
      }
    }
    return whole
  }

  /// `[32, count] → [count, 32]` for as many whole sixteens as there are, whose number is returned.
  private static func transposeThirtyTwo(_ source: Pointer, _ stride: Int, _ count: Int, into packed: Pointer) -> Int {
    let whole = count / 16 * 16
    withUnsafeTemporaryAllocation(byteCount: 2 * 32 * 64, alignment: 64) { memory in
      let scratch = memory.bindMemory(to: Float.self)
      guard let one = scratch.baseAddress else { return }
      let two = one + 32 * 16
      for k in Swift.stride(from: 0, to: whole, by: 16) {
        for row in 0..<16 {  // the first shuffle, while loading
          let (low, high) = interleaved(
            Vector(loading: source + row * stride + k), Vector(loading: source + (row + 16) * stride + k))
          low.store(to: one + row * 32)
          high.store(to: one + row * 32 + 16)
        }
        shuffle(one, into: two)
        shuffle(two, into: one)
        shuffle(one, into: two)
        shuffle(two, into: packed + k * columns)
      }
    }
    return whole
  }

  /// A perfect shuffle of 512 values.
  @inline(always)
  private static func shuffle(_ source: Pointer, into target: Pointer) {
    for row in 0..<16 {
      let (low, high) = interleaved(Vector(loading: source + row * 16), Vector(loading: source + 256 + row * 16))
      low.store(to: target + row * 32)
      high.store(to: target + row * 32 + 16)
    }
  }

  /// a₀b₀a₁b₁… in two halves.
  @inline(always)
  private static func interleaved(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
    var (low, high) = (a, a)
    (low.evenHalf, low.oddHalf) = (a.lowHalf, b.lowHalf)
    (high.evenHalf, high.oddHalf) = (a.highHalf, b.highHalf)
    return (low, high)
  }
}
