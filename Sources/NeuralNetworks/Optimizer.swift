import Tensors

/// Changes parameters so that a loss falls.
public protocol Optimizer {
  /// The parameters that are changed.
  var parameters: [NamedParameter] { get }
  /// The number of steps taken.
  var step: Int { get }
  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  mutating func update(with gradients: [Tensor?])
  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  var state: [String: Tensor] { get }
  /// Takes up a state that was kept.
  mutating func restore(state: [String: Tensor], step: Int)
}

extension Optimizer {
  /// Takes one step down the gradient of `loss`, whose graph is used up.
  ///
  /// - Precondition: `loss` has one value.
  public mutating func minimize(_ loss: Tensor) {
    let found = gradientsConsumingGraph(of: loss, withRespectTo: parameters.map(\.parameter.wrappedValue))
    guard found.contains(where: { $0 != nil }) else {
      fail("minimize", "the loss depends on none of the optimizer's \(parameters.count) parameters")
    }
    update(with: found)
  }
}
