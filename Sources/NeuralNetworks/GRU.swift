import Tensors

/// A gated recurrent unit over sequences: `[batch, time, inputs] → [batch, time, hidden]`.
///
/// Cho and others (2014), arXiv 1406.1078; `GRU` in PyTorch.
public final class GRU: Layer {
  /// W of the gates r, z and n side by side, `[inputs, 3·hidden]`.
  @Parameter public var inputWeight: Tensor
  /// U of the gates, `[hidden, 3·hidden]`.
  @Parameter public var recurrentWeight: Tensor
  /// b, `[3·hidden]`.
  @Parameter public var inputBias: Tensor
  /// d, which n's reset gate multiplies too, `[3·hidden]`.
  @Parameter public var recurrentBias: Tensor

  /// A layer with input weights as by Glorot, recurrent ones orthogonal, and biases of zeros.
  public init(_ inputs: Int, _ hidden: Int, using random: inout Random) {
    guard inputs > 0, hidden > 0 else { fail("GRU", "needs 1 input and 1 unit or more, not \(inputs) and \(hidden)") }
    inputWeight = gates(3, Initialization.glorotUniform, inputs, hidden, using: &random)
    recurrentWeight = gates(3, .orthogonal(), hidden, hidden, using: &random)
    inputBias = .zeros([3 * hidden])
    recurrentBias = .zeros([3 * hidden])
  }

  /// The output at each time, from a state of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, from: nil).outputs }

  /// The output at each time, from the state `hidden`, `[batch, hidden]` (nil: zeros), and the state after the last.
  public func callAsFunction(_ x: Tensor, from hidden: Tensor?) -> (outputs: Tensor, hidden: Tensor) {
    checkSequence(x, inputWeight.shape[0], of: "GRU")
    return gru(
      x, hidden: hidden ?? .zeros([x.shape[0], recurrentWeight.shape[0]]), inputWeight: inputWeight,
      recurrentWeight: recurrentWeight, inputBias: inputBias, recurrentBias: recurrentBias)
  }
}
