import LessonKit

// What a student writes in WaveNet.swift: for each exercise its cases, which return values and never verdicts.

/// WaveNet.1 to WaveNet.4.
let exercises: [any ExerciseSpecification] = [
  compandingExercise, expansionExercise, convolutionExercise, stepExercise,
]

typealias Curve = @MainActor (_ x: Tensor, _ levels: Int) -> Tensor

let compandingExercise = Exercise(
  "WaveNet.1", "μ-law companding", points: 2, implementation: companded as Curve,
  hints: [
    "Section 2.2 has the formula: sign(x) ln(1 + μ|x|) / ln(1 + μ). With 256 levels the paper's μ is 255.",
    "`sign(x)`, `abs(x)` and `log1p(x)`, which is ln(1 + x), work on tensors of any shape; `log1p` works on a `Float` too.",
    "Test yourself: −1, 0 and 1 stay where they are, and with 256 levels 0.01 goes to about 0.228.",
  ],
  cases: [
    curveCase("soft and loud, 16 levels", [9], levels: 16), curveCase("a batch, 8 levels", [3, 7], levels: 8),
    curveCase("4 levels, three axes", [2, 5, 1], levels: 4),
  ])

let expansionExercise = Exercise(
  "WaveNet.2", "Back from companded values", points: 2, implementation: expanded as Curve,
  hints: [
    "Solve y = ln(1 + μx) / ln(1 + μ) for x, first where x is positive; the other half follows by its sign.",
    "1 + μx = (1 + μ)^y, which is exp(y ln(1 + μ)); `expm1(a)` is exp(a) − 1.",
    "Test yourself: `expanded(companded(x))` is x.",
  ],
  cases: [
    curveCase("both signs, 16 levels", [9], levels: 16), curveCase("a batch, 8 levels", [3, 7], levels: 8),
    curveCase("4 levels, three axes", [2, 5, 1], levels: 4),
  ])

private func curveCase(_ title: String, _ shape: [Int], levels: Int) -> ExerciseCase<Curve> {
  ExerciseCase(title) { curve, random in
    // Away from 0, where the sign's jump has no gradient.
    let size = Tensor.uniform(shape, in: 0.05..<0.95, using: &random)
    let x = size * (Tensor.bernoulli(.zeros(shape) + 0.5, using: &random) * 2 - 1)
    return ["the value": curve(x, levels), "its slope": gradient(at: x) { curve($0, levels).sum() }]
  }
}

typealias Convolution = @MainActor (_ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ dilation: Int) -> Tensor

let convolutionExercise = Exercise(
  "WaveNet.3", "The dilated causal convolution", points: 3, implementation: dilatedCausalConvolution as Convolution,
  hints: [
    "y_t reads x_{t−d} and x_t and nothing after: the zeros that are missing go before the first time, all of them.",
    "`x.padded(before: dilation, after: 0, axis: 1)` adds them; then as many results come out as there were inputs.",
    "`convolution1D(padded, weight, bias, dilation: dilation)` multiplies the earlier tap with `weight[0]`. Or slice `padded` twice, "
      + "use `matmul` with each of the two weights, and add.",
  ],
  cases: [
    convolutionCase("one channel, dilation 2", batch: 1, time: 7, inputs: 1, outputs: 1, dilation: 2),
    convolutionCase("dilation 3, channels", batch: 2, time: 9, inputs: 3, outputs: 4, dilation: 3),
    convolutionCase("dilation 5", batch: 3, time: 12, inputs: 2, outputs: 6, dilation: 5),
  ])

private func convolutionCase(
  _ title: String, batch: Int, time: Int, inputs: Int, outputs: Int, dilation: Int
) -> ExerciseCase<Convolution> {
  ExerciseCase(title) { convolution, random in
    let x = Tensor.uniform([batch, time, inputs], in: -1..<1, using: &random)
    let weight = Tensor.uniform([2, inputs, outputs], in: -1..<1, using: &random)
    let bias = Tensor.uniform([outputs], in: -1..<1, using: &random)
    return [
      "y": convolution(x, weight, bias, dilation),
      "the gradient of Σ y with respect to x": gradient(at: x) { convolution($0, weight, bias, dilation).sum() },
    ]
  }
}

typealias Step = @MainActor (_ x: Tensor, _ queue: inout Queue, _ weight: Tensor, _ bias: Tensor) -> Tensor

let stepExercise = Exercise(
  "WaveNet.4", "A step with a queue", points: 3, implementation: cachedStep as Step,
  hints: [
    "Three things: read x_{t−d}, which is `queue.ring[queue.oldest]`, put x in its place, and move `oldest` on by one.",
    "After the last place of the ring comes the first: take the remainder by `queue.ring.count`.",
    "y is W₀ x_{t−d} + W₁ x_t + b. Side by side the two inputs are `[batch, 2 · inputs]`, and `weight` reshaped to "
      + "`[2 · inputs, outputs]` fits them: one `linear` does it.",
  ],
  cases: [
    stepCase("one channel, dilation 3", batch: 1, steps: 7, inputs: 1, outputs: 2, dilation: 3),
    stepCase("dilation 5, a batch", batch: 3, steps: 12, inputs: 2, outputs: 4, dilation: 5),
    stepCase("dilation 4, two times round", batch: 2, steps: 10, inputs: 3, outputs: 2, dilation: 4),
  ])

private func stepCase(
  _ title: String, batch: Int, steps: Int, inputs: Int, outputs: Int, dilation: Int
) -> ExerciseCase<Step> {
  ExerciseCase(title) { step, random in
    let weight = Tensor.uniform([2, inputs, outputs], in: -1..<1, using: &random)
    let bias = Tensor.uniform([outputs], in: -1..<1, using: &random)
    var queue = Queue(dilation: dilation, batch: batch, inputs: inputs)
    let results = (0..<steps).map { _ in
      step(.uniform([batch, inputs], in: -1..<1, using: &random), &queue, weight, bias)
    }
    return ["y of all steps": concatenate(results.map { $0.reshaped(to: [-1]) }, axis: 0)]
  }
}
