import Tensors

/// How weights are drawn before training, by the names of the papers.
public enum Initialization: Sendable {
  /// Uniform with variance 2 / (inputs + outputs): Glorot & Bengio (2010), for symmetric activations.
  case glorotUniform
  /// Uniform with variance 2 / inputs: He et al. (2015, arXiv 1502.01852), for rectifiers.
  case heUniform
  /// Normal with variance 2 / inputs: He et al. (2015, arXiv 1502.01852).
  case heNormal
  /// Normal with a given standard deviation.
  case normal(standardDeviation: Float)
  /// All zero.
  case zeros

  /// Weights of the given shape, for units that read `fanIn` values and feed `fanOut`.
  public func sample(_ shape: [Int], fanIn: Int, fanOut: Int, using random: inout Random) -> Tensor {
    switch self {
    case .glorotUniform: uniform(shape, variance: 2 / Float(fanIn + fanOut), using: &random)
    case .heUniform: uniform(shape, variance: 2 / Float(fanIn), using: &random)
    case .heNormal: .normal(shape, using: &random) * (2 / Float(fanIn)).squareRoot()
    case .normal(let deviation): .normal(shape, using: &random) * deviation
    case .zeros: .zeros(shape)
    }
  }

  private func uniform(_ shape: [Int], variance: Float, using random: inout Random) -> Tensor {
    let bound = (3 * variance).squareRoot()
    return .uniform(shape, in: -bound..<bound, using: &random)
  }
}
