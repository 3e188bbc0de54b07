import LessonKit

// What a student writes in IWAE.swift: for each exercise its cases, which return values and never verdicts.

/// IWAE.1 to IWAE.4.
let exercises: [any ExerciseSpecification] = [weightsExercise, boundExercise, normalizationExercise, activityExercise]

let weightsExercise = Exercise(
  "IWAE.1", "The log-weights of k samples", points: 4, implementation: logWeights(of:_:samples:using:),
  hints: [
    "log w = log p(z) + log p(x|z) − log q(z|x): three log-probabilities of one sample, no KL in closed form.",
    "`repeated(k, axis: 0)` writes each row k times, for q's mean and variance `[batch · k, latents]` and for x alike.",
    "z is `q.sample(using: &random)` of a `Normal`; the sum of the three, `[batch · k]`, reshapes to `[batch, k]`.",
  ],
  cases: [
    weightsCase("real values, a linear encoder", batch: 3, inputs: 2, latents: 2, samples: 4),
    weightsCase("binary values", batch: 4, inputs: 9, latents: 3, hidden: [5], samples: 3),
    weightsCase("two layers, many samples", batch: 2, inputs: 6, latents: 4, hidden: [7, 5], samples: 16),
  ])

private func logWeights(of model: IWAE, _ x: Tensor, samples k: Int, using random: inout Random) -> Tensor {
  model.logWeights(x, samples: k, using: &random)
}

private func weightsCase(
  _ title: String, batch: Int, inputs: Int, latents: Int, hidden: [Int] = [], samples k: Int
) -> ExerciseCase<@MainActor (IWAE, Tensor, Int, inout Random) -> Tensor> {
  ExerciseCase(title) { logWeights, random in
    let uniform = Tensor.uniform([batch, inputs], in: -1..<1, using: &random)
    let model = randomModel(inputs: inputs, latents: latents, hidden: hidden, using: &random)
    let x = hidden.isEmpty ? uniform : uniform .> 0
    let start = random
    let slope = gradient(at: x) { x in
      var again = start
      return logWeights(model, x, k, &again).sum()
    }
    return ["log w": logWeights(model, x, k, &random), "the gradient of Σ log w with respect to x": slope]
  }
}

/// A model far from the beginning, where q(z|x) is the prior and mistakes hardly show.
private func randomModel(inputs: Int, latents: Int, hidden: [Int], using random: inout Random) -> IWAE {
  let encoder = Encoder(inputs: inputs, hidden: hidden, latents: latents, using: &random)
  encoder.mean.weight = .uniform(encoder.mean.weight.shape, in: -1..<1, using: &random)
  encoder.logVariance.weight = .uniform(encoder.logVariance.weight.shape, in: -1..<1, using: &random)
  if hidden.isEmpty {
    return IWAE(encoder: encoder, decoder: GaussianDecoder(latents: latents, outputs: inputs, using: &random))
  }
  let means = Tensor.uniform([inputs], in: 0.2..<0.8, using: &random)
  return IWAE(
    encoder: encoder,
    decoder: BernoulliDecoder(latents: latents, hidden: hidden, pixelMeans: means, using: &random))
}

let boundExercise = Exercise(
  "IWAE.2", "The k-sample bound", points: 2, implementation: bound,
  hints: [
    "The mean is inside the logarithm: ln (1/k · Σ w), not the mean of ln w.",
    "Log-weights of images are near −90 or −1000, where `exp` gives 0: `logSumExp(axis:)` takes the largest out first.",
    "ln (1/k · Σ w) = logSumExp of the log-weights over axis 1, less ln k.",
  ],
  cases: [
    boundCase("two samples", batch: 3, samples: 2, spread: 1),
    boundCase("five samples", batch: 2, samples: 5, spread: 3),
    boundCase("fifty samples, far apart", batch: 4, samples: 50, spread: 20),
  ])

private func boundCase(
  _ title: String, batch: Int, samples: Int, spread: Float
) -> ExerciseCase<@MainActor (Tensor) -> Tensor> {
  ExerciseCase(title) { bound, random in
    let logWeights = smallLogWeights(batch, samples, spread, using: &random)
    return [
      "the bound": bound(logWeights),
      "the gradient of its sum with respect to the log-weights": gradient(at: logWeights) { bound($0).sum() },
    ]
  }
}

/// Log-weights as images have them, whose exponentials are 0 in single precision.
private func smallLogWeights(_ batch: Int, _ samples: Int, _ spread: Float, using random: inout Random) -> Tensor {
  .normal([batch, samples], using: &random) * spread - .uniform([batch, 1], in: 400..<600, using: &random)
}

let normalizationExercise = Exercise(
  "IWAE.3", "Normalised importance weights", points: 2, implementation: normalizedWeights,
  hints: [
    "An example's k weights sum to 1: w̃ᵢ = wᵢ / Σⱼ wⱼ, and what is given is ln w.",
    "That is a softmax of the log-weights, along the axis of the samples.",
    "In Σ w̃ᵢ ∇ log wᵢ the weights are constants: `.detached()` keeps gradients out of them.",
  ],
  cases: [
    normalizationCase("two samples", batch: 3, samples: 2, spread: 1),
    normalizationCase("five samples", batch: 2, samples: 5, spread: 2),
    normalizationCase("twenty samples", batch: 6, samples: 20, spread: 1),
  ])

private func normalizationCase(
  _ title: String, batch: Int, samples: Int, spread: Float
) -> ExerciseCase<@MainActor (Tensor) -> Tensor> {
  ExerciseCase(title) { normalizedWeights, random in
    let logWeights = smallLogWeights(batch, samples, spread, using: &random)
    return [
      "w̃": normalizedWeights(logWeights),
      "the gradient of Σ w̃ log w with respect to log w": gradient(at: logWeights) {
        (normalizedWeights($0) * $0).sum()
      },
    ]
  }
}

let activityExercise = Exercise(
  "IWAE.4", "Active units", points: 2, implementation: activity(of:_:),
  hints: [
    "A unit is active if the *mean* of q(z|x) depends on x; how wide q is does not matter.",
    "`encoder(x).mean` is `[batch, latents]`; wanted is one variance for each unit, over the examples.",
    "`variance(axes: [0])` of the means leaves `[latents]`.",
  ],
  cases: [
    activityCase("linear encoder", batch: 4, inputs: 3, latents: 2, hidden: []),
    activityCase("hidden units", batch: 10, inputs: 8, latents: 5, hidden: [6]),
    activityCase("many examples", batch: 50, inputs: 5, latents: 3, hidden: [4, 4]),
  ])

private func activity(of model: IWAE, _ x: Tensor) -> Tensor { model.activity(x) }

private func activityCase(
  _ title: String, batch: Int, inputs: Int, latents: Int, hidden: [Int]
) -> ExerciseCase<@MainActor (IWAE, Tensor) -> Tensor> {
  ExerciseCase(title) { activity, random in
    let model = randomModel(inputs: inputs, latents: latents, hidden: hidden, using: &random)
    model.encoder.mean.bias = .uniform([latents], in: 0.5..<1, using: &random)
    return ["the activity": activity(model, .uniform([batch, inputs], in: -1..<1, using: &random))]
  }
}
