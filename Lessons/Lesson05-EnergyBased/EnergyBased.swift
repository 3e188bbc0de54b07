import LessonKit

// Models given by an energy, p(x) = exp(−E(x)) / Z: the restricted Boltzmann machine with contrastive divergence (Hinton 2002;
// persistent chains, Tieleman 2008), a network with Langevin dynamics (Du & Mordatch 2019, arXiv 1903.08689), and score
// matching (Hyvärinen 2005).

/// A model that gives each point an energy; Z = Σ exp(−E) or ∫ exp(−E) need not be known.
protocol EnergyModel: Module {
  /// E(x) in nats: `[batch, dimensions] → [batch]`.
  func energy(_ x: Tensor) -> Tensor
}

/// The restricted Boltzmann machine: binary v and h with energy −a·v − b·h − vᵀWh.
final class RBM: EnergyModel {
  /// W, `[visible, hidden]`.
  @Parameter var weight: Tensor
  /// a, `[visible]`.
  @Parameter var visibleBias: Tensor
  /// b, `[hidden]`.
  @Parameter var hiddenBias: Tensor
  /// Where the persistent chains are, `[count, visible]`.
  @Untrained var chains: Tensor

  init(visible: Int, hidden: Int, chains count: Int, using random: inout Random) {
    weight = Tensor.normal([visible, hidden], using: &random) * 0.1
    visibleBias = .zeros([visible])
    hiddenBias = .zeros([hidden])
    chains = .bernoulli(Tensor(repeating: 0.5, shape: [count, visible]), using: &random)
  }

  /// The log-odds of h given v, `[batch, visible] → [batch, hidden]`: units of one layer are independent given the other.
  func hiddenLogits(_ v: Tensor) -> Tensor { linear(v, weight, hiddenBias) }
  /// The log-odds of v given h, `[batch, hidden] → [batch, visible]`.
  func visibleLogits(_ h: Tensor) -> Tensor { matmul(h, weight, transposingSecond: true) + visibleBias }

  /// The energy of v with h summed out ("free energy"), −ln Σₕ exp(a·v + b·h + vᵀWh): `[batch, visible] → [batch]`, nats.
  func energy(_ v: Tensor) -> Tensor {
    // BEGIN SOLUTION EnergyBased.1
    -(v * visibleBias).sum(axis: 1) - softplus(hiddenLogits(v)).sum(axis: 1)
    // END SOLUTION
  }

  /// A loss with the gradient of contrastive divergence, and where its chains have come to.
  ///
  /// From `start`, `[chains, visible]`, take `k` steps of Gibbs sampling: h given v, then v given h. The gradient is that of the
  /// energy at `x` (mean over the batch) less that of the energy at the chains' ends (mean over the chains).
  /// CD-k starts at `x`; persistent CD starts where the chains were left.
  ///
  /// Its draws from `random` are, for each step, `Tensor.bernoulli` for h and then for v.
  func contrast(_ x: Tensor, from start: Tensor, steps k: Int, using random: inout Random) -> (
    loss: Tensor, ends: Tensor
  ) {
    // BEGIN SOLUTION EnergyBased.2
    var v = start
    for _ in 0..<k {
      let h = Tensor.bernoulli(sigmoid(hiddenLogits(v)), using: &random)  // [chains, hidden]
      v = .bernoulli(sigmoid(visibleLogits(h)), using: &random)  // [chains, visible]
    }
    return (energy(x).mean() - energy(v).mean(), v)
    // END SOLUTION
  }
}

/// An energy over the plane, p(x) ∝ N(x; 0, 4I) · (1 + e^f(x)): a wide normal law, made likelier where a network f is large.
///
/// Z is finite whatever f is, and far from the data, where nothing trains f, the energy is a gentle bowl that leads chains back.
final class NeuralEnergy: EnergyModel {
  /// Directions and frequencies of the waves, `[2, waves]`, drawn once: sharp features are easy to make of them.
  @Untrained var frequencies: Tensor
  let first, second, last: Linear
  /// Where the persistent chains are, `[count, 2]`.
  @Untrained var chains: Tensor

  init(waves: Int, hidden: Int, chains count: Int, using random: inout Random) {
    frequencies = Tensor.normal([2, waves], using: &random)
    first = Linear(2 * waves, hidden, using: &random)
    second = Linear(hidden, hidden, using: &random)
    last = Linear(hidden, 1, initialization: .normal(standardDeviation: 0.01), using: &random)
    chains = Tensor.normal([count, 2], using: &random) * 2
  }

  func energy(_ x: Tensor) -> Tensor {
    let phase = matmul(x, frequencies)  // [batch, waves]
    let features = concatenate([sin(phase), cos(phase)], axis: 1)
    let f = last(silu(second(silu(first(features))))).reshaped(to: [-1])  // [batch]
    return square(x).sum(axis: 1) / 8 - softplus(f)
  }
}

/// E(x) = ½ xᵀΛx − θ·x, a normal law with covariance Λ⁻¹ and mean Λ⁻¹θ, without its Z.
final class GaussianEnergy: EnergyModel {
  /// Λ, `[dimensions, dimensions]`.
  @Parameter var precision: Tensor
  /// θ, `[dimensions]`.
  @Parameter var tilt: Tensor

  /// Begins as the standard normal law.
  init(dimensions: Int) {
    precision = oneHot(IndexTensor((0..<dimensions).map { Int32($0) }), classes: dimensions)
    tilt = .zeros([dimensions])
  }

  func energy(_ x: Tensor) -> Tensor { (x * (matmul(x, precision) * 0.5 - tilt)).sum(axis: 1) }

  var covariance: Tensor { inverse(precision) }
  var mean: Tensor { matmul(tilt.reshaped(to: [1, -1]), covariance).reshaped(to: [-1]) }
}

extension EnergyModel {
  /// ψ(x) = ∇ log p(x) = −∇E(x), `[batch, dimensions]`: Z, a constant, has no part in it.
  func score(_ x: Tensor) -> Tensor { -gradient(at: x) { energy($0).sum() } }

  /// One step of Langevin dynamics, x + (η/2) ∇ log p(x) + √η ε, `[batch, dimensions]`.
  ///
  /// - Parameters:
  ///   - step: η.
  ///   - noise: ε, standard normal, as large as `x`.
  func langevinStep(_ x: Tensor, step: Float, noise: Tensor) -> Tensor {
    // BEGIN SOLUTION EnergyBased.3
    x + score(x) * (step / 2) + noise * step.squareRoot()
    // END SOLUTION
  }

  /// So many steps without correction: the law they tend to is off by a term of order η.
  func langevin(_ x: Tensor, step: Float, count: Int, using random: inout Random) -> Tensor {
    withoutGradients {
      (0..<count).reduce(x) { x, _ in langevinStep(x, step: step, noise: .normal(x.shape, using: &random)) }
    }
  }

  /// So many steps, each accepted or refused as Metropolis and Hastings say, which makes p itself their law, and the share
  /// of steps accepted.
  func adjustedLangevin(
    _ x: Tensor, step: Float, count: Int, using random: inout Random
  ) -> (samples: Tensor, accepted: Float) {
    withoutGradients {
      var (x, accepted) = (x, Float(0))
      for _ in 0..<count {
        let noise = Tensor.normal(x.shape, using: &random)
        let proposal = langevinStep(x, step: step, noise: noise)
        // The noise that would lead back, and how likely the two noises are.
        let back = (x - proposal - score(proposal) * (step / 2)) / step.squareRoot()
        let logRatio = energy(x) - energy(proposal) + (square(noise) - square(back)).sum(axis: 1) * 0.5
        let accepts = log(Tensor.uniform(logRatio.shape, using: &random)) .< logRatio  // [batch]
        x = select(accepts.reshaped(to: [-1, 1]).broadcast(to: x.shape), proposal, x)
        accepted += accepts.mean().scalar / Float(count)
      }
      return (x, accepted)
    }
  }

  /// Hyvärinen's objective, E[Σᵢ ∂ψᵢ/∂xᵢ + ½‖ψ‖²] over `x`, `[batch, dimensions]`: least where ψ is the data's own score.
  func scoreMatchingLoss(_ x: Tensor) -> Tensor {
    // BEGIN SOLUTION EnergyBased.4
    var objective = square(score(x)).sum(axis: 1) * 0.5  // [batch]
    for i in 0..<x.shape[1] {
      let slope = gradient(at: x) { score($0).sliced(i..<i + 1, axis: 1).sum() }  // ∂ψᵢ/∂x, [batch, dimensions]
      objective = objective + slope.sliced(i..<i + 1, axis: 1).sum(axis: 1)
    }
    return objective.mean()
    // END SOLUTION
  }
}
