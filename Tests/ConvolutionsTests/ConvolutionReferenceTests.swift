import Tensors
import TestSupport
import Testing

@testable import Convolutions

/// Values and gradients against PyTorch's, made by `Tests/Reference/convolutions.py`.
@Suite struct ConvolutionReferenceTests {
  static let cases = Result { try ReferenceCases.read("convolutions") }

  static let operations: [(name: String, body: @Sendable (ReferenceCases.Case, [Tensor]) -> Tensor)] = [
    (
      "convolution2D",
      {
        convolution2D(
          $1[0], $1[1], $1[2], stride: $0["stride"], padding: .amount($0["padding"]), dilation: $0["dilation"])
      }
    ),
    (
      "maskedConvolution2D",
      {
        convolution2D(
          $1[0], $1[1], stride: $0["stride"], padding: .amount($0["padding"]), dilation: $0["dilation"],
          mask: $0.inputs[2])
      }
    ),
    (
      "depthwiseConvolution2D",
      {
        depthwiseConvolution2D(
          $1[0], $1[1], $1[2], stride: $0["stride"], padding: .amount($0["padding"]), dilation: $0["dilation"])
      }
    ),
    (
      "convolution1D",
      {
        convolution1D(
          $1[0], $1[1], $1[2], stride: $0["stride"], padding: $0["causal"] == 1 ? .causal : .amount($0["padding"]),
          dilation: $0["dilation"])
      }
    ),
    (
      "transposedConvolution2D",
      {
        transposedConvolution2D(
          $1[0], $1[1], $1[2], stride: $0["stride"], padding: $0["padding"], outputPadding: $0["outputPadding"])
      }
    ),
    ("averagePool2D", { averagePool2D($1[0], size: $0["size"], stride: $0["stride"]) }),
    ("maxPool2D", { maxPool2D($1[0], size: $0["size"], stride: $0["stride"]) }),
    ("resizedNearest", { resizedNearest($1[0], height: $0["height"], width: $0["width"]) }),
    ("resizedBilinear", { resizedBilinear($1[0], height: $0["height"], width: $0["width"]) }),
    ("spaceToDepth", { spaceToDepth($1[0], block: $0["block"]) }),
    ("depthToSpace", { depthToSpace($1[0], block: $0["block"]) }),
  ]

  /// Those that have cases of no image, no channel or one pixel too.
  static let few = [
    "convolution2D", "averagePool2D", "maxPool2D", "resizedNearest", "resizedBilinear",
  ].map { "few " + $0 }

  @Test(arguments: operations.map(\.name) + few)
  func `values and gradients of random cases`(name: String) throws {
    let body = try #require(Self.operations.first { name == $0.name || name == "few " + $0.name }).body
    let cases = try #require(try Self.cases.get()[name])
    // Sums over batch and positions, of squares' gradients: errors are relative to the largest value.
    cases.check(tolerance: 1e-5, scale: 1) { one in
      let variables = one.inputs.map { $0.asVariable() }
      let result = body(one, variables)
      guard one.expected.count > 1 else { return [result] }
      let inputs = Array(variables.prefix(one.expected.count - 1))
      return [result] + gradients(of: square(result).sum() / 2, withRespectTo: inputs)
    }
  }
}
