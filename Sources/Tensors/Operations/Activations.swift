private enum Relu: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.positivePart }
}
private enum KeepWherePositive: BinaryKernel {
  @inline(always) static func apply(_ upstream: Vector, _ x: Vector) -> Vector {
    upstream.replacing(with: 0, where: x .<= 0)
  }
}
private enum ScaleWhereNegative: TernaryKernel {
  @inline(always) static func apply(_ value: Vector, _ x: Vector, _ slope: Vector) -> Vector {
    value.replacing(with: value * slope, where: x .<= 0)
  }
}
private enum Elu: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.replacing(with: vectorExpMinusOne(x), where: x .< 0) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value {
    (-(-x).positivePart).applying(Exp.self)
  }
}
private enum Gelu: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorGelu(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value {
    x.applying(NormalProbability.self) + x * x.applying(NormalDensity.self)
  }
}
private enum NormalProbability: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorNormalProbability(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { x.applying(NormalDensity.self) }
}
private enum NormalDensity: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorNormalDensity(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { -(x * y) }
}
private enum Silu: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { larger(x, Vector(repeating: -200)) * vectorSigmoid(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value {
    let s = x.applying(Sigmoid.self)
    return s * (1 + x * (1 - s))
  }
}
private enum Sigmoid: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSigmoid(x) }
  // Rather than 1 − y, which has few digits where y is near 1.
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value {
    y * (-x).applying(Sigmoid.self)
  }
}
private enum LogSigmoid: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { -vectorSoftplus(-x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { (-x).applying(Sigmoid.self) }
}
private enum Softplus: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSoftplus(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { x.applying(Sigmoid.self) }
}
private enum Tanh: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorTanh(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 1 - y * y }
}

/// max(x, 0) for each value; its gradient at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  x.map(Relu.self).recorded(x) { upstream, _, output in keepWherePositive(upstream, output) }
}

/// `upstream` where `x` is positive and 0 elsewhere.
package func keepWherePositive(_ upstream: Tensor, _ x: Tensor) -> Tensor {
  upstream.zip(x, KeepWherePositive.self).recorded(
    upstream, x, { outer, inputs, _ in keepWherePositive(outer, inputs[1]) },
    { _, inputs, _ in .zeros(inputs[1].shape) })
}

/// x where it is positive and `slope`·x elsewhere; its gradient at 0 is `slope` (Maas, Hannun & Ng, 2013).
public func leakyRelu(_ x: Tensor, slope: Float = 0.01) -> Tensor {
  scaled(x, whereNegative: x.detached(), by: slope)
}

/// `value`, times `slope` where the constant `x` is not positive.
private func scaled(_ value: Tensor, whereNegative x: Tensor, by slope: Float) -> Tensor {
  value.zip(x, Tensor(slope), ScaleWhereNegative.self).recorded(value) { upstream, _, _ in
    scaled(upstream, whereNegative: x, by: slope)
  }
}

/// x where it is positive and eˣ − 1 elsewhere (Clevert, Unterthiner & Hochreiter, arXiv 1511.07289).
public func elu(_ x: Tensor) -> Tensor { x.applying(Elu.self) }

/// x·Φ(x) with the exact normal distribution function (Hendrycks & Gimpel, arXiv 1606.08415).
public func gelu(_ x: Tensor) -> Tensor { x.applying(Gelu.self) }

/// x·sigmoid(x), also called swish (Ramachandran, Zoph & Le, arXiv 1710.05941).
public func silu(_ x: Tensor) -> Tensor { x.applying(Silu.self) }

/// 1/(1+e⁻ˣ) for each value.
public func sigmoid(_ x: Tensor) -> Tensor { x.applying(Sigmoid.self) }

/// ln sigmoid(x) for each value, without overflow.
public func logSigmoid(_ x: Tensor) -> Tensor { x.applying(LogSigmoid.self) }

/// ln(1+eˣ) for each value, without overflow.
public func softplus(_ x: Tensor) -> Tensor { x.applying(Softplus.self) }

/// The hyperbolic tangent of each value.
public func tanh(_ x: Tensor) -> Tensor { x.applying(Tanh.self) }
