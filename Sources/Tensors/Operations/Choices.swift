private enum Larger: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { larger(a, b) }
}
private enum Smaller: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { smaller(a, b) }
}
/// The part of the gradient that goes to the first of two, when the larger is taken.
private enum LargerShare: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector {
    Vector(repeating: 0).replacing(with: 1, where: a .> b).replacing(with: 0.5, where: a .== b)
  }
}
private enum KeepWhereNonzero: BinaryKernel {
  @inline(always) static func apply(_ x: Vector, _ mask: Vector) -> Vector { x.replacing(with: 0, where: mask .== 0) }
}
private enum KeepWhereZero: BinaryKernel {
  @inline(always) static func apply(_ x: Vector, _ mask: Vector) -> Vector { x.replacing(with: 0, where: mask .!= 0) }
}

/// The larger of each two values, NaN if one is; shapes broadcast.
///
/// Equal values share the gradient.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor.broadcasting(a, b, Larger.self, named: "maximum").recorded(
    a, b,
    { upstream, inputs, _ in (upstream * largerShare(inputs[0], inputs[1])).summed(to: inputs[0].shape) },
    { upstream, inputs, _ in (upstream * largerShare(inputs[1], inputs[0])).summed(to: inputs[1].shape) })
}

/// The smaller of each two values, NaN if one is; shapes broadcast.
///
/// Equal values share the gradient.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor.broadcasting(a, b, Smaller.self, named: "minimum").recorded(
    a, b,
    { upstream, inputs, _ in (upstream * largerShare(inputs[1], inputs[0])).summed(to: inputs[0].shape) },
    { upstream, inputs, _ in (upstream * largerShare(inputs[0], inputs[1])).summed(to: inputs[1].shape) })
}

private func largerShare(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor.broadcasting(a, b, LargerShare.self, named: "maximum")
}

/// `a` where the mask is not 0 and `b` where it is; all three shapes broadcast.
///
/// No gradient flows to the mask.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let shape = broadcastShape(mask.shape, broadcastShape(a.shape, b.shape, in: "select"), in: "select")
  let mask = mask.detached()
  return selected(mask.copied(broadcastTo: shape), a.copied(broadcastTo: shape), b.copied(broadcastTo: shape)).recorded(
    a, b,
    { upstream, inputs, _ in kept(upstream, mask, KeepWhereNonzero.self).summed(to: inputs[0].shape) },
    { upstream, inputs, _ in kept(upstream, mask, KeepWhereZero.self).summed(to: inputs[1].shape) })
}

/// The choice for three tensors of one shape, in one pass.
private func selected(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let result = Storage(count: mask.count)
  let (m, x, y) = (mask.storage.pointer, a.storage.pointer, b.storage.pointer)
  let target = result.pointer
  parallel(mask.count, work: mask.count, alignment: 32) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let isZero = Vector(loading: m + i) .== 0
      Vector(loading: x + i).replacing(with: Vector(loading: y + i), where: isZero).store(to: target + i)
    }
  }
  return Tensor(storage: result, shape: mask.shape)
}

/// `upstream` where the kernel keeps it; the mask is a constant of a shape that broadcasts.
private func kept<Kernel: BinaryKernel>(_ upstream: Tensor, _ mask: Tensor, _ kernel: Kernel.Type) -> Tensor {
  Tensor.broadcasting(upstream, mask, kernel, named: "select").recorded(upstream) { outer, _, _ in
    kept(outer, mask, kernel)
  }
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
