import LessonKit

/// For comparison: a variational autoencoder with a code of two real numbers, whose log p(x) a grid of codes gives exactly.
final class PlanarVAE: Module {
  let encoderHidden, encoder, decoderHidden, decoder: Linear

  init(pixels: Int, hidden: Int, using random: inout Random) {
    encoderHidden = Linear(pixels, hidden, using: &random)
    encoder = Linear(hidden, 4, initialization: .normal(standardDeviation: 0.01), using: &random)
    decoderHidden = Linear(2, hidden, using: &random)
    decoder = Linear(hidden, pixels, initialization: .glorotUniform, using: &random)
  }

  /// The log-odds of the pixels, `[batch, 2] → [batch, pixels]`.
  func logits(_ z: Tensor) -> Tensor { decoder(tanh(decoderHidden(z))) }

  /// The bound with one sample of the code for each image, `[batch, pixels] → [batch]`, nats (Lesson04-VAE).
  func bound(_ x: Tensor, using random: inout Random) -> Tensor {
    let parts = encoder(tanh(encoderHidden(x))).split(sizes: [2, 2], axis: 1)
    let q = Normal(mean: parts[0], logVariance: parts[1])  // [batch, 2]
    let likelihood = Bernoulli(logits: logits(q.sample(using: &random))).logProbability(of: x)
    return likelihood - klDivergence(q, .standard(q.shape))
  }

  /// ln p(x) by the midpoint rule on [−6, 6]², `[batch, pixels] → [batch]`, nats.
  func logProbability(of x: Tensor, cells: Int = 300) -> Tensor {
    let side = 12 / Float(cells)
    let points = (0..<cells).map { -6 + (Float($0) + 0.5) * side }
    let z = Tensor(points.flatMap { a in points.map { [a, $0] } })  // [cells², 2]
    return withoutGradients {
      let prior = Normal.standard(z.shape).logProbability(of: z) + 2 * log(side)
      return (logTable(logits: logits(z), states: x) + prior.reshaped(to: [-1, 1])).logSumExp(axis: 0)
    }
  }
}
