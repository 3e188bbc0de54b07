import LessonKit

// Laws over numbered bins and their likelihood. The mixture is that of PixelCNN++ (Salimans 2017, arXiv 1701.05517).

/// ln Σ eˣ over the last axis, for finite x of any size: `[…, count] → […]`.
func logSumExp(_ x: Tensor) -> Tensor {
  // BEGIN SOLUTION Likelihood.1
  // A constant: what the shift adds to the gradient cancels.
  let largest = x.max(axis: -1, keepingAxes: true).detached()
  return log(exp(x - largest).sum(axis: -1)) + largest.sum(axis: -1)
  // END SOLUTION
}

/// −(1/N) Σ ln p(xₙ), the mean negative log-likelihood in nats: log-probabilities `[bins]`, samples `[N]`, a scalar.
func crossEntropy(_ logProbabilities: Tensor, _ samples: IndexTensor) -> Tensor {
  // BEGIN SOLUTION Likelihood.2
  -logProbabilities.gathered(at: samples, axis: 0).mean()
  // END SOLUTION
}

/// ln of the probability that a logistic variable falls into each of `bins` equal bins of 0…1, the outer bins with their tails.
///
/// `location` μ and `logScale` ln s are `[components]`, the result is `[bins, components]` (equation 2). With F(z) = σ((z−μ)/s)
/// and a bin from a to b, F(b) − F(a) = F(b)·(1 − F(a))·(1 − e^−(b−a)/s): a product, whose logarithm never cancels.
func discretizedLogistic(location: Tensor, logScale: Tensor, bins: Int) -> Tensor {
  // BEGIN SOLUTION Likelihood.3
  let edges = Tensor((1..<bins).map { [Float($0) / Float(bins)] })  // [bins − 1, 1]: those inside
  let z = (edges - location) * exp(-logScale)  // [bins − 1, components]
  let (logBelow, logAbove) = (logSigmoid(z), logSigmoid(-z))  // ln F and ln (1 − F) at each edge
  let logWidth = log(-expm1(exp(-logScale) / Float(-bins)))  // [components]
  let inner = logBelow.sliced(1..<bins - 1, axis: 0) + logAbove.sliced(0..<bins - 2, axis: 0) + logWidth
  let (first, last) = (logBelow.sliced(0..<1, axis: 0), logAbove.sliced(bins - 2..<bins - 1, axis: 0))
  return concatenate([first, inner, last], axis: 0)
  // END SOLUTION
}

/// ln Σₖ πₖ pₖ(x) in nats: logits of the weights π `[components]`, ln pₖ `[bins, components]`, result `[bins]`.
func mixture(logits: Tensor, _ logProbabilities: Tensor) -> Tensor {
  // BEGIN SOLUTION Likelihood.4
  let logWeights = logits - logSumExp(logits)  // [components]
  return logSumExp(logProbabilities + logWeights)
  // END SOLUTION
}

/// A law over the bins 0 … bins − 1 whose parameters can be fitted.
protocol Model: Module {
  /// ln p of every bin in nats, `[bins]`.
  var logProbabilities: Tensor { get }
}

/// One free number for each bin: p = softmax(logits).
final class Histogram: Model {
  @Parameter var logits: Tensor

  /// All bins alike.
  init(bins: Int) { logits = .zeros([bins]) }

  var logProbabilities: Tensor { logits - logSumExp(logits) }
}

/// A few logistic humps, rounded to bins.
final class LogisticMixture: Model {
  /// Of the weights, `[components]`.
  @Parameter var logits: Tensor
  /// μ on the interval 0…1, `[components]`.
  @Parameter var location: Tensor
  /// ln s, `[components]`.
  @Parameter var logScale: Tensor
  let bins: Int

  /// Components of equal weight, spread evenly over the sorted samples.
  init(components: Int, spreadOver samples: IndexTensor, bins: Int) {
    let x = samples.scalars.map { (Float($0) + 0.5) / Float(bins) }.sorted()
    let spread = Tensor(x).variance().scalar.squareRoot()
    self.bins = bins
    logits = .zeros([components])
    location = Tensor((0..<components).map { x[(2 * $0 + 1) * x.count / (2 * components)] })
    logScale = Tensor(repeating: log(spread / Float(2 * components)), shape: [components])
  }

  var logProbabilities: Tensor {
    mixture(logits: logits, discretizedLogistic(location: location, logScale: logScale, bins: bins))
  }
}

/// ln of the share of samples in each bin when each bin is given `added` more, `[bins]`; −∞ for an empty bin with none added.
func countedLogProbabilities(_ samples: IndexTensor, bins: Int, adding added: Float = 0) -> Tensor {
  let counts = Tensor.zeros([bins]).scatterAdded(.ones(samples.shape), at: samples, axis: 0) + added
  return log(counts / counts.sum())
}

/// KL(p‖q) = Σ p (ln p − ln q) over bins, in nats; ∞ where q excludes what p allows.
func divergence(_ p: [Double], _ q: [Double]) -> Double {
  zip(p, q).reduce(0) { sum, pair in pair.0 == 0 ? sum : sum + pair.0 * log(pair.0 / pair.1) }
}

/// exp of log-probabilities in double precision.
func probabilities(_ logProbabilities: Tensor) -> [Double] { logProbabilities.scalars.map { exp(Double($0)) } }
