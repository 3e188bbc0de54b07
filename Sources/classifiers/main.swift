import LessonKit

// Makes `data/classifiers` again: the judges that say which class a generated image shows.

/// Trains on the training images alone and prints the accuracy on the test images.
func train(
  _ name: String, _ train: LabelledImages, _ test: LabelledImages, epochs: Int, _ augmentations: [Augmentation]
) throws {
  var random = Random(seed: 1)
  let model = ImageClassifier(side: train.height, using: &random)
  var optimizer = AdamW(model.parameters, learningRate: 2e-3, weightDecay: 1e-2)
  var average = ExponentialMovingAverage(model.parameters, decay: 0.99)
  for epoch in 1...epochs {
    for batch in train.batches(ofSize: 64, droppingLast: true, shuffledUsing: &random) {
      optimizer.learningRate = 2e-3 * (1 - Float(epoch - 1) / Float(epochs))
      let images = train.images(at: batch).augmented(by: augmentations, using: &random)  // [64, side, side, 1]
      optimizer.minimize(-categoricalLogLikelihood(model(images), train.labels(at: batch)).mean())
      average.update()
    }
    let accuracy = average.withAverages { model.agreement(test.images(at: test.indices), test.labels) }
    print("\(name): epoch \(epoch) of \(epochs), \(accuracy.mean * 100) % of the \(test.count) test images")
  }
  let folder = URL(fileURLWithPath: "data/classifiers")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  try average.withAverages {
    try Checkpoint(of: model).write(to: folder.appending(path: "\(name).safetensors"))
  }
}

let (digits, garments) = (try Digits(), try FashionMNIST())
try train("digits", digits.train, digits.test, epochs: 60, [.rotation(degrees: -12...12), .shift(by: 1)])
try train("fashion-mnist", garments.train, garments.test, epochs: 25, [.flip(), .shift(by: 2)])
