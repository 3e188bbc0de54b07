import Tensors

/// A tensor that an optimiser changes: write `@Parameter var weight: Tensor` in a ``Module``.
///
/// Reading it gives a value that gradients can be taken with respect to; `$weight` is the cell itself.
@propertyWrapper
public final class Parameter: TensorCell, @unchecked Sendable {
  private var tensor: Tensor

  /// A parameter with this initial value.
  public init(wrappedValue: Tensor) {
    tensor = wrappedValue.detached().asVariable()
  }

  /// The present value; a new one must have the same shape.
  public var wrappedValue: Tensor {
    get { tensor }
    set {
      guard newValue.shape == tensor.shape else {
        fail("Parameter", "cannot change shape from \(tensor.shape) to \(newValue.shape)")
      }
      tensor = newValue.detached().asVariable()
    }
  }

  /// The cell itself.
  public var projectedValue: Parameter { self }

  /// Lets an optimiser's kernel write to the values, copying them first if another tensor shares them.
  func update(_ body: (inout Tensor) -> Void) { body(&tensor) }

  /// Runs `body` with another value, and puts the present one back, with what was computed from it still connected.
  func withValue<Result>(_ value: Tensor, _ body: () throws -> Result) rethrows -> Result {
    let kept = tensor
    wrappedValue = value
    defer { tensor = kept }
    return try body()
  }

  /// Puts a value in place with its history, so that gradients can be taken with respect to what it was computed from.
  func replace(with value: Tensor) { tensor = value }
}
