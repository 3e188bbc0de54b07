import Tensors

/// Something with parameters: a layer, or a model made of layers.
///
/// Parameters are found by looking through stored properties, so a module declares them and nothing else:
///
/// ```swift
/// final class Affine: Module {
///   @Parameter var scale: Tensor
///   @Parameter var shift: Tensor
///   init(size: Int) {
///     scale = .ones([size])
///     shift = .zeros([size])
///   }
/// }
/// ```
///
/// Other modules may stand in properties, optionals, arrays, dictionaries, tuples, enumerations and structures; what a
/// closure captures cannot be found.
public protocol Module: AnyObject {}

/// A module that maps one tensor to another, so that it can stand in a ``Sequential`` or a ``Residual``.
public protocol Layer: Module {
  /// The layer applied to `x`.
  func callAsFunction(_ x: Tensor) -> Tensor
}

/// A parameter and where it stands in its model, such as `encoder.hidden.weight`.
public struct NamedParameter: Sendable {
  /// The path of property names, joined by dots; elements of arrays by their number, of dictionaries by their key.
  public let name: String
  /// The cell that holds the value.
  public let parameter: Parameter
}

/// A tensor that is kept but not trained, and where it stands in its model, such as `norm.runningMean`.
public struct NamedUntrained: Sendable {
  /// The path of property names, joined by dots; elements of arrays by their number, of dictionaries by their key.
  public let name: String
  /// The cell that holds the value.
  public let cell: Untrained
}

extension Module {
  /// All parameters in the order of declaration, each once, with their names.
  public var parameters: [NamedParameter] {
    ModuleWalk(self).found.compactMap { name, cell in
      (cell as? Parameter).map { NamedParameter(name: name, parameter: $0) }
    }
  }

  /// All tensors that are kept but not trained (`buffers` in PyTorch), in the order of declaration, each once.
  public var untrained: [NamedUntrained] {
    ModuleWalk(self).found.compactMap { name, cell in
      (cell as? Untrained).map { NamedUntrained(name: name, cell: $0) }
    }
  }

  /// The number of values in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.wrappedValue.count } }
}
