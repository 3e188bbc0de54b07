import Tensors
import Testing

/// Expects a shape and values, each within `tolerance` relative to its magnitude (absolute below 1).
func expect(
  _ tensor: Tensor, shape: [Int], _ values: [Float], tolerance: Float = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(tensor.shape == shape, sourceLocation: sourceLocation)
  #expect(tensor.count == values.count, sourceLocation: sourceLocation)
  for (index, (found, expected)) in zip(tensor.scalars, values).enumerated() {
    let isClose =
      found == expected || expected.isFinite && (found - expected).magnitude <= tolerance * max(1, expected.magnitude)
    if !isClose {
      Issue.record("value \(index) is \(found), expected \(expected)", sourceLocation: sourceLocation)
      return
    }
  }
}

/// A mean and the standard error of it.
struct Estimate {
  let mean: Double
  let standardError: Double

  init(_ samples: [Float]) {
    let count = Double(samples.count)
    let mean = samples.reduce(0.0) { $0 + Double($1) } / count
    self.mean = mean
    let squares = samples.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    standardError = (squares / (count - 1) / count).squareRoot()
  }

  /// Within 5 standard errors, so that a false alarm has a probability of 6e-7, and rounding.
  func agrees(with exact: Double) -> Bool { abs(mean - exact) < 5 * standardError + 1e-6 }
}
