import Datasets
import Distributions
import NeuralNetworks
import Tensors

/// What a representation is worth to a linear classifier: softmax regression on features that stay as they are.
///
/// The features are centred and divided by one number, so that `weightDecay` means the same for every representation. The loss is
/// convex: the result does not depend on a start or an order.
public final class LinearProbe {
  private let mean: Tensor
  private let scale: Float
  private let layer: Linear

  /// The minimum of the mean cross-entropy plus ½ · `weightDecay` · Σ weight², found by `steps` full passes.
  ///
  /// - Parameters:
  ///   - features: `[count, features]`; no gradient flows through.
  ///   - labels: the class of each row, `[count]`.
  ///   - classes: the number of classes.
  ///   - weightDecay: to be chosen on examples that are used for nothing else, for each representation anew.
  ///   - steps: the passes; the default is enough for hundreds of examples.
  /// - Precondition: a row for each label, at least one.
  public init(
    _ features: Tensor, _ labels: IndexTensor, classes: Int = 10, weightDecay: Float = 1e-2, steps: Int = 300
  ) {
    guard features.rank == 2, features.shape[0] == labels.count, labels.count > 0 else {
      fail("LinearProbe", "needs features [count, features] and labels [count]; got \(features.shape), \(labels.shape)")
    }
    let constant = features.detached()
    mean = constant.mean(axes: [0], keepingAxes: true)
    let deviation = constant.variance(axes: [0]).mean().scalar.squareRoot()
    scale = deviation > 0 ? 1 / deviation : 1
    var unused = Random(seed: 0)
    layer = Linear(features.shape[1], classes, initialization: .zeros, using: &unused)
    let inputs = (constant - mean) * scale
    var optimizer = Adam(layer.parameters)
    let rates = Schedule.cosine(from: 0.05, steps: steps)
    for step in 0..<steps {
      optimizer.learningRate = rates(step)
      let loss = -Categorical(logits: layer(inputs)).logProbability(of: labels).mean()
      optimizer.minimize(loss + square(layer.weight).sum() * (0.5 * weightDecay))
    }
  }

  /// The classes' scores: `[count, features] → [count, classes]`.
  public func logits(_ features: Tensor) -> Tensor { withoutGradients { layer((features - mean) * scale) } }

  /// The share of rows whose likeliest class is the label.
  public func accuracy(_ features: Tensor, _ labels: IndexTensor) -> Estimate {
    let classes = logits(features).argmax(axis: 1)
    return Estimate(Tensor(zip(classes.scalars, labels.scalars).map { $0 == $1 ? 1 : 0 }))
  }
}

extension LabelledImages {
  /// A few images of every class, drawn without repetition: `perClass` indices of each, in the order of the classes.
  ///
  /// - Precondition: every class that occurs has at least `perClass` images.
  public func indices(perClass: Int, using random: inout Random) -> [Int] {
    let members = Dictionary(grouping: indices) { labels.scalars[$0] }
    return members.keys.sorted().flatMap { label -> [Int] in
      let own = members[label] ?? []
      guard own.count >= perClass else {
        fail("indices(perClass:)", "class \(label) has \(own.count) images; cannot draw \(perClass)")
      }
      return Array(own.shuffled(using: &random).prefix(perClass))
    }
  }
}
