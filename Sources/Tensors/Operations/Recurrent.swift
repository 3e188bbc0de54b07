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
  let layout = RecurrentLayout("lstm", gates: 4, x, hidden, inputWeight, recurrentWeight, [bias])
  guard cell.shape == hidden.shape else {
    fail("lstm", "the cell \(cell.shape) must have the shape of the hidden state, \(hidden.shape)")
  }
  let inputs = [x, hidden, cell, inputWeight, recurrentWeight, bias]
  let run = RecurrentRun<LSTMCell>(inputs, recurrentBias: .zeros(bias.shape))
  let states = run.result.recorded(fusing: inputs) { inputs in
    var (h, c, steps): (Tensor, Tensor, [Tensor]) = (inputs[1], inputs[2], [])
    for t in 0..<layout.time {
      let sums = linear(layout.step(inputs[0], t), inputs[3], inputs[5]) + matmul(h, inputs[4])
      let gates = layout.split(sums)
      c = sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[2])
      h = sigmoid(gates[3]) * tanh(c)
      steps.append(h)
    }
    return concatenate([layout.joined(steps), c.reshaped(to: [-1])], axis: 0)
  } backward: { upstream, inputs, _ in
    run.gradients(upstream, inputs).dropLast()
  }
  let outputs = layout.outputs(of: states)
  let last = states.sliced(outputs.count..<states.count, axis: 0).reshaped(to: hidden.shape)
  return (outputs, layout.time == 0 ? hidden : layout.step(outputs, layout.time - 1), last)
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
  let layout = RecurrentLayout("gru", gates: 3, x, hidden, inputWeight, recurrentWeight, [inputBias, recurrentBias])
  let inputs = [x, hidden, inputWeight, recurrentWeight, inputBias, recurrentBias]
  let kernelInputs = { @Sendable (i: [Tensor]) in [i[0], i[1], .zeros(i[1].shape), i[2], i[3], i[4]] }
  let run = RecurrentRun<GRUCell>(kernelInputs(inputs), recurrentBias: recurrentBias)
  let states = run.result.recorded(fusing: inputs) { inputs in
    var (h, steps): (Tensor, [Tensor]) = (inputs[1], [])
    for t in 0..<layout.time {
      let a = layout.split(linear(layout.step(inputs[0], t), inputs[2], inputs[4]))
      let b = layout.split(linear(h, inputs[3], inputs[5]))
      let z = sigmoid(a[1] + b[1])
      h = (1 - z) * tanh(a[2] + sigmoid(a[0] + b[0]) * b[2]) + z * h
      steps.append(h)
    }
    return layout.joined(steps)
  } backward: { upstream, inputs, _ in
    let found = run.gradients(upstream, kernelInputs(inputs))
    return Array(found[...1] + found[3...])
  }
  let outputs = layout.outputs(of: states)
  return (outputs, layout.time == 0 ? hidden : layout.step(outputs, layout.time - 1))
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
  func split(_ sums: Tensor) -> [Tensor] {
    (0..<gates).map { sums.sliced($0 * hidden..<($0 + 1) * hidden, axis: 1) }
  }

  /// The steps' `[batch, hidden]` as one vector in the order of `[batch, time, hidden]`.
  func joined(_ steps: [Tensor]) -> Tensor {
    steps.isEmpty ? .zeros([0]) : stack(steps, axis: 1).reshaped(to: [-1])
  }

  /// The outputs at the beginning of what a run gives, without copying them.
  func outputs(of states: Tensor) -> Tensor {
    Tensor(storage: states.storage, shape: [batch, time, hidden]).recorded(states) { upstream, inputs, _ in
      upstream.reshaped(to: [-1]).padded(before: 0, after: inputs[0].count - upstream.count, axis: 0)
    }
  }
}
