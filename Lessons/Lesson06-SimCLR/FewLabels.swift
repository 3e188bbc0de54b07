import LessonKit

/// Several draws of a few labelled images, on which every representation is judged alike.
struct FewLabels {
  let pool, validation, test: LabelledImages
  /// Indices into `pool`, for each draw as many of every class.
  let draws: [[Int]]

  /// Accuracies in %, one for each draw, and the setting that the validation images chose.
  struct Result {
    let accuracies: Tensor
    /// The mean accuracy on the validation images, in %.
    let validation: Float
    let setting: String
    var estimate: Estimate { Estimate(accuracies) }
  }

  init(_ train: LabelledImages, test: LabelledImages, perClass: Int, draws: Int, using random: inout Random) {
    let parts = train.partitioned(test: train.count / 5, using: &random)
    (pool, validation, self.test) = (parts.training, parts.test, test)
    self.draws = (0..<draws).map { _ in parts.training.indices(perClass: perClass, using: &random) }
  }

  /// A linear probe on what `represent` makes of the images; the weight decay is that with the best mean on validation images.
  func probe(
    weightDecays: [Float] = [0.003, 0.03, 0.3], steps: Int = 200, _ represent: (Tensor) -> Tensor
  ) -> Result {
    let (validationRows, testRows) = (rows(validation, represent), rows(test, represent))
    let labelled = draws.map { (rows(pool.subset(at: $0), represent), pool.labels(at: $0)) }
    let tried = weightDecays.map { decay in
      let probes = labelled.map { LinearProbe($0, $1, weightDecay: decay, steps: steps) }
      return (decay, probes, probes.map { $0.accuracy(validationRows, validation.labels).mean }.reduce(0, +))
    }
    let (decay, probes, total) = tried.max { $0.2 < $1.2 }!
    return Result(
      accuracies: Tensor(probes.map { $0.accuracy(testRows, test.labels).mean * 100 }),
      validation: total / Float(draws.count) * 100, setting: "weight decay \(decay)")
  }

  /// Encoder and linear layer trained together on the labels alone; validation images choose when to stop.
  func supervised(
    channels: [Int], stops: [Int], augmentations: [Augmentation] = [], using random: inout Random
  ) -> Result {
    var scores: [[(validation: Float, test: Float)]] = []
    for draw in draws {
      let (images, labels) = (pool.images(at: draw), pool.labels(at: draw))
      let model = Classifier(side: pool.height, channels: channels, using: &random)
      var optimizer = Adam(model.parameters)
      var own: [(Float, Float)] = []
      for step in 1...stops.max()! {
        let x = augmentations.isEmpty ? images : images.augmented(by: augmentations, using: &random)
        optimizer.minimize(-categoricalLogLikelihood(model(x), labels).mean())
        guard stops.contains(step) else { continue }
        own.append((share(validation) { model($0) }, share(test) { model($0) }))
      }
      scores.append(own)
    }
    let best = stops.indices.max { a, b in
      scores.map { $0[a].validation }.reduce(0, +) < scores.map { $0[b].validation }.reduce(0, +)
    }!
    return Result(
      accuracies: Tensor(scores.map { $0[best].test * 100 }),
      validation: scores.map { $0[best].validation }.reduce(0, +) / Float(draws.count) * 100,
      setting: "\(stops[best]) steps")
  }

  private func rows(_ set: LabelledImages, _ represent: (Tensor) -> Tensor) -> Tensor {
    let parts = set.indices.batches(ofSize: 500).map { batch in
      withoutGradients { represent(set.images(at: batch)).reshaped(to: [batch.count, -1]) }
    }
    return concatenate(parts, axis: 0)
  }

  private func share(_ set: LabelledImages, _ scores: (Tensor) -> Tensor) -> Float {
    let found = rows(set, scores).argmax(axis: 1)
    return Float(zip(found.scalars, set.labels.scalars).count { $0 == $1 }) / Float(set.count)
  }
}

/// SimCLR's encoder with a linear layer for the classes in place of the head.
private final class Classifier: Module {
  let f: Encoder
  let logits: Linear

  init(side: Int, channels: [Int], using random: inout Random) {
    f = Encoder(side: side, channels: channels, using: &random)
    logits = Linear(f.features, 10, initialization: .glorotUniform, using: &random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { logits(f(x)) }
}
