import Tensors

/// A long short-term memory (Hochreiter & Schmidhuber, 1997) over whole sequences, as one operation.
///
/// i, f, g, o = x·W + h·U + b, cut in four in this order; c = σ(f)·c + σ(i)·tanh(g); h = σ(o)·tanh(c). PyTorch's `LSTM` with
/// transposed weights, its two biases added.
///
/// - Parameters:
///   - x: `[batch, time, inputs]`.
///   - hidden: h before the first time, `[batch, hidden]`.
///   - cell: c before the first time, `[batch, hidden]`.
///   - inputWeight: W, `[inputs, 4·hidden]`.
///   - recurrentWeight: U, `[hidden, 4·hidden]`.
///   - bias: b, `[4·hidden]`.
/// - Returns: h at each time, `[batch, time, hidden]`, and h and c after the last, `[batch, hidden]`.
public func lstm(
  _ x: Tensor, hidden: Tensor, cell: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor
) -> (outputs: Tensor, hidden: Tensor, cell: Tensor) {
  recurrent(LSTMCell.self, "lstm", x, hidden, cell, inputWeight, recurrentWeight, [bias]) { fromX, fromH, _, cell in
    let gates = zip(fromX, fromH).map { $0 + $1 }
    let new = sigmoid(gates[1]) * cell + sigmoid(gates[0]) * tanh(gates[2])
    return (sigmoid(gates[3]) * tanh(new), new)
  }
}

/// A gated recurrent unit (Cho et al., arXiv 1406.1078) over whole sequences, as one operation.
///
/// r and z are σ of their parts of x·W + b + h·U + d; n = tanh(x·W + b + r·(h·U + d)); h = (1 − z)·n + z·h, the weights cut in
/// the order r, z, n. PyTorch's `GRU` with transposed weights.
///
/// - Parameters:
///   - x: `[batch, time, inputs]`.
///   - hidden: h before the first time, `[batch, hidden]`.
///   - inputWeight: W, `[inputs, 3·hidden]`.
///   - recurrentWeight: U, `[hidden, 3·hidden]`.
///   - inputBias: b, `[3·hidden]`.
///   - recurrentBias: d, `[3·hidden]`.
/// - Returns: h at each time, `[batch, time, hidden]`, and after the last, `[batch, hidden]`.
public func gru(
  _ x: Tensor, hidden: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, inputBias: Tensor, recurrentBias: Tensor
) -> (outputs: Tensor, hidden: Tensor) {
  let result = recurrent(
    GRUCell.self, "gru", x, hidden, .zeros(hidden.shape), inputWeight, recurrentWeight, [inputBias, recurrentBias]
  ) { a, b, hidden, unused in
    let z = sigmoid(a[1] + b[1])
    return ((1 - z) * tanh(a[2] + sigmoid(a[0] + b[0]) * b[2]) + z * hidden, unused)
  }
  return (result.outputs, result.hidden)
}

/// A cell over whole sequences; `composed` is one step of it in plain operations, from the gates' parts of x·W + b and h·U + d.
private func recurrent<Cell: RecurrentCell>(
  _ kernel: Cell.Type, _ operation: String, _ x: Tensor, _ hidden: Tensor, _ cell: Tensor, _ inputWeight: Tensor,
  _ recurrentWeight: Tensor, _ biases: [Tensor],
  composed: @escaping @Sendable (_ a: [Tensor], _ b: [Tensor], _ h: Tensor, _ c: Tensor) -> (h: Tensor, c: Tensor)
) -> (outputs: Tensor, hidden: Tensor, cell: Tensor) {
  let layout = RecurrentLayout(operation, gates: Cell.gates, x, hidden, inputWeight, recurrentWeight, biases)
  guard cell.shape == hidden.shape else {
    fail(operation, "the cell \(cell.shape) must have the shape of the hidden state, \(hidden.shape)")
  }
  let recurrentBias = biases.count == 2 ? biases[1] : .zeros(biases[0].shape)
  let inputs = [x, hidden, cell, inputWeight, recurrentWeight, biases[0], recurrentBias]
  let run = RecurrentRun<Cell>(inputs)
  let states = run.result.recorded(fusing: inputs) { inputs in
    var (h, c) = (inputs[1], inputs[2])
    var steps = [Tensor.zeros([layout.batch, 0])]
    for t in 0..<layout.time {
      let (a, b) = (linear(layout.step(inputs[0], t), inputs[3], inputs[5]), linear(h, inputs[4], inputs[6]))
      (h, c) = composed(layout.split(a), layout.split(b), h, c)
      steps.append(h)
    }
    return concatenate([concatenate(steps, axis: 1).reshaped(to: [-1]), c.reshaped(to: [-1])], axis: 0)
  } backward: { upstream, inputs, _ in
    run.gradients(upstream, inputs)
  }
  let outputs = layout.outputs(of: states)
  let last = states.sliced(outputs.count..<states.count, axis: 0).reshaped(to: hidden.shape)
  return (outputs, layout.time == 0 ? hidden : layout.step(outputs, layout.time - 1), last)
}

/// The extents of a recurrent operation, checked.
struct RecurrentLayout {
  let batch, time, inputs, hidden, gates: Int

  init(
    _ operation: String, gates: Int, _ x: Tensor, _ state: Tensor, _ inputWeight: Tensor, _ recurrentWeight: Tensor,
    _ biases: [Tensor]
  ) {
    guard x.rank == 3, state.rank == 2, state.shape[0] == x.shape[0] else {
      fail(
        operation,
        "needs inputs [batch, time, inputs] and a state [batch, hidden]; the shapes are \(x.shape) and \(state.shape)")
    }
    (batch, time, inputs, hidden, self.gates) = (x.shape[0], x.shape[1], x.shape[2], state.shape[1], gates)
    let width = gates * hidden
    guard inputWeight.shape == [inputs, width], recurrentWeight.shape == [hidden, width],
      biases.allSatisfy({ $0.shape == [width] })
    else {
      fail(
        operation,
        "inputs \(x.shape) and state \(state.shape) need weights \([inputs, width]) and \([hidden, width]) and biases "
          + "\([width]); the shapes are \(inputWeight.shape), \(recurrentWeight.shape) and \(biases.map(\.shape))")
    }
  }

  func step(_ sequence: Tensor, _ t: Int) -> Tensor {
    sequence.sliced(t..<t + 1, axis: 1).reshaped(to: [batch, sequence.shape[2]])
  }

  /// Each gate's part of `[batch, gates·hidden]`.
  func split(_ sums: Tensor) -> [Tensor] { sums.split(sizes: .init(repeating: hidden, count: gates), axis: 1) }

  /// The outputs at the beginning of what a run gives, without copying them.
  func outputs(of states: Tensor) -> Tensor {
    Tensor(storage: states.storage, shape: [batch, time, hidden]).recorded(states) { upstream, inputs, _ in
      upstream.reshaped(to: [-1]).padded(before: 0, after: inputs[0].count - upstream.count, axis: 0)
    }
  }
}
