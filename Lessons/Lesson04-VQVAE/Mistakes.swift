import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  nearestExercise.knownMistakes([
    Mistake("This is the code farthest away: take the least distance, argmin.") { differences($0, $1).argmax(axis: 1) },
    Mistake("This is the largest product z·e, which favours long codes: ‖e‖² belongs to the distance.") {
      matmul($0, $1.transposed()).argmax(axis: 1)
    },
    Mistake("The product counts twice in ‖z − e‖² = ‖z‖² − 2 z·e + ‖e‖².") {
      (square($1).sum(axis: 1) - matmul($0, $1.transposed())).argmin(axis: 1)
    },
    Mistake("The product has the wrong sign: this is the distance from z to −e.") {
      differences($0, -$1).argmin(axis: 1)
    },
    Mistake("This is the nearest vector for each code: the least is taken along the codes, axis 1.") {
      differences($0, $1).argmin(axis: 0)
    },
    Mistake("The differences are summed by absolute value: the distance is the sum of their squares.") { z, e in
      abs(z.reshaped(to: [z.shape[0], 1, z.shape[1]]) - e).sum(axis: 2).argmin(axis: 1)
    },
  ]),
  quantizeExercise.knownMistakes([
    Mistake("No gradient reaches the encoder: the decoder must read z + sg[e − z].") { z, e, beta in
      (e.detached(), lossTerms(z, e, 1, beta))
    },
    Mistake("The decoder's gradient goes to the codes: it belongs to z, as if nothing had been replaced.") {
      z, e, beta in
      (e, lossTerms(z, e, 1, beta))
    },
    Mistake("The decoder reads z itself: it must see the values of the codes.") { z, e, beta in
      (z, lossTerms(z, e, 1, beta))
    },
    Mistake("β stands on the codebook term: it weighs the commitment, ‖z − sg[e]‖².") { z, e, beta in
      (through(z, e), lossTerms(z, e, beta, 1))
    },
    Mistake("There is no sg in the two terms: each of them pulls both z and e.") { z, e, beta in
      (through(z, e), square(z - e).sum(axes: [1, 2]) * (1 + beta))
    },
    Mistake("The commitment is missing: add β ‖z − sg[e]‖².") { z, e, beta in (through(z, e), lossTerms(z, e, 1, 0)) },
    Mistake("The codebook term is missing: add ‖sg[z] − e‖².") { z, e, beta in (through(z, e), lossTerms(z, e, 0, beta))
    },
    Mistake("The squares are averaged over positions and width: they are summed.") { z, e, beta in
      (through(z, e), lossTerms(z, e, 1, beta) / Float(z.shape[1] * z.shape[2]))
    },
    Mistake("The loss is one number: keep one for every image, `[batch]`.") { z, e, beta in
      (through(z, e), lossTerms(z, e, 1, beta).mean())
    },
  ]),
  averageExercise.knownMistakes([
    Mistake("γ weighs the new batch: it is the share of the old values that stays.") {
      stepped($0, $1, $2, keeping: 1 - $3, adding: $3, $4)
    },
    Mistake("The new batch is added whole: its weight is 1−γ.") { stepped($0, $1, $2, keeping: $3, adding: 1, $4) },
    Mistake("The sums are divided by N, not smoothed: take Ñ.") { old, z, indices, decay, epsilon in
      let new = stepped(old, z, indices, keeping: decay, adding: 1 - decay, epsilon).statistics
      return (new, new.sums / new.counts.reshaped(to: [-1, 1]))
    },
    Mistake("The smoothed counts no longer sum to ΣN: multiply (N + ε) by ΣN / (ΣN + Kε).") {
      old, z, indices, decay, epsilon in
      let new = stepped(old, z, indices, keeping: decay, adding: 1 - decay, epsilon).statistics
      return (new, new.sums / (new.counts + epsilon).reshaped(to: [-1, 1]))
    },
    Mistake("Ñ is left as shares, which sum to 1: multiply by ΣN.") { old, z, indices, decay, epsilon in
      let new = stepped(old, z, indices, keeping: decay, adding: 1 - decay, epsilon)
      return (new.statistics, new.codes * new.statistics.counts.sum())
    },
    Mistake("Ñ is made from the old N: the codes follow from the new averages.") { old, z, indices, decay, epsilon in
      let new = stepped(old, z, indices, keeping: decay, adding: 1 - decay, epsilon).statistics
      return (new, new.sums / smoothed(old.counts, epsilon).reshaped(to: [-1, 1]))
    },
    Mistake("The batch enters m as means: m averages the *sums* of the vectors that chose each code.") {
      old, z, indices, decay, epsilon in
      let table = oneHot(indices, classes: old.counts.count)
      let sizes = maximum(table.sum(axis: 0), Tensor(1)).reshaped(to: [-1, 1])
      let means = matmul(table.transposed(), z) / sizes
      let counts = stepped(old, z, indices, keeping: decay, adding: 1 - decay, epsilon).statistics.counts
      let new = CodeStatistics(counts: counts, sums: old.sums * decay + means * (1 - decay))
      return (new, new.sums / smoothed(counts, epsilon).reshaped(to: [-1, 1]))
    },
  ]),
  perplexityExercise.knownMistakes([
    Mistake("This is the entropy in nats: the perplexity is e to it.") { log(effective(shares($0, $1))) },
    Mistake("This is 1 over the perplexity: the entropy is −Σ p ln p.") { 1 / effective(shares($0, $1)) },
    Mistake("The entropy is in bits and the exponential to the base e: take both to one base.") {
      exp(log(effective(shares($0, $1))) / log(2))
    },
    Mistake("The entropy is in nats and the power to the base 2: take both to one base.") {
      exp(log(effective(shares($0, $1))) * log(2))
    },
    Mistake("The codes are counted, not shared out: divide by the number of indices, so that the shares sum to 1.") {
      let counts = shares($0, $1) * Float($0.count)
      return exp(-(counts * log(counts.clamped(to: 1e-12...1e9))).sum())
    },
    Mistake("This is how many codes occur at all: those chosen often weigh more.") { (shares($0, $1) .> 0).sum() },
    Mistake("An unused code makes it NaN: 0 · ln 0 must count as 0.") {
      let shares = shares($0, $1)
      return exp(-(shares * log(shares)).sum())
    },
    Mistake("This is 1 / Σp², another number of codes in use: the perplexity comes from the entropy.") {
      1 / square(shares($0, $1)).sum()
    },
    Mistake("The sum of p ln p is divided by the number of codes: it is a sum, not a mean.") {
      exp(log(effective(shares($0, $1))) / Float($1))
    },
  ]),
]

/// All squared distances by their definition, `[count, codes]`.
private func differences(_ z: Tensor, _ e: Tensor) -> Tensor {
  square(z.reshaped(to: [z.shape[0], 1, z.shape[1]]) - e).sum(axis: 2)
}

private func through(_ z: Tensor, _ e: Tensor) -> Tensor { e.detached() + (z - z.detached()) }

/// The two terms with these weights, `[batch]`.
private func lossTerms(_ z: Tensor, _ e: Tensor, _ toCodes: Float, _ toEncoder: Float) -> Tensor {
  let (movesCodes, movesEncoder) = (square(e - z.detached()), square(e.detached() - z))
  return (movesCodes * toCodes + movesEncoder * toEncoder).sum(axes: [1, 2])
}

private func smoothed(_ counts: Tensor, _ epsilon: Float) -> Tensor {
  let total = counts.sum().scalar
  return (counts + epsilon) * (total / (total + epsilon * Float(counts.count)))
}

private func stepped(
  _ old: CodeStatistics, _ z: Tensor, _ indices: IndexTensor, keeping: Float, adding: Float, _ epsilon: Float
) -> (statistics: CodeStatistics, codes: Tensor) {
  let table = oneHot(indices, classes: old.counts.count)
  let new = CodeStatistics(
    counts: table.sum(axis: 0) * adding + old.counts * keeping,
    sums: matmul(table.transposed(), z) * adding + old.sums * keeping)
  return (new, new.sums / smoothed(new.counts, epsilon).reshaped(to: [-1, 1]))
}

private func shares(_ indices: IndexTensor, _ codes: Int) -> Tensor {
  oneHot(indices.reshaped(to: [indices.count]), classes: codes).sum(axis: 0) / Float(indices.count)
}

private func effective(_ shares: Tensor) -> Tensor { exp(-(shares * log(shares.clamped(to: 1e-12...1))).sum()) }
