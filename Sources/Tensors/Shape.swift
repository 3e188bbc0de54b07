/// The shape to which two shapes broadcast: aligned at the last axis, an extent of 1 stretches.
package func broadcastShape(_ a: [Int], _ b: [Int], in operation: String) -> [Int] {
  let rank = max(a.count, b.count)
  return (0..<rank).map { axis in
    let i = axis - (rank - a.count)
    let j = axis - (rank - b.count)
    let (m, n) = (i < 0 ? 1 : a[i], j < 0 ? 1 : b[j])
    guard m == n || m == 1 || n == 1 else {
      fail(operation, "the shapes \(a) and \(b) do not broadcast: at axis \(axis - rank) from the end, \(m) meets \(n)")
    }
    return m == 1 ? n : m
  }
}

/// The distance between neighbours along each axis of a row-major tensor.
func strides(of shape: [Int]) -> [Int] {
  var result = [Int](repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    result[axis] = result[axis + 1] * shape[axis + 1]
  }
  return result
}

/// The position along each axis of the value that is at `position` in row-major order.
package func multiIndex(_ position: Int, in shape: [Int]) -> [Int] {
  var rest = position
  return shape.reversed().map { extent in
    defer { rest /= extent }
    return rest % extent
  }.reversed()
}

extension Tensor {
  /// An axis counted from the front; negative ones count from the end.
  func checkedAxis(_ axis: Int, in operation: String) -> Int {
    let fromFront = axis < 0 ? axis + rank : axis
    guard fromFront >= 0, fromFront < rank else {
      fail(operation, "axis \(axis) is out of range for shape \(shape), which has \(rank) axes")
    }
    return fromFront
  }

  /// A constant copy in which element `i₀i₁…` of `shape` is read at `start + Σ iₖ·strides[k]`.
  func copied(shape newShape: [Int], reading strides: [Int], from start: Int = 0) -> Tensor {
    let own = Tensors.strides(of: newShape)
    let result = Tensor(storage: Storage(count: newShape.reduce(1, *)), shape: newShape)
    copyBlock(
      newShape.indices.map { CopyAxis(extent: newShape[$0], reading: strides[$0], writing: own[$0]) },
      from: storage.pointer + start, to: result.storage.pointer)
    return result
  }

  /// A constant copy stretched to `newShape`, which must be one this shape broadcasts to.
  package func copied(broadcastTo newShape: [Int]) -> Tensor {
    if newShape == shape { return detached() }
    var reading = [Int](repeating: 0, count: newShape.count)
    let own = strides(of: shape)
    for axis in 0..<rank where shape[axis] != 1 { reading[axis + newShape.count - rank] = own[axis] }
    return copied(shape: newShape, reading: reading)
  }
}
