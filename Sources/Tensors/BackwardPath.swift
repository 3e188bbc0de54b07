import Synchronization

/// The nodes between a value and what its gradient is wanted for, in an order where inputs come first.
///
/// What a pass knows of a node stands in the node's own mark. Another thread may be using that mark (parameters are shared
/// by many graphs); then it stands in a dictionary.
struct BackwardPath {
  private static let passes = Atomic<UInt64>(0)

  /// Every node seen, inputs before results.
  private(set) var nodes: [Node] = []
  private let targets: [Node]
  /// No node that leads to a target is less deep than the least deep target.
  private let leastDepth: Int
  /// The number of this pass, in the upper half of each mark that it owns.
  private let pass = passes.wrappingAdd(1, ordering: .relaxed).newValue << 32
  private var elsewhere: [ObjectIdentifier: UInt64] = [:]

  // The lower half of a mark: two flags, and above them one more than the place in `nodes`.
  private static let leads: UInt64 = 1
  private static let isTarget: UInt64 = 2

  init(to targets: [Node]) {
    self.targets = targets
    leastDepth = targets.reduce(Int.max) { min($0, $1.depth) }
    for node in targets { note(Self.isTarget, of: node) }
  }

  /// The place in `nodes` of a node that leads to a target; nil for any other.
  func place(of node: Node) -> Int? {
    let known = knowledge(of: node)
    return known & Self.leads == 0 ? nil : Int(known >> 2) - 1
  }

  func isTarget(_ node: Node) -> Bool { knowledge(of: node) & Self.isTarget != 0 }

  /// Collects the nodes that `root` was computed from, without recursion.
  mutating func walk(from root: Node, _ operation: String) {
    guard root.depth >= leastDepth else { return }
    var open = [(node: root, next: 0, leads: false)]
    while let last = open.last {
      let node = last.node
      var (next, leads) = (last.next, last.leads)
      if node.isConsumed {
        fail(operation, "the graph of this value was used up by minimize; compute the value again")
      }
      var unseen: Node?
      while next < node.count {
        if let source = node.source(next), source.depth >= leastDepth {
          let known = knowledge(of: source)
          if known >> 2 == 0 {
            unseen = source
            break
          }
          leads = leads || known & Self.leads != 0
        }
        next += 1
      }
      if let unseen {
        open[open.count - 1] = (node, next, leads)
        open.append((unseen, 0, false))
      } else {
        open.removeLast()
        finish(node, leads: leads)
      }
    }
  }

  private mutating func finish(_ node: Node, leads: Bool) {
    nodes.append(node)
    let target = knowledge(of: node) & Self.isTarget
    note(UInt64(nodes.count) << 2 | target | (leads || target != 0 ? Self.leads : 0), of: node)
  }

  /// Leaves all marks as they were before.
  mutating func forget() {
    for node in targets + nodes where node.mark.load(ordering: .relaxed) & ~0xffff_ffff == pass {
      node.mark.store(0, ordering: .relaxed)
    }
  }

  private func knowledge(of node: Node) -> UInt64 {
    let mark = node.mark.load(ordering: .relaxed)
    if mark & ~0xffff_ffff == pass { return mark & 0xffff_ffff }
    return elsewhere.isEmpty ? 0 : elsewhere[ObjectIdentifier(node)] ?? 0
  }

  private mutating func note(_ known: UInt64, of node: Node) {
    let mark = node.mark.load(ordering: .relaxed)
    if mark & ~0xffff_ffff == pass {
      node.mark.store(pass | known, ordering: .relaxed)
    } else if elsewhere[ObjectIdentifier(node)] != nil
      || !node.mark.compareExchange(expected: 0, desired: pass | known, ordering: .relaxed).exchanged
    {
      elsewhere[ObjectIdentifier(node)] = known
    }
  }
}
