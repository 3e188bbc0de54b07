import LessonKit

/// How features are judged: a linear classifier on ten labelled images a class, the same draws of labels for all features.
@MainActor
struct FewLabels {
  let pool, validation, test: LabelledImages
  /// Five draws to be measured on test images, and three whose validation images choose the weight decay.
  let draws, choosing: [[Int]]

  /// Labels are drawn from the first four fifths of `train`; the last fifth is for validation.
  init(_ train: LabelledImages, test: LabelledImages, using random: inout Random) {
    let pool = train.prefix(train.count * 4 / 5)
    (self.pool, self.test) = (pool, test)
    validation = train.subset(at: Array(pool.count..<train.count))
    let all = (0..<8).map { _ in pool.indices(perClass: 10, using: &random) }
    (draws, choosing) = (Array(all[..<5]), Array(all[5...]))
  }

  /// Accuracies in %.
  struct Result {
    let validation: Float
    let each: [Float]  // test images, for each draw
    var mean: Float { Estimate(Tensor(each)).mean }
    var error: Float { Estimate(Tensor(each)).standardError }
  }

  /// A probe of `features`, `[batch, side, side, 1] → [batch, width]`.
  func probe(_ features: (Tensor) -> Tensor) -> Result {
    let (rows, held, unseen) = (outputs(pool, features), outputs(validation, features), outputs(test, features))
    func fitted(_ draw: [Int], _ decay: Float) -> LinearProbe {
      LinearProbe(rows.examples(at: draw), pool.labels(at: draw), weightDecay: decay, steps: 200)
    }
    let tried = [Float(0.001), 0.01, 0.1].map { decay -> (decay: Float, score: Float) in
      let scores = choosing.map { 100 * fitted($0, decay).accuracy(held, validation.labels).mean }
      return (decay, Estimate(Tensor(scores)).mean)
    }
    let best = tried.max { $0.score < $1.score } ?? tried[0]
    return Result(
      validation: best.score, each: draws.map { 100 * fitted($0, best.decay).accuracy(unseen, test.labels).mean })
  }

  /// What a network makes of all images, without gradients.
  func outputs(_ images: LabelledImages, _ network: (Tensor) -> Tensor) -> Tensor {
    let parts = images.batches(ofSize: 500).map { batch in withoutGradients { network(images.images(at: batch)) } }
    return concatenate(parts, axis: 0)
  }
}
