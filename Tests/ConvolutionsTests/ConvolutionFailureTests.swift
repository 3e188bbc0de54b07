import Tensors
import TestSupport
import Testing

@testable import Convolutions

/// Mistakes in calling convolutions, pooling and resizing.
@Suite struct ConvolutionFailureTests {
  static let mistakes: [Mistake] = [
    .init("convolution2D", "[1, 5, 5, 3]", "[3, 3, 2, 4]", "3 channels", "takes 2", line: #line + 1) {
      _ = convolution2D(image, .zeros([3, 3, 2, 4]))
    },
    .init("convolution2D", "4 axes", "[2, 3]") { _ = convolution2D(.zeros([2, 3]), .zeros([3, 3, 3, 4])) },
    .init("convolution2D", "[3]", "[4]") { _ = convolution2D(image, .zeros([3, 3, 3, 4]), .zeros([3])) },
    .init("convolution2D", "reaches over 7", "[1, 5, 5, 3]", "has 5", line: #line + 1) {
      _ = convolution2D(image, .zeros([4, 3, 3, 4]), dilation: 2)
    },
    .init("convolution2D", "stride 0") { _ = convolution2D(image, .zeros([3, 3, 3, 4]), stride: 0) },
    .init("convolution2D", "dilation -1") { _ = convolution2D(image, .zeros([3, 3, 3, 4]), dilation: -1) },
    .init("convolution2D", "padding -1") { _ = convolution2D(image, .zeros([3, 3, 3, 4]), padding: .amount(-1)) },
    .init("convolution2D", "mask [3, 2]") { _ = convolution2D(image, .zeros([3, 3, 3, 4]), mask: .zeros([3, 2])) },
    .init("depthwiseConvolution2D", "3 channels", "takes 2", line: #line + 1) {
      _ = depthwiseConvolution2D(image, .zeros([3, 3, 2]))
    },
    .init("convolution1D", "[2, 9, 3]", "[2, 4, 8]", "takes 4", line: #line + 1) {
      _ = convolution1D(.zeros([2, 9, 3]), .zeros([2, 4, 8]), padding: .causal)
    },
    .init("transposedConvolution2D", "takes 2") { _ = transposedConvolution2D(image, .zeros([3, 3, 2, 4])) },
    .init("transposedConvolution2D", "padding 9", "[1, 5, 5, 3]", line: #line + 1) {
      _ = transposedConvolution2D(image, .zeros([3, 3, 3, 4]), padding: 9)
    },
    .init("transposedConvolution2D", "output padding 2", "stride 2", line: #line + 1) {
      _ = transposedConvolution2D(image, .zeros([3, 3, 3, 4]), stride: 2, outputPadding: 2)
    },
    .init("maxPool2D", "6×6", "[1, 5, 5, 3]") { _ = maxPool2D(image, size: 6) },
    .init("averagePool2D", "stride 0") { _ = averagePool2D(image, size: 2, stride: 0) },
    .init("resizedBilinear", "0×3", "[1, 5, 5, 3]") { _ = resizedBilinear(image, height: 0, width: 3) },
    .init("spaceToDepth", "2×2", "[1, 5, 5, 3]") { _ = spaceToDepth(image, block: 2) },
    .init("depthToSpace", "2×2", "[1, 5, 5, 3]") { _ = depthToSpace(image, block: 2) },
  ]
  static let image = Tensor.zeros([1, 5, 5, 3])

  @Test(arguments: mistakes.indices)
  func `a mistake names operation, shapes, file and line`(index: Int) async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) { [index] in
      ConvolutionFailureTests.mistakes[index].body()
    }
    let mistake = Self.mistakes[index]
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    for part in ["error: \(mistake.testDescription): ", "/ConvolutionFailureTests.swift:\(mistake.line)"]
      + mistake.parts
    {
      #expect(message.contains(part), "\(message)")
    }
    #expect(message.split(separator: "\n").count == 1, "\(message)")
  }
}
