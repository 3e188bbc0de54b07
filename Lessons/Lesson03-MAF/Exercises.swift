import LessonKit

// What a student writes in MAF.swift: for each exercise its cases, which return values and never verdicts.

/// MAF.1 to MAF.4.
let exercises: [any ExerciseSpecification] = [stepExercise, inverseExercise, stackExercise, densityExercise]

let stepExercise = Exercise(
  "MAF.1", "A masked autoregressive step", points: 2, implementation: autoregressiveStep,
  hints: [
    "u is x with its mean taken away and divided by its scale; `alpha` is the logarithm of that scale.",
    "∂u/∂x is triangular, so its determinant is the product of ∂uᵢ/∂xᵢ = exp(−αᵢ), and the logarithm turns it into a sum.",
    "The log-determinant is one number for each example: `.sum(axis: 1)` leaves `[batch]`. Test yourself: α > 0 shrinks volumes.",
  ],
  cases: [
    stepCase("points in the plane", batch: 3, dimension: 2),
    stepCase("three dimensions", batch: 4, dimension: 3),
    stepCase("five dimensions", batch: 6, dimension: 5),
  ])

private func stepCase(
  _ title: String, batch: Int, dimension: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> (u: Tensor, logDeterminant: Tensor)> {
  ExerciseCase(title) { step, random in
    let draws = (0..<3).map { _ in Tensor.uniform([batch, dimension], in: -1.5..<1.5, using: &random) }
    let (u, logDeterminant) = step(draws[0], draws[1], draws[2])
    let slope = gradient(at: draws[2]) { alpha in
      let again = step(draws[0], draws[1], alpha)
      return again.u.sum() + again.logDeterminant.sum() * 2
    }
    return [
      "u": u, "the log-determinant": logDeterminant,
      "the gradient of Σ u + 2 Σ log-determinant with respect to alpha": slope,
    ]
  }
}

let inverseExercise = Exercise(
  "MAF.2", "Undoing a step", points: 3, implementation: inverted,
  hints: [
    "x₁ needs nothing but u₁: μ₁ and α₁ are constants. x₂ needs μ₂ and α₂, which read x₁; and so on.",
    "Begin with zeros; in turn i run `network` on the x so far and keep coordinate i of `u * exp(alpha) + mu`.",
    "`x.replacing(i..<i + 1, axis: 1, with: next.sliced(i..<i + 1, axis: 1))` puts one coordinate in its place.",
  ],
  cases: [
    inverseCase("the plane", batch: 3, dimension: 2),
    inverseCase("three dimensions", batch: 4, dimension: 3),
    inverseCase("five dimensions", batch: 5, dimension: 5),
  ])

private func inverseCase(
  _ title: String, batch: Int, dimension: Int
) -> ExerciseCase<@MainActor (Tensor, MADE) -> Tensor> {
  ExerciseCase(title) { inverted, random in
    let network = MADE(dimension: dimension, hidden: [16], using: &random)
    shake(network, using: &random)
    let u = Tensor.uniform([batch, dimension], in: -1.5..<1.5, using: &random)
    return ["x": inverted(u, network)]
  }
}

let stackExercise = Exercise(
  "MAF.3", "Steps one after the other", points: 3, implementation: stacked, dependencies: ["MAF.1"],
  hints: [
    "The chain rule: the determinant of a composition is the product of its parts', so log-determinants add up.",
    "Each network reads what the step before left: begin with u = x and go through `steps`.",
    "After every step, the last one too, `u.flipped(axis: 1)` reverses the coordinates; that changes no volume.",
  ],
  cases: [
    flowCase("four steps in three dimensions", steps: 4, dimension: 3, stackValues),
    flowCase("two steps", steps: 2, dimension: 2, stackValues),
    flowCase("three steps in five dimensions", steps: 3, dimension: 5, stackValues),
  ])

private func stacked(_ flow: MAF, _ x: Tensor) -> (u: Tensor, logDeterminant: Tensor) { flow(x) }

private typealias Stack = @MainActor (MAF, Tensor) -> (u: Tensor, logDeterminant: Tensor)

private let stackValues: @MainActor (Stack, MAF, Tensor) -> KeyValuePairs<String, Tensor> = { stack, flow, x in
  let (u, logDeterminant) = stack(flow, x)
  return ["u": u, "the log-determinant": logDeterminant]
}

let densityExercise = Exercise(
  "MAF.4", "The change of variables", points: 2, implementation: density, dependencies: ["MAF.1", "MAF.3"],
  hints: [
    "p(x) is the density of u times the factor by which the flow stretches volumes at x.",
    "`self(x)` gives u and ln |det ∂u/∂x|; both are about the direction from x to u, the one that the formula needs.",
    "`Normal.standard(u.shape).logProbability(of: u)` is the logarithm of the base's density, `[batch]`.",
  ],
  cases: [
    flowCase("three dimensions", steps: 4, dimension: 3, densityValues),
    flowCase("the plane", steps: 3, dimension: 2, densityValues),
    flowCase("five dimensions", steps: 2, dimension: 5, densityValues),
  ])

private func density(_ flow: MAF, _ x: Tensor) -> Tensor { flow.logProbability(of: x) }

private let densityValues:
  @MainActor (@MainActor (MAF, Tensor) -> Tensor, MAF, Tensor) -> KeyValuePairs<String, Tensor> = { density, flow, x in
    [
      "log p(x)": density(flow, x),
      "the gradient of Σ log p(x) with respect to x": gradient(at: x) { density(flow, $0).sum() },
    ]
  }

/// A flow with random weights and a batch of points.
private func flowCase<Implementation>(
  _ title: String, steps: Int, dimension: Int,
  _ values: @escaping @MainActor (Implementation, MAF, Tensor) -> KeyValuePairs<String, Tensor>
) -> ExerciseCase<Implementation> {
  ExerciseCase(title) { implementation, random in
    let flow = MAF(dimension: dimension, steps: steps, hidden: [12], using: &random)
    for network in flow.steps { shake(network, using: &random) }
    return values(implementation, flow, .uniform([4, dimension], in: -1.5..<1.5, using: &random))
  }
}

/// Steps begin as the identity, where mistakes do not show: other weights and biases for the last layer.
func shake(_ network: MADE, using random: inout Random) {
  network.output.weight = .uniform(network.output.weight.shape, in: -0.6..<0.6, using: &random)
  network.output.bias = .uniform(network.output.bias.shape, in: -0.6..<0.6, using: &random)
}
