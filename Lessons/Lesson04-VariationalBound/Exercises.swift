import LessonKit

// What a student writes in VariationalBound.swift: for each exercise its cases, which return values and never verdicts.

/// VariationalBound.1 to VariationalBound.4.
let exercises: [any ExerciseSpecification] = [klExercise, elboExercise, reparameterizedExercise, scoreExercise]

let klExercise = Exercise(
  "VariationalBound.1", "KL between Gaussians with full covariances", points: 3, implementation: gaussianKL,
  hints: [
    "Four parts: a trace, a squared distance, the dimension k, and the difference of two log-determinants; all halved.",
    "`inverse(sigma)` is Σ⁻¹; since both matrices are symmetric, tr Σ⁻¹S is the sum of their elementwise product.",
    "`logDeterminant(a).logMagnitude` is ln |A|. (m−μ)ᵀ Σ⁻¹ (m−μ) for each row: `(matmul(shift, inverse) * shift).sum(axis: 1)`.",
  ],
  cases: [
    klCase("one pair in two dimensions", batch: 1, size: 2), klCase("a batch", batch: 4, size: 3),
    klCase("more dimensions", batch: 6, size: 5),
  ])

private func klCase(
  _ title: String, batch: Int, size: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { kl, random in
    let (m, mu) = (
      Tensor.uniform([batch, size], in: -2..<2, using: &random), Tensor.uniform([1, size], in: -2..<2, using: &random)
    )
    let (s, sigma) = (
      covariance(size, using: &random), covariance(size, using: &random) + covariance(size, using: &random)
    )
    return ["KL": kl(m, s, mu, sigma)]
  }
}

let elboExercise = Exercise(
  "VariationalBound.2", "The bound in closed form", points: 3,
  implementation: { model, x, m, s in model.elbo(x, m, s) }
    as @MainActor (LinearModel, Tensor, Tensor, Tensor) -> Tensor,
  dependencies: ["VariationalBound.1"],
  hints: [
    "ELBO = E_q[ln p(x|z)] − KL(q ‖ N(0, I)); the KL is `gaussianKL` with mean `.zeros([1, latents])` and covariance `identity`.",
    "E_q[ln p(x|z)] is ln p(x|m), less what the spread of z costs: ½ Σᵢ (W S Wᵀ)ᵢᵢ / noiseᵢ².",
    "The diagonal of W S Wᵀ is `(matmul(weights, s) * weights).sum(axis: 1)`; 1/noise² is `exp(logNoise * -2)`.",
  ],
  cases: [
    elboCase("one x, two causes", batch: 1, size: 2, latents: 2), elboCase("a batch", batch: 4, size: 3, latents: 2),
    elboCase("more of everything", batch: 5, size: 4, latents: 3),
  ])

private func elboCase(
  _ title: String, batch: Int, size: Int, latents: Int
) -> ExerciseCase<@MainActor (LinearModel, Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { elbo, random in
    func doubles(_ count: Int, _ range: Range<Float>) -> [Double] {
      Tensor.uniform([count], in: range, using: &random).scalars.map(Double.init)
    }
    let law = LinearGaussian(
      mean: doubles(size, -1..<1), weights: (0..<size).map { _ in doubles(latents, -1.5..<1.5) },
      noise: doubles(size, 0.5..<0.9))
    let x = Tensor.uniform([batch, size], in: -2..<2, using: &random)
    let m = Tensor.uniform([batch, latents], in: -1..<1, using: &random)
    return ["ELBO": elbo(LinearModel(law), x, m, covariance(latents, using: &random))]
  }
}

typealias Reparameterized = @MainActor (Tensor, Tensor, (Tensor) -> Tensor) -> Tensor

let reparameterizedExercise = Exercise(
  "VariationalBound.3", "The reparameterised gradient", points: 3,
  implementation: { reparameterizedGradients($0, noise: $1, logJoint: $2) } as Reparameterized,
  hints: [
    "`gradient(at: parameters) { … }` of a *sum* over draws gives each row its own draw's gradient, since rows do not mix.",
    "Split the parameters into m and ln σ, and make z = m + σ ε inside the closure, so that gradients pass through it.",
    "Sum `logJoint(z)` less `Normal(mean: m, logScale: …).logProbability(of: z)`, whose parameters are differentiated, too.",
  ],
  cases: [
    reparameterizedCase("one draw", draws: 1, latents: 2), reparameterizedCase("many draws", draws: 7, latents: 2),
    reparameterizedCase("more causes", draws: 5, latents: 4),
  ])

private func reparameterizedCase(_ title: String, draws: Int, latents: Int) -> ExerciseCase<Reparameterized> {
  ExerciseCase(title) { gradients, random in
    let parameters = Tensor.uniform([draws, 2 * latents], in: -1..<1, using: &random)
    let noise = Tensor.normal([draws, latents], using: &random)
    return ["the gradients": gradients(parameters, noise, logJoint)]
  }
}

typealias ScoreFunction = @MainActor (Tensor, Tensor, Float, (Tensor) -> Tensor) -> Tensor

let scoreExercise = Exercise(
  "VariationalBound.4", "The score function's gradient", points: 3,
  implementation: { scoreFunctionGradients($0, logJoint: $1, baseline: $2, logQ: $3) } as ScoreFunction,
  hints: [
    "Each draw's weight is ln p(x, z) − ln q(z) − baseline: numbers, through which no gradient goes; `.detached()` sees to that.",
    "`gradient(at: parameters) { (logQ($0) * weight).sum() }` gives each row weight · ∇ ln q.",
  ],
  cases: [
    ExerciseCase("a Gaussian q") { gradients, random in
      let parameters = Tensor.uniform([6, 4], in: -1..<1, using: &random)
      let z = Tensor.normal([6, 2], using: &random)
      return ["the gradients": gradients(parameters, logJoint(z), -1.5, gaussianLogQ(z))]
    },
    ExerciseCase("one of five") { gradients, random in
      let parameters = Tensor.uniform([8, 5], in: -1..<1, using: &random)
      let picks = IndexTensor.categorical(logits: parameters, using: &random)
      let values = Tensor.uniform([8], in: -4 ..< -1, using: &random)
      return ["the gradients": gradients(parameters, values, -0.7, categoricalLogQ(picks))]
    },
  ])

/// ln p(x, z) of a model whose causes are not Gaussian, `[draws, latents] → [draws]`.
private func logJoint(_ z: Tensor) -> Tensor { (sin(z * 2) - square(z - 0.5)).sum(axis: 1) - 1 }

/// A random covariance, `[size, size]`, well away from singular.
private func covariance(_ size: Int, using random: inout Random) -> Tensor {
  let factor = Tensor.uniform([size, size], in: -0.7..<0.7, using: &random)
  let identity = oneHot(IndexTensor((0..<size).map(Int32.init)), classes: size)
  return matmul(factor, factor, transposingSecond: true) + identity * 0.4
}
