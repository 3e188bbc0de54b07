import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  klExercise.knownMistakes([
    Mistake("This is −KL: the sum in the formula is multiplied by −½, and a KL is never negative.") {
      (1 + $1 - square($0) - exp($1)).sum(axis: 1) * 0.5
    },
    Mistake("This is twice the KL: the factor ½ is missing.") {
      -(1 + $1 - square($0) - exp($1)).sum(axis: 1)
    },
    Mistake("The codes are averaged: an example's KL is the sum over its codes.") {
      (1 + $1 - square($0) - exp($1)).mean(axis: 1) * -0.5
    },
    Mistake("Everything is summed to one number: keep one KL for each example, by summing over axis 1 alone.") {
      (1 + $1 - square($0) - exp($1)).sum() * -0.5
    },
    Mistake("The sum runs over the examples (axis 0) in place of the codes (axis 1).") {
      (1 + $1 - square($0) - exp($1)).sum(axis: 0) * -0.5
    },
    Mistake("`logVariance` is taken for ln σ: it is ln σ² already, so σ² is exp(logVariance).") {
      (1 + $1 * 2 - square($0) - exp($1 * 2)).sum(axis: 1) * -0.5
    },
    Mistake("`logVariance` is taken for σ²: where the formula has σ², take exp(logVariance).") {
      (1 + $1 - square($0) - $1).sum(axis: 1) * -0.5
    },
    Mistake("This is KL(N(0, 1) ‖ q), the other way round.") {
      ((1 + square($0)) * exp(-$1) - 1 + $1).sum(axis: 1) * 0.5
    },
    Mistake("μ enters the formula squared.") { (1 + $1 - $0 - exp($1)).sum(axis: 1) * -0.5 },
  ]),
  sampleExercise.knownMistakes([
    Mistake("The noise is scaled by the variance: σ is its square root, exp(½ logVariance).") { $0 + exp($1) * $2 },
    Mistake("The noise is scaled by ln σ² itself: take exp(½ logVariance).") { $0 + $1 * $2 },
    Mistake("The noise is scaled by 1/σ: the sign in the exponent is wrong.") { $0 + exp($1 * -0.5) * $2 },
    Mistake("The noise is not used: z is the mean.") { mean, _, _ in mean },
    Mistake("The noise is not scaled: multiply it by σ.") { mean, _, noise in mean + noise },
    Mistake("The mean is missing: z = μ + σ·ε.") { _, logVariance, noise in exp(logVariance * 0.5) * noise },
    Mistake("The values are right, but no gradient reaches μ and σ: write z in tensor operations on both.") {
      ($0 + exp($1 * 0.5) * $2).detached()
    },
  ]),
  boundExercise.knownMistakes([
    Mistake("The decoder is given the mean: the bound needs a sample z of q(z|x).") { model, x, random in
      let (mean, logVariance) = model.encoder(x)
      return exactBound(model, x, z: mean, mean, logVariance)
    },
    Mistake("The divergence has the wrong sign: KL is positive, and `elbo` subtracts it.") { model, x, random in
      let bound = exactBound(model, x, using: &random)
      return Bound(reconstruction: bound.reconstruction, divergence: -bound.divergence)
    },
    Mistake("The reconstruction has the wrong sign: it is log p(x|z), not a loss.") { model, x, random in
      let bound = exactBound(model, x, using: &random)
      return Bound(reconstruction: -bound.reconstruction, divergence: bound.divergence)
    },
    Mistake("log p(x|z) is averaged over the pixels of an image: it is their sum.") { model, x, random in
      let bound = exactBound(model, x, using: &random)
      return Bound(reconstruction: bound.reconstruction / Float(x.shape[1]), divergence: bound.divergence)
    },
    Mistake("Both parts are averaged over the batch: keep one of each for every example.") { model, x, random in
      let bound = exactBound(model, x, using: &random)
      return Bound(reconstruction: bound.reconstruction.mean(), divergence: bound.divergence.mean())
    },
    Mistake("All examples share one ε: draw `[batch, latents]` values.") { model, x, random in
      let (mean, logVariance) = model.encoder(x)
      let z = mean + exp(logVariance * 0.5) * .normal([1, mean.shape[1]], using: &random)
      return exactBound(model, x, z: z, mean, logVariance)
    },
    Mistake("ε is uniform: it must be standard normal.") { model, x, random in
      let (mean, logVariance) = model.encoder(x)
      let z = mean + exp(logVariance * 0.5) * .uniform(mean.shape, using: &random)
      return exactBound(model, x, z: z, mean, logVariance)
    },
    Mistake("z is drawn from the prior: it must be a sample of q(z|x).") { model, x, random in
      let (mean, logVariance) = model.encoder(x)
      return exactBound(model, x, z: .normal(mean.shape, using: &random), mean, logVariance)
    },
    Mistake("The values are right, but no gradient goes through z to the encoder.") { model, x, random in
      let (mean, logVariance) = model.encoder(x)
      let z = mean + exp(logVariance * 0.5) * .normal(mean.shape, using: &random)
      return exactBound(model, x, z: z.detached(), mean, logVariance)
    },
  ]),
  interpolationExercise.knownMistakes([
    Mistake("The end is not reached: `steps` codes have `steps - 1` gaps between them.") {
      walk($0, $1, t: fractions($2) { Float($0) / Float($1) })
    },
    Mistake("Both ends are left out: the walk includes `start` and `end`.") {
      walk($0, $1, t: fractions($2) { Float($0 + 1) / Float($1 + 1) })
    },
    Mistake("The start is left out: t begins at 0.") { walk($0, $1, t: fractions($2) { Float($0 + 1) / Float($1) }) },
    Mistake("The walk goes from `end` to `start`.") { start, end, steps in
      walk(end, start, t: fractions(steps) { Float($0) / Float($1 - 1) })
    },
    Mistake("The walk is transposed: steps are rows, `[steps, latents]`.") { start, end, steps in
      walk(start, end, t: fractions(steps) { Float($0) / Float($1 - 1) }).transposed()
    },
    Mistake("`end` is added to `start`: add t times the difference, end − start.") { start, end, steps in
      start + end * fractions(steps) { Float($0) / Float($1 - 1) }
    },
  ]),
]

/// The bound with a given z.
private func exactBound(_ model: VAE, _ x: Tensor, z: Tensor, _ mean: Tensor, _ logVariance: Tensor) -> Bound {
  let q = Normal(mean: mean, logVariance: logVariance)
  return Bound(
    reconstruction: model.decoder(z).logProbability(of: x), divergence: klDivergence(q, .standard(mean.shape)))
}

/// The bound as it should be, which no student's function takes part in.
private func exactBound(_ model: VAE, _ x: Tensor, using random: inout Random) -> Bound {
  let (mean, logVariance) = model.encoder(x)
  let z = Normal(mean: mean, logVariance: logVariance).sample(using: &random)
  return exactBound(model, x, z: z, mean, logVariance)
}

/// A column of fractions, `[steps, 1]`, from an index and the number of steps.
private func fractions(_ steps: Int, _ fraction: (Int, Int) -> Float) -> Tensor {
  Tensor((0..<steps).map { fraction($0, steps) }, shape: [steps, 1])
}

private func walk(_ start: Tensor, _ end: Tensor, t: Tensor) -> Tensor { start + t * (end - start) }
