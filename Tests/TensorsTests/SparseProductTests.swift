import TestSupport
import Testing

@testable import Tensors

/// Products whose left factor is mostly zeros: the same bits as beside rows without zeros, where nothing is left out.
@Suite struct SparseProductTests {
  /// Normal values, of which about the given share is kept.
  private func sparse(_ shape: [Int], keeping share: Float, seed: UInt64) -> Tensor {
    var random = Random(seed: seed)
    return .normal(shape, using: &random) * (.uniform(shape, using: &random) .< share)
  }

  /// Nine rows without a zero after each row.
  private func diluted(_ x: Tensor) -> Tensor {
    let others = Tensor.ones([x.shape[0], 9, x.shape[1]])
    return concatenate([x.reshaped(to: [x.shape[0], 1, x.shape[1]]), others], axis: 1)
      .reshaped(to: [x.shape[0] * 10, x.shape[1]])
  }

  private func everyTenth(_ x: Tensor) -> Tensor {
    x.reshaped(to: [x.shape[0] / 10, 10, x.shape[1]]).sliced(0..<1, axis: 1).reshaped(to: [x.shape[0] / 10, x.shape[1]])
  }

  /// How many values have other bits.
  private func differing(_ a: Tensor, _ b: Tensor) -> Int { zip(bits(a), bits(b)).count { $0 != $1 } }

  @Test(arguments: [32, 49, 130], [16, 63, 64, 65, 200])
  func `leaving out zeros changes no bit`(rows: Int, depth: Int) {
    let x = sparse([rows, depth], keeping: 0.3, seed: 1)
    for columns in [144, 175, 177, 400] {
      let (w, b) = (normal([depth, columns], seed: 2), normal([columns], seed: 3))
      let dense = everyTenth(matmul(diluted(x), w))
      let transposed = (x.transposed(), w.transposed())
      #expect(differing(matmul(x, w), dense) == 0)
      #expect(differing(matmul(x, transposed.1, transposingSecond: true), dense) == 0)
      #expect(differing(matmul(transposed.0, w, transposingFirst: true), dense) == 0)
      #expect(
        differing(matmul(transposed.0, transposed.1, transposingFirst: true, transposingSecond: true), dense) == 0)
      #expect(differing(linear(x, w, b), everyTenth(linear(diluted(x), w, b))) == 0)
      Threads.with(1) { #expect(differing(matmul(x, w), dense) == 0) }
    }
  }

  @Test func `rows without any value give the bias`() {
    let b = normal([150], seed: 4)
    let (x, w) = (Tensor.zeros([40, 90]), normal([90, 150], seed: 5))
    #expect(differing(linear(x, w, b), b + .zeros([40, 150])) == 0)
    #expect(differing(matmul(x, w), .zeros([40, 150])) == 0)
  }

  @Test(arguments: [Float.infinity, -.infinity, .nan])
  func `zero times infinity is not left out`(special: Float) {
    let x = sparse([50, 150], keeping: 0.2, seed: 6)
    var weights = normal([150, 190], seed: 7)
    let finite = matmul(x, weights).scalars
    var values = weights.scalars
    values[149 * 190 + 185] = special
    weights = Tensor(values, shape: [150, 190])
    let (found, factors) = (matmul(x, weights).scalars, x.scalars)
    for place in found.indices where place % 190 != 185 { #expect(found[place] == finite[place]) }
    for row in 0..<50 {
      let (value, expected) = (found[row * 190 + 185], factors[row * 150 + 149] * special)
      #expect(value.isNaN == expected.isNaN && (value.isNaN || value == expected))
    }
  }

  @Test func `an infinity or NaN among the zeros stays in its row`() {
    var values = sparse([40, 80], keeping: 0.2, seed: 8).scalars
    (values[3 * 80 + 7], values[5 * 80 + 9]) = (.nan, .infinity)
    let found = matmul(Tensor(values, shape: [40, 80]), .ones([80, 160])).scalars
    for row in 0..<40 { #expect(found[row * 160 + 159].isFinite == (row != 3 && row != 5)) }
    #expect(found[3 * 160].isNaN && found[5 * 160] == .infinity)
  }
}
