/// A function of one value, on sixteen lanes.
protocol UnaryKernel: SendableMetatype {
  static func apply(_ x: Vector) -> Vector
}

/// A function of two values, on sixteen lanes.
protocol BinaryKernel: SendableMetatype {
  static func apply(_ a: Vector, _ b: Vector) -> Vector
}

enum Add: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { a + b }
}

extension Tensor {
  /// The kernel applied to each value; a constant.
  func map<Kernel: UnaryKernel>(_ kernel: Kernel.Type) -> Tensor {
    let result = Tensor(storage: Storage(count: count), shape: shape)
    let (x, y) = (storage.pointer, result.storage.pointer)
    parallel(count, work: count, alignment: 32) { range in
      // Storage is padded to whole vectors, so the last one may be run in full.
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        Kernel.apply(Vector(loading: x + i)).store(to: y + i)
      }
    }
    return result
  }

  /// The kernel applied to each pair of values of two tensors of one shape; a constant.
  func zip<Kernel: BinaryKernel>(_ other: Tensor, _ kernel: Kernel.Type) -> Tensor {
    combined(storage.pointer, 1, other.storage.pointer, 1, kernel, shape)
  }

  /// The kernel applied to each value and one scalar, in the order that `scalarFirst` says; a constant.
  func zip<Kernel: BinaryKernel>(scalar: Float, first scalarFirst: Bool, _ kernel: Kernel.Type) -> Tensor {
    withUnsafePointer(to: scalar) { scalar in
      let (a, b) = scalarFirst ? (scalar, UnsafePointer(storage.pointer)) : (UnsafePointer(storage.pointer), scalar)
      return combined(a, scalarFirst ? 0 : 1, b, scalarFirst ? 1 : 0, kernel, shape)
    }
  }

  /// The kernel applied to two tensors whose shapes broadcast; a constant.
  static func broadcasting<Kernel: BinaryKernel>(
    _ a: Tensor, _ b: Tensor, _ kernel: Kernel.Type, named operation: String
  ) -> Tensor {
    if a.shape == b.shape { return a.zip(b, kernel) }
    let shape = broadcastShape(a.shape, b.shape, in: operation)
    let (count, x, y) = (shape.reduce(1, *), a.storage.pointer, b.storage.pointer)
    // Neither is stretched, unless all of it is one value.
    let (strideA, strideB) = (a.count == count ? 1 : 0, b.count == count ? 1 : 0)
    if strideA == 1 || a.count == 1, strideB == 1 || b.count == 1 {
      return combined(x, strideA, y, strideB, kernel, shape)
    }
    let result = Tensor(storage: Storage(count: count), shape: shape)
    if count > 0 { Broadcast(a.shape, b.shape, to: shape).run(kernel, x, y, into: result.storage.pointer) }
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

/// The kernel applied to each pair of values, strides being 1, or 0 for a scalar; a constant.
private func combined<Kernel: BinaryKernel>(
  _ a: UnsafePointer<Float>, _ strideA: Int, _ b: UnsafePointer<Float>, _ strideB: Int, _ kernel: Kernel.Type,
  _ shape: [Int]
) -> Tensor {
  let count = shape.reduce(1, *)
  let result = Tensor(storage: Storage(count: count), shape: shape)
  let y = result.storage.pointer
  parallel(count, work: count, alignment: 32) { range in combine(kernel, a, strideA, b, strideB, into: y, range) }
  return result
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
  // Only where it is used: another thread may be writing there.
  let firstA = strideA == 0 ? Vector(repeating: a[0]) : Vector()
  let firstB = strideB == 0 ? Vector(repeating: b[0]) : Vector()
  for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
    Kernel.apply(strideA == 0 ? firstA : Vector(loading: a + i), strideB == 0 ? firstB : Vector(loading: b + i))
      .store(to: y + i)
  }
}
