import LessonKit

// What a student writes in Autodiff.swift: for each exercise its cases, which return values and never verdicts.

/// Autodiff.1 to Autodiff.4.
let exercises: [any ExerciseSpecification] = [rulesExercise, orderExercise, broadcastExercise, secondExercise]

/// The two rules of the first exercise.
struct Rules {
  let product: @MainActor (_ upstream: Value, _ a: Value, _ b: Value) -> [Value]
  let tanh: @MainActor (_ upstream: Value, _ output: Value) -> Value
}

let rulesExercise = Exercise(
  "Autodiff.1", "The rules of a product and of tanh", points: 2,
  implementation: Rules(product: productRule, tanh: { tanhRule($0, output: $1) }),
  hints: [
    "By the chain rule each derivative is `upstream` times the derivative of the output with respect to that input.",
    "∂(a·b)/∂a is b, and ∂(a·b)/∂b is a. The derivative of tanh x is 1 − tanh² x, and tanh x is the output, which you have.",
    "Compute with values, as in `upstream * b`, not with their `number`: these derivatives will be differentiated again.",
  ],
  cases: [
    rulesCase("small numbers", size: 0.5), rulesCase("about 1", size: 1.5), rulesCase("larger numbers", size: 5),
  ])

private func rulesCase(_ title: String, size: Double) -> ExerciseCase<Rules> {
  ExerciseCase(title) { rules, random in
    let (upstream, a, b) = (given(size, &random), given(size, &random), given(size, &random))
    let output = Value(Double.random(in: 0.2..<0.9, using: &random))
    let found = rules.product(upstream, a, b) + [rules.tanh(upstream, output)]
    return [
      "∂y/∂a, ∂y/∂b of a product, ∂y/∂x of tanh": numbers(found),
      "how many of upstream, a, b and the output each was computed from": Tensor(
        found.map { one in Float([upstream, a, b, output].count { leads(from: $0, to: one) }) }),
    ]
  }
}

let orderExercise = Exercise(
  "Autodiff.2", "Topological order", points: 3, implementation: { @MainActor (y: Value) in topologicalOrder(of: y) },
  dependencies: ["Autodiff.1"],
  hints: [
    "Walk from y to its inputs, and theirs. A value may be put down only when all its inputs have been.",
    "A recursive function does it: for a value not seen before, visit each input, then append the value itself.",
    "Remember what was seen in a `Set` of `ObjectIdentifier(value)`: values are compared by identity, not by number.",
  ],
  cases: [
    orderCase("a diamond: one value used twice") { x in
      let p = x[0] * x[1]
      return sum([p, p * x[0], x[1]])
    },
    orderCase("a value used by its own descendant, far and near") { x in
      let p = x[0] * x[1]
      return p * (p * (p + x[0]))
    },
    orderCase("diamonds in a row") { x in
      (0..<4).reduce(x[0] * x[1]) { value, _ in value + value * value }
    },
  ])

private func orderCase(
  _ title: String, _ function: @escaping @MainActor ([Value]) -> Value
) -> ExerciseCase<@MainActor (Value) -> [Value]> {
  ExerciseCase(title) { order, random in
    let x = (0..<2).map { _ in Value(Double.random(in: 0.3..<0.8, using: &random)) }
    let y = function(x)
    return [
      "how many values there are": Tensor(Float(order(y).count)),
      "the gradient": numbers(gradients(of: y, withRespectTo: x, order: order)),
    ]
  }
}

let broadcastExercise = Exercise(
  "Autodiff.3", "The gradient of a broadcast", points: 3,
  implementation: { @MainActor (upstream: Tensor, shape: [Int]) in broadcastGradient(upstream, shape: shape) },
  hints: [
    "Every copy of a value sends its own part back, and the parts are added.",
    "Align the shapes at the right. Sum over the axes that `shape` lacks, and over those where it has extent 1.",
    "`upstream.sum(axes: repeated)` drops the axes; `.reshaped(to: shape)` puts back those of extent 1.",
  ],
  cases: [
    broadcastCase("a row for all rows of all matrices", shape: [1, 3], to: [2, 4, 3]),
    broadcastCase("a column for all columns", shape: [2, 1], to: [3, 2, 4]),
    broadcastCase("a number for each matrix", shape: [2, 1, 1], to: [5, 2, 3, 4]),
  ])

private func broadcastCase(
  _ title: String, shape: [Int], to full: [Int]
) -> ExerciseCase<@MainActor (Tensor, [Int]) -> Tensor> {
  ExerciseCase(title) { gradient, random in
    ["the gradient": gradient(.uniform(full, in: 0.5..<2, using: &random), shape)]
  }
}

let secondExercise = Exercise(
  "Autodiff.4", "A second derivative", points: 2,
  implementation: { @MainActor (f: @escaping @MainActor (Value) -> Value, x: Double) in secondDerivative(of: f, at: x)
  },
  dependencies: ["Autodiff.1", "Autodiff.2"],
  hints: [
    "`gradients(of: y, withRespectTo: [x])` gives values, and these can be differentiated as y was.",
    "Make one `Value` x, compute f(x), take its gradient, and take the gradient of that with respect to the same x.",
    "Differentiate the value that the first call returned: `Value(slope.number)` has forgotten how it was computed.",
  ],
  cases: [
    secondCase("a product and tanh") { (x: Value, a: Value) in x * tanh(a * x) },
    secondCase("exp and log") { (x: Value, a: Value) in exp(a * x) * log(x) },
    secondCase("a quotient") { (x: Value, a: Value) in (x * x * x) / (x + a) },
  ])

private func secondCase(
  _ title: String, _ function: @escaping @MainActor (Value, Value) -> Value
) -> ExerciseCase<@MainActor (@escaping @MainActor (Value) -> Value, Double) -> Double> {
  ExerciseCase(title) { second, random in
    let a = Value(Double.random(in: 0.6..<1.4, using: &random))
    let places = (0..<3).map { _ in Double.random(in: 0.5..<1.5, using: &random) }
    return ["f″ at three places": Tensor(places.map { Float(second({ function($0, a) }, $0)) })]
  }
}

private func given(_ size: Double, _ random: inout Random) -> Value {
  Value(Double.random(in: 0.3 * size..<size, using: &random) * (Bool.random(using: &random) ? 1 : -1))
}

private func numbers(_ values: [Value]) -> Tensor { Tensor(values.map { Float($0.number) }) }

/// Whether a value was computed from another, or is it.
private func leads(from source: Value, to value: Value) -> Bool {
  value === source || value.inputs.contains { leads(from: source, to: $0) }
}
