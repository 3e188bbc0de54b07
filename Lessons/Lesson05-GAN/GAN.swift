import LessonKit

// Generative adversarial nets of Goodfellow et al. (2014), arXiv 1406.2661, with the paper's names and equations.

/// What the discriminator minimises, −V of equation 1, `[]` in nats, from its logits on data and on samples, `[batch]` each.
///
/// V = E ln D(x) + E ln(1 − D(G(z))) with D = σ(logit). It is finite, with exact gradients, for logits of any size.
func discriminatorLoss(real: Tensor, fake: Tensor) -> Tensor {
  // BEGIN SOLUTION GAN.1
  // −ln σ(l) = softplus(−l) and −ln(1 − σ(l)) = softplus(l).
  softplus(-real).mean() + softplus(fake).mean()
  // END SOLUTION
}

/// Two losses with the same fixed point for the generator (section 3 of the paper).
enum GeneratorLoss: String {
  /// E ln(1 − D(G(z))), its part of V: flat where the discriminator is sure.
  case saturating
  /// −E ln D(G(z)): steep there.
  case nonSaturating = "non-saturating"

  /// The loss, `[]` in nats, from the discriminator's logits on samples, `[batch]`; finite for logits of any size.
  func callAsFunction(fake: Tensor) -> Tensor {
    // BEGIN SOLUTION GAN.2
    switch self {
    case .saturating: -softplus(fake).mean()
    case .nonSaturating: softplus(-fake).mean()
    }
    // END SOLUTION
  }
}

/// The best discriminator against a fixed generator, and what the game is worth with it.
struct Optimum {
  /// D*(x) at each point, `[count]`.
  let discriminator: Tensor
  /// V(D*) in nats, `[]`: −2 ln 2 where generator and data agree, and more everywhere else.
  let value: Tensor

  /// The Jensen–Shannon divergence of data and generator in nats (theorem 1).
  var divergence: Float { (value.scalar + 2 * log(2)) / 2 }
}

/// Proposition 1, D* = p/(p + q), and V(D*) = ∫ p ln D* + q ln(1 − D*), for log-densities `[count]` on a grid.
///
/// `cell` is the length or area of a grid cell. Densities that underflow are no hindrance: D* depends on their ratio.
func optimum(logP: Tensor, logQ: Tensor, cell: Float) -> Optimum {
  // BEGIN SOLUTION GAN.3
  let ratio = logP - logQ  // the logit of D*
  let integrand = exp(logP) * logSigmoid(ratio) + exp(logQ) * logSigmoid(-ratio)  // [count]
  return Optimum(discriminator: sigmoid(ratio), value: integrand.sum() * cell)
  // END SOLUTION
}

/// Weights and biases uniform on ±1/√inputs: with biases of zero every kink would begin at the origin, where no mode is.
private func layer(_ inputs: Int, _ outputs: Int, using random: inout Random) -> Linear {
  let (layer, reach) = (Linear(inputs, outputs, using: &random), 1 / Float(inputs).squareRoot())
  layer.weight = .uniform([inputs, outputs], in: -reach..<reach, using: &random)
  layer.bias = .uniform([outputs], in: -reach..<reach, using: &random)
  return layer
}

/// G: noise `[batch, latents]` to points `[batch, outputs]`.
final class Generator: Layer {
  let latents: Int
  let network: Sequential

  init(latents: Int, hidden: Int, outputs: Int = 2, using random: inout Random) {
    self.latents = latents
    network = Sequential {
      layer(latents, hidden, using: &random)
      relu
      layer(hidden, hidden, using: &random)
      relu
      layer(hidden, outputs, using: &random)
    }
  }

  func callAsFunction(_ z: Tensor) -> Tensor { network(z) }

  /// z for so many samples: standard normal, `[count, latents]`.
  func noise(_ count: Int, using random: inout Random) -> Tensor { .normal([count, latents], using: &random) }

  /// So many samples, `[count, outputs]`, as constants.
  func samples(_ count: Int, using random: inout Random) -> Tensor {
    withoutGradients { network(noise(count, using: &random)) }
  }
}

/// D, as its logit, whose sigmoid is the probability that a point is data: `[batch, inputs]` to `[batch]`.
final class Discriminator: Module {
  let network: Sequential

  init(inputs: Int, hidden: Int, using random: inout Random) {
    network = Sequential {
      layer(inputs, hidden, using: &random)
      Function { leakyRelu($0, slope: 0.2) }
      layer(hidden, hidden, using: &random)
      Function { leakyRelu($0, slope: 0.2) }
      layer(hidden, 1, using: &random)
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { network(x).reshaped(to: [x.shape[0]]) }

  /// D(x) as a constant, `[batch]`.
  func probability(_ x: Tensor) -> Tensor { withoutGradients { sigmoid(self(x)) } }
}

/// The two players of algorithm 1, each with a loss of its own, minimised over its own weights alone.
final class GAN: Module {
  let generator: Generator
  let discriminator: Discriminator

  init(latents: Int, hidden: Int, using random: inout Random) {
    generator = Generator(latents: latents, hidden: hidden, using: &random)
    discriminator = Discriminator(inputs: 2, hidden: hidden, using: &random)
  }

  /// −V for data `x`, `[batch, 2]`, and noise `z`, `[batch, latents]`; no gradient reaches the generator.
  func lossOfDiscriminator(_ x: Tensor, noise z: Tensor) -> Tensor {
    // BEGIN SOLUTION GAN.4
    let samples = generator(z).detached()  // [batch, 2]
    return discriminatorLoss(real: discriminator(x), fake: discriminator(samples))
    // END SOLUTION
  }

  /// The generator's loss for noise `z`, `[batch, latents]`; its gradient comes to the samples through the discriminator.
  func lossOfGenerator(noise z: Tensor, _ loss: GeneratorLoss = .nonSaturating) -> Tensor {
    // BEGIN SOLUTION GAN.4
    loss(fake: discriminator(generator(z)))
    // END SOLUTION
  }
}

/// ‖∇θ loss‖ over all the generator's weights.
func gradientNorm(of loss: Tensor, _ generator: Generator) -> Float {
  let weights = generator.parameters.map(\.parameter.wrappedValue)
  return sqrt(gradients(of: loss, withRespectTo: weights).map { square($0).sum() }.reduce(Tensor(0), +)).scalar
}
