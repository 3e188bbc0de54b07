import Foundation
import Tensors

/// KL(q‖p) from any law with a density to a Gaussian with a diagonal covariance, in nats, `[batch]`.
///
/// Needs q's mean, variance and entropy alone: Σ (ln σ + ½ ln 2π + (variance + (mean − μ)²)/2σ²) − H(q).
///
/// - Precondition: the events have one shape, and the batches one size (or one of them 1).
public func klDivergence(_ q: some ContinuousDistribution, _ p: Normal) -> Tensor {
  guard q.shape.dropFirst() == p.shape.dropFirst() else {
    fail("klDivergence", "the events of q \(q.shape) and p \(p.shape) must have one shape")
  }
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let rate = exp(-p.logScale)
  let squares = square(sqrt(q.variance) * rate) + square((q.mean - p.mean) * rate)
  return (squares * 0.5 + p.logScale + 0.5 * log(2 * Float.pi)).summedOverEvent - q.entropy
}

/// A mean over samples for each event of a batch, and how far it may be off.
public struct SampledEstimate: Sendable {
  /// The mean over the samples, `[batch]`.
  public let mean: Tensor
  /// The standard deviation of that mean, `[batch]`.
  public let standardError: Tensor

  /// From independent measurements, `[samples, batch]`.
  init(_ measurements: Tensor) {
    let count = Float(measurements.shape[0])
    mean = measurements.mean(axis: 0)
    standardError = sqrt(measurements.variance(axes: [0]) / (count - 1))
  }
}

/// KL(q‖p) estimated as the mean of ln q(x) − ln p(x) over samples x of q, in nats, with its standard error; no gradient flows.
///
/// For pairs that have no closed form (see `klDivergence`): mixtures, ``Logistic``, ``GumbelSoftmax``, laws of one's own.
///
/// - Precondition: two samples or more.
public func sampledDivergence<Q: ProbabilityDistribution, P: ProbabilityDistribution>(
  _ q: Q, _ p: P, samples: Int, using random: inout Random
) -> SampledEstimate where Q.Value == P.Value {
  averaged("sampledDivergence", samples) {
    let x = q.sample(using: &random)
    return q.logProbability(of: x) - p.logProbability(of: x)
  }
}

/// The entropy estimated as the mean of −ln q(x) over samples x of q, in nats, with its standard error; no gradient flows.
///
/// - Precondition: two samples or more.
public func sampledEntropy(
  _ q: some ProbabilityDistribution, samples: Int, using random: inout Random
) -> SampledEstimate {
  averaged("sampledEntropy", samples) { -q.logProbability(of: q.sample(using: &random)) }
}

private func averaged(_ operation: String, _ samples: Int, _ measure: () -> Tensor) -> SampledEstimate {
  guard samples >= 2 else { fail(operation, "needs two samples or more for a standard error, not \(samples)") }
  return withoutGradients {
    SampledEstimate(concatenate((0..<samples).map { _ in measure().insertingAxis(0) }, axis: 0))
  }
}

/// eᵗ − 1 − t, which is never negative: a divergence as a function of the logarithm of a ratio.
func excessOfExponential(_ t: Tensor) -> Tensor { expm1(t) - t }

/// ln(1 − e^−w) for w = exp(`logWidth`), at any width.
func logOneMinusExp(_ logWidth: Tensor) -> Tensor {
  // Each form is computed where it holds, so that the other one's gradient is finite where it is not used.
  let boundary = log(0.5 as Float)
  let small = logWidth.clamped(to: -Float.infinity...boundary)
  let width = exp(small)
  // ln w + ln((1 − e^−w)/w) by its Taylor series, the next term below 1e-7.
  let series = small - width * 0.5 + square(width) / 24 - square(square(width)) / 2880
  // Beyond e⁵ the exponential is 0 in Float32.
  let direct = log1p(-exp(-exp(logWidth.clamped(to: boundary...5))))
  return select(logWidth .<= boundary, series, direct)
}
