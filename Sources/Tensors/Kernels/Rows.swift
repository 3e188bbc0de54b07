extension Vector {
  /// Up to sixteen values that are left of a row, then `filler`: a row's end need not be the end of its padded storage.
  @inline(always) init(row pointer: UnsafePointer<Float>, count: Int, filler: Float = 0) {
    self = count >= 16 ? Vector(loading: pointer) : rowEnd(pointer, count, filler)
  }

  /// Stores the first `count` lanes, at most sixteen.
  @inline(always) func store(to pointer: Pointer, count: Int) {
    if count >= 16 { store(to: pointer) } else { storeRowEnd(self, pointer, count) }
  }

  /// The largest lane; NaN is passed over.
  @inline(always) var lanesMaximum: Float {
    // Written out, since comparisons of generic vectors are computed lane by lane.
    let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    return Swift.max(Swift.max(four.x, four.y), Swift.max(four.z, four.w))
  }
}

// Kept out of line, so that the loops over whole vectors stay short.
@inline(never) private func rowEnd(_ pointer: UnsafePointer<Float>, _ count: Int, _ filler: Float) -> Vector {
  var result = Vector(repeating: filler)
  for lane in 0..<count { result[lane] = pointer[lane] }
  return result
}

@inline(never) private func storeRowEnd(_ vector: Vector, _ pointer: Pointer, _ count: Int) {
  for lane in 0..<count { pointer[lane] = vector[lane] }
}

/// The largest of a row's values; NaN is passed over.
@inline(always) func rowMaximum(_ x: Pointer, _ count: Int) -> Float {
  var largest = Vector(repeating: -.infinity)
  for i in stride(from: 0, to: count, by: 16) {
    let value = Vector(row: x + i, count: count - i, filler: -.infinity)
    largest = largest.replacing(with: value, where: value .> largest)
  }
  return largest.lanesMaximum
}

/// eˣ, 0 where the result would be denormal: processors are a hundred times slower at those.
@inline(always) func weightExp(_ x: Vector) -> Vector {
  let vanishes = x .< -87
  return vectorExp(x.replacing(with: -87, where: vanishes)).replacing(with: 0, where: vanishes)
}

/// e^(x − shift) of a row, written to `y` where that is given, and the sum.
@inline(always) func rowExponentials(_ x: Pointer, _ count: Int, minus shift: Float, into y: Pointer?) -> Float {
  var sum = Vector()
  for i in stride(from: 0, to: count, by: 16) {
    let e = weightExp(Vector(row: x + i, count: count - i, filler: -.infinity) - shift)
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
