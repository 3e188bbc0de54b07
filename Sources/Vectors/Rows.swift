/// Up to sixteen values at one place of a row; a row's end need not be the end of its padded storage.
@usableFromInline package struct RowLanes {
  @usableFromInline let pointer: Pointer
  /// How many values are left of the row; more than sixteen are as good as sixteen.
  @usableFromInline let count: Int

  @inlinable @inline(always) package init(_ pointer: Pointer, _ count: Int) {
    (self.pointer, self.count) = (pointer, count)
  }

  /// The values `offset` further on, with zeros after the row's end, where nothing is stored.
  @inlinable @inline(always) package subscript(offset: Int) -> Vector {
    get {
      if count >= 16 { return Vector(loading: pointer + offset) }
      var end = Vector()
      copyRowEnd(pointer + offset, count, to: &end)
      return end
    }
    nonmutating set {
      if count >= 16 { return newValue.store(to: pointer + offset) }
      withUnsafePointer(to: newValue) { copyRowEnd(UnsafeRawPointer($0), count, to: pointer + offset) }
    }
  }
}

// A call by address keeps the loops over whole vectors short and in whole registers.
@usableFromInline @inline(never) func copyRowEnd(
  _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer
) {
  target.copyMemory(from: source, byteCount: count * MemoryLayout<Float>.stride)
}

/// e^(x − shift) of a row, written to `y` where that is given, and the sum.
@inlinable @inline(always) package func rowExponentials(
  _ x: Pointer, _ count: Int, minus shift: Float, into y: Pointer?
) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) {
    let e = weightExp(RowLanes(x + i, count - i)[0] - shift).filling(from: count - i, with: 0)
    if let y { RowLanes(y + i, count - i)[0] = e }
    sum += e
  }
  return sum.lanesSum
}

/// eˣ for x up to 87, 0 where the result would be denormal: processors are a hundred times slower at those.
@inlinable @inline(always) package func weightExp(_ x: Vector) -> Vector {
  let vanishes = x .< -87
  return vectorExp(inRange: x.replacing(with: -87, where: vanishes)).replacing(with: 0, where: vanishes)
}

/// Σ a·b over a row, or Σ a.
@inlinable @inline(always) package func rowSum(_ a: Pointer, times b: Pointer? = nil, _ count: Int) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) {
    let value = RowLanes(a + i, count - i)[0]
    sum += b.map { value * RowLanes($0 + i, count - i)[0] } ?? value
  }
  return sum.lanesSum
}
