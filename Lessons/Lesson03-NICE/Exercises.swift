import LessonKit

// What a student writes in NICE.swift and Images.swift: for each exercise its cases, which return values and never verdicts.

/// NICE.1 to NICE.4.
let exercises: [any ExerciseSpecification] = [
  couplingExercise, likelihoodExercise, bitsExercise, inpaintingExercise,
]

let couplingExercise = Exercise(
  "NICE.1", "The additive coupling, forward and back", points: 3,
  implementation: coupled(_:mask:_:by:),
  hints: [
    "`m` may look only at what stays: give it `mask * x`, in which the other places are zeros.",
    "What m gives is added where the mask is 0: multiply it by `1 - mask`.",
    "The inverse sees the same places, since they did not change, so it can compute the same shift and subtract it.",
  ],
  cases: [
    couplingCase("one point of the plane", batch: 1, dimension: 2),
    couplingCase("a batch of odd dimension", batch: 4, dimension: 5),
    couplingCase("more dimensions", batch: 3, dimension: 8),
  ])

private func couplingCase(
  _ title: String, batch: Int, dimension: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Direction, (Tensor) -> Tensor) -> Tensor> {
  ExerciseCase(title) { coupled, random in
    let x = Tensor.uniform([batch, dimension], in: -2..<2, using: &random)
    let weight = Tensor.uniform([dimension, dimension], in: -1..<1, using: &random)
    let keepsEven = random.next() % 2 == 0
    let mask = Tensor((0..<dimension).map { $0.isMultiple(of: 2) == keepsEven ? 1 : 0 })
    // The cosine tells zeros that m should see from values that it should not.
    func m(_ x: Tensor) -> Tensor { cos(matmul(x, weight)) }
    return [
      "forward": coupled(x, mask, .forward, m), "inverse": coupled(x, mask, .inverse, m),
      "the gradient of the forward result's sum": gradient(at: x) { coupled($0, mask, .forward, m).sum() },
    ]
  }
}

let likelihoodExercise = Exercise(
  "NICE.2", "The exact log-likelihood", points: 3, implementation: logProbability(of:_:), dependencies: ["NICE.1"],
  hints: [
    "`encode(x)` gives h; `prior.law(h.shape)` is a distribution, and its `logProbability(of: h)` has one value for each example.",
    "`encode` divides by `unit`, couples, then multiplies by exp(s). The log-determinant sums the logarithms of all these factors.",
    "The couplings have determinant 1. There remain Σ s from the scales and −Σ log(unit) from the units.",
  ],
  cases: [
    likelihoodCase("the plane", batch: 3, dimension: 2, couplings: 2),
    likelihoodCase("no couplings: scales and units alone", batch: 4, dimension: 3, couplings: 0),
    likelihoodCase("five dimensions, a Gaussian prior", batch: 5, dimension: 5, couplings: 3, prior: .gaussian),
  ])

private func logProbability(of model: NICE, _ x: Tensor) -> Tensor { model.logProbability(of: x) }

private func likelihoodCase(
  _ title: String, batch: Int, dimension: Int, couplings: Int, prior: Prior = .logistic
) -> ExerciseCase<@MainActor (NICE, Tensor) -> Tensor> {
  ExerciseCase(title) { logProbability, random in
    let model = NICE(
      centre: .uniform([dimension], in: -1..<1, using: &random),
      unit: .uniform([dimension], in: 0.3..<3, using: &random),
      couplings: couplings, hidden: [6], prior: prior, using: &random)
    model.s = .uniform([dimension], in: -1..<1, using: &random)
    for coupling in model.couplings {
      guard let last = coupling.m.layers.last as? Linear else { continue }
      last.weight = .uniform(last.weight.shape, in: -1..<1, using: &random)
    }
    let x = Tensor.uniform([batch, dimension], in: -2..<2, using: &random)
    return [
      "log p(x)": logProbability(model, x),
      "the gradient of its sum with respect to s": gradients(
        of: logProbability(model, x).sum(), withRespectTo: [model.s])[0],
    ]
  }
}

let bitsExercise = Exercise(
  "NICE.3", "Dequantisation and bits per dimension", points: 3,
  implementation: bitsPerDimension(levels:noise:levelCount:logDensity:),
  hints: [
    "x = (levels + noise) / levelCount lies in 0…1: with 17 levels divide by 17, not by the largest level 16.",
    "A cell of x has the volume levelCount^(−dimension), so −ln P = −log p(x) + dimension · ln levelCount.",
    "Divide by the dimension for nats each, then by ln 2 for bits.",
  ],
  cases: [
    bitsCase("two levels", batch: 3, dimension: 4, levels: 2),
    bitsCase("17 levels", batch: 5, dimension: 6, levels: 17),
    bitsCase("256 levels", batch: 2, dimension: 10, levels: 256),
  ])

private func bitsCase(
  _ title: String, batch: Int, dimension: Int, levels count: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Int, (Tensor) -> Tensor) -> Tensor> {
  ExerciseCase(title) { bitsPerDimension, random in
    let levels = floor(.uniform([batch, dimension], in: 0..<Float(count), using: &random))
    let noise = Tensor.uniform([batch, dimension], using: &random)
    let law = Normal(
      mean: .uniform([1, dimension], using: &random), logScale: .uniform([1, dimension], in: -2..<(-1), using: &random))
    return ["bits/dim": bitsPerDimension(levels, noise, count) { law.logProbability(of: $0) }]
  }
}

let inpaintingExercise = Exercise(
  "NICE.4", "A step of inpainting", points: 3, implementation: inpainted(_:hidden:rate:noise:logProbability:),
  hints: [
    "`gradient(at: x) { logProbability($0).sum() }` has the gradient of each example in its row.",
    "The moved x is `x + rate * (slope + noise)`; `.clamped(to: 0...1)` keeps it a picture.",
    "`select(hidden, moved, x)` takes the moved values where `hidden` is 1 and leaves the others exactly as they were.",
  ],
  cases: [
    inpaintingCase("one image", batch: 1, dimension: 6, rate: 0.02),
    inpaintingCase("a batch", batch: 5, dimension: 6, rate: 0.05),
    inpaintingCase("more pixels", batch: 4, dimension: 12, rate: 0.03),
  ])

private func inpaintingCase(
  _ title: String, batch: Int, dimension: Int, rate: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor, Tensor, (Tensor) -> Tensor) -> Tensor> {
  ExerciseCase(title) { inpainted, random in
    // One known place lies outside of 0…1 and must stay there; one hidden place does too and must not.
    let inside = Tensor.uniform([batch, dimension], in: 0.3..<0.7, using: &random)
    let half = dimension / 2
    let x = inside.replacing(0..<1, axis: 1, with: Tensor(-0.3)).replacing(half..<half + 1, axis: 1, with: Tensor(1.5))
    let hidden = Tensor((0..<dimension).map { $0 < half ? 0 : 1 })
    let rates = Tensor.uniform([dimension], in: rate / 2..<rate, using: &random)
    let noise = Tensor.uniform([batch, dimension], in: 1..<2, using: &random)
    let law = Normal(
      mean: .uniform([1, dimension], using: &random), logScale: .uniform([1, dimension], in: -1..<0, using: &random))
    return ["the image after a step": inpainted(x, hidden, rates, noise) { law.logProbability(of: $0) }]
  }
}
