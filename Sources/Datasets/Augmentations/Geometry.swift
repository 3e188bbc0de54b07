import Foundation
import Tensors

extension Augmentation {
  /// A random part of the image, stretched to its full size (Szegedy et al., 2014, arXiv 1409.4842, section 6).
  ///
  /// - Parameters:
  ///   - area: the part's share of the image.
  ///   - aspectRatio: its width by its height, as a multiple of the image's; drawn evenly on a logarithmic scale.
  /// - Precondition: areas are above 0 and at most 1, ratios above 0.
  public static func crop(
    area: ClosedRange<Float> = 0.2...1, aspectRatio: ClosedRange<Float> = 0.75...4 / 3
  ) -> Augmentation {
    guard area.lowerBound > 0, area.upperBound <= 1, aspectRatio.lowerBound > 0 else {
      fail("crop", "needs areas above 0 and at most 1, and ratios above 0; got \(area) and \(aspectRatio)")
    }
    let logarithms = log(aspectRatio.lowerBound)...log(aspectRatio.upperBound)
    return Augmentation { picture, random in
      let share = random.uniform(in: area)
      let ratio = exp(random.uniform(in: logarithms))
      let (wide, high) = (min((share * ratio).squareRoot(), 1), min((share / ratio).squareRoot(), 1))
      let left = random.uniform(in: 0...1) * (1 - wide) * Float(picture.width)
      let top = random.uniform(in: 0...1) * (1 - high) * Float(picture.height)
      picture.resample(.edge) { x, y in (left + (x + 0.5) * wide - 0.5, top + (y + 0.5) * high - 0.5) }
    }
  }

  /// Left and right exchanged with a probability.
  ///
  /// - Precondition: `probability` is within 0…1.
  public static func flip(probability: Double = 0.5) -> Augmentation {
    checkProbability(probability, "flip")
    return Augmentation { picture, random in
      guard random.uniform() < probability else { return }
      let (width, channels) = (picture.width, picture.channels)
      for row in 0..<picture.height {
        for column in 0..<width / 2 {
          for channel in 0..<channels {
            let left = (row * width + column) * channels + channel
            picture.pixels.swapAt(left, left + (width - 1 - 2 * column) * channels)
          }
        }
      }
    }
  }

  /// A move by whole pixels, at most so many along each axis; what comes in is black.
  ///
  /// - Precondition: `most` is 0 or more.
  public static func shift(by most: Int) -> Augmentation {
    guard most >= 0 else { fail("shift", "cannot move by at most \(most) pixels; give 0 or more") }
    return Augmentation { picture, random in
      let right = random.index(below: 2 * most + 1) - most
      let down = random.index(below: 2 * most + 1) - most
      let (source, width, channels) = (picture.pixels, picture.width, picture.channels)
      for row in 0..<picture.height {
        for column in 0..<width {
          let (i, j) = (row - down, column - right)
          let isInside = i >= 0 && i < picture.height && j >= 0 && j < width
          for channel in 0..<channels {
            let target = (row * width + column) * channels + channel
            picture.pixels[target] = isInside ? source[(i * width + j) * channels + channel] : 0
          }
        }
      }
    }
  }

  /// A turn around the middle, in degrees, counterclockwise above 0; what comes in is black.
  public static func rotation(degrees: ClosedRange<Float> = -15...15) -> Augmentation {
    Augmentation { picture, random in
      let angle = random.uniform(in: degrees) * Float.pi / 180
      let (cosine, sine) = (cos(angle), sin(angle))
      let (middleX, middleY) = (Float(picture.width - 1) / 2, Float(picture.height - 1) / 2)
      picture.resample(.black) { column, row in
        let (x, y) = (column - middleX, row - middleY)
        return (middleX + cosine * x - sine * y, middleY + sine * x + cosine * y)
      }
    }
  }

  /// A black square of `size` pixels a side, its middle anywhere in the image, its rest beyond the edges cut off.
  ///
  /// DeVries & Taylor, 2017, arXiv 1708.04552.
  ///
  /// - Precondition: `size` is 0 or more.
  public static func cutout(size: Int) -> Augmentation {
    guard size >= 0 else { fail("cutout", "a square of \(size) pixels a side is not possible; give 0 or more") }
    return Augmentation { picture, random in
      let top = random.index(below: picture.height) - size / 2
      let left = random.index(below: picture.width) - size / 2
      for row in max(top, 0)..<max(min(top + size, picture.height), max(top, 0)) {
        for column in max(left, 0)..<max(min(left + size, picture.width), max(left, 0)) {
          for channel in 0..<picture.channels {
            picture.pixels[(row * picture.width + column) * picture.channels + channel] = 0
          }
        }
      }
    }
  }
}
