import LessonKit

/// Bent normal laws side by side, turned together: the law of the paper's figure 1, in any even dimension.
///
/// For each pair b ~ N(0, 4) and a ~ N(b²/4, 1); x is (a₁, a₂, …, b₁, b₂, …) turned by a rotation. Whoever predicts b from a
/// must choose between two branches; turned, every order of the coordinates is such a wrong one.
struct Parabolas: Law {
  let pairs: Int
  /// `[2 · pairs, 2 · pairs]`, orthogonal; nil leaves the coordinates as they are.
  let rotation: Tensor?

  /// The pair of the paper's figure, x = (a, b).
  static let pair = Parabolas(pairs: 1, rotation: nil)

  /// Pairs turned by a rotation that is always the same.
  static func turned(pairs: Int) -> Parabolas {
    var random = Random(seed: 6)
    return Parabolas(
      pairs: pairs, rotation: Initialization.orthogonal().sample([2 * pairs, 2 * pairs], using: &random))
  }

  /// In nats: of N(0, 4) and N(·, 1) for each pair; turning changes no volume.
  var entropy: Double { Double(pairs) * (log(2 * .pi) + 1 + log(2)) }

  /// The entropy of the normal law with the same covariance, diag(3, 4) for each pair, turned: the baseline, in nats.
  var gaussianEntropy: Double { Double(pairs) * (log(2 * .pi) + 1 + log(12) / 2) }

  func samples(_ count: Int, using random: inout Random) -> Tensor {
    let b = Tensor.normal([count, pairs], using: &random) * 2
    let a = square(b) * 0.25 + .normal([count, pairs], using: &random)
    let x = concatenate([a, b], axis: 1)  // [count, 2 · pairs]
    return rotation.map { matmul(x, $0) } ?? x
  }

  func logProbability(of samples: Tensor) -> Tensor {
    let x = rotation.map { matmul(samples, $0, transposingSecond: true) } ?? samples
    let parts = x.split(sizes: [pairs, pairs], axis: 1)
    let (a, b) = (parts[0], parts[1])
    let logA = Normal(mean: square(b) * 0.25, logScale: .zeros(b.shape)).logProbability(of: a)
    return logA
      + Normal(mean: .zeros(b.shape), logScale: Tensor(repeating: log(2), shape: b.shape)).logProbability(of: b)
  }
}
