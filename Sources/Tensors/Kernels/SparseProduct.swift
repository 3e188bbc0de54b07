/// A product whose left factor is mostly zeros, as images in black and white and rectified values are.
///
/// Terms of zero are left out, which changes no bit of the sums as long as what they would multiply is finite.
struct SparseProduct {
  /// Steps whose part of a strip of the right factor stays in the nearest cache: one bit each of a word.
  private static let reach = 64
  private static let widest = 16 * 8

  private let product: MatrixProduct
  /// Vectors of columns, the strips that they are cut into, and blocks of steps.
  private let vectors, strips, blocks: Int

  /// Nil where too few values of the left factor are zeros, or too little of the right one is shared, to gain by it.
  init?(_ product: MatrixProduct) {
    guard product.rows >= 32, product.columns >= 144, product.a.hasManyZeros(product.rows, product.depth) else {
      return nil
    }
    self.product = product
    vectors = (product.columns + 15) / 16
    strips = TileLimit.parts(vectors, width: 16)
    blocks = (product.depth + Self.reach - 1) / Self.reach
  }

  func run() {
    let nonzeros = nonzeros()
    let groups = (product.rows + 15) / 16
    parallel(strips * groups, work: product.rows * product.columns * product.depth / 16) { units in
      let room = Storage(count: (Self.reach + 1) * Self.widest)
      room.pointer.update(repeating: 0, count: (Self.reach + 1) * Self.widest)
      var unit = units.lowerBound
      while unit < units.upperBound {
        let (strip, group) = unit.quotientAndRemainder(dividingBy: groups)
        let end = min(groups, group + units.upperBound - unit)
        compute(strip, group * 16..<min(end * 16, product.rows), nonzeros, room.pointer)
        unit += end - group
      }
      withExtendedLifetime(room) {}
    }
  }

  /// For each row and block of steps the values of the left factor that are not zero, a bit each.
  private func nonzeros() -> [UInt64] {
    let (rows, a) = (product.rows, product.a)
    return [UInt64](unsafeUninitializedCapacity: rows * blocks) { words, count in
      count = rows * blocks
      parallel((rows + 15) / 16, work: rows * product.depth) { groups in
        for group in groups {
          for block in 0..<blocks {
            let rows = group * 16..<min(rows, group * 16 + 16)
            let steps = steps(of: block)
            if a.isTransposed {
              let columns = a.columns(from: steps.lowerBound).pointer + rows.lowerBound
              let (low, high) = columnBits(columns, a.stride, steps.count)
              for row in rows {
                words[row * blocks + block] = UInt64(low[row & 15]) | UInt64(high[row & 15]) << 32
              }
            } else {
              for row in rows {
                words[row * blocks + block] = rowBits(a.pointer + row * a.stride + steps.lowerBound, steps.count)
              }
            }
          }
        }
      }
    }
  }

  private func steps(of block: Int) -> Range<Int> {
    block * Self.reach..<min(product.depth, (block + 1) * Self.reach)
  }

  /// Some rows of a strip of columns.
  private func compute(_ strip: Int, _ rows: Range<Int>, _ nonzeros: [UInt64], _ room: Pointer) {
    let column = vectors * strip / strips * 16
    let width = vectors * (strip + 1) / strips * 16 - column
    let valid = min(width, product.columns - column)
    let (a, b) = (product.a.rows(from: rows.lowerBound), product.b.columns(from: column))
    let c = product.c.rows(from: rows.lowerBound).columns(from: column)
    let bias = product.bias.map { $0 + column }
    for block in 0..<blocks {
      let steps = steps(of: block)
      MatrixProduct.copy(b.rows(from: steps.lowerBound), steps.count, valid, width, to: room)
      guard areFinite(room, steps.count * width) else {
        return MatrixProduct(
          a: a, b: b, c: c, rows: rows.count, columns: valid, depth: product.depth, bias: bias
        ).runHere()
      }
      nonzeros.withUnsafeBufferPointer { words in
        SparseLoop(
          nonzeros: words.baseAddress! + rows.lowerBound * blocks + block, wordStep: blocks,
          x: a.columns(from: steps.lowerBound), strip: room, rows: rows.count,
          start: block > 0 ? c.pointer : bias ?? room + Self.reach * Self.widest,
          startStride: block > 0 ? c.stride : 0, target: c.pointer, stride: c.stride, valid: valid
        ).run(.separate, width: 16, count: width / 16)
      }
    }
  }
}

extension MatrixView {
  /// Whether four values of ten are zeros, by every eighth row in memory.
  fileprivate func hasManyZeros(_ rows: Int, _ columns: Int) -> Bool {
    let (height, width) = isTransposed ? (columns, rows) : (rows, columns)
    var zeros = Vector()
    var count = 0
    for row in Swift.stride(from: 0, to: height, by: 8) {
      for column in Swift.stride(from: 0, to: width - 15, by: 16) {
        zeros.replace(with: zeros + 1, where: Vector(loading: pointer + row * stride + column) .== 0)
        count += 16
      }
    }
    return zeros.lanesSum * 10 > Float(4 * count)
  }
}

/// A bit for each of up to 64 neighbouring values that is not zero.
private func rowBits(_ x: Pointer, _ count: Int) -> UInt64 {
  let powers = IntVector(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
  var bits: UInt64 = 0
  for i in stride(from: 0, to: count, by: 16) {
    let nonzeros = powers.replacing(with: 0, where: Vector(loading: x + i) .== 0)
    bits |= UInt64(nonzeros.wrappedSum()) << UInt64(i)
  }
  return count < 64 ? bits & (1 << UInt64(count) - 1) : bits
}

/// The same for sixteen columns of up to 64 rows: the first 32 rows, then the others.
private func columnBits(_ x: Pointer, _ stride: Int, _ count: Int) -> (SIMD16<UInt32>, SIMD16<UInt32>) {
  func bits(_ rows: Range<Int>) -> SIMD16<UInt32> {
    var bits = IntVector()
    for row in rows {
      let bit = IntVector(repeating: Int32(truncatingIfNeeded: 1 << (row & 31)))
      bits |= bit.replacing(with: 0, where: Vector(loading: x + row * stride) .== 0)
    }
    return SIMD16(truncatingIfNeeded: bits)
  }
  return (bits(0..<min(count, 32)), bits(min(count, 32)..<count))
}

/// Whether a zero times any of these is zero.
private func areFinite(_ values: Pointer, _ count: Int) -> Bool {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) { sum = fma(Vector(loading: values + i), Vector(), sum) }
  return sum.lanesSum == 0
}

/// One block of the steps of a strip's rows.
private struct SparseLoop: TileLoop {
  let nonzeros: UnsafePointer<UInt64>
  let wordStep: Int
  let x: MatrixView
  let strip: Pointer
  let rows: Int
  let start: Pointer
  let startStride: Int
  let target: Pointer
  let stride, valid: Int

  func run<T: Tile>(_ tile: T.Type) {
    let width = T.count * 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { spill in
      let spill = spill.baseAddress!
      for row in 0..<rows {
        let (start, target) = (start + row * startStride, target + row * stride)
        if valid == width {
          run(tile, row, from: start, to: target)
        } else {
          spill.update(from: start, count: valid)
          run(tile, row, from: spill, to: spill)
          target.update(from: spill, count: valid)
        }
      }
    }
  }

  // A call, since loops around it would cost the sums their registers.
  @inline(never)
  private func run<T: Tile>(_ tile: T.Type, _ row: Int, from start: Pointer, to target: Pointer) {
    var sums = T(loading: start, stride: 16)
    var left = nonzeros[row * wordStep]
    let (x, xStep) = (x.rows(from: row).pointer, x.isTransposed ? x.stride : 1)
    while left != 0 {
      let step = left.trailingZeroBitCount
      left &= left &- 1
      sums.add(strip + step &* (T.count &* 16), 16, times: T.Row(repeating: x[step &* xStep]))
    }
    sums.store(to: target, stride: 16, floor: nil)
  }
}
