import Tensors

extension Range<Int> {
  /// One epoch of batches of these positions in a new random order: each position occurs once.
  ///
  /// For any data with a count: `for batch in (0..<count).batches(ofSize: 128, shuffledUsing: &random)`.
  ///
  /// - Parameters:
  ///   - size: the positions in a batch.
  ///   - droppingLast: leaves out the last batch if it is smaller than the rest.
  ///   - random: where the order comes from.
  /// - Precondition: `size` is 1 or more.
  public func batches(
    ofSize size: Int, droppingLast: Bool = false, shuffledUsing random: inout Random
  ) -> [[Int]] {
    cut(shuffledIndices(count, using: &random).map { lowerBound + $0 }, size, droppingLast)
  }

  /// These positions in batches, in order, as for measuring on a test set.
  ///
  /// - Precondition: `size` is 1 or more.
  public func batches(ofSize size: Int, droppingLast: Bool = false) -> [[Int]] {
    cut(Array(self), size, droppingLast)
  }
}

extension LabelledImages {
  /// One epoch of batches in a new random order, as indices: each image occurs once.
  ///
  /// - Parameters:
  ///   - size: the images in a batch.
  ///   - droppingLast: leaves out the last batch if it is smaller than the rest.
  ///   - random: where the order comes from.
  /// - Precondition: `size` is 1 or more.
  public func batches(
    ofSize size: Int, droppingLast: Bool = false, shuffledUsing random: inout Random
  ) -> [[Int]] {
    indices.batches(ofSize: size, droppingLast: droppingLast, shuffledUsing: &random)
  }

  /// The indices of all images in batches, in order, as for measuring on a test set.
  ///
  /// - Precondition: `size` is 1 or more.
  public func batches(ofSize size: Int, droppingLast: Bool = false) -> [[Int]] {
    indices.batches(ofSize: size, droppingLast: droppingLast)
  }
}

private func cut(_ positions: [Int], _ size: Int, _ droppingLast: Bool) -> [[Int]] {
  guard size > 0 else { fail("batches", "a batch cannot have \(size) examples; its size must be 1 or more") }
  let end = droppingLast ? positions.count / size * size : positions.count
  return stride(from: 0, to: end, by: size).map { Array(positions[$0..<min($0 + size, end)]) }
}

/// The numbers below `count` in a random order that is the same in every version of Swift (Fisher & Yates).
func shuffledIndices(_ count: Int, using random: inout Random) -> [Int] {
  var order = Array(0..<count)
  for last in stride(from: count - 1, to: 0, by: -1) {
    order.swapAt(last, Int(random.next().multipliedFullWidth(by: UInt64(last + 1)).high))
  }
  return order
}
