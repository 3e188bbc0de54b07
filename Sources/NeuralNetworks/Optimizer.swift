import Tensors

/// Changes parameters so that a loss falls.
public protocol Optimizer: Resumable {
  /// The parameters that are changed.
  var parameters: [NamedParameter] { get }
  /// The step size; may be set before each step, as by a ``Schedule``.
  var learningRate: Float { get set }
  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  mutating func update(with gradients: [Tensor?])
}

extension Optimizer {
  /// Takes one step down the gradient of `loss`, whose graph is used up.
  ///
  /// - Precondition: `loss` has one value.
  public mutating func minimize(_ loss: Tensor) { update(with: gradients(of: loss)) }

  /// Takes one step down the gradient of `loss`, shortened to the norm `maximumNorm` where it is longer; returns its
  /// norm before that.
  ///
  /// - Precondition: `loss` has one value; `maximumNorm` is positive.
  @discardableResult
  public mutating func minimize(_ loss: Tensor, clippingToNorm maximumNorm: Float) -> Float {
    let (clipped, norm) = clippedToNorm(maximumNorm, gradients(of: loss))
    update(with: clipped)
    return norm
  }

  private func gradients(of loss: Tensor) -> [Tensor?] {
    let found = gradientsConsumingGraph(of: loss, withRespectTo: parameters.map(\.parameter.wrappedValue))
    guard found.contains(where: { $0 != nil }) else {
      fail("minimize", "the loss depends on none of the optimizer's \(parameters.count) parameters")
    }
    return found
  }

  /// Calls `body` with the place and gradient of each parameter that has one, after checking that all fit.
  ///
  /// Static, since a method would hold a copy of the optimizer, whose state could then not be changed in place.
  static func forEach(_ gradients: [Tensor?], of parameters: [NamedParameter], _ body: (Int, Tensor) -> Void) {
    guard gradients.count == parameters.count else {
      fail("update", "needs a gradient or nil for each of \(parameters.count) parameters, not \(gradients.count)")
    }
    for (named, gradient) in zip(parameters, gradients) {
      guard let shape = gradient?.shape, shape != named.parameter.wrappedValue.shape else { continue }
      fail("update", "\(named.name) has shape \(named.parameter.wrappedValue.shape), its gradient \(shape)")
    }
    for (index, gradient) in gradients.enumerated() { if let gradient { body(index, gradient) } }
  }
}

/// Gradients scaled together so that the root of their sum of squares is at most `maximumNorm`, and that root before
/// scaling.
///
/// Pascanu, Mikolov & Bengio (2012), arXiv 1211.5063, algorithm 1; `clip_grad_norm_` in PyTorch.
///
/// - Precondition: `maximumNorm` is positive.
public func clippedToNorm(_ maximumNorm: Float, _ gradients: [Tensor?]) -> (gradients: [Tensor?], norm: Float) {
  guard maximumNorm > 0 else { fail("clippedToNorm", "needs a positive norm, not \(maximumNorm)") }
  return withoutGradients {
    let squares = gradients.reduce(0.0) { $0 + Double($1.map { square($0).sum().scalar } ?? 0) }
    let norm = Float(squares.squareRoot())
    return (norm > maximumNorm ? gradients.map { $0.map { $0 * (maximumNorm / norm) } } : gradients, norm)
  }
}
