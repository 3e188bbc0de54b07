import LessonKit

/// A number that remembers how it was computed, for reverse-mode differentiation.
final class Value {
  /// How a value follows from its inputs.
  enum Operation {
    case given, sum, product, tanh, exp, log
    case power(Double)
  }

  let number: Double
  let operation: Operation
  let inputs: [Value]

  init(_ operation: Operation, _ inputs: [Value], _ number: Double) {
    (self.operation, self.inputs, self.number) = (operation, inputs, number)
  }

  /// A constant or a variable, which depends on nothing.
  convenience init(_ number: Double) { self.init(.given, [], number) }
}

func sum(_ terms: [Value]) -> Value { Value(.sum, terms, terms.reduce(0) { $0 + $1.number }) }
func tanh(_ x: Value) -> Value { Value(.tanh, [x], Foundation.tanh(x.number)) }
func exp(_ x: Value) -> Value { Value(.exp, [x], Foundation.exp(x.number)) }
func log(_ x: Value) -> Value { Value(.log, [x], Foundation.log(x.number)) }
func power(_ x: Value, _ n: Double) -> Value { n == 0 ? Value(1) : Value(.power(n), [x], pow(x.number, n)) }

extension Value {
  static func + (a: Value, b: Value) -> Value { sum([a, b]) }
  static func * (a: Value, b: Value) -> Value { Value(.product, [a, b], a.number * b.number) }
  static func * (a: Double, b: Value) -> Value { Value(a) * b }
  static func - (a: Value, b: Value) -> Value { a + -1 * b }
  static func / (a: Value, b: Value) -> Value { a * power(b, -1) }
}

/// ∂y/∂a and ∂y/∂b for an output a·b, given `upstream`, the derivative of the final y with respect to that output.
func productRule(_ upstream: Value, _ a: Value, _ b: Value) -> [Value] {
  // BEGIN SOLUTION Autodiff.1
  [upstream * b, upstream * a]
  // END SOLUTION
}

/// ∂y/∂x for an output t = tanh x, given `upstream`.
func tanhRule(_ upstream: Value, output t: Value) -> Value {
  // BEGIN SOLUTION Autodiff.1
  upstream * (Value(1) - t * t)
  // END SOLUTION
}

extension Value {
  /// ∂y/∂input for each input, given `upstream`.
  func inputGradients(_ upstream: Value) -> [Value] {
    switch operation {
    case .given: []
    case .sum: inputs.map { _ in upstream }
    case .product: productRule(upstream, inputs[0], inputs[1])
    case .tanh: [tanhRule(upstream, output: self)]
    case .exp: [upstream * self]
    case .log: [upstream / inputs[0]]
    case .power(let n): [n * upstream * power(inputs[0], n - 1)]
    }
  }
}

/// y and all values it was computed from, each once, and each after its inputs.
func topologicalOrder(of y: Value) -> [Value] {
  // BEGIN SOLUTION Autodiff.2
  var order: [Value] = []
  var visited: Set<ObjectIdentifier> = []
  func visit(_ value: Value) {
    guard visited.insert(ObjectIdentifier(value)).inserted else { return }
    for input in value.inputs { visit(input) }
    order.append(value)
  }
  visit(y)
  return order
  // END SOLUTION
}

/// ∂y/∂x for each x, as values that can be differentiated again; `order` is ``topologicalOrder(of:)``.
func gradients(
  of y: Value, withRespectTo xs: [Value], order: @MainActor (Value) -> [Value] = topologicalOrder
) -> [Value] {
  var arriving = [ObjectIdentifier(y): [Value(1)]]
  for value in order(y).reversed() {
    // All that use this value have been swept, so that what they sent is complete.
    guard let parts = arriving[ObjectIdentifier(value)] else { continue }
    let upstream = parts.count == 1 ? parts[0] : sum(parts)
    arriving[ObjectIdentifier(value)] = [upstream]
    for (input, part) in zip(value.inputs, value.inputGradients(upstream)) {
      arriving[ObjectIdentifier(input), default: []].append(part)
    }
  }
  return xs.map { arriving[ObjectIdentifier($0)]?.first ?? Value(0) }
}

/// f″(x): the derivative of the derivative.
func secondDerivative(of f: @MainActor (Value) -> Value, at x: Double) -> Double {
  // BEGIN SOLUTION Autodiff.4
  let x = Value(x)
  let slope = gradients(of: f(x), withRespectTo: [x])[0]
  return gradients(of: slope, withRespectTo: [x])[0].number
  // END SOLUTION
}

/// ∂y/∂x for an x of shape `shape` that was broadcast to the shape of `upstream`: the sum over its copies.
///
/// Shapes are aligned at the right; an axis of x that is missing, or of extent 1, was repeated.
func broadcastGradient(_ upstream: Tensor, shape: [Int]) -> Tensor {
  // BEGIN SOLUTION Autodiff.3
  let added = upstream.rank - shape.count
  let repeated = upstream.shape.indices.filter { $0 < added || shape[$0 - added] == 1 }
  return upstream.sum(axes: repeated).reshaped(to: shape)
  // END SOLUTION
}
