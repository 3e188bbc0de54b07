import Tensors

/// A layer whose weight, as a matrix with a column for each output, is divided by its largest singular value σ.
///
/// Miyato, Kataoka, Koyama & Yoshida (2018), arXiv 1802.05957, equation 8; `spectral_norm` in PyTorch. σ comes from the
/// power method (algorithm 1), one step in each call; inside ``inference(_:)`` the vectors stay. Gradients flow through
/// the weight and through σ = vᵀ·W·u with u and v held constant (equation 12).
public final class SpectrallyNormalized: Layer {
  /// The layer; its weight is W.
  public let layer: any WeightedLayer
  /// u, the right singular vector, `[outputs, 1]`.
  @Untrained var rightVector: Tensor
  /// v, the left singular vector, `[connections of one output, 1]`.
  @Untrained var leftVector: Tensor

  /// The layer, with vectors drawn at random and improved by 15 steps.
  public init(_ layer: any WeightedLayer, using random: inout Random) {
    self.layer = layer
    let outputs = layer.bias.count
    rightVector = normalized(.normal([outputs, 1], using: &random))
    leftVector = .zeros([layer.weight.count / outputs, 1])
    for _ in 0..<15 { improve() }
  }

  /// W / σ, of the shape of the layer's weight; outside ``inference(_:)``, after a step of the power method.
  public func normalizedWeight() -> Tensor {
    if !Inference.isOn { improve() }
    let weight = layer.effectiveWeight
    return weight / spectralNorm(of: weight)
  }

  /// The layer applied to `x` with the weight W / σ.
  public func callAsFunction(_ x: Tensor) -> Tensor { layer(x, weight: normalizedWeight()) }

  /// σ, a scalar.
  private func spectralNorm(of weight: Tensor) -> Tensor {
    (matmul(asMatrix(weight), rightVector) * leftVector).sum()
  }

  private func improve() {
    withoutGradients {
      let matrix = asMatrix(layer.effectiveWeight)
      leftVector = normalized(matmul(matrix, rightVector))
      rightVector = normalized(matmul(matrix, leftVector, transposingFirst: true))
    }
  }

  private func asMatrix(_ weight: Tensor) -> Tensor { weight.reshaped(to: [leftVector.count, rightVector.count]) }
}

private func normalized(_ vector: Tensor) -> Tensor { vector / (sqrt(square(vector).sum()) + 1e-12) }
