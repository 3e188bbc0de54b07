import LessonKit

// ln p(y|x)/p(y) of correlated Gaussians, which is a dot product of a vector made from x and one made from y.

extension CorrelatedGaussians {
  /// The half that x decides: `[count, d] → [count, d + 2]`.
  func queries(_ x: Tensor) -> Tensor {
    concatenate([x, square(x).sum(axis: 1, keepingAxes: true), .ones([x.shape[0], 1])], axis: 1)
  }

  /// The half that y decides, so that q · k = (ρ x·y − ρ² (|x|² + |y|²) / 2) / (1 − ρ²) − (d/2) ln(1 − ρ²): `[count, d] → [count, d + 2]`.
  func keys(_ y: Tensor) -> Tensor {
    let (linear, rest) = (Float(correlation), Float(1 - correlation * correlation))
    let curved = -linear * linear / (2 * rest)
    let own = square(y).sum(axis: 1, keepingAxes: true) * curved + Float(mutualInformation)
    return concatenate([y * (linear / rest), .ones([y.shape[0], 1]) * curved, own], axis: 1)
  }
}
