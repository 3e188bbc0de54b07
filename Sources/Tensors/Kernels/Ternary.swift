/// A function of three values, on sixteen lanes.
protocol TernaryKernel: SendableMetatype {
  static func apply(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector
}

extension Tensor {
  /// The kernel applied to each three values of this tensor and two others of its shape, or with one value; a constant.
  func zip<Kernel: TernaryKernel>(_ second: Tensor, _ third: Tensor, _ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    let (a, b, c, y) = (storage.pointer, second.storage.pointer, third.storage.pointer, result.pointer)
    let (hasOneB, hasOneC) = (second.count == 1, third.count == 1)
    parallel(count, work: count, alignment: 32) { range in
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        let second = hasOneB ? Vector(repeating: b[0]) : Vector(loading: b + i)
        let third = hasOneC ? Vector(repeating: c[0]) : Vector(loading: c + i)
        Kernel.apply(Vector(loading: a + i), second, third).store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape)
  }
}
