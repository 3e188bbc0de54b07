import LessonKit

// What a student writes in RealNVP.swift: for each exercise its cases, which return values and never verdicts.

/// RealNVP.1 to RealNVP.4.
let exercises: [any ExerciseSpecification] = [couplingExercise, maskExercise, squeezeExercise, normalizationExercise]

let couplingExercise = Exercise(
  "RealNVP.1", "The affine coupling and its log-determinant", points: 4, implementation: coupled(_:mask:_:by:),
  hints: [
    "`network(mask * x)` gives s and t; only the places where the mask is 0 are scaled and shifted: multiply both by `1 - mask`.",
    "Forward: x ⊙ exp(s) + t. Inverse: (x − t) ⊙ exp(−s). Where s and t are 0, x stays.",
    "The Jacobian is triangular with exp(s) on its diagonal: the log-determinant is the sum of the masked s over all axes but the first.",
    "The inverse has the same sum with the opposite sign.",
  ],
  cases: [
    couplingCase("points of the plane", [3, 2]),
    couplingCase("odd dimension", [4, 5]),
    couplingCase("images", [2, 4, 4, 3]),
  ])

private func couplingCase(
  _ title: String, _ shape: [Int]
) -> ExerciseCase<
  @MainActor (Tensor, Tensor, Direction, (Tensor) -> (s: Tensor, t: Tensor)) -> (y: Tensor, logDeterminant: Tensor)
> {
  ExerciseCase(title) { coupled, random in
    let x = Tensor.uniform(shape, in: -2..<2, using: &random)
    let count = shape.dropFirst().reduce(1, *)
    let offset = Int(random.next() % 2)
    let mask = Tensor((0..<count).map { Float(($0 + offset) % 2) }, shape: Array(shape.dropFirst()))
    let weight = Tensor.uniform([count, 2 * count], in: -0.5..<0.5, using: &random)
    // The cosine tells zeros that the network should see from values that it should not.
    func network(_ x: Tensor) -> (s: Tensor, t: Tensor) {
      let outputs = cos(matmul(x.reshaped(to: [x.shape[0], count]), weight)).split(sizes: [count, count], axis: 1)
      return (outputs[0].reshaped(to: x.shape), outputs[1].reshaped(to: x.shape))
    }
    let (there, back) = (coupled(x, mask, .forward, network), coupled(x, mask, .inverse, network))
    return [
      "y": there.y, "the log-determinant": there.logDeterminant,
      "the inverse": back.y, "the inverse's log-determinant": back.logDeterminant,
      "the gradient of the log-determinants' sum": gradient(at: x) {
        coupled($0, mask, .forward, network).logDeterminant.sum()
      },
    ]
  }
}

let maskExercise = Exercise(
  "RealNVP.2", "The checkerboard", points: 1, implementation: checkerboard(height:width:),
  hints: [
    "Place i of an image in row-major order is in row i / width and column i % width.",
    "The mask is 1 where row + column is even. Row-major parity alone makes stripes where the width is even.",
  ],
  cases: [
    maskCase("small", (2, 4), (5, 3)),
    maskCase("large", (8, 6), (7, 9)),
    maskCase("wide and high", (3, 16), (12, 5)),
  ])

private func maskCase(
  _ title: String, _ even: (height: Int, width: Int), _ odd: (height: Int, width: Int)
) -> ExerciseCase<@MainActor (Int, Int) -> Tensor> {
  ExerciseCase(title) { checkerboard, _ in
    [
      "the mask of \(even.height) × \(even.width)": checkerboard(even.height, even.width),
      "the mask of \(odd.height) × \(odd.width)": checkerboard(odd.height, odd.width),
    ]
  }
}

let squeezeExercise = Exercise(
  "RealNVP.3", "Squeeze and unsqueeze", points: 3, implementation: squeezed(_:_:),
  hints: [
    "Split both image axes: `[batch, height/2, 2, width/2, 2, channels]` holds the block's row and column as axes of their own.",
    "Bring those two axes beside the channels by `permuted([0, 1, 3, 2, 4, 5])`, then join the last three.",
    "The inverse splits the channels into `[2, 2, channels/4]` and moves the axes back; the same permutation undoes itself.",
  ],
  cases: [
    squeezeCase("two channels", [1, 4, 4, 2]),
    squeezeCase("a wide image of three channels", [2, 4, 6, 3]),
    squeezeCase("a high image", [3, 8, 4, 2]),
  ])

private func squeezeCase(
  _ title: String, _ shape: [Int]
) -> ExerciseCase<@MainActor (Tensor, Direction) -> Tensor> {
  ExerciseCase(title) { squeezed, random in
    let small = [shape[0], shape[1] / 2, shape[2] / 2, 4 * shape[3]]
    return [
      "squeezed": squeezed(.uniform(shape, in: -1..<1, using: &random), .forward),
      "unsqueezed": squeezed(.uniform(small, in: -1..<1, using: &random), .inverse),
    ]
  }
}

let normalizationExercise = Exercise(
  "RealNVP.4", "Batch normalisation as a flow", points: 3,
  implementation: normalized(_:mean:variance:epsilon:_:),
  hints: [
    "Forward (x − mean) / √(variance + ε), inverse x · √(variance + ε) + mean.",
    "The log-determinant of one place is −½ Σ log(variance + ε) over the channels.",
    "An image of 4 × 4 pixels scales each channel 16 times: count the places, `x.count / x.shape[0] / mean.count`.",
  ],
  cases: [
    normalizationCase("images of two channels", [2, 4, 4, 2]),
    normalizationCase("images of one channel", [3, 3, 2, 1]),
    normalizationCase("sequences", [3, 5, 4]),
  ])

private func normalizationCase(
  _ title: String, _ shape: [Int]
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor, Float, Direction) -> (y: Tensor, logDeterminant: Tensor)> {
  ExerciseCase(title) { normalized, random in
    let x = Tensor.uniform(shape, in: -2..<2, using: &random)
    let mean = Tensor.uniform([shape[shape.count - 1]], in: 0.5..<1, using: &random)
    let variance = Tensor.uniform([shape[shape.count - 1]], in: 0.2..<0.7, using: &random)
    let there = normalized(x, mean, variance, 0.1, .forward)
    let back = normalized(x, mean, variance, 0.1, .inverse)
    return [
      "y": there.y, "the log-determinant": there.logDeterminant,
      "the inverse": back.y, "the inverse's log-determinant": back.logDeterminant,
    ]
  }
}
