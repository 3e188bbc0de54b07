import LessonKit

// What a student writes in VAE.swift: for each exercise its cases, which return values and never verdicts.

/// VAE.1 to VAE.4.
let exercises: [any ExerciseSpecification] = [klExercise, sampleExercise, boundExercise, interpolationExercise]

let klExercise = Exercise(
  "VAE.1", "KL of a Gaussian from the prior", points: 2, implementation: gaussianKL,
  hints: [
    "Appendix B of the paper has the formula; `logVariance` is ln σ², so σ² is `exp(logVariance)` and μ² is `square(mean)`.",
    "Work on the whole `[batch, latents]` tensor, then sum over the codes alone: `.sum(axis: 1)` leaves `[batch]`.",
    "Test yourself: at mean 0 and logVariance 0 the KL is 0, and it is positive everywhere else.",
  ],
  cases: [
    klCase("one example with two codes", batch: 1, latents: 2, mean: 1, logVariance: 1),
    klCase("a batch", batch: 5, latents: 3, mean: 2, logVariance: 1),
    klCase("close to the prior", batch: 4, latents: 6, mean: 0.3, logVariance: 0.3),
    klCase("many narrow and wide codes", batch: 7, latents: 20, mean: 2, logVariance: 3),
  ])

private func klCase(
  _ title: String, batch: Int, latents: Int, mean spread: Float, logVariance logSpread: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { gaussianKL, random in
    let (mean, logVariance) = gaussian([batch, latents], spread, logSpread, using: &random)
    return ["KL": gaussianKL(mean, logVariance)]
  }
}

let sampleExercise = Exercise(
  "VAE.2", "The reparameterisation", points: 2, implementation: reparameterized,
  hints: [
    "`noise` is ε, already drawn: scale it and move it, so that z has mean μ and standard deviation σ.",
    "σ is the square root of exp(logVariance), which is `exp(logVariance * 0.5)`.",
    "z must be computed from `mean` and `logVariance` by tensor operations: gradients flow through those alone.",
  ],
  cases: [
    sampleCase("one code", [1, 1], mean: 1, logVariance: 1),
    sampleCase("a batch", [4, 3], mean: 2, logVariance: 1),
    sampleCase("narrow and wide codes", [6, 5], mean: 1, logVariance: 3),
  ])

private func sampleCase(
  _ title: String, _ shape: [Int], mean spread: Float, logVariance logSpread: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { reparameterized, random in
    let (mean, logVariance) = gaussian(shape, spread, logSpread, using: &random)
    let noise = Tensor.normal(shape, using: &random)
    return [
      "z": reparameterized(mean, logVariance, noise),
      "the gradient of Σ z with respect to the mean": gradient(at: mean) {
        reparameterized($0, logVariance, noise).sum()
      },
      "the gradient of Σ z with respect to the log-variance": gradient(at: logVariance) {
        reparameterized(mean, $0, noise).sum()
      },
    ]
  }
}

let boundExercise = Exercise(
  "VAE.3", "The bound", points: 4, implementation: bound(of:_:using:),
  dependencies: ["VAE.1", "VAE.2"],
  hints: [
    "Four steps: encode `x`, draw ε, make z from them by `reparameterized`, and fill in a `Bound`.",
    "`encoder(x)` gives `(mean, logVariance)`; ε is `Tensor.normal(mean.shape, using: &random)`.",
    "The reconstruction is `decoder(z).logProbability(of: x)`, the divergence `gaussianKL(mean:logVariance:)`; both are `[batch]`.",
  ],
  cases: [
    boundCase("real values, a linear encoder", batch: 3, inputs: 4, latents: 2) { latents, x, random in
      GaussianDecoder(latents: latents, examples: x, using: &random)
    },
    boundCase("binary values", batch: 4, inputs: 9, latents: 3, hidden: [5]) { latents, x, random in
      BernoulliDecoder(latents: latents, hidden: [5], outputs: x.shape[1], using: &random)
    },
    boundCase("a larger batch of binary values", batch: 12, inputs: 16, latents: 5, hidden: [8]) { latents, x, random in
      BernoulliDecoder(latents: latents, hidden: [8], outputs: x.shape[1], using: &random)
    },
  ])

private func bound(of model: VAE, _ x: Tensor, using random: inout Random) -> Bound { model.bound(x, using: &random) }

private func boundCase(
  _ title: String, batch: Int, inputs: Int, latents: Int, hidden: [Int] = [],
  decoder: @escaping @MainActor (_ latents: Int, _ x: Tensor, _ random: inout Random) -> any Decoder
) -> ExerciseCase<@MainActor (VAE, Tensor, inout Random) -> Bound> {
  ExerciseCase(title) { bound, random in
    let uniform = Tensor.uniform([batch, inputs], in: -1..<1, using: &random)
    let x = hidden.isEmpty ? uniform : uniform .> 0
    let encoder = Encoder(inputs: inputs, hidden: hidden, latents: latents, using: &random)
    // Encoders begin near the prior, where mistakes hardly show.
    encoder.mean.weight = .uniform(encoder.mean.weight.shape, in: -1..<1, using: &random)
    encoder.logVariance.weight = .uniform(encoder.logVariance.weight.shape, in: -0.5..<0.5, using: &random)
    let model = VAE(encoder: encoder, decoder: decoder(latents, x, &random))
    if let linear = (model.decoder as? GaussianDecoder)?.mean {
      linear.weight = .uniform(linear.weight.shape, in: -1..<1, using: &random)
    }
    let start = random
    let result = bound(model, x, &random)
    let slope = gradient(at: x) { x in
      var again = start
      let result = bound(model, x, &again)
      return result.reconstruction.sum() - result.divergence.sum()
    }
    return [
      "the reconstruction": result.reconstruction, "the divergence": result.divergence,
      "the gradient of Σ ELBO with respect to x": slope,
    ]
  }
}

let interpolationExercise = Exercise(
  "VAE.4", "A walk between two codes", points: 2, implementation: interpolated,
  hints: [
    "Row i is start + tᵢ (end − start), where t goes from 0 to 1 in equal steps and reaches both.",
    "With `steps` rows there are `steps - 1` gaps, so tᵢ = i / (steps − 1).",
    "A column of shape `[steps, 1]` times a row of shape `[latents]` broadcasts to `[steps, latents]`.",
  ],
  cases: [
    interpolationCase("the two ends alone", latents: 3, steps: 2),
    interpolationCase("five steps", latents: 2, steps: 5),
    interpolationCase("many codes", latents: 20, steps: 11),
  ])

private func interpolationCase(
  _ title: String, latents: Int, steps: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Int) -> Tensor> {
  ExerciseCase(title) { interpolated, random in
    let start = Tensor.uniform([latents], in: -3..<3, using: &random)
    let end = Tensor.uniform([latents], in: -3..<3, using: &random)
    return ["the walk": interpolated(start, end, steps)]
  }
}

/// μ and ln σ² of Gaussians, uniform up to a largest absolute value.
private func gaussian(
  _ shape: [Int], _ spread: Float, _ logSpread: Float, using random: inout Random
) -> (mean: Tensor, logVariance: Tensor) {
  let mean = Tensor.uniform(shape, in: -spread..<spread, using: &random)
  return (mean, Tensor.uniform(shape, in: -logSpread..<logSpread, using: &random))
}
