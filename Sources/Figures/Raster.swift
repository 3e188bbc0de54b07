import Tensors

/// Draws marks into pixels: each mark becomes a mask of how much of every pixel it covers, and the mask is blended once,
/// so that joints of a translucent line are not darker than the line.
struct Raster {
  /// Pixels for each nominal pixel.
  static let scale = 2.0
  /// The most pixels a picture may have.
  static let largestCount = 1 << 25

  let width: Int
  let height: Int
  private var samples: [UInt8]
  var mask: [UInt8]
  /// What the mask may have touched since it was last blended.
  var dirty = Span2D.nothing
  /// Nothing is drawn outside.
  var clip: Span2D

  /// Whole pixels, from the lower bounds up to but not including the upper ones.
  struct Span2D {
    var minX: Int
    var minY: Int
    var maxX: Int
    var maxY: Int

    static let nothing = Span2D(minX: .max, minY: .max, maxX: 0, maxY: 0)

    func intersection(_ other: Span2D) -> Span2D {
      Span2D(
        minX: max(minX, other.minX), minY: max(minY, other.minY), maxX: min(maxX, other.maxX),
        maxY: min(maxY, other.maxY))
    }

    mutating func include(_ other: Span2D) {
      self = Span2D(
        minX: min(minX, other.minX), minY: min(minY, other.minY), maxX: max(maxX, other.maxX),
        maxY: max(maxY, other.maxY))
    }
  }

  /// The drawing as an image, ``scale`` pixels for each nominal one; grey when no colour occurs.
  static func rendering(_ drawing: Drawing) -> PNGImage {
    let width = max(1, Int((drawing.width * scale).rounded()))
    let height = max(1, Int((drawing.height * scale).rounded()))
    guard width * height <= largestCount else {
      fail("png", "the picture would have \(width) × \(height) pixels, which is too many; show less in it")
    }
    var raster = Raster(width: width, height: height)
    for mark in drawing.marks { raster.draw(mark) }
    return raster.image
  }

  private var image: PNGImage {
    var grey = [UInt8](repeating: 0, count: width * height)
    for index in grey.indices {
      let red = samples[3 * index]
      guard samples[3 * index + 1] == red, samples[3 * index + 2] == red else {
        return PNGImage(width: width, height: height, channels: 3, samples: samples)
      }
      grey[index] = red
    }
    return PNGImage(width: width, height: height, channels: 1, samples: grey)
  }

  private init(width: Int, height: Int) {
    self.width = width
    self.height = height
    samples = [UInt8](repeating: 255, count: width * height * 3)
    mask = [UInt8](repeating: 0, count: width * height)
    clip = Span2D(minX: 0, minY: 0, maxX: width, maxY: height)
  }

  private mutating func draw(_ mark: Mark) {
    switch mark {
    case .polyline(let points, let color, let lineWidth, let dash, let opacity):
      let pieces = dash.isEmpty ? [points] : dashes(of: points, pattern: dash)
      for piece in pieces { stroke(piece, radius: lineWidth / 2) }
      blend(color, opacity)
    case .polygon(let points, let color, let opacity):
      fill(points)
      blend(color, opacity)
    case .markers(let centres, let shape, let radius, let color, let opacity):
      for centre in centres {
        for part in shape.parts(at: centre, radius: radius) {
          if part.isFilled { fill(part.points) } else { stroke(part.points, radius: part.penRadius) }
        }
        blend(color, opacity)
      }
    case .text(let text, let point, let style):
      let (strokes, radius) = StrokeFont.strokes(of: text, at: point, style)
      for points in strokes { stroke(points, radius: points.count == 1 ? radius * 1.5 : radius) }
      blend(style.color, 1)
    case .image(let image, let place):
      copy(image, into: place)
    case .clipped(let marks, let place):
      let outer = clip
      clip = clip.intersection(pixels(of: place))
      for mark in marks { draw(mark) }
      clip = outer
    }
  }

  private func pixels(of place: Rectangle) -> Span2D {
    Span2D(
      minX: Int((place.x * Self.scale).rounded()), minY: Int((place.y * Self.scale).rounded()),
      maxX: Int((place.maxX * Self.scale).rounded()), maxY: Int((place.maxY * Self.scale).rounded()))
  }

  /// Lays the colour over the pixels where the mask says so, and clears the mask.
  private mutating func blend(_ color: Color, _ opacity: Double) {
    let strength = Int((max(0, min(1, opacity)) * 256).rounded())
    let (red, green, blue) = (Int(color.red), Int(color.green), Int(color.blue))
    let (dirty, width) = (dirty, width)
    guard dirty.minX < dirty.maxX, dirty.minY < dirty.maxY else { return }
    samples.withUnsafeMutableBufferPointer { samples in
      mask.withUnsafeMutableBufferPointer { mask in
        for y in dirty.minY..<dirty.maxY {
          for index in y * width + dirty.minX..<y * width + dirty.maxX where mask[index] != 0 {
            let share = Int(mask[index]) * strength  // 0…255·256
            mask[index] = 0
            samples[3 * index] = Self.mix(samples[3 * index], red, share)
            samples[3 * index + 1] = Self.mix(samples[3 * index + 1], green, share)
            samples[3 * index + 2] = Self.mix(samples[3 * index + 2], blue, share)
          }
        }
      }
    }
    self.dirty = .nothing
  }

  @inline(__always) private static func mix(_ old: UInt8, _ new: Int, _ share: Int) -> UInt8 {
    let full = 255 * 256
    return UInt8((Int(old) * (full - share) + new * share + full / 2) / full)
  }

  /// Each pixel takes the sample under its centre.
  private mutating func copy(_ image: PNGImage, into place: Rectangle) {
    let target = pixels(of: place)
    let visible = target.intersection(clip)
    guard visible.minX < visible.maxX, visible.minY < visible.maxY else { return }
    let (width, channels) = (width, image.channels)
    let columns = (visible.minX..<visible.maxX).map { x in
      ((2 * (x - target.minX) + 1) * image.width / (2 * (target.maxX - target.minX))) * channels
    }
    let (green, blue) = channels == 3 ? (1, 2) : (0, 0)
    samples.withUnsafeMutableBufferPointer { samples in
      image.samples.withUnsafeBufferPointer { source in
        for y in visible.minY..<visible.maxY {
          let row = (2 * (y - target.minY) + 1) * image.height / (2 * (target.maxY - target.minY))
          var index = 3 * (y * width + visible.minX)
          for column in columns {
            let origin = row * image.width * channels + column
            samples[index] = source[origin]
            samples[index + 1] = source[origin + green]
            samples[index + 2] = source[origin + blue]
            index += 3
          }
        }
      }
    }
  }
}
