import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  kernelExercise.knownMistakes([
    Mistake("The 2 is missing: the exponent is −|x − y|²/(2σ²).") { exp(-distances($0, $1) / ($2 * $2)) },
    Mistake("The bandwidth is taken for σ²: it is σ, so square it.") { exp(-distances($0, $1) / (2 * $2)) },
    Mistake("The distance is not squared: the exponent has |x − y|².") {
      exp(-sqrt(distances($0, $1)) / (2 * $2 * $2))
    },
    Mistake("The sign is wrong: far points are unlike, and their kernel is near 0.") {
      exp(distances($0, $1) / (2 * $2 * $2))
    },
    Mistake("The squares are averaged over the dimensions: a distance is their sum.") {
      exp(-distances($0, $1) / (2 * $2 * $2 * Float($0.shape[$0.rank - 1])))
    },
    Mistake("x·y is taken off once: |x − y|² has it twice.") {
      exp((distances($0, $1) + matmul($0, $1, transposingSecond: true)) / ($2 * $2 * -2))
    },
    Mistake("This is the exponent: take `exp` of it.") { -distances($0, $1) / (2 * $2 * $2) },
    Mistake("Rows and columns are exchanged: x goes down, y goes along, `[…, n, m]`.") {
      exp(-distances($1, $0) / (2 * $2 * $2))
    },
    Mistake("This has the density's factor 1/(σ√2π): a kernel is 1 where x = y.") {
      exp(-distances($0, $1) / (2 * $2 * $2)) / ($2 * (2 * Float.pi).squareRoot())
    },
  ]),
  estimateExercise.knownMistakes([
    Mistake("Points are paired with themselves: leave the diagonal out and divide by n(n − 1).") {
      between($0) + between($2) - 2 * between($1)
    },
    Mistake("The diagonal is out, but still counted: there are n(n − 1) pairs, not n².") {
      within($0) * shrinking($0) + within($2) * shrinking($2) - 2 * between($1)
    },
    Mistake("The division is by n(n − 1), but the diagonal is still in the sum.") {
      between($0) / shrinking($0) + between($2) / shrinking($2) - 2 * between($1)
    },
    Mistake("This takes n off for the diagonal: a kernel need not be 1 there.") {
      (between($0) - 1 / Float($0.shape[$0.rank - 1])) / shrinking($0)
        + (between($2) - 1 / Float($2.shape[$2.rank - 1])) / shrinking($2) - 2 * between($1)
    },
    Mistake("The cross term counts twice: −2 E k(x, y).") { within($0) + within($2) - between($1) },
    Mistake("The sign is wrong: like sets have a small MMD².") { 2 * between($1) - within($0) - within($2) },
    Mistake("The second set's own pairs are missing: E k(y, y′).") { kxx, kxy, _ in within(kxx) - 2 * between(kxy) },
    Mistake("This is MMD, a square root: MMD² is asked for, which may be negative.") {
      sqrt(maximum(within($0) + within($2) - 2 * between($1), Tensor(0)))
    },
  ]),
  testExercise.knownMistakes([
    Mistake("The p-value lacks the sets as they are: they are one of the deals, above and below.") {
      tested($0, $1, $2) { Double($0) / Double($2) }
    },
    Mistake("The sets as they are count below alone: add 1 above as well.") {
      tested($0, $1, $2) { Double($0) / Double($2 + 1) }
    },
    Mistake("Deals with an equally large MMD² are left out: ≥, not >.") {
      tested($0, $1, $2) { Double($0 - $1 + 1) / Double($2 + 1) }
    },
    Mistake("The p-value is the other tail: count deals that are at least as large.") {
      tested($0, $1, $2) { Double($2 - $0 + $1 + 1) / Double($2 + 1) }
    },
    Mistake("This is 1 − p: a small p-value speaks against equal laws.") {
      tested($0, $1, $2) { 1 - Double($0 + 1) / Double($2 + 1) }
    },
    Mistake("Points are paired with themselves: set the kernel's diagonal to 0.") { kernel, n, deals in
      tested(kernel, n, deals, diagonal: 1) { Double($0 + 1) / Double($2 + 1) }
    },
    Mistake("n and m are exchanged in the divisions: the ones of a deal are the first set.") { kernel, n, deals in
      tested(kernel, n, deals, divisors: (kernel.shape[0] - n, n)) { Double($0 + 1) / Double($2 + 1) }
    },
    Mistake("The cross term counts twice: −2 E k(x, y).") { kernel, n, deals in
      tested(kernel, n, deals, cross: 1) { Double($0 + 1) / Double($2 + 1) }
    },
  ]),
  lossExercise.knownMistakes([
    Mistake("The classes are thrown together: compare each by itself, or a 3 may stand for an 8.") {
      samples, images, widths in
      let pixels = samples.shape[2]
      return classLosses(samples.reshaped(to: [-1, pixels]), images.reshaped(to: [-1, pixels]), widths).mean()
    },
    Mistake("The classes are summed: take their mean.") { classLosses($0, $1, $2).sum() },
    Mistake("There is one loss for each class: take their mean.") { classLosses($0, $1, $2) },
    Mistake("The kernels are averaged: the mixture is their sum.") {
      classLosses($0, $1, $2).mean() / Float($2.count)
    },
    Mistake("The kernels are multiplied: add them up.") { samples, images, widths in
      let width = 1 / widths.map { 1 / ($0 * $0) }.reduce(0, +).squareRoot()
      return classLosses(samples, images, [width]).mean()
    },
    Mistake("Only one bandwidth is used: there is a kernel for each.") { samples, images, widths in
      classLosses(samples, images, [widths[0]]).mean()
    },
    Mistake("The bandwidths are averaged to one: there is a kernel for each.") { samples, images, widths in
      classLosses(samples, images, [widths.reduce(0, +) / Float(widths.count)]).mean()
    },
    Mistake("Samples are paired with themselves: that is the biased estimate.") { samples, images, widths in
      (between(summed(samples, samples, widths)) + between(summed(images, images, widths))
        - 2 * between(summed(samples, images, widths))).mean()
    },
    Mistake("The images' own pairs are missing: no gradient, but without them it is no MMD² and has no zero.") {
      (within(summed($0, $0, $2)) - 2 * between(summed($0, $1, $2))).mean()
    },
    Mistake("The value is right, but no gradient reaches the samples.") { classLosses($0.detached(), $1, $2).mean() },
    Mistake("The sign is wrong: a loss falls as samples become like images.") { -classLosses($0, $1, $2).mean() },
  ]),
]

/// |x − y|² of all pairs, by differences: `[…, n, d], […, m, d] → […, n, m]`.
private func distances(_ x: Tensor, _ y: Tensor) -> Tensor {
  let (lead, n, m, d) = (Array(x.shape.dropLast(2)), x.shape[x.rank - 2], y.shape[y.rank - 2], x.shape[x.rank - 1])
  return square(x.reshaped(to: lead + [n, 1, d]) - y.reshaped(to: lead + [1, m, d])).sum(axis: -1)
}

private func between(_ k: Tensor) -> Tensor { k.mean(axes: [-2, -1]) }

/// (n − 1)/n: what a mean over pairs of different points becomes when n² pairs are counted.
private func shrinking(_ k: Tensor) -> Float { 1 - 1 / Float(k.shape[k.rank - 1]) }

private func within(_ k: Tensor) -> Tensor { between(k * differentPairs(k.shape[k.rank - 1])) / shrinking(k) }

private func summed(_ x: Tensor, _ y: Tensor, _ widths: [Float]) -> Tensor {
  widths.map { exp(-distances(x, y) / (2 * $0 * $0)) }.reduce(Tensor(0), +)
}

/// The loss of each class as it should be, which no student's function takes part in.
private func classLosses(_ samples: Tensor, _ images: Tensor, _ widths: [Float]) -> Tensor {
  within(summed(samples, samples, widths)) + within(summed(images, images, widths))
    - 2 * between(summed(samples, images, widths))
}

/// A test with one thing changed; `pValue` is told how many deals are as large, how many of these equally so, and of how many.
private func tested(
  _ kernel: Tensor, _ n: Int, _ deals: Tensor, diagonal: Float = 0, divisors: (Int, Int)? = nil, cross: Float = 2,
  pValue: (Int, Int, Int) -> Double
) -> PermutationTest {
  let total = kernel.shape[0]
  let (own, other) = divisors.map { (Float($0), Float($1)) } ?? (Float(n), Float(total - n))
  let k = kernel * (differentPairs(total) * (1 - diagonal) + diagonal)
  func estimates(_ first: Tensor) -> [Float] {
    let second = 1 - first
    let sums = [(first, first), (second, second), (first, second)].map { (matmul($0, k) * $1).sum(axis: 1) }
    return (sums[0] / (own * (own - 1)) + sums[1] / (other * (other - 1)) - sums[2] * (cross / (own * other))).scalars
  }
  let observed = estimates(Tensor((0..<total).map { $0 < n ? 1 : 0 }, shape: [1, total]))[0]
  let dealt = estimates(deals)
  let (asLarge, equal) = (dealt.count { $0 >= observed - 1e-5 }, dealt.count { Swift.abs($0 - observed) <= 1e-5 })
  return PermutationTest(statistic: Double(observed), pValue: pValue(asLarge, equal, dealt.count))
}
