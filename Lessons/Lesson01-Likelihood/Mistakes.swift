import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  sumExercise.knownMistakes([
    Mistake("exp over- or underflows here: take away the largest value first.") { log(exp($0).sum(axis: -1)) },
    Mistake("The largest value was taken away and not added again.") {
      log(exp($0 - $0.max(axis: -1, keepingAxes: true)).sum(axis: -1))
    },
    Mistake("This is the largest value alone: the terms below it count too.") { $0.max(axis: -1) },
    Mistake("The exponentials are averaged: they are summed.") {
      $0.logSumExp(axis: -1) - log(Float($0.shape.last ?? 1))
    },
    Mistake("The sum runs over everything: sum over the last axis alone, even if there is no other.") {
      $0.logSumExp(axes: nil, keepingAxes: true)
    },
  ]),
  entropyExercise.knownMistakes([
    Mistake("The sign is wrong: this is the mean log-likelihood, which is to be large.") { logs, samples in
      logs.gathered(at: samples, axis: 0).mean()
    },
    Mistake("The samples are summed: take their mean, so that the loss does not grow with their number.") {
      -$0.gathered(at: $1, axis: 0).sum()
    },
    Mistake("These are bits: the loss is to be in nats, by the natural logarithm.") {
      -$0.gathered(at: $1, axis: 0).mean() / log(2)
    },
    Mistake("This is the logarithm of a mean: average the log-probabilities, not the probabilities.") {
      -log(exp($0).gathered(at: $1, axis: 0).mean())
    },
    Mistake("The mean runs over the bins, whether seen or not: look up the bin of each sample.") { logs, _ in
      -logs.mean()
    },
    Mistake("This is −mean p: the logarithm is missing.") { -exp($0).gathered(at: $1, axis: 0).mean() },
    Mistake("Every sample's loss is here: their mean, a scalar, is wanted.") { -$0.gathered(at: $1, axis: 0) },
  ]),
  logisticExercise.knownMistakes([
    Mistake("ln(F(b) − F(a)) is −∞ where both round to the same number: use the product.") { location, logScale, bins in
      let z = (innerEdges(bins) - location) * exp(-logScale)
      let zeros = Tensor.zeros([1, location.count])
      let cumulative = concatenate([zeros, sigmoid(z), zeros + 1], axis: 0)
      return log(cumulative.sliced(1..<bins + 1, axis: 0) - cumulative.sliced(0..<bins, axis: 0))
    },
    Mistake("The outer bins lack their tails: the first reaches down to −∞, the last up to ∞.") {
      location, logScale, bins in
      let edges = Tensor((0...bins).map { [Float($0) / Float(bins)] })
      let z = (edges - location) * exp(-logScale)
      return logSigmoid(z.sliced(1..<bins + 1, axis: 0)) + logSigmoid(-z.sliced(0..<bins, axis: 0))
        + log(-expm1(exp(-logScale) / Float(-bins)))
    },
    Mistake("The scale is taken for its inverse: z is the distance divided by the scale, times exp(−logScale).") {
      exact($0, -$1, bins: $2)
    },
    Mistake("`logScale` is taken for the scale itself: the scale is exp(logScale).") {
      exact($0, log(abs($1)), bins: $2)
    },
    Mistake("The distribution function is read downwards: ln F is logSigmoid(z), ln (1 − F) is logSigmoid(−z).") {
      location, logScale, bins in
      let z = (innerEdges(bins) - location) * exp(-logScale)
      let (below, above) = (logSigmoid(-z), logSigmoid(z))
      let inner = below.sliced(1..<bins - 1, axis: 0) + above.sliced(0..<bins - 2, axis: 0)
      let bottom = below.sliced(0..<1, axis: 0)
      let top = above.sliced(bins - 2..<bins - 1, axis: 0)
      return concatenate([bottom, inner + log(-expm1(exp(-logScale) / Float(-bins))), top], axis: 0)
    },
    Mistake("The edges are half a bin off: inner edges are at 1/bins, 2/bins, …, not at the middles.") {
      exact($0 + 0.5 / Float($2), $1, bins: $2)
    },
    Mistake("This is the density at the middle times the width, which is not the same and does not sum to 1.") {
      location, logScale, bins in
      let middles = Tensor((0..<bins).map { [(Float($0) + 0.5) / Float(bins)] })
      let z = (middles - location) * exp(-logScale)
      return logSigmoid(z) + logSigmoid(-z) - logScale - log(Float(bins))
    },
  ]),
  mixtureExercise.knownMistakes([
    Mistake("The logits are not normalised: the weights sum to 1 after taking logSumExp(logits) away.") {
      ($1 + $0).logSumExp(axis: 1)
    },
    Mistake("This averages logarithms: p is a weighted mean of probabilities, so use the log-sum-exp.") {
      ($1 * softmax($0)).sum(axis: 1)
    },
    Mistake("The weights are missing: each component counts in proportion to the softmax of its logit.") {
      logits, logs in logs.logSumExp(axis: 1) + 0 * logits.sum()
    },
    Mistake("All components have equal weight here: use the logits.") { logits, logs in
      logs.logSumExp(axis: 1) - log(Float(logits.count)) + 0 * logits.sum()
    },
    Mistake("The sum runs over the bins: it is over the components, the last axis.") {
      ($1 + logSoftmax($0)).logSumExp(axis: 0)
    },
    Mistake("These are probabilities: their logarithm is wanted.") { exp(($1 + logSoftmax($0)).logSumExp(axis: 1)) },
  ]),
]

private func innerEdges(_ bins: Int) -> Tensor { Tensor((1..<bins).map { [Float($0) / Float(bins)] }) }

/// The library's own, which is exact.
private func exact(_ location: Tensor, _ logScale: Tensor, bins: Int) -> Tensor {
  DiscretizedLogistic(location: location, logScale: logScale, bins: .dividing(from: 0, to: 1, into: bins))
    .logProbabilities.transposed()
}
