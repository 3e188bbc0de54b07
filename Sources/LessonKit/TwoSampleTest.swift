import Tensors

/// Whether two sets of points could come from one law: a permutation test of the energy distance.
///
/// The statistic is 2 E|x − y| − E|x − x′| − E|y − y′|, which is 0 for equal laws alone (Székely & Rizzo, "Energy statistics", 2013). Under
/// the hypothesis that both laws are equal the points could have been dealt out in any way, so that a p-value of at most α
/// has a probability of at most α, whatever the law and however few the points.
public struct TwoSampleTest: Sendable {
  /// The energy distance of the two sets.
  public let distance: Double
  /// The share of deals, this one among them, whose distance is at least as large.
  public let pValue: Double

  /// The test of `first` and `second`, `[count, dimensions]` each, by so many random deals; the smallest p-value is 1/(deals + 1).
  ///
  /// - Precondition: both sets have a point, and as many dimensions; `deals` is 1 or more.
  public init(_ first: Tensor, _ second: Tensor, deals: Int = 999, using random: inout Random) {
    checkPoints("TwoSampleTest", first, second, least: 1)
    guard deals >= 1 else { fail("TwoSampleTest", "needs 1 deal or more; got \(deals)") }
    let pooled = concatenate([first, second], axis: 0)
    let (own, other) = (first.shape[0], second.shape[0])
    var signs = [Float](repeating: 1 / Float(own), count: own) + [Float](repeating: -1 / Float(other), count: other)
    var dealt = signs
    for _ in 0..<deals {
      signs.shuffle(using: &random)
      dealt += signs
    }
    // With s = 1/n on one set and −1/m on the other the distance is −Σᵢⱼ sᵢ sⱼ |xᵢ − xⱼ|.
    let deal = Tensor(dealt, shape: [deals + 1, own + other])
    let distances = sqrt(squaredDistances(pooled, pooled))
    let statistics = (matmul(deal, distances) * deal).sum(axis: 1).scalars.map { -Double($0) }
    let actual = statistics[0]
    // A hair's breadth, so that equal deals count as equal whatever the order of their sums.
    distance = actual
    pValue = Double(statistics.count { $0 >= actual - 1e-6 * abs(actual) }) / Double(deals + 1)
  }
}
