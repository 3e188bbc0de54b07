import LessonKit

// What a student writes in MADE.swift: for each exercise its cases, which return values and never verdicts.

/// MADE.1 to MADE.4.
let exercises: [any ExerciseSpecification] = [maskExercise, likelihoodExercise, samplingExercise, averageExercise]

let maskExercise = Exercise(
  "MADE.1", "Degrees to masks", points: 4, implementation: masks(of:),
  hints: [
    "Rows are where a connection comes from, columns where it goes to. A column of degrees, `[from, 1]`, compared with a row, `[to]`, "
      + "broadcasts to `[from, to]`.",
    "`.<=` and `.<` compare elementwise and give 1 and 0. `degrees.reshaped(to: [-1, 1])` is a column.",
    "A hidden unit may look as far as its own degree (≤); an output d must look less far than its place (<), or it would see x_d.",
    "The degrees of outputs are those of the inputs; with several hidden layers, each compares with the layer before it.",
  ],
  cases: [
    maskCase("one hidden layer, the ordering backwards", hidden: [9]) { _ in (1...5).map { Float(6 - $0) } },
    maskCase("one hidden layer, a shuffled ordering", hidden: [13]) { shuffledPlaces(8, using: &$0) },
    maskCase("two hidden layers", hidden: [9, 12]) { shuffledPlaces(7, using: &$0) },
    maskCase("three hidden layers", hidden: [11, 10, 14]) { shuffledPlaces(9, using: &$0) },
  ])

private func shuffledPlaces(_ inputs: Int, using random: inout Random) -> [Float] {
  IndexTensor.permutation(inputs, using: &random).scalars.map { Float($0 + 1) }
}

private func maskCase(
  _ title: String, hidden: [Int], places: @escaping @MainActor (inout Random) -> [Float]
) -> ExerciseCase<@MainActor (Degrees) -> Masks> {
  ExerciseCase(title) { masks, random in
    let inputs = Tensor(places(&random))
    let drawn = Degrees(inputs: inputs.count, hidden: hidden, shuffled: true, using: &random)
    let result = masks(Degrees(inputs: inputs, hidden: drawn.hidden))
    // One array of all, so that a wrong number of hidden masks is a wrong value and no crash.
    return [
      "the masks of the hidden layers, one after the other": concatenate(
        result.hidden.map { $0.reshaped(to: [-1]) } + [.zeros([0])], axis: 0),
      "the mask of the output": result.output,
      "the mask of direct connections": result.direct,
    ]
  }
}

let likelihoodExercise = Exercise(
  "MADE.2", "The exact log-probability", points: 2, implementation: logProbability(_:_:_:), dependencies: ["MADE.1"],
  hints: [
    "`logits(x, masks)` gives all conditionals in one pass: sigmoid of it is p(x_d = 1 | inputs before d).",
    "ln p is `logSigmoid(logits)`, and ln (1 − p) is `logSigmoid(-logits)`: neither overflows, as log(sigmoid(…)) would.",
    "An input that is 1 contributes ln p, one that is 0 contributes ln (1 − p); sum over axis 1 leaves `[batch]`.",
  ],
  cases: [
    likelihoodCase("one image of three pixels", batch: 1, inputs: 3, hidden: [4], spread: 1),
    likelihoodCase("a batch in a shuffled ordering", batch: 5, inputs: 6, hidden: [10], spread: 1),
    likelihoodCase("two hidden layers", batch: 4, inputs: 5, hidden: [8, 8], spread: 1),
    likelihoodCase("a network that is very sure", batch: 6, inputs: 8, hidden: [20], spread: 40),
  ])

private func logProbability(_ model: MADE, _ x: Tensor, _ masks: Masks) -> Tensor {
  model.logProbability(of: x, masks)
}

private func likelihoodCase(
  _ title: String, batch: Int, inputs: Int, hidden: [Int], spread: Float
) -> ExerciseCase<@MainActor (MADE, Tensor, Masks) -> Tensor> {
  ExerciseCase(title) { logProbability, random in
    let model = randomModel(inputs, hidden, spread: spread, using: &random)
    let masks = masks(of: Degrees(inputs: inputs, hidden: hidden, shuffled: true, using: &random))
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [batch, inputs]), using: &random)
    let result = logProbability(model, x, masks)
    let bias = model.layers[hidden.count].bias
    // The zero keeps a gradient where the answer has none.
    let slope = gradients(of: (result.sum() + bias.sum() * 0), withRespectTo: [bias])[0]
    return ["log p(x)": result, "the gradient of Σ log p(x) with respect to the output's bias": slope]
  }
}

let samplingExercise = Exercise(
  "MADE.3", "Ancestral sampling", points: 4, implementation: completed(_:_:_:_:using:), dependencies: ["MADE.1"],
  hints: [
    "`degrees.order` lists the inputs in the order in which they are drawn; the first `known` of them keep what `x` has.",
    "For each further input: one pass of the network on `x` as it is by then, the logit of that input alone, a draw, and the draw "
      + "takes its place in `x`.",
    "`logits(x, masks).sliced(input..<input + 1, axis: 1)` is `[batch, 1]`; `Tensor.bernoulli(sigmoid(…), using: &random)` draws, and "
      + "`x.replacing(input..<input + 1, axis: 1, with: …)` puts it in place.",
  ],
  cases: [
    samplingCase("all but one pixel", batch: 64, inputs: 12, hidden: [20], spread: 0.7, known: 1),
    samplingCase("the second half", batch: 64, inputs: 16, hidden: [24], spread: 0.7, known: 8),
    samplingCase("two hidden layers", batch: 80, inputs: 13, hidden: [20, 20], spread: 0.1, known: 3),
  ])

private func completed(
  _ model: MADE, _ x: Tensor, _ known: Int, _ degrees: Degrees, using random: inout Random
) -> Tensor {
  model.completed(x, keeping: known, degrees, using: &random)
}

private func samplingCase(
  _ title: String, batch: Int, inputs: Int, hidden: [Int], spread: Float, known: Int
) -> ExerciseCase<@MainActor (MADE, Tensor, Int, Degrees, inout Random) -> Tensor> {
  ExerciseCase(title) { completed, random in
    let model = randomModel(inputs, hidden, spread: spread, using: &random)
    let degrees = Degrees(inputs: inputs, hidden: hidden, shuffled: true, using: &random)
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [batch, inputs]), using: &random)
    return ["the completed images": withoutGradients { completed(model, x, known, degrees, &random) }]
  }
}

let averageExercise = Exercise(
  "MADE.4", "The average over orderings", points: 2, implementation: averaged,
  hints: [
    "The average is of probabilities, (1/K) Σ p_k(x), and then its log is taken; the average of logs is another, smaller number.",
    "Images have probabilities like e^−500, which Float32 rounds to 0: stay with logarithms, as `logSumExp(axis:)` does.",
    "ln (1/K Σ p_k) = ln Σ exp(ln p_k) − ln K, for each image by itself: the orderings are axis 0.",
  ],
  cases: [
    averageCase("two orderings", orderings: 2, images: 3),
    averageCase("eight orderings", orderings: 8, images: 5),
    averageCase("more images than orderings", orderings: 3, images: 7),
  ])

private func averageCase(
  _ title: String, orderings: Int, images: Int
) -> ExerciseCase<@MainActor (Tensor) -> Tensor> {
  ExerciseCase(title) { averaged, random in
    // Likely images and unlikely ones.
    let logs = concatenate(
      [
        Tensor.uniform([orderings, images], in: -25 ..< -15, using: &random),
        Tensor.uniform([orderings, images], in: -540 ..< -500, using: &random),
      ], axis: 1)
    return [
      "the log of the average": averaged(logs),
      "the gradient of its sum": gradient(at: logs) { averaged($0).sum() },
    ]
  }
}

/// A network with weights that matter, where a new one would give each pixel about one half.
private func randomModel(_ inputs: Int, _ hidden: [Int], spread: Float, using random: inout Random) -> MADE {
  let model = MADE(inputs: inputs, hidden: hidden, direct: true, manyMasks: true, using: &random)
  for named in model.parameters {
    let shape = named.parameter.wrappedValue.shape
    named.parameter.wrappedValue = .uniform(shape, in: -1..<1, using: &random)
  }
  model.layers[hidden.count].weight = model.layers[hidden.count].weight * spread
  return model
}
