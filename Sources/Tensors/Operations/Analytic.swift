/// A function of one value that knows its derivative.
protocol SmoothKernel: UnaryKernel {
  /// The derivative, from the function's input and output.
  static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value
}

/// What a derivative is written in, once for sixteen lanes and for tensors.
protocol Analytic {
  static func + (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func + (scalar: Float, x: Self) -> Self
  static func - (scalar: Float, x: Self) -> Self
  static func * (scalar: Float, x: Self) -> Self
  static func / (scalar: Float, x: Self) -> Self
  static prefix func - (x: Self) -> Self
  var positivePart: Self { get }
  var signs: Self { get }
  func applying<Kernel: SmoothKernel>(_ kernel: Kernel.Type) -> Self
}

extension Vector: Analytic {
  @inline(always) var positivePart: Vector { replacing(with: 0, where: self .< 0) }
  @inline(always) var signs: Vector { replacing(with: 1, where: self .> 0).replacing(with: -1, where: self .< 0) }
  @inline(always) func applying<Kernel: SmoothKernel>(_ kernel: Kernel.Type) -> Vector { Kernel.apply(self) }
}

extension Tensor: Analytic {
  var positivePart: Tensor { relu(self) }
  var signs: Tensor { sign(self) }

  /// The kernel applied to each value.
  ///
  /// Its gradient takes one pass, or tensor operations where it is itself recorded.
  func applying<Kernel: SmoothKernel>(_ kernel: Kernel.Type) -> Tensor {
    map(kernel).recorded(self) { upstream, inputs, output in
      Recording.isOn
        ? upstream * Kernel.slope(inputs[0], output)
        : upstream.zip(inputs[0], output, TimesSlope<Kernel>.self)
    }
  }
}

private enum TimesSlope<Kernel: SmoothKernel>: TernaryKernel {
  @inline(always) static func apply(_ upstream: Vector, _ x: Vector, _ y: Vector) -> Vector {
    upstream * Kernel.slope(x, y)
  }
}
