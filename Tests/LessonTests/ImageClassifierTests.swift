import LessonKit
import Testing

@Suite("The project's own classifier")
struct ImageClassifierTests {
  @Test("At least 99 % of the digits' test images get their label, none of which it was trained on")
  func digits() throws {
    let (model, test) = (try ImageClassifier.digits(), try Digits().test)
    #expect(model.agreement(test.images(at: test.indices), test.labels).mean >= 0.99)
    // Labels moved by one are right for none of the images that are classified rightly.
    let moved = IndexTensor(test.labels.scalars.map { ($0 + 1) % 10 })
    #expect(model.agreement(test.images(at: test.indices), moved).mean <= 0.01)
  }

  @Test("At least 90 % of the garments' test images get their label")
  func garments() throws {
    let (model, test) = (try ImageClassifier.fashionMNIST(), try FashionMNIST().test)
    #expect(model.agreement(test.images(at: test.indices), test.labels).mean >= 0.9)
  }

  @Test("Probabilities sum to 1 for each image, and a second call gives the same: no dropout")
  func probabilities() throws {
    let model = try ImageClassifier.digits()
    var random = Random(seed: 1)
    let noise = Tensor.uniform([7, 8, 8, 1], using: &random)
    let logits = model.logProbabilities(noise)
    #expect(logits.logSumExp(axis: 1).scalars.allSatisfy { abs($0) < 1e-5 })
    #expect(model.logProbabilities(noise).scalars == logits.scalars)
  }
}
