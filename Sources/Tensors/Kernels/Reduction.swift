/// A way to fold values into one.
protocol ReductionKernel {
  static var start: Float { get }
  static func fold(_ a: Vector, _ b: Vector) -> Vector
}

enum SumReduction: ReductionKernel {
  static var start: Float { 0 }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { a + b }
}

enum MaximumReduction: ReductionKernel {
  static var start: Float { -.infinity }
  @inline(always) static func fold(_ a: Vector, _ b: Vector) -> Vector { larger(a, b) }
}

/// Values folded in blocks of this many before the blocks are folded: the same result on any number of threads,
/// and rounding errors that do not grow with the whole length.
private let blockLength = 8192

extension Tensor {
  /// The middle of `[outer, middle, inner]` folded away; a constant of the given shape.
  func reduced<Kernel: ReductionKernel>(
    outer: Int, middle: Int, inner: Int, to newShape: [Int], _ kernel: Kernel.Type
  ) -> Tensor {
    let result = Storage(count: outer * inner)
    let (x, y) = (storage.pointer, result.pointer)
    if inner == 1 {
      if outer == 1 || middle > blockLength {
        for row in 0..<outer { y[row] = foldLong(x + row * middle, middle, kernel) }
      } else {
        parallel(outer, work: outer * middle) { rows in
          for row in rows { y[row] = foldRow(x + row * middle, middle, kernel) }
        }
      }
    } else {
      for slab in 0..<outer { foldColumns(x + slab * middle * inner, middle, inner, y + slab * inner, kernel) }
    }
    return Tensor(storage: result, shape: newShape)
  }
}

/// One contiguous run folded, in blocks and on several threads.
private func foldLong<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Float {
  let blocks = (count + blockLength - 1) / blockLength
  guard blocks > 1 else { return foldRow(x, count, kernel) }
  let partial = Storage(count: blocks)
  let parts = partial.pointer
  parallel(blocks, work: count) { range in
    for block in range {
      let start = block * blockLength
      parts[block] = foldRow(x + start, min(blockLength, count - start), kernel)
    }
  }
  return withExtendedLifetime(partial) { foldLong(parts, blocks, kernel) }
}

/// One contiguous run folded.
@inline(always)
private func foldRow<Kernel: ReductionKernel>(_ x: Pointer, _ count: Int, _ kernel: Kernel.Type) -> Float {
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
  if i < count {
    // Lane by lane: a row's end need not be the end of its padded storage.
    var tail = empty
    for lane in 0..<count - i { tail[lane] = x[i + lane] }
    b = Kernel.fold(b, tail)
  }
  var lanes = Kernel.fold(Kernel.fold(a, b), Kernel.fold(c, d))
  for width in [8, 4, 2, 1] {
    var upper = empty
    for lane in 0..<width { upper[lane] = lanes[lane + width] }
    lanes = Kernel.fold(lanes, upper)
  }
  return lanes[0]
}

/// `[count, width]` folded over its rows into `y`.
private func foldColumns<Kernel: ReductionKernel>(
  _ x: Pointer, _ count: Int, _ width: Int, _ y: Pointer, _ kernel: Kernel.Type
) {
  parallel(width, work: count * width, alignment: 16) { columns in
    var column = columns.lowerBound
    while column + 16 <= columns.upperBound {
      var sum = Vector(repeating: Kernel.start)
      var total = sum
      for row in 0..<count {
        sum = Kernel.fold(sum, Vector(loading: x + row * width + column))
        if row & 255 == 255 {  // shorter runs keep rounding errors small
          total = Kernel.fold(total, sum)
          sum = Vector(repeating: Kernel.start)
        }
      }
      Kernel.fold(total, sum).store(to: y + column)
      column += 16
    }
    for last in column..<columns.upperBound {
      var sum = Vector(repeating: Kernel.start)
      var total = sum
      for row in 0..<count {
        sum = Kernel.fold(sum, Vector(repeating: x[row * width + last]))
        if row & 255 == 255 {
          total = Kernel.fold(total, sum)
          sum = Vector(repeating: Kernel.start)
        }
      }
      y[last] = Kernel.fold(total, sum)[0]
    }
  }
}
