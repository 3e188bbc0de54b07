import Tensors

/// A tensor that checkpoints keep and no optimiser changes, such as a running average: `@Untrained var runningMean:
/// Tensor`.
///
/// Reading it gives a constant; `$runningMean` is the cell itself. PyTorch's `register_buffer`.
@propertyWrapper
public final class Untrained: TensorCell, @unchecked Sendable {
  private var tensor: Tensor

  /// A cell with this initial value.
  public init(wrappedValue: Tensor) { tensor = wrappedValue.detached() }

  /// The present value; a new one must have the same shape, and loses its history.
  public var wrappedValue: Tensor {
    get { tensor }
    set {
      guard newValue.shape == tensor.shape else {
        fail("Untrained", "cannot change shape from \(tensor.shape) to \(newValue.shape)")
      }
      tensor = newValue.detached()
    }
  }

  /// The cell itself.
  public var projectedValue: Untrained { self }
}
