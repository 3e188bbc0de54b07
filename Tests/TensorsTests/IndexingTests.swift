import TestSupport
import Testing

@testable import Tensors

@Suite struct IndexingTests {
  let x = Tensor([[1, 2, 3], [4, 5, 6]])

  @Test func `gathering takes one value for each index`() {
    expect(x.gathered(at: IndexTensor([2, 0, 0, 1], shape: [2, 2]), axis: 1), shape: [2, 2], [3, 1, 4, 5])
    expect(x.gathered(at: IndexTensor([1, 0, 1], shape: [1, 3]), axis: 0), shape: [1, 3], [4, 2, 6])
    let y = Tensor((0..<12).map { Float($0) }, shape: [2, 3, 2])
    expect(
      y.gathered(at: IndexTensor([2, 0, 1, 1], shape: [2, 1, 2]), axis: -2), shape: [2, 1, 2], [4, 1, 8, 9])
    expect(x.gathered(at: IndexTensor([], shape: [2, 0]), axis: 1), shape: [2, 0], [])
  }

  @Test func `scattering adds where indices meet`() {
    let indices = IndexTensor([0, 0, 2, 1], shape: [2, 2])
    expect(
      x.scatterAdded(Tensor([[10, 20], [30, 40]]), at: indices, axis: 1), shape: [2, 3], [31, 2, 3, 4, 45, 36])
    let rows = IndexTensor([1, 1, 0, 1, 0, 0], shape: [2, 3])
    expect(
      x.scatterAdded(Tensor([[10, 20, 30], [40, 50, 60]]), at: rows, axis: 0), shape: [2, 3], [1, 52, 93, 54, 25, 6])
    expect(x, [1, 2, 3, 4, 5, 6])
  }

  @Test func `an embedding looks rows up and sends their gradients back`() {
    let indices = IndexTensor([1, 0, 1, 1], shape: [2, 2])
    expect(embedding(x, indices), shape: [2, 2, 3], [4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    expect(embedding(Tensor([7, 8]), IndexTensor([1])), shape: [1], [8])
    expect(embedding(x, IndexTensor([0], shape: [])), shape: [3], [1, 2, 3])
    let weights = Tensor((1...12).map { Float($0) }, shape: [2, 2, 3])
    expect(gradient(at: x) { (embedding($0, indices) * weights).sum() }, shape: [2, 3], [4, 5, 6, 18, 21, 24])
  }

  @Test func `gradients of a look-up are the same bits on any number of threads`() {
    var random = Random(seed: 90)
    let indices = IndexTensor((0..<5000).map { _ in Int32.random(in: 0..<37, using: &random) })
    let (table, weights) = (normal([37, 19], seed: 91), normal([5000, 19], seed: 92))
    let columns = IndexTensor((0..<5000 * 19).map { _ in Int32.random(in: 0..<7, using: &random) }, shape: [5000, 19])
    let results = [1, 2, 5].map { threads in
      Threads.with(threads) {
        [
          bits(gradient(at: table) { (embedding($0, indices) * weights).sum() }),
          bits(Tensor.zeros([5000, 7]).scatterAdded(weights, at: columns, axis: 1)),
          bits(Tensor.zeros([7, 19]).scatterAdded(weights, at: columns, axis: 0)),
        ]
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
    var expected = [Float](repeating: 0, count: 37)
    for (row, index) in indices.scalars.enumerated() { expected[Int(index)] += weights.scalars[row * 19 + 3] }
    let found = gradient(at: table) { (embedding($0, indices) * weights).sum() }
    expect(found.sliced(3..<4, axis: 1), shape: [37, 1], expected)
  }

  @Test func `one-hot rows`() {
    expect(oneHot(IndexTensor([2, 0]), classes: 3), shape: [2, 3], [0, 0, 1, 1, 0, 0])
    expect(oneHot(IndexTensor([1], shape: []), classes: 2), shape: [2], [0, 1])
    expect(oneHot(IndexTensor([], shape: [0, 4]), classes: 2), shape: [0, 4, 2], [])
  }

  @Test func `index tensors are cut, read and turned into tensors`() {
    let indices = IndexTensor([0, -1, 2, 3, 4, .max], shape: [2, 3])
    #expect(indices[1, 0] == 3 && indices[0, 1] == -1 && IndexTensor([5], shape: [])[] == 5)
    #expect(indices.reshaped(to: [3, -1]) == IndexTensor([0, -1, 2, 3, 4, .max], shape: [3, 2]))
    #expect(indices.sliced(1..<3, axis: 1) == IndexTensor([-1, 2, 4, .max], shape: [2, 2]))
    #expect(indices.sliced(1..<2, axis: 0) == IndexTensor([3, 4, .max], shape: [1, 3]))
    #expect(indices.gathered(rows: IndexTensor([1, 1, 0])).scalars == [3, 4, .max, 3, 4, .max, 0, -1, 2])
    #expect(IndexTensor([7, 8, 9]).gathered(rows: IndexTensor([2, 0])) == IndexTensor([9, 7]))
    expect(Tensor(IndexTensor([3, -2], shape: [2, 1])), shape: [2, 1], [3, -2])
    #expect(IndexTensor(Tensor([[3, -2]])) == IndexTensor([3, -2], shape: [1, 2]))
    // The bits of some whole numbers are those of signalling NaN.
    let odd: [Int32] = [0x7f80_0001, 0x7fa0_0000, -1, 0x7fff_ffff]
    #expect(IndexTensor(odd, shape: [2, 2]).sliced(1..<2, axis: 1).scalars == [odd[1], odd[3]])
  }
}
