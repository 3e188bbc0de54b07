import LessonKit

// What a student writes in IAF.swift: for each exercise its cases, which return values and never verdicts.

/// IAF.1 to IAF.4.
let exercises: [any ExerciseSpecification] = [stepExercise, sampleExercise, divergenceExercise, inverseExercise]

let stepExercise = Exercise(
  "IAF.1", "An inverse autoregressive step", points: 2, implementation: inverseAutoregressiveStep,
  hints: [
    "Scale z by σ and add μ, coordinate by coordinate; `logSigma` is ln σ.",
    "∂next/∂z is triangular, so its determinant is the product of ∂nextᵢ/∂zᵢ = σᵢ, and the logarithm turns it into a sum.",
    "The log-determinant is one number for each example: `.sum(axis: 1)` leaves `[batch]`. Test yourself: σ > 1 stretches.",
  ],
  cases: [
    stepCase("points in the plane", batch: 3, dimension: 2), stepCase("three dimensions", batch: 4, dimension: 3),
    stepCase("five dimensions", batch: 6, dimension: 5),
  ])

private func stepCase(
  _ title: String, batch: Int, dimension: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> (z: Tensor, logDeterminant: Tensor)> {
  ExerciseCase(title) { step, random in
    let draws = (0..<3).map { _ in Tensor.uniform([batch, dimension], in: -1.5..<1.5, using: &random) }
    let (z, logDeterminant) = step(draws[0], draws[1], draws[2])
    let slope = gradient(at: draws[2]) { logSigma in
      let again = step(draws[0], draws[1], logSigma)
      return again.z.sum() + again.logDeterminant.sum() * 2
    }
    return [
      "the next z": z, "the log-determinant": logDeterminant,
      "the gradient of Σ z + 2 Σ log-determinant with respect to logSigma": slope,
    ]
  }
}

let sampleExercise = Exercise(
  "IAF.2", "A sample and its own density", points: 2, implementation: sample, dependencies: ["IAF.1"],
  hints: [
    "`self(noise)` gives x and ln |det ∂x/∂ε|, the direction from noise to sample.",
    "Where the flow stretches volumes, the same probability is spread over more of them: the density falls.",
    "log q(x) = log N(ε; 0, I) − ln |det ∂x/∂ε|, with `Normal.standard(noise.shape).logProbability(of: noise)`.",
  ],
  cases: [
    sampleCase("the plane", steps: 3, dimension: 2), sampleCase("three dimensions", steps: 2, dimension: 3),
    sampleCase("five dimensions", steps: 2, dimension: 5),
  ])

private func sample(_ flow: IAF, _ noise: Tensor) -> (x: Tensor, logQ: Tensor) { flow.sample(noise) }

private func sampleCase(
  _ title: String, steps: Int, dimension: Int
) -> ExerciseCase<@MainActor (IAF, Tensor) -> (x: Tensor, logQ: Tensor)> {
  ExerciseCase(title) { sample, random in
    let flow = shakenFlow(dimension: dimension, steps: steps, using: &random)
    let noise = Tensor.uniform([4, dimension], in: -1.5..<1.5, using: &random)
    let (x, logQ) = sample(flow, noise)
    let slope = gradient(at: noise) { sample(flow, $0).logQ.sum() }
    return ["x": x, "log q(x)": logQ, "the gradient of Σ log q(x) with respect to the noise": slope]
  }
}

let divergenceExercise = Exercise(
  "IAF.3", "Reverse KL with a tempered target", points: 3, implementation: reverseDivergence,
  dependencies: ["IAF.1", "IAF.2"],
  hints: [
    "The expectation is over q: draw x from the flow, by `flow.sample(noise)`, which tells log q(x) as well.",
    "β multiplies the target's log p̃ alone. The result is the mean over the batch, one number.",
    "Gradients must go through x into `target(x)`: that is how the flow learns where the target is.",
  ],
  cases: [
    divergenceCase("the two crescents at β = 0.6", steps: 2, beta: 0.6),
    divergenceCase("the two crescents at β = 0.3", steps: 3, beta: 0.3),
    divergenceCase("a larger flow at β = 0.7", steps: 4, beta: 0.7),
  ])

typealias ReverseDivergence = @MainActor (IAF, (Tensor) -> Tensor, Float, Tensor) -> Tensor

private func divergenceCase(_ title: String, steps: Int, beta: Float) -> ExerciseCase<ReverseDivergence> {
  ExerciseCase(title, comparison: .close(relative: 1e-3, absolute: 1e-3)) { divergence, random in
    let flow = shakenFlow(dimension: 2, steps: steps, using: &random)
    let noise = Tensor.uniform([6, 2], in: -1.5..<1.5, using: &random)
    let target = TwoMoonsEnergy().unnormalizedLogProbability
    let value = divergence(flow, target, beta, noise)
    let bias = flow.steps[0].output.bias
    let slope = gradient(at: noise) { divergence(flow, target, beta, $0).sum() }
    return [
      "the divergence": value, "its gradient with respect to the noise": slope,
      "its gradient with respect to the first step's biases": gradients(of: value.sum(), withRespectTo: [bias])[0],
    ]
  }
}

let inverseExercise = Exercise(
  "IAF.4", "The same weights the other way", points: 3, implementation: inverted,
  hints: [
    "z₁ needs nothing but next₁: μ₁ and σ₁ are constants. z₂ needs μ₂ and σ₂, which read z₁; and so on.",
    "Begin with zeros; in turn i run `network` on the z so far and keep coordinate i of `(next - mu) * exp(-logSigma)`.",
    "`z.replacing(i..<i + 1, axis: 1, with: all.sliced(i..<i + 1, axis: 1))` puts one coordinate in its place.",
  ],
  cases: [
    inverseCase("the plane", batch: 3, dimension: 2), inverseCase("three dimensions", batch: 4, dimension: 3),
    inverseCase("five dimensions", batch: 5, dimension: 5),
  ])

private func inverseCase(
  _ title: String, batch: Int, dimension: Int
) -> ExerciseCase<@MainActor (Tensor, MADE) -> Tensor> {
  ExerciseCase(title) { inverted, random in
    let network = shakenFlow(dimension: dimension, steps: 1, using: &random).steps[0]
    return ["z": inverted(.uniform([batch, dimension], in: -1.5..<1.5, using: &random), network)]
  }
}

/// A flow with random last layers: steps begin as the identity, where mistakes do not show.
func shakenFlow(dimension: Int, steps: Int, using random: inout Random) -> IAF {
  let flow = IAF(dimension: dimension, steps: steps, hidden: [12], using: &random)
  for network in flow.steps {
    network.output.weight = .uniform(network.output.weight.shape, in: -0.5..<0.5, using: &random)
    network.output.bias = .uniform(network.output.bias.shape, in: -0.5..<0.5, using: &random)
  }
  return flow
}
