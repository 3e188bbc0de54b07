extension Vector {
  /// Up to sixteen values that are left of a row, then `filler`: a row's end need not be the end of its padded storage.
  @inline(always) init(row pointer: UnsafePointer<Float>, count: Int, filler: Float = 0) {
    if count >= 16 {
      self.init(loading: pointer)
    } else {
      self.init(repeating: filler)
      for lane in 0..<count { self[lane] = pointer[lane] }
    }
  }

  /// Stores the first `count` lanes, at most sixteen.
  @inline(always) func store(to pointer: Pointer, count: Int) {
    if count >= 16 { return store(to: pointer) }
    for lane in 0..<count { pointer[lane] = self[lane] }
  }

  /// The largest lane.
  @inline(always) var lanesMaximum: Float {
    let eight = pointwiseLarger(lowHalf, highHalf)
    let four = pointwiseLarger(eight.lowHalf, eight.highHalf)
    let two = pointwiseLarger(four.lowHalf, four.highHalf)
    return Swift.max(two.x, two.y)
  }
}

@inline(always) private func pointwiseLarger<V: SIMD>(_ a: V, _ b: V) -> V where V.Scalar: Comparable {
  a.replacing(with: b, where: b .> a)
}

/// The largest of a row's values; NaN is passed over.
@inline(always) func rowMaximum(_ x: Pointer, _ count: Int) -> Float {
  var largest = Vector(repeating: -.infinity)
  for i in stride(from: 0, to: count, by: 16) {
    largest = pointwiseLarger(largest, Vector(row: x + i, count: count - i, filler: -.infinity))
  }
  return largest.lanesMaximum
}

/// e^(x − shift) of a row, written to `y` where that is given, and the sum.
@inline(always) func rowExponentials(_ x: Pointer, _ count: Int, minus shift: Float, into y: Pointer?) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) {
    let e = vectorExp(Vector(row: x + i, count: count - i, filler: -.infinity) - shift)
    if let y { e.store(to: y + i, count: count - i) }
    sum += e
  }
  return sum.lanesSum
}

/// Σ a·b over a row, of up to sixteen lanes at a time.
@inline(always) func rowProduct(_ a: Pointer, _ b: Pointer, _ count: Int) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) {
    sum = fma(Vector(row: a + i, count: count - i), Vector(row: b + i, count: count - i), sum)
  }
  return sum.lanesSum
}

/// Σ a over a row.
@inline(always) func rowSum(_ a: Pointer, _ count: Int) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) { sum += Vector(row: a + i, count: count - i) }
  return sum.lanesSum
}
