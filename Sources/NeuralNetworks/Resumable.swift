import Tensors

/// Something with a state of its own that grows during training: an ``Optimizer`` or an ``ExponentialMovingAverage``.
public protocol Resumable {
  /// The number of steps taken.
  var step: Int { get }
  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  var state: [String: Tensor] { get }
  /// Takes up a state that was kept; a tensor that it lacks stays as it is.
  mutating func restore(state: [String: Tensor], step: Int)
}

/// Tensors that belong to parameters, one for each, kept under a name such as `adam.first.hidden.weight`.
struct Moments {
  private(set) var tensors: [Tensor]
  private let names: [String]

  /// A tensor for each parameter, made from its value.
  init(_ prefix: String, of parameters: [NamedParameter], _ make: (Tensor) -> Tensor = { .zeros($0.shape) }) {
    tensors = parameters.map { make($0.parameter.wrappedValue) }
    // The parameters may come from several modules, and then two may have one name.
    var counts: [String: Int] = [:]
    names = parameters.map { named in
      counts[named.name, default: 0] += 1
      let count = counts[named.name] ?? 1
      return prefix + "." + named.name + (count > 1 ? "(\(count))" : "")
    }
  }

  subscript(index: Int) -> Tensor {
    get { tensors[index] }
    // In place, so that a kernel may write where nobody else holds the values.
    _modify { yield &tensors[index] }
  }

  var state: [String: Tensor] { Dictionary(uniqueKeysWithValues: zip(names, tensors)) }

  mutating func restore(_ state: [String: Tensor]) {
    for (index, name) in names.enumerated() {
      guard let kept = state[name] else { continue }
      guard kept.shape == tensors[index].shape else {
        fail("restore", "\(name) has shape \(kept.shape) in the state and \(tensors[index].shape) here")
      }
      tensors[index] = kept.detached()
    }
  }
}
