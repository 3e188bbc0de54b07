/// One axis of a copy: its extent, and the distances between neighbours where values are read and where they are written.
struct CopyAxis {
  var extent: Int
  var reading: Int
  var writing: Int

  /// The part that begins at `start` and has `length` places, at most.
  func part(from start: Int, length: Int) -> CopyAxis {
    CopyAxis(extent: min(length, extent - start), reading: reading, writing: writing)
  }

  /// The same places, `length` to a step.
  func tiled(_ length: Int) -> CopyAxis {
    CopyAxis(extent: (extent + length - 1) / length, reading: reading * length, writing: writing * length)
  }
}

/// Copies a block of values from one arrangement in memory to another; the axes come from the outermost to the innermost.
///
/// Axes that follow each other on both sides are joined. The innermost axis, and the one along which reading is
/// contiguous, form planes that are copied in tiles: whole runs where both sides are contiguous, small transposed blocks where not.
func copyBlock(_ axes: [CopyAxis], from source: Pointer, to target: Pointer) {
  let count = axes.reduce(1) { $0 * $1.extent }
  guard count > 0 else { return }
  var outer = joined(axes)
  let columns = outer.popLast() ?? CopyAxis(extent: 1, reading: 1, writing: 1)
  let contiguous = (0...1).contains(columns.reading) ? nil : outer.firstIndex { $0.reading == 1 }
  let rows =
    outer.isEmpty ? CopyAxis(extent: 1, reading: 0, writing: 0) : outer.remove(at: contiguous ?? outer.count - 1)
  let width = contiguous == nil ? 16_384 : 256
  let height = contiguous == nil ? max(1, 16_384 / min(columns.extent, width)) : 64
  outer += [rows.tiled(height), columns.tiled(width)]
  parallel(outer.reduce(1) { $0 * $1.extent }, work: count) { tiles in
    var walk = CopyWalk(outer, startingAt: tiles.lowerBound)
    for _ in tiles {
      copyPlane(
        rows.part(from: walk.index[outer.count - 2] * height, length: height),
        columns.part(from: walk.index[outer.count - 1] * width, length: width),
        from: source + walk.reading, to: target + walk.writing)
      walk.advance()
    }
  }
}

/// The axes without those of one place, and with those that follow each other on both sides made one.
private func joined(_ axes: [CopyAxis]) -> [CopyAxis] {
  var result: [CopyAxis] = []
  for axis in axes where axis.extent != 1 {
    if let last = result.last, last.reading == axis.reading * axis.extent, last.writing == axis.writing * axis.extent {
      result[result.count - 1] = axis
      result[result.count - 1].extent *= last.extent
    } else {
      result.append(axis)
    }
  }
  return result
}

private func copyPlane(_ rows: CopyAxis, _ columns: CopyAxis, from source: Pointer, to target: Pointer) {
  switch (columns.reading, columns.writing) {
  case (1, 1) where columns.extent >= 8:
    for row in 0..<rows.extent {
      (target + row * rows.writing).update(from: source + row * rows.reading, count: columns.extent)
    }
  case (0, 1):
    for row in 0..<rows.extent {
      (target + row * rows.writing).update(repeating: source[row * rows.reading], count: columns.extent)
    }
  case (_, 1) where rows.reading == 1 && columns.reading != 1: transposePlane(rows, columns, source, target)
  default: copyEach(rows, columns, source, target)
  }
}

private func copyEach(_ rows: CopyAxis, _ columns: CopyAxis, _ source: Pointer, _ target: Pointer) {
  for row in 0..<rows.extent {
    let (from, to) = (source + row * rows.reading, target + row * rows.writing)
    for column in 0..<columns.extent { to[column &* columns.writing] = from[column &* columns.reading] }
  }
}

/// A plane that is read along its columns and written along its rows, four by four values at a time.
private func transposePlane(_ rows: CopyAxis, _ columns: CopyAxis, _ source: Pointer, _ target: Pointer) {
  let (height, width) = (rows.extent & ~3, columns.extent & ~3)
  for top in stride(from: 0, to: height, by: 16) {  // sixteen rows use a cache line of the source
    for column in stride(from: 0, to: width, by: 4) {
      for row in stride(from: top, to: min(top + 16, height), by: 4) {
        transposeBlock(
          source + row + column * columns.reading, columns.reading, target + row * rows.writing + column, rows.writing)
      }
    }
  }
  copyEach(
    rows.part(from: 0, length: height), columns.part(from: width, length: 4), source + width * columns.reading,
    target + width)
  copyEach(rows.part(from: height, length: 4), columns, source + height, target + height * rows.writing)
}

/// Four times four values exchanged about the diagonal.
@inline(always)
private func transposeBlock(_ source: Pointer, _ reading: Int, _ target: Pointer, _ writing: Int) {
  typealias Four = SIMD4<Float>
  func line(_ number: Int) -> Four { UnsafeRawPointer(source + number * reading).loadUnaligned(as: Four.self) }
  func store(_ values: Four, _ number: Int) {
    UnsafeMutableRawPointer(target + number * writing).storeBytes(of: values, as: Four.self)
  }
  let block = Vector(
    lowHalf: SIMD8(lowHalf: line(0), highHalf: line(1)), highHalf: SIMD8(lowHalf: line(2), highHalf: line(3)))
  store(block.evenHalf.evenHalf, 0)
  store(block.oddHalf.evenHalf, 1)
  store(block.evenHalf.oddHalf, 2)
  store(block.oddHalf.oddHalf, 3)
}

/// Walks places in row-major order, keeping the offsets at which to read and write.
private struct CopyWalk {
  private let axes: [CopyAxis]
  private(set) var index: [Int]
  private(set) var reading = 0
  private(set) var writing = 0

  init(_ axes: [CopyAxis], startingAt start: Int) {
    self.axes = axes
    var rest = start
    index = Array(repeating: 0, count: axes.count)
    for number in axes.indices.reversed() {
      (rest, index[number]) = rest.quotientAndRemainder(dividingBy: axes[number].extent)
      reading += index[number] * axes[number].reading
      writing += index[number] * axes[number].writing
    }
  }

  mutating func advance() {
    for number in axes.indices.reversed() {
      let axis = axes[number]
      index[number] += 1
      reading += axis.reading
      writing += axis.writing
      if index[number] < axis.extent { return }
      reading -= axis.extent * axis.reading
      writing -= axis.extent * axis.writing
      index[number] = 0
    }
  }
}
