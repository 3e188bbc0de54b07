import Foundation
import Tensors

/// Black and white images in which all rows are equal or all columns are: 2·2ⁿ − 2 of them, equally likely.
///
/// The entropy is ln 30 = 3.4012 nats for n = 4 and ln 14 = 2.6391 for n = 3. (MacKay, "Information Theory, Inference, and
/// Learning Algorithms", 2003, section 43.)
public struct BarsAndStripes: Law {
  /// The rows, and the columns, of an image.
  public let side: Int

  /// The law of images of `side` by `side` pixels.
  ///
  /// - Precondition: `side` is 2 to 30.
  public init(_ side: Int) {
    guard (2...30).contains(side) else { fail("BarsAndStripes", "needs 2 to 30 pixels a side; got \(side)") }
    self.side = side
  }

  /// How many images there are.
  public var imageCount: Int { 2 << side - 2 }

  /// The exact entropy in nats, ln(2·2ⁿ − 2).
  public var entropy: Double { log(Double(imageCount)) }

  /// Independent images of zeros and ones, `[count, side, side, 1]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    checkSampleCount(count)
    return images((0..<count).map { _ in random.index(below: imageCount) })
  }

  /// All the images there are, `[imageCount, side, side, 1]`.
  ///
  /// - Precondition: `side` is at most 16.
  public var allImages: Tensor {
    guard side <= 16 else { fail("allImages", "\(imageCount) images are too many to list; side must be at most 16") }
    return images(Array(0..<imageCount))
  }

  /// The exact log-probability of each image of `[count, side, side, 1]` or `[count, side · side]`, `[count]`.
  ///
  /// It is −∞ for an image that is neither bars nor stripes.
  public func logProbability(of images: Tensor) -> Tensor {
    let count = eventCount(of: images.shape, size: side * side, named: "\(side), \(side), 1")
    let inside = Float(-entropy)
    let values = images.withUnsafeScalars { pixels in
      (0..<count).map { isPossible(pixels, from: $0 * side * side) ? inside : -.infinity }
    }
    return Tensor(values)
  }

  private func isPossible(_ pixels: UnsafeBufferPointer<Float>, from start: Int) -> Bool {
    var (equalRows, equalColumns) = (true, true)
    for row in 0..<side {
      for column in 0..<side {
        let pixel = pixels[start + row * side + column]
        guard pixel == 0 || pixel == 1 else { return false }
        if pixel != pixels[start + column] { equalRows = false }
        if pixel != pixels[start + row * side] { equalColumns = false }
      }
    }
    return equalRows || equalColumns
  }

  /// Numbers below 2ⁿ give bars, whose columns are its bits; the rest give stripes, all but the two that are bars too.
  private func images(_ numbers: [Int]) -> Tensor {
    var pixels: [Float] = []
    pixels.reserveCapacity(numbers.count * side * side)
    for number in numbers {
      let isBars = number < 1 << side
      let bits = isBars ? number : number - 1 << side + 1
      for row in 0..<side {
        for column in 0..<side { pixels.append(Float(bits >> (isBars ? column : row) & 1)) }
      }
    }
    return Tensor(pixels, shape: [numbers.count, side, side, 1])
  }
}
