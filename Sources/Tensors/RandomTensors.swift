extension Tensor {
  /// Independent values, uniform in `range`.
  public static func uniform(_ shape: [Int], in range: Range<Float> = 0..<1, using random: inout Random) -> Tensor {
    let (low, width) = (Vector(repeating: range.lowerBound), Vector(repeating: range.upperBound - range.lowerBound))
    let last = Vector(repeating: range.upperBound.nextDown)
    return drawn(shape, using: &random) { units, target in
      // Rounding could reach the open end.
      smaller(fma(units[0], width, low), last).store(to: target)
    }
  }

  /// Independent standard normal values (Box & Muller, 1958).
  public static func normal(_ shape: [Int], using random: inout Random) -> Tensor {
    drawn(shape, vectors: 2, using: &random) { units, target in
      let (first, second) = (units[0], units[1])
      let radius = vectorSquareRoot(-2 * vectorLog(first))
      let (cosine, sine) = vectorCosineAndSine(turns: second)
      (radius * cosine).store(to: target)
      (radius * sine).store(to: target + 16)
    }
  }

  /// Independent standard Gumbel values, −ln(−ln u).
  public static func gumbel(_ shape: [Int], using random: inout Random) -> Tensor {
    drawn(shape, using: &random) { units, target in (-vectorLog(-vectorLog(units[0]))).store(to: target) }
  }

  /// Independent standard logistic values, ln(u/(1−u)).
  public static func logistic(_ shape: [Int], using random: inout Random) -> Tensor {
    drawn(shape, using: &random) { units, target in vectorLog(units[0] / (1 - units[0])).store(to: target) }
  }

  /// 1 with the probability that each value gives and 0 otherwise; no gradient flows.
  public static func bernoulli(_ probabilities: Tensor, using random: inout Random) -> Tensor {
    Tensor.uniform(probabilities.shape, using: &random) .< probabilities.detached()
  }

  /// Values made so many vectors at a time from as many of uniform numbers, in an order that threads do not change.
  @inline(always)
  private static func drawn(
    _ shape: [Int], vectors: Int = 1, using random: inout Random, _ make: (_ units: UnitIntervals, Pointer) -> Void
  ) -> Tensor {
    let count = checkedCount(of: shape, in: "Tensor")
    let calls = (count + 16 * vectors - 1) / (16 * vectors)
    let result = Storage(count: calls * vectors * 16)
    let stream = random
    parallel(calls, work: 4 * count) { range in
      for call in range {
        make(UnitIntervals(stream: stream, start: call * vectors * 8), result.pointer + call * vectors * 16)
      }
    }
    random.skip(calls * vectors * 8)
    return Tensor(storage: result, shape: shape)
  }
}

/// Vectors of independent numbers, uniform in 0…1, of a stream after its first `start` draws.
private struct UnitIntervals {
  let stream: Random
  let start: Int

  /// 23 random bits as the middle of one of 2²³ equal parts of 0…1: never 0 and never 1.
  @inline(always) subscript(number: Int) -> Vector {
    let bits = stream.bits(after: start + 8 * number)
    return unsafeBitCast((bits &>> 9) | 0x3f80_0000, to: Vector.self) - (1 - 0x1p-24)
  }
}

extension IndexTensor {
  /// Independent classes with probabilities proportional to e^logit: `[…, classes]` → `[…]`, by the Gumbel-max trick.
  ///
  /// - Precondition: there are classes, and each row has one whose logit is above −∞.
  public static func categorical(logits: Tensor, using random: inout Random) -> IndexTensor {
    guard let classes = logits.shape.last, classes > 0 else {
      fail("categorical", "needs logits for one class or more along the last axis, not shape \(logits.shape)")
    }
    let logits = logits.detached()
    let best = logits.max(axis: -1)
    guard best.count == 0 || (best .> -.infinity).min().scalar > 0 else {
      fail("categorical", "a row of the logits, of shape \(logits.shape), is −∞ throughout or holds NaN")
    }
    return (logits + .gumbel(logits.shape, using: &random)).argmax(axis: -1)
  }

  /// The numbers 0..<`count` in random order, `[count]`, each order as likely (Fisher & Yates; Durstenfeld, 1964).
  ///
  /// - Precondition: `count` is not negative.
  public static func permutation(_ count: Int, using random: inout Random) -> IndexTensor {
    guard count >= 0, count <= Int(Int32.max) else { fail("permutation", "cannot order \(count) numbers") }
    var numbers = Array(0..<Int32(count))
    for last in stride(from: count - 1, to: 0, by: -1) {
      numbers.swapAt(last, Int(random.next(upperBound: UInt64(last + 1))))
    }
    return IndexTensor(numbers)
  }
}

extension Random {
  /// The next eight numbers after skipping `skipped`, as sixteen 32-bit halves.
  @inline(always) fileprivate func bits(after skipped: Int) -> SIMD16<UInt32> {
    let steps = SIMD8<UInt64>(1, 2, 3, 4, 5, 6, 7, 8) &+ SIMD8(repeating: UInt64(skipped))
    var z = steps &* SIMD8(repeating: gamma) &+ SIMD8(repeating: seed)
    z = (z ^ (z &>> 30)) &* SIMD8(repeating: 0xbf58_476d_1ce4_e5b9)
    z = (z ^ (z &>> 27)) &* SIMD8(repeating: 0x94d0_49bb_1331_11eb)
    return unsafeBitCast(z ^ (z &>> 31), to: SIMD16<UInt32>.self)
  }

  /// Leaves out the next `count` numbers.
  fileprivate mutating func skip(_ count: Int) { seed &+= gamma &* UInt64(count) }
}
