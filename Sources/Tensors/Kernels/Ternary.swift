/// A function of three values, on sixteen lanes.
protocol TernaryKernel: SendableMetatype {
  static func apply(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector
}

extension Tensor {
  /// The kernel applied to each three values of this tensor and two others, of its shape or with one value; a constant.
  func zip<Kernel: TernaryKernel>(_ second: Tensor, _ third: Tensor, _ kernel: Kernel.Type) -> Tensor {
    let result = Storage(count: count)
    // A single value becomes a vector that is read again and again.
    let (second, third) = (second.orVector, third.orVector)
    defer { withExtendedLifetime((second, third)) {} }
    let (a, b, c, y) = (storage.pointer, second.storage.pointer, third.storage.pointer, result.pointer)
    let (stepB, stepC) = (second.count == count ? 1 : 0, third.count == count ? 1 : 0)
    parallel(count, work: count, alignment: 32) { range in
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        Kernel.apply(Vector(loading: a + i), Vector(loading: b + i &* stepB), Vector(loading: c + i &* stepC))
          .store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape)
  }

  private var orVector: Tensor { count == 1 ? Tensor(repeating: scalar, shape: [16]) : self }
}
