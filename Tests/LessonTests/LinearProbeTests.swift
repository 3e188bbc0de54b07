import Foundation
import LessonKit
import Testing

@Suite("The linear probe")
struct LinearProbeTests {
  @Test("Two points at ±1: the scores' difference u solves σ(−u) = λ u / 2")
  func twoPoints() {
    let features = Tensor([[-3], [1]])  // centred and scaled: −1 and 1
    let probe = LinearProbe(features, IndexTensor([0, 1]), classes: 2, weightDecay: 0.1)
    let scores = probe.logits(features).scalars
    // d/du of ln(1 + e⁻ᵘ) + λ u² / 4, for weights ∓u/2, by bisection.
    var (low, high) = (0.0, 20.0)
    for _ in 0..<60 {
      let u = (low + high) / 2
      if 1 / (1 + exp(u)) > 0.05 * u { low = u } else { high = u }
    }
    #expect(abs(Double(scores[3] - scores[2]) - low) < 1e-3)
    #expect(abs(Double(scores[0] - scores[1]) - low) < 1e-3)
    #expect(probe.accuracy(features, IndexTensor([0, 0])).mean == 0.5)
  }

  @Test("At the end the loss is flat: the residuals' products with the features equal −λ W, and their sums 0")
  func optimum() {
    var random = Random(seed: 1)
    let features = Tensor.normal([60, 7], using: &random) * 5 + 2
    let labels = IndexTensor((0..<60).map { Int32($0 % 3) })
    let probe = LinearProbe(features, labels, classes: 3, weightDecay: 0.05)
    let residuals = softmax(probe.logits(features)) - oneHot(labels, classes: 3)  // [60, 3]
    #expect(residuals.mean(axes: [0]).scalars.allSatisfy { abs($0) < 1e-4 })
    // One feature moved by a standard deviation of all moves the scores by its row of W.
    let centred = features - features.mean(axes: [0], keepingAxes: true)
    let deviation = features.variance(axes: [0]).mean().scalar.squareRoot()
    let slopes = matmul(centred, residuals, transposingFirst: true) / (60 * deviation)  // [7, 3]
    let start = probe.logits(.zeros([1, 7]))
    for feature in 0..<7 {
      let moved = oneHot(IndexTensor([Int32(feature)]), classes: 7) * deviation
      let weights = (probe.logits(moved) - start).scalars
      let row = slopes.sliced(feature..<feature + 1, axis: 0).scalars
      #expect(zip(weights, row).allSatisfy { abs(0.05 * $0 + $1) < 1e-4 })
    }
  }

  @Test("Raw digits, ten labels a class: far above chance on test images, and labels drawn at random teach nothing")
  func digits() throws {
    let digits = try Digits()
    var random = Random(seed: 2)
    let chosen = digits.train.indices(perClass: 10, using: &random)
    #expect(Set(chosen).count == 100)
    let labels = digits.train.labels(at: chosen)
    #expect((0..<10).allSatisfy { label in labels.scalars.count { $0 == Int32(label) } == 10 })
    func pixels(_ images: Tensor) -> Tensor { images.reshaped(to: [images.shape[0], 64]) }
    let (train, test) = (pixels(digits.train.images(at: chosen)), pixels(digits.test.images(at: digits.test.indices)))
    #expect(LinearProbe(train, labels).accuracy(test, digits.test.labels).mean > 0.8)
    // 200 test images or more at a chance of .1: a standard error below .022, 5 of them are a chance of 6e-7.
    let shuffled = IndexTensor(labels.scalars.shuffled(using: &random))
    #expect(LinearProbe(train, shuffled).accuracy(test, digits.test.labels).mean < 0.35)
  }
}
