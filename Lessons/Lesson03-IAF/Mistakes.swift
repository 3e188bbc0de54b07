import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  stepExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: where σ is above 1 the step stretches volumes.") {
      z, mu, logSigma in (mu + exp(logSigma) * z, -logSigma.sum(axis: 1))
    },
    Mistake("This is a MAF's step, (z − μ)/σ: here z is scaled by σ, then μ is added.") { z, mu, logSigma in
      ((z - mu) * exp(-logSigma), -logSigma.sum(axis: 1))
    },
    Mistake("μ is scaled too: scale z, then add μ.") { z, mu, logSigma in
      ((mu + z) * exp(logSigma), logSigma.sum(axis: 1))
    },
    Mistake("`logSigma` is taken for σ itself: σ is its exponential.") { z, mu, logSigma in
      (mu + logSigma * z, log(abs(logSigma)).sum(axis: 1))
    },
    Mistake("The log-determinant sums σ in place of ln σ.") { z, mu, logSigma in
      (mu + exp(logSigma) * z, exp(logSigma).sum(axis: 1))
    },
    Mistake("The log-determinant is averaged over the coordinates: it is their sum.") { z, mu, logSigma in
      (mu + exp(logSigma) * z, logSigma.mean(axis: 1))
    },
    Mistake("The log-determinant is summed over the batch too: keep one for each example.") { z, mu, logSigma in
      (mu + exp(logSigma) * z, logSigma.sum())
    },
    Mistake("The values are right, but no gradient of the log-determinant reaches ln σ.") { z, mu, logSigma in
      (mu + exp(logSigma) * z, logSigma.detached().sum(axis: 1))
    },
  ]),
  sampleExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: it is that of x with respect to ε, so it is taken away.") {
      let (x, logDeterminant) = exactFlow($0, $1)
      return (x, base($1) + logDeterminant)
    },
    Mistake("The log-determinant is missing: that is the density of the noise, not of x.") {
      (exactFlow($0, $1).x, base($1))
    },
    Mistake("The base's density is taken at x: it belongs at the noise.") {
      let (x, logDeterminant) = exactFlow($0, $1)
      return (x, base(x) - logDeterminant)
    },
    Mistake("The constant −½ ln 2π of each coordinate is missing: use `Normal.standard`.") {
      let (x, logDeterminant) = exactFlow($0, $1)
      return (x, square($1).sum(axis: 1) * -0.5 - logDeterminant)
    },
    Mistake("This is −log q(x).") {
      let (x, logDeterminant) = exactFlow($0, $1)
      return (x, logDeterminant - base($1))
    },
    Mistake("The noise is returned in place of the sample.") { ($1, base($1) - exactFlow($0, $1).logDeterminant) },
    Mistake("The values are right, but no gradient goes through the log-determinant.") {
      let (x, logDeterminant) = exactFlow($0, $1)
      return (x, base($1) - logDeterminant.detached())
    },
  ]),
  divergenceExercise.knownMistakes([
    Mistake("The sign is wrong: this is the bound on ln Z, which rises; its negative is minimised.") {
      let (x, logQ) = exactSample($0, $3)
      return ($1(x) * $2 - logQ).mean()
    },
    Mistake("log q is missing: without it nothing keeps q from shrinking to a point.") {
      ($1(exactSample($0, $3).x) * -$2).mean()
    },
    Mistake("The two logarithms are added: the divergence is their difference.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ + $1(x) * $2).mean()
    },
    Mistake("β multiplies log q in place of log p̃.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ * $2 - $1(x)).mean()
    },
    Mistake("log p̃ is divided by β: a tempered start needs a flatter target, β log p̃.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ - $1(x) / $2).mean()
    },
    Mistake("The target is asked about the noise: it must be asked about the samples.") {
      (exactSample($0, $3).logQ - $1($3) * $2).mean()
    },
    Mistake("The batch is summed: take its mean.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ - $1(x) * $2).sum()
    },
    Mistake("The values are right, but no gradient goes through the samples into the target.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ - $1(x.detached()) * $2).mean()
    },
    Mistake("The values are right, but log q is detached: its gradient keeps q spread out.") {
      let (x, logQ) = exactSample($0, $3)
      return (logQ.detached() - $1(x) * $2).mean()
    },
  ]),
  inverseExercise.knownMistakes([
    Mistake("The network read its own result: μᵢ and σᵢ are functions of the z before i, which is to be found.") {
      next, network in
      let (mu, logSigma) = network(next)
      return (next - mu) * exp(-logSigma)
    },
    Mistake("The network ran before the first coordinates were in place: it must read them for the next.") {
      next, network in
      let (mu, logSigma) = network(.zeros(next.shape))
      return (next - mu) * exp(-logSigma)
    },
    Mistake("The last coordinate is missing: it needs a turn too.") {
      sequential($0, $1, turns: $0.shape[1] - 1) { next, mu, logSigma in (next - mu) * exp(-logSigma) }
    },
    Mistake("The scale is on the wrong side: take μ away and divide by σ.") {
      sequential($0, $1, turns: $0.shape[1]) { next, mu, logSigma in (next - mu) * exp(logSigma) }
    },
    Mistake("μ is taken away after the division: take it away first.") {
      sequential($0, $1, turns: $0.shape[1]) { next, mu, logSigma in next * exp(-logSigma) - mu }
    },
    Mistake("This is the forward direction, μ + σ z.") {
      sequential($0, $1, turns: $0.shape[1]) { next, mu, logSigma in mu + exp(logSigma) * next }
    },
  ]),
]

/// All steps as they should be, which no student's function takes part in.
private func exactFlow(_ flow: IAF, _ noise: Tensor) -> (x: Tensor, logDeterminant: Tensor) {
  var (z, total) = (noise, Tensor.zeros([noise.shape[0]]))
  for network in flow.steps {
    let (mu, logSigma) = network(z)
    (z, total) = ((mu + exp(logSigma) * z).flipped(axis: 1), total + logSigma.sum(axis: 1))
  }
  return (z, total)
}

private func base(_ noise: Tensor) -> Tensor { Normal.standard(noise.shape).logProbability(of: noise) }

private func exactSample(_ flow: IAF, _ noise: Tensor) -> (x: Tensor, logQ: Tensor) {
  let (x, logDeterminant) = exactFlow(flow, noise)
  return (x, base(noise) - logDeterminant)
}

/// One coordinate after the other, by some formula.
private func sequential(
  _ next: Tensor, _ network: MADE, turns: Int, _ formula: (Tensor, Tensor, Tensor) -> Tensor
) -> Tensor {
  var z = Tensor.zeros(next.shape)
  for i in 0..<turns {
    let (mu, logSigma) = network(z)
    z = z.replacing(i..<i + 1, axis: 1, with: formula(next, mu, logSigma).sliced(i..<i + 1, axis: 1))
  }
  return z
}
