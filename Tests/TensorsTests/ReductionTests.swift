import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct ReductionTests {
  // 0 1 2 | 3 4 5
  // 6 7 8 | 9 10 11
  let x = Tensor((0..<12).map { Float($0) }, shape: [2, 2, 3])

  @Test func `sums over every choice of axes`() {
    expect(x.sum(), shape: [], [66])
    expect(x.sum(keepingAxes: true), shape: [1, 1, 1], [66])
    expect(x.sum(axis: 0), shape: [2, 3], [6, 8, 10, 12, 14, 16])
    expect(x.sum(axis: 1), shape: [2, 3], [3, 5, 7, 15, 17, 19])
    expect(x.sum(axis: 2), shape: [2, 2], [3, 12, 21, 30])
    expect(x.sum(axis: -1, keepingAxes: true), shape: [2, 2, 1], [3, 12, 21, 30])
    expect(x.sum(axes: [0, 1]), shape: [3], [18, 22, 26])
    expect(x.sum(axes: [2, 0]), shape: [2], [24, 42])
    expect(x.sum(axes: [0, -1], keepingAxes: true), shape: [1, 2, 1], [24, 42])
    expect(x.sum(axes: [1, 2]), shape: [2], [15, 51])
    expect(x.sum(axes: []), shape: [2, 2, 3], x.scalars)
  }

  @Test func `mean, variance, max and logSumExp by hand`() {
    expect(x.mean(), [5.5])
    expect(x.mean(axis: 1), [1.5, 2.5, 3.5, 7.5, 8.5, 9.5])
    expect(x.mean(axes: [0, 2], keepingAxes: true), shape: [1, 2, 1], [4, 7])
    expect(Tensor([1, 2, 3, 6]).variance(), [3.5])
    expect(Tensor([[1, 3], [2, 8]]).variance(axes: [1]), [1, 9])
    expect(Tensor([[1, 3], [2, 9]]).variance(axes: [0], keepingAxes: true), shape: [1, 2], [0.25, 9])
    expect(Tensor([[1, -3], [-2, -8]]).max(axis: 1), [1, -2])
    expect(Tensor([[1, -3], [-2, -8]]).max(axis: 0, keepingAxes: true), shape: [1, 2], [1, -3])
    expect(x.max(), [11])
    expect(Tensor([0, 0]).logSumExp(), [Float(log(2.0))], tolerance: 1e-7)
    expect(Tensor([[0, 1], [2, 3]]).logSumExp(axis: 0), [2.126_928_01, 3.126_928_01], tolerance: 2e-7)
  }

  @Test func `product, min, argmax, argmin, cumulative sum and order by hand`() {
    expect((x + 1).product(axes: [0, 1]), shape: [3], [280, 880, 1944])
    expect(Tensor([[2, -3], [0.5, 4]]).product(axis: 1, keepingAxes: true), shape: [2, 1], [-6, 2])
    expect(Tensor.zeros([2, 0]).product(axis: 1), shape: [2], [1, 1])
    expect(Tensor([[1, -3], [-2, -8]]).min(axis: 1), [-3, -8])
    expect(Tensor([3, .nan, 1]).min(), [.nan])
    let y = Tensor([[3, 1, 3], [0, .nan, 7], [-1, -1, -2]])
    #expect(y.argmax(axis: 1) == IndexTensor([0, 1, 0]))
    #expect(y.argmin(axis: 1) == IndexTensor([1, 1, 2]))
    #expect(y.argmax(axis: 0) == IndexTensor([0, 1, 1]))
    #expect(y.argmin(axis: -2) == IndexTensor([2, 1, 2]))
    expect(y.sliced(0..<1, axis: 0).cumulativeSum(axis: 1), shape: [1, 3], [3, 4, 7])
    expect(x.cumulativeSum(axis: 1), [0, 1, 2, 3, 5, 7, 6, 7, 8, 15, 17, 19])
    let (values, order) = y.sorted(axis: 1)
    expect(values, shape: [3, 3], [1, 3, 3, 0, 7, .nan, -2, -1, -1])
    #expect(order == IndexTensor([1, 0, 2, 0, 2, 1, 2, 0, 1], shape: [3, 3]))
    #expect(Tensor([0, -0.0, .infinity, -.infinity, -1]).sorted(axis: 0).indices == IndexTensor([3, 4, 0, 1, 2]))
    expect(
      gradient(at: Tensor([3, 1, 2])) { ($0.sorted(axis: 0).values * Tensor([10, 20, 30])).sum() }, [30, 10, 20])
    expect(gradient(at: Tensor([0, 2, 3])) { $0.product() }, [6, 0, 0])
  }

  @Test(arguments: [1, 2, 3, 5, 8, 15, 16, 17, 63, 64, 65, 130, 513, 600])
  func `sums, extremes and their places do not depend on the shape`(width: Int) {
    for rows in [1, 2, 5, 64, 300, 1100] {
      // Whole numbers, so that sums are exact.
      let x = floor(normal([rows, width], seed: UInt64(rows + width)) * 20)
      let (scalars, back) = (x.scalars, x.transposed())
      let sums = (0..<width).map { column in (0..<rows).reduce(0) { $0 + scalars[$1 * width + column] } }
      let largest = (0..<width).map { column in (0..<rows).map { scalars[$0 * width + column] }.max() ?? 0 }
      expect(x.sum(axis: 0), sums)
      expect(back.sum(axis: 1), sums)
      expect(x.max(axis: 0), largest)
      expect(back.max(axis: 1), largest)
      expect(-(-back).min(axis: 1), largest)
      #expect(x.argmax(axis: 0) == back.argmax(axis: 1))
      for (column, row) in x.argmin(axis: 0).scalars.enumerated() {
        let column = (0..<rows).map { scalars[$0 * width + column] }
        #expect(column.firstIndex(of: column.min() ?? 0) == Int(row))
      }
      expect(stacked(x).sum(axis: 1), shape: [2, width], sums + sums.map { $0 * 2 })
    }
  }

  /// `[rows, width]` and its double, `[2, rows, width]`.
  private func stacked(_ x: Tensor) -> Tensor {
    concatenate([x, x * 2], axis: 0).reshaped(to: [2] + x.shape)
  }

  @Test func `empty axes sum to zero and are refused where there is no value`() {
    expect(Tensor.zeros([3, 0]).sum(axis: 1), shape: [3], [0, 0, 0])
    expect(Tensor.zeros([3, 0]).sum(axis: 0), shape: [0], [])
    expect(Tensor.zeros([0]).sum(), shape: [], [0])
    expect(Tensor.zeros([0, 3]).max(axis: 1), shape: [0], [])
    expect(Tensor.zeros([2, 0]).logSumExp(axis: 1), [-.infinity, -.infinity])
    expect(Tensor.zeros([2, 0]).cumulativeSum(axis: 1), shape: [2, 0], [])
    expect(Tensor.zeros([2, 0]).sorted(axis: 1).values, shape: [2, 0], [])
    #expect(Tensor.zeros([0, 3]).argmax(axis: 1) == IndexTensor([]))
    expect(Tensor.zeros([2, 0, 3]).sum(axis: 1), shape: [2, 3], [0, 0, 0, 0, 0, 0])
  }

  @Test func `max keeps NaN wherever it stands, and infinities`() {
    for position in [0, 5, 16, 40, 63, 64, 80] {
      var values = (0..<81).map { Float($0) }
      values[position] = .nan
      #expect(Tensor(values).max().scalar.isNaN, "\(position)")
      #expect(Tensor(values, shape: [81, 1]).max(axis: 0).scalars[0].isNaN, "\(position)")
      #expect(Tensor(values, shape: [9, 9]).max(axis: 0).scalars[position % 9].isNaN, "\(position)")
    }
    expect(Tensor([-.infinity, -.infinity]).max(), [-.infinity])
    expect(Tensor([-.infinity, .infinity]).max(), [.infinity])
    expect(Tensor(repeating: -5, shape: [17]).max(), [-5])
  }

  @Test func `logSumExp neither overflows nor loses infinities`() {
    expect(Tensor([1e4, 1e4]).logSumExp(), [1e4 + Float(log(2.0))])
    expect(Tensor([-1e4, -1e4]).logSumExp(), [-1e4 + Float(log(2.0))])
    expect(Tensor([-1e4, 1e4]).logSumExp(), [1e4])
    expect(Tensor([-.infinity, 0]).logSumExp(), [0])
    expect(Tensor([-.infinity, -.infinity]).logSumExp(), [-.infinity])
    expect(Tensor([.infinity, 0]).logSumExp(), [.infinity])
    expect(Tensor([[1e4, 0], [-1e4, -.infinity]]).logSumExp(axis: 1), [1e4, -1e4])
    #expect(Tensor([.nan, 0]).logSumExp().scalar.isNaN)
  }

  @Test func `the gradient of logSumExp at extremes is a softmax`() {
    expect(gradient(at: Tensor([1e4, 1e4, -1e4])) { $0.logSumExp() }, [0.5, 0.5, 0])
    expect(gradient(at: Tensor([0, -.infinity])) { $0.logSumExp() }, [1, 0])
  }

  @Test func `equal maxima share the gradient`() {
    expect(gradient(at: Tensor([3, 1, 3, 2])) { $0.max() }, [0.5, 0, 0.5, 0])
    expect(gradient(at: Tensor([[3, 1], [3, 2]])) { $0.max(axis: -2).sum() }, [0.5, 0, 0.5, 1])
  }

  @Test(arguments: [
    [1_000_000], [1_000_000, 1], [1, 1_000_000], [500_000, 2], [2, 500_000], [62_500, 16], [30_303, 33],
  ])
  func `sums of a million equal values stay accurate`(shape: [Int]) {
    // The hardest case: every rounding goes the same way.
    let x = Tensor(repeating: 0.1, shape: shape)
    let total = Double(x.count) * Double(0.1 as Float)
    #expect(abs(Double(x.sum().scalar) / total - 1) < 2e-6)
    #expect(abs(Double(x.mean().scalar) / Double(0.1 as Float) - 1) < 2e-6)
    let longAxis = shape.firstIndex(of: shape.max() ?? 0) ?? 0
    for part in x.sum(axis: longAxis).scalars {
      #expect(abs(Double(part) / (Double(shape[longAxis]) * Double(0.1 as Float)) - 1) < 2e-5)
    }
  }

  @Test func `sums of a million random values stay accurate`() {
    let x = uniform([1_000_000], in: 0..<1, seed: 30)
    let exact = x.withUnsafeScalars { $0.reduce(0.0) { $0 + Double($1) } }
    #expect(abs(Double(x.sum().scalar) / exact - 1) < 5e-7)
    #expect(abs(Double(x.reshaped(to: [1000, 1000]).sum(axis: 0).sum().scalar) / exact - 1) < 5e-7)
    #expect(abs(Double(x.reshaped(to: [1000, 1000]).sum(axis: 1).sum().scalar) / exact - 1) < 5e-7)
  }

  @Test func `variance does not cancel far from zero`() {
    let x = normal([10_001], seed: 31) + 1000
    let mean = x.scalars.reduce(0.0) { $0 + Double($1) } / 10_001
    let exact = x.scalars.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 10_001
    #expect(abs(Double(x.variance().scalar) / exact - 1) < 1e-4)
  }
}
