import LessonKit

// What a student writes in WGAN.swift: for each exercise its cases, which return values and never verdicts.

/// WGAN.1 to WGAN.4.
let exercises: [any ExerciseSpecification] = [lossesExercise, penaltyExercise, sortingExercise, normExercise]

let lossesExercise = Exercise(
  "WGAN.1", "What critic and generator minimise", points: 2, implementation: losses(of:_:_:),
  hints: [
    "W₁ is the largest E f(data) − E f(samples). The critic wants it large, and an optimiser makes its loss small.",
    "The generator moves its samples to where the critic's score is high; the data's scores are nothing to it, in both objectives.",
    "Hinge: max(0, 1 − f) for data and max(0, 1 + f) for samples, each averaged over its batch; `relu(y)` is max(0, y).",
  ],
  cases: [
    lossesCase("four scores of each", real: 4, fake: 4, spread: 2),
    lossesCase("more data than samples", real: 9, fake: 5, spread: 2),
    lossesCase("scores far beyond the hinge", real: 16, fake: 16, spread: 6),
  ])

private func losses(of objective: Objective, _ real: Tensor, _ fake: Tensor) -> Losses {
  objective(real: real, fake: fake)
}

private func lossesCase(
  _ title: String, real: Int, fake: Int, spread: Float
) -> ExerciseCase<@MainActor (Objective, Tensor, Tensor) -> Losses> {
  ExerciseCase(title) { losses, random in
    // Two scores on either side of both hinges, so that no mistake can hide.
    let edges = Tensor([-1.5, 1.75])
    let real = concatenate([edges, .uniform([real - 2], in: -spread..<spread, using: &random)], axis: 0)
    let fake = concatenate([edges * 1.5, .uniform([fake - 2], in: -spread..<spread, using: &random)], axis: 0)
    let (wasserstein, hinge) = (losses(.wasserstein, real, fake), losses(.hinge, real, fake))
    return [
      "the critic's loss, Wasserstein": wasserstein.critic, "the generator's loss, Wasserstein": wasserstein.generator,
      "the critic's loss, hinge": hinge.critic, "the generator's loss, hinge": hinge.generator,
      "the gradient of the generator's hinge loss with respect to the samples' scores": gradient(at: fake) {
        losses(.hinge, real, $0).generator.sum()
      },
    ]
  }
}

let penaltyExercise = Exercise(
  "WGAN.2", "The gradient penalty", points: 4,
  implementation: gradientPenalty(of:real:fake:mix:)
    as @MainActor ((Tensor) -> Tensor, Tensor, Tensor, Tensor) -> Tensor,
  hints: [
    "Four steps: the points between, the critic's gradient there, the length of each row's gradient, the mean of (length − 1)².",
    "`gradient(at: points) { critic($0).sum() }` has the shape of `points`, and can be differentiated again: do not detach it.",
    "A length is the root of the sum of squares over axis 1, `[batch]`; add 1e-12 under the root, which has no derivative at 0.",
  ],
  cases: [
    penaltyCase("in the plane", batch: 4, inputs: 2, hidden: 3),
    penaltyCase("in space", batch: 6, inputs: 3, hidden: 5),
    penaltyCase("many inputs", batch: 5, inputs: 7, hidden: 8),
  ])

private func penaltyCase(
  _ title: String, batch: Int, inputs: Int, hidden: Int
) -> ExerciseCase<@MainActor ((Tensor) -> Tensor, Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { penalty, random in
    let real = Tensor.normal([batch, inputs], using: &random) * 1.5
    let fake = Tensor.normal([batch, inputs], using: &random) - 1
    let mix = Tensor.uniform([batch, 1], in: 0.1..<0.9, using: &random)
    let first = Tensor.normal([inputs, hidden], using: &random)
    let last = Tensor.normal([hidden, 1], using: &random) * (2 / Float(hidden * inputs).squareRoot())
    let value = { (first: Tensor, last: Tensor) in
      penalty({ x in matmul(tanh(matmul(x, first)), last).reshaped(to: [x.shape[0]]) }, real, fake, mix)
    }
    return [
      "the penalty": value(first, last),
      "the gradient of the penalty with respect to the critic's first weights": gradient(at: first) {
        value($0, last).sum()
      },
      "the gradient of the penalty with respect to the critic's last weights": gradient(at: last) {
        value(first, $0).sum()
      },
    ]
  }
}

let sortingExercise = Exercise(
  "WGAN.3", "W₁ on the line", points: 2, implementation: wasserstein1D,
  hints: [
    "Pair the smallest of `x` with the smallest of `y`, the second with the second, and so on: no pairing carries less far.",
    "`x.sorted(axis: 0).values` are the numbers in rising order, `[count]`.",
    "W₁ is the mean of the distances |x − y| of the pairs. Test yourself: {0, 1} and {3, 2} are 2 apart.",
  ],
  cases: [
    sortingCase("a dozen numbers", count: 12, shift: 0.5, scale: 3),
    sortingCase("one law narrow, one wide", count: 30, shift: -0.3, scale: 3),
    sortingCase("moved and narrowed", count: 101, shift: 0.7, scale: 0.2),
  ])

private func sortingCase(
  _ title: String, count: Int, shift: Float, scale: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { wasserstein, random in
    let x = Tensor.normal([count], using: &random)
    // The last number lies far out, so that distances have both signs.
    let y = concatenate([Tensor.normal([count - 1], using: &random) * scale + shift, Tensor([-4])], axis: 0)
    return ["W₁": wasserstein(x, y), "W₁ the other way": wasserstein(y, x)]
  }
}

let normExercise = Exercise(
  "WGAN.4", "The spectral norm by power iteration", points: 4, implementation: spectralNorm(of:start:iterations:),
  hints: [
    "Inside `withoutGradients`, as often as `iterations` says: `v = unit(matmul(w, u))`, then u from v by the transposed matrix.",
    "`matmul(w, v, transposingFirst: true)` is Wᵀ·v without a copy.",
    "Outside of it, σ = vᵀ·W·u: the sum of `v * matmul(w, u)`. Its gradient with respect to W is then v·uᵀ.",
  ],
  cases: [
    normCase("one iteration", rows: 3, columns: 2, iterations: 1),
    normCase("two iterations, a wide matrix", rows: 3, columns: 6, iterations: 2),
    normCase("four iterations, a tall matrix", rows: 9, columns: 5, iterations: 4),
  ])

private func normCase(
  _ title: String, rows: Int, columns: Int, iterations: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Int) -> Tensor> {
  ExerciseCase(title) { norm, random in
    let w = Tensor.normal([rows, columns], using: &random)
    let start = unit(.normal([columns, 1], using: &random))
    return [
      "σ": norm(w, start, iterations),
      "the gradient of σ with respect to W": gradient(at: w) { norm($0, start, iterations).sum() },
    ]
  }
}
