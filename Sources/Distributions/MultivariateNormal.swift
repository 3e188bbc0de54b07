import Foundation
import LinearAlgebra
import Tensors

/// Gaussian vectors with a full covariance L·Lᵀ, by its lower-triangular factor L; `torch.distributions.MultivariateNormal(scale_tril=…)`.
public struct MultivariateNormal: ContinuousDistribution, Sendable {
  /// μ, `[batch, …, d]`.
  public let mean: Tensor
  /// The logarithms of the diagonal of L, of the shape of the mean.
  public let logDiagonal: Tensor
  /// L, `[batch, …, d, d]`: lower-triangular.
  public let scale: Tensor

  /// A law as networks emit it: L has exp(`logDiagonal`) on its diagonal and below it the entries of `lower`.
  ///
  /// - Parameters:
  ///   - mean: `[batch, …, d]`.
  ///   - logDiagonal: `[batch, …, d]`.
  ///   - lower: `[batch, …, d, d]`; what it holds on and above the diagonal is not read. Leading axes may be 1 or missing.
  public init(mean: Tensor, logDiagonal: Tensor, lower: Tensor) {
    let shape = Self.checkedShape(mean, logDiagonal.shape, lower.shape)
    let size = shape[shape.count - 1]
    let below = Tensor((0..<size * size).map { $0 % size < $0 / size ? 1 : 0 }, shape: [size, size])
    self.mean = mean.broadcast(to: shape)
    self.logDiagonal = logDiagonal.broadcast(to: shape)
    scale = lower * below + exp(self.logDiagonal).insertingAxis(shape.count) * Self.identity(size)
  }

  /// A law by the Cholesky factor of its covariance.
  ///
  /// - Precondition: `scale` `[batch, …, d, d]` is lower-triangular with a positive diagonal.
  public init(mean: Tensor, scale: Tensor) {
    let size = mean.shape.last ?? 0
    _ = Self.checkedShape(mean, [size], scale.shape)
    for (position, value) in scale.scalars.enumerated() {
      let (row, column) = (position / size % size, position % size)
      guard row != column || value > 0, row >= column || value == 0 else {
        fail(
          "MultivariateNormal",
          "the entry \(value) at row \(row), column \(column) of a factor: it must be lower-triangular with a positive diagonal"
        )
      }
    }
    self.init(mean: mean, logDiagonal: log((scale * Self.identity(size)).sum(axis: -1)), lower: scale)
  }

  /// A law by its covariance, `[batch, …, d, d]`; its factor is computed here, differentiably.
  ///
  /// - Precondition: `covariance` is positive definite.
  public init(mean: Tensor, covariance: Tensor) { self.init(mean: mean, scale: cholesky(covariance)) }

  private static func checkedShape(_ mean: Tensor, _ logDiagonal: [Int], _ factor: [Int]) -> [Int] {
    guard mean.rank >= 2, let size = mean.shape.last, size > 0, factor.suffix(2) == [size, size],
      logDiagonal.last == size
    else {
      fail(
        "MultivariateNormal",
        "needs a mean [batch, …, d], a log-diagonal [batch, …, d] and a factor [batch, …, d, d], not \(mean.shape), \(logDiagonal) and \(factor)"
      )
    }
    let rows = Array(factor.dropLast())
    return commonShape(
      "MultivariateNormal", [("mean", mean.shape), ("logDiagonal", logDiagonal), ("the factor's rows", rows)])
  }

  private static func identity(_ size: Int) -> Tensor {
    Tensor((0..<size * size).map { $0 % (size + 1) == 0 ? 1 : 0 }, shape: [size, size])
  }

  /// The shape of a sample, `[batch, …, d]`.
  public var shape: [Int] { mean.shape }

  /// ln p of each entry given those before it, in nats, `[batch, …, d]`: with z = L⁻¹(x−μ), −½zᵢ² − ln Lᵢᵢ − ½ ln 2π.
  public func elementwiseLogProbability(of x: Tensor) -> Tensor {
    _ = commonShape("MultivariateNormal.logProbability", [("the values", x.shape), ("the parameters", shape)])
    let z = standardized(x - mean)
    return square(z) * -0.5 - logDiagonal - 0.5 * log(2 * Float.pi)
  }

  /// L⁻¹·x for each vector, `[…, d]`.
  private func standardized(_ x: Tensor) -> Tensor {
    let size = x.shape[x.rank - 1]
    guard scale.count == size * size else {
      return solveTriangular(scale, x.insertingAxis(x.rank)).reshaped(to: x.shape)
    }
    // One factor for all vectors: they are the columns of one system.
    let columns = x.reshaped(to: [-1, size]).transposed()  // [d, …]
    return solveTriangular(scale.reshaped(to: [size, size]), columns).transposed().reshaped(to: x.shape)
  }

  /// μ + L·ε with ε standard normal: differentiable with respect to μ and L.
  public func sample(using random: inout Random) -> Tensor {
    let noise = Tensor.normal(shape, using: &random).insertingAxis(shape.count - 1)  // […, 1, d]
    return mean + (scale * noise).sum(axis: -1)
  }

  /// L·Lᵀ, `[batch, …, d, d]`.
  public var covariance: Tensor { matmul(scale, scale, transposingSecond: true) }

  /// The diagonal of L·Lᵀ, `[batch, …, d]`.
  public var variance: Tensor { square(scale).sum(axis: -1) }

  /// Σ (ln Lᵢᵢ + ½ ln 2πe), in nats, `[batch]`.
  public var entropy: Tensor { (logDiagonal + 0.5 * (1 + log(2 * Float.pi))).summedOverEvent }
}

/// KL(q‖p) between Gaussians with full covariances, in nats, `[batch]`.
///
/// ½(tr(Σp⁻¹Σq) + (μq−μp)ᵀΣp⁻¹(μq−μp) − d) + Σ ln diag Lp − Σ ln diag Lq.
public func klDivergence(_ q: MultivariateNormal, _ p: MultivariateNormal) -> Tensor {
  let rank = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)]).count
  let ratio = solveTriangular(p.scale, q.scale)
  let shift = solveTriangular(p.scale, (q.mean - p.mean).insertingAxis(rank))
  let squares = square(ratio).sum(axis: -1) + square(shift).sum(axis: -1)  // […, d]
  return ((squares - 1) * 0.5 - q.logDiagonal + p.logDiagonal).summedOverEvent
}
