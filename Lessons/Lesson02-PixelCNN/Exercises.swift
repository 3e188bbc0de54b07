import LessonKit

// What a student writes in PixelCNN.swift and Sampling.swift: for each exercise its cases, which return values and never verdicts.

/// PixelCNN.1 to PixelCNN.4.
let exercises: [any ExerciseSpecification] = [maskExercise, gateExercise, sampleExercise, completionExercise]

let maskExercise = Exercise(
  "PixelCNN.1", "Masks of three stacks", points: 3, implementation: mask,
  hints: [
    "A window of `size` has its centre at index size / 2; the horizontal stack's window has one row, which is the centre's.",
    "Plain: rows above the centre are 1 throughout, the centre's row is 1 left of the centre, rows below are 0.",
    "Kind b adds the centre alone, but to the vertical stack the centre's whole row: it holds features of rows above by then.",
  ],
  cases: [
    maskCase("the plain stack", .plain, sizes: [3, 5]),
    maskCase("the vertical stack", .vertical, sizes: [3, 7]),
    maskCase("the horizontal stack", .horizontal, sizes: [3, 5]),
  ])

private func maskCase(
  _ title: String, _ stack: Stack, sizes: [Int]
) -> ExerciseCase<@MainActor (MaskKind, Stack, Int) -> Tensor> {
  ExerciseCase(title) { mask, random in
    [
      "kind a, size \(sizes[0])": mask(.a, stack, sizes[0]), "kind b, size \(sizes[0])": mask(.b, stack, sizes[0]),
      "kind a, size \(sizes[1])": mask(.a, stack, sizes[1]), "kind b, size \(sizes[1])": mask(.b, stack, sizes[1]),
    ]
  }
}

let gateExercise = Exercise(
  "PixelCNN.2", "The gated unit", points: 2, implementation: gated,
  hints: [
    "Add the condition first: in the shape `[batch, 1, 1, 2·channels]` it broadcasts over the pixels.",
    "Cut the sum in two halves along axis 3 by `sliced`: the first is f, the second g.",
    "The unit is `tanh(f) * sigmoid(g)`.",
  ],
  cases: [
    gateCase("one pixel", [1, 1, 1, 4]), gateCase("a batch of images", [3, 4, 2, 6]),
    gateCase("large features", [2, 3, 3, 4], spread: 5),
  ])

private func gateCase(
  _ title: String, _ shape: [Int], spread: Float = 2
) -> ExerciseCase<@MainActor (Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { gated, random in
    let features = Tensor.uniform(shape, in: -spread..<spread, using: &random)
    let condition = Tensor.uniform([shape[0], shape[3]], in: -2..<2, using: &random)
    return [
      "y": gated(features, condition),
      "the gradient of Σ y with respect to the condition": gradient(at: condition) { gated(features, $0).sum() },
    ]
  }
}

let sampleExercise = Exercise(
  "PixelCNN.3", "Sampling, pixel by pixel", points: 3, implementation: sample,
  hints: [
    "Begin with `Tensor.zeros([count, height, width, 1])`; a loop over rows holds a loop over columns.",
    "`predictor.scores(x, row: row, column: column)` are scores of the levels: `IndexTensor.categorical(logits:using:)` draws one.",
    "Levels are 0 … levels − 1 and pixels 0…1: divide, and write with `settingPixel` before you ask for the next pixel.",
  ],
  cases: [
    sampleCase("three levels", height: 3, width: 4, levels: 3, count: 12),
    sampleCase("wide images", height: 2, width: 5, levels: 5, count: 8),
    sampleCase("tall images", height: 5, width: 3, levels: 17, count: 6),
  ])

private func sampleCase(
  _ title: String, height: Int, width: Int, levels: Int, count: Int
) -> ExerciseCase<@MainActor (Int, inout any PixelPredictor, inout Random) -> Tensor> {
  ExerciseCase(title) { sample, random in
    var predictor: any PixelPredictor = LinearPredictor(height, width, levels, using: &random)
    return ["the images": sample(count, &predictor, &random)]
  }
}

let completionExercise = Exercise(
  "PixelCNN.4", "Completing an image", points: 2, implementation: completed,
  hints: [
    "It is the loop of PixelCNN.3, begun with `x`, that passes over the pixels that are known.",
    "`known.scalars[row * width + column]` is 1 for a pixel to keep: draw nothing for it.",
    "Known pixels may also follow unknown ones; each draw sees all pixels before it, known or drawn.",
  ],
  cases: [
    completionCase("the lower half is missing", height: 4, width: 3, levels: 3) { row, _ in row < 2 },
    completionCase("the right half is missing", height: 3, width: 4, levels: 5) { _, column in column < 2 },
    completionCase("every other pixel is missing", height: 4, width: 5, levels: 17) { row, column in
      (row + column) % 2 == 0
    },
  ])

private func completionCase(
  _ title: String, height: Int, width: Int, levels: Int, isKnown: @escaping (Int, Int) -> Bool
) -> ExerciseCase<@MainActor (Tensor, Tensor, inout any PixelPredictor, inout Random) -> Tensor> {
  ExerciseCase(title) { completed, random in
    var predictor: any PixelPredictor = LinearPredictor(height, width, levels, using: &random)
    let x = floor(Tensor.uniform([8, height, width, 1], using: &random) * Float(levels)) / Float(levels - 1)
    let known = Tensor((0..<height).map { row in (0..<width).map { isKnown(row, $0) ? 1 : 0 } })
    return ["the completed images": completed(x, known, &predictor, &random)]
  }
}

/// A model without layers: the scores of a pixel are a linear function of the pixels before it.
struct LinearPredictor: PixelPredictor {
  let height, width, levels: Int
  /// `[pixels, pixels, levels]` from the second axis' pixel to the first's scores, and `[pixels, levels]`.
  private let weights, biases: Tensor

  init(_ height: Int, _ width: Int, _ levels: Int, using random: inout Random) {
    (self.height, self.width, self.levels) = (height, width, levels)
    let pixels = height * width
    weights = .uniform([pixels, pixels, levels], in: -4..<4, using: &random)
    biases = .uniform([pixels, levels], in: -2..<2, using: &random)
  }

  func scores(_ x: Tensor, row: Int, column: Int) -> Tensor {
    let (place, pixels) = (row * width + column, height * width)
    let before = Tensor((0..<pixels).map { $0 < place ? 1 : 0 }, shape: [1, pixels])
    let weight = weights.sliced(place..<place + 1, axis: 0).reshaped(to: [pixels, levels])
    return matmul(x.reshaped(to: [-1, pixels]) * before, weight) + biases.sliced(place..<place + 1, axis: 0)
  }
}
