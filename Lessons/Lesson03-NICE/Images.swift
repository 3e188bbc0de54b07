import LessonKit

/// Bits for each dimension of images whose pixels have `levelCount` levels, `[batch]`: −log₂ P(levels) / dimension, from above.
///
/// `levels` `[batch, dimension]` are whole numbers from 0, `noise` of that shape is uniform on 0…1 (dequantisation, section 5.1).
/// `logDensity` gives nats for x = (levels + noise) / levelCount, in 0…1: P is its integral over a cell of side 1/levelCount.
func bitsPerDimension(
  levels: Tensor, noise: Tensor, levelCount: Int, logDensity: (Tensor) -> Tensor
) -> Tensor {
  // BEGIN SOLUTION NICE.3
  let nats = -logDensity((levels + noise) / Float(levelCount))  // [batch]
  let dimension = Float(levels.shape[1])
  return (nats / dimension + log(Float(levelCount))) / log(2)
  // END SOLUTION
}

/// Images as levels, `[count, dimension]`, in three parts: to learn from, to stop by, and to measure on.
struct QuantizedImages {
  let train, validation, test: Tensor
  /// The noise that validation and test images get, the same at each measurement.
  let validationNoise, testNoise: Tensor
  let testImages: LabelledImages
  var dimension: Int { test.shape[1] }
  var levelCount: Int { testImages.levels }

  /// The digits; the images of Fashion-MNIST with `--full` or a folder of files like its own.
  init(for options: LessonOptions, using random: inout Random, noise: inout Random) throws {
    if options.size == .full || options.data != nil {
      let data = try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST()
      self.init(data.train, test: data.test, using: &random, noise: &noise)
    } else {
      let data = try Digits()
      self.init(data.train, test: data.test, using: &random, noise: &noise)
    }
  }

  init(_ all: LabelledImages, test: LabelledImages, using random: inout Random, noise: inout Random) {
    let split = all.partitioned(test: all.count / 6, using: &random)
    func levels(_ images: LabelledImages) -> Tensor {
      Tensor(images.levels(at: images.indices)).reshaped(to: [images.count, images.height * images.width])
    }
    (train, validation, self.test) = (levels(split.training), levels(split.test), levels(test))
    validationNoise = .uniform(validation.shape, using: &noise)
    testNoise = .uniform(self.test.shape, using: &noise)
    testImages = test
  }

  /// Bits/dim of the test images, `[count]`.
  func testBits(_ logDensity: (Tensor) -> Tensor) -> Tensor {
    withoutGradients {
      inference { bitsPerDimension(levels: test, noise: testNoise, levelCount: levelCount, logDensity: logDensity) }
    }
  }

  /// The mean bits/dim of the validation images.
  func validationBits(_ logDensity: (Tensor) -> Tensor) -> Float {
    withoutGradients {
      inference {
        bitsPerDimension(
          levels: validation, noise: validationNoise, levelCount: levelCount, logDensity: logDensity
        ).mean().scalar
      }
    }
  }

  /// Mean, `[1, dimension]`, and covariance of the training images' x = (levels + noise) / levelCount.
  func moments(using random: inout Random) -> (mean: Tensor, covariance: Tensor) {
    let many = train.tiled(times: max(1, 12_000 / train.shape[0]), axis: 0)
    let x = (many + .uniform(many.shape, using: &random)) / Float(levelCount)
    let mean = x.mean(axes: [0], keepingAxes: true)
    return (mean, matmul(x - mean, x - mean, transposingFirst: true) / Float(x.shape[0]))
  }

  /// A Gaussian of full covariance, with the ridge that the validation images like best.
  func gaussian(mean: Tensor, covariance: Tensor) -> MultivariateNormal {
    let identity = oneHot(IndexTensor((0..<dimension).map(Int32.init)), classes: dimension)
    let laws = [1e-6, 1e-5, 1e-4, 1e-3].map { MultivariateNormal(mean: mean, covariance: covariance + identity * $0) }
    let bits = laws.map { law in validationBits { law.logProbability(of: $0) } }
    return laws[bits.indices.min { bits[$0] < bits[$1] }!]
  }

  /// −log₂ of each test image's probability under independent pixels with the training images' counts, bits/dim, `[count]`.
  func histogramBits() -> Tensor {
    let counts = (0..<levelCount).map { (train .== Float($0)).sum(axis: 0) + 0.1 }  // [dimension] each
    let total = Float(train.shape[0]) + 0.1 * Float(levelCount)
    let bits = log(stack(counts, axis: 0) / total) / -log(2)  // [levels, dimension]
    return bits.gathered(at: IndexTensor(test), axis: 0).mean(axis: 1)
  }

  /// x in 0…1 as images in which the highest level is white.
  func pictures(_ x: Tensor) -> Tensor {
    (x * (Float(levelCount) / Float(levelCount - 1)))
      .reshaped(to: [x.shape[0], testImages.height, testImages.width, 1])
  }
}
