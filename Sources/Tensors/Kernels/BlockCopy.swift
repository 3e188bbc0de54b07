/// One axis of a copy: its extent, and the distances between neighbours where values are read and where they are written.
package struct CopyAxis {
  var extent: Int
  var reading: Int
  var writing: Int

  package init(extent: Int, reading: Int, writing: Int) {
    (self.extent, self.reading, self.writing) = (extent, reading, writing)
  }

  /// The part that begins at `start` and has `length` places, at most.
  func part(from start: Int, length: Int) -> CopyAxis {
    CopyAxis(extent: min(length, extent - start), reading: reading, writing: writing)
  }
}

/// Copies a block of values from one arrangement in memory to another; the axes come from the outermost to the innermost.
///
/// Axes that follow each other on both sides are joined. The innermost axis, and the one along which reading is
/// contiguous, form planes that are copied in tiles: whole runs where both sides are contiguous, small transposed blocks where not.
package func copyBlock(_ axes: [CopyAxis], from source: Pointer, to target: Pointer) {
  let count = axes.reduce(1) { $0 * $1.extent }
  guard count > 0 else { return }
  let single = CopyAxis(extent: 1, reading: 1, writing: 1)
  var outer = joined(axes)
  let columns = outer.popLast() ?? single
  let contiguous = (0...1).contains(columns.reading) ? nil : outer.firstIndex { $0.reading == 1 }
  let rows = outer.isEmpty ? single : outer.remove(at: contiguous ?? outer.count - 1)
  let width = contiguous == nil ? 16_384 : 256
  let height = contiguous == nil ? max(1, 16_384 / min(columns.extent, width)) : 128
  let (down, across) = ((rows.extent + height - 1) / height, (columns.extent + width - 1) / width)
  parallel(outer.reduce(down * across) { $0 * $1.extent }, work: count) { tiles in
    for tile in tiles {
      let (row, column) = (tile / across % down * height, tile % across * width)
      var from = source + row * rows.reading + column * columns.reading
      var to = target + row * rows.writing + column * columns.writing
      var rest = tile / across / down
      for axis in outer.reversed() {
        from += rest % axis.extent * axis.reading
        to += rest % axis.extent * axis.writing
        rest /= axis.extent
      }
      copyPlane(rows.part(from: row, length: height), columns.part(from: column, length: width), from, to)
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

private func copyPlane(_ rows: CopyAxis, _ columns: CopyAxis, _ source: Pointer, _ target: Pointer) {
  switch (columns.reading, columns.writing) {
  case (1, 1): copyRuns(rows, columns.extent, source, target)
  case (0, 1):
    for row in 0..<rows.extent {
      (target + row * rows.writing).update(repeating: source[row * rows.reading], count: columns.extent)
    }
  case (_, 1) where rows.reading == 1 && rows.extent > 3: transposePlane(rows, columns, source, target)
  case (-1, 1): copyEach(rows, columns.extent, -1, 1, source, target)  // constants that the loop can use
  default: copyEach(rows, columns.extent, columns.reading, columns.writing, source, target)
  }
}

/// Rows of `width` neighbours: short ones without calling a function, the last vector overlapping the one before.
private func copyRuns(_ rows: CopyAxis, _ width: Int, _ source: Pointer, _ target: Pointer) {
  for row in 0..<rows.extent {
    let (from, to) = (source + row &* rows.reading, target + row &* rows.writing)
    if width > 128 {
      to.update(from: from, count: width)
    } else if width < 16 {
      for place in 0..<width { to[place] = from[place] }
    } else {
      var place = 0
      while place < width {
        let start = min(place, width - 16)
        Vector(loading: from + start).store(to: to + start)
        place += 16
      }
    }
  }
}

@inline(always)
private func copyEach(
  _ rows: CopyAxis, _ width: Int, _ reading: Int, _ writing: Int, _ source: Pointer, _ target: Pointer
) {
  for row in 0..<rows.extent {
    let (from, to) = (source + row * rows.reading, target + row * rows.writing)
    for column in 0..<width { to[column &* writing] = from[column &* reading] }
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
  let right = columns.part(from: width, length: 4)
  copyEach(right, height, 1, rows.writing, source + width * columns.reading, target + width)
  let bottom = rows.part(from: height, length: 4)
  copyEach(bottom, columns.extent, columns.reading, 1, source + height, target + height * rows.writing)
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
