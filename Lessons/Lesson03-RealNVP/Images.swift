import LessonKit

/// Images as levels, `[count, height, width, 1]`, in three parts: to learn from, to stop by, and to measure on.
struct QuantizedImages {
  let train, validation, test: Tensor
  /// The noise that validation and test images get, the same at each measurement.
  let validationNoise, testNoise: Tensor
  let testImages: LabelledImages
  var levelCount: Int { testImages.levels }
  var dimension: Int { testImages.height * testImages.width }

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
      Tensor(images.levels(at: images.indices)).reshaped(to: [images.count, images.height, images.width, 1])
    }
    (train, validation, self.test) = (levels(split.training), levels(split.test), levels(test))
    validationNoise = .uniform(validation.shape, using: &noise)
    testNoise = .uniform(self.test.shape, using: &noise)
    testImages = test
  }

  /// Bits/dim from above of images with noise on 0…1 (dequantisation; Lesson03-NICE explains the constant), `[count]`.
  func bits(_ levels: Tensor, _ noise: Tensor, _ logDensity: (Tensor) -> Tensor) -> Tensor {
    let logDensities = logDensity((levels + noise) / Float(levelCount))
    return (log(Float(levelCount)) - logDensities / Float(dimension)) / log(2)
  }

  /// Bits/dim of the test images, `[count]`.
  func testBits(_ logDensity: (Tensor) -> Tensor) -> Tensor {
    withoutGradients { inference { bits(test, testNoise, logDensity) } }
  }

  /// The mean bits/dim of the validation images.
  func validationBits(_ logDensity: (Tensor) -> Tensor) -> Float {
    withoutGradients { inference { bits(validation, validationNoise, logDensity).mean().scalar } }
  }

  /// A Gaussian of full covariance on the noisy pixels as vectors, with the ridge that the validation images like best.
  func gaussian(using random: inout Random) -> MultivariateNormal {
    let many = train.tiled(times: max(1, 12_000 / train.shape[0]), axis: 0)
    let x = ((many + .uniform(many.shape, using: &random)) / Float(levelCount)).reshaped(to: [many.shape[0], dimension])
    let mean = x.mean(axes: [0], keepingAxes: true)
    let covariance = matmul(x - mean, x - mean, transposingFirst: true) / Float(x.shape[0])
    let identity = oneHot(IndexTensor((0..<dimension).map(Int32.init)), classes: dimension)
    let laws = [1e-6, 1e-5, 1e-4, 1e-3].map { MultivariateNormal(mean: mean, covariance: covariance + identity * $0) }
    let bits = laws.map { law in
      validationBits { law.logProbability(of: $0.reshaped(to: [$0.shape[0], dimension])) }
    }
    return laws[bits.indices.min { bits[$0] < bits[$1] }!]
  }

  /// −log₂ of each test image's probability under independent pixels with the training images' counts, bits/dim, `[count]`.
  func histogramBits() -> Tensor {
    let counts = (0..<levelCount).map { (train .== Float($0)).sum(axis: 0) + 0.1 }  // [height, width, 1] each
    let total = Float(train.shape[0]) + 0.1 * Float(levelCount)
    let bits = log(stack(counts, axis: 0) / total) / -log(2)  // [levels, height, width, 1]
    return bits.gathered(at: IndexTensor(test), axis: 0).mean(axes: [1, 2, 3])
  }

  /// x in 0…1 as pictures in which the highest level is white.
  func pictures(_ x: Tensor) -> Tensor { x * (Float(levelCount) / Float(levelCount - 1)) }
}
