extension Tensor {
  /// The values along an axis in ascending order, NaN last, and where each stood; equal values keep their order.
  ///
  /// Gradients flow to the values. Both results have this tensor's shape.
  public func sorted(axis: Int) -> (values: Tensor, indices: IndexTensor) {
    let axis = checkedAxis(axis, in: "sorted")
    let order = sortedOrder(axis: axis)
    return (gathered(at: order, axis: axis, in: "sorted"), order)
  }

  private func sortedOrder(axis: Int) -> IndexTensor {
    let (extent, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    return IndexTensor(shape) { target in
      let x = storage.pointer
      parallel(count / extent, work: 8 * count) { lines in
        for line in lines {
          let start = line / inner * extent * inner + line % inner
          var keys = (0..<extent).map { sortKey(x[start + $0 * inner], $0) }
          keys.sort()
          for i in keys.indices { target[start + i * inner] = Int32(truncatingIfNeeded: keys[i] & 0xffff_ffff) }
        }
      }
    }
  }
}

/// A whole number that orders like the value, NaN last, and below it by position.
private func sortKey(_ value: Float, _ position: Int) -> UInt64 {
  let bits = (value == 0 ? 0 : value).bitPattern
  let ascending = value.isNaN ? .max : bits >> 31 == 0 ? bits | 1 << 31 : ~bits
  return UInt64(ascending) << 32 | UInt64(position)
}
