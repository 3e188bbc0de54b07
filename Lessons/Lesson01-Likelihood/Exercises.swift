import LessonKit

// What a student writes in Likelihood.swift: for each exercise its cases, which return values and never verdicts.

/// Likelihood.1 to Likelihood.4.
let exercises: [any ExerciseSpecification] = [sumExercise, entropyExercise, logisticExercise, mixtureExercise]

let sumExercise = Exercise(
  "Likelihood.1", "Log-sum-exp at any size", points: 2, implementation: logSumExp,
  hints: [
    "exp(10⁴) is infinite and exp(−10⁴) is 0: bring the values near 0 before you take it.",
    "ln Σ exp(x) = c + ln Σ exp(x − c) for every c. With the largest value as c no term is above 1, and one is 1.",
    "`x.max(axis: -1, keepingAxes: true)` is `[…, 1]` and can be subtracted; `.sum(axis: -1)` drops the axis.",
  ],
  cases: [
    sumCase("large values", [4], around: 1e4), sumCase("values far below 0", [3, 5], around: -1e4),
    sumCase("a batch of matrices", [2, 3, 4], around: 5000),
  ])

private func sumCase(
  _ title: String, _ shape: [Int], around center: Float
) -> ExerciseCase<@MainActor (Tensor) -> Tensor> {
  ExerciseCase(title, comparison: .close(relative: 1e-7, absolute: 2e-3)) { logSumExp, random in
    // Quarters, which Float32 holds exactly at this size too.
    let x = floor(.uniform(shape, in: 0..<12, using: &random)) / 4 + center
    return [
      "the log-sum-exp": logSumExp(x), "the gradient of its sum": gradient(at: x) { logSumExp($0).sum() },
    ]
  }
}

let entropyExercise = Exercise(
  "Likelihood.2", "Cross-entropy", points: 2, implementation: crossEntropy,
  hints: [
    "Look up the log-probability of each sample's bin, and average over the samples.",
    "`logProbabilities.gathered(at: samples, axis: 0)` is `[N]`: one number for each sample.",
    "A likely sample has a log-probability near 0, and the loss is to be positive and small.",
  ],
  cases: [
    entropyCase("few samples", bins: 3, samples: 5), entropyCase("more samples than bins", bins: 7, samples: 50),
    entropyCase("more bins than samples", bins: 40, samples: 12),
  ])

private func entropyCase(
  _ title: String, bins: Int, samples: Int
) -> ExerciseCase<@MainActor (Tensor, IndexTensor) -> Tensor> {
  ExerciseCase(title) { crossEntropy, random in
    let logits = Tensor.uniform([bins], in: -3..<3, using: &random)
    let drawn = IndexTensor(floor(Tensor.uniform([samples], in: 0..<Float(bins), using: &random)))
    return [
      "the cross-entropy": crossEntropy(logSoftmax(logits), drawn),
      "its gradient with respect to the logits": gradient(at: logits) { crossEntropy(logSoftmax($0), drawn).sum() },
    ]
  }
}

let logisticExercise = Exercise(
  "Likelihood.3", "A discretised logistic", points: 4,
  implementation: { @MainActor in discretizedLogistic(location: $0, logScale: $1, bins: $2) },
  hints: [
    "There are `bins − 1` inner edges, at 1/bins, 2/bins, … At each compute z = (edge − location) / scale.",
    "ln F is `logSigmoid(z)`, ln (1 − F) is `logSigmoid(-z)`. The first bin has F of its upper edge, the last 1 − F of its lower.",
    "A bin between: ln F(b) + ln (1 − F(a)) + ln (1 − e^−w) with w = 1 / (bins · scale), and 1 − e^−w is `-expm1(-w)`.",
  ],
  cases: [
    logisticCase("a narrow and a wide hump", components: 2, bins: 20),
    logisticCase("narrow and wide humps in more bins", components: 4, bins: 30),
    logisticCase("humps outside the interval", components: 2, bins: 8, location: 1.5..<2),
  ])

private func logisticCase(
  _ title: String, components: Int, bins: Int, location: Range<Float> = 0.2..<0.4
) -> ExerciseCase<@MainActor (Tensor, Tensor, Int) -> Tensor> {
  ExerciseCase(title, comparison: .close(relative: 3e-4, absolute: 1e-3)) { logarithms, random in
    let location = Tensor.uniform([components], in: location, using: &random)
    let narrow = Tensor.uniform([components / 2], in: -5.2..<(-4.8), using: &random)
    let wide = Tensor.uniform([components / 2], in: -1.5..<(-0.5), using: &random)
    let logScale = concatenate([narrow, wide], axis: 0)
    return [
      "the log-probabilities": logarithms(location, logScale, bins),
      "the gradient of their sum with respect to the location": gradient(at: location) {
        logarithms($0, logScale, bins).sum()
      },
      "the gradient of their sum with respect to the log-scale": gradient(at: logScale) {
        logarithms(location, $0, bins).sum()
      },
    ]
  }
}

let mixtureExercise = Exercise(
  "Likelihood.4", "A mixture", points: 2, implementation: { @MainActor in mixture(logits: $0, $1) },
  dependencies: ["Likelihood.1"],
  hints: [
    "The weights are the softmax of the logits: their logarithms are logits − logSumExp(logits).",
    "ln Σ πₖ pₖ is the log-sum-exp of ln πₖ + ln pₖ over the components.",
    "`logProbabilities` is `[bins, components]`, so a row of log-weights `[components]` is added to each of its rows.",
  ],
  cases: [
    mixtureCase("two components", components: 2, bins: 4), mixtureCase("four components", components: 4, bins: 9),
    mixtureCase("unequal weights", components: 3, bins: 5, spread: 4),
  ])

private func mixtureCase(
  _ title: String, components: Int, bins: Int, spread: Float = 2
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { mixture, random in
    let logits = Tensor.uniform([components], in: 1..<1 + spread, using: &random)
    let scores = Tensor.uniform([bins, components], in: -2..<2, using: &random)
    let logs = logSoftmax(scores, axis: 0)
    return [
      "ln p of each bin": mixture(logits, logs),
      "the gradient of Σ ln p with respect to the logits": gradient(at: logits) { mixture($0, logs).sum() },
    ]
  }
}
