import LessonKit

// What a student writes in EnergyBased.swift: for each exercise its cases, which return values and never verdicts.

/// EnergyBased.1 to EnergyBased.4.
let exercises: [any ExerciseSpecification] = [energyExercise, contrastExercise, langevinExercise, matchingExercise]

typealias Energy = @MainActor (RBM, Tensor) -> Tensor
typealias Contrast = @MainActor (RBM, Tensor, Tensor, Int, inout Random) -> (loss: Tensor, ends: Tensor)
typealias LangevinStep = @MainActor (any EnergyModel, Tensor, Float, Tensor) -> Tensor
typealias Objective = @MainActor (any EnergyModel, Tensor) -> Tensor

let energyExercise = Exercise(
  "EnergyBased.1", "The energy without the hidden units", points: 2,
  implementation: { machine, v in machine.energy(v) } as Energy,
  hints: [
    "Given v the hidden units are independent: the sum over h of exp(h·(b + vW)) is a product, one factor a unit.",
    "Each factor is 1 + exp(bⱼ + (vW)ⱼ), from hⱼ = 0 and hⱼ = 1; its logarithm is `softplus` of `hiddenLogits(v)`.",
    "E(v) = −a·v − Σⱼ softplus: both sums run over axis 1, so that `[batch]` is left.",
  ],
  cases: [
    energyCase("a small machine", visible: 4, hidden: 3, batch: 5),
    energyCase("bars and stripes", visible: 9, hidden: 8, batch: 14),
    energyCase("more hidden units than visible ones", visible: 5, hidden: 12, batch: 3),
  ])

private func energyCase(_ title: String, visible: Int, hidden: Int, batch: Int) -> ExerciseCase<Energy> {
  ExerciseCase(title) { energy, random in
    let machine = randomMachine(visible: visible, hidden: hidden, using: &random)
    return ["the energy": energy(machine, coins([batch, visible], using: &random))]
  }
}

let contrastExercise = Exercise(
  "EnergyBased.2", "Contrastive divergence", points: 4,
  implementation: { machine, x, start, steps, random in
    machine.contrast(x, from: start, steps: steps, using: &random)
  } as Contrast,
  hints: [
    "A step of Gibbs sampling: h from `sigmoid(hiddenLogits(v))`, then v anew from `sigmoid(visibleLogits(h))`.",
    "`Tensor.bernoulli(probabilities, using: &random)` draws zeros and ones; begin with v = `start`, and repeat `k` times.",
    "The energy falls at the data and rises at the chains: the loss is the mean of `energy(x)` less that of `energy(v)`.",
  ],
  cases: [
    contrastCase("a small machine", visible: 6, hidden: 4, batch: 6, chains: 9, steps: 2),
    contrastCase("bars and stripes", visible: 9, hidden: 8, batch: 14, chains: 28, steps: 5),
    contrastCase("fewer chains than data", visible: 12, hidden: 6, batch: 10, chains: 4, steps: 3),
  ])

private func contrastCase(
  _ title: String, visible: Int, hidden: Int, batch: Int, chains: Int, steps: Int
) -> ExerciseCase<Contrast> {
  ExerciseCase(title) { contrast, random in
    let machine = randomMachine(visible: visible, hidden: hidden, using: &random)
    let (x, start) = (coins([batch, visible], using: &random), coins([chains, visible], using: &random))
    let (loss, ends) = contrast(machine, x, start, steps, &random)
    return [
      "the loss": loss, "the chains' ends": ends,
      "the gradient with respect to W": gradients(of: loss.sum(), withRespectTo: [machine.weight])[0],
    ]
  }
}

let langevinExercise = Exercise(
  "EnergyBased.3", "A step of Langevin dynamics", points: 2,
  implementation: { model, x, step, noise in model.langevinStep(x, step: step, noise: noise) } as LangevinStep,
  hints: [
    "Downhill in energy is uphill in log p: `score(x)` is ∇ log p(x) = −∇E(x).",
    "The drift has half the step size, η/2; the noise has its root, √η, since variances add up over steps.",
    "`step` is a `Float`: `step / 2` and `step.squareRoot()` multiply a tensor.",
  ],
  cases: [
    langevinCase("a normal law in the plane", batch: 3, step: 0.1) { random in normalLaw(2, using: &random) },
    langevinCase("a normal law in five dimensions", batch: 6, step: 0.02) { random in normalLaw(5, using: &random) },
    langevinCase("a network", batch: 4, step: 0.05) { random in network(using: &random) },
  ])

private func langevinCase(
  _ title: String, batch: Int, step: Float, model: @escaping @MainActor (inout Random) -> any EnergyModel
) -> ExerciseCase<LangevinStep> {
  ExerciseCase(title) { langevinStep, random in
    let model = model(&random)
    let dimensions = (model as? GaussianEnergy)?.tilt.count ?? 2
    let x = Tensor.uniform([batch, dimensions], in: -2..<2, using: &random)
    return ["where the step leads": langevinStep(model, x, step, .normal(x.shape, using: &random))]
  }
}

let matchingExercise = Exercise(
  "EnergyBased.4", "Score matching", points: 4,
  implementation: { model, x in model.scoreMatchingLoss(x) } as Objective,
  hints: [
    "`score(x)` is ψ, `[batch, dimensions]`; the second part is half the sum of its squares along axis 1.",
    "∂ψᵢ/∂xᵢ: `gradient(at: x)` of the sum of column i of `score($0)`, and of that gradient column i alone.",
    "A column is `.sliced(i..<i + 1, axis: 1)`. Add up over i, then take the mean over the batch.",
  ],
  cases: [
    matchingCase("a normal law in the plane", batch: 5) { random in normalLaw(2, using: &random) },
    matchingCase("a normal law in four dimensions", batch: 8) { random in normalLaw(4, using: &random) },
    matchingCase("a network", batch: 6) { random in network(using: &random) },
  ])

private func matchingCase(
  _ title: String, batch: Int, model: @escaping @MainActor (inout Random) -> any EnergyModel
) -> ExerciseCase<Objective> {
  ExerciseCase(title) { objective, random in
    let model = model(&random)
    let dimensions = (model as? GaussianEnergy)?.tilt.count ?? 2
    let x = Tensor.uniform([batch, dimensions], in: -2..<2, using: &random)
    let value = objective(model, x)
    let first = model.parameters[0]
    return [
      "the objective": value,
      "its gradient with respect to \(first.name)": gradients(
        of: value.sum(), withRespectTo: [first.parameter.wrappedValue])[0],
    ]
  }
}

private func coins(_ shape: [Int], using random: inout Random) -> Tensor {
  .bernoulli(Tensor(repeating: 0.5, shape: shape), using: &random)
}

/// A machine far from its start, where mistakes would hardly show: all weights uniform on −1.5…1.5.
private func randomMachine(visible: Int, hidden: Int, using random: inout Random) -> RBM {
  let machine = RBM(visible: visible, hidden: hidden, chains: 1, using: &random)
  for named in machine.parameters {
    named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -1.5..<1.5, using: &random)
  }
  return machine
}

/// A normal law with a precision that is no multiple of the identity, and a mean beside 0.
private func normalLaw(_ dimensions: Int, using random: inout Random) -> GaussianEnergy {
  let model = GaussianEnergy(dimensions: dimensions)
  let root = Tensor.uniform([dimensions, dimensions], in: 0.2..<1, using: &random)
  model.precision = model.precision + matmul(root, root, transposingSecond: true)
  model.tilt = .uniform([dimensions], in: 0.5..<1.5, using: &random)
  return model
}

/// A network whose share in the energy is far from 0.
private func network(using random: inout Random) -> NeuralEnergy {
  let model = NeuralEnergy(waves: 4, hidden: 6, chains: 1, using: &random)
  model.last.weight = .uniform(model.last.weight.shape, in: -3..<3, using: &random)
  return model
}
