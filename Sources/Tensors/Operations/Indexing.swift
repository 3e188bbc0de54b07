extension Tensor {
  /// One value for each index: for axis 1, `[i, j, k]` of the result is this tensor's `[i, indices[i, j, k], k]`.
  ///
  /// `gather` in PyTorch, `take_along_axis` in NumPy.
  ///
  /// - Precondition: the shapes agree except along `axis`, and each index is in `0..<shape[axis]`.
  public func gathered(at indices: IndexTensor, axis: Int) -> Tensor {
    gathered(at: indices, axis: checkedAxis(axis, in: "gathered"), in: "gathered")
  }

  /// A copy to which values are added where indices point: for axis 1, `source[i, j, k]` to `[i, indices[i, j, k], k]`.
  ///
  /// Values that meet are added in their order. `scatter_add` in PyTorch.
  ///
  /// - Precondition: `source` has the shape of `indices`, which fits as for ``gathered(at:axis:)``.
  public func scatterAdded(_ source: Tensor, at indices: IndexTensor, axis: Int) -> Tensor {
    guard source.shape == indices.shape else {
      fail("scatterAdded", "values of shape \(source.shape) cannot go to indices of shape \(indices.shape)")
    }
    return adding(source, at: indices, axis: checkedAxis(axis, in: "scatterAdded"), in: "scatterAdded")
  }

  /// What the indices point at along `axis`, or the rows that they name when it is nil.
  func gathered(at indices: IndexTensor, axis: Int?, in operation: String) -> Tensor {
    let layout = IndexedLayout(indices, into: shape, axis, in: operation)
    let newShape = axis == nil ? indices.shape + shape.dropFirst() : indices.shape
    let result = Tensor(storage: Storage(count: newShape.reduce(1, *)), shape: newShape)
    layout.gather(storage.pointer, indices.scalars, into: result.storage.pointer)
    return result.recorded(self) { upstream, inputs, _ in
      Tensor.zeros(inputs[0].shape).adding(upstream, at: indices, axis: axis, in: operation)
    }
  }

  /// The transpose of ``gathered(at:axis:in:)``.
  private func adding(_ source: Tensor, at indices: IndexTensor, axis: Int?, in operation: String) -> Tensor {
    let layout = IndexedLayout(indices, into: shape, axis, in: operation)
    let result = copied(shape: shape, reading: strides(of: shape))
    layout.scatterAdd(source.storage.pointer, indices.scalars, into: result.storage.pointer)
    return result.recorded(self, source) { upstream, _, _ in
      upstream
    } _: { upstream, _, _ in
      upstream.gathered(at: indices, axis: axis, in: operation)
    }
  }
}

/// The rows of a table that indices name: `[rows, …]` and `[batch…]` give `[batch…, …]`.
///
/// - Parameters:
///   - table: codes, word vectors, or a data set from which a batch is taken.
///   - indices: of any shape, each in `0..<rows`.
public func embedding(_ table: Tensor, _ indices: IndexTensor) -> Tensor {
  table.gathered(at: indices, axis: nil, in: "embedding")
}

/// 1 at the position that each index names along a new last axis and 0 elsewhere: `[…] → […, classes]`.
///
/// - Precondition: each index is in `0..<classes`.
public func oneHot(_ indices: IndexTensor, classes: Int) -> Tensor {
  let result = Tensor.zeros(indices.shape + [classes])
  indices.check(into: indices.shape.count, of: result.shape, in: "oneHot")
  for (row, index) in indices.scalars.enumerated() { result.storage.pointer[row * classes + Int(index)] = 1 }
  return result
}

/// How indices `[outer, count, inner]` point into a table `[outer, extent, inner, width]`: each moves `width` values.
struct IndexedLayout {
  private let outer, count, extent, inner, width: Int

  /// Checks the shapes and the indices, which point along `axis`, or name rows when it is nil.
  init(_ indices: IndexTensor, into shape: [Int], _ axis: Int?, in operation: String) {
    let from = indices.shape
    let fits = axis.map {
      from.count == shape.count && from[..<$0] == shape[..<$0] && from[($0 + 1)...] == shape[($0 + 1)...]
    }
    guard fits ?? !shape.isEmpty else {
      fail(operation, "the indices of shape \(from) do not fit the shape \(shape) beside axis \(axis ?? 0)")
    }
    indices.check(into: axis ?? 0, of: shape, in: operation)
    let after = shape[((axis ?? 0) + 1)...].reduce(1, *)
    (outer, extent) = (shape[..<(axis ?? 0)].reduce(1, *), shape[axis ?? 0])
    (count, inner, width) = axis.map { (from[$0], after, 1) } ?? (indices.count, 1, after)
  }

  private var work: Int { outer * count * inner * width }

  func gather(_ table: Pointer, _ indices: UnsafePointer<Int32>, into target: Pointer) {
    parallel(outer != 1 ? outer : count, work: work) { part in
      each(outer != 1 ? part : 0..<1, outer != 1 ? 0..<count : part, 0..<inner, indices) { number, place in
        if width == 1 {
          target[number] = table[place]
        } else {
          (target + number * width).update(from: table + place * width, count: width)
        }
      }
    }
  }

  /// Adds in the order of the indices on any number of threads.
  func scatterAdd(_ source: Pointer, _ indices: UnsafePointer<Int32>, into table: Pointer) {
    if width == 1, outer * inner > 1 {
      parallel(outer != 1 ? outer : inner, work: work) { part in
        each(outer != 1 ? part : 0..<1, 0..<count, outer != 1 ? 0..<inner : part, indices) { number, place in
          table[place] += source[number]
        }
      }
    } else {
      // Each thread looks at all indices and serves those that point into its part of the table.
      parallel(extent, work: work) { part in
        each(0..<1, 0..<count, 0..<1, indices) { number, place in
          guard part.contains(place) else { return }
          for lane in 0..<width { table[place * width + lane] += source[number * width + lane] }
        }
      }
    }
  }

  /// Calls `body` with the number of each index in a part of `[outer, count, inner]` and the row that it points at.
  @inline(always)
  private func each(
    _ slabs: Range<Int>, _ rows: Range<Int>, _ columns: Range<Int>, _ indices: UnsafePointer<Int32>,
    _ body: (_ number: Int, _ row: Int) -> Void
  ) {
    for slab in slabs {
      let (first, table) = (slab * count, slab * extent)
      if inner == 1 {
        for number in first + rows.lowerBound..<first + rows.upperBound { body(number, table + Int(indices[number])) }
        continue
      }
      for row in rows {
        let start = (first + row) * inner
        for column in columns { body(start + column, (table + Int(indices[start + column])) * inner + column) }
      }
    }
  }
}
