import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct SoftmaxTests {
  static let shapes = [[1], [3], [2, 5], [3, 17], [2, 1, 16], [2, 3, 33], [0, 4], [5, 1]]

  @Test func `values by hand along either axis`() {
    let x = Tensor([[0, Float(log(3.0))], [Float(log(2.0)), 0]])
    expect(softmax(x), shape: [2, 2], [0.25, 0.75, 2 / 3, 1 / 3], tolerance: 1e-6)
    expect(softmax(x, axis: 0), [1 / 3, 0.75, 2 / 3, 0.25], tolerance: 1e-6)
    expect(logSoftmax(x), [-1.386_294_4, -0.287_682_07, -0.405_465_1, -1.098_612_3], tolerance: 1e-6)
    expect(
      categoricalLogLikelihood(x, IndexTensor([1, 0])), shape: [2], [-0.287_682_07, -0.405_465_1], tolerance: 1e-6)
    expect(
      categoricalLogLikelihood(Tensor([0, 0]), IndexTensor([1], shape: [])), shape: [], [-0.693_147_2], tolerance: 1e-6)
  }

  @Test func `large logits neither overflow nor lose digits`() {
    expect(softmax(Tensor([1e4, 1e4])), [0.5, 0.5])
    expect(logSoftmax(Tensor([1e4, 1e4 - 1, -1e4])), [-0.313_261_7, -1.313_261_7, -20_000.312], tolerance: 1e-6)
    expect(softmax(Tensor([0, -.infinity])), [1, 0])
    #expect(softmax(Tensor([0, .nan])).scalars.filter(\.isNaN).count == 2)
    expect(categoricalLogLikelihood(Tensor([[3e4, 0]]), IndexTensor([1])), [-3e4])
    expect(
      gradient(at: Tensor([[0, -.infinity, 0]])) { categoricalLogLikelihood($0, IndexTensor([0])).sum() },
      [0.5, 0, -0.5])
  }

  @Test(arguments: shapes)
  func `both are their definitions along every axis`(shape: [Int]) {
    let x = normal(shape, seed: 400) * 3
    for axis in shape.indices {
      let e = exp(x)
      expectClose(softmax(x, axis: axis), e / e.sum(axis: axis, keepingAxes: true))
      let wanted = x - log(e.sum(axis: axis, keepingAxes: true))
      expect(logSoftmax(x, axis: axis - shape.count), shape: shape, wanted.scalars, tolerance: 2e-6)
    }
  }

  @Test(arguments: [[1], [3], [2, 5], [2, 17], [2, 1, 3], [0, 4]])
  func `gradients of both orders`(shape: [Int]) {
    let x = normal(shape, seed: 401)
    for axis in shape.indices {
      expectGradients(at: [x]) { softmax($0[0], axis: axis) }
      expectGradients(at: [x]) { logSoftmax($0[0], axis: axis) }
    }
    let labels = IndexTensor(
      (0..<x.count / max(1, shape[shape.count - 1])).map { Int32($0 * 7 % shape[shape.count - 1]) },
      shape: shape.dropLast())
    expectGradients(at: [x]) { categoricalLogLikelihood($0[0], labels) }
  }

  @Test func `the categorical log-likelihood picks logSoftmax at the labels`() {
    let x = normal([3, 4, 19], seed: 402)
    let labels = (0..<12).map { Int32($0 * 5 % 19) }
    let all = logSoftmax(x).scalars
    expect(
      categoricalLogLikelihood(x, IndexTensor(labels, shape: [3, 4])), shape: [3, 4],
      labels.enumerated().map { all[$0 * 19 + Int($1)] })
  }

  @Test func `many rows on several threads are the same as on one`() {
    let x = normal([3000, 21], seed: 403)
    let labels = IndexTensor((0..<3000).map { Int32($0 % 21) })
    let results = [1, 4].map { threads in
      Threads.with(threads) {
        withoutGradients {
          [
            softmax(x), categoricalLogLikelihood(x, labels),
            gradient(at: x) { square(softmax($0)).sum() + (logSoftmax($0) * x).sum() },
            gradient(at: x) { square(categoricalLogLikelihood($0, labels)).sum() },
          ]
        }
      }
    }
    for (one, four) in zip(results[0], results[1]) { #expect(bits(one) == bits(four)) }
  }
}
