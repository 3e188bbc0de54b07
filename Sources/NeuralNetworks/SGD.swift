import Tensors

/// Stochastic gradient descent with momentum: v ← momentum · v + g, w ← w − rate · v.
///
/// Polyak (1964), and Nesterov's as in Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization
/// and momentum in deep learning"; `SGD` in PyTorch.
public struct SGD: Optimizer {
  /// The step size; may be changed between steps.
  public var learningRate: Float
  /// The part of the velocity that a step keeps.
  public let momentum: Float
  /// Whether the step looks ahead: along g + momentum · v.
  public let isNesterov: Bool
  /// λ: λ · w is added to each gradient.
  public let weightDecay: Float
  /// The parameters that are changed.
  public let parameters: [NamedParameter]
  /// The number of steps taken.
  public private(set) var step = 0
  private var velocity: Moments

  /// An optimiser for these parameters; with momentum 0, plain descent.
  ///
  /// - Precondition: `momentum` is 0 or more and below 1, and above 0 for Nesterov's.
  public init(
    _ parameters: [NamedParameter], learningRate: Float, momentum: Float = 0, nesterov: Bool = false,
    weightDecay: Float = 0
  ) {
    guard momentum >= 0, momentum < 1, momentum > 0 || !nesterov else {
      fail("SGD", "needs a momentum of 0 or more and below 1, and above 0 for Nesterov's, not \(momentum)")
    }
    self.parameters = parameters
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    isNesterov = nesterov
    velocity = Moments("sgd.velocity", of: momentum > 0 ? parameters : [])
  }

  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  public mutating func update(with gradients: [Tensor?]) {
    step += 1
    Self.forEach(gradients, of: parameters) { index, gradient in
      parameters[index].parameter.update { value in
        if momentum == 0 {
          descentUpdate(&value, gradient, rate: learningRate, decay: weightDecay)
        } else {
          momentumUpdate(
            &value, gradient, &velocity[index], rate: learningRate, momentum: momentum, decay: weightDecay,
            nesterov: isNesterov)
        }
      }
    }
  }

  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  public var state: [String: Tensor] { velocity.state }

  /// Takes up a state that was kept.
  public mutating func restore(state: [String: Tensor], step: Int) {
    self.step = step
    velocity.restore(state)
  }
}
