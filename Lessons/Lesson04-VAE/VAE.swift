import LessonKit

// The variational autoencoder of Kingma & Welling (2013), arXiv 1312.6114, with the paper's names and equations.

/// KL(N(μ, σ²) ‖ N(0, 1)) = −½ Σ (1 + ln σ² − μ² − σ²), in nats (appendix B): `[batch, latents] → [batch]`.
func gaussianKL(mean: Tensor, logVariance: Tensor) -> Tensor {
  // BEGIN SOLUTION VAE.1
  (1 + logVariance - square(mean) - exp(logVariance)).sum(axis: 1) * -0.5
  // END SOLUTION
}

/// z = μ + σ·ε (section 2.4): a sample of q written so that gradients reach μ and σ, `[batch, latents]`.
func reparameterized(mean: Tensor, logVariance: Tensor, noise: Tensor) -> Tensor {
  // BEGIN SOLUTION VAE.2
  mean + exp(logVariance * 0.5) * noise
  // END SOLUTION
}

/// q(z|x): a Gaussian with a diagonal covariance, after layers of rectifiers, `[batch, inputs] → [batch, latents]`.
final class Encoder: Module {
  let hidden: [Linear]
  let mean, logVariance: Linear

  init(inputs: Int, hidden widths: [Int], latents: Int, using random: inout Random) {
    hidden = zip([inputs] + widths, widths).map { Linear($0, $1, using: &random) }
    // Both begin near zero, so that q(z|x) begins near the prior: an encoder that says nothing yet.
    let width = widths.last ?? inputs
    mean = Linear(width, latents, initialization: .normal(standardDeviation: 0.01), using: &random)
    logVariance = Linear(width, latents, initialization: .normal(standardDeviation: 0.01), using: &random)
  }

  func callAsFunction(_ x: Tensor) -> (mean: Tensor, logVariance: Tensor) {
    let h = hidden.reduce(x) { relu($1($0)) }  // [batch, last width]
    return (mean(h), logVariance(h))  // [batch, latents] each
  }
}

/// p(x|z): `[batch, latents]` gives a law over `[batch, outputs]`.
protocol Decoder: Module {
  func callAsFunction(_ z: Tensor) -> any Distribution
}

/// Binary pixels, independent given z, after layers of rectifiers (appendix C.1).
final class BernoulliDecoder: Decoder {
  let hidden: [Linear]
  let logits: Linear

  init(latents: Int, hidden widths: [Int], outputs: Int, using random: inout Random) {
    hidden = zip([latents] + widths, widths).map { Linear($0, $1, using: &random) }
    logits = Linear(widths.last ?? latents, outputs, initialization: .glorotUniform, using: &random)
  }

  func callAsFunction(_ z: Tensor) -> any Distribution { Bernoulli(logits: logits(hidden.reduce(z) { relu($1($0)) })) }
}

/// Real values, independent given z: a linear mean and one scale for each output.
final class GaussianDecoder: Decoder {
  let mean: Linear
  @Parameter var logScale: Tensor

  /// Begins as the best law that does not look at z, the mean and scale of `examples`, `[count, outputs]`, with its scale times `noise`.
  init(latents: Int, examples: Tensor, noise: Float = 1, using random: inout Random) {
    mean = Linear(latents, examples.shape[1], initialization: .normal(standardDeviation: 0.01), using: &random)
    logScale = log(examples.variance(axes: [0])) * 0.5 + log(noise)
    mean.bias = examples.mean(axis: 0)
  }

  func callAsFunction(_ z: Tensor) -> any Distribution { Normal(mean: mean(z), logScale: logScale) }
}

/// The bound for each example, in nats, `[batch]`: E_q[log p(x|z)] from one sample of z, less the exact KL(q(z|x) ‖ p(z)).
struct Bound {
  let reconstruction, divergence: Tensor
  var elbo: Tensor { reconstruction - divergence }
}

/// Encoder, decoder and the standard Gaussian prior.
final class VAE: Module {
  let encoder: Encoder
  let decoder: any Decoder

  init(encoder: Encoder, decoder: any Decoder) { (self.encoder, self.decoder) = (encoder, decoder) }

  /// The bound on log p(x) for `x` of shape `[batch, inputs]` (equation 10, with one sample for each example).
  ///
  /// Its one draw from `random` is ε, standard normal, `[batch, latents]`.
  func bound(_ x: Tensor, using random: inout Random) -> Bound {
    // BEGIN SOLUTION VAE.3
    let (mean, logVariance) = encoder(x)
    let noise = Tensor.normal(mean.shape, using: &random)
    let z = reparameterized(mean: mean, logVariance: logVariance, noise: noise)  // [batch, latents]
    return Bound(
      reconstruction: decoder(z).logProbability(of: x),
      divergence: gaussianKL(mean: mean, logVariance: logVariance))
    // END SOLUTION
  }

  /// KL(q(z|x) ‖ p(z)) of each code alone, averaged over examples: `[batch, inputs] → [latents]`, nats.
  func divergencePerCode(_ x: Tensor) -> Tensor {
    withoutGradients {
      let (mean, logVariance) = encoder(x)
      let each = gaussianKL(mean: mean.reshaped(to: [-1, 1]), logVariance: logVariance.reshaped(to: [-1, 1]))
      return each.reshaped(to: mean.shape).mean(axis: 0)
    }
  }

  /// log p(x) by importance sampling (appendix D; Burda 2015, arXiv 1509.00519, equation 8): `[batch, inputs] → [batch]`, nats.
  ///
  /// Its expectation is itself a lower bound, which rises from the ELBO at 1 sample to log p(x).
  func logLikelihood(_ x: Tensor, samples: Int, using random: inout Random) -> Tensor {
    withoutGradients {
      let (mean, logVariance) = encoder(x)
      let q = Normal(mean: mean.repeated(samples, axis: 0), logVariance: logVariance.repeated(samples, axis: 0))
      let z = q.sample(using: &random)  // [batch · samples, latents]
      let logJoint =
        decoder(z).logProbability(of: x.repeated(samples, axis: 0)) + Normal.standard(z.shape).logProbability(of: z)
      let logWeight = logJoint - q.logProbability(of: z)  // [batch · samples]
      return logWeight.reshaped(to: [x.shape[0], samples]).logSumExp(axis: 1) - log(Float(samples))
    }
  }
}

/// Codes on the straight line between two, both ends included, in 2 steps or more: `[latents], [latents] → [steps, latents]`.
func interpolated(from start: Tensor, to end: Tensor, steps: Int) -> Tensor {
  // BEGIN SOLUTION VAE.4
  let t = Tensor((0..<steps).map { Float($0) / Float(steps - 1) }, shape: [steps, 1])
  return start * (1 - t) + end * t
  // END SOLUTION
}
