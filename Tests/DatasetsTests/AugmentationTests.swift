import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Augmentations")
struct AugmentationTests {
  /// One grey image of 3 × 4 pixels.
  static let grey = Tensor([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 0.05], shape: [1, 3, 4, 1])

  func change(_ images: Tensor, _ augmentations: Augmentation..., seed: UInt64 = 91) -> [Float] {
    var random = Random(seed: seed)
    return images.augmented(by: augmentations, using: &random).scalars
  }

  func isNear(_ a: [Float], _ b: [Float], _ tolerance: Float = 1e-5) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { near($0, $1, tolerance) }
  }

  @Test("Augmentations of no strength change nothing")
  func identity() {
    var random = Random(seed: 92)
    let images = Tensor.uniform([3, 5, 4, 3], using: &random)
    for augmentation in [
      Augmentation.crop(area: 1...1, aspectRatio: 1...1), .flip(probability: 0), .shift(by: 0), .blur(deviation: 0...0),
      .noise(0), .cutout(size: 0), .rotation(degrees: 0...0), .grayscale(probability: 0),
      .colorJitter(brightness: 0, contrast: 0, saturation: 0, hue: 0), .sometimes(0, [.noise(1)]),
    ] {
      #expect(isNear(change(images, augmentation), images.scalars))
    }
    #expect(change(Tensor.zeros([0, 2, 2, 1]), .noise(1)).isEmpty)
  }

  @Test("A flip exchanges left and right in every channel")
  func flip() {
    #expect(change(Self.grey, .flip(probability: 1)) == [0.3, 0.2, 0.1, 0, 0.7, 0.6, 0.5, 0.4, 0.05, 1, 0.9, 0.8])
    let color = Tensor([1, 0, 0, 0, 0, 1], shape: [1, 1, 2, 3])
    #expect(change(color, .flip(probability: 1)) == [0, 0, 1, 1, 0, 0])
  }

  @Test("A shift moves by whole pixels, black comes in, and all moves are equally likely")
  func shift() {
    let dot = Tensor([0, 0, 0, 0, 1, 0, 0, 0, 0], shape: [1, 3, 3, 1]).repeated(9_000, axis: 0)
    let moved = change(dot, .shift(by: 1))
    var counts = [Int](repeating: 0, count: 9)
    for (index, value) in moved.enumerated() where value == 1 { counts[index % 9] += 1 }
    #expect(moved.reduce(0, +) == 9_000)
    #expect(chiSquared(counts, [Double](repeating: 1.0 / 9, count: 9)) < 5.5)
    let far = change(Tensor.ones([400, 2, 2, 1]), .shift(by: 5))
    #expect(Set(far) == [0, 1])
  }

  @Test("A quarter turn counterclockwise moves the right edge to the top, and a small one reads between pixels")
  func rotation() {
    let square = Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], shape: [1, 3, 3, 1]) / 10
    #expect(isNear(change(square, .rotation(degrees: 90...90)), [3, 6, 9, 2, 5, 8, 1, 4, 7].map { $0 / 10 }))
    let cross = Tensor([0, 0, 0, 0, 0, 1, 0, 0, 0], shape: [1, 3, 3, 1])
    let turned = change(cross, .rotation(degrees: 10...10))
    // The dot at (1, 0) is read from the target (1, 0) at (cos 10°, sin 10°), and from (1, −1) just below it.
    let (c, s) = (Float(cos(Double.pi / 18)), Float(sin(Double.pi / 18)))
    #expect(near(turned[5], c * (1 - s), 1e-5))
    #expect(near(turned[2], (1 - (c + s - 1)) * (1 - (c - s)), 1e-5))
  }

  @Test("A crop reads a part of the given area between its pixels")
  func crop() {
    // A quarter of a ramp has a quarter of the area and half the slope, and lies within the ramp.
    let ramp = Tensor((0..<64).map { Float($0 % 8) / 7 }, shape: [1, 8, 8, 1])
    for seed in UInt64(0)..<20 {
      let part = change(ramp, .crop(area: 0.25...0.25, aspectRatio: 1...1), seed: seed)
      let middle = part[3 * 8 + 4] - part[3 * 8 + 3]
      #expect(near(middle, 0.5 / 7, 1e-5))
      #expect(part.allSatisfy { $0 >= 0 && $0 <= 1 })
      #expect(near(part[0], part[56], 1e-6))
    }
    let first = change(ramp, .crop(), seed: 1)
    #expect(first != change(ramp, .crop(), seed: 2) && first == change(ramp, .crop(), seed: 1))
  }

  @Test("A blur spreads a dot by the normal distribution and keeps the sum and what is constant")
  func blur() {
    var pixels = [Float](repeating: 0, count: 169)
    pixels[6 * 13 + 6] = 1
    let spread = change(Tensor(pixels, shape: [1, 13, 13, 1]), .blur(deviation: 1...1))
    let total: Float = (-3...3).reduce(0) { $0 + Float(exp(-Double($1 * $1) / 2)) }
    #expect(near(spread[6 * 13 + 6], 1 / total / total, 1e-5))
    #expect(near(spread[5 * 13 + 8], Float(exp(-0.5 - 2.0)) / total / total, 1e-5))
    #expect(near(spread.reduce(0, +), 1, 1e-5))
    let flat = Tensor(repeating: 0.3, shape: [1, 4, 5, 3])
    #expect(isNear(change(flat, .blur(deviation: 2...2)), flat.scalars))
    let stripes = Tensor([1, 0, 0, 0, 0, 1], shape: [1, 1, 2, 3])
    #expect(change(stripes, .blur(deviation: 1...1))[1] == 0)
  }

  /// 40,000 values around ½: mean and variance within 5.5 standard errors.
  @Test("Noise has its standard deviation, is independent between images, and stays within 0…1")
  func noise() {
    let images = Tensor(repeating: 0.5, shape: [2, 100, 200, 1])
    let noisy = change(images, .noise(0.1)).map { Double($0) - 0.5 }
    let mean = noisy.reduce(0, +) / 40_000
    let variance = noisy.reduce(0) { $0 + $1 * $1 } / 40_000
    #expect(near(mean, 0, 5.5 * 0.1 / 200))
    #expect(near(variance, 0.01, 5.5 * 0.01 * 2.0.squareRoot() / 200))
    #expect(noisy.prefix(10) != noisy[20_000..<20_010])
    #expect(change(images, .noise(5)).allSatisfy { $0 >= 0 && $0 <= 1 })
  }

  @Test("A cut-out is one black square, cut off at the edges")
  func cutout() {
    let cut = change(Tensor.ones([300, 6, 7, 2]), .cutout(size: 3))
    var sizes: Set<Int> = []
    for image in 0..<300 {
      let black = (0..<84).filter { cut[image * 84 + $0] == 0 }
      let rows = Set(black.map { $0 / 14 })
      let columns = Set(black.map { $0 % 14 / 2 })
      #expect(black.count == 2 * rows.count * columns.count)
      sizes.insert(black.count / 2)
    }
    #expect(sizes == [4, 6, 9])
  }

  @Test("Greyscale gives each pixel its grey in all channels, and leaves grey images alone")
  func grayscale() {
    let color = Tensor([1, 0, 0, 0, 1, 0, 0.5, 0.25, 1], shape: [1, 1, 3, 3])
    let expected: [Float] = [0.299, 0.299, 0.299, 0.587, 0.587, 0.587, 0.41025, 0.41025, 0.41025]
    #expect(isNear(change(color, .grayscale(probability: 1)), expected))
    #expect(change(Self.grey, .grayscale(probability: 1)) == Self.grey.scalars)
  }

  @Test("Brightness, contrast and saturation are factors within their strengths; a hue turn keeps the mean")
  func jitter() {
    let color = Tensor([0.4, 0.2, 0.3, 0.1, 0.3, 0.2], shape: [1, 1, 2, 3])
    for seed in UInt64(0)..<50 {
      let bright = change(color, .colorJitter(brightness: 0.5, contrast: 0, saturation: 0, hue: 0), seed: seed)
      let factor = bright[0] / 0.4
      #expect(factor > 0.5 && factor < 1.5)
      #expect(isNear(bright, color.scalars.map { $0 * factor }))
      let turned = change(color, .colorJitter(brightness: 0, contrast: 0, saturation: 0, hue: 0.1), seed: seed)
      #expect(near(turned[0] + turned[1] + turned[2], 0.9, 1e-5))
      #expect(turned[0] != 0.4)
      let contrast = change(color, .colorJitter(brightness: 0, contrast: 0.5, saturation: 0, hue: 0), seed: seed)
      let means = (0.299 * (0.4 + 0.1) + 0.587 * (0.2 + 0.3) + 0.114 * (0.3 + 0.2)) / 2
      #expect(near((contrast[0] - Float(means)) / (contrast[3] - Float(means)), (0.4 - 0.25) / (0.1 - 0.25), 1e-3))
    }
    #expect(Set(change(Self.grey, .colorJitter())).count > 3)
  }

  @Test("A third of the hue's circle moves red to green")
  func hue() {
    var picture = Picture(height: 1, width: 1, channels: 3)
    picture.pixels = [0.9, 0.2, 0.1]
    picture.turnHue(by: 1.0 / 3)
    #expect(isNear(picture.pixels, [0.1, 0.9, 0.2]))
  }

  @Test("Each image has its own draw, and the same seed gives the same images")
  func draws() {
    let images = Self.grey.repeated(50, axis: 0)
    let all: [Augmentation] = [
      .crop(), .flip(), .shift(by: 1), .rotation(), .sometimes(0.5, [.blur()]), .colorJitter(), .noise(0.05),
      .cutout(size: 1), .grayscale(),
    ]
    var (first, second) = (Random(seed: 93), Random(seed: 93))
    let a = images.augmented(by: all, using: &first)
    let b = images.augmented(by: all, using: &second)
    #expect(a.scalars == b.scalars && a.shape == [50, 3, 4, 1])
    let pixels = a.scalars
    let different = Set((0..<50).map { image -> [Float] in Array(pixels[12 * image..<12 * (image + 1)]) })
    #expect(different.count == 50)
    #expect(first == second)
    #expect(images.augmented(by: all, using: &first).scalars != a.scalars)
  }

  @Test("Images of another rank, and probabilities beyond 1, stop with a clear line")
  func mistakes() async {
    let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 1)
      _ = Tensor([[1, 2]]).augmented(by: [.flip()], using: &random)
    }
    #expect(text(rank).contains("error: augmented: needs images [batch, height, width, channels]; got [1, 2]"))
    let probability = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Augmentation.flip(probability: 2)
    }
    #expect(text(probability).contains("error: flip: a probability is within 0…1, not 2.0"))
  }
}
