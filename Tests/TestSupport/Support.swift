import Tensors
import Testing

/// Expects a shape and values, each within `tolerance` relative to its magnitude (absolute below 1).
package func expect(
  _ tensor: Tensor, shape: [Int]? = nil, _ values: [Float], tolerance: Float = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if let shape { #expect(tensor.shape == shape, sourceLocation: sourceLocation) }
  guard tensor.count == values.count else {
    Issue.record("\(tensor.count) values, expected \(values.count)", sourceLocation: sourceLocation)
    return
  }
  for (index, (found, expected)) in zip(tensor.scalars, values).enumerated() {
    let isClose =
      found == expected || (found.isNaN && expected.isNaN)
      || (found - expected).magnitude <= tolerance * max(1, expected.magnitude)
    if !isClose {
      Issue.record("value \(index) is \(found), expected \(expected)", sourceLocation: sourceLocation)
      return
    }
  }
}

/// The bits of all values, for comparisons that must be exact, NaN included.
package func bits(_ tensor: Tensor) -> [UInt32] { tensor.scalars.map(\.bitPattern) }

/// A standard normal tensor that belongs to a seed.
package func normal(_ shape: [Int], seed: UInt64) -> Tensor {
  var random = Random(seed: seed)
  return .normal(shape, using: &random)
}

/// Values in `range` that belong to a seed.
package func uniform(_ shape: [Int], in range: Range<Float>, seed: UInt64) -> Tensor {
  var random = Random(seed: seed)
  return .uniform(shape, in: range, using: &random)
}

/// Values at least 0.1 away from 0, of either sign: away from the kinks of `abs` and `relu`.
package func awayFromZero(_ shape: [Int], seed: UInt64) -> Tensor {
  let x = normal(shape, seed: seed)
  return x + sign(x) * 0.1
}

/// Values at least 0.2 apart: away from where their order changes.
package func spread(_ shape: [Int], seed: UInt64) -> Tensor {
  var random = Random(seed: seed)
  let order = IndexTensor.permutation(shape.reduce(1, *), using: &random)
  return Tensor(order.scalars.map { (Float($0) - Float(order.count) / 2) * 0.2 }, shape: shape)
}
