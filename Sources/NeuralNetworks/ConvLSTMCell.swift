import Tensors

/// One time of a long short-term memory whose maps are convolutions: `[batch, height, width, inputs] → [batch, height,
/// width, hidden]`.
///
/// Shi, Chen, Wang, Yeung, Wong & Woo (2015), arXiv 1506.04214, equation 3.
public final class ConvLSTMCell: Module {
  /// What one time hands to the next, each `[batch, height, width, hidden]`.
  public struct State: Sendable {
    /// H, the output, and C, the memory.
    public var hidden, cell: Tensor

    /// A state of these tensors.
    public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }
  }

  /// W of the gates i, f, g and o side by side, which reads inputs and H joined: `[size, size, inputs + hidden,
  /// 4·hidden]`.
  public let gates: Conv2D
  /// How the gates i, f and o look at each place of C, `[3, height, width, hidden]`; nil for gates that do not.
  public let peepholes: Parameter?
  private let inputs, hidden: Int

  /// A cell with a window of an odd `size`, weights as by Glorot and a bias of 1 for the forget gate.
  ///
  /// - Parameter peepholes: the extents of the images, for gates that look at C with weights that begin at zero; nil
  ///   for others.
  public init(
    _ inputs: Int, _ hidden: Int, size: Int, peepholes: (height: Int, width: Int)? = nil, using random: inout Random
  ) {
    guard inputs > 0, hidden > 0, size % 2 == 1 else {
      fail("ConvLSTMCell", "needs 1 input, 1 channel and an odd size, not \(inputs), \(hidden) and \(size)")
    }
    (self.inputs, self.hidden) = (inputs, hidden)
    gates = Conv2D(
      inputs + hidden, 4 * hidden, size: size, padding: .same, initialization: .glorotUniform, using: &random)
    gates.bias = concatenate([.zeros([hidden]), .ones([hidden]), .zeros([2 * hidden])], axis: 0)
    self.peepholes = peepholes.map { Parameter(wrappedValue: .zeros([3, $0.height, $0.width, hidden])) }
  }

  /// The state after `x`, from `state` (nil: zeros).
  public func callAsFunction(_ x: Tensor, from state: State? = nil) -> State {
    guard x.rank == 4, x.shape[3] == inputs else {
      fail("ConvLSTMCell", "reads [batch, height, width, \(inputs)]; the input has shape \(x.shape)")
    }
    let shape = Array(x.shape.dropLast()) + [hidden]
    let old = state ?? State(hidden: .zeros(shape), cell: .zeros(shape))
    guard old.hidden.shape == shape, old.cell.shape == shape else {
      fail("ConvLSTMCell", "needs a state of shape \(shape), not \(old.hidden.shape) and \(old.cell.shape)")
    }
    let sums = gates(concatenate([x, old.hidden], axis: 3))
    let parts = (0..<4).map { sums.sliced($0 * hidden..<($0 + 1) * hidden, axis: 3) }
    let input = sigmoid(parts[0] + look(at: old.cell, 0))
    let forget = sigmoid(parts[1] + look(at: old.cell, 1))
    let cell = forget * old.cell + input * tanh(parts[2])
    let output = sigmoid(parts[3] + look(at: cell, 2))
    return State(hidden: output * tanh(cell), cell: cell)
  }

  private func look(at cell: Tensor, _ gate: Int) -> Tensor {
    guard let weight = peepholes?.wrappedValue else { return Tensor(0) }
    guard Array(cell.shape.dropFirst()) == Array(weight.shape.dropFirst()) else {
      fail("ConvLSTMCell", "has peepholes for images \(weight.shape.dropFirst()), not \(cell.shape.dropFirst())")
    }
    return cell * weight.sliced(gate..<gate + 1, axis: 0)
  }
}
