import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  compandingExercise.knownMistakes([
    Mistake("μ is one less than the number of levels: 255 for 256.") { exactCurve($0, mu: Float($1)) },
    Mistake("The sign is lost: negative amplitudes go to negative values.") { abs(exactCurve($0, mu: Float($1 - 1))) },
    Mistake("Divide by ln(1 + μ), so that 1 goes to 1.") { exactCurve($0, mu: Float($1 - 1)) * log(Float($1)) },
    Mistake("The 1 is missing: ln(1 + μ|x|), not ln(μ|x|), which falls to −∞ at 0.") {
      sign($0) * log(abs($0) * Float($1 - 1)) / log(Float($1))
    },
    Mistake("The divisor is ln(1 + μ), not ln μ.") {
      exactCurve($0, mu: Float($1 - 1)) * (log(Float($1)) / log(Float($1 - 1)))
    },
    Mistake("μ multiplies |x| inside the logarithm: ln(1 + μ|x|).") {
      sign($0) * log1p(abs($0)) / log(Float($1))
    },
    Mistake("This is the inverse, from companded values back to amplitudes.") { exactInverse($0, mu: Float($1 - 1)) },
    Mistake("Nothing is companded: the values are the amplitudes.") { x, _ in x * 1 },
  ]),
  expansionExercise.knownMistakes([
    Mistake("μ is one less than the number of levels: 255 for 256.") { exactInverse($0, mu: Float($1)) },
    Mistake("The sign is lost: negative values go to negative amplitudes.") {
      abs(exactInverse($0, mu: Float($1 - 1)))
    },
    Mistake("Divide by μ at the end, so that 1 goes to 1.") { exactInverse($0, mu: Float($1 - 1)) * Float($1 - 1) },
    Mistake("The 1 is missing: x = ((1 + μ)^|y| − 1) / μ.") {
      sign($0) * exp(abs($0) * log(Float($1))) / Float($1 - 1)
    },
    Mistake("The base is 1 + μ: exp(|y| ln(1 + μ)), not exp(|y|).") { sign($0) * expm1(abs($0)) / Float($1 - 1) },
    Mistake("The base of the power is 1 + μ, not μ.") {
      sign($0) * expm1(abs($0) * log(Float($1 - 1))) / Float($1 - 1)
    },
    Mistake("The power is of |y|; with the sign of y inside it, negative values shrink.") {
      expm1($0 * log(Float($1))) / Float($1 - 1)
    },
    Mistake("This is companding itself; its inverse is asked for.") { exactCurve($0, mu: Float($1 - 1)) },
  ]),
  convolutionExercise.knownMistakes([
    Mistake("The zeros stand on both sides, so y_t reads the future: put all of them before the first time.") {
      exactConvolution($0, $1, $2, back: $3 / 2, forward: $3 - $3 / 2)
    },
    Mistake("The zeros stand behind the last time: y_t reads x_t and x_{t+d}.") {
      exactConvolution($0, $1, $2, back: 0, forward: $3)
    },
    Mistake("The taps are exchanged: W₀ belongs to x_{t−d}, W₁ to x_t.") {
      exactConvolution($0, $1.flipped(axis: 0), $2, back: $3, forward: 0)
    },
    Mistake("The padding is off by one: y_t reads x_{t−d−1} and x_{t−1}, as a mask of the first layer would have it.") {
      exactConvolution($0, $1, $2, back: $3 + 1, forward: -1)
    },
    Mistake("The distance of the taps is one too large: it is the dilation itself.") {
      exactConvolution($0, $1, $2, back: $3 + 1, forward: 0)
    },
    Mistake("The bias is missing.") { exactConvolution($0, $1, $2 * 0, back: $3, forward: 0) },
    Mistake("There are no zeros, so the first `dilation` results are missing: pad before the first time.") {
      let y = exactConvolution($0, $1, $2, back: $3, forward: 0)
      return y.sliced(min($3, y.shape[1])..<y.shape[1], axis: 1)
    },
  ]),
  stepExercise.knownMistakes([
    Mistake("The newest input is read back: read x_{t−d} before x takes its place.") { x, queue, weight, bias in
      _ = exactStep(x, &queue, weight, bias)
      return output(x, x, weight, bias)
    },
    Mistake("`oldest` does not move on: the next step reads the input that was just put there.") {
      x, queue, weight, bias in
      let past = queue.ring[queue.oldest]
      queue.ring[queue.oldest] = x
      return output(past, x, weight, bias)
    },
    Mistake("The taps are exchanged: W₀ belongs to x_{t−d}, W₁ to x_t.") {
      exactStep($0, &$1, $2.flipped(axis: 0), $3)
    },
    Mistake("The bias is missing.") { exactStep($0, &$1, $2, $3 * 0) },
    Mistake("x_t itself is missing: y = W₀ x_{t−d} + W₁ x_t + b.") { x, queue, weight, bias in
      exactStep(x, &queue, weight, bias) - matmul(x, tap(1, of: weight))
    },
    Mistake("W₀ meets only zeros: x_{t−d} is read from the queue, and x must be put there for the steps to come.") {
      x, queue, weight, bias in
      output(.zeros(x.shape), x, weight, bias)
    },
    Mistake("The queue is read one place too late, at x_{t−d+1}: read before moving on.") { x, queue, weight, bias in
      let after = (queue.oldest + 1) % queue.ring.count
      let past = queue.ring.count == 1 ? x : queue.ring[after]
      _ = exactStep(x, &queue, weight, bias)
      return output(past, x, weight, bias)
    },
  ]),
]

/// Companding with any μ.
private func exactCurve(_ x: Tensor, mu: Float) -> Tensor { sign(x) * log1p(abs(x) * mu) / log1p(mu) }

private func exactInverse(_ y: Tensor, mu: Float) -> Tensor { sign(y) * expm1(abs(y) * log1p(mu)) / mu }

/// W₀ x_{t−back} + W₁ x_{t+forward} + b, with zeros around.
private func exactConvolution(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, back: Int, forward: Int) -> Tensor {
  matmul(moved(x, by: back), tap(0, of: weight)) + matmul(moved(x, by: -forward), tap(1, of: weight)) + bias
}

/// x_{t−steps}.
private func moved(_ x: Tensor, by steps: Int) -> Tensor {
  let time = x.shape[1]
  return x.padded(before: max(steps, 0), after: max(-steps, 0), axis: 1)
    .sliced(max(-steps, 0)..<max(-steps, 0) + time, axis: 1)
}

private func tap(_ index: Int, of weight: Tensor) -> Tensor {
  weight.sliced(index..<index + 1, axis: 0).reshaped(to: Array(weight.shape[1...]))
}

private func output(_ past: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
  matmul(past, tap(0, of: weight)) + matmul(x, tap(1, of: weight)) + bias
}

/// The step as it should be, which no student's function takes part in.
private func exactStep(_ x: Tensor, _ queue: inout Queue, _ weight: Tensor, _ bias: Tensor) -> Tensor {
  let past = queue.ring[queue.oldest]
  queue.ring[queue.oldest] = x
  queue.oldest = (queue.oldest + 1) % queue.ring.count
  return output(past, x, weight, bias)
}
