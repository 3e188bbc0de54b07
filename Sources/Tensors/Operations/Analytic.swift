/// What a derivative is written in, once for sixteen lanes and for tensors.
protocol Analytic {
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func + (scalar: Float, x: Self) -> Self
  static func - (scalar: Float, x: Self) -> Self
  static func * (scalar: Float, x: Self) -> Self
  static func / (scalar: Float, x: Self) -> Self
  static prefix func - (x: Self) -> Self
  var exponential: Self { get }
  var sine: Self { get }
  var cosine: Self { get }
  var logistic: Self { get }
  var positivePart: Self { get }
  var signs: Self { get }
  var normalProbability: Self { get }
  var normalDensity: Self { get }
}

/// A function of one value that knows its derivative.
protocol SmoothKernel: UnaryKernel {
  /// The derivative, from the function's input and output.
  static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value
}

extension Tensor {
  /// The kernel applied to each value.
  ///
  /// Its gradient takes one pass, or tensor operations where it is itself recorded.
  func applying<Kernel: SmoothKernel>(_ kernel: Kernel.Type) -> Tensor {
    map(kernel).recorded(self) { upstream, inputs, output in
      Recording.isOn
        ? upstream * Kernel.slope(inputs[0], output) : timesSlope(upstream, inputs[0], output, Kernel.self)
    }
  }
}

private func timesSlope<Kernel: SmoothKernel>(
  _ upstream: Tensor, _ x: Tensor, _ y: Tensor, _ kernel: Kernel.Type
) -> Tensor {
  let result = Storage(count: x.count)
  let (u, a, b, target) = (upstream.storage.pointer, x.storage.pointer, y.storage.pointer, result.pointer)
  parallel(x.count, work: x.count, alignment: 32) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      (Vector(loading: u + i) * Kernel.slope(Vector(loading: a + i), Vector(loading: b + i))).store(to: target + i)
    }
  }
  return Tensor(storage: result, shape: x.shape)
}

extension Vector: Analytic {
  @inline(always) var exponential: Vector { vectorExp(self) }
  @inline(always) var sine: Vector { vectorCosineAndSine(self).sine }
  @inline(always) var cosine: Vector { vectorCosineAndSine(self).cosine }
  @inline(always) var logistic: Vector { vectorSigmoid(self) }
  @inline(always) var positivePart: Vector { replacing(with: 0, where: self .< 0) }
  @inline(always) var signs: Vector { replacing(with: 1, where: self .> 0).replacing(with: -1, where: self .< 0) }
  @inline(always) var normalProbability: Vector { vectorNormalProbability(self) }
  @inline(always) var normalDensity: Vector { vectorNormalDensity(self) }
}

extension Tensor: Analytic {
  var exponential: Tensor { exp(self) }
  var sine: Tensor { sin(self) }
  var cosine: Tensor { cos(self) }
  var logistic: Tensor { sigmoid(self) }
  var positivePart: Tensor { relu(self) }
  var signs: Tensor { sign(self) }
  var normalProbability: Tensor { applying(NormalProbability.self) }
  var normalDensity: Tensor { applying(NormalDensity.self) }
}

private enum NormalProbability: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.normalProbability }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { x.normalDensity }
}
private enum NormalDensity: SmoothKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.normalDensity }
  @inline(always) static func slope<Value: Analytic>(_ x: Value, _ y: Value) -> Value { -(x * y) }
}
