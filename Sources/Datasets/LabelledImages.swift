import Tensors

/// Grey or colour images of one size with a class label each, kept as bytes.
public struct LabelledImages: Sendable {
  /// The rows of an image, in pixels.
  public let height: Int
  /// The columns of an image, in pixels.
  public let width: Int
  /// The values of a pixel: 1 for grey, 3 for red, green, blue.
  public let channels: Int
  /// How many values a pixel can take, from 0 (black) to `levels - 1` (white).
  public let levels: Int
  /// The class of each image, `[count]`.
  public let labels: IndexTensor
  /// Level by level, `[count, height, width, channels]`.
  private let pixels: [UInt8]

  /// Images and labels from two IDX files, gzipped or not.
  ///
  /// - Parameters:
  ///   - imagesFile: unsigned bytes of rank 3, `[count, height, width]`.
  ///   - labelsFile: unsigned bytes of rank 1, `[count]`.
  ///   - height: the rows each image must have.
  ///   - width: the columns each image must have.
  ///   - levels: how many values a pixel can take.
  ///   - classes: how many classes there are; labels are below it.
  ///   - remedy: what to advise when the contents are damaged.
  /// - Throws: `DataError` if a file is damaged, or the two do not belong together.
  public init(
    imagesFile: String, labelsFile: String, height: Int, width: Int, levels: Int = 256, classes: Int = 10,
    remedy: String = "get the file again from its source"
  ) throws(DataError) {
    let images = try IDX(contentsOf: imagesFile, rank: 3, remedy: remedy)
    guard images.shape[1] == height, images.shape[2] == width else {
      throw DataError(
        path: imagesFile,
        problem: "its images have \(images.shape[1])x\(images.shape[2]) pixels, not \(height)x\(width)",
        remedy: "give files of \(height)x\(width) images")
    }
    let labels = try IDX(contentsOf: labelsFile, rank: 1, remedy: remedy)
    guard images.shape[0] == labels.shape[0] else {
      throw DataError(
        path: labelsFile, problem: "it has \(labels.shape[0]) labels, and \(imagesFile) has \(images.shape[0]) images",
        remedy: "give the two files that belong together")
    }
    try Self.check(images.bytes, below: levels, "pixel", imagesFile, imageSize: height * width, remedy)
    try Self.check(labels.bytes, below: classes, "label", labelsFile, imageSize: 1, remedy)
    self.init(
      images.bytes, labels: IndexTensor(labels.bytes.map(Int32.init)), height: height, width: width, channels: 1,
      levels: levels)
  }

  /// Images with these levels, `[count, height, width, channels]` in row-major order.
  init(_ pixels: [UInt8], labels: IndexTensor, height: Int, width: Int, channels: Int, levels: Int) {
    self.pixels = pixels
    self.labels = labels
    self.height = height
    self.width = width
    self.channels = channels
    self.levels = levels
  }

  private static func check(
    _ values: [UInt8], below limit: Int, _ name: String, _ path: String, imageSize: Int, _ remedy: String
  ) throws(DataError) {
    guard limit < 256, let place = values.firstIndex(where: { $0 >= limit }) else { return }
    throw DataError(
      path: path, problem: "example \(place / imageSize) has the \(name) \(values[place]), not 0 to \(limit - 1)",
      remedy: remedy)
  }

  /// The bytes of an image.
  private var imageSize: Int { height * width * channels }

  /// The number of images.
  public var count: Int { labels.count }

  /// The positions of all images, for `batches` and for taking them all: `images(set.indices)`.
  public var indices: Range<Int> { 0..<count }

  /// The chosen images in 0...1, `[batch, height, width, channels]`.
  ///
  /// - Precondition: every index is below `count`.
  public func images(at indices: some Collection<Int>) -> Tensor {
    let chosen = pixels(at: Array(indices), "images")
    return Tensor(fractions(of: chosen), shape: [chosen.count / imageSize, height, width, channels])
  }

  /// The levels of the chosen images' pixels, 0 to `levels - 1`.
  ///
  /// `[batch, height, width]` for grey images, `[batch, height, width, channels]` for colour.
  ///
  /// - Precondition: every index is below `count`.
  public func levels(at indices: some Collection<Int>) -> IndexTensor {
    let chosen = pixels(at: Array(indices), "levels")
    let image = channels == 1 ? [height, width] : [height, width, channels]
    return IndexTensor(chosen.map(Int32.init), shape: [chosen.count / imageSize] + image)
  }

  /// The classes of the chosen images, `[batch]`.
  ///
  /// - Precondition: every index is below `count`.
  public func labels(at indices: some Collection<Int>) -> IndexTensor {
    let indices = Array(indices)
    check(indices, "labels")
    return IndexTensor(indices.map { labels.scalars[$0] })
  }

  /// The first `count` images, or all if there are fewer.
  ///
  /// - Precondition: `count` is 0 or more.
  public func prefix(_ count: Int) -> LabelledImages {
    guard count >= 0 else { fail("prefix", "cannot take \(count) images; the number must be 0 or more") }
    return count < self.count ? subset(at: 0..<count) : self
  }

  /// The chosen images, in the order given.
  ///
  /// - Precondition: every index is below `count`.
  public func subset(at indices: some Collection<Int>) -> LabelledImages {
    LabelledImages(
      pixels(at: Array(indices), "subset"), labels: labels(at: indices), height: height, width: width,
      channels: channels, levels: levels)
  }

  /// The mean of all images, `[height, width, channels]`, in 0…1.
  public var meanImage: Tensor {
    var sums = [Int](repeating: 0, count: imageSize)
    pixels.withUnsafeBufferPointer { pixels in
      for start in stride(from: 0, to: pixels.count, by: sums.count) {
        for pixel in sums.indices { sums[pixel] += Int(pixels[start + pixel]) }
      }
    }
    let scale = 1 / (Double(count) * Double(levels - 1))
    return Tensor(sums.map { Float(Double($0) * scale) }, shape: [height, width, channels])
  }

  /// The bytes of one image in row-major order.
  func bytes(at index: Int) -> ArraySlice<UInt8> {
    pixels[index * imageSize..<(index + 1) * imageSize]
  }

  private func pixels(at indices: [Int], _ operation: String) -> [UInt8] {
    check(indices, operation)
    let size = imageSize
    return [UInt8](unsafeUninitializedCapacity: indices.count * size) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, var to = target.baseAddress else { return }
        for index in indices {
          to.update(from: from + index * size, count: size)
          to += size
        }
      }
      filled = indices.count * size
    }
  }

  private func fractions(of chosen: [UInt8]) -> [Float] {
    let fractions = (0..<256).map { Float($0) / Float(levels - 1) }
    return [Float](unsafeUninitializedCapacity: chosen.count) { target, filled in
      for position in 0..<chosen.count { target[position] = fractions[Int(chosen[position])] }
      filled = chosen.count
    }
  }

  private func check(_ indices: [Int], _ operation: String) {
    for index in indices where index < 0 || index >= count {
      fail(operation, "there is no image \(index); the \(count) images are numbered from 0")
    }
  }
}
