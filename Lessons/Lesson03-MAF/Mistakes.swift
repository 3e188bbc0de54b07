import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  stepExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: u is x divided by exp(α), so volumes shrink where α is positive.")
    {
      x, mu, alpha in ((x - mu) * exp(-alpha), alpha.sum(axis: 1))
    },
    Mistake("x is multiplied by exp(α): that is the scale of x, and u is x divided by it.") { x, mu, alpha in
      ((x - mu) * exp(alpha), alpha.sum(axis: 1))
    },
    Mistake("This is the other direction, x = u exp(α) + μ: a density needs u from x.") { x, mu, alpha in
      (x * exp(alpha) + mu, alpha.sum(axis: 1))
    },
    Mistake("The log-determinant is averaged over the coordinates: it is their sum.") { x, mu, alpha in
      ((x - mu) * exp(-alpha), -alpha.mean(axis: 1))
    },
    Mistake("The log-determinant is summed over the batch too: keep one for each example, by `.sum(axis: 1)`.") {
      x, mu, alpha in ((x - mu) * exp(-alpha), -alpha.sum())
    },
    Mistake("α is taken for the scale itself: it is its logarithm.") { x, mu, alpha in
      ((x - mu) / alpha, -log(abs(alpha)).sum(axis: 1))
    },
    Mistake("μ is taken away after the scaling: take it away first.") { x, mu, alpha in
      (x * exp(-alpha) - mu, -alpha.sum(axis: 1))
    },
    Mistake("The values are right, but no gradient of the log-determinant reaches α.") { x, mu, alpha in
      ((x - mu) * exp(-alpha), -alpha.detached().sum(axis: 1))
    },
  ]),
  inverseExercise.knownMistakes([
    Mistake("The network read u: μᵢ and αᵢ are functions of the x before i.") { u, network in
      let (mu, alpha) = network(u)
      return u * exp(alpha) + mu
    },
    Mistake("The network ran before the first coordinates were in place: it must read them for the next.") {
      u, network in
      let (mu, alpha) = network(.zeros(u.shape))
      return u * exp(alpha) + mu
    },
    Mistake("The last coordinate is missing: it needs a turn too.") {
      sequential($0, $1, order: 0..<$0.shape[1] - 1) { u, mu, alpha in u * exp(alpha) + mu }
    },
    Mistake("u is divided by the scale: x = u exp(α) + μ.") {
      sequential($0, $1, order: 0..<$0.shape[1]) { u, mu, alpha in u * exp(-alpha) + mu }
    },
    Mistake("μ is scaled too: scale u first, then add μ.") {
      sequential($0, $1, order: 0..<$0.shape[1]) { u, mu, alpha in (u + mu) * exp(alpha) }
    },
    Mistake("This is the forward direction, (x − μ) exp(−α).") {
      sequential($0, $1, order: 0..<$0.shape[1]) { u, mu, alpha in (u - mu) * exp(-alpha) }
    },
  ]),
  stackExercise.knownMistakes([
    Mistake("The coordinates are not reversed, so that every step has the same order.") {
      stack($0, $1) { u, _, _ in u }
    },
    Mistake("The coordinates are reversed before each step: reverse what the step gives.") { flow, x in
      var (u, total) = (x, Tensor.zeros([x.shape[0]]))
      for network in flow.steps {
        let step = exactStep(network, u.flipped(axis: 1))
        (u, total) = (step.u, total + step.logDeterminant)
      }
      return (u, total)
    },
    Mistake("The coordinates are not reversed after the last step: reverse them after each.") { flow, x in
      stack(flow, x) { u, index, _ in index == flow.steps.count - 1 ? u : u.flipped(axis: 1) }
    },
    Mistake("Only the last step's log-determinant is returned: those of all steps add up.") { flow, x in
      let last = MAF([flow.steps[flow.steps.count - 1]])
      let before = stack(MAF(Array(flow.steps.dropLast())), x) { u, _, _ in u.flipped(axis: 1) }
      let result = stack(last, before.u) { u, _, _ in u.flipped(axis: 1) }
      return (result.u, result.logDeterminant)
    },
    Mistake("The batch is reversed in place of the coordinates: flip axis 1.") {
      stack($0, $1) { u, _, _ in u.flipped(axis: 0) }
    },
    Mistake("Every network read x: each must read what the step before left.") { flow, x in
      var (u, total) = (x, Tensor.zeros([x.shape[0]]))
      for network in flow.steps {
        let (mu, alpha) = network(x)
        (u, total) = (((u - mu) * exp(-alpha)).flipped(axis: 1), total - alpha.sum(axis: 1))
      }
      return (u, total)
    },
    Mistake("The log-determinants are subtracted: each is already that of the direction from x to u.") {
      let result = stack($0, $1) { u, _, _ in u.flipped(axis: 1) }
      return (result.u, -result.logDeterminant)
    },
  ]),
  densityExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: it is that of u with respect to x, so it is added.") { flow, x in
      base(flow, x) - exactStack(flow, x).logDeterminant
    },
    Mistake("The log-determinant is missing: that is the density of u, not of x.") { flow, x in base(flow, x) },
    Mistake("The base's density is taken at x: it belongs at u.") { flow, x in
      Normal.standard(x.shape).logProbability(of: x) + exactStack(flow, x).logDeterminant
    },
    Mistake("The constant −½ ln 2π of each coordinate is missing: use `Normal.standard`.") { flow, x in
      let (u, logDeterminant) = exactStack(flow, x)
      return square(u).sum(axis: 1) * -0.5 + logDeterminant
    },
    Mistake("This is −log p(x), the loss: return log p(x).") { flow, x in
      -base(flow, x) - exactStack(flow, x).logDeterminant
    },
    Mistake("The mean over the batch is taken: return one number for each example.") { flow, x in
      (base(flow, x) + exactStack(flow, x).logDeterminant).mean()
    },
    Mistake("The values are right, but no gradient goes through the log-determinant.") { flow, x in
      base(flow, x) + exactStack(flow, x).logDeterminant.detached()
    },
  ]),
]

/// A step as it should be, which no student's function takes part in.
private func exactStep(_ network: MADE, _ x: Tensor) -> (u: Tensor, logDeterminant: Tensor) {
  let (mu, alpha) = network(x)
  return ((x - mu) * exp(-alpha), -alpha.sum(axis: 1))
}

/// All steps, with what is done to u after each.
private func stack(
  _ flow: MAF, _ x: Tensor, after: (Tensor, _ index: Int, MADE) -> Tensor
) -> (u: Tensor, logDeterminant: Tensor) {
  var (u, total) = (x, Tensor.zeros([x.shape[0]]))
  for (index, network) in flow.steps.enumerated() {
    let step = exactStep(network, u)
    (u, total) = (after(step.u, index, network), total + step.logDeterminant)
  }
  return (u, total)
}

private func exactStack(_ flow: MAF, _ x: Tensor) -> (u: Tensor, logDeterminant: Tensor) {
  stack(flow, x) { u, _, _ in u.flipped(axis: 1) }
}

private func base(_ flow: MAF, _ x: Tensor) -> Tensor {
  let u = exactStack(flow, x).u
  return Normal.standard(u.shape).logProbability(of: u)
}

/// One coordinate after the other, in some order, by some formula.
private func sequential(
  _ u: Tensor, _ network: MADE, order: some Sequence<Int>, _ formula: (Tensor, Tensor, Tensor) -> Tensor
) -> Tensor {
  var x = Tensor.zeros(u.shape)
  for i in order {
    let (mu, alpha) = network(x)
    x = x.replacing(i..<i + 1, axis: 1, with: formula(u, mu, alpha).sliced(i..<i + 1, axis: 1))
  }
  return x
}
