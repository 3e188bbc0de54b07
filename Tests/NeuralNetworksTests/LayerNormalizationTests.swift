import Tensors
import TestSupport
import Testing

@testable import NeuralNetworks

@Suite struct LayerNormalizationTests {
  @Test func `values by hand`() {
    let y = layerNormalized(
      Tensor([[1, 3], [-2, 2]]), scale: Tensor([1, 2]), offset: Tensor([10, 20]), epsilon: 0)
    expect(y, shape: [2, 2], [9, 22, 9, 22], tolerance: 1e-6)
    // Variance 1 and epsilon 3 give a divisor of 2.
    expect(
      layerNormalized(Tensor([1, 3]), scale: .ones([2]), offset: .zeros([2]), epsilon: 3), [-0.5, 0.5], tolerance: 1e-6)
    expect(layerNormalized(Tensor([5]), scale: Tensor([2]), offset: Tensor([7])), [7])
    expect(layerNormalized(.zeros([2, 0]), scale: .zeros([0]), offset: .zeros([0])), shape: [2, 0], [])
  }

  @Test(arguments: [1, 3, 16, 17, 40])
  func `gradients of both orders`(width: Int) {
    let inputs = [normal([2, 3, width], seed: 410), normal([width], seed: 411), normal([width], seed: 412)]
    expectGradients(at: inputs) { layerNormalized($0[0], scale: $0[1], offset: $0[2], epsilon: 0.1) }
  }

  @Test func `it does not cancel far from zero`() {
    let x = normal([4, 100], seed: 413)
    let far = layerNormalized(x + 10_000, scale: .ones([100]), offset: .zeros([100]))
    let near = layerNormalized((x + 10_000) - 10_000, scale: .ones([100]), offset: .zeros([100]))
    expectClose(far, near, tolerance: 1e-3)  // the mean itself is rounded to a thousandth
  }

  @Test func `many rows on several threads are the same as on one`() {
    let (x, scale) = (normal([2000, 33], seed: 414), normal([33], seed: 415))
    expectSameOnThreads(at: [x, scale, scale]) { layerNormalized($0[0], scale: $0[1], offset: $0[2]) }
  }
}
