import LessonKit

// The importance weighted autoencoder of Burda, Grosse & Salakhutdinov (2015), arXiv 1509.00519.

/// ln of the mean of k importance weights (equation 8): log-weights `[batch, k] → [batch]`, at any size of them.
func bound(_ logWeights: Tensor) -> Tensor {
  // BEGIN SOLUTION IWAE.2
  logWeights.logSumExp(axis: 1) - log(Float(logWeights.shape[1]))
  // END SOLUTION
}

/// w̃ᵢ = wᵢ / Σⱼ wⱼ for each example (equation 14), constants: `[batch, k] → [batch, k]`.
///
/// The bound's gradient is Σᵢ w̃ᵢ ∇ log wᵢ, where no gradient goes through w̃.
func normalizedWeights(_ logWeights: Tensor) -> Tensor {
  // BEGIN SOLUTION IWAE.3
  softmax(logWeights, axis: 1).detached()
  // END SOLUTION
}

/// Layers of tanh units, one of each width.
private func hiddenLayers(_ inputs: Int, _ widths: [Int], using random: inout Random) -> Sequential {
  Sequential {
    for (before, width) in zip([inputs] + widths, widths) {
      Linear(before, width, initialization: .glorotUniform, using: &random)
      tanh
    }
  }
}

/// q(z|x): a Gaussian with independent axes, `[batch, inputs] → [batch, latents]`.
final class Encoder: Module {
  let hidden: Sequential
  let mean, logVariance: Linear

  init(inputs: Int, hidden widths: [Int], latents: Int, using random: inout Random) {
    hidden = hiddenLayers(inputs, widths, using: &random)
    let width = widths.last ?? inputs
    // Both begin near zero, so that q(z|x) begins near the prior.
    mean = Linear(width, latents, initialization: .normal(standardDeviation: 0.01), using: &random)
    logVariance = Linear(width, latents, initialization: .normal(standardDeviation: 0.01), using: &random)
  }

  func callAsFunction(_ x: Tensor) -> (mean: Tensor, logVariance: Tensor) {
    let h = hidden(x)  // [batch, hidden]
    return (mean(h), logVariance(h))  // [batch, latents] each
  }
}

/// p(x|z): `[batch, latents]` gives a law over `[batch, outputs]`.
protocol Decoder: Module {
  func callAsFunction(_ z: Tensor) -> any Distribution
}

/// Binary pixels, independent given z.
final class BernoulliDecoder: Decoder {
  let hidden: Sequential
  let logits: Linear

  /// Begins near independent pixels with these probabilities of a 1, `[outputs]`.
  init(latents: Int, hidden widths: [Int], pixelMeans: Tensor, using random: inout Random) {
    hidden = hiddenLayers(latents, widths, using: &random)
    logits = Linear(
      widths.last ?? latents, pixelMeans.count, initialization: .glorotUniform, using: &random)
    logits.bias = log(pixelMeans / (1 - pixelMeans))
  }

  func callAsFunction(_ z: Tensor) -> any Distribution { Bernoulli(logits: logits(hidden(z))) }
}

/// Real values around a linear mean, each with variance 1.
final class GaussianDecoder: Decoder {
  let mean: Linear

  init(latents: Int, outputs: Int, using random: inout Random) { mean = Linear(latents, outputs, using: &random) }

  func callAsFunction(_ z: Tensor) -> any Distribution {
    Normal(mean: mean(z), logScale: .zeros([z.shape[0], mean.bias.count]))
  }
}

/// The networks of a VAE with the standard Gaussian prior; the number k of samples belongs to the objective alone.
final class IWAE: Module {
  let encoder: Encoder
  let decoder: any Decoder

  init(encoder: Encoder, decoder: any Decoder) {
    self.encoder = encoder
    self.decoder = decoder
  }

  /// log wᵢ = log p(x, zᵢ) − log q(zᵢ|x) of k samples zᵢ ~ q(z|x) for each example: `[batch, inputs] → [batch, k]`.
  ///
  /// Its one draw from `random` is ε, standard normal, `[batch · k, latents]`, an example's k samples in a row.
  func logWeights(_ x: Tensor, samples k: Int, using random: inout Random) -> Tensor {
    // BEGIN SOLUTION IWAE.1
    let (mean, logVariance) = encoder(x)  // one pass of the encoder for all k samples
    let q = Normal(mean: mean.repeated(k, axis: 0), logVariance: logVariance.repeated(k, axis: 0))
    let codes = q.sample(using: &random)  // [batch · k, latents]
    let logPrior = Normal.standard(codes.shape).logProbability(of: codes)
    let logJoint = logPrior + decoder(codes).logProbability(of: x.repeated(k, axis: 0))
    return (logJoint - q.logProbability(of: codes)).reshaped(to: [x.shape[0], k])
    // END SOLUTION
  }

  /// The VAE's own estimate of the bound for k = 1, with the KL in closed form: `[batch, inputs] → [batch]`.
  func elbo(_ x: Tensor, using random: inout Random) -> Tensor {
    let (mean, logVariance) = encoder(x)
    let posterior = Normal(mean: mean, logVariance: logVariance)
    let z = posterior.sample(using: &random)
    return decoder(z).logProbability(of: x) - klDivergence(posterior, .standard(mean.shape))
  }

  /// How far the posterior mean of each latent unit moves from one x to another, Varₓ(E_q[z|x]): `[latents]`.
  ///
  /// The paper calls a unit active where this is above 0.01 (section 5.1).
  func activity(_ x: Tensor) -> Tensor {
    // BEGIN SOLUTION IWAE.4
    encoder(x).mean.variance(axes: [0])
    // END SOLUTION
  }
}
