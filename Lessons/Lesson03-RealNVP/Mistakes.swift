import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  couplingExercise.knownMistakes([
    Mistake("The log-determinant has the wrong sign: exp(s) stretches where s is positive.") {
      let (y, total) = exact($0, $1, $2, $3)
      return (y, -total)
    },
    Mistake("The inverse has the log-determinant of the forward direction: its sign is the opposite.") {
      let (y, total) = exact($0, $1, $2, $3)
      return (y, $2 == .forward ? total : -total)
    },
    Mistake("The log-determinant is averaged: it is the sum of s.") {
      let (y, total) = exact($0, $1, $2, $3)
      return (y, total / Float($0.count / $0.shape[0]))
    },
    Mistake("The log-determinant sums s where the mask is 1 as well: those places are not scaled.") {
      x, mask, direction, network in
      let (y, _) = exact(x, mask, direction, network)
      let total = network(mask * x).s.sum(axes: Array(1..<x.rank))
      return (y, direction == .forward ? total : -total)
    },
    Mistake("All examples get one log-determinant: keep one for each, by summing over all axes but the first.") {
      let (y, total) = exact($0, $1, $2, $3)
      return (y, total.sum().broadcast(to: total.shape))
    },
    Mistake("The log-determinant is the sum of exp(s): the diagonal holds exp(s), whose logarithm is s.") {
      x, mask, direction, network in
      let (y, _) = exact(x, mask, direction, network)
      let total = ((1 - mask) * exp(network(mask * x).s)).sum(axes: Array(1..<x.rank))
      return (y, direction == .forward ? total : -total)
    },
    Mistake("s and t are computed from all of x: the inverse could not find them again.") {
      x, mask, direction, network in
      affine(x, 1 - mask, network(x), direction)
    },
    Mistake("The mask is the wrong way round: where it is 1, x stays and the network looks.") {
      x, mask, direction, network in
      affine(x, mask, network((1 - mask) * x), direction)
    },
    Mistake("The scale is s itself: multiply by exp(s), which is never 0 and never negative.") {
      x, mask, direction, network in
      let (s, t) = network(mask * x)
      let (_, total) = exact(x, mask, direction, network)
      let scale = mask + (1 - mask) * s
      let shift = (1 - mask) * t
      return (direction == .forward ? x * scale + shift : (x - shift) / scale, total)
    },
    Mistake("The inverse divides before it subtracts: the shift was added last, so it goes first.") {
      x, mask, direction, network in
      let (s, t) = network(mask * x)
      let (y, total) = exact(x, mask, direction, network)
      return (direction == .forward ? y : x * exp((mask - 1) * s) - (1 - mask) * t, total)
    },
  ]),
  maskExercise.knownMistakes([
    Mistake("The colours are swapped: the first pixel, row 0 and column 0, is 1.") { 1 - board($0, $1) { $0 + $1 } },
    Mistake("These are upright stripes: take the parity of row + column.") { board($0, $1) { _, column in column } },
    Mistake("These are level stripes: take the parity of row + column.") { board($0, $1) { row, _ in row } },
    Mistake("Where the width is even, row-major parity makes stripes: take row + column.") { height, width in
      board(height, width) { $0 * width + $1 }
    },
    Mistake("Parity of row · column: take the sum.") { board($0, $1) { $0 * $1 } },
    Mistake("Rows and columns are exchanged: the shape is `[height, width, 1]`.") { board($1, $0) { $0 + $1 } },
    Mistake("The channel axis is missing: the shape is `[height, width, 1]`.") {
      board($0, $1) { $0 + $1 }.reshaped(to: [$0, $1])
    },
  ]),
  squeezeExercise.knownMistakes([
    Mistake("A reshape alone mixes neighbours up: the block's axes must be moved beside the channels first.") {
      x, direction in
      x.reshaped(to: squeezedShape(x, direction))
    },
    Mistake("The channels come first within a block: they are to stay together, the block's pixels outside.") {
      x, direction in
      let (b, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
      return direction == .forward
        ? x.reshaped(to: [b, h / 2, 2, w / 2, 2, c]).permuted([0, 1, 3, 5, 2, 4]).reshaped(to: [b, h / 2, w / 2, 4 * c])
        : x.reshaped(to: [b, h, w, c / 4, 2, 2]).permuted([0, 1, 4, 2, 5, 3]).reshaped(to: [b, 2 * h, 2 * w, c / 4])
    },
    Mistake("The block is read column by column: go through it row by row.") { x, direction in
      let (b, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
      return direction == .forward
        ? x.reshaped(to: [b, h / 2, 2, w / 2, 2, c]).permuted([0, 1, 3, 4, 2, 5]).reshaped(to: [b, h / 2, w / 2, 4 * c])
        : x.reshaped(to: [b, h, w, 2, 2, c / 4]).permuted([0, 1, 4, 2, 3, 5]).reshaped(to: [b, 2 * h, 2 * w, c / 4])
    },
    Mistake("Whole quarters of the image become channels: it is blocks of 2 × 2 neighbours that do.") { x, direction in
      let (b, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
      return direction == .forward
        ? x.reshaped(to: [b, 2, h / 2, 2, w / 2, c]).permuted([0, 2, 4, 1, 3, 5]).reshaped(to: [b, h / 2, w / 2, 4 * c])
        : x.reshaped(to: [b, h, w, 2, 2, c / 4]).permuted([0, 3, 1, 4, 2, 5]).reshaped(to: [b, 2 * h, 2 * w, c / 4])
    },
  ]),
  normalizationExercise.knownMistakes([
    Mistake("Every place of an image is scaled: multiply the log-determinant by height · width.") {
      let (y, total) = exact($0, $1, $2, $3, $4)
      return (y, total / Float($0.count / $0.shape[0] / $1.count))
    },
    Mistake("The log-determinant has the wrong sign.") {
      let (y, total) = exact($0, $1, $2, $3, $4)
      return (y, -total)
    },
    Mistake("The factor ½ is missing: the deviation is the root of the variance.") {
      let (y, total) = exact($0, $1, $2, $3, $4)
      return (y, total * 2)
    },
    Mistake("ε is missing in the log-determinant: what divides is √(variance + ε).") {
      let (y, _) = exact($0, $1, $2, $3, $4)
      return (y, exact($0, $1, $2, 0, $4).logDeterminant)
    },
    Mistake("ε is missing in the deviation.") {
      (exact($0, $1, $2, 0, $4).y, exact($0, $1, $2, $3, $4).logDeterminant)
    },
    Mistake("x is divided by the variance: take its root.") { x, mean, variance, epsilon, direction in
      let scale = variance + epsilon
      return (
        direction == .forward ? (x - mean) / scale : x * scale + mean,
        exact(x, mean, variance, epsilon, direction).logDeterminant
      )
    },
    Mistake("The mean is not subtracted, nor put back.") { x, mean, variance, epsilon, direction in
      exact(x, mean * 0, variance, epsilon, direction)
    },
    Mistake("Forward and inverse are swapped.") { exact($0, $1, $2, $3, $4 == .forward ? .inverse : .forward) },
  ]),
]

/// The transformation with its scales and shifts masked by `moved`.
private func affine(
  _ x: Tensor, _ moved: Tensor, _ parts: (s: Tensor, t: Tensor), _ direction: Direction
) -> (y: Tensor, logDeterminant: Tensor) {
  let (scale, shift) = (moved * parts.s, moved * parts.t)
  let total = scale.sum(axes: Array(1..<x.rank))
  return direction == .forward ? (x * exp(scale) + shift, total) : ((x - shift) / exp(scale), -total)
}

/// The coupling as it should be, which no student's function takes part in.
private func exact(
  _ x: Tensor, _ mask: Tensor, _ direction: Direction, _ network: (Tensor) -> (s: Tensor, t: Tensor)
) -> (y: Tensor, logDeterminant: Tensor) {
  affine(x, 1 - mask, network(mask * x), direction)
}

private func board(_ height: Int, _ width: Int, _ number: (Int, Int) -> Int) -> Tensor {
  Tensor(
    (0..<height).flatMap { row in (0..<width).map { column in number(row, column) % 2 == 0 ? 1 : 0 } },
    shape: [height, width, 1])
}

private func squeezedShape(_ x: Tensor, _ direction: Direction) -> [Int] {
  let (b, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  return direction == .forward ? [b, h / 2, w / 2, 4 * c] : [b, 2 * h, 2 * w, c / 4]
}

/// The normalisation as it should be.
private func exact(
  _ x: Tensor, _ mean: Tensor, _ variance: Tensor, _ epsilon: Float, _ direction: Direction
) -> (y: Tensor, logDeterminant: Tensor) {
  let scale = (log(variance + epsilon) * -0.5).broadcast(to: Array(x.shape.dropFirst()))
  let total = scale.sum().broadcast(to: [x.shape[0]])
  return direction == .forward ? ((x - mean) * exp(scale), total) : (x * exp(-scale) + mean, -total)
}
