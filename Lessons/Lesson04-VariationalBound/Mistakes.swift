import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  klExercise.knownMistakes([
    Mistake("This is twice the KL: the factor ½ is missing.") { klParts($0, $1, $2, $3, 1, 1, 1, 1) * 2 },
    Mistake("The log-determinants are the wrong way round: ln |Σ| − ln |S|.") { klParts($0, $1, $2, $3, 1, 1, 1, -1) },
    Mistake("The dimension k is not taken off: at S = Σ the trace is k, and the KL must be 0.") {
      klParts($0, $1, $2, $3, 1, 1, 0, 1)
    },
    Mistake("The means are not compared: add (m−μ)ᵀ Σ⁻¹ (m−μ).") {
      klParts($0, $1, $2, $3, 1, 0, 1, 1) + ($0 * 0).sum(axis: 1)
    },
    Mistake("This is KL(N(μ, Σ) ‖ N(m, S)), the other way round.") { klParts($2, $3, $0, $1, 1, 1, 1, 1) },
    Mistake("The log-determinants are missing.") { klParts($0, $1, $2, $3, 1, 1, 1, 0) },
    Mistake("The distance of the means is not measured in units of Σ: it is (m−μ)ᵀ Σ⁻¹ (m−μ).") {
      klParts($0, $1, $2, $3, 1, 0, 1, 1) + square($0 - $2).sum(axis: 1) * 0.5
    },
    Mistake("Only the variances are used: the covariances off the diagonal count, too.") {
      let identity = unit($1.shape[0])
      return klParts($0, $1 * identity, $2, $3 * identity, 1, 1, 1, 1)
    },
  ]),
  elboExercise.knownMistakes([
    Mistake("The spread of z is missing: this decodes the mean alone.") { elboParts($0, $1, $2, $3, 0, 1) },
    Mistake("The spread's cost has the wrong sign: a wider q explains x worse.") { elboParts($0, $1, $2, $3, -1, 1) },
    Mistake("The spread's cost lacks its ½.") { elboParts($0, $1, $2, $3, 2, 1) },
    Mistake("The KL is added: the bound takes it off.") { elboParts($0, $1, $2, $3, 1, -1) },
    Mistake("The KL is missing: this is E_q[ln p(x|z)] alone.") { elboParts($0, $1, $2, $3, 1, 0) },
    Mistake("This is −ELBO, a loss.") { -elboParts($0, $1, $2, $3, 1, 1) },
    Mistake("This is ln p(x): the bound depends on q.") { model, x, _, _ in model.law.logProbability(of: x) },
    Mistake("The spread is divided by the noise's standard deviation: it is its variance, exp(2 logNoise).") {
      model, x, m, s in
      let spread = (matmul(model.weights, s) * model.weights).sum(axis: 1)
      return elboParts(model, x, m, s, 0, 1) - (spread * exp(-model.logNoise)).sum() * 0.5
    },
  ]),
  reparameterizedExercise.knownMistakes([
    Mistake("The second half is ln σ, not ln σ²: the noise is scaled by its exponential.") {
      slopes($0, $1, $2, scale: { exp($0 * 0.5) })
    },
    Mistake("The noise is scaled by ln σ itself: take its exponential.") { slopes($0, $1, $2, scale: { $0 }) },
    Mistake("No gradient passes through z: it must be made of the parameters inside the closure.") {
      slopes($0, $1, $2, path: false)
    },
    Mistake("ln q is missing: this is the gradient of E_q[ln p(x, z)], without q's entropy.") {
      slopes($0, $1, $2, entropy: 0)
    },
    Mistake("ln q has the wrong sign: it is taken off.") { slopes($0, $1, $2, entropy: -1) },
    Mistake("The sign is wrong: this is the gradient of −ELBO.") { -slopes($0, $1, $2) },
    Mistake("The gradients are averaged over the draws: keep a row for each.") { slopes($0, $1, $2).mean(axis: 0) },
  ]),
  scoreExercise.knownMistakes([
    Mistake("The weight lacks ln q: it is ln p(x, z) − ln q(z).") { score($0, $1 - $2, $3) },
    Mistake("The baseline has the wrong sign: it is taken off the weight.") {
      score($0, $1 - $3($0).detached() + $2, $3)
    },
    Mistake("The baseline is not used.") { score($0, $1 - $3($0).detached(), $3) },
    Mistake("This differentiates q: the score is the gradient of ln q.") { parameters, logJoint, baseline, logQ in
      let weight = logJoint - logQ(parameters).detached() - baseline
      return gradient(at: parameters) { (exp(logQ($0)) * weight).sum() }
    },
    Mistake("A gradient goes through the weight, too: detach it.") { parameters, logJoint, baseline, logQ in
      gradient(at: parameters) { (logQ($0) * (logJoint - logQ($0) - baseline)).sum() }
    },
    Mistake("The sign is wrong: this is the gradient of −ELBO.") { -score($0, $1 - $3($0).detached() - $2, $3) },
    Mistake("The gradients are averaged over the draws: keep a row for each.") {
      score($0, $1 - $3($0).detached() - $2, $3).mean(axis: 0)
    },
  ]),
]

private func unit(_ size: Int) -> Tensor { oneHot(IndexTensor((0..<size).map(Int32.init)), classes: size) }

/// The parts of the Gaussian KL, each with a factor: trace, distance of the means, dimension, log-determinants.
private func klParts(
  _ m: Tensor, _ s: Tensor, _ mu: Tensor, _ sigma: Tensor, _ trace: Float, _ distance: Float, _ dimension: Float,
  _ determinants: Float
) -> Tensor {
  let (precision, shift) = (inverse(sigma), m - mu)
  let squares = (matmul(shift, precision) * shift).sum(axis: 1) * distance
  let logs = (logDeterminant(sigma).logMagnitude - logDeterminant(s).logMagnitude) * determinants
  return ((precision * s).sum() * trace + squares - dimension * Float(s.shape[0]) + logs) * 0.5
}

/// The parts of the linear model's bound, each with a factor: the spread's cost and the KL.
private func elboParts(
  _ model: LinearModel, _ x: Tensor, _ m: Tensor, _ s: Tensor, _ spread: Float, _ divergence: Float
) -> Tensor {
  let decoded = model.mean + matmul(m, model.weights, transposingSecond: true)
  let cost = ((matmul(model.weights, s) * model.weights).sum(axis: 1) * exp(model.logNoise * -2)).sum() * 0.5
  let kl = klParts(m, s, .zeros([1, model.latents]), model.identity, 1, 1, 1, 1)
  return Normal(mean: decoded, logScale: model.logNoise).logProbability(of: x) - cost * spread - kl * divergence
}

/// Reparameterised gradients with another scale, without the path through z, or with another factor before −ln q.
private func slopes(
  _ parameters: Tensor, _ noise: Tensor, _ logJoint: (Tensor) -> Tensor, scale: (Tensor) -> Tensor = { exp($0) },
  path: Bool = true, entropy: Float = 1
) -> Tensor {
  let k = noise.shape[1]
  return gradient(at: parameters) { parameters in
    let parts = parameters.split(sizes: [k, k], axis: 1)
    let z = parts[0] + scale(parts[1]) * noise
    let passed = path ? z : z.detached()
    let logQ = Normal(mean: parts[0], logScale: parts[1]).logProbability(of: passed)
    return (logJoint(passed) - logQ * entropy).sum()
  }
}

private func score(_ parameters: Tensor, _ weight: Tensor, _ logQ: (Tensor) -> Tensor) -> Tensor {
  gradient(at: parameters) { (logQ($0) * weight).sum() }
}
