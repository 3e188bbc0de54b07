import Tensors

/// Handwritten digits of 8x8 pixels and 17 levels: 1,500 for training and 297 for testing.
///
/// The 1,797 images are the test part of "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak, UCI Machine
/// Learning Repository, 1998), as scikit-learn ships them.
public struct Digits: Sendable {
  /// 1,500 images, `[8, 8]` each.
  public let train: LabelledImages
  /// 297 images, `[8, 8]` each, none of which is in `train`.
  public let test: LabelledImages

  /// The digits shipped in `data/digits`, always split alike.
  ///
  /// - Throws: `DataError` if the files are not there or damaged.
  public init() throws(DataError) {
    try self.init(folder: ShippedData.folder("digits"))
  }

  init(folder: String) throws(DataError) {
    let all = try LabelledImages(
      imagesFile: folder + "/images-idx3-ubyte.gz", labelsFile: folder + "/labels-idx1-ubyte.gz", height: 8, width: 8,
      levels: 17, remedy: ShippedData.remedy)
    (train, test) = Self.split(all, testCount: min(297, all.count / 2))
  }

  /// A fixed shuffle cut in two, where an image that occurs more than once is only ever in the first part.
  static func split(_ all: LabelledImages, testCount: Int) -> (LabelledImages, LabelledImages) {
    var random = Random(seed: 1998)
    let order = shuffledIndices(all.count, using: &random)
    var occurrences: [ArraySlice<UInt8>: Int] = [:]
    for index in order { occurrences[all.bytes(at: index), default: 0] += 1 }
    let test = order.filter { occurrences[all.bytes(at: $0)] == 1 }.prefix(testCount)
    let isTest = Set(test)
    return (all.subset(at: order.filter { !isTest.contains($0) }), all.subset(at: test))
  }
}
