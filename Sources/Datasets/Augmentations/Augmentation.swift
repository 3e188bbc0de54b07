import Tensors

/// A random change of an image that leaves what it shows: `images.augmented(by: [.crop(), .flip()], using: &random)`.
///
/// Pixels are 0…1 and stay so; each image has its own draw. No gradient flows through.
public struct Augmentation: Sendable {
  /// Changes one image.
  let change: @Sendable (inout Picture, inout Random) -> Void

  init(_ change: @escaping @Sendable (inout Picture, inout Random) -> Void) { self.change = change }

  /// These augmentations with a probability, all of them or none.
  ///
  /// - Precondition: `probability` is within 0…1.
  public static func sometimes(_ probability: Double, _ augmentations: [Augmentation]) -> Augmentation {
    checkProbability(probability, "sometimes")
    return Augmentation { picture, random in
      guard random.uniform() < probability else { return }
      for augmentation in augmentations { augmentation.change(&picture, &random) }
    }
  }
}

extension Tensor {
  /// The images, `[batch, height, width, channels]`, each changed by all augmentations in turn with draws of its own.
  ///
  /// - Precondition: four axes, and extents above 0 but for the batch.
  public func augmented(by augmentations: [Augmentation], using random: inout Random) -> Tensor {
    guard rank == 4, shape.dropFirst().allSatisfy({ $0 > 0 }) else {
      fail("augmented", "needs images [batch, height, width, channels]; got \(shape)")
    }
    let size = shape.dropFirst().reduce(1, *)
    var picture = Picture(height: shape[1], width: shape[2], channels: shape[3])
    var values: [Float] = []
    values.reserveCapacity(count)
    withUnsafeScalars { source in
      for start in stride(from: 0, to: source.count, by: size) {
        picture.pixels.replaceSubrange(0..<size, with: source[start..<start + size])
        var own = random.split()
        for augmentation in augmentations { augmentation.change(&picture, &own) }
        values += picture.pixels
      }
    }
    return Tensor(values, shape: shape)
  }
}

/// One image while it is changed.
struct Picture {
  let height: Int
  let width: Int
  let channels: Int
  /// `[height, width, channels]`, row by row.
  var pixels: [Float]

  init(height: Int, width: Int, channels: Int) {
    self.height = height
    self.width = width
    self.channels = channels
    pixels = [Float](repeating: 0, count: height * width * channels)
  }

  /// What lies beyond the edges when an image is read there.
  enum Surroundings {
    case black
    case edge
  }

  /// Reads the image between its pixels: the centre of pixel (0, 0) is at (0, 0).
  ///
  /// - Parameters:
  ///   - surroundings: what lies beyond the edges.
  ///   - place: where each pixel of the result is read, as (x, y) from its column and row.
  mutating func resample(_ surroundings: Surroundings, _ place: (Float, Float) -> (x: Float, y: Float)) {
    let source = pixels
    func pixel(_ row: Int, _ column: Int, _ channel: Int) -> Float {
      if surroundings == .black, row < 0 || row >= height || column < 0 || column >= width { return 0 }
      let (inRow, inColumn) = (min(max(row, 0), height - 1), min(max(column, 0), width - 1))
      return source[(inRow * width + inColumn) * channels + channel]
    }
    for row in 0..<height {
      for column in 0..<width {
        let (x, y) = place(Float(column), Float(row))
        let (left, top) = (x.rounded(.down), y.rounded(.down))
        let (right, down) = (x - left, y - top)
        let (i, j) = (Int(top), Int(left))
        for channel in 0..<channels {
          let above = pixel(i, j, channel) * (1 - right) + pixel(i, j + 1, channel) * right
          let below = pixel(i + 1, j, channel) * (1 - right) + pixel(i + 1, j + 1, channel) * right
          pixels[(row * width + column) * channels + channel] = above * (1 - down) + below * down
        }
      }
    }
  }

  /// Keeps all pixels within 0…1.
  mutating func clamp() {
    for index in pixels.indices { pixels[index] = min(max(pixels[index], 0), 1) }
  }
}

/// Stops unless a probability is one.
func checkProbability(_ probability: Double, _ operation: String) {
  guard (0...1).contains(probability) else { fail(operation, "a probability is within 0…1, not \(probability)") }
}
