import LessonKit

/// Normal peaks on the line, equally likely: a law, or a generator that moves and stretches its noise, with a known density.
struct Peaks {
  let means, deviations: Tensor  // [peaks, 1] each

  init(_ peaks: [(mean: Float, deviation: Float)]) {
    means = Tensor(peaks.map { [$0.mean] })
    deviations = Tensor(peaks.map { [$0.deviation] })
  }

  /// Independent samples, `[count, 1]`.
  func samples(_ count: Int, using random: inout Random) -> Tensor {
    let peak = IndexTensor.categorical(logits: .zeros([count, means.count]), using: &random)
    return embedding(means, peak) + embedding(deviations, peak) * .normal([count, 1], using: &random)
  }

  /// The exact log-density of `x`, `[count, 1]`, in nats: `[count]`.
  func logProbability(of x: Tensor) -> Tensor {
    let places = (x - means.transposed()) / deviations.transposed()  // [count, peaks]
    let logs = square(places) * -0.5 - log(deviations.transposed() * (2 * Float.pi).squareRoot())
    return logs.logSumExp(axis: 1) - log(Float(means.count))
  }
}
