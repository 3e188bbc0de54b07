import LessonKit

// What a student writes in GAN.swift: for each exercise its cases, which return values and never verdicts.

/// GAN.1 to GAN.4.
let exercises: [any ExerciseSpecification] = [discriminatorExercise, generatorExercise, optimumExercise, gameExercise]

let discriminatorExercise = Exercise(
  "GAN.1", "The discriminator's loss", points: 2, implementation: discriminatorLoss,
  hints: [
    "It is −V: minus the mean of ln D over the data, minus the mean of ln(1 − D) over the samples.",
    "The inputs are logits l with D = σ(l). Then 1 − D = σ(−l), and −ln σ(l) = ln(1 + exp(−l)).",
    "`softplus(x)` is ln(1 + exp(x)) without overflow; each side has a mean of its own.",
  ],
  cases: [
    discriminatorCase("a few logits", real: 3, fake: 4, extreme: 110),
    discriminatorCase("a batch", real: 12, fake: 8, extreme: 150),
    discriminatorCase("a discriminator that is sure, and wrong", real: 6, fake: 15, extreme: 900),
  ])

private func discriminatorCase(
  _ title: String, real: Int, fake: Int, extreme: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { loss, random in
    let real = concatenate([.uniform([real], in: -3..<3, using: &random), Tensor([-extreme])], axis: 0)
    let fake = concatenate([.uniform([fake], in: -3..<3, using: &random), Tensor([extreme + 20])], axis: 0)
    return [
      "the loss": loss(real, fake),
      "its gradient by the logits on data": gradient(at: real) { loss($0, fake).sum() },
      "its gradient by the logits on samples": gradient(at: fake) { loss(real, $0).sum() },
    ]
  }
}

let generatorExercise = Exercise(
  "GAN.2", "The generator's two losses", points: 2, implementation: generatorLoss,
  hints: [
    "Saturating: the mean of ln(1 − D). Non-saturating: minus the mean of ln D. The generator minimises either.",
    "Write both on the logits, with `softplus`, as in GAN.1: ln(1 − D) = −softplus(l), and −ln D = softplus(−l).",
    "Switch over `self`. Both losses fall when a logit rises: the generator wants its samples taken for data.",
  ],
  cases: [
    generatorCase("a few logits", count: 3, extreme: 110), generatorCase("a batch", count: 16, extreme: 150),
    generatorCase("a discriminator that is sure", count: 7, extreme: 900),
  ])

private func generatorLoss(_ loss: GeneratorLoss, _ fake: Tensor) -> Tensor { loss(fake: fake) }

private func generatorCase(
  _ title: String, count: Int, extreme: Float
) -> ExerciseCase<@MainActor (GeneratorLoss, Tensor) -> Tensor> {
  ExerciseCase(title) { loss, random in
    let fake = concatenate(
      [.uniform([count], in: -3..<3, using: &random), Tensor([-extreme, extreme + 20])], axis: 0)
    return [
      "the saturating loss": loss(.saturating, fake),
      "its gradient by the logits": gradient(at: fake) { loss(.saturating, $0).sum() },
      "the non-saturating loss": loss(.nonSaturating, fake),
      "the gradient of that by the logits": gradient(at: fake) { loss(.nonSaturating, $0).sum() },
    ]
  }
}

let optimumExercise = Exercise(
  "GAN.3", "The best discriminator", points: 3, implementation: optimum,
  hints: [
    "p/(p + q) = 1/(1 + q/p): the sigmoid of ln p − ln q, which needs no density.",
    "ln D* and ln(1 − D*) are `logSigmoid` of that logit and of minus it.",
    "The integral is a sum over the points of p ln D* + q ln(1 − D*), times `cell`; p is `exp(logP)`.",
  ],
  cases: [
    optimumCase("a handful of points", count: 4, cell: 0.3), optimumCase("a line", count: 40, cell: 0.1),
    optimumCase("a plane", count: 144, cell: 0.04),
  ])

private func optimumCase(
  _ title: String, count: Int, cell: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Float) -> Optimum> {
  ExerciseCase(title) { optimum, random in
    // The last point lies so far out that both densities are 0 in Float.
    let (logP, logQ) = (
      concatenate([.uniform([count], in: -4..<1, using: &random), Tensor([-210])], axis: 0),
      concatenate([.uniform([count], in: -4..<1, using: &random), Tensor([-211])], axis: 0)
    )
    let found = optimum(logP, logQ, cell)
    return ["D*": found.discriminator, "V(D*)": found.value]
  }
}

let gameExercise = Exercise(
  "GAN.4", "Who learns from what", points: 3, implementation: play, dependencies: ["GAN.1", "GAN.2"],
  hints: [
    "The discriminator reads data and G(z), and its logits on both go into GAN.1's loss.",
    "While the discriminator learns, samples are constants: `detached()` cuts what led to them.",
    "While the generator learns, nothing is cut: D(G(z)) passes the gradient on to G, and only G's weights are then changed.",
  ],
  cases: [
    gameCase("small networks", batch: 4, latents: 2, hidden: 16),
    gameCase("a batch", batch: 10, latents: 4, hidden: 24),
    gameCase("wide networks", batch: 16, latents: 8, hidden: 40),
  ])

/// What both players minimise; the generator's loss of both kinds.
struct Play {
  let discriminator, generator, saturating: Tensor
}

private func play(_ gan: GAN, _ x: Tensor, _ z: Tensor) -> Play {
  Play(
    discriminator: gan.lossOfDiscriminator(x, noise: z), generator: gan.lossOfGenerator(noise: z),
    saturating: gan.lossOfGenerator(noise: z, .saturating))
}

private func gameCase(
  _ title: String, batch: Int, latents: Int, hidden: Int
) -> ExerciseCase<@MainActor (GAN, Tensor, Tensor) -> Play> {
  ExerciseCase(title) { play, random in
    let gan = GAN(latents: latents, hidden: hidden, using: &random)
    // Networks begin near D = ½, where mistakes hardly show; these have logits of size 1.
    for named in gan.parameters {
      let shape = named.parameter.wrappedValue.shape
      let reach = shape.count == 2 ? 2 / Float(shape[0]).squareRoot() : 0.5
      named.parameter.wrappedValue = .uniform(shape, in: -reach..<reach, using: &random)
    }
    let x = Tensor.uniform([batch, 2], in: -2..<2, using: &random)
    let z = gan.generator.noise(batch, using: &random)
    let found = play(gan, x, z)
    return [
      "the discriminator's loss": found.discriminator, "the generator's loss": found.generator,
      "the generator's saturating loss": found.saturating,
      "the discriminator's gradient at the data": gradient(at: x) { play(gan, $0, z).discriminator.sum() },
      "the discriminator's gradient at the noise": gradient(at: z) { play(gan, x, $0).discriminator.sum() },
      "the generator's gradient at the noise": gradient(at: z) { play(gan, x, $0).generator.sum() },
      "the generator's saturating gradient at the noise": gradient(at: z) { play(gan, x, $0).saturating.sum() },
    ]
  }
}
