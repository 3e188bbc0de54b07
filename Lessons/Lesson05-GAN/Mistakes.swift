import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  discriminatorExercise.knownMistakes([
    Mistake("This is V, which the discriminator maximises: what it minimises is −V.") {
      -softplus(-$0).mean() - softplus($1).mean()
    },
    Mistake("The sides are exchanged: D should be near 1 on data and near 0 on samples.") {
      softplus($0).mean() + softplus(-$1).mean()
    },
    Mistake("Both terms are −ln D: for samples take −ln(1 − D).") { softplus(-$0).mean() + softplus(-$1).mean() },
    Mistake("The samples' term is missing: add the mean of −ln(1 − D) over them.") { real, _ in softplus(-real).mean()
    },
    Mistake("This is half of −V: the two means are added, not averaged.") {
      (softplus(-$0).mean() + softplus($1).mean()) * 0.5
    },
    Mistake("The batch is summed: each side is a mean.") { softplus(-$0).sum() + softplus($1).sum() },
    Mistake("All logits share one mean: data and samples have a mean each, however many there are of either.") {
      concatenate([softplus(-$0), softplus($1)], axis: 0).mean() * 2
    },
    Mistake("ln of a sigmoid that is 0 in Float is −∞: write −ln σ(l) as softplus(−l).") {
      -log(sigmoid($0)).mean() - log(sigmoid(-$1)).mean()
    },
    Mistake("The 1e-8 in the logarithm caps the loss at 18.4, and with it the gradient: use softplus.") {
      -log(sigmoid($0) + 1e-8).mean() - log(sigmoid(-$1) + 1e-8).mean()
    },
  ]),
  generatorExercise.knownMistakes([
    Mistake("The two cases are exchanged: the saturating loss is the one with ln(1 − D).") {
      $0 == .saturating ? softplus(-$1).mean() : -softplus($1).mean()
    },
    Mistake("The saturating loss has the wrong sign: the generator minimises ln(1 − D), which is never positive.") {
      $0 == .saturating ? softplus($1).mean() : softplus(-$1).mean()
    },
    Mistake("The non-saturating loss has the wrong sign: the generator minimises −ln D, which is never negative.") {
      -($0 == .saturating ? softplus($1) : softplus(-$1)).mean()
    },
    Mistake("Both cases are −ln D: the saturating one is ln(1 − D).") { _, fake in softplus(-fake).mean() },
    Mistake("Both cases are ln(1 − D): the non-saturating one is −ln D.") { _, fake in -softplus(fake).mean() },
    Mistake("The batch is summed: the loss is a mean.") {
      $0 == .saturating ? -softplus($1).sum() : softplus(-$1).sum()
    },
    Mistake("A sigmoid of 0 or 1 in Float has a logarithm of −∞: write both losses with softplus.") {
      $0 == .saturating ? log(1 - sigmoid($1)).mean() : -log(sigmoid($1)).mean()
    },
    Mistake("This is −l, the loss against a critic: here D = σ(l) is a probability, and −ln D is softplus(−l).") {
      $0 == .saturating ? -softplus($1).mean() : -$1.mean()
    },
  ]),
  optimumExercise.knownMistakes([
    Mistake("Far out both densities are 0 in Float, and 0/0 is no probability: take σ(ln p − ln q).") {
      let (p, q) = (exp($0), exp($1))
      return Optimum(discriminator: p / (p + q), value: known($0, $1, $2).value)
    },
    Mistake("This is q/(p + q), the probability of a sample: D is the probability of data.") {
      Optimum(discriminator: sigmoid($1 - $0), value: known($0, $1, $2).value)
    },
    Mistake("This is p/q: divide by p + q.") {
      Optimum(discriminator: exp($0 - $1), value: known($0, $1, $2).value)
    },
    Mistake("The logit of D* is given in its place: apply the sigmoid.") {
      Optimum(discriminator: $0 - $1, value: known($0, $1, $2).value)
    },
    Mistake("The sum is not yet the integral: multiply it by `cell`.") { logP, logQ, _ in known(logP, logQ, 1) },
    Mistake("This is −V: the logarithms of probabilities are negative, and so is V.") {
      changed($0, $1, $2) { -$0 }
    },
    Mistake("This is V/2: p and q enter V with weight 1 each, though D sees as many of both.") {
      changed($0, $1, $2) { $0 * 0.5 }
    },
    Mistake("This is the Jensen–Shannon divergence: V(D*) is twice that, less 2 ln 2.") {
      changed($0, $1, $2) { ($0 + 2 * log(2)) * 0.5 }
    },
    Mistake("The samples' part is missing: add q ln(1 − D*).") {
      let best = known($0, $1, $2).discriminator
      return Optimum(discriminator: best, value: (exp($0) * logSigmoid($0 - $1)).sum() * $2)
    },
    Mistake("Both parts are weighted by p: ln(1 − D*) is averaged over samples, so weight it by q.") {
      let (best, odds) = (known($0, $1, $2).discriminator, $0 - $1)
      return Optimum(discriminator: best, value: (exp($0) * (logSigmoid(odds) - softplus(odds))).sum() * $2)
    },
  ]),
  gameExercise.knownMistakes([
    Mistake("The values are right, but the discriminator's gradient runs on into the generator: detach its samples.") {
      right($0, $1, $2, samples: $0.generator($2))
    },
    Mistake("The generator's samples are detached too, so that it learns nothing: leave its own loss connected.") {
      let (fixed, gan) = (right($0, $1, $2), $0)
      let constant = gan.discriminator(gan.generator($2).detached())
      return Play(
        discriminator: fixed.discriminator, generator: softplus(-constant).mean(),
        saturating: -softplus(constant).mean())
    },
    Mistake("The discriminator's loss is detached as a whole, so that it learns nothing: detach the samples alone.") {
      let fixed = right($0, $1, $2)
      return Play(
        discriminator: fixed.discriminator.detached(), generator: fixed.generator, saturating: fixed.saturating)
    },
    Mistake("Data and samples are exchanged: the data's logits are `real`.") {
      let (fixed, samples) = (right($0, $1, $2), $0.generator($2).detached())
      return with(fixed, softplus(-$0.discriminator(samples)).mean() + softplus($0.discriminator($1)).mean())
    },
    Mistake("Both sides get the data: `fake` are the logits on G(z).") {
      let (fixed, logits) = (right($0, $1, $2), $0.discriminator($1))
      return with(fixed, softplus(-logits).mean() + softplus(logits).mean())
    },
    Mistake("The argument `loss` is not used: the generator's loss is always the non-saturating one.") {
      let fixed = right($0, $1, $2)
      return Play(discriminator: fixed.discriminator, generator: fixed.generator, saturating: fixed.generator)
    },
    Mistake("Probabilities are passed where logits are asked for: the losses apply the sigmoid themselves.") {
      let (gan, x, samples) = ($0, $1, $0.generator($2))
      let (real, cut) = (sigmoid(gan.discriminator(x)), sigmoid(gan.discriminator(samples.detached())))
      let fake = sigmoid(gan.discriminator(samples))
      return Play(
        discriminator: softplus(-real).mean() + softplus(cut).mean(), generator: softplus(-fake).mean(),
        saturating: -softplus(fake).mean())
    },
  ]),
]

private func generatorLogits(_ gan: GAN, _ z: Tensor) -> Tensor { gan.discriminator(gan.generator(z)) }

/// D* and V as they should be, which no student's function takes part in.
private func known(_ logP: Tensor, _ logQ: Tensor, _ cell: Float) -> Optimum {
  let odds = logP - logQ
  let parts = exp(logP) * softplus(-odds) + exp(logQ) * softplus(odds)
  return Optimum(discriminator: sigmoid(odds), value: -parts.sum() * cell)
}

/// The same with another value.
private func changed(_ logP: Tensor, _ logQ: Tensor, _ cell: Float, _ change: (Tensor) -> Tensor) -> Optimum {
  let right = known(logP, logQ, cell)
  return Optimum(discriminator: right.discriminator, value: change(right.value))
}

/// Both losses as they should be, with the discriminator's samples given or cut off from the generator.
private func right(_ gan: GAN, _ x: Tensor, _ z: Tensor, samples: Tensor? = nil) -> Play {
  let (real, cut) = (gan.discriminator(x), gan.discriminator(samples ?? gan.generator(z).detached()))
  let fake = generatorLogits(gan, z)
  return Play(
    discriminator: softplus(-real).mean() + softplus(cut).mean(), generator: softplus(-fake).mean(),
    saturating: -softplus(fake).mean())
}

/// The same with another loss for the discriminator.
private func with(_ right: Play, _ loss: Tensor) -> Play {
  Play(discriminator: loss, generator: right.generator, saturating: right.saturating)
}
