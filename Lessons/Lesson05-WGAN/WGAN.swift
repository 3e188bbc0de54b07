import LessonKit

// Wasserstein GANs: Arjovsky, Chintala & Bottou (2017), arXiv 1701.07875; the gradient penalty of Gulrajani and others (2017),
// arXiv 1704.00028; the spectral norm of Miyato and others (2018), arXiv 1802.05957.

/// What the critic and the generator minimise, a scalar each.
struct Losses {
  let critic, generator: Tensor
}

/// What is made of the critic's scores.
enum Objective: String {
  /// The critic's loss is the negative of its estimate of W₁, E f(data) − E f(samples) (algorithm 1 of the first paper).
  case wasserstein
  /// The critic wants scores of at least 1 on data and at most −1 on samples, and no more (equation 16 of the third paper).
  case hinge

  /// The losses from the scores of data and of samples, `[batch]` each.
  ///
  /// The generator raises the mean score of its samples, in both.
  func callAsFunction(real: Tensor, fake: Tensor) -> Losses {
    // BEGIN SOLUTION WGAN.1
    let generator = -fake.mean()
    switch self {
    case .wasserstein: return Losses(critic: fake.mean() - real.mean(), generator: generator)
    case .hinge: return Losses(critic: relu(1 - real).mean() + relu(1 + fake).mean(), generator: generator)
    }
    // END SOLUTION
  }
}

/// E (‖∇f(x̂)‖ − 1)² at points between data and samples (algorithm 1 of the second paper): a scalar, without the factor λ.
///
/// Row by row x̂ = ε·data + (1 − ε)·sample; `real` and `fake` are `[batch, inputs]`, ε is `mix`, `[batch, 1]`. `critic` gives `[batch]`, a
/// score for each row. The result is differentiable with respect to whatever the critic is made of.
func gradientPenalty(of critic: (Tensor) -> Tensor, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor {
  // BEGIN SOLUTION WGAN.2
  let between = mix * real + (1 - mix) * fake  // [batch, inputs]
  // Each score depends on its own row, so the gradient of the sum holds every row's own gradient.
  let slopes = gradient(at: between) { critic($0).sum() }
  // The root has no derivative at 0, hence the speck.
  let lengths = sqrt(square(slopes).sum(axis: 1) + 1e-12)  // [batch]
  return square(lengths - 1).mean()
  // END SOLUTION
}

/// W₁ between two sets of as many numbers, `[count]` each, a scalar: on the line the best transport keeps the order.
func wasserstein1D(_ x: Tensor, _ y: Tensor) -> Tensor {
  // BEGIN SOLUTION WGAN.3
  abs(x.sorted(axis: 0).values - y.sorted(axis: 0).values).mean()
  // END SOLUTION
}

/// A vector scaled to length 1.
func unit(_ vector: Tensor) -> Tensor { vector / (sqrt(square(vector).sum()) + 1e-12) }

/// σ(W), the largest singular value of W, `[rows, columns]`, by the power method (algorithm 1 of the third paper): a scalar.
///
/// Each iteration makes v the direction of W·u and then u that of Wᵀ·v, beginning with u = `start`, `[columns, 1]`; then σ = vᵀ·W·u. Gradients
/// flow to W with u and v held constant.
func spectralNorm(of w: Tensor, start: Tensor, iterations: Int) -> Tensor {
  // BEGIN SOLUTION WGAN.4
  var (u, v) = (start, start)
  withoutGradients {
    for _ in 0..<iterations {
      v = unit(matmul(w, u))  // [rows, 1]
      u = unit(matmul(w, v, transposingFirst: true))  // [columns, 1]
    }
  }
  return (v * matmul(w, u)).sum()
  // END SOLUTION
}

/// How the critic is kept from being too steep.
enum Constraint: Equatable, CustomStringConvertible {
  /// Every weight is put back into −c…c after each step.
  case clipping(Float)
  /// λ times the gradient penalty is added to the loss.
  case penalty(Float)
  /// Every weight matrix is divided by its spectral norm, so that all layers together have slopes of at most 1.
  case spectralNorm

  var description: String {
    switch self {
    case .clipping(let c): "clipping, c = \(c)"
    case .penalty(let lambda): "penalty, λ = \(lambda.formatted())"
    case .spectralNorm: "spectral norm"
    }
  }
}

/// Linear layers with leaky rectifiers between them; with a `frequency` the first layer's units are waves sin(x·Ω + b) in their place,
/// from which sharp functions are soon learnt (Sitzmann and others 2020, arXiv 2006.09661).
private func layers(
  _ widths: [Int], frequency: Float?, isNormalized: Bool = false, using random: inout Random
) -> Sequential {
  var layers: [any Layer] = []
  for (index, (inputs, outputs)) in zip(widths, widths.dropFirst()).enumerated() {
    let linear = Linear(inputs, outputs, using: &random)
    // Biases of 0 would send all kinks of the first layer through the origin.
    linear.bias = .uniform([outputs], in: -1..<1, using: &random)
    let waves = index == 0 ? frequency : nil
    if let waves {
      linear.weight = .normal([inputs, outputs], using: &random) * waves
      linear.bias = linear.bias * .pi
    }
    layers.append(isNormalized ? SpectrallyNormalized(linear, using: &random) : linear)
    if index < widths.count - 2 { layers.append(Function { waves == nil ? leakyRelu($0, slope: 0.2) : sin($0) }) }
  }
  return Sequential(layers)
}

/// f: points `[batch, inputs]` to scores `[batch]`, which no activation bounds.
final class Critic: Module {
  let network: Sequential
  let constraint: Constraint
  /// What points are multiplied by first; with spectral norms no slope of f is larger.
  let scale: Float

  init(
    inputs: Int, hidden: [Int], frequency: Float? = nil, _ constraint: Constraint, scale: Float = 1,
    using random: inout Random
  ) {
    (self.constraint, self.scale) = (constraint, scale)
    network = layers(
      [inputs] + hidden + [1], frequency: frequency, isNormalized: constraint == .spectralNorm, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { network(x * scale).reshaped(to: [x.shape[0]]) }

  /// f and ‖∇f‖ at each point as constants, `[batch]` each, with the spectral norms as they are.
  func judge(_ x: Tensor) -> (score: Tensor, steepness: Tensor) {
    withoutGradients {
      inference { (self(x), sqrt(square(gradient(at: x) { self($0).sum() }).sum(axis: 1))) }
    }
  }

  /// Puts every weight back into −c…c, if the constraint says so (section 3 of the first paper).
  func clip() {
    guard case .clipping(let c) = constraint else { return }
    for named in parameters { named.parameter.wrappedValue = named.parameter.wrappedValue.clamped(to: -c...c) }
  }

  /// What the critic minimises on `[batch, inputs]` of each, and its lead E f(data) − E f(samples).
  ///
  /// For a penalty it draws ε, uniform on 0…1, for each row. `share` is the part of λ, as a logarithm above 1, that counts.
  func loss(
    _ objective: Objective, real: Tensor, fake: Tensor, share: Float = 1, using random: inout Random
  ) -> (loss: Tensor, lead: Float) {
    let scores = self(concatenate([real, fake], axis: 0)).split(sizes: [real.shape[0], fake.shape[0]], axis: 0)
    let loss = objective(real: scores[0], fake: scores[1]).critic
    let lead = scores[0].mean().scalar - scores[1].mean().scalar
    guard case .penalty(let lambda) = constraint else { return (loss, lead) }
    let mix = Tensor.uniform([real.shape[0], 1], using: &random)
    let penalty = gradientPenalty(of: callAsFunction, real: real, fake: fake, mix: mix)
    return (loss + penalty * pow(lambda, min(1, share)), lead)
  }
}

/// g: noise `[batch, latents]`, uniform on a cube, to points `[batch, 2]`.
final class Generator: Module {
  let latents: Int
  let network: Sequential

  init(latents: Int, hidden: [Int], frequency: Float?, using random: inout Random) {
    self.latents = latents
    network = layers([latents] + hidden + [2], frequency: frequency, using: &random)
  }

  /// So many samples, `[count, 2]`.
  func samples(_ count: Int, using random: inout Random) -> Tensor {
    network(.uniform([count, latents], in: -1.5..<1.5, using: &random))
  }

  /// The same as constants.
  func constants(_ count: Int, using random: inout Random) -> Tensor {
    withoutGradients { samples(count, using: &random) }
  }
}

/// A generator and its critic.
final class WGAN: Module {
  let generator: Generator
  let critic: Critic

  init(generator: Generator, critic: Critic) {
    self.generator = generator
    self.critic = critic
  }
}
