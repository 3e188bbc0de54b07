/// A way to fold values into one.
protocol ReductionKernel: SendableMetatype {
  static var start: Float { get }
  static func fold(_ a: Vector, _ b: Vector) -> Vector
}

enum SumReduction: ReductionKernel {
  static var start: Float { 0 }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { a + b }
}
enum ProductReduction: ReductionKernel {
  static var start: Float { 1 }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { a * b }
}
enum MaximumReduction: ReductionKernel {
  static var start: Float { -.infinity }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { larger(a, b) }
}
enum MinimumReduction: ReductionKernel {
  static var start: Float { .infinity }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { smaller(a, b) }
}

// Values are folded in blocks of about this many before the blocks are folded: the same result on any number of threads,
// and rounding errors that do not grow with the whole length.
private let rowBlock = 8192
private let columnBlock = 16384
/// Columns that are folded together.
private let columnPart = 512

extension Tensor {
  /// The middle of `[outer, middle, inner]` folded away; a constant of the given shape.
  func reduced<Kernel: ReductionKernel>(
    outer: Int, middle: Int, inner: Int, to newShape: [Int], _ kernel: Kernel.Type
  ) -> Tensor {
    if middle == 1 { return Tensor(storage: storage, shape: newShape) }
    let blockRows = inner == 1 ? rowBlock : Swift.max(64, columnBlock / Swift.max(1, Swift.min(inner, columnPart)))
    let blocks = Swift.max(1, (middle + blockRows - 1) / blockRows)
    let result = Storage(count: outer * blocks * inner)
    let (x, y) = (storage.pointer, result.pointer)
    if inner == 1, blocks == 1 {
      parallel(outer, work: outer * middle, alignment: 16) { foldRows(x, $0, middle, y, kernel) }
      return Tensor(storage: result, shape: newShape)
    }
    let parts = (inner + columnPart - 1) / columnPart
    parallel(outer * blocks * parts, work: outer * middle * inner) { units in
      let room = Storage(count: columnPart)
      for unit in units {
        let (part, piece) = (unit % parts * columnPart, unit / parts)
        let (block, slab) = (piece % blocks * blockRows, piece / blocks)
        let (rows, start) = (Swift.min(blockRows, middle - block), x + (slab * middle + block) * inner + part)
        if inner == 1 {
          y[piece] = foldRow(start, rows, kernel)
        } else {
          let width = Swift.min(columnPart, inner - part)
          foldColumns(start, rows, width, inner, into: room.pointer, kernel)
          (y + piece * inner + part).update(from: room.pointer, count: width)
        }
      }
    }
    return Tensor(storage: result, shape: newShape)
      .reduced(outer: outer, middle: blocks, inner: inner, to: newShape, kernel)
  }
}

/// Each contiguous row folded, short ones sixteen at a time.
private func foldRows<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Range<Int>, _ length: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  var row = rows.lowerBound
  while length < 256, row + 16 <= rows.upperBound {
    foldSixteen(x + row * length, length, kernel).store(to: y + row)
    row += 16
  }
  for row in row..<rows.upperBound { y[row] = foldRow(x + row * length, length, kernel) }
}

/// Sixteen rows, each to sixteen lanes, and then the lanes of all together, in the order of `foldRow`.
@inline(always)
private func foldSixteen<Kernel: ReductionKernel>(_ x: Pointer, _ length: Int, _ kernel: Kernel.Type) -> Vector {
  withUnsafeTemporaryAllocation(of: Vector.self, capacity: 16) { lanes in
    for row in 0..<16 { lanes[row] = foldRun(x + row * length, length, kernel) }
    for pairs in [8, 4, 2, 1] {
      for pair in 0..<pairs {
        let (a, b) = (lanes[2 * pair], lanes[2 * pair + 1])
        lanes[pair] = Kernel.fold(
          Vector(lowHalf: a.evenHalf, highHalf: b.evenHalf), Vector(lowHalf: a.oddHalf, highHalf: b.oddHalf))
      }
    }
    return lanes[0]
  }
}

/// One contiguous row folded.
@inline(always)
private func foldRow<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Float {
  var lanes = foldRun(x, count, kernel)
  for _ in 0..<4 { lanes = Kernel.fold(lanes.evenHalf.doubled, lanes.oddHalf.doubled) }
  return lanes[0]
}

/// The largest of a row's values, NaN if there is one.
package func rowMaximum(_ x: Pointer, _ count: Int) -> Float { foldRow(x, count, MaximumReduction.self) }

/// A row folded to sixteen lanes.
@inline(always)
private func foldRun<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Vector {
  let empty = Vector(repeating: Kernel.start)
  var (a, b, c, d) = (empty, empty, empty, empty)
  var i = 0
  while i + 64 <= count {
    a = Kernel.fold(a, Vector(loading: x + i))
    b = Kernel.fold(b, Vector(loading: x + i + 16))
    c = Kernel.fold(c, Vector(loading: x + i + 32))
    d = Kernel.fold(d, Vector(loading: x + i + 48))
    i += 64
  }
  while i + 16 <= count {
    a = Kernel.fold(a, Vector(loading: x + i))
    i += 16
  }
  if i < count { b = Kernel.fold(b, Vector(loading: x + i).filling(from: count - i, with: Kernel.start)) }
  return Kernel.fold(Kernel.fold(a, b), Kernel.fold(c, d))
}

/// `[rows, width]`, rows `stride` apart, folded over its rows into `sums`, which has room for 512 values.
@inline(never)
private func foldColumns<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Int, _ width: Int, _ stride: Int, into sums: Pointer, _ kernel: Kernel.Type
) {
  sums.update(repeating: Kernel.start, count: width)
  var row = 0
  if stride < 16, rows >= 32 {
    // Sixteen narrow rows are a wide one, and then as many parts of that.
    let parts = sums + 16
    parts.update(repeating: Kernel.start, count: 16 * width)
    row = rows & ~15
    addRows(x, row / 16, 16 * width, 16 * width, to: parts, kernel)
    addRows(parts, 16, width, width, to: sums, kernel)
  }
  addRows(x + row * stride, rows - row, width, stride, to: sums, kernel)
}

/// The rows of `[rows, width]` folded into `sums`, up to the end of its last vector.
@inline(always)
private func addRows<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Int, _ width: Int, _ stride: Int, to sums: Pointer, _ kernel: Kernel.Type
) {
  var row = 0
  while row + 4 <= rows {
    let (a, b) = (x + row * stride, x + (row + 1) * stride)
    let (c, d) = (x + (row + 2) * stride, x + (row + 3) * stride)
    for i in Swift.stride(from: 0, to: width, by: 16) {
      let ab = Kernel.fold(Vector(loading: a + i), Vector(loading: b + i))
      let cd = Kernel.fold(Vector(loading: c + i), Vector(loading: d + i))
      Kernel.fold(Vector(loading: sums + i), Kernel.fold(ab, cd)).store(to: sums + i)
    }
    row += 4
  }
  for row in row..<rows {
    for i in Swift.stride(from: 0, to: width, by: 16) {
      Kernel.fold(Vector(loading: sums + i), Vector(loading: x + row * stride + i)).store(to: sums + i)
    }
  }
}

extension SIMD8<Float> {
  @inline(always) fileprivate var doubled: Vector { Vector(lowHalf: self, highHalf: self) }
}
