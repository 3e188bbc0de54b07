enum Exp: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorExp(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { y }
}
private enum ExpMinusOne: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorExpMinusOne(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 1 + y }
}
private enum Log: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorLog(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 1 / x }
}
private enum LogOnePlus: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorLogOnePlus(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 1 / (1 + x) }
}
private enum SquareRoot: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSquareRoot(x) }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 0.5 / y }
}
private enum Square: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x * x }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { 2 * x }
}
private enum Magnitude: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.magnitude }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { x.signs }
}
private enum Sine: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorCosineAndSine(x).sine }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { x.applying(Cosine.self) }
}
private enum Cosine: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorCosineAndSine(x).cosine }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { -x.applying(Sine.self) }
}
private enum Sign: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.signs }
}
private enum Floor: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorFloor(x) }
}
private enum Power: BinaryKernel {
  @inline(always) static func apply(_ x: Vector, _ y: Vector) -> Vector { vectorPower(x, y) }
}

/// eˣ for each value.
public func exp(_ x: Tensor) -> Tensor { x.applying(Exp.self) }

/// eˣ − 1 for each value, accurate near 0.
public func expm1(_ x: Tensor) -> Tensor { x.applying(ExpMinusOne.self) }

/// The natural logarithm of each value; −∞ at 0 and NaN below.
public func log(_ x: Tensor) -> Tensor { x.applying(Log.self) }

/// ln(1 + x) for each value, accurate near 0; −∞ at −1 and NaN below.
public func log1p(_ x: Tensor) -> Tensor { x.applying(LogOnePlus.self) }

/// The square root of each value; NaN below 0.
public func sqrt(_ x: Tensor) -> Tensor { x.applying(SquareRoot.self) }

/// Each value times itself.
public func square(_ x: Tensor) -> Tensor { x.applying(Square.self) }

/// The absolute value of each value; its gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor { x.applying(Magnitude.self) }

/// The sine of each value, in radians.
public func sin(_ x: Tensor) -> Tensor { x.applying(Sine.self) }

/// The cosine of each value, in radians.
public func cos(_ x: Tensor) -> Tensor { x.applying(Cosine.self) }

/// 1 for positive values, −1 for negative ones, 0 for 0; no gradient flows.
public func sign(_ x: Tensor) -> Tensor { x.map(Sign.self) }

/// The largest whole number that is not above each value; no gradient flows.
public func floor(_ x: Tensor) -> Tensor { x.map(Floor.self) }

/// Each value raised to one exponent; NaN for negative values unless the exponent is whole.
public func power(_ x: Tensor, _ exponent: Float) -> Tensor {
  switch exponent {
  case 1: return x
  case 2: return square(x)
  default:
    return x.zip(scalar: exponent, first: false, Power.self).recorded(x) { upstream, inputs, _ in
      // At 0, x⁻¹ would be infinite.
      exponent == 0 ? .zeros(upstream.shape) : upstream * (power(inputs[0], exponent - 1) * exponent)
    }
  }
}

/// Each value raised to an exponent of its own; shapes broadcast.
///
/// No gradient flows to the exponent where the base is 0.
public func power(_ x: Tensor, _ exponent: Tensor) -> Tensor {
  Tensor.broadcasting(x, exponent, Power.self, named: "power").recorded(x, exponent) { upstream, inputs, _ in
    let (base, exponent) = (inputs[0], inputs[1])
    let lower = power(base, exponent - 1)
    return (upstream * select(exponent .== 0, Tensor(0), exponent * lower)).summed(to: base.shape)
  } _: { upstream, inputs, output in
    (upstream * output * log(inputs[0] + (inputs[0] .== 0))).summed(to: inputs[1].shape)
  }
}
