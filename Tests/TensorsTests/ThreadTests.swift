import TestSupport
import Testing

@testable import Tensors

/// Kernels on large sizes: the same results on any number of threads, and storage that comes back.
@Suite struct ThreadTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let body: @Sendable () -> Tensor

    init(_ name: String, _ body: @escaping @Sendable () -> Tensor) {
      testDescription = name
      self.body = body
    }
  }

  static let long = normal([70_003], seed: 70)
  static let wide = normal([130, 517], seed: 71)
  static let tall = normal([517, 130], seed: 72)
  static let cube = normal([33, 65, 40], seed: 73)
  static let cases = [
    Case("arithmetic") { (long + long * 2 - 1) / (square(long) + 1) },
    Case("broadcasting") { wide * wide.sliced(0..<1, axis: 0) - wide.sliced(3..<4, axis: 1) },
    Case("elementary") { exp(long) + log(abs(long)) + sqrt(abs(long)) + sigmoid(long) + softplus(long) + tanh(long) },
    Case("comparisons") { (long .> 0.3) + (long .<= -0.3) + relu(long) + sign(long) },
    Case("sum") { long.sum() }, Case("sum of rows") { tall.sum(axis: 1) }, Case("sum of columns") { wide.sum(axis: 0) },
    Case("sum of a middle axis") { cube.sum(axis: 1) },
    Case("max") { concatenate([long.max(keepingAxes: true), wide.max(axis: 0)], axis: 0) },
    Case("logSumExp") { tall.logSumExp(axis: 0) }, Case("variance") { cube.variance(axes: [0, 2]) },
    Case("more elementary") { gelu(long) + silu(long) + sin(long) + expm1(long) + power(abs(long), 1.5) + elu(long) },
    Case("choices") { select(long .> 0, maximum(long, -long), long.clamped(to: -1...1)) + leakyRelu(long) },
    Case("short rows") { long.sliced(0..<69_999, axis: 0).reshaped(to: [-1, 3]) * Tensor([1, 2, 3]) - 1 },
    Case("sums of short rows") { long.sliced(0..<69_999, axis: 0).reshaped(to: [-1, 3]).sum(axis: 1) },
    Case("sums of few columns") { long.sliced(0..<69_999, axis: 0).reshaped(to: [-1, 3]).sum(axis: 0) },
    Case("min and product") { wide.min(axis: 0) + (wide * 0.1 + 1).product(axis: 0) },
    Case("argmax") { Tensor(tall.argmax(axis: 1).scalars.map { Float($0) }) },
    Case("argmin of columns") { Tensor(tall.argmin(axis: 0).scalars.map { Float($0) }) },
    Case("cumulativeSum") { cube.cumulativeSum(axis: 0) + cube.cumulativeSum(axis: 2) },
    Case("sorted") { cube.sorted(axis: 1).values }, Case("long logSumExp") { long.logSumExp() },
    Case("permuted") { cube.permuted([2, 0, 1]) }, Case("transposed") { wide.transposed() },
    Case("sliced, padded, joined") {
      concatenate([wide.sliced(1..<400, axis: 1).padded(before: 2, after: 1, axis: 1), wide], axis: 1)
    },
    Case("likelihood") { bernoulliLogLikelihood(long .> 0, logits: long * 5) },
    Case("gradients") { gradient(at: wide) { x in gelu(x).product(axis: 0).sum() + x.variance() } },
  ]
  static let products = [
    Case("matmul") { matmul(wide, tall) }, Case("matmul wide") { matmul(tall, wide) },
    Case("matmul transposing first") { matmul(tall, tall, transposingFirst: true) },
    Case("matmul transposing second") { matmul(tall, tall, transposingSecond: true) },
    Case("matmul transposing both") { matmul(wide, tall, transposingFirst: true, transposingSecond: true) },
    Case("linear") { linear(wide, tall, tall.sliced(0..<1, axis: 0).reshaped(to: [130])) },
    Case("gradient of a product") {
      gradient(at: wide) { x in softplus(matmul(tanh(x), tall)).mean() + x.logSumExp(axis: 1).sum() }
    },
  ]

  @Test(arguments: cases + products)
  func `one, two and five threads give the same bits`(_ test: Case) {
    let one = Threads.with(1) { bits(test.body()) }
    #expect(one == Threads.with(2) { bits(test.body()) })
    #expect(one == Threads.with(5) { bits(test.body()) })
  }

  @Test func `large results are the small ones in the same places`() {
    let whole = Self.tall.logSumExp(axis: 1)
    for row in [0, 1, 255, 256, 516] {
      #expect(bits(Self.tall.sliced(row..<row + 1, axis: 0).logSumExp(axis: 1)) == [bits(whole)[row]])
    }
    let map = tanh(Self.long)
    for place in [0, 1, 31, 35_001, 35_002, 70_000, 70_002] {
      #expect(bits(tanh(Self.long.sliced(place..<place + 1, axis: 0))) == [bits(map)[place]])
    }
  }

  @Test func `the number of threads is scoped`() {
    let outside = Threads.count
    Threads.with(3) {
      #expect(Threads.count == 3)
      Threads.with(1) { #expect(Threads.count == 1) }
      #expect(Threads.count == 3)
    }
    #expect(Threads.count == outside)
  }

  // In a process of its own: other tests would take storage at the same time.
  @Test func `after three warm-up steps no storage comes from the system`() async {
    await #expect(processExitsWith: .success) {
      var random = Random(seed: 1)
      var weight = Tensor.normal([100, 50], using: &random)
      var allocations: [Int] = []
      for _ in 0..<10 {
        let x = Tensor.normal([128, 100], using: &random)
        let variable = weight.asVariable()
        let loss = softplus(matmul(x, variable)).sum(axis: 1).mean() + variable.logSumExp(axis: 0).sum()
        weight = weight - (gradientsConsumingGraph(of: loss, withRespectTo: [variable])[0] ?? variable) * 0.1
        allocations.append(StoragePool.allocationCount)
      }
      #expect(allocations[2] > 0 && allocations[9] == allocations[2], "\(allocations)")
    }
  }

  @Test func `size classes hold what is asked for and waste little`() {
    var last = -1
    for count in Array(0...5000) + [65_536, 65_537, 1_000_000, 1 << 30] {
      let size = StoragePool.SizeClass(holding: count)
      #expect(size.capacity >= count && size.capacity % 16 == 0)
      #expect(size.capacity <= max(64, (count + 15) / 16 * 20))
      #expect(size.index >= last && size.index < 4 * Int.bitWidth)
      last = size.index
    }
  }
}
