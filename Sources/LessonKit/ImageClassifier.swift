import Convolutions
import Datasets
import Foundation
import NeuralNetworks
import Tensors

/// The project's own judge of images: a small convolutional classifier, trained beforehand on the training split alone.
///
/// Its weights are in `data/classifiers`; `swift run classifiers` makes them again.
public final class ImageClassifier: Module {
  private let features: Sequential
  private let dropout: Dropout
  private let logits: Linear

  /// An untrained classifier of grey images of `side` × `side` pixels.
  public init(side: Int, classes: Int = 10, using random: inout Random) {
    features = Sequential {
      Conv2D(1, 32, size: 3, padding: .same, using: &random)
      relu
      Conv2D(32, 32, size: 3, padding: .same, using: &random)
      relu
      Function { maxPool2D($0, size: 2) }
      Conv2D(32, 64, size: 3, padding: .same, using: &random)
      relu
      Function { maxPool2D($0, size: 2) }
    }
    dropout = Dropout(0.3, using: &random)
    logits = Linear(64 * (side / 4) * (side / 4), classes, using: &random)
  }

  /// The classifier of ``Digits``, 8×8.
  ///
  /// - Throws: `DataError` or `CheckpointError` if its file is missing or damaged.
  public static func digits() throws -> ImageClassifier { try ImageClassifier(trained: "digits", side: 8) }

  /// The classifier of ``FashionMNIST``, 28×28.
  ///
  /// - Throws: `DataError` or `CheckpointError` if its file is missing or damaged.
  public static func fashionMNIST() throws -> ImageClassifier {
    try ImageClassifier(trained: "fashion-mnist", side: 28)
  }

  private convenience init(trained name: String, side: Int) throws {
    var random = Random(seed: 0)
    self.init(side: side, using: &random)
    let file = URL(fileURLWithPath: try ShippedData.folder("classifiers") + "/\(name).safetensors")
    try Checkpoint(contentsOf: file).restore(self)
  }

  /// Scores of the classes for images in 0…1: `[batch, side, side, 1] → [batch, classes]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    logits(dropout(features(images).reshaped(to: [images.shape[0], logits.weight.shape[0]])))
  }

  /// The logarithms of the classes' probabilities, without dropout: `[batch, side, side, 1] → [batch, classes]`.
  public func logProbabilities(_ images: Tensor) -> Tensor {
    withoutGradients { inference { logSoftmax(self(images)) } }
  }

  /// The likeliest class of each image: `[batch, side, side, 1] → [batch]`.
  public func classes(of images: Tensor) -> IndexTensor { logProbabilities(images).argmax(axis: 1) }

  /// The share of images whose likeliest class is the label.
  public func agreement(_ images: Tensor, _ labels: IndexTensor) -> Estimate {
    Estimate(Tensor(zip(classes(of: images).scalars, labels.scalars).map { $0 == $1 ? 1 : 0 }))
  }
}
