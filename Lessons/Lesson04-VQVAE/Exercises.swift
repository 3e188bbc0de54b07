import LessonKit

// What a student writes in VQVAE.swift: for each exercise its cases, which return values and never verdicts.

/// VQVAE.1 to VQVAE.4.
let exercises: [any ExerciseSpecification] = [nearestExercise, quantizeExercise, averageExercise, perplexityExercise]

let nearestExercise = Exercise(
  "VQVAE.1", "The nearest code", points: 2, implementation: nearestCodes(to:among:),
  hints: [
    "Every vector meets every code: the distances are a table `[count, codes]`, and the answer is one index for each row.",
    "`matmul(z, e, transposingSecond: true)` holds all products z·e; the squares are `square(z).sum(axis: 1)` and the same of e.",
    "‖z‖² − 2 z·e + ‖e‖², where ‖z‖² is a column `[count, 1]` and ‖e‖² a row `[codes]`; then `argmin(axis: 1)`.",
  ],
  cases: [
    nearestCase("60 vectors, 8 codes in the plane", count: 60, codes: 8, width: 2),
    nearestCase("200 vectors, 20 codes", count: 200, codes: 20, width: 5),
    nearestCase("300 vectors, 64 codes of 16 numbers", count: 300, codes: 64, width: 16),
  ])

private func nearestCase(
  _ title: String, count: Int, codes: Int, width: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> IndexTensor> {
  ExerciseCase(title) { nearestCodes, random in
    // Codes of different lengths, away from the origin: lengths matter.
    let e =
      Tensor.normal([codes, width], using: &random) * Tensor.uniform([codes, 1], in: 0.3..<2, using: &random) + 0.5
    let z = Tensor.normal([count, width], using: &random) + 0.5
    return ["the indices": Tensor(nearestCodes(z, e))]
  }
}

let quantizeExercise = Exercise(
  "VQVAE.2", "Straight through, and two terms of the loss", points: 4, implementation: quantized(_:to:beta:),
  hints: [
    "`x.detached()` is sg[x]: the same values, through which no gradient flows.",
    "z + sg[e − z] has the value of e and the gradient 1 for z.",
    "‖sg[z] − e‖² + β ‖z − sg[e]‖²: both have one value, but the first moves e and the second z. Sum over positions and width, "
      + "`.sum(axes: [1, 2])`, so that `[batch]` is left.",
  ],
  cases: [
    quantizeCase("one image, one position", [1, 1, 3], beta: 0.25),
    quantizeCase("a batch", [4, 3, 2], beta: 0.25),
    quantizeCase("more positions, another β", [5, 8, 6], beta: 0.6),
  ])

private func quantizeCase(
  _ title: String, _ shape: [Int], beta: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Float) -> (straightThrough: Tensor, loss: Tensor)> {
  ExerciseCase(title) { quantized, random in
    let (z, e) = (Tensor.normal(shape, using: &random), Tensor.normal(shape, using: &random))
    let task = Tensor.normal(shape, using: &random)  // as if the decoder wanted this
    let result = quantized(z, e, beta)
    return [
      "what the decoder reads": result.straightThrough, "the loss": result.loss,
      "the gradient of the decoder's task with respect to z": gradient(at: z) {
        square(quantized($0, e, beta).straightThrough - task).sum()
      },
      "the gradient of the decoder's task with respect to e": gradient(at: e) {
        square(quantized(z, $0, beta).straightThrough - task).sum()
      },
      "the gradient of the loss with respect to z": gradient(at: z) { quantized($0, e, beta).loss.sum() },
      "the gradient of the loss with respect to e": gradient(at: e) { quantized(z, $0, beta).loss.sum() },
    ]
  }
}

let averageExercise = Exercise(
  "VQVAE.3", "Codes as moving averages", points: 4,
  implementation: movingAverage(_:_:_:decay:epsilon:),
  hints: [
    "`oneHot(indices, classes: K)` is a table `[count, codes]` of who chose what: its column sums are n, the counts of this batch.",
    "Its transpose times z, `matmul(members, z, transposingFirst: true)`, is the sum of the vectors that chose each code.",
    "γ weighs the old values and 1−γ the new ones. Then Ñ = ΣN · (N + ε) / (ΣN + Kε), with the *new* N, and e = m/Ñ, row by row.",
  ],
  cases: [
    averageCase("few vectors", count: 8, codes: 3, reach: 3, width: 2, decay: 0.9, epsilon: 0.5),
    averageCase("some codes unused", count: 12, codes: 8, reach: 4, width: 3, decay: 0.7, epsilon: 0.1),
    averageCase("many vectors, a short memory", count: 100, codes: 16, reach: 16, width: 4, decay: 0.3, epsilon: 1),
  ])

private func averageCase(
  _ title: String, count: Int, codes: Int, reach: Int, width: Int, decay: Float, epsilon: Float
) -> ExerciseCase<
  @MainActor (CodeStatistics, Tensor, IndexTensor, Float, Float) -> (
    statistics: CodeStatistics, codes: Tensor
  )
> {
  ExerciseCase(title) { movingAverage, random in
    let old = CodeStatistics(
      counts: .uniform([codes], in: 1..<5, using: &random), sums: .normal([codes, width], using: &random) * 3)
    let z = Tensor.normal([count, width], using: &random)
    let indices = IndexTensor.categorical(logits: .normal([count, reach], using: &random), using: &random)
    let new = movingAverage(old, z, indices, decay, epsilon)
    return ["N": new.statistics.counts, "m": new.statistics.sums, "the codes": new.codes]
  }
}

let perplexityExercise = Exercise(
  "VQVAE.4", "Perplexity", points: 2, implementation: perplexity(of:codes:),
  hints: [
    "First the share of each code among all indices: the mean of `oneHot(…)` over them, `[codes]`, which sums to 1.",
    "The entropy is −Σ p ln p, and the perplexity its exponential.",
    "0 · ln 0 is NaN for a computer: keep the logarithm's argument above 0, `clamped(to: 1e-12...1)`.",
  ],
  cases: [
    perplexityCase("most codes in use", shape: [50, 4], codes: 10, reach: 8),
    perplexityCase("a few of many", shape: [40, 8], codes: 64, reach: 6),
    perplexityCase("a long list", shape: [500], codes: 30, reach: 25),
  ])

private func perplexityCase(
  _ title: String, shape: [Int], codes: Int, reach: Int
) -> ExerciseCase<@MainActor (IndexTensor, Int) -> Tensor> {
  ExerciseCase(title) { perplexity, random in
    // Only the first codes occur, and the first of them most.
    let logits = Tensor((0..<reach).map { -0.3 * Float($0) }).broadcast(to: [shape.reduce(1, *), reach])
    let indices = IndexTensor.categorical(logits: logits, using: &random).reshaped(to: shape)
    return ["the perplexity": perplexity(indices, codes)]
  }
}
