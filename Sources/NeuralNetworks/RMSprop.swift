import Tensors

/// RMSprop: steps divided by the root of a running average of the squared gradient (Tieleman & Hinton 2012, "Neural
/// networks for machine learning", lecture 6.5); `RMSprop` in PyTorch.
public struct RMSprop: Optimizer {
  /// The step size; may be changed between steps.
  public var learningRate: Float
  /// The decay of the average squared gradient, `alpha` in PyTorch.
  public let decay: Float
  /// ε, added to the root of the average square.
  public let epsilon: Float
  /// The parameters that are changed.
  public let parameters: [NamedParameter]
  /// The number of steps taken.
  public private(set) var step = 0
  private var squares: Moments

  /// An optimiser for these parameters, with PyTorch's defaults.
  public init(_ parameters: [NamedParameter], learningRate: Float = 0.01, decay: Float = 0.99, epsilon: Float = 1e-8) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.decay = decay
    self.epsilon = epsilon
    squares = Moments("rmsprop.square", of: parameters)
  }

  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  public mutating func update(with gradients: [Tensor?]) {
    step += 1
    Self.forEach(gradients, of: parameters) { index, gradient in
      parameters[index].parameter.update { value in
        rootMeanSquareUpdate(
          &value, gradient, &squares[index], rate: learningRate, decay: decay, epsilon: epsilon)
      }
    }
  }

  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  public var state: [String: Tensor] { squares.state }

  /// Takes up a state that was kept.
  public mutating func restore(state: [String: Tensor], step: Int) {
    self.step = step
    squares.restore(state)
  }
}
