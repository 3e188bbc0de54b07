extension Tensor {
  /// The same values in another shape; one extent may be −1, for whatever remains.
  ///
  /// - Precondition: the counts agree.
  public func reshaped(to newShape: [Int]) -> Tensor {
    if newShape == shape { return self }
    var target = newShape
    if let open = newShape.firstIndex(of: -1) {
      let known = newShape.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
      target[open] = known > 0 ? count / known : 0
    }
    guard target.allSatisfy({ $0 >= 0 }), target.reduce(1, *) == count else {
      fail("reshaped", "the \(count) values of shape \(shape) do not fit the shape \(newShape)")
    }
    return Tensor(storage: storage, shape: target).recorded(self) { upstream, inputs, _ in
      upstream.reshaped(to: inputs[0].shape)
    }
  }

  /// Stretched to `newShape`: extents of 1, and axes missing in front, are repeated.
  ///
  /// - Precondition: the shapes broadcast.
  public func broadcast(to newShape: [Int]) -> Tensor {
    if newShape == shape { return self }
    guard checkedCount(of: newShape, in: "broadcast") >= 0, broadcastShape(shape, newShape, in: "broadcast") == newShape
    else {
      fail("broadcast", "the shape \(shape) cannot be stretched to \(newShape)")
    }
    return copied(broadcastTo: newShape).recorded(self) { upstream, inputs, _ in upstream.summed(to: inputs[0].shape) }
  }

  /// Each value along one axis `times` times in a row; `repeat_interleave` in PyTorch, `repeat` in NumPy.
  ///
  /// - Precondition: `times` is not negative.
  public func repeated(_ times: Int, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "repeated")
    guard times >= 0 else { fail("repeated", "cannot repeat \(times) times") }
    var (spread, joined) = (shape, shape)
    spread.insert(1, at: axis + 1)
    joined[axis] *= times
    let single = reshaped(to: spread)
    spread[axis + 1] = times
    return single.broadcast(to: spread).reshaped(to: joined)
  }

  /// The axes in another order: axis `k` of the result is axis `order[k]` of this tensor.
  ///
  /// - Precondition: `order` names each axis once.
  public func permuted(_ order: [Int]) -> Tensor {
    guard order.sorted() == Array(shape.indices) else {
      fail("permuted", "the order \(order) must name each of the \(rank) axes of shape \(shape) once")
    }
    let own = strides(of: shape)
    var inverse = order
    for (position, axis) in order.enumerated() { inverse[axis] = position }
    let back = inverse
    return copied(shape: order.map { shape[$0] }, reading: order.map { own[$0] }).recorded(self) { upstream, _, _ in
      upstream.permuted(back)
    }
  }

  /// The last two axes exchanged.
  ///
  /// - Precondition: two axes or more.
  public func transposed() -> Tensor {
    guard rank >= 2 else { fail("transposed", "needs two axes or more, not shape \(shape)") }
    return permuted(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The part of one axis that `range` names.
  ///
  /// - Precondition: the range lies within the axis.
  public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "sliced")
    let extent = shape[axis]
    guard range.lowerBound >= 0, range.upperBound <= extent else {
      fail("sliced", "the range \(range) is not within axis \(axis) of shape \(shape)")
    }
    var newShape = shape
    newShape[axis] = range.count
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    let result = Storage(count: outer * range.count * inner)
    for slab in 0..<outer {
      (result.pointer + slab * range.count * inner)
        .update(from: storage.pointer + (slab * extent + range.lowerBound) * inner, count: range.count * inner)
    }
    return Tensor(storage: result, shape: newShape).recorded(self) { upstream, _, _ in
      upstream.padded(before: range.lowerBound, after: extent - range.upperBound, axis: axis)
    }
  }

  /// Zeros put before and after the values along one axis.
  ///
  /// - Precondition: neither number is negative.
  public func padded(before: Int, after: Int, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "padded")
    guard before >= 0, after >= 0 else { fail("padded", "cannot add \(before) and \(after) zeros; use sliced to cut") }
    let extent = shape[axis]
    var (front, back) = (shape, shape)
    (front[axis], back[axis]) = (before, after)
    return concatenate([.zeros(front), detached(), .zeros(back)], axis: axis).recorded(self) { upstream, _, _ in
      upstream.sliced(before..<before + extent, axis: axis)
    }
  }
}

/// Tensors joined along one axis.
///
/// - Precondition: there is one at least, and their shapes agree except along `axis`.
public func concatenate(_ tensors: [Tensor], axis: Int) -> Tensor {
  guard let first = tensors.first else { fail("concatenate", "there is nothing to join") }
  let axis = first.checkedAxis(axis, in: "concatenate")
  for tensor in tensors {
    guard tensor.rank == first.rank,
      first.shape.indices.allSatisfy({ $0 == axis || tensor.shape[$0] == first.shape[$0] })
    else { fail("concatenate", "the shapes \(first.shape) and \(tensor.shape) differ beside axis \(axis)") }
  }
  var newShape = first.shape
  newShape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
  let inner = newShape[(axis + 1)...].reduce(1, *)
  let outer = newShape[..<axis].reduce(1, *)
  let result = Storage(count: outer * newShape[axis] * inner)
  var starts: [Int] = []
  var start = 0
  for tensor in tensors {
    let length = tensor.shape[axis] * inner
    for slab in 0..<outer {
      (result.pointer + slab * newShape[axis] * inner + start * inner)
        .update(from: tensor.storage.pointer + slab * length, count: length)
    }
    starts.append(start)
    start += tensor.shape[axis]
  }
  let joined = Tensor(storage: result, shape: newShape)
  guard tensors.contains(where: { $0.node != nil }), Recording.isOn else { return joined }
  return joined.recorded(
    from: tensors,
    starts.enumerated().map { index, start in
      { upstream, inputs, _ in upstream.sliced(start..<start + inputs[index].shape[axis], axis: axis) }
    })
}
