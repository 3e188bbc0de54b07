import Tensors

extension Random {
  /// A number uniform in 0..<1, of 53 random bits.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number uniform in a range.
  mutating func uniform(in range: ClosedRange<Float>) -> Float {
    range.lowerBound + Float(uniform()) * (range.upperBound - range.lowerBound)
  }

  /// One of the numbers below `count`, all equally likely.
  mutating func index(below count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// A position in `cumulative`, the running sums of probabilities, drawn by them.
  mutating func index(cumulative: [Double]) -> Int {
    let level = uniform() * (cumulative.last ?? 1)
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > level { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// The running sums of `values`.
func cumulativeSums(_ values: [Double]) -> [Double] {
  var sum = 0.0
  return values.map { value in
    sum += value
    return sum
  }
}

/// Stops unless `count` samples can be drawn.
func checkSampleCount(_ count: Int) {
  guard count >= 0 else { fail("samples", "cannot draw \(count) samples; the number must be 0 or more") }
}

/// The number of events in `shape`, after checking that each has `size` values, whatever its axes.
func eventCount(of shape: [Int], size: Int, named event: String) -> Int {
  guard let count = shape.first, shape.dropFirst().reduce(1, *) == size else {
    fail("logProbability", "needs samples of shape [count, \(event)]; got \(shape)")
  }
  return count
}
