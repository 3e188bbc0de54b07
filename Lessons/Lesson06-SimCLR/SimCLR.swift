import LessonKit

// The contrastive learning of Chen, Kornblith, Norouzi & Hinton (2020), arXiv 2002.05709, with the paper's names.

/// sim(zᵢ, zₖ) / τ (section 2.1): the cosine of the angle between any two rows over the temperature,
/// `[count, features] → [count, count]`.
func scaledCosines(_ z: Tensor, temperature: Float) -> Tensor {
  // BEGIN SOLUTION SimCLR.1
  let length = sqrt(square(z).sum(axis: 1, keepingAxes: true))  // [count, 1]
  let unit = z / length
  return matmul(unit, unit, transposingSecond: true) / temperature
  // END SOLUTION
}

/// NT-Xent (equation 1, algorithm 1): the mean cross-entropy, in nats, of finding each view's partner among the other 2N − 1.
///
/// - Parameter z: `[2N, features]`, where rows i and N + i are views of one image.
func ntXent(_ z: Tensor, temperature: Float) -> Tensor {
  // BEGIN SOLUTION SimCLR.2
  let rows = z.shape[0]
  let itself = oneHot(IndexTensor((0..<rows).map(Int32.init)), classes: rows)
  let candidates = scaledCosines(z, temperature: temperature) - itself * 1e9  // [2N, 2N], no view is its own partner
  let partners = IndexTensor((0..<rows).map { Int32(($0 + rows / 2) % rows) })
  return -categoricalLogLikelihood(candidates, partners).mean()
  // END SOLUTION
}

/// The least NT-Xent there can be for N images: partners alike, and all images as far apart as the corners of a simplex.
///
/// By Jensen's inequality, as 2N unit vectors have cosines with a sum of 0 or more.
func ntXentFloor(images: Int, temperature: Float) -> Float {
  log(1 + Float(2 * images - 2) * exp(-(1 + 1 / Float(images - 1)) / temperature))
}

/// Two views of each image, `[N, height, width, channels] → [2N, …]`: views i and N + i are of image i.
///
/// From `random` the augmentation draws for the N first views, then for the N second ones.
func views(of images: Tensor, using random: inout Random, augment: (Tensor, inout Random) -> Tensor) -> Tensor {
  // BEGIN SOLUTION SimCLR.4
  let firstViews = augment(images, &random)
  let secondViews = augment(images, &random)
  return concatenate([firstViews, secondViews], axis: 0)
  // END SOLUTION
}

/// f: convolutions with windows of 3×3 and rectifiers, `[batch, side, side, 1] → [batch, features]`.
final class Encoder: Module {
  let convolutions: [Conv2D]
  let features: Int

  /// All layers but the first end in a maximum over 2×2; in images larger than the digits the first takes every other place.
  init(side: Int, channels: [Int], using random: inout Random) {
    let stride = side > 8 ? 2 : 1
    convolutions = zip([1] + channels, channels).enumerated().map { layer, sizes in
      Conv2D(sizes.0, sizes.1, size: 3, stride: layer == 0 ? stride : 1, padding: .same, using: &random)
    }
    let extent = channels.dropFirst().reduce((side + stride - 1) / stride) { extent, _ in extent / 2 }
    features = channels.last! * extent * extent
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let first = relu(convolutions[0](x))
    let last = convolutions.dropFirst().reduce(first) { x, convolution in maxPool2D(relu(convolution(x)), size: 2) }
    return last.reshaped(to: [x.shape[0], features])
  }
}

/// g: a hidden layer and a linear one, used for the loss and then thrown away (section 4.2).
final class ProjectionHead: Module {
  let hidden, output: Linear

  init(_ features: Int, hidden width: Int, outputs: Int, using random: inout Random) {
    hidden = Linear(features, width, using: &random)
    output = Linear(width, outputs, initialization: .glorotUniform, using: &random)
  }

  func callAsFunction(_ h: Tensor) -> Tensor { output(relu(hidden(h))) }
}

/// Encoder f and head g: the representation is h = f(x), the loss compares z = g(h).
final class SimCLR: Module {
  let f: Encoder
  let g: ProjectionHead

  init(side: Int, channels: [Int], using random: inout Random) {
    f = Encoder(side: side, channels: channels, using: &random)
    g = ProjectionHead(f.features, hidden: 128, outputs: 64, using: &random)
  }

  /// The loss of a batch of images, each seen twice.
  func loss(
    _ images: Tensor, by augmentations: [Augmentation], temperature: Float, using random: inout Random
  ) -> Tensor {
    let x = views(of: images, using: &random) { $0.augmented(by: augmentations, using: &$1) }
    return ntXent(g(f(x)), temperature: temperature)
  }
}
