private enum Relu: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.replacing(with: 0, where: x .< 0) }
}
private enum KeepWherePositive: BinaryKernel {
  @inline(always) static func apply(_ upstream: Vector, _ x: Vector) -> Vector {
    upstream.replacing(with: 0, where: x .<= 0)
  }
}
private enum Sigmoid: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSigmoid(x) }
}
private enum Softplus: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSoftplus(x) }
}
private enum Tanh: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorTanh(x) }
}

/// max(x, 0) for each value; its gradient at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  x.map(Relu.self).recorded(x) { upstream, _, output in keepWherePositive(upstream, output) }
}

/// `upstream` where `x` is positive and 0 elsewhere.
private func keepWherePositive(_ upstream: Tensor, _ x: Tensor) -> Tensor {
  upstream.zip(x, KeepWherePositive.self).recorded(upstream, x) {
    outer, inputs, _ in
    keepWherePositive(outer, inputs[1])
  } _: { _, inputs, _ in
    .zeros(inputs[1].shape)
  }
}

/// 1/(1+e⁻ˣ) for each value.
public func sigmoid(_ x: Tensor) -> Tensor {
  x.map(Sigmoid.self).recorded(x) { upstream, _, output in upstream * output * (1 - output) }
}

/// ln(1+eˣ) for each value, without overflow.
public func softplus(_ x: Tensor) -> Tensor {
  x.map(Softplus.self).recorded(x) { upstream, inputs, _ in upstream * sigmoid(inputs[0]) }
}

/// The hyperbolic tangent of each value.
public func tanh(_ x: Tensor) -> Tensor {
  x.map(Tanh.self).recorded(x) { upstream, _, output in upstream * (1 - square(output)) }
}
