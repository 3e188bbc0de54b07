import Tensors

/// What a distribution's values can do, so that ``Mixture`` works over values of either kind.
public protocol DistributionValue: Sendable {
  /// The extent of each axis.
  var shape: [Int] { get }
  /// The same values with an axis of extent 1 put before `axis`.
  func insertingAxis(_ axis: Int) -> Self
  /// For each choice the entry along `axis`: `[a…, k, b…]` and choices `[a…]` in 0..<k give `[a…, b…]`; a constant.
  func choosing(_ choice: IndexTensor, axis: Int) -> Self
}

extension Tensor: DistributionValue {
  /// The same values with an axis of extent 1 put before `axis`; `unsqueeze` in PyTorch.
  public func insertingAxis(_ axis: Int) -> Tensor { reshaped(to: shape.inserting(1, at: axis)) }

  /// For each choice the entry along `axis`: `[a…, k, b…]` and choices `[a…]` in 0..<k give `[a…, b…]`; a constant.
  public func choosing(_ choice: IndexTensor, axis: Int) -> Tensor {
    let chosen = chosen(choice, from: withUnsafeScalars { Array($0) }, shape: shape, axis: axis)
    return Tensor(chosen, shape: shape.removing(axis))
  }
}

extension IndexTensor: DistributionValue {
  /// The same values with an axis of extent 1 put before `axis`; `unsqueeze` in PyTorch.
  public func insertingAxis(_ axis: Int) -> IndexTensor { IndexTensor(scalars, shape: shape.inserting(1, at: axis)) }

  /// For each choice the entry along `axis`: `[a…, k, b…]` and choices `[a…]` in 0..<k give `[a…, b…]`.
  public func choosing(_ choice: IndexTensor, axis: Int) -> IndexTensor {
    IndexTensor(chosen(choice, from: scalars, shape: shape, axis: axis), shape: shape.removing(axis))
  }
}

private func chosen<Scalar>(_ choice: IndexTensor, from scalars: [Scalar], shape: [Int], axis: Int) -> [Scalar] {
  guard shape.indices.contains(axis), choice.shape == Array(shape[..<axis]) else {
    fail("choosing", "choices of shape \(choice.shape) along axis \(axis) do not fit the shape \(shape)")
  }
  let (entries, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
  var result: [Scalar] = []
  result.reserveCapacity(choice.count * inner)
  for (outer, entry) in choice.scalars.enumerated() {
    guard entry >= 0, entry < entries else { fail("choosing", "choice \(entry) is not within 0..<\(entries)") }
    let start = (outer * entries + Int(entry)) * inner
    result.append(contentsOf: scalars[start..<start + inner])
  }
  return result
}

extension [Int] {
  fileprivate func inserting(_ extent: Int, at axis: Int) -> [Int] {
    guard axis >= 0, axis <= count else { fail("insertingAxis", "axis \(axis) is out of range for shape \(self)") }
    return self[..<axis] + [extent] + self[axis...]
  }

  /// Without one axis.
  func removing(_ axis: Int) -> [Int] { Array(self[..<axis] + self[(axis + 1)...]) }
}

extension IndexTensor {
  /// Stretched to `newShape`: extents of 1, and axes missing in front, are repeated.
  func broadcast(to newShape: [Int]) -> IndexTensor {
    if newShape == shape { return self }
    let own = Array(repeating: 1, count: newShape.count - shape.count) + shape
    var positions = [0]  // of the values read so far, axis by axis
    for (extent, target) in zip(own, newShape) {
      positions = positions.flatMap { start in (0..<target).map { start * extent + (extent == 1 ? 0 : $0) } }
    }
    return IndexTensor(positions.map { scalars[$0] }, shape: newShape)
  }
}
