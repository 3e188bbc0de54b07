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
public protocol Module: AnyObject {}

/// A parameter and where it stands in its model, such as `encoder.hidden.weight`.
public struct NamedParameter: Sendable {
  /// The path of property names, joined by dots; elements of arrays by their number.
  public let name: String
  /// The cell that holds the value.
  public let parameter: Parameter
}

extension Module {
  /// All parameters in the order of declaration, each once, with their names.
  public var parameters: [NamedParameter] {
    var found: [NamedParameter] = []
    var seen: Set<ObjectIdentifier> = []
    collectParameters(of: self, path: "", into: &found, &seen)
    return found
  }

  /// The number of values in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.wrappedValue.count } }
}

private func collectParameters(
  of value: Any, path: String, into found: inout [NamedParameter], _ seen: inout Set<ObjectIdentifier>
) {
  if let parameter = value as? Parameter {
    if seen.insert(ObjectIdentifier(parameter)).inserted {
      found.append(NamedParameter(name: path, parameter: parameter))
    }
    return
  }
  // A cast sees through optionals, so what is mirrored must be what was cast.
  let module = value as? any Module
  let mirror = Mirror(reflecting: module ?? value)
  if let module {
    guard seen.insert(ObjectIdentifier(module)).inserted else { return }
  } else if mirror.displayStyle != .collection, mirror.displayStyle != .optional {
    return
  }
  var level: Mirror? = mirror
  var levels: [Mirror] = []
  while let current = level {
    levels.insert(current, at: 0)
    level = current.superclassMirror
  }
  for (index, child) in levels.flatMap(\.children).enumerated() {
    // A property wrapper is stored under its name with an underscore.
    let label = child.label.map { $0.hasPrefix("_") ? String($0.dropFirst()) : $0 } ?? String(index)
    let isTransparent = mirror.displayStyle == .optional
    let name = isTransparent ? path : (path.isEmpty ? label : path + "." + label)
    collectParameters(of: child.value, path: name, into: &found, &seen)
  }
}
