import Foundation
import Tensors

/// White rectangles, ellipses and triangles on black, drawn smoothly from known factors: a small dSprites.
///
/// All combinations of shape, scale, angle, x and y are equally likely. (Matthey et al., "dSprites", 2017.)
public struct Shapes: Law {
  /// The names of the five factors, in the order of their columns.
  public static let factorNames = ["shape", "scale", "angle", "x", "y"]
  /// The names of shapes 0, 1 and 2.
  public static let shapeNames = ["rectangle", "ellipse", "triangle"]

  /// The rows, and the columns, of an image.
  public let side: Int
  /// How many values each factor takes, `[5]`.
  public let factorSizes: [Int]
  private let known: Lazily<Catalogue>

  /// The law of images of `side` by `side` pixels.
  ///
  /// - Parameters:
  ///   - side: the rows, and the columns, of an image.
  ///   - scales: sizes, from 0.15 to 0.25 of the side, centre to farthest corner.
  ///   - angles: turns, equally spaced over half a circle, after which rectangles and ellipses repeat.
  ///   - positions: places along each axis, equally spaced so that all shapes stay inside.
  /// - Precondition: `side` is 8 or more, the other numbers 1 or more, and their product with the shapes below 2²⁰.
  public init(side: Int = 32, scales: Int = 4, angles: Int = 8, positions: Int = 8) {
    let sizes = [3, scales, angles, positions, positions]
    guard side >= 8, side <= 1024, sizes.allSatisfy({ (1...1024).contains($0) }), sizes.reduce(1, *) < 1 << 20 else {
      fail("Shapes", "needs a side of 8 or more and below 2²⁰ combinations of 1 or more values; got \(side), \(sizes)")
    }
    let drawing = ShapeDrawing(side: side, sizes: sizes)
    self.side = side
    factorSizes = sizes
    known = Lazily { Catalogue(drawing) }
  }

  /// The number of combinations of factors.
  public var combinationCount: Int { factorSizes.reduce(1, *) }

  /// The exact entropy of an image in nats: ln of the combinations, less where several look the same.
  public var entropy: Double { known.value.entropy }

  /// Independent images, `[count, side, side, 1]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    labelledSamples(count, using: &random).images
  }

  /// Independent images, `[count, side, side, 1]`, and the factors that made them, `[count, 5]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func labelledSamples(_ count: Int, using random: inout Random) -> (images: Tensor, factors: IndexTensor) {
    checkSampleCount(count)
    var factors: [Int32] = []
    for _ in 0..<count { factors += factorSizes.map { Int32(random.index(below: $0)) } }
    let chosen = IndexTensor(factors, shape: [count, 5])
    return (images(of: chosen), chosen)
  }

  /// The images of given factors, `[count, 5]`, as `[count, side, side, 1]`.
  ///
  /// - Precondition: every factor is below its entry in ``factorSizes``.
  public func images(of factors: IndexTensor) -> Tensor {
    let count = checkedCount(of: factors)
    let drawing = ShapeDrawing(side: side, sizes: factorSizes)
    var pixels: [Float] = []
    pixels.reserveCapacity(count * side * side)
    for image in 0..<count {
      let coverage = drawing.coverage(of: factors.scalars[5 * image..<5 * image + 5].map { Int($0) })
      pixels += coverage.map { Float($0) / Float(ShapeDrawing.fullCoverage) }
    }
    return Tensor(pixels, shape: [count, side, side, 1])
  }

  /// What given factors, `[count, 5]`, stand for, `[count, 5]`.
  ///
  /// The shape's number, the size and the centre's x (right) and y (down) in parts of the side, and the angle in radians.
  ///
  /// - Precondition: every factor is below its entry in ``factorSizes``.
  public func values(of factors: IndexTensor) -> Tensor {
    let count = checkedCount(of: factors)
    let drawing = ShapeDrawing(side: side, sizes: factorSizes)
    let values = (0..<count).flatMap { image in
      let pose = drawing.pose(of: factors.scalars[5 * image..<5 * image + 5].map { Int($0) })
      return [Double(pose.shape), pose.size, pose.angle, pose.x, pose.y].map { Float($0) }
    }
    return Tensor(values, shape: [count, 5])
  }

  /// The exact log-probability of each image of `[count, side, side, 1]`, `[count]`, in nats; −∞ for any other image.
  public func logProbability(of images: Tensor) -> Tensor {
    let count = eventCount(of: images.shape, size: side * side, named: "\(side), \(side), 1")
    let catalogue = known.value
    let full = Float(ShapeDrawing.fullCoverage)
    return images.withUnsafeScalars { pixels in
      Tensor(
        (0..<count).map { image in
          let scaled = pixels[image * side * side..<(image + 1) * side * side].map { $0 * full }
          guard scaled.allSatisfy({ $0 >= 0 && $0 <= full && $0 == $0.rounded() }) else { return -.infinity }
          return catalogue.logProbability(of: scaled.map { UInt8($0) })
        })
    }
  }

  private func checkedCount(of factors: IndexTensor) -> Int {
    guard factors.shape.count == 2, factors.shape[1] == 5 else {
      fail("Shapes", "needs factors of shape [count, 5]; got \(factors.shape)")
    }
    for (place, factor) in factors.scalars.enumerated() where factor < 0 || factor >= factorSizes[place % 5] {
      fail("Shapes", "\(Self.factorNames[place % 5]) \(factor) is not 0 to \(factorSizes[place % 5] - 1)")
    }
    return factors.shape[0]
  }

  /// How many combinations make each image.
  private struct Catalogue: Sendable {
    private let counts: [[UInt8]: Int]
    private let total: Int

    init(_ drawing: ShapeDrawing) {
      total = drawing.sizes.reduce(1, *)
      var counts: [[UInt8]: Int] = [:]
      for combination in 0..<total {
        var rest = combination
        let factors = drawing.sizes.map { size in
          defer { rest /= size }
          return rest % size
        }
        counts[drawing.coverage(of: factors), default: 0] += 1
      }
      self.counts = counts
    }

    var entropy: Double { Datasets.entropy(ofProbabilities: counts.values.map { Double($0) / Double(total) }) }

    func logProbability(of image: [UInt8]) -> Float { Float(log(Double(counts[image] ?? 0) / Double(total))) }
  }
}
