import GradientChecking
import Tensors
import TestSupport
import Testing

@testable import Convolutions

@Suite struct PoolingTests {
  let x = Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], shape: [1, 3, 4, 1])

  @Test func `pools by hand`() {
    expect(averagePool2D(x, size: 2), shape: [1, 1, 2, 1], [3.5, 5.5])
    expect(averagePool2D(x, size: 2, stride: 1), shape: [1, 2, 3, 1], [3.5, 4.5, 5.5, 7.5, 8.5, 9.5])
    expect(maxPool2D(x, size: 2), shape: [1, 1, 2, 1], [6, 8])
    expect(maxPool2D(x, size: 3, stride: 1), shape: [1, 1, 2, 1], [11, 12])
    expect(maxPool2D(x.reshaped(to: [1, 3, 2, 2]), size: 2), shape: [1, 1, 1, 2], [7, 8])
    expect(maxPool2D(Tensor([1, .nan, 3, 4], shape: [1, 2, 2, 1]), size: 2), [.nan])
    expect(maxPool2D(.zeros([0, 2, 2, 3]), size: 2), shape: [0, 1, 1, 3], [])
  }

  @Test func `the gradient of a maximum goes to the first of equals, and adds where windows share it`() {
    let equal = Tensor([1, 1, 1, 1], shape: [1, 2, 2, 1])
    expect(gradient(at: equal) { maxPool2D($0, size: 2).sum() }, [1, 0, 0, 0])
    let peak = Tensor([0, 0, 0, 0, 9, 0, 0, 0, 0], shape: [1, 3, 3, 1])
    expect(gradient(at: peak) { maxPool2D($0, size: 2, stride: 1).sum() }, [0, 0, 0, 0, 4, 0, 0, 0, 0])
    let least = Tensor(repeating: -.infinity, shape: [2, 2, 2, 1])
    expect(gradient(at: least) { maxPool2D($0, size: 2).sum() }, [1, 0, 0, 0, 1, 0, 0, 0])
  }

  @Test(arguments: [1, 2, 3, 5, 15, 16, 17, 35])
  func `pools and resizes each channel alone, on any number of threads`(channels: Int) {
    let image = normal([4, 40, 40, channels], seed: UInt64(channels))
    let functions: [@Sendable (Tensor) -> Tensor] = [
      { maxPool2D($0, size: 3, stride: 2) }, { averagePool2D($0, size: 3, stride: 2) },
      { resizedBilinear($0, height: 60, width: 70) },
    ]
    for function in functions {
      let single = (0..<channels).map { function(image.sliced($0..<$0 + 1, axis: 3)) }
      let results = [1, 2, 3].map { threads in Threads.with(threads) { bits(function(image)) } }
      #expect(results.allSatisfy { $0 == bits(concatenate(single, axis: 3)) })
    }
  }

  @Test func `images of another size by hand`() {
    let image = Tensor([1, 2, 3, 4], shape: [1, 2, 2, 1])
    expect(
      resizedNearest(image, height: 4, width: 3), shape: [1, 4, 3, 1], [1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4])
    expect(resizedNearest(x, height: 2, width: 2), shape: [1, 2, 2, 1], [1, 3, 5, 7])
    expect(
      resizedBilinear(image, height: 2, width: 4), shape: [1, 2, 4, 1], [1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4])
    expect(resizedBilinear(x, height: 3, width: 2), shape: [1, 3, 2, 1], [1.5, 3.5, 5.5, 7.5, 9.5, 11.5])
    expect(resizedBilinear(image, height: 2, width: 2), image.scalars)
  }

  @Test func `blocks into channels and back`() {
    let image = Tensor((0..<16).map { Float($0) }, shape: [1, 2, 4, 2])
    let deep = spaceToDepth(image, block: 2)
    expect(deep, shape: [1, 1, 2, 8], [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15])
    expect(depthToSpace(deep, block: 2), shape: [1, 2, 4, 2], image.scalars)
  }

  static let functions: [@Sendable (Tensor) -> Tensor] = [
    { averagePool2D($0, size: 2, stride: 1) },
    { maxPool2D($0, size: 2, stride: 1) },
    { maxPool2D($0, size: 3) },
    { resizedNearest($0, height: 7, width: 3) },
    { resizedBilinear($0, height: 7, width: 3) },
    { resizedBilinear($0, height: 2, width: 9) },
    { spaceToDepth($0, block: 2) },
    { depthToSpace($0, block: 2) },
  ]

  @Test(arguments: functions.indices)
  func `gradients agree to the second order`(index: Int) {
    var random = Random(seed: 20)
    // Distinct values, so that no two are within a difference's step of each other.
    let spread = (0..<128).shuffled(using: &random).map { Float($0) * 0.1 }
    let function = Self.functions[index]
    let report = gradientCheck(
      of: { square(function($0[0])) }, at: [Tensor(spread, shape: [2, 4, 4, 4])], step: 0x1p-9)
    #expect(report.passes, "\(report)")
  }
}
