/// The gradient of one input, from the gradient of the output ("upstream"), the inputs and the output.
///
/// Written in tensor operations and capturing no tensors, so that it can be differentiated itself and nodes form no cycles.
typealias Rule = @Sendable (_ upstream: Tensor, _ inputs: [Tensor], _ output: Tensor) -> Tensor

/// A recorded operation: what it read, what it gave, and a rule for each input.
final class Node: @unchecked Sendable {
  /// One more than the largest depth among the inputs, so that descending depth is an order for going backward.
  let depth: Int
  private(set) var inputs: [Tensor]
  private(set) var rules: [Rule]
  /// The operation's result, without its node (that would be a cycle).
  private let result: Tensor?
  /// Set when a backward pass that need not be repeated has used and dropped the inputs.
  private(set) var isConsumed = false

  /// A variable: a node that gradients can be taken with respect to.
  init() {
    depth = 0
    inputs = []
    rules = []
    result = nil
  }

  init(inputs: [Tensor], rules: [Rule], result: Tensor) {
    self.inputs = inputs
    self.rules = rules
    self.result = result
    depth = 1 + inputs.reduce(0) { max($0, $1.node?.depth ?? 0) }
  }

  /// The gradient that the output's gradient sends to input `index`.
  func gradient(ofInput index: Int, upstream: Tensor) -> Tensor {
    guard let result else { fail("gradient", "a variable has no inputs") }
    return rules[index](upstream, inputs, Tensor(storage: result.storage, shape: result.shape, node: self))
  }

  func consume() {
    guard !inputs.isEmpty else { return }
    inputs = []
    rules = []
    isConsumed = true
  }

  // Releasing a long chain recursively would overflow the stack: the last owner unlinks it step by step.
  deinit {
    guard !inputs.isEmpty else { return }
    var pending = inputs.compactMap(\.node)
    inputs = []
    while var node = pending.popLast() {
      if isKnownUniquelyReferenced(&node) {
        pending.append(contentsOf: node.inputs.compactMap(\.node))
        node.inputs = []
      }
    }
  }
}

extension Tensor {
  /// This value, remembered as the result of an operation when an input is remembered and recording is on.
  func recorded(from inputs: [Tensor], _ rules: [Rule]) -> Tensor {
    Tensor(storage: storage, shape: shape, node: Node(inputs: inputs, rules: rules, result: self))
  }

  /// This value as the result of an operation on one tensor.
  @inline(__always)
  func recorded(_ input: Tensor, _ rule: @escaping @autoclosure () -> Rule) -> Tensor {
    guard input.node != nil, Recording.isOn else { return self }
    return recorded(from: [input], [rule()])
  }

  /// This value as the result of an operation on two tensors.
  @inline(__always)
  func recorded(_ a: Tensor, _ b: Tensor, _ ruleA: @autoclosure () -> Rule, _ ruleB: @autoclosure () -> Rule) -> Tensor
  {
    guard a.node != nil || b.node != nil, Recording.isOn else { return self }
    return recorded(from: [a, b], [ruleA(), ruleB()])
  }

  /// The same value as a fresh variable, with respect to which gradients can be taken.
  package func asVariable() -> Tensor { Tensor(storage: storage, shape: shape, node: Node()) }
}

/// Whether operations are recorded: a scoped mode, separate for each thread and task.
enum Recording {
  @TaskLocal static var isOn = true
}

/// Runs `body` without recording: results are constants, and memory for gradients is not kept.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isOn.withValue(false, operation: body)
}
