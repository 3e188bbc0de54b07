import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  weightsExercise.knownMistakes([
    Mistake("log q(z|x) is not subtracted: this is log p(x, z), the weight's numerator alone.") { model, x, k, random in
      let terms = Terms(model, x, k, using: &random)
      return terms.prior + terms.reconstruction
    },
    Mistake("log q(z|x) is added: it stands in the weight's denominator.") { model, x, k, random in
      let terms = Terms(model, x, k, using: &random)
      return terms.prior + terms.reconstruction + terms.encoder
    },
    Mistake("The prior is missing: p(x, z) = p(z) p(x|z).") { model, x, k, random in
      let terms = Terms(model, x, k, using: &random)
      return terms.reconstruction - terms.encoder
    },
    Mistake("This uses the KL in closed form: a weight needs log p(z) − log q(z|x) at its own sample.") {
      model, x, k, random in
      let terms = Terms(model, x, k, using: &random)
      return terms.reconstruction - klDivergence(terms.q, .standard(terms.q.shape)).reshaped(to: [-1, k])
    },
    Mistake("z is drawn from the prior: the samples must come from q(z|x), by which the weights divide.") {
      model, x, k, random in
      let z = Tensor.normal([x.shape[0] * k, model.encoder.mean.bias.count], using: &random)
      return Terms(model, x, k, z: z).logWeights
    },
    Mistake("An example's k samples are all alike: draw ε for `[batch · k, latents]`.") { model, x, k, random in
      let q = posterior(model, x)
      let z = q.mean + q.scale * .normal(q.shape, using: &random)
      return Terms(model, x, k, z: z.repeated(k, axis: 0)).logWeights
    },
    Mistake("x is tiled where the samples are repeated: each code is judged by another example's x.") {
      model, x, k, random in
      let terms = Terms(model, x, k, using: &random)
      return terms.prior - terms.encoder
        + model.decoder(terms.z).logProbability(of: x.tiled(times: k, axis: 0)).reshaped(to: [-1, k])
    },
    Mistake("Examples and samples are mixed up: rows of `[batch · k]` that belong together are one example's.") {
      model, x, k, random in
      Terms(model, x, k, using: &random).logWeights.reshaped(to: [k, x.shape[0]]).transposed()
    },
    Mistake("The values are right, but no gradient goes through z to the encoder.") { model, x, k, random in
      Terms(model, x, k, z: Terms(model, x, k, using: &random).z.detached()).logWeights
    },
  ]),
  boundExercise.knownMistakes([
    Mistake("This is the mean of the logarithms, the VAE's bound: the mean belongs inside the logarithm.") {
      $0.mean(axis: 1)
    },
    Mistake("The factor 1/k is missing: subtract ln k.") { $0.logSumExp(axis: 1) },
    Mistake("ln k has the wrong sign: 1/k inside the logarithm is −ln k outside.") {
      $0.logSumExp(axis: 1) + log(Float($0.shape[1]))
    },
    Mistake("`exp` of a log-weight near −500 is 0, and its logarithm −∞: use `logSumExp`.") {
      log(exp($0).mean(axis: 1))
    },
    Mistake("This is the best sample's log-weight, not the mean of all weights.") { $0.max(axis: 1) },
    Mistake("The mean runs over the examples (axis 0) in place of the samples (axis 1).") {
      $0.logSumExp(axis: 0) - log(Float($0.shape[0]))
    },
    Mistake("All examples are in one mean: keep one bound for each, over axis 1 alone.") {
      $0.logSumExp() - log(Float($0.count))
    },
    Mistake("The logarithm is divided by k: the division is inside it, so subtract ln k.") {
      $0.logSumExp(axis: 1) / Float($0.shape[1])
    },
  ]),
  normalizationExercise.knownMistakes([
    Mistake("The values are right, but gradients go through w̃: it weighs the gradients and is a constant itself.") {
      softmax($0, axis: 1)
    },
    Mistake("The weights are normalised over the examples (axis 0): an example's own k samples sum to 1.") {
      softmax($0, axis: 0).detached()
    },
    Mistake("All samples weigh the same, 1/k: that is the gradient of a VAE with k samples.") {
      .ones($0.shape) / Float($0.shape[1])
    },
    Mistake("`exp` of a log-weight near −500 is 0, and 0/0 is no number: use `softmax`.") {
      (exp($0) / exp($0).sum(axis: 1, keepingAxes: true)).detached()
    },
    Mistake("The largest log-weight is taken out, but the weights are not divided by their sum.") {
      exp($0 - $0.max(axis: 1, keepingAxes: true)).detached()
    },
    Mistake("The log-weights themselves are divided by their sum: take their exponentials first.") {
      ($0 / $0.sum(axis: 1, keepingAxes: true)).detached()
    },
    Mistake("These are the logarithms of the normalised weights.") { logSoftmax($0, axis: 1).detached() },
  ]),
  activityExercise.knownMistakes([
    Mistake("This is q's own variance, averaged over x: it says how unsure a code is, not whether it moves with x.") {
      exp($0.encoder($1).logVariance).mean(axis: 0)
    },
    Mistake("This is the variance of *samples* of q: the mean alone tells whether a unit depends on x.") {
      let (mean, logVariance) = $0.encoder($1)
      return mean.variance(axes: [0]) + exp(logVariance).mean(axis: 0)
    },
    Mistake("This is the standard deviation: the paper's threshold is for the variance.") {
      sqrt($0.encoder($1).mean.variance(axes: [0]))
    },
    Mistake("The mean over x is not taken off: a unit that says 1 for every x is not active.") {
      square($0.encoder($1).mean).mean(axis: 0)
    },
    Mistake("The variance runs over the units: it is wanted for each unit, over the examples (axis 0).") {
      $0.encoder($1).mean.variance(axes: [1])
    },
    Mistake("Units and examples are in one variance: keep one for each unit.") { $0.encoder($1).mean.variance() },
    Mistake("This is each unit's KL from the prior: the paper counts by the variance of the posterior's mean.") {
      let (mean, logVariance) = $0.encoder($1)
      return ((square(mean) + exp(logVariance) - 1 - logVariance) * 0.5).mean(axis: 0)
    },
  ]),
]

private func posterior(_ model: IWAE, _ x: Tensor) -> Normal {
  let code = model.encoder(x)
  return Normal(mean: code.mean, logVariance: code.logVariance)
}

/// The parts of the log-weights as they should be, `[batch, k]` each, which no student's function takes part in.
@MainActor
private struct Terms {
  let q: Normal
  let z, prior, reconstruction, encoder: Tensor
  var logWeights: Tensor { prior + reconstruction - encoder }

  init(_ model: IWAE, _ x: Tensor, _ k: Int, z: Tensor) {
    q = posterior(model, x.repeated(k, axis: 0))
    self.z = z
    prior = Normal.standard(z.shape).logProbability(of: z).reshaped(to: [-1, k])
    reconstruction = model.decoder(z).logProbability(of: x.repeated(k, axis: 0)).reshaped(to: [-1, k])
    encoder = q.logProbability(of: z).reshaped(to: [-1, k])
  }

  init(_ model: IWAE, _ x: Tensor, _ k: Int, using random: inout Random) {
    self.init(model, x, k, z: posterior(model, x.repeated(k, axis: 0)).sample(using: &random))
  }
}
