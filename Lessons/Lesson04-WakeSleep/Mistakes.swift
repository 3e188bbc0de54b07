import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  wakeExercise.knownMistakes([
    Mistake("The sign is wrong: a loss falls, so it is −ln p(x, h).") { machine, x, random in
      machine.generative.logProbability(of: machine.recognition.interpret(x, using: &random)).mean()
    },
    Mistake("The batch is summed: take its mean.") { machine, x, random in
      -machine.generative.logProbability(of: machine.recognition.interpret(x, using: &random)).sum()
    },
    Mistake("These are dreams: awake, x is real and its causes come from recognition.") { machine, x, random in
      -machine.generative.logProbability(of: machine.generative.dream(x.shape[0], using: &random)).mean()
    },
    Mistake("This scores recognition: awake it only interprets; the generative model is what learns.") {
      machine, x, random in
      -machine.recognition.logProbability(of: machine.recognition.interpret(x, using: &random)).mean()
    },
    Mistake("ln q(h|x) is taken off: that is the bound itself; the wake phase's loss is −ln p(x, h) alone.") {
      machine, x, random in
      let states = machine.recognition.interpret(x, using: &random)
      return (machine.recognition.logProbability(of: states) - machine.generative.logProbability(of: states)).mean()
    },
    Mistake("Units must be drawn, 0 or 1: this passes their probabilities on.") { machine, x, random in
      let states = machine.recognition.layers.reduce(into: [x]) { $0.append(sigmoid($1($0.last!))) }
      return -machine.generative.logProbability(of: states).mean()
    },
    Mistake("The prior of the topmost units is missing: p(x, h) begins with p(top).") { machine, x, random in
      let states = machine.recognition.interpret(x, using: &random)
      let top = Bernoulli(logits: machine.generative.bias.reshaped(to: [1, -1])).logProbability(of: states.last!)
      return (top - machine.generative.logProbability(of: states)).mean()
    },
  ]),
  sleepExercise.knownMistakes([
    Mistake("The sign is wrong: a loss falls, so it is −ln q(h|x).") { machine, count, random in
      machine.recognition.logProbability(of: machine.generative.dream(count, using: &random)).mean()
    },
    Mistake("The dreams are summed: take their mean.") { machine, count, random in
      -machine.recognition.logProbability(of: machine.generative.dream(count, using: &random)).sum()
    },
    Mistake("This scores the generative model on its own dreams: asleep, recognition learns.") {
      machine, count, random in
      -machine.generative.logProbability(of: machine.generative.dream(count, using: &random)).mean()
    },
    Mistake("The dream is interpreted anew: recognition is to find the causes it was really made from.") {
      machine, count, random in
      let dream = machine.generative.dream(count, using: &random)
      return -machine.recognition.logProbability(of: machine.recognition.interpret(dream[0], using: &random)).mean()
    },
    Mistake("Only the first layer of causes is taught: every layer's are known.") { machine, count, random in
      let dream = machine.generative.dream(count, using: &random)
      return -Bernoulli(logits: machine.recognition.layers[0](dream[0])).logProbability(of: dream[1]).mean()
    },
    Mistake("The causes are averaged over units: ln q(h|x) is a sum over them.") { machine, count, random in
      let units = machine.recognition.layers.reduce(0) { $0 + $1.bias.count }
      let dream = machine.generative.dream(count, using: &random)
      return -machine.recognition.logProbability(of: dream).mean() / Float(units)
    },
  ]),
  likelihoodExercise.knownMistakes([
    Mistake("This is the likeliest cause alone: p(x) is the sum over all of them.") {
      enumerated($0, $1) { ($0 + $1).max(axes: [0]) }
    },
    Mistake("The states above are not weighted by their probability: add ln p(above).") { generative, x in
      enumerated(generative, x) { table, _ in table.logSumExp(axis: 0) }
    },
    Mistake("The sum over the states above has become a mean: they already carry their probabilities.") {
      enumerated($0, $1) { ($0 + $1).logSumExp(axis: 0) - log(Float($0.shape[0])) }
    },
    Mistake("This averages ln p(x|h) over the causes: the average must be taken of p(x|h), before the logarithm.") {
      enumerated($0, $1) { (exp($1) * $0).sum(axis: 0) }
    },
    Mistake("This is p(x): its logarithm is asked for.") { exp($0.logReference($1)) },
    Mistake("The sign is wrong: ln p(x) is negative.") { -$0.logReference($1) },
    Mistake("The examples are averaged: keep one value for each.") { $0.logReference($1).mean() },
  ]),
  boundExercise.knownMistakes([
    Mistake("−ln q is missing: this is E_q[ln p(x, h)], without q's entropy.") { machine, x in
      summedOut(machine, x) { logP, logQ, value in (exp(logQ) * (logP + value)).sum(axis: 1) }
    },
    Mistake("ln q has the wrong sign: it is taken off.") { machine, x in
      summedOut(machine, x) { logP, logQ, value in (exp(logQ) * (logP + logQ + value)).sum(axis: 1) }
    },
    Mistake("The states above are not weighted by q: multiply by exp(ln q).") { machine, x in
      summedOut(machine, x) { logP, logQ, value in (logP - logQ + value).mean(axis: 1) }
    },
    Mistake("This is ln p(x): a log-sum-exp over the causes is not an expectation under q.") { machine, x in
      machine.generative.logReference(x)
    },
    Mistake("What the states above are worth is missing: add `value`.") { machine, x in
      summedOut(machine, x) { logP, logQ, _ in (exp(logQ) * (logP - logQ)).sum(axis: 1) }
    },
    Mistake("The sign is wrong: this is −bound, a loss.") { machine, x in
      -summedOut(machine, x) { logP, logQ, value in (exp(logQ) * (logP - logQ + value)).sum(axis: 1) }
    },
  ]),
]

extension Generative {
  /// ln p(x) as it should be, which no student's function takes part in.
  fileprivate func logReference(_ x: Tensor) -> Tensor { enumerated(self, x) { ($0 + $1).logSumExp(axis: 0) } }
}

/// Goes down layer by layer: `step` makes ln p(below) from the table ln p(below|above) and the column ln p(above).
private func enumerated(_ generative: Generative, _ x: Tensor, _ step: (Tensor, Tensor) -> Tensor) -> Tensor {
  var (above, logP) = (allStates(generative.bias.count), generative.logTop)
  for (k, layer) in generative.layers.enumerated().reversed() {
    let below = k == 0 ? x : allStates(layer.bias.count)
    (above, logP) = (below, step(logTable(logits: layer(above), states: below), logP.reshaped(to: [-1, 1])))
  }
  return logP
}

/// Goes down layer by layer: `step` makes a state's worth from ln p(below|above), ln q(above|below) and the worth above.
private func summedOut(
  _ machine: HelmholtzMachine, _ x: Tensor, _ step: (Tensor, Tensor, Tensor) -> Tensor
) -> Tensor {
  var (above, value) = (allStates(machine.generative.bias.count), machine.generative.logTop)
  for (k, layer) in machine.generative.layers.enumerated().reversed() {
    let below = k == 0 ? x : allStates(layer.bias.count)
    let logP = logTable(logits: layer(above), states: below).transposed()
    (above, value) = (below, step(logP, logTable(logits: machine.recognition.layers[k](below), states: above), value))
  }
  return value
}
