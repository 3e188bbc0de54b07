import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  rulesExercise.knownMistakes([
    inProduct("The product's derivatives are the wrong way round: a's is upstream times b.") { [$0 * $1, $0 * $2] },
    inProduct("`upstream` is missing in the product's rule: the chain rule multiplies by it.") { [$2, $1] },
    inProduct("Both derivatives are upstream times the product: each is upstream times the other input.") {
      upstream, a, b in
      [upstream * a * b, upstream * a * b]
    },
    inProduct("Both inputs of the product get the same derivative: each gets upstream times the other.") {
      upstream, _, b in
      [upstream * b, upstream * b]
    },
    inProduct("The values are right, but have forgotten how they were computed: use values, not numbers.") {
      [Value($0.number * $2.number), Value($0.number * $1.number)]
    },
    inTanh("The square is missing: the derivative of tanh is 1 − t².") { $0 - $0 * $1 },
    inTanh("The derivative of tanh is 1 − t², not 1 + t².") { $0 + $0 * $1 * $1 },
    inTanh("`upstream` is missing in the rule of tanh: the chain rule multiplies by it.") { Value(1) - $1 * $1 },
    inTanh("tanh is taken of the output again: t is tanh x already.") { exactTanh($0, tanh($1)) },
  ]),
  orderExercise.knownMistakes([
    Mistake("A value used twice is put down twice: remember what was seen.") { y in
      func visit(_ value: Value) -> [Value] { value.inputs.flatMap(visit) + [value] }
      return visit(y)
    },
    Mistake("Each value stands before its inputs: append it after they were visited.") { y in
      Array(depthFirst(y).reversed())
    },
    Mistake("The value is appended before its inputs were visited, so that a later use may send after it was swept.") {
      preorder($0)
    },
    Mistake("y itself is missing: it is the last of the order.") { Array(depthFirst($0).dropLast()) },
    Mistake("Only y and its own inputs are there: visit the inputs of the inputs too.") { y in y.inputs + [y] },
    Mistake("Only the first input of each value is visited: visit them all.") { y in
      Array(sequence(first: y) { $0.inputs.first }).reversed()
    },
  ]),
  broadcastExercise.knownMistakes([
    Mistake("The copies' parts are averaged: they are summed.") { upstream, shape in
      upstream.mean(axes: repeated(upstream, shape)).reshaped(to: shape)
    },
    Mistake("One copy's part is taken and the others dropped: sum over all copies.") { upstream, shape in
      repeated(upstream, shape).reversed().reduce(upstream) { $0.sliced(0..<1, axis: $1) }.reshaped(to: shape)
    },
    Mistake("The axes of extent 1 are gone: the gradient has the shape of what was broadcast.") { upstream, shape in
      upstream.sum(axes: repeated(upstream, shape))
    },
    Mistake("Only the new axes in front are summed: an axis of extent 1 was repeated too.") { upstream, shape in
      upstream.sum(axes: Array(0..<upstream.rank - shape.count))
    },
    Mistake("The gradient still has the shape of the broadcast: sum over the axes that were repeated.") { upstream, _ in
      upstream
    },
    Mistake("Everything is summed to one number: sum over the repeated axes alone.") { upstream, shape in
      upstream.sum().broadcast(to: shape)
    },
  ]),
  secondExercise.knownMistakes([
    Mistake("This is the first derivative: take the gradient once more.") { f, x in slope(of: f, at: Value(x)).number },
    Mistake("This is the square of the first derivative: f″ is the derivative of f′.") { f, x in
      let first = slope(of: f, at: Value(x)).number
      return first * first
    },
    Mistake("f″ is 0 here: the first derivative was made a new value, which has forgotten how it was computed.") {
      _, _ in
      0
    },
    Mistake("This is the derivative of f·f′: differentiate the slope alone.") { f, x in
      let x = Value(x)
      return gradients(of: slope(of: f, at: x) * f(x), withRespectTo: [x])[0].number
    },
    Mistake("This is ½ f″, the coefficient of Taylor's series.") { f, x in
      let x = Value(x)
      return 0.5 * gradients(of: slope(of: f, at: x), withRespectTo: [x])[0].number
    },
  ]),
]

private func inProduct(
  _ sentence: String, _ rule: @escaping @MainActor (Value, Value, Value) -> [Value]
) -> Mistake<Rules> {
  Mistake(sentence, Rules(product: rule, tanh: exactTanh))
}

private func inTanh(_ sentence: String, _ rule: @escaping @MainActor (Value, Value) -> Value) -> Mistake<Rules> {
  Mistake(sentence, Rules(product: exactProduct, tanh: rule))
}

private func exactProduct(_ upstream: Value, _ a: Value, _ b: Value) -> [Value] { [b * upstream, a * upstream] }

private func exactTanh(_ upstream: Value, _ t: Value) -> Value { upstream - upstream * t * t }

private func depthFirst(_ y: Value) -> [Value] {
  var found: [Value] = []
  func enter(_ value: Value) {
    if found.contains(where: { $0 === value }) { return }
    value.inputs.forEach(enter)
    found.append(value)
  }
  enter(y)
  return found
}

/// Each value before its inputs, then turned round: right for trees, wrong where ways of different lengths meet.
private func preorder(_ y: Value) -> [Value] {
  var found: [Value] = []
  func enter(_ value: Value) {
    if found.contains(where: { $0 === value }) { return }
    found.append(value)
    value.inputs.forEach(enter)
  }
  enter(y)
  return found.reversed()
}

private func repeated(_ upstream: Tensor, _ shape: [Int]) -> [Int] {
  let added = upstream.rank - shape.count
  return (0..<upstream.rank).filter { $0 < added || shape[$0 - added] < upstream.shape[$0] }
}

private func slope(of f: @MainActor (Value) -> Value, at x: Value) -> Value {
  gradients(of: f(x), withRespectTo: [x])[0]
}
