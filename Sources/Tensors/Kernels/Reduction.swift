/// A way to fold values into one.
protocol ReductionKernel: SendableMetatype {
  static var start: Float { get }
  static func fold(_ a: Vector, _ b: Vector) -> Vector
  /// The same where no value is NaN, perhaps cheaper.
  associatedtype OfNumbers: ReductionKernel = Self
  /// Whether `fold` may lose a NaN.
  static var losesNaN: Bool { get }
}

extension ReductionKernel {
  @inline(always) static var losesNaN: Bool { false }
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
  enum OfNumbers: ReductionKernel {
    static var start: Float { -.infinity }
    static var losesNaN: Bool { true }
    @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { b.replacing(with: a, where: a .> b) }
  }
  static var start: Float { -.infinity }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { larger(a, b) }
}
enum MinimumReduction: ReductionKernel {
  enum OfNumbers: ReductionKernel {
    static var start: Float { .infinity }
    static var losesNaN: Bool { true }
    @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { b.replacing(with: a, where: a .< b) }
  }
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
    Tensor(storage: folded(storage, outer, middle, inner, kernel), shape: newShape)
  }
}

private func folded<Kernel: ReductionKernel>(
  _ source: Storage, _ outer: Int, _ middle: Int, _ inner: Int, _ kernel: Kernel.Type
) -> Storage {
  if middle == 1 { return source }
  let blockRows = inner == 1 ? rowBlock : max(64, columnBlock / max(1, min(inner, columnPart)))
  let blocks = max(1, (middle + blockRows - 1) / blockRows)
  let result = Storage(count: outer * blocks * inner)
  let (x, y) = (source.pointer, result.pointer)
  if inner == 1, blocks == 1 {
    parallel(outer, work: outer * middle, alignment: 16) { foldRows(x, $0, middle, y, kernel) }
    return result
  }
  let parts = (inner + columnPart - 1) / columnPart
  parallel(outer * blocks * parts, work: outer * middle * inner) { units in
    for unit in units {
      let (part, piece) = (unit % parts, unit / parts)
      let (block, slab) = (piece % blocks, piece / blocks)
      let rows = min(blockRows, middle - block * blockRows)
      let start = x + (slab * middle + block * blockRows) * inner + part * columnPart
      let target = y + piece * inner + part * columnPart
      if inner == 1 {
        target[0] = foldRow(start, rows, kernel)
      } else {
        foldColumns(start, rows, min(columnPart, inner - part * columnPart), inner, target, kernel)
      }
    }
  }
  return blocks == 1 ? result : folded(result, outer, blocks, inner, kernel)
}

/// Each contiguous row folded, short ones sixteen at a time.
func foldRows<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Range<Int>, _ length: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  var row = rows.lowerBound
  while length < 256, row + 16 <= rows.upperBound {
    let from = x + row * length
    (length < 16 ? foldSixteenShort(from, length, kernel) : foldSixteen(from, length, kernel)).store(to: y + row)
    row += 16
  }
  while row < rows.upperBound {
    y[row] = length < 16 ? foldShort(x + row * length, length, kernel) : foldRow(x + row * length, length, kernel)
    row += 1
  }
}

/// Sixteen rows of fewer than sixteen values, value by value.
@inline(always)
private func foldSixteenShort<Kernel: ReductionKernel>(_ x: Pointer, _ length: Int, _ kernel: Kernel.Type) -> Vector {
  var sum = Vector(repeating: Kernel.start)
  for i in 0..<length {
    var column = Vector()
    for lane in 0..<16 { column[lane] = x[lane * length + i] }
    sum = Kernel.fold(sum, column)
  }
  return sum
}

/// Sixteen rows, each to sixteen lanes, and then the lanes of all together, in the order of `foldLanes`.
@inline(always)
private func foldSixteen<Kernel: ReductionKernel>(_ x: Pointer, _ length: Int, _ kernel: Kernel.Type) -> Vector {
  withUnsafeTemporaryAllocation(of: Vector.self, capacity: 16) { lanes in
    for row in 0..<16 { lanes[row] = foldRun(x + row * length, length, kernel).lanes }
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

@inline(always)
private func foldShort<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Float {
  var sum = Vector(repeating: Kernel.start)
  for i in 0..<count { sum = Kernel.fold(sum, Vector(repeating: x[i])) }
  return sum[0]
}

/// One contiguous run folded.
@inline(always)
func foldRow<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Float {
  let (lanes, zeros) = foldRun(x, count, Kernel.OfNumbers.self)
  if Kernel.OfNumbers.losesNaN, any(zeros .!= zeros) { return foldLanes(foldRun(x, count, kernel).lanes, kernel) }
  return foldLanes(lanes, Kernel.OfNumbers.self)
}

@inline(always)
private func foldLanes<Kernel: ReductionKernel>(_ lanes: Vector, _ kernel: Kernel.Type) -> Float {
  var lanes = lanes
  for _ in 0..<4 { lanes = Kernel.fold(lanes.evenHalf.doubled, lanes.oddHalf.doubled) }
  return lanes[0]
}

/// A run folded to sixteen lanes; where a NaN might be lost, also sums of 0·x, which a NaN or an infinity makes NaN.
@inline(always)
private func foldRun<Kernel: ReductionKernel>(
  _ x: Pointer, _ count: Int, _ kernel: Kernel.Type
) -> (lanes: Vector, zeros: Vector) {
  let empty = Vector(repeating: Kernel.start)
  var (a, b, c, d, zeros) = (empty, empty, empty, empty, Vector())
  var i = 0
  while i + 64 <= count {
    let (v0, v1) = (Vector(loading: x + i), Vector(loading: x + i + 16))
    let (v2, v3) = (Vector(loading: x + i + 32), Vector(loading: x + i + 48))
    (a, b, c, d) = (Kernel.fold(a, v0), Kernel.fold(b, v1), Kernel.fold(c, v2), Kernel.fold(d, v3))
    if Kernel.losesNaN { zeros = fma((v0 + v1) + (v2 + v3), Vector(), zeros) }
    i += 64
  }
  while i < count {
    let rest = count - i
    let v = rest >= 16 ? Vector(loading: x + i) : Vector(loading: x + i).filling(from: rest, with: Kernel.start)
    a = Kernel.fold(a, v)
    if Kernel.losesNaN { zeros = fma(v.filling(from: rest, with: 0), Vector(), zeros) }
    i += 16
  }
  return (Kernel.fold(Kernel.fold(a, b), Kernel.fold(c, d)), zeros)
}

/// `[rows, width]`, rows `stride` apart, folded over its rows into `y`.
private func foldColumns<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Int, _ width: Int, _ stride: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  if stride < 16, rows * stride >= 512 { return foldNarrow(x, rows, stride, y, kernel) }
  var column = 0
  while column + 64 <= width {
    foldFourStrips(x + column, rows, stride, y + column, kernel)
    column += 64
  }
  while column < width {
    let sum = foldStrip(x + column, rows, stride, kernel)
    if column + 16 <= width {
      sum.store(to: y + column)
    } else {
      for lane in 0..<width - column { y[column + lane] = sum[lane] }
    }
    column += 16
  }
}

/// Sixty-four columns folded.
@inline(always)
private func foldFourStrips<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Int, _ stride: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  let empty = Vector(repeating: Kernel.start)
  var (a, b, c, d) = (empty, empty, empty, empty)
  for row in 0..<rows {
    let from = x + row * stride
    a = Kernel.fold(a, Vector(loading: from))
    b = Kernel.fold(b, Vector(loading: from + 16))
    c = Kernel.fold(c, Vector(loading: from + 32))
    d = Kernel.fold(d, Vector(loading: from + 48))
  }
  a.store(to: y)
  b.store(to: y + 16)
  c.store(to: y + 32)
  d.store(to: y + 48)
}

/// Sixteen columns folded; lanes beyond the last column hold what is of no use.
@inline(always)
private func foldStrip<Kernel: ReductionKernel>(_ x: Pointer, _ rows: Int, _ stride: Int, _ kernel: Kernel.Type)
  -> Vector
{
  let empty = Vector(repeating: Kernel.start)
  var (a, b, c, d) = (empty, empty, empty, empty)
  var row = 0
  while row + 4 <= rows {
    a = Kernel.fold(a, Vector(loading: x + row * stride))
    b = Kernel.fold(b, Vector(loading: x + (row + 1) * stride))
    c = Kernel.fold(c, Vector(loading: x + (row + 2) * stride))
    d = Kernel.fold(d, Vector(loading: x + (row + 3) * stride))
    row += 4
  }
  for last in row..<rows { a = Kernel.fold(a, Vector(loading: x + last * stride)) }
  return Kernel.fold(Kernel.fold(a, b), Kernel.fold(c, d))
}

/// `[rows, width]` with fewer than 16 columns, folded first at a distance of whole vectors that hold whole rows.
private func foldNarrow<Kernel: ReductionKernel>(
  _ x: Pointer, _ rows: Int, _ width: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  let period = 16 * width * (width < 4 ? 4 : 1)
  let count = rows * width
  withUnsafeTemporaryAllocation(of: Float.self, capacity: period) { buffer in
    guard let sums = buffer.baseAddress else { return }
    sums.update(repeating: Kernel.start, count: period)
    var start = 0
    while start + period <= count {
      for i in stride(from: 0, to: period, by: 16) {
        Kernel.fold(Vector(loading: sums + i), Vector(loading: x + start + i)).store(to: sums + i)
      }
      start += period
    }
    for i in 0..<count - start { sums[i] = Kernel.fold(Vector(repeating: sums[i]), Vector(repeating: x[start + i]))[0] }
    for column in 0..<width {
      var sum = Vector(repeating: Kernel.start)
      for i in stride(from: column, to: period, by: width) { sum = Kernel.fold(sum, Vector(repeating: sums[i])) }
      y[column] = sum[0]
    }
  }
}

extension SIMD8<Float> {
  @inline(always) fileprivate var doubled: Vector { Vector(lowHalf: self, highHalf: self) }
}
