extension Tensor {
  /// The values along an axis in ascending order, NaN last, and where each stood; equal values keep their order.
  ///
  /// Gradients flow to the values. Both results have this tensor's shape.
  public func sorted(axis: Int) -> (values: Tensor, indices: IndexTensor) {
    let axis = checkedAxis(axis, in: "sorted")
    let order = sortedOrder(axis: axis)
    return (rearranged(by: order, axis: axis), IndexTensor(order, shape: shape))
  }

  /// Position `i` along an axis reads position `order[… i …]`; the order is a permutation along the axis.
  private func rearranged(by order: [Int32], axis: Int) -> Tensor {
    let (extent, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let result = Storage(count: count)
    let (x, y) = (storage.pointer, result.pointer)
    order.withUnsafeBufferPointer { order in
      parallel(count, work: count, alignment: 16) { range in
        for i in range {
          let slab = inner == 1 ? i / extent * extent : i / (extent * inner) * extent * inner + i % inner
          y[i] = x[slab + Int(order[i]) * inner]
        }
      }
    }
    return Tensor(storage: result, shape: shape).recorded(self) { upstream, inputs, _ in
      var inverse = order
      for i in order.indices {
        let slab = i / (extent * inner) * extent * inner + i % inner
        inverse[slab + Int(order[i]) * inner] = Int32((i - slab) / inner)
      }
      return upstream.rearranged(by: inverse, axis: axis)
    }
  }

  private func sortedOrder(axis: Int) -> [Int32] {
    let (extent, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    return [Int32](unsafeUninitializedCapacity: count) { target, initialized in
      initialized = count
      guard let target = target.baseAddress, count > 0 else { return }
      let (x, order) = (storage.pointer, SharedOrder(target: target))
      parallel(count / extent, work: 8 * count) { lines in
        var keys = SortKeys(capacity: extent)
        for line in lines {
          let start = line / inner * extent * inner + line % inner
          keys.sort(x + start, stride: inner, into: order.target + start)
        }
      }
    }
  }
}

/// Indices that several threads write, each its own.
private struct SharedOrder: @unchecked Sendable {
  let target: UnsafeMutablePointer<Int32>
}

/// Sorts lines of values by whole numbers that order alike: the value's bits above, its position below.
private struct SortKeys {
  private var keys: [UInt64]
  private var spare: [UInt64]
  private var counts = [Int](repeating: 0, count: 2048)

  init(capacity: Int) {
    keys = Array(repeating: 0, count: capacity)
    spare = keys
  }

  mutating func sort(_ x: Pointer, stride: Int, into order: UnsafeMutablePointer<Int32>) {
    for i in keys.indices {
      let value = x[i * stride]
      let bits = (value == 0 ? 0 : value).bitPattern
      let ascending = value.isNaN ? .max : bits >> 31 == 0 ? bits | 1 << 31 : ~bits
      keys[i] = UInt64(ascending) << 32 | UInt64(i)
    }
    if keys.count < 512 {
      keys.sort()
    } else {
      for shift in [32, 43, 54] as [UInt64] { distribute(by: shift) }
    }
    for i in keys.indices { order[i * stride] = Int32(truncatingIfNeeded: keys[i] & 0xffff_ffff) }
  }

  /// One pass of a radix sort, by eleven bits.
  private mutating func distribute(by shift: UInt64) {
    for bucket in counts.indices { counts[bucket] = 0 }
    for key in keys { counts[Int(key >> shift & 2047)] += 1 }
    var start = 0
    for bucket in counts.indices { (counts[bucket], start) = (start, start + counts[bucket]) }
    for key in keys {
      let bucket = Int(key >> shift & 2047)
      spare[counts[bucket]] = key
      counts[bucket] += 1
    }
    swap(&keys, &spare)
  }
}
