import GradientChecking
import TestSupport
import Testing

@testable import Tensors

@Suite struct MatrixProductTests {
  @Test func `a product by hand, in the order of its arguments`() {
    let a = Tensor([[1, 2, 3], [4, 5, 6]])
    let b = Tensor([[1, 0], [0, 1], [2, -1]])
    expect(matmul(a, b), shape: [2, 2], [7, -1, 16, -1])
    expect(matmul(b, a), shape: [3, 3], [1, 2, 3, 4, 5, 6, -2, -1, 0])
    expect(matmul(a, a, transposingFirst: true), shape: [3, 3], [17, 22, 27, 22, 29, 36, 27, 36, 45])
    expect(matmul(a, a, transposingSecond: true), shape: [2, 2], [14, 32, 32, 77])
    expect(matmul(b, a, transposingFirst: true, transposingSecond: true), shape: [2, 2], [7, 16, -1, -1])
  }

  static let sizes = [1, 3, 17, 33, 65]

  @Test(arguments: sizes, sizes)
  func `transposition flags on odd shapes`(rows: Int, depth: Int) {
    for columns in [1, 5, 34] {
      let (a, b) = (normal([rows, depth], seed: 50), normal([depth, columns], seed: 51))
      let exact = product(a, b)
      let (at, bt) = (a.transposed(), b.transposed())
      expect(matmul(a, b), shape: [rows, columns], exact, tolerance: 2e-5)
      expect(matmul(at, b, transposingFirst: true), shape: [rows, columns], exact, tolerance: 2e-5)
      expect(matmul(a, bt, transposingSecond: true), shape: [rows, columns], exact, tolerance: 2e-5)
      expect(
        matmul(at, bt, transposingFirst: true, transposingSecond: true), shape: [rows, columns], exact, tolerance: 2e-5)
      let bias = normal([columns], seed: 52)
      let shifted = zip(exact, (0..<rows).flatMap { _ in bias.scalars }).map { $0 + $1 }
      expect(linear(a, b, bias), shape: [rows, columns], shifted, tolerance: 2e-5)
    }
  }

  @Test func `linear keeps the axes in front`() {
    let weight = Tensor([[1, 10], [2, 20]])
    let bias = Tensor([100, 200])
    expect(linear(Tensor([1, 2]), weight, bias), shape: [2], [105, 250])
    expect(linear(Tensor([1, 2, 3, 4], shape: [2, 1, 2]), weight, bias), shape: [2, 1, 2], [105, 250, 111, 310])
    expect(linear(.zeros([0, 2]), weight, bias), shape: [0, 2], [])
  }

  @Test func `an empty inner axis sums nothing`() {
    expect(matmul(.zeros([2, 0]), .zeros([0, 3])), shape: [2, 3], [0, 0, 0, 0, 0, 0])
    expect(matmul(.zeros([0, 2]), .zeros([2, 3])), shape: [0, 3], [])
    expect(matmul(.zeros([2, 2]), .zeros([2, 0])), shape: [2, 0], [])
    expect(linear(.zeros([2, 0]), .zeros([0, 2]), Tensor([1, 2])), shape: [2, 2], [1, 2, 1, 2])
  }

  @Test func `an infinity or NaN stays in its row`() {
    let a = Tensor([[1, .infinity], [1, 1], [.nan, 1]])
    expect(matmul(a, Tensor([[1], [2]])), [.infinity, 3, .nan])
  }

  @Test func `batches multiply pair by pair`() {
    let a = Tensor([1, 2, 3, 4], shape: [2, 1, 2])
    let b = Tensor([5, 6, 7, 8], shape: [2, 2, 1])
    expect(matmul(a, b), shape: [2, 1, 1], [17, 53])
    expect(matmul(a, Tensor([[1, 0], [1, 1]])), shape: [2, 1, 2], [3, 2, 7, 4])
    expect(matmul(Tensor([[1, 1]]), b), shape: [2, 1, 1], [11, 15])
    expect(matmul(a, a, transposingFirst: true), shape: [2, 2, 2], [1, 2, 2, 4, 9, 12, 12, 16])
    expect(matmul(.zeros([2, 0, 3, 0]), .zeros([1, 0, 2])), shape: [2, 0, 3, 2], [])
    expect(matmul(.ones([3, 2, 0]), .ones([3, 0, 2])), shape: [3, 2, 2], [Float](repeating: 0, count: 12))
  }

  /// Leading axes of both factors.
  static let leading: [([Int], [Int])] = [
    ([2], [2]), ([3], []), ([], [3]), ([2, 1], [3]), ([2, 3], [1, 3]), ([1], [5]), ([0], [1]), ([2, 2, 1], [1, 1, 4]),
  ]

  @Test(arguments: leading)
  func `leading axes broadcast, with either factor transposed`(first: [Int], second: [Int]) {
    let leading = broadcastShape(first, second, in: "test")
    let (a, b) = (normal(first + [3, 5], seed: 53), normal(second + [5, 2], seed: 54))
    let rows = leading.reduce(1, *)
    let x = a.broadcast(to: leading + [3, 5]).reshaped(to: [rows, 15])
    let y = b.broadcast(to: leading + [5, 2]).reshaped(to: [rows, 10])
    let exact = (0..<rows).flatMap { row in
      product(
        x.sliced(row..<row + 1, axis: 0).reshaped(to: [3, 5]), y.sliced(row..<row + 1, axis: 0).reshaped(to: [5, 2]))
    }
    for (one, other) in [(false, false), (true, false), (false, true), (true, true)] {
      let (p, q) = (one ? a.transposed() : a, other ? b.transposed() : b)
      expect(
        matmul(p, q, transposingFirst: one, transposingSecond: other), shape: leading + [3, 2], exact, tolerance: 2e-6)
      let report = gradientCheck(
        of: { matmul($0[0], $0[1], transposingFirst: one, transposingSecond: other) }, at: [p, q])
      #expect(report.passes, "\(report)")
    }
  }

  @Test func `large batches on several threads are the same as on one`() {
    let (a, b) = (normal([9, 40, 30], seed: 55), normal([30, 50], seed: 56).broadcast(to: [9, 30, 50]))
    let results = [1, 2, 4].map { threads in Threads.with(threads) { matmul(a, b) } }
    for other in results.dropFirst() { #expect(bits(other) == bits(results[0])) }
  }

  // Several blocks of the depth, bands of rows and strips of columns, each with a rest.
  @Test func `large products are right wherever they are cut`() {
    let (a, b, bias) = (normal([391, 787], seed: 60), normal([787, 83], seed: 61), normal([83], seed: 62))
    let exact = product(a, b)
    let (at, bt) = (a.transposed(), b.transposed())
    for threads in [1, 2] {
      Threads.with(threads) {
        expect(matmul(a, b), exact, tolerance: 2e-4)
        expect(matmul(at, b, transposingFirst: true), exact, tolerance: 2e-4)
        expect(matmul(a, bt, transposingSecond: true), exact, tolerance: 2e-4)
        expect(matmul(at, bt, transposingFirst: true, transposingSecond: true), exact, tolerance: 2e-4)
        expect(linear(a, b, bias) - bias, exact, tolerance: 2e-4)
      }
    }
  }

  @Test func `a product without what a mask cuts is the whole one`() throws {
    let (inputs, outputs) = (75, 91)
    let row = Tensor((0..<inputs).map { Float($0) }).reshaped(to: [inputs, 1])
    let column = Tensor((0..<outputs).map { Float($0) })
    for mask in [row .<= column, row .> column, (row .< 20) * (column .> 60)] {
      let support = try #require(MatrixSupport(mask))
      let variables = [
        normal([300, inputs], seed: 63), normal([inputs, outputs], seed: 64), normal([outputs], seed: 65),
      ]
      .map { $0.asVariable() }
      let (x, weight, bias) = (variables[0], variables[1], variables[2])
      let found = linear(x, weight * mask, bias, support: support)
      let wanted = matmul(x, weight * mask) + bias
      expectClose(found, wanted)
      let upstream = normal([300, outputs], seed: 66)
      let (this, that) = ((found * upstream).sum(), (wanted * upstream).sum())
      let these = withoutGradients { gradients(of: this, withRespectTo: variables) }
      let those = withoutGradients { gradients(of: that, withRespectTo: variables) }
      for (one, other) in zip(these, those) { expectClose(one, other) }
    }
    #expect(MatrixSupport(Tensor.ones([40, 40])) == nil)
  }

  @Test func `gradients of a masked product are right to the second order`() throws {
    let mask = Tensor((0..<35).map { Float($0) }).reshaped(to: [35, 1]) .<= Tensor((0..<19).map { Float($0) })
    let support = try #require(MatrixSupport(mask))
    let inputs = [normal([3, 35], seed: 67), normal([35, 19], seed: 68), normal([19], seed: 69)]
    expectGradients(at: inputs) { linear($0[0], $0[1] * mask, $0[2], support: support) }
  }

  private func product(_ a: Tensor, _ b: Tensor) -> [Float] {
    let (rows, depth, columns) = (a.shape[0], a.shape[1], b.shape[1])
    let (x, y) = (a.scalars, b.scalars)
    return (0..<rows * columns).map { position in
      let (row, column) = (position / columns, position % columns)
      var sum = 0.0
      for k in 0..<depth { sum += Double(x[row * depth + k]) * Double(y[k * columns + column]) }
      return Float(sum)
    }
  }
}
