import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Labelled images")
struct LabelledImagesTests {
  let folder = try! TemporaryFolder()

  func load(_ pixels: [UInt8], _ shape: [Int], labels: [UInt8], levels: Int = 256) throws -> LabelledImages {
    try LabelledImages(
      imagesFile: folder.writeIDX(shape, pixels, "images"),
      labelsFile: folder.writeIDX([labels.count], labels, "labels"),
      height: 1, width: 2, levels: levels)
  }

  func problem(_ pixels: [UInt8], _ shape: [Int], labels: [UInt8], levels: Int = 256) throws -> String {
    try #require(throws: DataError.self) { try load(pixels, shape, labels: labels, levels: levels) }.description
  }

  @Test("Images are fractions of the highest level, levels and labels are as stored, in the order asked for")
  func values() throws {
    let set = try load([0, 16, 8, 4, 2, 1], [3, 1, 2], labels: [7, 0, 9], levels: 17)
    #expect(set.count == 3 && set.height == 1 && set.width == 2 && set.levels == 17)
    #expect(set.images(at: [2, 0, 2]).shape == [3, 1, 2, 1])
    #expect(set.images(at: [2, 0, 2]).scalars == [0.125, 0.0625, 0, 1, 0.125, 0.0625])
    #expect(set.levels(at: 1..<3) == IndexTensor([8, 4, 2, 1], shape: [2, 1, 2]))
    #expect(set.labels(at: [2, 1]) == IndexTensor([9, 0]))
    #expect(set.labels == IndexTensor([7, 0, 9]))
    #expect(set.images(at: []).shape == [0, 1, 2, 1])
    #expect(set.levels(at: []).shape == [0, 1, 2])
  }

  @Test("256 levels are divided by 255")
  func bytes() throws {
    let set = try load([0, 255, 51, 1], [2, 1, 2], labels: [0, 1])
    #expect(set.images(at: set.indices).scalars == [0, 1, 0.2, Float(1) / 255])
  }

  @Test("The mean image is the mean of each pixel over all images")
  func meanImage() throws {
    let set = try load([0, 16, 8, 4, 1, 1], [3, 1, 2], labels: [7, 0, 9], levels: 17)
    #expect(set.meanImage.shape == [1, 2, 1])
    #expect(set.meanImage.scalars == [3 / 16, 7 / 16])
  }

  @Test("A prefix is the first images, or all of them")
  func prefix() throws {
    let set = try load([0, 1, 2, 3, 4, 5], [3, 1, 2], labels: [7, 0, 9])
    let two = set.prefix(2)
    #expect(two.count == 2)
    #expect(two.levels(at: two.indices).scalars == [0, 1, 2, 3])
    #expect(two.labels.scalars == [7, 0])
    #expect(set.prefix(10).count == 3)
    #expect(set.prefix(0).count == 0)
    #expect(set.subset(at: [2]).levels(at: [0]).scalars == [4, 5])
  }

  @Test("Files that do not belong together, or hold other images, are refused by name")
  func mismatches() throws {
    let path = folder.path
    #expect(
      try problem([1, 2, 3, 4], [2, 1, 2], labels: [1, 2, 3])
        == "\(path)/labels: it has 3 labels, and \(path)/images has 2 images; give the two files that belong together")
    #expect(
      try problem([1, 2, 3, 4], [1, 2, 2], labels: [1])
        == "\(path)/images: its images have 2x2 pixels, not 1x2; give files of 1x2 images")
    #expect(
      try problem([1, 2, 3, 4], [2, 1, 2], labels: [9, 10]).hasPrefix(
        "\(path)/labels: example 1 has the label 10, not 0 to 9; "))
    #expect(
      try problem([1, 2, 17, 4], [2, 1, 2], labels: [1, 2], levels: 17).hasPrefix(
        "\(path)/images: example 1 has the pixel 17, not 0 to 16; "))
    #expect(try problem([1, 2], [2], labels: [1, 2]).contains("images: its rank is 1, not 3; give the right file"))
  }

  @Test("An index beyond the last image stops with the operation and the number of images")
  func outOfRange() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let folder = try TemporaryFolder()
      let set = try LabelledImages(
        imagesFile: folder.writeIDX([1, 1, 1], [0], "i"), labelsFile: folder.writeIDX([1], [0], "l"), height: 1,
        width: 1)
      _ = set.images(at: [0, 1])
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("error: images: there is no image 1; the 1 images are numbered from 0"))
  }
}

@Suite("Batches")
struct BatchesTests {
  @Test("An epoch holds every position once, in a new order each time, and the last batch may be smaller")
  func epoch() {
    var random = Random(seed: 1)
    let first = (100..<1_107).batches(ofSize: 128, shuffledUsing: &random)
    let second = (100..<1_107).batches(ofSize: 128, shuffledUsing: &random)
    #expect(first.map(\.count) == [128, 128, 128, 128, 128, 128, 128, 111])
    for epoch in [first, second] { #expect(epoch.flatMap { $0 }.sorted() == Array(100..<1_107)) }
    #expect(first != second)
    var again = Random(seed: 1)
    #expect((100..<1_107).batches(ofSize: 128, shuffledUsing: &again) == first)
  }

  @Test("Dropping the last batch leaves only whole ones")
  func dropping() {
    var random = Random(seed: 2)
    #expect((0..<10).batches(ofSize: 4, droppingLast: true, shuffledUsing: &random).map(\.count) == [4, 4])
    #expect((0..<8).batches(ofSize: 4, droppingLast: true, shuffledUsing: &random).map(\.count) == [4, 4])
    #expect((0..<3).batches(ofSize: 4, droppingLast: true, shuffledUsing: &random).isEmpty)
    #expect((0..<3).batches(ofSize: 4, shuffledUsing: &random).map(\.count) == [3])
    #expect((0..<0).batches(ofSize: 4, shuffledUsing: &random).isEmpty)
  }

  @Test("Without a generator the batches are in order")
  func inOrder() {
    #expect((0..<5).batches(ofSize: 2) == [[0, 1], [2, 3], [4]])
    #expect((0..<5).batches(ofSize: 2, droppingLast: true) == [[0, 1], [2, 3]])
  }

  /// 23 degrees of freedom; a fair shuffle exceeds 86.6 with probability below 3e-9 (and the seed is fixed).
  @Test("All 24 orders of four are equally likely")
  func fairness() {
    var random = Random(seed: 3)
    var counts: [[Int]: Double] = [:]
    for _ in 0..<24_000 { counts[shuffledIndices(4, using: &random), default: 0] += 1 }
    #expect(counts.count == 24)
    #expect(counts.values.reduce(0) { $0 + ($1 - 1_000) * ($1 - 1_000) / 1_000 } < 86.6)
  }

  @Test("A batch of no examples stops with a clear line")
  func sizeZero() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = (0..<5).batches(ofSize: 0)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("error: batches: a batch cannot have 0 examples; its size must be 1 or more"))
  }
}
