import LessonKit

// The kernel two-sample test of Gretton, Borgwardt, Rasch, Schölkopf & Smola (2012), JMLR 13, 723–773.

/// The Gaussian kernel exp(−|x − y|²/(2σ²)) of every pair; σ is the bandwidth.
///
/// `[…, n, dimensions], […, m, dimensions] → […, n, m]`.
func gaussianKernel(_ x: Tensor, _ y: Tensor, bandwidth: Float) -> Tensor {
  // BEGIN SOLUTION MomentMatching.1
  let xx = square(x).sum(axis: -1, keepingAxes: true)  // […, n, 1]
  let yy = square(y).sum(axis: -1, keepingAxes: true).transposed()  // […, 1, m]
  let squaredDistance = xx + yy - 2 * matmul(x, y, transposingSecond: true)
  return exp(squaredDistance / (-2 * bandwidth * bandwidth))
  // END SOLUTION
}

/// (1 + x·y)^degree of every pair, whose MMD is 0 where all moments up to this degree agree: `[n, d], [m, d] → [n, m]`.
func polynomialKernel(_ x: Tensor, _ y: Tensor, degree: Float) -> Tensor {
  power(1 + matmul(x, y, transposingSecond: true), degree)
}

/// 1 for a pair of different points, 0 on the diagonal: `[count, count]`.
func differentPairs(_ count: Int) -> Tensor { 1 - oneHot(IndexTensor((0..<count).map(Int32.init)), classes: count) }

/// The estimate of MMD² whose expectation is MMD² itself (equation 3), from the kernels of all pairs.
///
/// `[…, n, n], […, n, m], […, m, m] → […]`. Within a set a point is never paired with itself; it may come out negative.
func unbiasedMMD(_ kxx: Tensor, _ kxy: Tensor, _ kyy: Tensor) -> Tensor {
  // BEGIN SOLUTION MomentMatching.2
  func meanOfDifferentPairs(_ k: Tensor) -> Tensor {
    let n = k.shape[k.rank - 1]
    return (k * differentPairs(n)).sum(axes: [-2, -1]) / Float(n * (n - 1))
  }
  return meanOfDifferentPairs(kxx) + meanOfDifferentPairs(kyy) - 2 * kxy.mean(axes: [-2, -1])
  // END SOLUTION
}

/// The estimate that pairs points with themselves too (equation 5): never negative, and too large on average.
func biasedMMD(_ kxx: Tensor, _ kxy: Tensor, _ kyy: Tensor) -> Tensor {
  kxx.mean(axes: [-2, -1]) + kyy.mean(axes: [-2, -1]) - 2 * kxy.mean(axes: [-2, -1])
}

/// Random ways to deal out `total` points, `first` of them to the first set: `[deals, total]`, 1 for a point of the first.
func randomDeals(_ deals: Int, first: Int, of total: Int, using random: inout Random) -> Tensor {
  Tensor(Tensor.uniform([deals, total], using: &random).sorted(axis: 1).indices) .< Float(first)
}

/// Whether two sets of points could come from one law.
struct PermutationTest {
  /// The unbiased MMD² of the two sets as they are.
  let statistic: Double
  /// The share of deals, this one among them, whose unbiased MMD² is at least as large.
  let pValue: Double
}

/// The test of the first `n` points against the rest, by dealing all of them out anew (section 5 of the paper).
///
/// With aᵢ = 1 for a point of the first set and 0 for the others, Σᵢⱼ aᵢ kᵢⱼ aⱼ sums over pairs within the first set: the kernel is
/// computed once, and one matrix product serves all deals. Values that differ by less than 1e-5 count as equal.
/// - Parameters:
///   - kernel: of every pair of the points, `[total, total]`.
///   - deals: random deals, `[deals, total]`, with n ones in each row.
func permutationTest(_ kernel: Tensor, first n: Int, deals: Tensor) -> PermutationTest {
  // BEGIN SOLUTION MomentMatching.3
  let total = kernel.shape[0]
  let actual = Tensor((0..<total).map { $0 < n ? 1 : 0 }, shape: [1, total])
  let a = concatenate([actual, deals], axis: 0)  // [1 + deals, total]
  let (pairs, own, other) = (kernel * differentPairs(total), Float(n), Float(total - n))
  let toFirst = matmul(a, pairs)  // [1 + deals, total]: Σⱼ aⱼ kⱼᵢ
  let within = (toFirst * a).sum(axis: 1)
  let between = toFirst.sum(axis: 1) - within
  let rest = pairs.sum() - within - 2 * between
  let dealt = within / (own * (own - 1)) + rest / (other * (other - 1)) - 2 * between / (own * other)
  let observed = dealt.scalars[0]
  let asLarge = (dealt .>= observed - 1e-5).sum().scalar  // the first row is one of them
  return PermutationTest(statistic: Double(observed), pValue: Double(asLarge) / Double(a.shape[0]))
  // END SOLUTION
}
