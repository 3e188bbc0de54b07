import GradientChecking
import Tensors
import Testing

@testable import NeuralNetworks

// Layers are compared with PyTorch 2.15 in double precision. Each constant's snippet stands beside it and uses
//
//   def p(shape, salt):
//       n = math.prod(shape)
//       return (((torch.arange(n) * 37 + salt * 17) % 101).double() / 50 - 1).reshape(shape)
//
// as inputs, which `p` makes here too.

/// Values between −1 and 1 that look irregular and need no listing.
func p(_ shape: [Int], _ salt: Int) -> Tensor {
  Tensor((0..<shape.reduce(1, *)).map { Float(($0 * 37 + salt * 17) % 101) / 50 - 1 }, shape: shape)
}

/// Expects values, each within `tolerance` relative to its magnitude (absolute below 1).
func expect(
  _ tensor: Tensor?, _ values: [Float], tolerance: Float = 1e-5, sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = tensor?.scalars ?? []
  guard found.count == values.count else {
    Issue.record("\(found.count) values, expected \(values.count)", sourceLocation: sourceLocation)
    return
  }
  for (index, (found, expected)) in zip(found, values).enumerated()
  where !((found - expected).magnitude <= tolerance * max(1, expected.magnitude)) {
    Issue.record("value \(index) is \(found), expected \(expected)", sourceLocation: sourceLocation)
    return
  }
}

/// The gradients of Σ y · p(y.shape, 4), as the snippets take them.
func slopes(of y: Tensor, _ xs: [Tensor]) -> [Tensor] {
  gradients(of: (y * p(y.shape, 4)).sum(), withRespectTo: xs)
}

/// A variable with these values.
func variable(_ values: Tensor) -> Tensor { Parameter(wrappedValue: values).wrappedValue }

/// Expects first- and second-order gradients of a layer with respect to its input and its parameters.
func expectSoundGradients(
  of module: some Module, at x: Tensor, order: Int = 2, except names: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: @escaping (Tensor) -> Tensor
) {
  let cells = module.parameters.filter { !names.contains($0.name) }.map(\.parameter)
  let values = [x] + cells.map { $0.wrappedValue.detached() }
  let report = gradientCheck(
    of: { inputs in
      for (cell, value) in zip(cells, inputs.dropFirst()) { cell.replace(with: value) }
      return body(inputs[0])
    }, at: values, order: order)
  for (cell, value) in zip(cells, values.dropFirst()) { cell.wrappedValue = value }
  #expect(report.passes, "\(report)", sourceLocation: sourceLocation)
}

/// Expects an average of `count` independent values of the given variance within 4.9 standard errors: a false alarm has
/// the probability 1e-6.
func expectMean(
  _ found: Double, _ wanted: Double, variance: Double, count: Int, sourceLocation: SourceLocation = #_sourceLocation
) {
  let bound: Double = 4.9 * (variance / Double(count)).squareRoot()
  #expect((found - wanted).magnitude <= bound, "\(found), not \(wanted) ± \(bound)", sourceLocation: sourceLocation)
}
