/// A function of one value, on sixteen lanes.
protocol UnaryKernel: SendableMetatype {
  static func apply(_ x: Vector) -> Vector
}

/// A function of two values, on sixteen lanes.
protocol BinaryKernel: SendableMetatype {
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
      combine(kernel, a, 1, b, 1, into: y, range)
    }
    return Tensor(storage: result, shape: shape)
  }

  /// The kernel applied to each value and one scalar, in the order that `scalarFirst` says; a constant.
  func zip<Kernel: BinaryKernel>(scalar: Float, first scalarFirst: Bool, _ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    let (x, y) = (storage.pointer, result.pointer)
    withUnsafePointer(to: scalar) { s in
      parallel(count, work: count, alignment: 32) { range in
        if scalarFirst {
          combine(kernel, s, 0, x, 1, into: y, range)
        } else {
          combine(kernel, x, 1, s, 0, into: y, range)
        }
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
    let result = Tensor(storage: Storage(count: shape.reduce(1, *)), shape: shape)
    if result.count > 0 {
      Broadcast(a.shape, b.shape, to: shape).run(
        kernel, a.storage.pointer, b.storage.pointer, into: result.storage.pointer)
    }
    return result
  }

  /// Adds `other`, in place where nobody else holds or remembers these values.
  mutating func accumulate(_ other: Tensor) {
    guard node == nil, other.node == nil, shape == other.shape, isKnownUniquelyReferenced(&storage) else {
      self = self + other
      return
    }
    let (a, b) = (storage.pointer, other.storage.pointer)
    parallel(count, work: count, alignment: 32) { range in combine(Add.self, a, 1, b, 1, into: a, range) }
  }
}

enum Add: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { a + b }
}

/// `y[i] = kernel(a[i·strideA], b[i·strideB])`, for strides 0 or 1; the last vector is run in full.
@inline(never)
func combine<Kernel: BinaryKernel>(
  _ kernel: Kernel.Type, _ a: UnsafePointer<Float>, _ strideA: Int, _ b: UnsafePointer<Float>, _ strideB: Int,
  into y: Pointer, _ range: Range<Int>
) {
  combineRow(kernel, a, strideA, b, strideB, into: y, range)
}

/// The same for ranges so short that a call would count.
@inline(always)
func combineRow<Kernel: BinaryKernel>(
  _ kernel: Kernel.Type, _ a: UnsafePointer<Float>, _ strideA: Int, _ b: UnsafePointer<Float>, _ strideB: Int,
  into y: Pointer, _ range: Range<Int>
) {
  if strideA == 1, strideB == 1 {
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      Kernel.apply(Vector(loading: a + i), Vector(loading: b + i)).store(to: y + i)
    }
  } else if strideA == 1 {
    let s = Vector(repeating: b[0])
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      Kernel.apply(Vector(loading: a + i), s).store(to: y + i)
    }
  } else {
    let s = Vector(repeating: a[0])
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      Kernel.apply(s, Vector(loading: b + i)).store(to: y + i)
    }
  }
}
