import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  energyExercise.knownMistakes([
    Mistake("This is −E(v): likely images have low energies.") { machine, v in
      matmul(v, machine.visibleBias.reshaped(to: [-1, 1])).sum(axis: 1)
        + softplus(machine.hiddenLogits(v)).sum(axis: 1)
    },
    Mistake("The softplus has the wrong sign: hidden units that may be on lower the energy.") { machine, v in
      softplus(machine.hiddenLogits(v)).sum(axis: 1) - (v * machine.visibleBias).sum(axis: 1)
    },
    Mistake("The visible biases are missing: −a·v.") { machine, v in -softplus(machine.hiddenLogits(v)).sum(axis: 1) },
    Mistake("The hidden biases are missing: softplus is taken of b + vW.") { machine, v in
      -(v * machine.visibleBias).sum(axis: 1) - softplus(matmul(v, machine.weight)).sum(axis: 1)
    },
    Mistake("This is the energy with every hidden unit on: sum over hⱼ = 0 and hⱼ = 1, which makes softplus.") {
      machine, v in -(v * machine.visibleBias).sum(axis: 1) - machine.hiddenLogits(v).sum(axis: 1)
    },
    Mistake("This is the mean energy over h given v: its entropy is missing, which softplus contains.") { machine, v in
      let logits = machine.hiddenLogits(v)
      return -(v * machine.visibleBias).sum(axis: 1) - (sigmoid(logits) * logits).sum(axis: 1)
    },
    Mistake("The hidden units are averaged: their logarithms add up.") { machine, v in
      -(v * machine.visibleBias).sum(axis: 1) - softplus(machine.hiddenLogits(v)).mean(axis: 1)
    },
    Mistake("Everything is summed to one number: keep one energy for each image.") { machine, v in
      machine.energy(v).sum()
    },
  ]),
  contrastExercise.knownMistakes([
    Mistake("The phases are swapped: the energy is to fall at the data and to rise at the chains.") {
      machine, x, start, steps, random in
      let v = chains(machine, start, steps, using: &random)
      return (machine.energy(v).mean() - machine.energy(x).mean(), v)
    },
    Mistake("The chains' energy is missing: with the data alone the energy falls everywhere.") {
      machine, x, start, steps, random in
      (machine.energy(x).mean(), chains(machine, start, steps, using: &random))
    },
    Mistake("Energies are summed: take the mean over the batch and the mean over the chains.") {
      machine, x, start, steps, random in
      let v = chains(machine, start, steps, using: &random)
      return (machine.energy(x).sum() - machine.energy(v).sum(), v)
    },
    Mistake("The chains begin at the data: they begin at `start`, which makes persistent chains possible.") {
      machine, x, start, steps, random in
      let v = chains(machine, x, steps, using: &random)
      return (machine.energy(x).mean() - machine.energy(v).mean(), v)
    },
    Mistake("The chains take one step: take `k` of them.") { machine, x, start, steps, random in
      let v = chains(machine, start, 1, using: &random)
      return (machine.energy(x).mean() - machine.energy(v).mean(), v)
    },
    Mistake("The chains take a step too many.") { machine, x, start, steps, random in
      let v = chains(machine, start, steps + 1, using: &random)
      return (machine.energy(x).mean() - machine.energy(v).mean(), v)
    },
    Mistake("The chains are returned where they began: return where they have come to.") {
      machine, x, start, steps, random in
      let v = chains(machine, start, steps, using: &random)
      return (machine.energy(x).mean() - machine.energy(v).mean(), start)
    },
    Mistake("Nothing is drawn: v and h are zeros and ones, not probabilities.") { machine, x, start, steps, random in
      let v = (0..<steps).reduce(start) { v, _ in
        sigmoid(machine.visibleLogits(sigmoid(machine.hiddenLogits(v))))
      }.detached()
      return (machine.energy(x).mean() - machine.energy(v).mean(), v)
    },
    Mistake("The hidden units are not drawn: their probabilities are passed on, and the chain is another one.") {
      machine, x, start, steps, random in
      let v = (0..<steps).reduce(start) { v, _ in
        .bernoulli(sigmoid(machine.visibleLogits(sigmoid(machine.hiddenLogits(v)))), using: &random)
      }
      return (machine.energy(x).mean() - machine.energy(v).mean(), v)
    },
  ]),
  langevinExercise.knownMistakes([
    Mistake("The drift goes uphill in energy: it is −∇E(x), which is `score(x)`.") { model, x, step, noise in
      x - model.score(x) * (step / 2) + noise * step.squareRoot()
    },
    Mistake("The drift is twice too large: it has η/2 where the noise has √η.") { model, x, step, noise in
      x + model.score(x) * step + noise * step.squareRoot()
    },
    Mistake("The noise is scaled by η: variances add up over steps, so that it is √η.") { model, x, step, noise in
      x + model.score(x) * (step / 2) + noise * step
    },
    Mistake("Two conventions are mixed: √(2η) goes with a drift of η, and √η with η/2.") { model, x, step, noise in
      x + model.score(x) * (step / 2) + noise * (2 * step).squareRoot()
    },
    Mistake("The noise is missing: this descends to the nearest minimum of the energy.") { model, x, step, _ in
      x + model.score(x) * (step / 2)
    },
    Mistake("The noise is not scaled: multiply it by √η.") { model, x, step, noise in
      x + model.score(x) * (step / 2) + noise
    },
    Mistake("The drift is missing: this wanders about without looking at the energy.") { _, x, step, noise in
      x + noise * step.squareRoot()
    },
    Mistake("The score is divided by the batch: take the gradient of the summed energy, not of its mean.") {
      model, x, step, noise in
      x + model.score(x) * (step / 2 / Float(x.shape[0])) + noise * step.squareRoot()
    },
  ]),
  matchingExercise.knownMistakes([
    Mistake("The trace is missing: with ½‖ψ‖² alone a flat energy is best.") { model, x in
      (square(model.score(x)).sum(axis: 1) * 0.5).mean()
    },
    Mistake("The trace has the wrong sign: ψ is −∇E, so that ∂ψᵢ/∂xᵢ is −∂²E/∂xᵢ².") { model, x in
      (square(model.score(x)).sum(axis: 1) * 0.5 - trace(model, x)).mean()
    },
    Mistake("The factor ½ of the squares is missing.") { model, x in
      (square(model.score(x)).sum(axis: 1) + trace(model, x)).mean()
    },
    Mistake("The factor ½ belongs to the squares alone.") { model, x in
      ((square(model.score(x)).sum(axis: 1) + trace(model, x)) * 0.5).mean()
    },
    Mistake("All of the Jacobian is summed: the trace has ∂ψᵢ/∂xᵢ alone, not ∂ψᵢ/∂xⱼ.") { model, x in
      let whole = gradient(at: x) { model.score($0).sum() }.sum(axis: 1)
      return (square(model.score(x)).sum(axis: 1) * 0.5 + whole).mean()
    },
    Mistake("The batch is summed: take its mean.") { model, x in
      (square(model.score(x)).sum(axis: 1) * 0.5 + trace(model, x)).sum()
    },
    Mistake("The dimensions are averaged: ‖ψ‖² and the trace are sums over them.") { model, x in
      (square(model.score(x)).mean(axis: 1) * 0.5 + trace(model, x) / Float(x.shape[1])).mean()
    },
  ]),
]

private func chains(_ machine: RBM, _ start: Tensor, _ steps: Int, using random: inout Random) -> Tensor {
  machine.contrast(start, from: start, steps: steps, using: &random).ends
}

/// Σᵢ ∂ψᵢ/∂xᵢ of each point, `[batch]`.
private func trace(_ model: any EnergyModel, _ x: Tensor) -> Tensor {
  (0..<x.shape[1]).reduce(Tensor.zeros([x.shape[0]])) { sum, i in
    let column = gradient(at: x) { model.score($0).split(sizes: [i, 1, x.shape[1] - i - 1], axis: 1)[1].sum() }
    return sum + column.split(sizes: [i, 1, x.shape[1] - i - 1], axis: 1)[1].reshaped(to: [-1])
  }
}
