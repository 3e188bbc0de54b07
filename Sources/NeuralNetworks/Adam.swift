import Tensors

/// Adam: steps scaled by running averages of the gradient and its square (Kingma & Ba 2014, arXiv 1412.6980, algorithm
/// 1); `Adam` in PyTorch.
public struct Adam: Optimizer {
  /// α, the step size; may be changed between steps.
  public var learningRate: Float
  /// β₁, the decay of the average gradient.
  public let beta1: Float
  /// β₂, the decay of the average squared gradient.
  public let beta2: Float
  /// ε, added to the root of the average square.
  public let epsilon: Float
  /// The parameters that are changed.
  public let parameters: [NamedParameter]
  /// The number of steps taken.
  public private(set) var step = 0
  private var first, second: Moments

  /// An optimiser for these parameters, with the paper's defaults.
  public init(
    _ parameters: [NamedParameter], learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999,
    epsilon: Float = 1e-8
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    first = Moments("adam.first", of: parameters)
    second = Moments("adam.second", of: parameters)
  }

  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  public mutating func update(with gradients: [Tensor?]) { update(with: gradients, retention: 1) }

  /// One step before which each parameter that has a gradient is multiplied by `retention`.
  mutating func update(with gradients: [Tensor?], retention: Float) {
    step += 1
    let correction1 = 1 - power(beta1, step)
    let correction2 = 1 - power(beta2, step)
    let coefficients = AdamCoefficients(
      rate: Float(Double(learningRate) / correction1), beta1: beta1, beta2: beta2, epsilon: epsilon,
      rootScale: Float(1 / correction2.squareRoot()), retention: retention)
    Self.forEach(gradients, of: parameters) { index, gradient in
      parameters[index].parameter.update { value in
        adamUpdate(&value, gradient, &first[index], &second[index], coefficients)
      }
    }
  }

  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  public var state: [String: Tensor] { first.state.merging(second.state) { one, _ in one } }

  /// Takes up a state that was kept.
  public mutating func restore(state: [String: Tensor], step: Int) {
    self.step = step
    first.restore(state)
    second.restore(state)
  }
}

/// x to a whole power, in double precision: one less it is small, and Float would leave it few digits.
private func power(_ x: Float, _ exponent: Int) -> Double {
  var (result, base, rest) = (1.0, Double(x), exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= base }
    base *= base
    rest >>= 1
  }
  return result
}
