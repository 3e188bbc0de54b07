import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  maskExercise.knownMistakes([
    Mistake("An output may not see its own input: its mask needs <, not ≤, and direct connections too.") {
      built($0, hidden: { $0 .<= $1 }, output: { $0 .<= $1 })
    },
    Mistake("Hidden units compare with <: an input whose place equals the unit's degree may be seen, so it is ≤.") {
      built($0, hidden: { $0 .< $1 }, output: { $0 .< $1 })
    },
    Mistake("The two comparisons are swapped: ≤ belongs to hidden units, < to outputs.") {
      built($0, hidden: { $0 .< $1 }, output: { $0 .<= $1 })
    },
    Mistake("The inequalities point the wrong way: connections go from smaller degrees to larger.") {
      built($0, hidden: { $0 .>= $1 }, output: { $0 .> $1 })
    },
    Mistake("The masks are transposed: rows are where a connection comes from, columns where it goes to.") {
      let right = built($0, hidden: { $0 .<= $1 }, output: { $0 .< $1 })
      return Masks(
        hidden: right.hidden.map { $0.transposed() }, output: right.output.transposed(),
        direct: right.direct.transposed())
    },
    Mistake("The outputs stand in the natural order: their degrees are those of the inputs, in this ordering.") {
      let natural = Tensor((1...$0.inputs.count).map { Float($0) })
      let right = built($0, hidden: { $0 .<= $1 }, output: { $0 .< $1 })
      return Masks(
        hidden: right.hidden, output: ($0.hidden.last ?? $0.inputs).reshaped(to: [-1, 1]) .< natural,
        direct: $0.inputs.reshaped(to: [-1, 1]) .< natural)
    },
    Mistake("Direct connections may only come from inputs before the output: their mask compares places too.") {
      let right = built($0, hidden: { $0 .<= $1 }, output: { $0 .< $1 })
      return Masks(hidden: right.hidden, output: right.output, direct: .ones(right.direct.shape))
    },
  ]),
  likelihoodExercise.knownMistakes([
    Mistake("This is −log p(x), the loss: `logProbability` is negative.") { model, x, masks in
      -bernoulliLogLikelihood(x, logits: model.logits(x, masks)).sum(axis: 1)
    },
    Mistake("log p(x) is averaged over the pixels: it is the sum over all of them.") { model, x, masks in
      bernoulliLogLikelihood(x, logits: model.logits(x, masks)).mean(axis: 1)
    },
    Mistake("Everything is summed to one number: keep one log-probability for each image.") { model, x, masks in
      bernoulliLogLikelihood(x, logits: model.logits(x, masks)).sum()
    },
    Mistake("Pixels that are 0 count too: they contribute ln (1 − p).") { model, x, masks in
      (x * logSigmoid(model.logits(x, masks))).sum(axis: 1)
    },
    Mistake("x and 1 − x are swapped: a pixel that is 1 contributes ln p.") { model, x, masks in
      bernoulliLogLikelihood(1 - x, logits: model.logits(x, masks)).sum(axis: 1)
    },
    Mistake("This is in bits: the natural logarithm gives nats.") { model, x, masks in
      bernoulliLogLikelihood(x, logits: model.logits(x, masks)).sum(axis: 1) / log(2)
    },
    Mistake("This is a squared error: log p(x) has the logarithms of the conditionals.") { model, x, masks in
      -square(x - sigmoid(model.logits(x, masks))).sum(axis: 1)
    },
    Mistake("The masks are not used: pass them to `logits`, or each output sees the pixel it is to predict.") {
      model, x, masks in
      let all = Masks(
        hidden: masks.hidden.map { .ones($0.shape) }, output: .ones(masks.output.shape),
        direct: .ones(masks.direct.shape))
      return bernoulliLogLikelihood(x, logits: model.logits(x, all)).sum(axis: 1)
    },
  ]),
  samplingExercise.knownMistakes([
    Mistake("All pixels come from a single pass: each must see those drawn before it, so it takes a pass of its own.") {
      model, x, known, degrees, random in
      let logits = model.logits(x, masks(of: degrees))
      return ancestral(x, known, degrees, using: &random) { _, _ in logits }
    },
    Mistake("The pixels are drawn from left to right: follow `degrees.order`.") { model, x, known, degrees, random in
      ancestral(x, known, Array(0..<x.shape[1]), using: &random) { x, _ in model.logits(x, masks(of: degrees)) }
    },
    Mistake("`degrees.inputs` tells the place of each input, not which input comes next: that is `degrees.order`.") {
      model, x, known, degrees, random in
      let order = degrees.inputs.scalars.map { Int($0) - 1 }
      return ancestral(x, known, order, using: &random) { x, _ in model.logits(x, masks(of: degrees)) }
    },
    Mistake("Each pixel is set to its likelier value: draw it with its probability.") {
      model, x, known, degrees, random in
      var x = x
      for input in degrees.order.dropFirst(known) {
        let logit = model.logits(x, masks(of: degrees)).sliced(input..<input + 1, axis: 1)
        x = x.replacing(input..<input + 1, axis: 1, with: logit .> 0)
      }
      return x
    },
    Mistake("The known pixels are drawn anew: the first `known` in the ordering keep their values.") {
      model, x, known, degrees, random in
      ancestral(x, 0, degrees, using: &random) { x, _ in model.logits(x, masks(of: degrees)) }
    },
    Mistake("The draws come in the reverse order: the first in the ordering depends on nothing and is drawn first.") {
      model, x, known, degrees, random in
      let order = Array(degrees.order.prefix(known) + degrees.order.dropFirst(known).reversed())
      return ancestral(x, known, order, using: &random) { x, _ in model.logits(x, masks(of: degrees)) }
    },
    Mistake("All images share one draw: draw `[batch, 1]` values for each pixel.") { model, x, known, degrees, random in
      var x = x
      for input in degrees.order.dropFirst(known) {
        let p = sigmoid(model.logits(x, masks(of: degrees)).sliced(input..<input + 1, axis: 1))
        x = x.replacing(input..<input + 1, axis: 1, with: Tensor.uniform([1, 1], using: &random) .< p)
      }
      return x
    },
  ]),
  averageExercise.knownMistakes([
    Mistake("This averages the logarithms: average the probabilities, then take the logarithm.") { $0.mean(axis: 0) },
    Mistake("This is the log of the sum: subtract ln K for the average of K orderings.") { $0.logSumExp(axis: 0) },
    Mistake("The average runs over the images: the orderings are axis 0.") {
      $0.logSumExp(axis: 1) - log(Float($0.shape[1]))
    },
    Mistake("Probabilities like e^−500 are 0 in Float32: use logSumExp, which never leaves the logarithms.") {
      log(exp($0).mean(axis: 0))
    },
    Mistake("This takes the best ordering for each image: that is no law, its probabilities sum to more than 1.") {
      $0.max(axis: 0)
    },
    Mistake("ln K is added: it must be subtracted.") { $0.logSumExp(axis: 0) + log(Float($0.shape[0])) },
  ]),
]

/// Masks from two comparisons of a column with a row.
private func built(
  _ degrees: Degrees, hidden: (Tensor, Tensor) -> Tensor, output: (Tensor, Tensor) -> Tensor
) -> Masks {
  let from = ([degrees.inputs] + degrees.hidden).map { $0.reshaped(to: [-1, 1]) }
  return Masks(
    hidden: zip(from, degrees.hidden).map { hidden($0, $1) }, output: output(from[from.count - 1], degrees.inputs),
    direct: output(from[0], degrees.inputs))
}

private func ancestral(
  _ x: Tensor, _ known: Int, _ degrees: Degrees, using random: inout Random, _ logits: (Tensor, Int) -> Tensor
) -> Tensor {
  ancestral(x, known, degrees.order, using: &random, logits)
}

/// The sampling loop with another order, or other logits.
private func ancestral(
  _ x: Tensor, _ known: Int, _ order: [Int], using random: inout Random, _ logits: (Tensor, Int) -> Tensor
) -> Tensor {
  var x = x
  for input in order.dropFirst(known) {
    let logit = logits(x, input).sliced(input..<input + 1, axis: 1)
    x = x.replacing(input..<input + 1, axis: 1, with: .bernoulli(sigmoid(logit), using: &random))
  }
  return x
}
