import LessonKit

/// A VAE to compare with (`Lesson04-VAE`): Gaussian codes, binary pixels, one hidden layer on each side.
final class GaussianVAE: Module {
  let seen, moments, made, logits: Linear

  init(pixels: Int, hidden: Int, latents: Int, using random: inout Random) {
    seen = Linear(pixels, hidden, using: &random)
    moments = Linear(hidden, 2 * latents, initialization: .normal(standardDeviation: 0.01), using: &random)
    made = Linear(latents, hidden, using: &random)
    logits = Linear(hidden, pixels, initialization: .glorotUniform, using: &random)
  }

  /// q(z|x): `[batch, pixels]` gives a law over `[batch, latents]`.
  func posterior(_ x: Tensor) -> Normal {
    let parts = moments(relu(seen(x)))
    let latents = parts.shape[1] / 2
    return Normal(
      mean: parts.sliced(0..<latents, axis: 1), logVariance: parts.sliced(latents..<2 * latents, axis: 1))
  }

  /// p(x|z): `[batch, latents]` gives a law over `[batch, pixels]`.
  func decoded(_ z: Tensor) -> Bernoulli { Bernoulli(logits: logits(relu(made(z)))) }

  /// The bound's two parts, nats, `[batch]`: ln p(x|z) at one sample of z, and KL(q(z|x) ‖ p(z)).
  func bound(_ x: Tensor, using random: inout Random) -> (reconstruction: Tensor, divergence: Tensor) {
    let q = posterior(x)
    return (
      decoded(q.sample(using: &random)).logProbability(of: x), klDivergence(q, .standard(q.mean.shape))
    )
  }

  /// ln p(x) by importance sampling, in expectation a lower bound, nats: `[batch, pixels] → [batch]`.
  func logLikelihood(_ x: Tensor, samples: Int, using random: inout Random) -> Tensor {
    withoutGradients {
      let q = posterior(x.repeated(samples, axis: 0))
      let z = q.sample(using: &random)  // [batch · samples, latents]
      let logJoint = decoded(z).logProbability(of: x.repeated(samples, axis: 0))
      let logWeight = logJoint + Normal.standard(z.shape).logProbability(of: z) - q.logProbability(of: z)
      return logWeight.reshaped(to: [x.shape[0], samples]).logSumExp(axis: 1) - log(Float(samples))
    }
  }
}
