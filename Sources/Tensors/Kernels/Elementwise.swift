/// A function of one value, on sixteen lanes.
protocol UnaryKernel {
  static func apply(_ x: Vector) -> Vector
}

/// A function of two values, on sixteen lanes.
protocol BinaryKernel {
  static func apply(_ a: Vector, _ b: Vector) -> Vector
}

extension Tensor {
  /// The kernel applied to each value; a constant.
  func map<Kernel: UnaryKernel>(_ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    let (x, y) = (storage.pointer, result.pointer)
    parallel(count, work: count, alignment: 32) { range in
      // Storage is padded to whole vectors, so the last one may be run in full.
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        Kernel.apply(Vector(loading: x + i)).store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape)
  }

  /// The kernel applied to each pair of values of two tensors of one shape; a constant.
  func zip<Kernel: BinaryKernel>(_ other: Tensor, _ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    let (a, b, y) = (storage.pointer, other.storage.pointer, result.pointer)
    parallel(count, work: count, alignment: 32) { range in
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        Kernel.apply(Vector(loading: a + i), Vector(loading: b + i)).store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape)
  }

  /// The kernel applied to each value and one scalar, in the order that `scalarFirst` says; a constant.
  func zip<Kernel: BinaryKernel>(scalar: Float, first scalarFirst: Bool, _ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    let (a, y) = (storage.pointer, result.pointer)
    let s = Vector(repeating: scalar)
    parallel(count, work: count, alignment: 32) { range in
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        let x = Vector(loading: a + i)
        (scalarFirst ? Kernel.apply(s, x) : Kernel.apply(x, s)).store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape)
  }

  /// The kernel applied to two tensors whose shapes broadcast; a constant.
  static func broadcasting<Kernel: BinaryKernel>(
    _ a: Tensor, _ b: Tensor, _ kernel: Kernel.Type, named operation: String
  ) -> Tensor {
    if a.shape == b.shape { return a.zip(b, kernel) }
    let shape = broadcastShape(a.shape, b.shape, in: operation)
    if b.count == 1, shape == a.shape { return a.zip(scalar: b.storage.pointer[0], first: false, kernel) }
    if a.count == 1, shape == b.shape { return b.zip(scalar: a.storage.pointer[0], first: true, kernel) }
    return a.copied(broadcastTo: shape).zip(b.copied(broadcastTo: shape), kernel)
  }
}
