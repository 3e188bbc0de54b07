import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Parts and batches of examples")
struct PartitionTests {
  let folder = try! TemporaryFolder()

  @Test("Without repetitions the parts have the sizes asked for, and together they are the whole")
  func sizes() {
    var random = Random(seed: 81)
    let examples = Tensor((0..<50).map { Float($0) }, shape: [25, 2])
    let parts = examples.partitioned(validation: 4, test: 6, using: &random)
    #expect(parts.training.shape == [15, 2] && parts.validation.shape == [4, 2] && parts.test.shape == [6, 2])
    let all = parts.training.scalars + parts.validation.scalars + parts.test.scalars
    #expect(all.sorted() == examples.scalars)
    #expect(all != examples.scalars)
    var again = Random(seed: 81)
    #expect(examples.partitioned(validation: 4, test: 6, using: &again).test.scalars == parts.test.scalars)
    #expect(examples.partitioned(validation: 4, test: 6, using: &again).test.scalars != parts.test.scalars)
  }

  @Test("Equal examples are never in two parts, however often they occur", arguments: [82, 83, 84] as [UInt64])
  func repetitions(seed: UInt64) {
    var random = Random(seed: seed)
    let images = BarsAndStripes(4).samples(1_000, using: &random).reshaped(to: [1_000, 16])
    let parts = images.partitioned(validation: 100, test: 200, using: &random)
    let codes = [parts.training, parts.validation, parts.test].map { Set(binaryCodes(of: $0, size: 16)) }
    #expect(codes[0].isDisjoint(with: codes[1]) && codes[0].isDisjoint(with: codes[2]))
    #expect(codes[1].isDisjoint(with: codes[2]))
    #expect(parts.training.shape[0] + parts.validation.shape[0] + parts.test.shape[0] == 1_000)
    #expect((150...200).contains(parts.test.shape[0]) && (50...100).contains(parts.validation.shape[0]))
  }

  @Test("Labelled images keep their labels, and repeated images stay together")
  func images() throws {
    let values: [UInt8] = (0..<20).map { $0 / 2 } + Array(20..<40)  // ten pairs, twenty single images
    let all = try LabelledImages(
      imagesFile: folder.writeIDX([40, 1, 1], values, "i"),
      labelsFile: folder.writeIDX([40], values.map { $0 % 10 }, "l"), height: 1, width: 1)
    var random = Random(seed: 85)
    let parts = all.partitioned(validation: 7, test: 9, using: &random)
    #expect(parts.training.count == 24 && parts.validation.count == 7 && parts.test.count == 9)
    var seen: Set<Int32> = []
    for part in [parts.training, parts.validation, parts.test] {
      let pixels = part.levels(at: part.indices).scalars
      #expect(part.labels.scalars == pixels.map { $0 % 10 })
      #expect(seen.isDisjoint(with: pixels))
      seen.formUnion(pixels)
    }
  }

  @Test("Tokens are cut too")
  func tokens() {
    var random = Random(seed: 86)
    let parts = IndexTensor([1, 1, 2, 2, 1, 1, 3, 3], shape: [4, 2]).partitioned(test: 1, using: &random)
    #expect(parts.test.shape == [1, 2] && parts.training.shape == [3, 2])
    #expect(parts.test.scalars != [1, 1] && parts.validation.count == 0)
  }

  @Test("Chosen examples come in the order asked for, and an epoch of batches holds each once")
  func batches() {
    let examples = Tensor((0..<12).map { Float($0) }, shape: [6, 1, 2])
    #expect(examples.examples(at: [5, 0, 5]).scalars == [10, 11, 0, 1, 10, 11])
    #expect(examples.examples(at: []).shape == [0, 1, 2])
    #expect(IndexTensor([7, 8, 9]).examples(at: 1..<3).scalars == [8, 9])
    var random = Random(seed: 87)
    let batches = Array(examples.batches(ofSize: 4, shuffledUsing: &random))
    #expect(batches.map(\.shape) == [[4, 1, 2], [2, 1, 2]])
    #expect(batches.flatMap(\.scalars).sorted() == examples.scalars)
    #expect(Array(examples.batches(ofSize: 4, droppingLast: true, shuffledUsing: &random)).count == 1)
    let tokens = Array(IndexTensor([1, 2, 3]).batches(ofSize: 2, shuffledUsing: &random))
    #expect(tokens.flatMap(\.scalars).sorted() == [1, 2, 3])
  }

  @Test("More examples than there are, and an example that is not there, stop with a clear line")
  func mistakes() async {
    let many = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 1)
      _ = Tensor([1, 2, 3]).partitioned(validation: 2, test: 2, using: &random)
    }
    #expect(text(many).contains("error: partitioned: 2 and 2 of 3 examples cannot be taken"))
    let absent = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3]).examples(at: [3])
    }
    #expect(text(absent).contains("error: examples: there is no example 3; the 3 examples are numbered from 0"))
  }
}
