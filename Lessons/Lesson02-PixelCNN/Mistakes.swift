import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  maskExercise.knownMistakes([
    Mistake("The kinds are exchanged: a leaves the centre out, b adds it.") {
      window($1, $2, hasCentre: $0 == .a)
    },
    Mistake("Kind b equals kind a: b adds the centre, to the vertical stack its whole row.") { _, stack, size in
      window(stack, size, hasCentre: false)
    },
    Mistake("Kind a reads the centre: the first layer would see the pixel that it has to predict.") { _, stack, size in
      window(stack, size, hasCentre: true)
    },
    Mistake("The mask looks ahead: it has what stands right and below in place of left and above.") {
      let right = window($1, $2, hasCentre: $0 == .b).flipped(axis: 1)
      return $1 == .horizontal ? right : right.flipped(axis: 0)
    },
    Mistake("Rows and columns are exchanged: the first axis is the row, and rows above are known whole.") {
      window($1, $2, hasCentre: $0 == .b).transposed()
    },
    Mistake("The centre lies at index size / 2, counted from 0; this mask ends one place too early.") {
      let full = window($1, $2, hasCentre: $0 == .b)
      return full.sliced(1..<$2, axis: 1).padded(before: 0, after: 1, axis: 1)
    },
    Mistake("1 and 0 are exchanged: 1 stands for a place that may be read.") {
      1 - window($1, $2, hasCentre: $0 == .b)
    },
  ]),
  gateExercise.knownMistakes([
    Mistake("The halves are exchanged: tanh takes the first channels, the sigmoid the second.") {
      unit($0, $1) { sigmoid($0) * tanh($1) }
    },
    Mistake("The halves are added: the gate multiplies.") { unit($0, $1) { tanh($0) + sigmoid($1) } },
    Mistake("The gate is a tanh too: it is a sigmoid, between 0 and 1.") { unit($0, $1) { tanh($0) * tanh($1) } },
    Mistake("The features pass through a sigmoid: that is the gate's; they pass through tanh.") {
      unit($0, $1) { sigmoid($0) * sigmoid($1) }
    },
    Mistake("The features pass without tanh: that is a gated linear unit, another model.") {
      unit($0, $1) { $0 * sigmoid($1) }
    },
    Mistake("The gate is missing: multiply by the sigmoid of the second half.") { unit($0, $1) { f, _ in tanh(f) } },
    Mistake("The condition is not used: add it to both halves.") { unit($0, $1 * 0) { tanh($0) * sigmoid($1) } },
    Mistake("The condition reaches the features alone: its second half belongs to the gate.") { features, condition in
      let width = condition.shape[1]
      let half = condition.sliced(0..<width / 2, axis: 1).padded(before: 0, after: width - width / 2, axis: 1)
      return unit(features, half) { tanh($0) * sigmoid($1) }
    },
    Mistake("The condition multiplies the features: it is added, inside tanh and sigmoid.") { features, condition in
      let spread = condition.reshaped(to: [condition.shape[0], 1, 1, condition.shape[1]])
      return unit(features * spread, condition * 0) { tanh($0) * sigmoid($1) }
    },
    Mistake("f and g alternate: f is the first half of the channels, g the second.") { features, condition in
      unit(alternating(features), alternating(condition)) { tanh($0) * sigmoid($1) }
    },
  ]),
  sampleExercise.knownMistakes([
    Mistake("All pixels are drawn from the scores of an empty image: write each pixel before you ask for the next.") {
      count, predictor, random in
      let empty = Tensor.zeros([count, predictor.height, predictor.width, 1])
      return drawnImages(count, &predictor, &random) { _ in empty }
    },
    Mistake("The likeliest level is taken: draw one by `IndexTensor.categorical`.") { count, predictor, random in
      drawnImages(count, &predictor, &random, level: { scores, _ in scores.argmax(axis: 1) }) { $0 }
    },
    Mistake("The pixels are drawn column by column: raster order goes along the rows.") { count, predictor, random in
      let (height, width) = (predictor.height, predictor.width)
      let order = (0..<width).flatMap { column in (0..<height).map { $0 * width + column } }
      return drawnImages(count, &predictor, &random, order: order) { $0 }
    },
    Mistake("The pixels are drawn from the last to the first: begin at the upper left.") { count, predictor, random in
      let order = Array((0..<predictor.height * predictor.width).reversed())
      return drawnImages(count, &predictor, &random, order: order) { $0 }
    },
    Mistake("Pixels hold levels 0, 1, 2 …: divide by levels − 1, so that they lie in 0…1.") {
      count, predictor, random in
      drawnImages(count, &predictor, &random, divisor: 1) { $0 }
    },
    Mistake("Levels are divided by their number: the largest is levels − 1, which becomes 1.") {
      count, predictor, random in
      drawnImages(count, &predictor, &random, divisor: Float(predictor.levels)) { $0 }
    },
    Mistake("`IndexTensor.categorical` is given probabilities: it takes their logarithms, or scores as they are.") {
      count, predictor, random in
      drawnImages(count, &predictor, &random, level: { .categorical(logits: softmax($0), using: &$1) }) { $0 }
    },
  ]),
  completionExercise.knownMistakes([
    Mistake("Known pixels are drawn anew: keep those for which `known` has 1.") { x, _, predictor, random in
      refilled(x, &predictor, &random) { _ in true }
    },
    Mistake("1 and 0 are exchanged: `known` has 1 for a pixel to keep.") { x, known, predictor, random in
      let isKnown = known.scalars
      return refilled(x, &predictor, &random) { isKnown[$0] == 1 }
    },
    Mistake("Every pixel is drawn and the known ones put back: the draws then saw pixels that are not the image's.") {
      x, known, predictor, random in
      let known = known.reshaped(to: [1, predictor.height, predictor.width, 1])
      return x * known + refilled(x, &predictor, &random) { _ in true } * (1 - known)
    },
    Mistake("The known pixels are hidden from the draws: begin with `x`, not with zeros.") {
      x, known, predictor, random in
      let isKnown = known.scalars
      let drawn = refilled(x * 0, &predictor, &random) { isKnown[$0] == 0 }
      return drawn + x * known.reshaped(to: [1, predictor.height, predictor.width, 1])
    },
    Mistake("Drawn pixels are not written before the next draw: each draw sees all pixels before it.") {
      x, known, predictor, random in
      let isKnown = known.scalars
      return refilled(x, &predictor, &random, seeing: x) { isKnown[$0] == 0 }
    },
    Mistake("The likeliest level is taken: draw one by `IndexTensor.categorical`.") { x, known, predictor, random in
      let isKnown = known.scalars
      return refilled(x, &predictor, &random, level: { scores, _ in scores.argmax(axis: 1) }) { isKnown[$0] == 0 }
    },
  ]),
]

/// The mask as it should be, with or without the centre.
private func window(_ stack: Stack, _ size: Int, hasCentre: Bool) -> Tensor {
  let centre = size / 2
  let row = (0..<size).map { column -> Float in
    stack == .vertical ? (hasCentre ? 1 : 0) : column < centre || (column == centre && hasCentre) ? 1 : 0
  }
  if stack == .horizontal { return Tensor([row]) }
  let (ones, zeros) = ([Float](repeating: 1, count: size), [Float](repeating: 0, count: size))
  return Tensor((0..<size).map { $0 < centre ? ones : $0 == centre ? row : zeros })
}

/// A unit of the two halves of features and condition.
private func unit(_ features: Tensor, _ condition: Tensor, _ body: (Tensor, Tensor) -> Tensor) -> Tensor {
  let parts = (features + condition.reshaped(to: [condition.shape[0], 1, 1, condition.shape[1]]))
    .split(sizes: [condition.shape[1] / 2, condition.shape[1] / 2], axis: 3)
  return body(parts[0], parts[1])
}

/// The even places of the last axis first, then the odd ones.
private func alternating(_ x: Tensor) -> Tensor {
  let pairs = x.reshaped(to: x.shape.dropLast() + [x.shape[x.rank - 1] / 2, 2])
  return pairs.permuted(Array(0..<x.rank - 1) + [x.rank, x.rank - 1]).reshaped(to: x.shape)
}

private typealias Draw = (_ scores: Tensor, _ random: inout Random) -> IndexTensor

/// The sampling loop with a choice of order, draw and scale, and of what the predictor sees of the image so far.
private func drawnImages(
  _ count: Int, _ predictor: inout any PixelPredictor, _ random: inout Random, order: [Int]? = nil,
  divisor: Float? = nil, level: Draw = { .categorical(logits: $0, using: &$1) }, seen: (Tensor) -> Tensor
) -> Tensor {
  var x = Tensor.zeros([count, predictor.height, predictor.width, 1])
  for place in order ?? Array(0..<predictor.height * predictor.width) {
    let (row, column) = (place / predictor.width, place % predictor.width)
    let value = Tensor(level(predictor.scores(seen(x), row: row, column: column), &random))
    x = x.settingPixel(row, column, to: value / (divisor ?? Float(predictor.levels - 1)))
  }
  return x
}

/// The loop of completing with a choice of the pixels to draw.
private func refilled(
  _ x: Tensor, _ predictor: inout any PixelPredictor, _ random: inout Random, seeing constant: Tensor? = nil,
  level: Draw = { .categorical(logits: $0, using: &$1) }, isDrawn: (Int) -> Bool
) -> Tensor {
  var x = x
  for place in 0..<predictor.height * predictor.width where isDrawn(place) {
    let (row, column) = (place / predictor.width, place % predictor.width)
    let value = Tensor(level(predictor.scores(constant ?? x, row: row, column: column), &random))
    x = x.settingPixel(row, column, to: value / Float(predictor.levels - 1))
  }
  return x
}
