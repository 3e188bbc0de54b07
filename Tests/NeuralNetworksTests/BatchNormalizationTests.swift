import GradientChecking
import Tensors
import TestSupport
import Testing

@testable import NeuralNetworks

@Suite struct BatchNormalizationTests {
  @Test func `values, mean and variance by hand`() {
    let y = batchNormalized(
      Tensor([[1, 0], [3, 4]]), scale: Tensor([1, 2]), offset: Tensor([10, 20]), epsilon: 0)
    expect(y.values, shape: [2, 2], [9, 18, 11, 22], tolerance: 1e-6)
    expect(y.mean, shape: [2], [2, 2])
    expect(y.variance, shape: [2], [1, 4])
    // Variance 1 and epsilon 3 give a divisor of 2.
    let z = batchNormalized(Tensor([[1], [3]]), scale: .ones([1]), offset: .zeros([1]), epsilon: 3)
    expect(z.values, [-0.5, 0.5], tolerance: 1e-6)
  }

  @Test(arguments: [1, 3, 16, 17, 40])
  func `gradients of both orders`(channels: Int) {
    let inputs = [normal([2, 3, channels], seed: 420), normal([channels], seed: 421), normal([channels], seed: 422)]
    expectGradients(at: inputs) { batchNormalized($0[0], scale: $0[1], offset: $0[2], epsilon: 0.1).values }
  }

  @Test func `it does not cancel far from zero`() {
    let x = normal([100, 4], seed: 423)
    let far = batchNormalized(x + 10_000, scale: .ones([4]), offset: .zeros([4]), epsilon: 1e-5).values
    let near = batchNormalized((x + 10_000) - 10_000, scale: .ones([4]), offset: .zeros([4]), epsilon: 1e-5).values
    expectClose(far, near, tolerance: 1e-3)  // the mean itself is rounded to a thousandth
  }

  @Test func `many rows on several threads are the same as on one`() {
    let (x, scale) = (normal([2000, 33], seed: 424), normal([33], seed: 425))
    expectSameOnThreads(at: [x, scale, scale]) {
      batchNormalized($0[0], scale: $0[1], offset: $0[2], epsilon: 1e-5).values
    }
  }
}
