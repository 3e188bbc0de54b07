import LessonKit

// What a student writes in MomentMatching.swift and GMMN.swift: for each exercise its cases, which return values and never verdicts.

/// MomentMatching.1 to MomentMatching.4.
let exercises: [any ExerciseSpecification] = [kernelExercise, estimateExercise, testExercise, lossExercise]

let kernelExercise = Exercise(
  "MomentMatching.1", "The Gaussian kernel of all pairs", points: 2, implementation: gaussianKernel,
  hints: [
    "|x − y|² = |x|² + |y|² − 2 x·y: two columns of squared lengths, and all products x·y by one `matmul`.",
    "`square(x).sum(axis: -1, keepingAxes: true)` is `[…, n, 1]`; the same of y must lie down, `[…, 1, m]`: `.transposed()`.",
    "`matmul(x, y, transposingSecond: true)` is `[…, n, m]`. Divide by −2σ², where σ is the bandwidth, and take `exp`.",
  ],
  cases: [
    kernelCase("points in the plane", [3, 2], [4, 2], bandwidth: 1.5),
    kernelCase("a narrow kernel", [6, 3], [4, 3], bandwidth: 0.7),
    kernelCase("two classes at once, a wide kernel", [2, 5, 4], [2, 3, 4], bandwidth: 3),
  ])

private func kernelCase(
  _ title: String, _ first: [Int], _ second: [Int], bandwidth: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Float) -> Tensor> {
  ExerciseCase(title) { gaussianKernel, random in
    let (x, y) = (Tensor.normal(first, using: &random), Tensor.normal(second, using: &random))
    return [
      "the kernel": gaussianKernel(x, y, bandwidth),
      "the gradient of its sum with respect to x": gradient(at: x) { gaussianKernel($0, y, bandwidth).sum() },
    ]
  }
}

let estimateExercise = Exercise(
  "MomentMatching.2", "The unbiased estimate", points: 3, implementation: unbiasedMMD,
  hints: [
    "Within a set average k over the pairs of *different* points: there are n(n − 1) of them, and the diagonal is out.",
    "`differentPairs(n)` has 0 on the diagonal and 1 elsewhere; multiply and sum over `axes: [-2, -1]`.",
    "Between the sets all n·m pairs are of different points: their plain mean, taken twice, is subtracted.",
  ],
  cases: [
    estimateCase("two small sets", [], 3, 4), estimateCase("sets of different sizes", [], 9, 5),
    estimateCase("three classes at once", [3], 5, 6),
  ])

private func estimateCase(
  _ title: String, _ classes: [Int], _ n: Int, _ m: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { unbiasedMMD, random in
    // The kernel of dot products: its diagonal is not 1.
    let (x, y) = (Tensor.normal(classes + [n, 3], using: &random), .normal(classes + [m, 3], using: &random) + 1.5)
    let kernels = [(x, x), (x, y), (y, y)].map { matmul($0, $1, transposingSecond: true) }
    return ["MMD²": unbiasedMMD(kernels[0], kernels[1], kernels[2])]
  }
}

let testExercise = Exercise(
  "MomentMatching.3", "The permutation test", points: 4, implementation: permutationTest,
  hints: [
    "Put `actual` on top of `deals` and call that A; K is the kernel with its diagonal set to 0. `matmul(A, K)` is computed once.",
    "Row by row: Σ (AK)·A is the sum within the first set; Σ AK less that, between the sets; all of K less the former and twice the latter, the rest.",
    "Divide by n(n − 1), n·m, m(m − 1). The p-value counts the sets as they are as one deal: (1 + how many are as large)/(1 + deals).",
  ],
  cases: [
    testCase("few points", 4, 5, deals: 19), testCase("unequal sets", 12, 6, deals: 49),
    testCase("a hundred deals", 8, 10, deals: 99),
  ])

private func testCase(
  _ title: String, _ n: Int, _ m: Int, deals count: Int
) -> ExerciseCase<@MainActor (Tensor, Int, Tensor) -> PermutationTest> {
  ExerciseCase(title) { permutationTest, random in
    let points = concatenate([.normal([n, 1], using: &random), .normal([m, 1], using: &random) + 3], axis: 0)
    // Two of the deals are the sets as they are: an equally large MMD² counts.
    let same = Tensor((0..<n + m).map { $0 < n ? 1 : 0 }, shape: [1, n + m])
    let deals = concatenate([randomDeals(count - 2, first: n, of: n + m, using: &random), same, same], axis: 0)
    let kernel = exp(-abs(points - points.transposed()))
    let test = permutationTest(kernel, n, deals)
    return ["MMD²": Tensor(Float(test.statistic)), "the p-value": Tensor(Float(test.pValue))]
  }
}

let lossExercise = Exercise(
  "MomentMatching.4", "The loss of a generator", points: 3, implementation: conditionalMMD,
  dependencies: ["MomentMatching.1", "MomentMatching.2"],
  hints: [
    "The kernel is a sum: `gaussianKernel` for each of the bandwidths, added up.",
    "Three of them are needed: samples with samples, samples with images, images with images, each `[classes, …, …]`.",
    "`unbiasedMMD` of the three is `[classes]`; its mean is the loss.",
  ],
  cases: [
    lossCase("two classes", [2, 5, 3], images: 4, bandwidths: [0.8, 1.7]),
    lossCase("three bandwidths", [3, 4, 5], images: 6, bandwidths: [0.6, 1.5, 4]),
    lossCase("four classes", [4, 7, 4], images: 7, bandwidths: [0.5, 3]),
  ])

private func lossCase(
  _ title: String, _ shape: [Int], images count: Int, bandwidths: [Float]
) -> ExerciseCase<@MainActor (Tensor, Tensor, [Float]) -> Tensor> {
  ExerciseCase(title) { conditionalMMD, random in
    let samples = Tensor.normal(shape, using: &random)
    let offsets = Tensor.normal([shape[0], 1, 1], using: &random)  // each class stands elsewhere
    let images = Tensor.normal([shape[0], count, shape[2]], using: &random) + offsets + 0.5
    return [
      "the loss": conditionalMMD(samples, images, bandwidths),
      "its gradient with respect to the samples": gradient(at: samples) {
        conditionalMMD($0, images, bandwidths).sum()
      },
    ]
  }
}
