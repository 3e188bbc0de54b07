import Foundation
import Tensors

extension Augmentation {
  /// A blur by a normal distribution whose standard deviation, in pixels, is drawn from a range; edges are continued.
  ///
  /// - Precondition: deviations are 0 or more.
  public static func blur(deviation: ClosedRange<Float> = 0.1...2) -> Augmentation {
    guard deviation.lowerBound >= 0 else { fail("blur", "needs standard deviations of 0 or more; got \(deviation)") }
    return Augmentation { picture, random in
      let spread = random.uniform(in: deviation)
      guard spread > 0 else { return }
      let reach = Int((3 * spread).rounded(.up))
      let raw = (-reach...reach).map { exp(-Float($0 * $0) / (2 * spread * spread)) }
      let total = raw.reduce(0, +)
      let weights = raw.map { $0 / total }
      picture.average(weights, count: picture.width, step: picture.channels)
      picture.average(weights, count: picture.height, step: picture.channels * picture.width)
    }
  }

  /// Normal noise of a standard deviation on every value; what leaves 0…1 is cut off.
  ///
  /// - Precondition: `deviation` is 0 or more.
  public static func noise(_ deviation: Float) -> Augmentation {
    guard deviation >= 0 else { fail("noise", "needs a standard deviation of 0 or more; got \(deviation)") }
    return Augmentation { picture, random in
      for (index, deviate) in normalDeviates(picture.pixels.count, using: &random).enumerated() {
        picture.pixels[index] += deviation * Float(deviate)
      }
      picture.clamp()
    }
  }

  /// Brightness, contrast and saturation multiplied by factors drawn from 1 ± each strength, and the hue turned.
  ///
  /// In this order, as SimCLR has it (Chen et al., 2020, arXiv 2002.05709, appendix A). Grey images have no saturation or hue.
  ///
  /// - Parameters:
  ///   - brightness: the strength for brightness.
  ///   - contrast: the strength for the distance from the mean grey.
  ///   - saturation: the strength for the distance from each pixel's grey.
  ///   - hue: the largest turn of the hue, in parts of the whole circle.
  /// - Precondition: strengths are within 0…1, the image has 1 or 3 channels.
  public static func colorJitter(
    brightness: Float = 0.4, contrast: Float = 0.4, saturation: Float = 0.4, hue: Float = 0.1
  ) -> Augmentation {
    let strengths = [brightness, contrast, saturation, hue]
    guard strengths.allSatisfy({ (0...1).contains($0) }) else {
      fail("colorJitter", "needs strengths within 0…1; got \(strengths)")
    }
    return Augmentation { picture, random in
      let factors = strengths.map { random.uniform(in: 1 - $0...1 + $0) }
      picture.checkColours("colorJitter")
      picture.scale(by: factors[0]) { _ in 0 }
      let mean = picture.meanGrey
      picture.scale(by: factors[1]) { _ in mean }
      guard picture.channels == 3 else { return }
      picture.scale(by: factors[2]) { $0 }
      if hue > 0 { picture.turnHue(by: factors[3] - 1) }
    }
  }

  /// Colour replaced by its grey with a probability; grey images stay.
  ///
  /// - Precondition: `probability` is within 0…1, the image has 1 or 3 channels.
  public static func grayscale(probability: Double = 0.2) -> Augmentation {
    checkProbability(probability, "grayscale")
    return Augmentation { picture, random in
      picture.checkColours("grayscale")
      guard random.uniform() < probability, picture.channels == 3 else { return }
      picture.scale(by: 0) { $0 }
    }
  }
}

extension Picture {
  fileprivate func checkColours(_ operation: String) {
    guard channels == 1 || channels == 3 else { fail(operation, "needs 1 or 3 channels; got \(channels)") }
  }

  /// The grey of a pixel by the weights of ITU-R BT.601.
  private func grey(_ pixel: Int) -> Float {
    if channels == 1 { return pixels[pixel] }
    return 0.299 * pixels[3 * pixel] + 0.587 * pixels[3 * pixel + 1] + 0.114 * pixels[3 * pixel + 2]
  }

  fileprivate var meanGrey: Float {
    (0..<height * width).reduce(0) { $0 + grey($1) } / Float(height * width)
  }

  /// Every value's distance from what `base` makes of its pixel's grey, multiplied by a factor, within 0…1.
  fileprivate mutating func scale(by factor: Float, from base: (Float) -> Float) {
    for pixel in 0..<height * width {
      let origin = base(grey(pixel))
      for channel in 0..<channels {
        let value = origin + factor * (pixels[pixel * channels + channel] - origin)
        pixels[pixel * channels + channel] = min(max(value, 0), 1)
      }
    }
  }

  /// Red, green and blue turned around the grey axis by a part of the whole circle, within 0…1.
  mutating func turnHue(by part: Float) {
    let angle = 2 * Float.pi * part
    let (own, third) = (cos(angle), (1 - cos(angle)) / 3)
    let cross = sin(angle) / Float(3).squareRoot()
    for start in stride(from: 0, to: pixels.count, by: 3) {
      let (red, green, blue) = (pixels[start], pixels[start + 1], pixels[start + 2])
      let mean = third * (red + green + blue)
      let turned = (
        own * red + mean + cross * (blue - green), own * green + mean + cross * (red - blue),
        own * blue + mean + cross * (green - red)
      )
      pixels[start] = min(max(turned.0, 0), 1)
      pixels[start + 1] = min(max(turned.1, 0), 1)
      pixels[start + 2] = min(max(turned.2, 0), 1)
    }
  }

  /// Weighted means of neighbours along one axis: `count` values at distance `step`; edges are continued.
  fileprivate mutating func average(_ weights: [Float], count: Int, step: Int) {
    let (source, reach) = (pixels, weights.count / 2)
    for index in pixels.indices {
      let place = index / step % count
      var sum: Float = 0
      for (tap, weight) in weights.enumerated() {
        let other = min(max(place + tap - reach, 0), count - 1)
        sum += weight * source[index + (other - place) * step]
      }
      pixels[index] = sum
    }
  }
}
