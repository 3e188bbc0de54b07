import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  couplingExercise.knownMistakes([
    Mistake("The inverse adds the shift again: it must subtract it.") { x, mask, _, m in x + (1 - mask) * m(mask * x) },
    Mistake("m sees all of x: then the inverse cannot know what was added. Give it `mask * x`.") {
      x, mask, direction, m in
      direction == .forward ? x + (1 - mask) * m(x) : x - (1 - mask) * m(x)
    },
    Mistake("The mask is the wrong way round: places where it is 1 stay, and m reads those.") { x, mask, direction, m in
      let shift = mask * m((1 - mask) * x)
      return direction == .forward ? x + shift : x - shift
    },
    Mistake("What stays is shifted too: multiply m's result by `1 - mask`.") { x, mask, direction, m in
      direction == .forward ? x + m(mask * x) : x - m(mask * x)
    },
    Mistake("m's result is added to the places it was computed from: multiply by `1 - mask`, not by `mask`.") {
      x, mask, direction, m in
      direction == .forward ? x + mask * m(mask * x) : x - mask * m(mask * x)
    },
    Mistake("The changed places are lost: they are x plus the shift, not the shift alone.") { x, mask, direction, m in
      let shift = (1 - mask) * m(mask * x)
      return direction == .forward ? mask * x + shift : mask * x - shift
    },
    Mistake("Forward and inverse are swapped.") { x, mask, direction, m in
      let shift = (1 - mask) * m(mask * x)
      return direction == .forward ? x - shift : x + shift
    },
  ]),
  likelihoodExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: log|det ∂h/∂x| is added.") {
      prior($0, $1) - ($0.s - log($0.unit)).sum()
    },
    Mistake("The scales are forgotten: they have the log-determinant Σ s.") { prior($0, $1) - log($0.unit).sum() },
    Mistake("The units are forgotten: dividing by `unit` has the log-determinant −Σ log(unit).") {
      prior($0, $1) + $0.s.sum()
    },
    Mistake("The units enter with the wrong sign: x is divided by them.") {
      prior($0, $1) + ($0.s + log($0.unit)).sum()
    },
    Mistake("The log-determinant is averaged over the dimensions: it is the sum.") {
      prior($0, $1) + ($0.s - log($0.unit)).mean()
    },
    Mistake("The scale is exp(s): its logarithm is s, not exp(s).") {
      prior($0, $1) + (exp($0.s) - log($0.unit)).sum()
    },
    Mistake("The log-determinant is missing altogether: this is the density of h, not of x.") { prior($0, $1) },
    Mistake("The prior is asked about x: it is the law of h = encode(x).") { model, x in
      model.prior.law(x.shape).logProbability(of: x) + (model.s - log(model.unit)).sum()
    },
    Mistake("The values are averaged over the batch: keep one for each example.") {
      prior($0, $1).mean() + ($0.s - log($0.unit)).sum()
    },
  ]),
  bitsExercise.knownMistakes([
    Mistake("The cell's volume is missing: add ln(levelCount) for each dimension.") { levels, noise, count, density in
      density((levels + noise) / Float(count)) / (-Float(levels.shape[1]) * log(2))
    },
    Mistake("ln(levelCount) is subtracted: a cell is small, so its probability is too, and its bits are more.") {
      levels, noise, count, density in
      bits(density((levels + noise) / Float(count)), levels.shape[1], -log(Float(count)))
    },
    Mistake("ln(levelCount) is added once in place of once for each dimension.") { levels, noise, count, density in
      bits(density((levels + noise) / Float(count)), levels.shape[1], log(Float(count)) / Float(levels.shape[1]))
    },
    Mistake("The constant is ln(levelCount − 1): there are levelCount cells in 0…1.") { levels, noise, count, density in
      bits(density((levels + noise) / Float(count)), levels.shape[1], log(max(Float(count) - 1, 1.5)))
    },
    Mistake("x is divided by levelCount − 1, so that cells reach beyond 1: divide by levelCount.") {
      levels, noise, count, density in
      bits(density((levels + noise) / max(Float(count) - 1, 1.5)), levels.shape[1], log(Float(count)))
    },
    Mistake("No noise is added: the density at the corners of cells says nothing about their probability.") {
      levels, _, count, density in
      bits(density(levels / Float(count)), levels.shape[1], log(Float(count)))
    },
    Mistake("This is nats for each dimension: divide by ln 2.") { levels, noise, count, density in
      bits(density((levels + noise) / Float(count)), levels.shape[1], log(Float(count))) * log(2)
    },
    Mistake("This is bits for the image: divide by the dimension.") { levels, noise, count, density in
      bits(density((levels + noise) / Float(count)), levels.shape[1], log(Float(count))) * Float(levels.shape[1])
    },
    Mistake("The noise is scaled like a level and added after the division: it must be divided too.") {
      levels, noise, count, density in
      bits(density(levels / Float(count) + noise), levels.shape[1], log(Float(count)))
    },
  ]),
  inpaintingExercise.knownMistakes([
    Mistake("x goes down log p(x): add the gradient.") { x, hidden, rate, noise, density in
      select(hidden, (x - rate * (slope(x, density) + noise)).clamped(to: 0...1), x)
    },
    Mistake("The known places move too: change x only where `hidden` is 1.") { x, _, rate, noise, density in
      (x + rate * (slope(x, density) + noise)).clamped(to: 0...1)
    },
    Mistake("The wrong half moves: `hidden` is 1 where x is not known.") { x, hidden, rate, noise, density in
      select(hidden, x, (x + rate * (slope(x, density) + noise)).clamped(to: 0...1))
    },
    Mistake("x leaves 0…1: clamp it, as the step is a projected one.") { x, hidden, rate, noise, density in
      select(hidden, x + rate * (slope(x, density) + noise), x)
    },
    Mistake("The known places are clamped as well: leave them exactly as they are.") {
      x, hidden, rate, noise, density in
      (x + hidden * rate * (slope(x, density) + noise)).clamped(to: 0...1)
    },
    Mistake("The noise is not scaled: the rate multiplies gradient and noise alike.") {
      x, hidden, rate, noise, density in
      select(hidden, (x + rate * slope(x, density) + noise).clamped(to: 0...1), x)
    },
    Mistake("The noise is missing.") { x, hidden, rate, _, density in
      select(hidden, (x + rate * slope(x, density)).clamped(to: 0...1), x)
    },
    Mistake("The gradient is that of p(x): the step follows log p(x).") { x, hidden, rate, noise, density in
      select(hidden, (x + rate * (slope(x) { exp(density($0)) } + noise)).clamped(to: 0...1), x)
    },
  ]),
]

/// log p(h) of the prior, which no student's function takes part in but the coupling.
private func prior(_ model: NICE, _ x: Tensor) -> Tensor {
  let code = model.encode(x)
  return model.prior.law(code.shape).logProbability(of: code)
}

private func bits(_ logDensity: Tensor, _ dimension: Int, _ constant: Float) -> Tensor {
  (logDensity / -Float(dimension) + constant) / log(2)
}

private func slope(_ x: Tensor, _ density: (Tensor) -> Tensor) -> Tensor { gradient(at: x) { density($0).sum() } }
