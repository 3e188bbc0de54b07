import TestSupport
import Testing

@testable import Tensors

@Suite struct ShapingTests {
  let x = Tensor([[1, 2, 3], [4, 5, 6]])

  @Test func `reshaping keeps the order`() {
    expect(x.reshaped(to: [3, 2]), shape: [3, 2], [1, 2, 3, 4, 5, 6])
    expect(x.reshaped(to: [-1]), shape: [6], [1, 2, 3, 4, 5, 6])
    expect(x.reshaped(to: [1, -1, 2]), shape: [1, 3, 2], [1, 2, 3, 4, 5, 6])
    expect(Tensor(3).reshaped(to: [1, 1]), shape: [1, 1], [3])
    expect(Tensor([[3]]).reshaped(to: []), shape: [], [3])
    expect(Tensor.zeros([0, 3]).reshaped(to: [3, 0]), shape: [3, 0], [])
    expect(Tensor.zeros([0, 3]).reshaped(to: [-1, 3]), shape: [0, 3], [])
  }

  @Test func `broadcasting repeats`() {
    expect(x.broadcast(to: [2, 2, 3]), shape: [2, 2, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    expect(Tensor([[1], [2]]).broadcast(to: [2, 3]), shape: [2, 3], [1, 1, 1, 2, 2, 2])
    expect(Tensor(7).broadcast(to: [2]), shape: [2], [7, 7])
    expect(Tensor([1, 2], shape: [1, 2, 1]).broadcast(to: [2, 2, 2]), shape: [2, 2, 2], [1, 1, 2, 2, 1, 1, 2, 2])
    expect(Tensor([[1, 2]]).broadcast(to: [0, 2]), shape: [0, 2], [])
  }

  @Test func `permuting moves axis order[k] to k`() {
    let y = Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
    let z = y.permuted([1, 2, 0])
    #expect(z.shape == [3, 4, 2])
    for i in 0..<2 {
      for j in 0..<3 {
        for k in 0..<4 { #expect(z.scalars[(j * 4 + k) * 2 + i] == y.scalars[(i * 3 + j) * 4 + k]) }
      }
    }
    expect(z.permuted([2, 0, 1]), shape: [2, 3, 4], y.scalars)
    expect(x.transposed(), shape: [3, 2], [1, 4, 2, 5, 3, 6])
    expect(x.repeated(2, axis: 0), shape: [4, 3], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    expect(x.repeated(2, axis: -1), shape: [2, 6], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    expect(x.repeated(0, axis: 1), shape: [2, 0], [])
    expect(Tensor([1, 2, 3, 4], shape: [2, 1, 2]).transposed(), shape: [2, 2, 1], [1, 2, 3, 4])
    expect(Tensor(1).permuted([]), shape: [], [1])
    expect(Tensor.zeros([0, 2]).transposed(), shape: [2, 0], [])
  }

  @Test(arguments: [1, 3, 17, 33, 65, 257])
  func `transposing odd sizes twice gives the same`(size: Int) {
    let y = normal([size, size + 2], seed: 40)
    let z = y.transposed()
    #expect(z.scalars[(size + 1) * size] == y.scalars[size + 1])
    #expect(z.scalars[size - 1] == y.scalars[(size - 1) * (size + 2)])
    #expect(bits(z.transposed()) == bits(y))
  }

  @Test func `slicing and padding each axis`() {
    expect(x.sliced(0..<1, axis: 0), shape: [1, 3], [1, 2, 3])
    expect(x.sliced(1..<3, axis: 1), shape: [2, 2], [2, 3, 5, 6])
    expect(x.sliced(2..<3, axis: -1), shape: [2, 1], [3, 6])
    expect(x.sliced(1..<1, axis: 0), shape: [0, 3], [])
    expect(x.padded(before: 1, after: 2, axis: 1), shape: [2, 6], [0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0])
    expect(x.padded(before: 0, after: 1, axis: -2), shape: [3, 3], [1, 2, 3, 4, 5, 6, 0, 0, 0])
    expect(x.padded(before: 0, after: 0, axis: 0), shape: [2, 3], [1, 2, 3, 4, 5, 6])
    let y = Tensor((0..<12).map { Float($0) }, shape: [2, 3, 2])
    expect(y.sliced(1..<3, axis: 1), shape: [2, 2, 2], [2, 3, 4, 5, 8, 9, 10, 11])
  }

  @Test func `concatenating along each axis`() {
    let y = Tensor([[7, 8, 9]])
    expect(concatenate([x, y], axis: 0), shape: [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let z = Tensor([[7], [8]])
    expect(concatenate([z, x, z], axis: -1), shape: [2, 5], [7, 1, 2, 3, 7, 8, 4, 5, 6, 8])
    expect(concatenate([x], axis: 1), shape: [2, 3], x.scalars)
    expect(concatenate([x, .zeros([2, 0])], axis: 1), shape: [2, 3], x.scalars)
    expect(concatenate([Tensor.zeros([0]), .zeros([0])], axis: 0), shape: [0], [])
  }

  @Test func `stacking makes a new axis`() {
    let y = Tensor([[7, 8, 9], [10, 11, 12]])
    expect(stack([x, y], axis: 0), shape: [2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(stack([x, y], axis: 1), shape: [2, 2, 3], [1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12])
    expect(stack([x, y], axis: -1), shape: [2, 3, 2], [1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12])
    expect(stack([Tensor(1), Tensor(2), Tensor(3)], axis: 0), shape: [3], [1, 2, 3])
    expect(stack([Tensor.zeros([0])], axis: 1), shape: [0, 1], [])
  }

  @Test func `splitting gives parts that concatenate to the whole`() {
    let parts = x.split(sizes: [1, 0, 2], axis: 1)
    expect(parts[0], shape: [2, 1], [1, 4])
    expect(parts[1], shape: [2, 0], [])
    expect(parts[2], shape: [2, 2], [2, 3, 5, 6])
    expect(concatenate(parts, axis: -1), shape: [2, 3], x.scalars)
    #expect(Tensor.zeros([0, 2]).split(sizes: [], axis: 0).isEmpty)
  }

  @Test func `slicing several axes at once`() {
    let y = Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
    expect(y.sliced([1..<2, 0..<2, 1..<4]), shape: [1, 2, 3], [13, 14, 15, 17, 18, 19])
    expect(y.sliced([0..<2, 2..<3]), shape: [2, 1, 4], [8, 9, 10, 11, 20, 21, 22, 23])
    expect(y.sliced([2..<2, 3..<3, 4..<4]), shape: [0, 0, 0], [])
    expect(y.sliced([]), shape: [2, 3, 4], y.scalars)
  }

  @Test func `replacing a part leaves the rest and the original`() {
    expect(x.replacing(1..<3, axis: 1, with: Tensor([[7, 8], [9, 10]])), shape: [2, 3], [1, 7, 8, 4, 9, 10])
    expect(x.replacing(0..<1, axis: 0, with: Tensor(0)), shape: [2, 3], [0, 0, 0, 4, 5, 6])
    expect(x.replacing(0..<2, axis: -1, with: Tensor([[7], [8]])), shape: [2, 3], [7, 7, 3, 8, 8, 6])
    expect(x.replacing(2..<2, axis: 0, with: Tensor(9)), shape: [2, 3], [1, 2, 3, 4, 5, 6])
    expect(x, [1, 2, 3, 4, 5, 6])
  }

  @Test func `flipping, rolling and tiling`() {
    expect(x.flipped(axis: 0), shape: [2, 3], [4, 5, 6, 1, 2, 3])
    expect(x.flipped(axis: -1), shape: [2, 3], [3, 2, 1, 6, 5, 4])
    expect(Tensor.zeros([2, 0]).flipped(axis: 1), shape: [2, 0], [])
    expect(x.rolled(by: 1, axis: 1), shape: [2, 3], [3, 1, 2, 6, 4, 5])
    expect(x.rolled(by: -4, axis: 1), shape: [2, 3], [2, 3, 1, 5, 6, 4])
    expect(x.rolled(by: 3, axis: 0), shape: [2, 3], [4, 5, 6, 1, 2, 3])
    expect(x.rolled(by: 6, axis: 1), shape: [2, 3], x.scalars)
    expect(Tensor.zeros([0]).rolled(by: 2, axis: 0), shape: [0], [])
    expect(x.tiled(times: 2, axis: 0), shape: [4, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    expect(x.tiled(times: 2, axis: 1), shape: [2, 6], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    expect(x.tiled(times: 0, axis: 0), shape: [0, 3], [])
  }

  @Test(arguments: [
    ([4, 33, 3, 17], [0, 2, 1, 3]), ([5, 6, 7, 8], [3, 2, 1, 0]), ([2, 70, 300], [2, 0, 1]),
    ([300, 2, 70], [2, 1, 0]),
    ([130, 1, 257], [2, 1, 0]), ([3, 20_000], [1, 0]), ([20_000, 3], [1, 0]), ([2, 3, 5, 4, 3], [4, 1, 3, 0, 2]),
  ])
  func `a permutation moves every element to its place`(shape: [Int], order: [Int]) {
    let y = normal(shape, seed: 41)
    let z = y.permuted(order)
    let reading = order.map { strides(of: shape)[$0] }
    let own = strides(of: z.shape)
    let (from, to) = (y.scalars, z.scalars)
    let misplaced = to.indices.first { place in
      to[place] != from[reading.indices.reduce(0) { $0 + place / own[$1] % z.shape[$1] * reading[$1] }]
    }
    #expect(misplaced == nil)
  }

  @Test func `long copies are whole, on any number of threads`() {
    let y = normal([3, 50_001], seed: 42)
    for threads in [1, 2, 5] {
      Threads.with(threads) {
        let joined = concatenate([y, y], axis: 1)
        #expect(bits(joined.sliced(0..<50_001, axis: 1)) == bits(y))
        #expect(bits(joined.sliced(50_001..<100_002, axis: 1)) == bits(y))
        #expect(bits(y.rolled(by: 20_000, axis: 1).rolled(by: 30_001, axis: 1)) == bits(y))
        #expect(bits(y.flipped(axis: 1).flipped(axis: 1)) == bits(y))
        #expect(y.flipped(axis: 1).scalars[50_000] == y.scalars[0])
        #expect(bits(stack([y, y], axis: 0).sliced(1..<2, axis: 0)) == bits(y))
      }
    }
  }
}
