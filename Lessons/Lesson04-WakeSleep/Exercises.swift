import LessonKit

// What a student writes in WakeSleep.swift: for each exercise its cases, which return values and never verdicts.

/// WakeSleep.1 to WakeSleep.4.
let exercises: [any ExerciseSpecification] = [wakeExercise, sleepExercise, likelihoodExercise, boundExercise]

typealias Phase<Argument> = @MainActor (HelmholtzMachine, Argument, inout Random) -> Tensor

let wakeExercise = Exercise(
  "WakeSleep.1", "The wake phase", points: 2,
  implementation: { machine, x, random in machine.wakeLoss(x, using: &random) } as Phase<Tensor>,
  hints: [
    "Awake, the images are real and the causes guessed: `recognition.interpret(x, using: &random)` gives the states of all layers.",
    "The generative model is to give these states, image and causes, a high probability together.",
    "The loss is the mean over the batch of −ln p(x, h): `generative.logProbability(of: states)`.",
  ],
  cases: [
    wakeCase("a small machine", units: [4, 3, 2], batch: 5), wakeCase("bars and stripes", units: [9, 8, 4], batch: 14),
    wakeCase("three layers of causes", units: [6, 5, 4, 3], batch: 8),
  ])

private func wakeCase(_ title: String, units: [Int], batch: Int) -> ExerciseCase<Phase<Tensor>> {
  ExerciseCase(title) { wakeLoss, random in
    let machine = randomMachine(units, using: &random)
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [batch, units[0]]), using: &random)
    return ["the wake phase's loss": wakeLoss(machine, x, &random)]
  }
}

let sleepExercise = Exercise(
  "WakeSleep.2", "The sleep phase", points: 2,
  implementation: { machine, count, random in machine.sleepLoss(dreams: count, using: &random) } as Phase<Int>,
  hints: [
    "Asleep, everything is made up from the top down: `generative.dream(count, using: &random)` gives the states of all layers.",
    "A dream's causes are known, so that recognition can be taught: it is to find them likely.",
    "The loss is the mean over the dreams of −ln q(h|x): `recognition.logProbability(of: states)`.",
  ],
  cases: [
    sleepCase("a small machine", units: [4, 3, 2], dreams: 6), sleepCase("the lesson's", units: [9, 8, 4], dreams: 20),
    sleepCase("three layers of causes", units: [6, 5, 4, 3], dreams: 9),
  ])

private func sleepCase(_ title: String, units: [Int], dreams: Int) -> ExerciseCase<Phase<Int>> {
  ExerciseCase(title) { sleepLoss, random in
    let machine = randomMachine(units, using: &random)
    return ["the sleep phase's loss": sleepLoss(machine, dreams, &random)]
  }
}

let likelihoodExercise = Exercise(
  "WakeSleep.3", "log p(x) by enumeration", points: 4,
  implementation: { generative, x in generative.logProbability(of: x) } as @MainActor (Generative, Tensor) -> Tensor,
  hints: [
    "Go down from the top: from ln p of all states of one layer follows ln p of all states of the layer below.",
    "`logTable(logits: layers[k](above), states: below)` has ln p(below | above) for every pair; add ln p(above) as a column.",
    "p(below) is the *sum* over what is above: `.logSumExp(axis: 0)`. At k = 0, `below` is `x` in place of all states.",
  ],
  cases: [
    likelihoodCase("one layer of causes", units: [4, 3], batch: 5),
    likelihoodCase("two layers of causes", units: [9, 8, 4], batch: 14),
    likelihoodCase("three layers of causes", units: [5, 4, 3, 2], batch: 6),
  ])

private func likelihoodCase(
  _ title: String, units: [Int], batch: Int
) -> ExerciseCase<@MainActor (Generative, Tensor) -> Tensor> {
  ExerciseCase(title) { logProbability, random in
    let machine = randomMachine(units, using: &random)
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [batch, units[0]]), using: &random)
    return ["ln p(x)": logProbability(machine.generative, x)]
  }
}

let boundExercise = Exercise(
  "WakeSleep.4", "The exact bound", points: 4,
  implementation: { machine, x in machine.bound(x) } as @MainActor (HelmholtzMachine, Tensor) -> Tensor,
  hints: [
    "Let v(h) be what a state of layer k is worth: at the top ln p(h), `generative.logTop`; at the bottom the bound itself.",
    "v(below) = Σ over above of q(above|below) · [ln p(below|above) − ln q(above|below) + v(above)].",
    "`logTable` gives p as `[above, below]`: transpose it, so that q's `[below, above]` fits; then sum over axis 1.",
  ],
  cases: [
    boundCase("one layer of causes", units: [4, 3], batch: 5),
    boundCase("two layers of causes", units: [9, 8, 4], batch: 14),
    boundCase("three layers of causes", units: [5, 4, 3, 2], batch: 6),
  ])

private func boundCase(
  _ title: String, units: [Int], batch: Int
) -> ExerciseCase<@MainActor (HelmholtzMachine, Tensor) -> Tensor> {
  ExerciseCase(title) { bound, random in
    let machine = randomMachine(units, using: &random)
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [batch, units[0]]), using: &random)
    return ["the bound": bound(machine, x)]
  }
}

/// A machine far from its start, where mistakes would hardly show: all weights uniform on −1.5…1.5.
private func randomMachine(_ units: [Int], using random: inout Random) -> HelmholtzMachine {
  let machine = HelmholtzMachine(units: units, using: &random)
  for named in machine.parameters {
    named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -1.5..<1.5, using: &random)
  }
  return machine
}
