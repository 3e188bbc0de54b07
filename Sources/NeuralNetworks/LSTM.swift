import Tensors

/// A long short-term memory over sequences: `[batch, time, inputs] → [batch, time, hidden]`.
///
/// Hochreiter & Schmidhuber (1997), Neural Computation 9(8); `LSTM` in PyTorch, with its two biases as one.
public final class LSTM: Layer {
  /// What one time hands to the next, each `[batch, hidden]`.
  public struct State: Sendable {
    /// h, the output, and c, the memory.
    public var hidden, cell: Tensor

    /// A state of these tensors.
    public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }
  }

  /// W of the gates i, f, g and o side by side, `[inputs, 4·hidden]`.
  @Parameter public var inputWeight: Tensor
  /// U of the gates, `[hidden, 4·hidden]`.
  @Parameter public var recurrentWeight: Tensor
  /// b of the gates, `[4·hidden]`.
  @Parameter public var bias: Tensor

  /// A layer with input weights as by Glorot, recurrent ones orthogonal, and a bias of 1 for the forget gate (else 0),
  /// so that it begins by remembering.
  public init(_ inputs: Int, _ hidden: Int, using random: inout Random) {
    guard inputs > 0, hidden > 0 else { fail("LSTM", "needs 1 input and 1 unit or more, not \(inputs) and \(hidden)") }
    inputWeight = gates(4, Initialization.glorotUniform, inputs, hidden, using: &random)
    recurrentWeight = gates(4, .orthogonal(), hidden, hidden, using: &random)
    bias = concatenate([.zeros([hidden]), .ones([hidden]), .zeros([2 * hidden])], axis: 0)
  }

  /// The output at each time, from a state of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, from: nil).outputs }

  /// The output at each time, from `state` (nil: zeros), and the state after the last.
  public func callAsFunction(_ x: Tensor, from state: State?) -> (outputs: Tensor, state: State) {
    let (inputs, hidden) = (inputWeight.shape[0], recurrentWeight.shape[0])
    checkSequence(x, inputs, of: "LSTM")
    let (h, c) = (state?.hidden ?? .zeros([x.shape[0], hidden]), state?.cell ?? .zeros([x.shape[0], hidden]))
    let result = lstm(
      x, hidden: h, cell: c, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias)
    return (result.outputs, State(hidden: result.hidden, cell: result.cell))
  }
}

/// Weights of several gates side by side, each drawn by itself: `[inputs, count·outputs]`.
func gates(
  _ count: Int, _ initialization: Initialization, _ inputs: Int, _ outputs: Int, using random: inout Random
) -> Tensor {
  concatenate((0..<count).map { _ in initialization.sample([inputs, outputs], using: &random) }, axis: 1)
}

/// Stops unless `x` is `[batch, time, inputs]`.
func checkSequence(_ x: Tensor, _ inputs: Int, of layer: String) {
  guard x.rank == 3, x.shape[2] == inputs else {
    fail(layer, "reads [batch, time, \(inputs)]; the input has shape \(x.shape)")
  }
}
