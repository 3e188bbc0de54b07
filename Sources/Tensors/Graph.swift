import Synchronization

/// The gradient of one input, from the gradient of the output ("upstream"), the inputs and the output.
///
/// Written in tensor operations and capturing no tensors, so that it can be differentiated itself and nodes form no cycles.
package typealias Rule = @Sendable (_ upstream: Tensor, _ inputs: Inputs, _ output: Tensor) -> Tensor

/// What a recorded operation read, by position.
package struct Inputs: RandomAccessCollection {
  fileprivate let node: Node
  package var startIndex: Int { 0 }
  package var endIndex: Int { node.count }
  package subscript(index: Int) -> Tensor { node.edge(index).input }
}

/// One input of an operation and the rule for its gradient.
struct Edge {
  let input: Tensor
  let rule: Rule
}

/// A recorded operation: what it read, what it gave, and a rule for each input.
package final class Node: @unchecked Sendable {
  /// One more than the largest depth among the inputs.
  let depth: Int
  /// The number of inputs; 0 for a variable, and after the inputs were dropped.
  private(set) var count: Int
  // The first three stand here rather than in an array: most operations then need one allocation.
  private var first, second, third: Edge?
  private var others: [Edge]
  /// The operation's result, without its node (that would be a cycle).
  private var result: Tensor?
  /// Set when a backward pass that need not be repeated has used and dropped the inputs.
  private(set) var isConsumed = false
  /// Where a running backward pass notes what it knows of this node; 0 when none does.
  let mark = Atomic<UInt64>(0)

  /// A variable: a node that gradients can be taken with respect to.
  init() {
    (depth, count, others) = (0, 0, [])
  }

  init(_ first: Edge, _ second: Edge? = nil, _ third: Edge? = nil, others: [Edge] = [], result: Tensor) {
    (self.first, self.second, self.third, self.others) = (first, second, third, others)
    self.result = result
    count = 1 + (second == nil ? 0 : 1) + (third == nil ? 0 : 1) + others.count
    var deepest = Swift.max(first.input.depth, second?.input.depth ?? 0, third?.input.depth ?? 0)
    for edge in others { deepest = Swift.max(deepest, edge.input.depth) }
    depth = deepest + 1
  }

  fileprivate func edge(_ index: Int) -> Edge {
    switch index {
    case 0: first!
    case 1: second!
    case 2: third!
    default: others[index - 3]
    }
  }

  /// The node of input `index`; nil for a constant.
  func source(_ index: Int) -> Node? {
    switch index {
    case 0: first?.input.node
    case 1: second?.input.node
    case 2: third?.input.node
    default: others[index - 3].input.node
    }
  }

  /// The gradient that the output's gradient sends to input `index`.
  func gradient(ofInput index: Int, upstream: Tensor) -> Tensor {
    guard let result else { fail("gradient", "a variable has no inputs") }
    let output = Tensor(storage: result.storage, shape: result.shape, node: self)
    return edge(index).rule(upstream, Inputs(node: self), output)
  }

  func consume() {
    guard count > 0 else { return }
    dropEdges()
    result = nil
    isConsumed = true
  }

  private func dropEdges() {
    count = 0
    (first, second, third) = (nil, nil, nil)
    if !others.isEmpty { others = [] }
  }

  /// Drops the inputs, keeping those of their nodes that have inputs too.
  private func dropEdges(keeping nodes: inout [Node]) {
    for index in 0..<count {
      if let node = source(index), node.count > 0 { nodes.append(node) }
    }
    dropEdges()
  }

  // Releasing a long chain recursively would overflow the stack: the last owner unlinks it step by step.
  deinit {
    guard count > 0 else { return }
    var pending: [Node] = []
    dropEdges(keeping: &pending)
    while var node = pending.popLast() {
      if isKnownUniquelyReferenced(&node) { node.dropEdges(keeping: &pending) }
    }
  }
}

extension Tensor {
  fileprivate var depth: Int { node?.depth ?? 0 }

  /// This value, remembered as the result of an operation when an input is remembered and recording is on.
  package func recorded(from inputs: [Tensor], _ rules: [Rule]) -> Tensor {
    let edges = Swift.zip(inputs, rules).map { Edge(input: $0, rule: $1) }
    let node = Node(
      edges[0], edges.count > 1 ? edges[1] : nil, edges.count > 2 ? edges[2] : nil, others: Array(edges.dropFirst(3)),
      result: self)
    return Tensor(storage: storage, shape: shape, node: node)
  }

  /// This value as the result of an operation on one tensor.
  @inline(__always)
  package func recorded(_ input: Tensor, _ rule: @escaping @autoclosure () -> Rule) -> Tensor {
    guard input.node != nil, Recording.isOn else { return self }
    return Tensor(storage: storage, shape: shape, node: Node(Edge(input: input, rule: rule()), result: self))
  }

  /// This value as the result of an operation on two tensors.
  @inline(__always)
  package func recorded(
    _ a: Tensor, _ b: Tensor, _ ruleA: @autoclosure () -> Rule, _ ruleB: @autoclosure () -> Rule
  ) -> Tensor {
    guard a.node != nil || b.node != nil, Recording.isOn else { return self }
    let node = Node(Edge(input: a, rule: ruleA()), Edge(input: b, rule: ruleB()), result: self)
    return Tensor(storage: storage, shape: shape, node: node)
  }

  /// The same value as a fresh variable, with respect to which gradients can be taken.
  package func asVariable() -> Tensor { Tensor(storage: storage, shape: shape, node: Node()) }
}

/// Whether operations are recorded: a scoped mode, separate for each thread and task.
package enum Recording {
  @TaskLocal package static var isOn = true
}

/// Runs `body` without recording: results are constants, and memory for gradients is not kept.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isOn.withValue(false, operation: body)
}
