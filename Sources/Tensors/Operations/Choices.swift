private enum Larger: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { larger(a, b) }
}
private enum Smaller: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { smaller(a, b) }
}
private enum Choose: TernaryKernel {
  @inline(always) static func apply(_ mask: Vector, _ a: Vector, _ b: Vector) -> Vector {
    a.replacing(with: b, where: mask .== 0)
  }
}
/// The part of the gradient that goes to the first of two, of which the kernel takes one.
private enum Share<Choice: BinaryKernel>: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector {
    Vector(repeating: 0).replacing(with: 1, where: a .== Choice.apply(a, b)).replacing(with: 0.5, where: a .== b)
  }
}

/// The larger of each two values, NaN if one is; shapes broadcast.
///
/// Equal values share the gradient.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { chosen(a, b, Larger.self, named: "maximum") }

/// The smaller of each two values, NaN if one is; shapes broadcast.
///
/// Equal values share the gradient.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { chosen(a, b, Smaller.self, named: "minimum") }

private func chosen<Choice: BinaryKernel>(
  _ a: Tensor, _ b: Tensor, _ choice: Choice.Type, named operation: String
) -> Tensor {
  let part = { @Sendable (upstream: Tensor, own: Tensor, other: Tensor) in
    (upstream * Tensor.broadcasting(own, other, Share<Choice>.self, named: operation)).summed(to: own.shape)
  }
  return Tensor.broadcasting(a, b, choice, named: operation).recorded(
    a, b, { upstream, inputs, _ in part(upstream, inputs[0], inputs[1]) },
    { upstream, inputs, _ in part(upstream, inputs[1], inputs[0]) })
}

/// `a` where the mask is not 0 and `b` where it is; all three shapes broadcast.
///
/// No gradient flows to the mask.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let shape = broadcastShape(mask.shape, broadcastShape(a.shape, b.shape, in: "select"), in: "select")
  let stretched = { (x: Tensor) in x.count == 1 ? x : x.copied(broadcastTo: shape) }
  let mask = mask.detached()
  return mask.copied(broadcastTo: shape).zip(stretched(a), stretched(b), Choose.self).recorded(
    a, b, { upstream, inputs, _ in select(mask, upstream, Tensor(0)).summed(to: inputs[0].shape) },
    { upstream, inputs, _ in select(mask, Tensor(0), upstream).summed(to: inputs[1].shape) })
}

extension Tensor {
  /// Each value moved into `range`: its bounds replace what lies beyond, and NaN stays.
  ///
  /// No gradient flows from beyond.
  public func clamped(to range: ClosedRange<Float>) -> Tensor {
    let result = Storage(count: count)
    let (x, y) = (storage.pointer, result.pointer)
    let (low, high) = (Vector(repeating: range.lowerBound), Vector(repeating: range.upperBound))
    parallel(count, work: count, alignment: 32) { part in
      for i in stride(from: part.lowerBound, to: part.upperBound, by: 16) {
        smaller(larger(Vector(loading: x + i), low), high).store(to: y + i)
      }
    }
    return Tensor(storage: result, shape: shape).recorded(self) { upstream, inputs, output in
      upstream * (inputs[0] .== output)
    }
  }
}
