import LessonKit

/// The generative moment matching network of Li, Swersky & Zemel (2015), arXiv 1502.02761, told which class to draw.
///
/// A sample is a deterministic function of noise; there is no likelihood, and no second network that judges it.
final class GMMN: Module {
  let hidden: [Linear]
  let output: Linear
  let noise, classes: Int

  init(noise: Int, classes: Int, hidden widths: [Int], pixels: Int, using random: inout Random) {
    (self.noise, self.classes) = (noise, classes)
    let extents = [noise + classes] + widths
    hidden = widths.indices.map { Linear(extents[$0], extents[$0 + 1], using: &random) }
    output = Linear(extents[widths.count], pixels, initialization: .glorotUniform, using: &random)
  }

  /// Images in 0…1: `[batch, noise], [batch] → [batch, pixels]`.
  func callAsFunction(_ z: Tensor, _ labels: IndexTensor) -> Tensor {
    let input = concatenate([z, oneHot(labels, classes: classes)], axis: 1)
    return sigmoid(output(hidden.reduce(input) { relu($1($0)) }))
  }

  /// Samples of these classes; the noise is uniform on −1…1, as in the paper.
  func sample(_ labels: IndexTensor, using random: inout Random) -> Tensor {
    self(.uniform([labels.count, noise], in: -1..<1, using: &random), labels)
  }
}

/// The loss: the unbiased MMD² of samples and images, each class by itself, averaged over the classes.
///
/// `[classes, n, pixels], [classes, m, pixels] → []`. The kernel is the sum of Gaussian kernels of all `bandwidths`: wide ones
/// pull samples from afar, narrow ones tell details. To compare class by class is the MMD of pairs (image, label) under the kernel
/// k(x, x′)·[y = y′], up to a factor.
func conditionalMMD(_ samples: Tensor, _ images: Tensor, bandwidths: [Float]) -> Tensor {
  // BEGIN SOLUTION MomentMatching.4
  func mixture(_ x: Tensor, _ y: Tensor) -> Tensor {
    bandwidths.dropFirst().reduce(gaussianKernel(x, y, bandwidth: bandwidths[0])) {
      $0 + gaussianKernel(x, y, bandwidth: $1)
    }
  }
  return unbiasedMMD(mixture(samples, samples), mixture(samples, images), mixture(images, images)).mean()
  // END SOLUTION
}
