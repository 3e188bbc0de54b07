import LessonKit

// What a student writes: for each exercise its cases, which return values and never verdicts.

/// SimCLR.1 to SimCLR.4.
let exercises: [any ExerciseSpecification] = [cosineExercise, lossExercise, estimateExercise, viewsExercise]

let cosineExercise = Exercise(
  "SimCLR.1", "Cosines over a temperature", points: 2, implementation: scaledCosines,
  hints: [
    "Divide each row by its length: the square root of the sum of its squares, kept as a column `[count, 1]`.",
    "`matmul(a, b, transposingSecond: true)` holds the inner product of every row of a with every row of b.",
    "Test yourself: on the diagonal stands 1/τ, and nothing is larger.",
  ],
  cases: [
    cosineCase("three rows", [3, 2], temperature: 0.5),
    cosineCase("many features", [5, 16], temperature: 0.1),
    cosineCase("a high temperature", [6, 4], temperature: 2),
  ])

private func cosineCase(
  _ title: String, _ shape: [Int], temperature: Float
) -> ExerciseCase<@MainActor (Tensor, Float) -> Tensor> {
  ExerciseCase(title) { scaledCosines, random in
    let z = rows(shape, using: &random)
    return [
      "the scores": scaledCosines(z, temperature),
      "the gradient of Σ scores · weights with respect to z": gradient(at: z) {
        let scores = scaledCosines($0, temperature)
        return (scores * Tensor((0..<scores.count).map { Float($0 % 5) }, shape: scores.shape)).sum()
      },
    ]
  }
}

let lossExercise = Exercise(
  "SimCLR.2", "NT-Xent", points: 4, implementation: ntXent, dependencies: ["SimCLR.1"],
  hints: [
    "Each row of the scores is a classification among 2N candidates, one of which, the view itself, must not count.",
    "A very negative score, such as −1e9 on the diagonal, gives a candidate the probability 0.",
    "Row i's class is (i + N) mod 2N. `categoricalLogLikelihood(scores, classes)` is `[2N]`; the loss is minus its mean.",
  ],
  cases: [
    lossCase("two images", images: 2, features: 3, temperature: 0.5),
    lossCase("a batch", images: 5, features: 4, temperature: 0.2),
    lossCase("a high temperature", images: 4, features: 8, temperature: 3),
  ])

private func lossCase(
  _ title: String, images: Int, features: Int, temperature: Float
) -> ExerciseCase<@MainActor (Tensor, Float) -> Tensor> {
  ExerciseCase(title) { ntXent, random in
    let z = rows([2 * images, features], using: &random)
    return [
      "the loss": ntXent(z, temperature),
      "the gradient of the loss with respect to z": gradient(at: z) { ntXent($0, temperature).sum() },
    ]
  }
}

let estimateExercise = Exercise(
  "SimCLR.3", "What N candidates can tell", points: 2, implementation: informationEstimate,
  hints: [
    "Row i is a classification among N candidates; the right one is on the diagonal.",
    "The loss is the mean of −log softmax at the right candidate; the estimate is ln N less the loss.",
    "Test yourself: where all scores are equal the estimate is 0; where the diagonal is far above the rest it is ln N.",
  ],
  cases: [
    estimateCase("three pairs", pairs: 3, spread: 1, diagonal: 1),
    estimateCase("a good critic", pairs: 8, spread: 1, diagonal: 5),
    estimateCase("a critic that knows nothing", pairs: 6, spread: 2, diagonal: 0),
  ])

private func estimateCase(
  _ title: String, pairs: Int, spread: Float, diagonal: Float
) -> ExerciseCase<@MainActor (Tensor) -> Tensor> {
  ExerciseCase(title) { informationEstimate, random in
    let noise = Tensor.normal([pairs, pairs], using: &random) * spread
    let scores = noise + oneHot(IndexTensor((0..<pairs).map(Int32.init)), classes: pairs) * diagonal
    return [
      "the estimate": informationEstimate(scores),
      "the gradient of the estimate with respect to the scores": gradient(at: scores) { informationEstimate($0).sum() },
    ]
  }
}

let viewsExercise = Exercise(
  "SimCLR.4", "Two views of each image", points: 2, implementation: viewPairs,
  hints: [
    "Augment the whole batch, and then the whole batch again: `random` moves on in between, so the views differ.",
    "All first views come first: view i and view N + i are of image i.",
    "`concatenate([a, b], axis: 0)` puts one batch after the other.",
  ],
  cases: [
    viewsCase("two images", [2, 4, 4, 1], [.noise(0.2)]),
    viewsCase("moved and turned", [3, 8, 8, 1], [.shift(by: 3), .rotation(), .noise(0.1)]),
    viewsCase("in colour", [4, 6, 6, 3], [.crop(), .colorJitter()]),
  ])

typealias ViewPairs = @MainActor (Tensor, [Augmentation], inout Random) -> Tensor

private func viewPairs(_ images: Tensor, _ augmentations: [Augmentation], _ random: inout Random) -> Tensor {
  views(of: images, using: &random) { $0.augmented(by: augmentations, using: &$1) }
}

private func viewsCase(_ title: String, _ shape: [Int], _ augmentations: [Augmentation]) -> ExerciseCase<ViewPairs> {
  ExerciseCase(title) { viewPairs, random in
    let images = Tensor.uniform(shape, using: &random)
    return ["the views": viewPairs(images, augmentations, &random)]
  }
}

/// Rows of lengths that differ, none of them near 0.
private func rows(_ shape: [Int], using random: inout Random) -> Tensor {
  let directions = Tensor.normal(shape, using: &random)
  return (directions + sign(directions) * 0.2) * Tensor.uniform([shape[0], 1], in: 0.5..<2, using: &random)
}
