import LessonKit

/// The linear VAE of `Lesson04-VAE`: a q(z|x) for all x at once, its mean linear in x and its scales shared.
final class LinearVAE: Module {
  let encoder, decoder: Linear
  @Parameter var logVariance: Tensor  // of q, [k]
  @Parameter var logNoise: Tensor  // of p(x|z), [d]

  /// Begins as the best law that does not look at z: the mean and scale of `examples`, `[count, d]`.
  init(latents: Int, examples: Tensor, using random: inout Random) {
    encoder = Linear(examples.shape[1], latents, initialization: .normal(standardDeviation: 0.01), using: &random)
    decoder = Linear(latents, examples.shape[1], initialization: .normal(standardDeviation: 0.01), using: &random)
    logVariance = .zeros([latents])
    logNoise = log(examples.variance(axes: [0])) * 0.5
    decoder.bias = examples.mean(axis: 0)
  }

  /// The bound with one sample for each x, `[batch, d] → [batch]`, nats.
  func bound(_ x: Tensor, using random: inout Random) -> Tensor {
    let q = Normal(mean: encoder(x), logVariance: logVariance)
    let z = q.sample(using: &random)  // [batch, k]
    return Normal(mean: decoder(z), logScale: logNoise).logProbability(of: x) - klDivergence(q, .standard(z.shape))
  }

  /// The decoder as a model of which everything is known.
  var model: LinearModel {
    func doubles(_ tensor: Tensor) -> [Double] { tensor.scalars.map(Double.init) }
    let columns = decoder.weight.transposed()  // [d, k]
    let rows = (0..<columns.shape[0]).map { doubles(columns.sliced($0..<$0 + 1, axis: 0)) }
    return LinearModel(LinearGaussian(mean: doubles(decoder.bias), weights: rows, noise: doubles(exp(logNoise))))
  }

  /// The exact bound, `[batch, d] → [batch]`, nats.
  func exactBound(_ x: Tensor) -> Tensor {
    let scales = exp(logVariance).reshaped(to: [-1, 1])
    return withoutGradients { model.elbo(x, encoder(x), model.identity * scales) }
  }
}
