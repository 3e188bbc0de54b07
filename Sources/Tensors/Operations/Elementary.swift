private enum Exp: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorExp(x) }
}
private enum Log: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorLog(x) }
}
private enum SquareRoot: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { vectorSquareRoot(x) }
}
private enum Square: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x * x }
}
private enum Magnitude: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.magnitude }
}
private enum Sign: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector {
    x.replacing(with: 1, where: x .> 0).replacing(with: -1, where: x .< 0)
  }
}

/// eˣ for each value.
public func exp(_ x: Tensor) -> Tensor {
  x.map(Exp.self).recorded(x) { upstream, _, output in upstream * output }
}

/// The natural logarithm of each value; −∞ at 0 and NaN below.
public func log(_ x: Tensor) -> Tensor {
  x.map(Log.self).recorded(x) { upstream, inputs, _ in upstream / inputs[0] }
}

/// The square root of each value; NaN below 0.
public func sqrt(_ x: Tensor) -> Tensor {
  x.map(SquareRoot.self).recorded(x) { upstream, _, output in upstream * 0.5 / output }
}

/// Each value times itself.
public func square(_ x: Tensor) -> Tensor {
  x.map(Square.self).recorded(x) { upstream, inputs, _ in upstream * inputs[0] * 2 }
}

/// The absolute value of each value; its gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  x.map(Magnitude.self).recorded(x) { upstream, inputs, _ in upstream * sign(inputs[0]) }
}

/// 1 for positive values, −1 for negative ones, 0 for 0; no gradient flows.
public func sign(_ x: Tensor) -> Tensor { x.map(Sign.self) }
