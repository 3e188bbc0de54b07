import LessonKit

extension ModeCoverage {
  /// The share of samples that one would have to move to agree with equal modes, each good with probability `goodShare`.
  ///
  /// It is the total variation distance over two cells for each mode, good samples and others. In contrast to the share
  /// of good samples it notices modes that are too narrow.
  func outOfPlace(goodShare: Double) -> Double {
    let count = Double(shares.count)
    return zip(shares, goodShares).reduce(0) { sum, mode in
      sum + abs(mode.1 - goodShare / count) + abs(mode.0 - mode.1 - (1 - goodShare) / count)
    } / 2
  }
}
