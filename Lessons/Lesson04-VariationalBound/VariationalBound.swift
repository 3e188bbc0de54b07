import LessonKit

// The variational bound (Jordan, Ghahramani, Jaakkola & Saul 1999, Machine Learning 37), where everything about it is exact.

/// KL(N(m, S) ‖ N(μ, Σ)) = ½ (tr Σ⁻¹S + (m−μ)ᵀ Σ⁻¹ (m−μ) − k + ln |Σ| − ln |S|), in nats, `[batch]`.
///
/// Means are `[batch, k]` (or `[1, k]`), and the covariances, which all examples share, `[k, k]`.
func gaussianKL(_ m: Tensor, _ s: Tensor, _ mu: Tensor, _ sigma: Tensor) -> Tensor {
  // BEGIN SOLUTION VariationalBound.1
  let trace = (inverse(sigma) * s).sum()  // both are symmetric
  let shift = m - mu  // [batch, k]
  let squares = (matmul(shift, inverse(sigma)) * shift).sum(axis: 1)  // [batch]
  let logRatio = logDeterminant(sigma).logMagnitude - logDeterminant(s).logMagnitude
  return (trace + squares - Float(s.shape[0]) + logRatio) * 0.5
  // END SOLUTION
}

/// z ~ N(0, I), x = μ + W z + ε with independent noise: a model whose log p(x), posterior and bound have closed forms.
///
/// Bishop, "Pattern Recognition and Machine Learning" (2006), section 12.2.
struct LinearModel {
  let law: LinearGaussian
  /// μ `[1, d]`, W `[d, k]` and ln of the noise's standard deviation `[d]`.
  let mean, weights, logNoise: Tensor

  init(_ law: LinearGaussian) {
    self.law = law
    mean = Tensor([law.mean.map(Float.init)])
    weights = Tensor(law.weights.map { $0.map(Float.init) })
    logNoise = log(Tensor(law.noise.map(Float.init)))
  }

  /// The number of causes k.
  var latents: Int { weights.shape[1] }
  /// I, the prior's covariance, `[k, k]`.
  var identity: Tensor { oneHot(IndexTensor((0..<latents).map(Int32.init)), classes: latents) }

  /// ln p(x, z) in nats: `[batch, d], [batch, k] → [batch]`; either batch may be 1.
  func logJoint(_ x: Tensor, _ z: Tensor) -> Tensor {
    let decoded = mean + matmul(z, weights, transposingSecond: true)  // [batch, d]
    return Normal(mean: decoded, logScale: logNoise).logProbability(of: x)
      + Normal.standard(z.shape).logProbability(of: z)
  }

  /// The posterior by Bayes' rule: covariance (I + Wᵀ N⁻¹ W)⁻¹, the same for all x, and means `[batch, k]`; N is the noise's.
  func posterior(_ x: Tensor) -> (mean: Tensor, covariance: Tensor) {
    let scaled = weights * exp(logNoise * -2).reshaped(to: [-1, 1])  // N⁻¹ W, [d, k]
    let covariance = inverse(identity + matmul(weights, scaled, transposingFirst: true))
    return (matmul(matmul(x - mean, scaled), covariance), covariance)
  }

  /// The bound E_q[ln p(x|z)] − KL(q ‖ p(z)) for q = N(m, S), exactly, in nats.
  ///
  /// `x` is `[batch, d]`, `m` `[batch, k]` and `s` `[k, k]`; the result `[batch]`. With N the noise's covariance,
  /// E_q[ln p(x|z)] = ln N(x; μ + W m, N) − ½ tr(N⁻¹ W S Wᵀ).
  func elbo(_ x: Tensor, _ m: Tensor, _ s: Tensor) -> Tensor {
    // BEGIN SOLUTION VariationalBound.2
    let decoded = mean + matmul(m, weights, transposingSecond: true)  // [batch, d]
    let spread = (matmul(weights, s) * weights).sum(axis: 1)  // the diagonal of W S Wᵀ, [d]
    let reconstruction =
      Normal(mean: decoded, logScale: logNoise).logProbability(of: x) - (spread * exp(logNoise * -2)).sum() * 0.5
    return reconstruction - gaussianKL(m, s, .zeros([1, latents]), identity)
    // END SOLUTION
  }
}

/// E_q[ln p(x, z) − ln q(z)] for z one of K: from log-odds of q and ln p(x, z), both `[K]`, in nats.
func discreteBound(logits: Tensor, logJoint: Tensor) -> Tensor {
  let logQ = logSoftmax(logits)
  return (exp(logQ) * (logJoint - logQ)).sum()
}
