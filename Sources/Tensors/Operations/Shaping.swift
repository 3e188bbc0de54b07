extension Tensor {
  /// The same values in another shape; one extent may be −1, for whatever remains.
  ///
  /// - Precondition: the counts agree.
  public func reshaped(to newShape: [Int]) -> Tensor {
    if newShape == shape { return self }
    var target = newShape
    if let open = newShape.firstIndex(of: -1) {
      let known = newShape.reduce(1) { $1 == -1 ? $0 : $0 &* $1 }
      target[open] = known > 0 ? count / known : 0
    }
    guard target.allSatisfy({ $0 >= 0 }), checkedCount(of: target, in: "reshaped") == count else {
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
    return stretched(times, axis, before: axis + 1, in: "repeated")
  }

  /// The whole extent of one axis `times` times after itself; `tile` in PyTorch and NumPy.
  ///
  /// - Precondition: `times` is not negative.
  public func tiled(times: Int, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "tiled")
    return stretched(times, axis, before: axis, in: "tiled")
  }

  /// Stretched along a new axis before axis `place`, which is then joined to `axis`.
  private func stretched(_ times: Int, _ axis: Int, before place: Int, in operation: String) -> Tensor {
    guard times >= 0 else { fail(operation, "cannot repeat \(times) times") }
    var (single, joined) = (shape, shape)
    single.insert(1, at: place)
    var many = single
    many[place] = times
    let result = reshaped(to: single).broadcast(to: many)
    joined[axis] *= times
    return result.reshaped(to: joined)
  }

  /// The axes in another order: axis `k` of the result is axis `order[k]` of this tensor.
  ///
  /// - Precondition: `order` names each axis once.
  public func permuted(_ order: [Int]) -> Tensor {
    guard order.sorted() == Array(shape.indices) else {
      fail("permuted", "the order \(order) must name each of the \(rank) axes of shape \(shape) once")
    }
    let own = strides(of: shape)
    return copied(shape: order.map { shape[$0] }, reading: order.map { own[$0] }).recorded(self) { upstream, _, _ in
      upstream.permuted(order.indices.sorted { order[$0] < order[$1] })
    }
  }

  /// The last two axes exchanged.
  ///
  /// - Precondition: two axes or more.
  public func transposed() -> Tensor {
    guard rank >= 2 else { fail("transposed", "needs two axes or more, not shape \(shape)") }
    return permuted(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The order along one axis reversed.
  public func flipped(axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "flipped")
    var reading = strides(of: shape)
    let last = Swift.max(0, shape[axis] - 1) * reading[axis]
    reading[axis] = -reading[axis]
    return copied(shape: shape, reading: reading, from: last).recorded(self) { upstream, _, _ in
      upstream.flipped(axis: axis)
    }
  }

  /// The part of one axis that `range` names.
  ///
  /// - Precondition: the range lies within the axis.
  public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    var ranges = shape.map { 0..<$0 }
    ranges[checkedAxis(axis, in: "sliced")] = range
    return sliced(ranges)
  }

  /// The part that `ranges` names, one for each axis from the first on; axes without one stay whole.
  ///
  /// - Precondition: each range lies within its axis.
  public func sliced(_ ranges: [Range<Int>]) -> Tensor {
    guard ranges.count <= rank else { fail("sliced", "\(ranges.count) ranges are too many for shape \(shape)") }
    let own = strides(of: shape)
    var (newShape, start) = (shape, 0)
    for (axis, range) in ranges.enumerated() {
      checkRange(range, axis, in: "sliced")
      newShape[axis] = range.count
      start += range.lowerBound * own[axis]
    }
    if newShape == shape { return self }
    return copied(shape: newShape, reading: own, from: start).recorded(self) { upstream, inputs, _ in
      ranges.enumerated().reduce(upstream) { part, place in
        let (axis, range) = place
        return part.padded(before: range.lowerBound, after: inputs[0].shape[axis] - range.upperBound, axis: axis)
      }
    }
  }

  /// The values of one axis in parts of the given sizes.
  ///
  /// - Precondition: the sizes are not negative and add up to the extent of the axis.
  public func split(sizes: [Int], axis: Int) -> [Tensor] {
    let axis = checkedAxis(axis, in: "split")
    guard sizes.allSatisfy({ (0...shape[axis]).contains($0) }), sizes.reduce(0, +) == shape[axis] else {
      fail("split", "the sizes \(sizes) do not add up to the extent of axis \(axis) of shape \(shape)")
    }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return sliced(start..<start + size, axis: axis)
    }
  }

  /// A copy in which the part of one axis that `range` names is `values`: an assignment that gradients flow through.
  ///
  /// - Parameters:
  ///   - range: within the axis.
  ///   - values: of the shape of that part, or one that broadcasts to it.
  public func replacing(_ range: Range<Int>, axis: Int, with values: Tensor) -> Tensor {
    let axis = checkedAxis(axis, in: "replacing")
    checkRange(range, axis, in: "replacing")
    var part = shape
    part[axis] = range.count
    guard broadcastShape(values.shape, part, in: "replacing") == part else {
      fail("replacing", "the values of shape \(values.shape) do not fit the part, which has shape \(part)")
    }
    let values = values.broadcast(to: part)
    let pieces = [(self, 0..<range.lowerBound), (values, 0..<range.count), (self, range.upperBound..<shape[axis])]
    return joined(pieces, axis: axis, of: shape, in: "replacing").recorded(
      self, values, { upstream, _, _ in upstream.replacing(range, axis: axis, with: Tensor(0)) },
      { upstream, _, _ in upstream.sliced(range, axis: axis) })
  }

  /// The values moved on by `places` along one axis, those pushed out at one end coming in at the other.
  public func rolled(by places: Int, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "rolled")
    let extent = shape[axis]
    guard extent > 0, places % extent != 0 else { return self }
    let cut = (extent - places % extent) % extent
    let pieces = [(self, cut..<extent), (self, 0..<cut)]
    return joined(pieces, axis: axis, of: shape, in: "rolled").recorded(self) { upstream, _, _ in
      upstream.rolled(by: cut, axis: axis)
    }
  }

  /// Zeros put before and after the values along one axis.
  ///
  /// - Precondition: neither number is negative.
  public func padded(before: Int, after: Int, axis: Int) -> Tensor {
    let axis = checkedAxis(axis, in: "padded")
    guard (0..<1 << 40).contains(before), (0..<1 << 40).contains(after) else {
      fail("padded", "cannot add \(before) and \(after) zeros; use sliced to cut")
    }
    if before == 0, after == 0 { return self }
    let extent = shape[axis]
    let pieces = [(nil, 0..<before), (self, 0..<extent), (nil, 0..<after)]
    return joined(pieces, axis: axis, of: shape, in: "padded").recorded(self) { upstream, _, _ in
      upstream.sliced(before..<before + extent, axis: axis)
    }
  }

  private func checkRange(_ range: Range<Int>, _ axis: Int, in operation: String) {
    guard range.lowerBound >= 0, range.upperBound <= shape[axis] else {
      fail(operation, "the range \(range) is not within axis \(axis) of shape \(shape)")
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
  let result = joined(tensors.map { ($0, 0..<$0.shape[axis]) }, axis: axis, of: first.shape, in: "concatenate")
  guard tensors.contains(where: { $0.node != nil }), Recording.isOn else { return result }
  var start = 0
  let rules = tensors.map { tensor -> Rule in
    let range = start..<start + tensor.shape[axis]
    start = range.upperBound
    return { upstream, _, _ in upstream.sliced(range, axis: axis) }
  }
  return result.recorded(from: tensors, rules)
}

/// Tensors of one shape side by side along a new axis, which is `axis` in the result.
///
/// - Precondition: there is one at least, and their shapes agree.
public func stack(_ tensors: [Tensor], axis: Int) -> Tensor {
  guard let first = tensors.first else { fail("stack", "there is nothing to stack") }
  if let odd = tensors.first(where: { $0.shape != first.shape }) {
    fail("stack", "the shapes \(first.shape) and \(odd.shape) differ")
  }
  var single = first.shape + [1]
  let axis = first.reshaped(to: single).checkedAxis(axis, in: "stack")
  single = Array(first.shape[..<axis]) + [1] + first.shape[axis...]
  return concatenate(tensors.map { $0.reshaped(to: single) }, axis: axis)
}

/// Parts of tensors one after another along `axis`, zeros where there is no tensor; a constant whose other axes are as in `shape`.
private func joined(
  _ pieces: [(tensor: Tensor?, range: Range<Int>)], axis: Int, of shape: [Int], in operation: String
) -> Tensor {
  var newShape = shape
  newShape[axis] = pieces.reduce(0) { $0 + $1.range.count }
  let result = Tensor(storage: Storage(count: checkedCount(of: newShape, in: operation)), shape: newShape)
  let outer = shape[..<axis].reduce(1, *)
  let inner = shape[(axis + 1)...].reduce(1, *)
  var target = result.storage.pointer
  for (tensor, range) in pieces {
    let source = tensor ?? Tensor(0)
    let step = tensor == nil ? 0 : inner  // a single zero is read again and again
    let rows = CopyAxis(
      extent: outer, reading: (tensor?.shape[axis] ?? 0) * step, writing: newShape[axis] * inner)
    let columns = CopyAxis(extent: range.count * inner, reading: min(step, 1), writing: 1)
    withExtendedLifetime(source) {
      copyBlock([rows, columns], from: source.storage.pointer + range.lowerBound * step, to: target)
    }
    target += columns.extent
  }
  return result
}
