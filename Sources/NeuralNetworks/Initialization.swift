import Tensors

/// How weights are drawn before training, by the names of the papers.
public enum Initialization: Sendable {
  /// Uniform with variance 2 / (inputs + outputs): Glorot & Bengio (2010), for symmetric activations; `xavier_uniform_`
  /// in PyTorch.
  case glorotUniform
  /// Normal with variance 2 / (inputs + outputs): Glorot & Bengio (2010); `xavier_normal_` in PyTorch.
  case glorotNormal
  /// Uniform with variance 2 / inputs: He et al. (2015, arXiv 1502.01852), for rectifiers; `kaiming_uniform_` in
  /// PyTorch.
  case heUniform
  /// Normal with variance 2 / inputs: He et al. (2015, arXiv 1502.01852); `kaiming_normal_` in PyTorch.
  case heNormal
  /// Uniform with variance 1 / inputs: LeCun et al. (1998, "Efficient BackProp", section 4.6).
  case leCunUniform
  /// Normal with variance 1 / inputs: LeCun et al. (1998, "Efficient BackProp", section 4.6).
  case leCunNormal
  /// Orthogonal rows or columns (the fewer of them) of length `gain`: Saxe et al. (2013, arXiv 1312.6120);
  /// `orthogonal_` in PyTorch.
  case orthogonal(gain: Float = 1)
  /// Normal with a given standard deviation.
  case normal(standardDeviation: Float)
  /// All zero.
  case zeros

  /// Weights of the given shape, for units that read `fanIn` values and feed `fanOut`.
  public func sample(_ shape: [Int], fanIn: Int, fanOut: Int, using random: inout Random) -> Tensor {
    switch self {
    case .glorotUniform: uniform(shape, variance: 2 / Float(fanIn + fanOut), using: &random)
    case .glorotNormal: .normal(shape, using: &random) * (2 / Float(fanIn + fanOut)).squareRoot()
    case .heUniform: uniform(shape, variance: 2 / Float(fanIn), using: &random)
    case .heNormal: .normal(shape, using: &random) * (2 / Float(fanIn)).squareRoot()
    case .leCunUniform: uniform(shape, variance: 1 / Float(fanIn), using: &random)
    case .leCunNormal: .normal(shape, using: &random) * (1 / Float(fanIn)).squareRoot()
    case .orthogonal(let gain): orthogonalMatrix(shape, using: &random) * gain
    case .normal(let deviation): .normal(shape, using: &random) * deviation
    case .zeros: .zeros(shape)
    }
  }

  /// Weights of a layer, `[inputs, outputs]` or, of a convolution, `[…, inputs, outputs]` with the extents of its
  /// window in front.
  ///
  /// A window multiplies both fans: each output reads, and each input feeds, that many places.
  ///
  /// - Precondition: two axes or more.
  public func sample(_ shape: [Int], using random: inout Random) -> Tensor {
    guard shape.count >= 2 else { fail("Initialization", "needs the shape […, inputs, outputs], not \(shape)") }
    let window = shape.dropLast(2).reduce(1, *)
    return sample(
      shape, fanIn: window * shape[shape.count - 2], fanOut: window * shape[shape.count - 1], using: &random)
  }

  private func uniform(_ shape: [Int], variance: Float, using random: inout Random) -> Tensor {
    let bound = (3 * variance).squareRoot()
    return .uniform(shape, in: -bound..<bound, using: &random)
  }
}
