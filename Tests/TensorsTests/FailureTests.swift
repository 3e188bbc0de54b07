import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Mistakes stop the program with the operation, the shapes, and the line of the mistake.
@Suite struct FailureTests {
  static let mistakes: [Mistake] = [
    Mistake("+", "[2, 3]", "[2, 4]", "3 meets 4") { _ = Tensor.zeros([2, 3]) + Tensor.zeros([2, 4]) },
    Mistake("matmul", "[2, 3]", "[5, 4]", "3 meets 4") { _ = matmul(a, .zeros([5, 4]), transposingSecond: true) },
    Mistake("linear", "[2, 3]", "[4, 2]", "[2]") { _ = linear(a, .zeros([4, 2]), .zeros([2])) },
    Mistake("reshaped", "6 values", "[2, 3]", "[4, -1]") { _ = a.reshaped(to: [4, -1]) },
    Mistake("broadcast", "[2, 3]", "[3]") { _ = a.broadcast(to: [3]) },
    Mistake("broadcast", "[-2]") { _ = Tensor.zeros([1]).broadcast(to: [-2]) },
    Mistake("sliced", "1..<4", "axis 1", "[2, 3]") { _ = a.sliced(1..<4, axis: 1) },
    Mistake("concatenate", "[2, 3]", "[3, 3]", "axis 1") { _ = concatenate([a, .zeros([3, 3])], axis: 1) },
    Mistake("sum", "axis 2", "[2, 3]") { _ = a.sum(axis: 2) },
    Mistake("scalar", "[2, 3]") { _ = a.scalar },
    Mistake("permuted", "[0, 0]", "[2, 3]") { _ = a.permuted([0, 0]) },
    Mistake("mean", "[2, 0]") { _ = Tensor.zeros([2, 0]).mean(axis: 1) },
    Mistake("mean", "axis 2", "[2, 3]") { _ = a.mean(axis: 2) },
    Mistake("variance", "[2, 0]") { _ = Tensor.zeros([2, 0]).variance(axes: [1]) },
    Mistake("Tensor", "4611686018427387904", "fit in memory") { _ = Tensor.zeros([0, 1 << 62, 1 << 62]) },
    Mistake("gradient(at:)", "scalar", "[2, 3]", "sum or mean") { _ = gradient(at: a) { $0 * 2 } },
    Mistake("gradients(of:withRespectTo:)", "tensor 1", "[2, 3]", line: #line + 1) {
      _ = gradients(of: x.sum(), withRespectTo: [x, y])
    },
    Mistake("gradients(of:withRespectTo:)", "tensor 0", "[2, 3]", "it is a constant", line: #line + 1) {
      _ = gradients(of: x.sum(), withRespectTo: [a])
    },
    Mistake("gradients(of:withRespectTo:)", "used up", "compute the value again", line: #line + 3) {
      let loss = square(x).sum()
      _ = gradientsConsumingGraph(of: loss, withRespectTo: [x])
      _ = gradients(of: loss, withRespectTo: [x])
    },
    Mistake("bernoulliLogLikelihood", "[2, 3]", "[3]") { _ = bernoulliLogLikelihood(a, logits: .zeros([3])) },
    Mistake("transposed", "two axes", "[2]") { _ = x.transposed() },
    Mistake("concatenate", "nothing to join") { _ = concatenate([], axis: 0) },
    Mistake("Threads.with", "1 thread", "not 0") { Threads.with(0) {} },
    Mistake("minimum", "[2, 3]", "[2]", "3 meets 2") { _ = minimum(a, .zeros([2])) },
    Mistake("maximum", "[2, 3]", "[2]", "2 meets 3") { _ = maximum(.zeros([2]), a) },
    Mistake("power", "[2, 3]", "[4]", "3 meets 4") { _ = power(a, .zeros([4])) },
    Mistake("select", "[2, 3]", "[4]", "3 meets 4") { _ = select(a, a, .zeros([4])) },
    Mistake(".!=", "[2, 3]", "[4]", "3 meets 4") { _ = (a .!= .zeros([4])) },
    Mistake("product", "axis 2", "[2, 3]") { _ = a.product(axis: 2) },
    Mistake("max", "named twice", "[2, 3]") { _ = a.max(axes: [1, -1]) },
    Mistake("max", "no values", "[2, 0]") { _ = Tensor.zeros([2, 0]).max(axis: 1) },
    Mistake("min", "no values", "[0]") { _ = Tensor.zeros([0]).min() },
    Mistake("argmax", "axis -3", "[2, 3]") { _ = a.argmax(axis: -3) },
    Mistake("argmin", "no values", "axis 1", "[2, 0]") { _ = Tensor.zeros([2, 0]).argmin(axis: 1) },
    Mistake("cumulativeSum", "axis 2", "[2, 3]") { _ = a.cumulativeSum(axis: 2) },
    Mistake("sorted", "axis 5", "[2, 3]") { _ = a.sorted(axis: 5) },
    Mistake("logSumExp", "axis 2", "[2, 3]") { _ = a.logSumExp(axis: 2) },
    Mistake("categorical", "[2, 0]", line: #line + 2) {
      var random = Random(seed: 1)
      _ = IndexTensor.categorical(logits: .zeros([2, 0]), using: &random)
    },
    Mistake("categorical", "−∞", "[1, 2]", line: #line + 2) {
      var random = Random(seed: 1)
      _ = IndexTensor.categorical(logits: Tensor(repeating: -.infinity, shape: [1, 2]), using: &random)
    },
    Mistake("permutation", "-1", line: #line + 2) {
      var random = Random(seed: 1)
      _ = IndexTensor.permutation(-1, using: &random)
    },
    Mistake("matmul", "[2, 3]", "[3]", "two matrices") { _ = matmul(a, .zeros([3])) },
    Mistake("matmul", "[2]", "[3]", "2 meets 3") { _ = matmul(.zeros([2, 1, 3]), .zeros([3, 3, 1])) },
    Mistake("softmax", "axis 2", "[2, 3]") { _ = softmax(a, axis: 2) },
    Mistake("logSoftmax", "axis -1", "[]") { _ = logSoftmax(.zeros([])) },
    Mistake("categoricalLogLikelihood", "[3]", "[2, 3]") { _ = categoricalLogLikelihood(a, IndexTensor([0, 1, 2])) },
    Mistake("categoricalLogLikelihood", "index 3 at [1]", "0..<3", line: #line + 1) {
      _ = categoricalLogLikelihood(a, IndexTensor([0, 3]))
    },
    Mistake("Tensor", "3 values", "[2, 2]") { _ = Tensor([1, 2, 3], shape: [2, 2]) },
  ]

  static let a = Tensor.zeros([2, 3])
  static let x = Tensor([1, 2]).asVariable()
  static let y = Tensor.zeros([2, 3]).asVariable()

  @Test(arguments: mistakes.indices)
  func `a mistake names operation, shapes, file and line`(index: Int) async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) { [index] in
      FailureTests.mistakes[index].body()
    }
    let mistake = Self.mistakes[index]
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.hasPrefix("error: \(mistake.testDescription): "), "\(message)")
    for part in mistake.parts + ["/FailureTests.swift:\(mistake.line)"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(message.split(separator: "\n").count == 1, "\(message)")
  }
}
