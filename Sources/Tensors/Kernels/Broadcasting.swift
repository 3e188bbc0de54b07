/// How two operands are read to fill a broadcast shape, without stretching either in memory.
///
/// Neighbouring axes along which both operands step alike are one, so that most shapes have two or three.
struct Broadcast {
  /// The distances between neighbours in one operand; 0 along an axis that is stretched.
  private struct Steps {
    var inner = 1
    var outer: [Int] = []
    /// Whether the operand is not stretched at all.
    var isWhole: Bool { inner == 1 && outer.allSatisfy { $0 != 0 } }
    /// Whether all rows of the operand are the same.
    var isPeriodic: Bool { inner == 1 && outer.allSatisfy { $0 == 0 } }
  }

  /// The extent of the innermost axis, a "row", and those of the others from the inside.
  private var length = 1
  private var extents: [Int] = []
  private var (a, b) = (Steps(), Steps())
  private var rows: Int { extents.reduce(1, *) }

  /// - Precondition: `shape` is what the shapes of `a` and `b` broadcast to, and has no extent of 0; one is stretched.
  init(_ shapeA: [Int], _ shapeB: [Int], to shape: [Int]) {
    var merged: [(extent: Int, a: Int, b: Int)] = []
    var (distanceA, distanceB) = (1, 1)
    for (fromEnd, extent) in shape.reversed().enumerated() where extent != 1 {
      let ownA = fromEnd < shapeA.count ? shapeA[shapeA.count - 1 - fromEnd] : 1
      let ownB = fromEnd < shapeB.count ? shapeB[shapeB.count - 1 - fromEnd] : 1
      let axis = (extent: extent, a: ownA == 1 ? 0 : distanceA, b: ownB == 1 ? 0 : distanceB)
      distanceA *= ownA
      distanceB *= ownB
      if let last = merged.last, last.a * last.extent == axis.a, last.b * last.extent == axis.b {
        merged[merged.count - 1].extent *= extent
      } else {
        merged.append(axis)
      }
    }
    guard let first = merged.first else { return }
    length = first.extent
    extents = merged.dropFirst().map(\.extent)
    a = Steps(inner: first.a, outer: merged.dropFirst().map(\.a))
    b = Steps(inner: first.b, outer: merged.dropFirst().map(\.b))
  }

  func run<Kernel: BinaryKernel>(_ kernel: Kernel.Type, _ x: Pointer, _ y: Pointer, into result: Pointer) {
    let isShort = (a.isWhole && b.isPeriodic) || (a.isPeriodic && b.isWhole) ? length < 256 : length < 16
    if isShort {
      runInChunks(kernel, x, y, into: result)
    } else {
      parallel(rows, work: rows * length) { runRows(kernel, x, y, into: result, $0) }
    }
  }

  private func runRows<Kernel: BinaryKernel>(
    _ kernel: Kernel.Type, _ x: Pointer, _ y: Pointer, into result: Pointer, _ rows: Range<Int>
  ) {
    let last = length - 16
    eachRow(of: rows, a.outer, b.outer) { row, offsetX, offsetY in
      let (x, y, result) = (x + offsetX, y + offsetY, result + row * length)
      combineRow(kernel, x, a.inner, y, b.inner, into: result, 0..<length & ~15)
      // A full vector at the end would reach into the next row; done over again from further back it does not.
      guard length & 15 != 0 else { return }
      combineRow(kernel, x + last * a.inner, a.inner, y + last * b.inner, b.inner, into: result + last, 0..<16)
    }
  }

  /// For short rows: many of them at a time, a stretched operand laid out in a buffer.
  private func runInChunks<Kernel: BinaryKernel>(
    _ kernel: Kernel.Type, _ x: Pointer, _ y: Pointer, into result: Pointer
  ) {
    let rows = rows
    let chunk = 16 * max(1, 64 / length)  // rows; whole vectors for any length
    let (a, b) = (a, b)
    let (wholeX, wholeY) = (a.isWhole, b.isWhole)
    let (keepsX, keepsY) = (a.isPeriodic, b.isPeriodic)
    parallel((rows + chunk - 1) / chunk, work: rows * length) { chunks in
      let buffers = Storage(count: 2 * (chunk * length + 16))
      let (bufferX, bufferY) = (buffers.pointer, buffers.pointer + chunk * length + 16)
      for index in chunks {
        let part = index * chunk..<min(rows, (index + 1) * chunk)
        let isFirst = index == chunks.lowerBound
        if !wholeX, isFirst || !keepsX { layOut(part, of: x, a, in: bufferX) }
        if !wholeY, isFirst || !keepsY { layOut(part, of: y, b, in: bufferY) }
        let start = part.lowerBound * length
        combine(
          kernel, wholeX ? x + start : bufferX, 1, wholeY ? y + start : bufferY, 1, into: result + start,
          0..<part.count * length)
      }
      withExtendedLifetime(buffers) {}
    }
  }

  /// Rows of one operand as they are in the result.
  private func layOut(_ rows: Range<Int>, of source: Pointer, _ steps: Steps, in buffer: Pointer) {
    eachRow(of: rows, steps.outer, steps.outer) { row, offset, _ in
      let (from, to) = (source + offset, buffer + (row - rows.lowerBound) * length)
      // What a vector writes beyond the end of a row is overwritten by the next.
      if length > 16 {
        to.update(from: from, count: length)
      } else {
        (steps.inner == 0 ? Vector(repeating: from[0]) : Vector(loading: from)).store(to: to)
      }
    }
  }

  /// Calls `body` with each row and where it begins in two operands.
  @inline(always)
  private func eachRow(
    of rows: Range<Int>, _ stepsA: [Int], _ stepsB: [Int], _ body: (_ row: Int, _ a: Int, _ b: Int) -> Void
  ) {
    let run = extents.first ?? 1
    let (stepA, stepB) = (stepsA.first ?? 0, stepsB.first ?? 0)
    var row = rows.lowerBound
    while row < rows.upperBound {
      var (rest, a, b) = (row, 0, 0)
      for (axis, extent) in extents.enumerated() {
        a += rest % extent * stepsA[axis]
        b += rest % extent * stepsB[axis]
        rest /= extent
      }
      let end = min(rows.upperBound, (row / run + 1) * run)
      while row < end {
        body(row, a, b)
        a += stepA
        b += stepB
        row += 1
      }
    }
  }
}
