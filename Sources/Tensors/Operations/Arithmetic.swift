private enum Subtract: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { a - b }
}
private enum Multiply: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { a * b }
}
private enum Divide: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { a / b }
}
private enum Negate: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { -x }
}

extension Tensor {
  /// Elementwise sum; shapes broadcast.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    broadcasting(a, b, Add.self, named: "+").recorded(
      a, b,
      { upstream, inputs, _ in upstream.summed(to: inputs[0].shape) },
      { upstream, inputs, _ in upstream.summed(to: inputs[1].shape) })
  }

  /// Elementwise difference; shapes broadcast.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    broadcasting(a, b, Subtract.self, named: "-").recorded(
      a, b,
      { upstream, inputs, _ in upstream.summed(to: inputs[0].shape) },
      { upstream, inputs, _ in -upstream.summed(to: inputs[1].shape) })
  }

  /// Elementwise product; shapes broadcast.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    broadcasting(a, b, Multiply.self, named: "*").recorded(
      a, b,
      { upstream, inputs, _ in (upstream * inputs[1]).summed(to: inputs[0].shape) },
      { upstream, inputs, _ in (upstream * inputs[0]).summed(to: inputs[1].shape) })
  }

  /// Elementwise quotient; shapes broadcast.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    broadcasting(a, b, Divide.self, named: "/").recorded(
      a, b,
      { upstream, inputs, _ in (upstream / inputs[1]).summed(to: inputs[0].shape) },
      { upstream, inputs, output in -(upstream * output / inputs[1]).summed(to: inputs[1].shape) })
  }

  /// Elementwise negation.
  public static prefix func - (x: Tensor) -> Tensor {
    x.map(Negate.self).recorded(x) { upstream, _, _ in -upstream }
  }

  /// A scalar added to each value.
  public static func + (x: Tensor, scalar: Float) -> Tensor {
    x.zip(scalar: scalar, first: false, Add.self).recorded(x) { upstream, _, _ in upstream }
  }

  /// A scalar added to each value.
  public static func + (scalar: Float, x: Tensor) -> Tensor { x + scalar }

  /// A scalar subtracted from each value.
  public static func - (x: Tensor, scalar: Float) -> Tensor { x + -scalar }

  /// Each value subtracted from a scalar.
  public static func - (scalar: Float, x: Tensor) -> Tensor {
    x.zip(scalar: scalar, first: true, Subtract.self).recorded(x) { upstream, _, _ in -upstream }
  }

  /// Each value times a scalar.
  public static func * (x: Tensor, scalar: Float) -> Tensor {
    x.zip(scalar: scalar, first: false, Multiply.self).recorded(x) { upstream, _, _ in upstream * scalar }
  }

  /// Each value times a scalar.
  public static func * (scalar: Float, x: Tensor) -> Tensor { x * scalar }

  /// Each value divided by a scalar.
  public static func / (x: Tensor, scalar: Float) -> Tensor {
    x.zip(scalar: scalar, first: false, Divide.self).recorded(x) { upstream, _, _ in upstream / scalar }
  }

  /// A scalar divided by each value.
  public static func / (scalar: Float, x: Tensor) -> Tensor {
    x.zip(scalar: scalar, first: true, Divide.self).recorded(x) { upstream, inputs, output in
      -upstream * output / inputs[0]
    }
  }

  /// Elementwise sum, kept in the variable on the left.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
}
