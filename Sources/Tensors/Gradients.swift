/// The gradient of `function` at `x`, of the shape of `x`.
///
/// The result may itself be differentiated, with respect to `x` and to whatever else `function` uses, and therefore
/// remembers how it was made. Inside ``withoutGradients(_:)`` it is a constant: what a loop that moves `x` along its
/// gradient needs, since every step would remember all steps before.
///
/// - Precondition: `function` returns a tensor with one value.
public func gradient(at x: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  try valueWithGradient(at: x, of: function).gradient
}

/// The value of `function` at `x` and its gradient there, of the shape of `x`.
public func valueWithGradient(
  at x: Tensor, of function: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Tensor) {
  // A new node even where x has one: what led to x is not walked, but stays connected for second order.
  let isConnected = x.node != nil && Recording.isOn
  let variable = isConnected ? x.recorded(from: [x], [{ upstream, _, _ in upstream }]) : x.asVariable()
  let value = try Recording.$isOn.withValue(true) { try function(variable) }
  let found = backward(from: value, to: [variable], keepsGraph: true, operation: "gradient(at:)")
  return (Recording.isOn ? value : value.detached(), found[0] ?? .zeros(x.shape))
}

/// The gradients of `y` with respect to parameters or intermediate results; each has its tensor's shape.
///
/// The results may themselves be differentiated, unless this runs inside ``withoutGradients(_:)``.
///
/// - Precondition: `y` has one value and depends on every tensor of `xs`.
public func gradients(of y: Tensor, withRespectTo xs: [Tensor]) -> [Tensor] {
  let found = backward(from: y, to: xs, keepsGraph: true, operation: "gradients(of:withRespectTo:)")
  return found.enumerated().map { index, gradient in
    guard let gradient else {
      let reason =
        xs[index].node == nil
        ? "it is a constant; use a Parameter, or gradient(at:)" : "the value was not computed from it while recording"
      fail("gradients(of:withRespectTo:)", "tensor \(index), of shape \(xs[index].shape), has no gradient: \(reason)")
    }
    return gradient
  }
}

/// Gradients for an optimiser: not recorded, nil for what `y` does not depend on; the graph is used up.
package func gradientsConsumingGraph(of y: Tensor, withRespectTo xs: [Tensor]) -> [Tensor?] {
  withoutGradients { backward(from: y, to: xs, keepsGraph: false, operation: "minimize") }
}

/// Reverse-mode differentiation, without recursion: nil for what `y` does not depend on.
package func backward(from y: Tensor, to xs: [Tensor], keepsGraph: Bool, operation: String) -> [Tensor?] {
  guard y.count == 1 else {
    fail(operation, "needs a scalar to differentiate, not shape \(y.shape); take its sum or mean first")
  }
  guard let root = y.node else { return xs.map { _ in nil } }
  var path = BackwardPath(to: xs.compactMap(\.node))
  defer { path.forget() }
  path.walk(from: root, operation)
  guard path.place(of: root) != nil else { return xs.map { _ in nil } }

  var upstreams = [Tensor?](repeating: nil, count: path.nodes.count)
  upstreams[path.nodes.count - 1] = Tensor.ones(y.shape)
  for place in path.nodes.indices.reversed() {
    guard let upstream = upstreams[place] else { continue }
    let node = path.nodes[place]
    if !path.isTarget(node) { upstreams[place] = nil }
    for index in 0..<node.count {
      guard let source = node.source(index), let to = path.place(of: source) else { continue }
      let gradient = node.gradient(ofInput: index, upstream: upstream)
      // Adopts a first gradient and adds later ones.
      if upstreams[to] == nil { upstreams[to] = gradient } else { upstreams[to]?.accumulate(gradient) }
    }
    if !keepsGraph { node.consume() }
  }
  return xs.map { x in x.node.flatMap { path.place(of: $0) }.flatMap { upstreams[$0] } }
}
