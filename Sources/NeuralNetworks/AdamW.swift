import Tensors

/// Adam with weight decay apart from the gradient (Loshchilov & Hutter 2017, arXiv 1711.05101, algorithm 2): w ← w −
/// rate · decay · w beside Adam's step; `AdamW` in PyTorch.
public struct AdamW: Optimizer {
  private var adam: Adam
  /// λ, the part of a parameter that a step of rate 1 takes away; may be changed between steps.
  public var weightDecay: Float

  /// An optimiser for these parameters, with PyTorch's defaults.
  public init(
    _ parameters: [NamedParameter], learningRate: Float = 1e-3, weightDecay: Float = 0.01, beta1: Float = 0.9,
    beta2: Float = 0.999, epsilon: Float = 1e-8
  ) {
    adam = Adam(parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    self.weightDecay = weightDecay
  }

  /// The step size, for the decay too; may be changed between steps.
  public var learningRate: Float {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }
  /// The parameters that are changed.
  public var parameters: [NamedParameter] { adam.parameters }
  /// The number of steps taken.
  public var step: Int { adam.step }
  /// What must be kept, beside the parameters, to continue a run exactly: named tensors.
  public var state: [String: Tensor] { adam.state }

  /// Takes one step with these gradients, one for each parameter; nil leaves a parameter as it is.
  public mutating func update(with gradients: [Tensor?]) {
    adam.update(with: gradients, retention: 1 - learningRate * weightDecay)
  }

  /// Takes up a state that was kept.
  public mutating func restore(state: [String: Tensor], step: Int) { adam.restore(state: state, step: step) }
}
