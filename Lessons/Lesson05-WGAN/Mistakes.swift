import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  lossesExercise.knownMistakes([
    Mistake("The critic's loss has the wrong sign: it is minimised, and E f(data) − E f(samples) must grow.") {
      let right = exactLosses($0, $1, $2)
      return $0 == .hinge ? right : Losses(critic: $1.mean() - $2.mean(), generator: right.generator)
    },
    Mistake("The generator's loss has the wrong sign: its samples' scores are to rise, in −E f(samples).") {
      Losses(critic: exactLosses($0, $1, $2).critic, generator: $2.mean())
    },
    Mistake("The generator's loss is the critic's, negated: leave out the data's scores, which it cannot change.") {
      let right = exactLosses($0, $1, $2)
      return Losses(critic: right.critic, generator: -right.critic)
    },
    Mistake("The generator's loss is the logarithm of a GAN's: here it is the plain mean of the scores.") {
      Losses(critic: exactLosses($0, $1, $2).critic, generator: softplus(-$2).mean())
    },
    Mistake("The hinge's signs are exchanged: it is max(0, 1 − f) for data and max(0, 1 + f) for samples.") {
      let right = exactLosses($0, $1, $2)
      let critic = relu(1 + $1).mean() + relu(1 - $2).mean()
      return $0 == .hinge ? Losses(critic: critic, generator: right.generator) : right
    },
    Mistake("The hinge is missing: a score beyond ±1 on the right side must cost nothing.") {
      let right = exactLosses($0, $1, $2)
      let critic = (1 - $1).mean() + (1 + $2).mean()
      return $0 == .hinge ? Losses(critic: critic, generator: right.generator) : right
    },
    Mistake("The generator has no hinge: a sample that already scores above 1 is still pushed on.") {
      let right = exactLosses($0, $1, $2)
      return $0 == .hinge ? Losses(critic: right.critic, generator: relu(1 - $2).mean()) : right
    },
    Mistake("The scores are summed: an expectation is their mean.") {
      $0 == .hinge
        ? Losses(critic: relu(1 - $1).sum() + relu(1 + $2).sum(), generator: -$2.sum())
        : Losses(critic: $2.sum() - $1.sum(), generator: -$2.sum())
    },
  ]),
  penaltyExercise.knownMistakes([
    Mistake("The value is right, but no gradient reaches the critic's weights: do not detach the slopes.") {
      exactPenalty($0, between($1, $2, $3)).detached()
    },
    Mistake("One length is taken over the whole batch: each row has its own, summed over axis 1.") {
      critic, real, fake, mix in
      let slopes = gradient(at: between(real, fake, mix)) { critic($0).sum() }
      return square(sqrt(square(slopes).sum() + 1e-12) - 1)
    },
    Mistake("All rows share one ε: it is a column, one for each row.") { critic, real, fake, mix in
      exactPenalty(critic, between(real, fake, mix.sliced(0..<1, axis: 0)))
    },
    Mistake("The gradient is taken at the data: take it at points between data and samples.") { critic, real, _, _ in
      exactPenalty(critic, real)
    },
    Mistake("The gradient is taken at the samples: take it at points between data and samples.") { critic, _, fake, _ in
      exactPenalty(critic, fake)
    },
    Mistake("The root is missing: the length is compared with 1, not its square.") { critic, real, fake, mix in
      let slopes = gradient(at: between(real, fake, mix)) { critic($0).sum() }
      return square(square(slopes).sum(axis: 1) - 1).mean()
    },
    Mistake("The gradient is that of the mean score, which is smaller by the batch's size: differentiate the sum.") {
      critic, real, fake, mix in
      let slopes = gradient(at: between(real, fake, mix)) { critic($0).mean() }
      return square(sqrt(square(slopes).sum(axis: 1) + 1e-12) - 1).mean()
    },
    Mistake("The penalty draws the slope to 0: compare the length with 1.") { critic, real, fake, mix in
      square(gradient(at: between(real, fake, mix)) { critic($0).sum() }).sum(axis: 1).mean()
    },
    Mistake("Every derivative is compared with 1: it is the length of the gradient that should be 1.") {
      critic, real, fake, mix in
      square(gradient(at: between(real, fake, mix)) { critic($0).sum() } - 1).sum(axis: 1).mean()
    },
    Mistake("The rows' penalties are summed: it is their mean.") {
      exactPenalty($0, between($1, $2, $3)) * Float($1.shape[0])
    },
  ]),
  sortingExercise.knownMistakes([
    Mistake("Nothing is sorted: these are the distances of an arbitrary pairing.") { abs($0 - $1).mean() },
    Mistake("Only one of the two is sorted: sort both.") { abs($0.sorted(axis: 0).values - $1).mean() },
    Mistake("One is sorted upwards and the other downwards: that is the longest way to carry the mass.") {
      abs($0.sorted(axis: 0).values - $1.sorted(axis: 0).values.flipped(axis: 0)).mean()
    },
    Mistake("The distances are squared: that is the square of W₂.") {
      square($0.sorted(axis: 0).values - $1.sorted(axis: 0).values).mean()
    },
    Mistake("This is W₂, the root of the mean square: W₁ is the mean distance.") {
      sqrt(square($0.sorted(axis: 0).values - $1.sorted(axis: 0).values).mean())
    },
    Mistake("The signs cancel: this is the distance of the means, which ignores all else. Take |x − y| of each pair.") {
      abs($0.mean() - $1.mean())
    },
    Mistake("The distances are summed: each pair carries 1/count of the mass.") {
      abs($0.sorted(axis: 0).values - $1.sorted(axis: 0).values).sum()
    },
  ]),
  normExercise.knownMistakes([
    Mistake("This is σ², the largest eigenvalue of WᵀW: take vᵀ·W·u.") { w, start, iterations in
      let (v, u) = powerVectors(w, start, iterations)
      return square((v * matmul(w, u)).sum())
    },
    Mistake("This is the Frobenius norm, the root of the sum of all squared singular values.") { w, _, _ in
      sqrt(square(w).sum())
    },
    Mistake("u is one half step behind: after v comes u = Wᵀ·v, scaled to length 1, also in the last iteration.") {
      w, start, iterations in
      let u = iterations > 1 ? powerVectors(w, start, iterations - 1).u : start
      let v = withoutGradients { unit(matmul(w, u)) }
      return (v * matmul(w, u)).sum()
    },
    Mistake("There is one iteration too many.") { w, start, iterations in
      let (v, u) = powerVectors(w, start, iterations + 1)
      return (v * matmul(w, u)).sum()
    },
    Mistake("The vectors are not scaled to length 1 in each iteration.") { w, start, iterations in
      var (u, v) = (start, start)
      withoutGradients {
        for _ in 0..<iterations {
          v = matmul(w, u)
          u = matmul(w, v, transposingFirst: true)
        }
      }
      return (v * matmul(w, u)).sum()
    },
    Mistake("Gradients flow through u and v as well: run the iterations inside `withoutGradients`.") {
      w, start, iterations in
      var (u, v) = (start, start)
      for _ in 0..<iterations {
        v = unit(matmul(w, u))
        u = unit(matmul(w, v, transposingFirst: true))
      }
      return (v * matmul(w, u)).sum()
    },
    Mistake("The value is right, but no gradient reaches W: take vᵀ·W·u outside `withoutGradients`.") {
      w, start, iterations in
      let (v, u) = powerVectors(w, start, iterations)
      return (v * matmul(w, u)).sum().detached()
    },
  ]),
]

private func exactLosses(_ objective: Objective, _ real: Tensor, _ fake: Tensor) -> Losses {
  let critic = objective == .hinge ? relu(1 - real).mean() + relu(fake + 1).mean() : fake.mean() - real.mean()
  return Losses(critic: critic, generator: -fake.mean())
}

private func between(_ real: Tensor, _ fake: Tensor, _ mix: Tensor) -> Tensor { fake + mix * (real - fake) }

private func exactPenalty(_ critic: (Tensor) -> Tensor, _ points: Tensor) -> Tensor {
  let slopes = gradient(at: points) { critic($0).sum() }
  return square(sqrt(square(slopes).sum(axis: 1) + 1e-12) - 1).mean()
}

/// v and u after so many iterations, as constants.
private func powerVectors(_ w: Tensor, _ start: Tensor, _ iterations: Int) -> (v: Tensor, u: Tensor) {
  withoutGradients {
    var u = start
    for _ in 1..<iterations { u = unit(matmul(w, matmul(w, u), transposingFirst: true)) }
    let v = unit(matmul(w, u))
    return (v, unit(matmul(w, v, transposingFirst: true)))
  }
}
