import LessonKit

// What climbs the bound: a q to train, and two estimators of the bound's gradient.

/// A Gaussian q(z) that is trained: its axes independent, or with a full covariance L Lᵀ.
final class GaussianQ: Module {
  @Parameter var mean: Tensor  // [1, k]
  @Parameter var logDiagonal: Tensor  // [1, k]
  private let below: Parameter?  // [k, k]; its entries below the diagonal are L's

  /// Begins as the prior.
  init(latents: Int, isDiagonal: Bool) {
    mean = .zeros([1, latents])
    logDiagonal = .zeros([1, latents])
    below = isDiagonal ? nil : Parameter(wrappedValue: .zeros([latents, latents]))
  }

  private var lower: Tensor { below?.wrappedValue ?? .zeros([mean.count, mean.count]) }
  /// L Lᵀ, `[k, k]`.
  var covariance: Tensor {
    MultivariateNormal(mean: mean, logDiagonal: logDiagonal, lower: lower).covariance
      .reshaped(to: [mean.count, mean.count])
  }

  /// z₁ … z_count, `[count, k]`, through which gradients reach the parameters, and ln q of each, `[count]`.
  func sample(_ count: Int, using random: inout Random) -> (z: Tensor, logQ: Tensor) {
    let q = MultivariateNormal(mean: mean.broadcast(to: [count, mean.count]), logDiagonal: logDiagonal, lower: lower)
    let z = q.sample(using: &random)
    return (z, q.logProbability(of: z))
  }
}

/// One estimate of the bound's gradient from each draw, through z = m + σ ε: `[draws, 2k]` (Kingma & Welling 2013, section 2.4).
///
/// Each row of `parameters`, `[draws, 2k]`, is (m, ln σ) of a q with independent axes; `noise` is ε, `[draws, k]`. Row i of the result
/// is the gradient of ln p(x, zᵢ) − ln q(zᵢ) with respect to row i; `logJoint` gives ln p(x, z), `[draws, k] → [draws]`.
func reparameterizedGradients(_ parameters: Tensor, noise: Tensor, logJoint: (Tensor) -> Tensor) -> Tensor {
  // BEGIN SOLUTION VariationalBound.3
  let k = noise.shape[1]
  return gradient(at: parameters) { parameters in
    let parts = parameters.split(sizes: [k, k], axis: 1)
    let z = parts[0] + exp(parts[1]) * noise  // [draws, k]
    return (logJoint(z) - Normal(mean: parts[0], logScale: parts[1]).logProbability(of: z)).sum()
  }
  // END SOLUTION
}

/// One estimate of the bound's gradient from each draw by the score function: `[draws, parameters]` (Williams 1992, REINFORCE).
///
/// Row i is (ln p(x, zᵢ) − ln q(zᵢ) − baseline) ∇ ln q(zᵢ). `logJoint` is ln p(x, zᵢ), `[draws]`; `logQ` gives ln q of the same draws
/// as a function of the parameters, one row for each draw: `[draws, parameters] → [draws]`. Nothing is differentiated but ln q.
func scoreFunctionGradients(
  _ parameters: Tensor, logJoint: Tensor, baseline: Float = 0, logQ: (Tensor) -> Tensor
) -> Tensor {
  // BEGIN SOLUTION VariationalBound.4
  let weight = (logJoint - logQ(parameters)).detached() - baseline  // [draws]
  return gradient(at: parameters) { (logQ($0) * weight).sum() }
  // END SOLUTION
}

/// ln q of one-of-K draws, `[draws]`, from a row of log-odds for each, `[draws, K] → [draws]`.
func categoricalLogQ(_ draws: IndexTensor) -> (Tensor) -> Tensor { { categoricalLogLikelihood($0, draws) } }

/// ln q of draws `z`, `[draws, k]`, from rows (m, ln σ), `[draws, 2k] → [draws]`.
func gaussianLogQ(_ z: Tensor) -> (Tensor) -> Tensor {
  { parameters in
    let parts = parameters.split(sizes: [z.shape[1], z.shape[1]], axis: 1)
    return Normal(mean: parts[0], logScale: parts[1]).logProbability(of: z)
  }
}
