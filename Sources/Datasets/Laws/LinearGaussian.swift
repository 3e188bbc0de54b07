import Foundation
import Tensors

/// A linear map of a normal latent vector with normal noise: x = μ + W z + noise ε, z and ε standard normal.
///
/// The law of factor analysis, for which everything about a latent variable model is known exactly: x is normal,
/// with covariance W Wᵀ + diag(noise²) (Bishop, "Pattern Recognition and Machine Learning", 2006, section 12.2).
public struct LinearGaussian: Law {
  /// The mean μ, `[dimension]`.
  public let mean: [Double]
  /// The map W from latent to data, `[dimension][latent dimension]`.
  public let weights: [[Double]]
  /// The noise's standard deviation along each axis, `[dimension]`.
  public let noise: [Double]
  /// The covariance of x, `[dimension][dimension]`.
  public let covariance: [[Double]]
  /// The Cholesky factor L of the covariance: lower triangular, L Lᵀ = covariance.
  private let factor: [[Double]]

  /// The law with these parameters.
  ///
  /// - Parameters:
  ///   - mean: the mean of x, `[dimension]`.
  ///   - weights: the map from latent to data, `[dimension][latent dimension]`.
  ///   - noise: the noise's standard deviation along each axis, `[dimension]`.
  /// - Precondition: the sizes agree, and the covariance is positive definite (noise above 0 suffices).
  public init(mean: [Double], weights: [[Double]], noise: [Double]) {
    let latents = weights.first?.count ?? 0
    guard !mean.isEmpty, weights.count == mean.count, noise.count == mean.count,
      weights.allSatisfy({ $0.count == latents })
    else {
      fail(
        "LinearGaussian",
        "needs mean [d], weights [d][k], noise [d]; got \(mean.count), rows \(weights.map(\.count)), \(noise.count)"
      )
    }
    self.mean = mean
    self.weights = weights
    self.noise = noise
    covariance = weights.indices.map { row in
      weights.indices.map { column in
        zip(weights[row], weights[column]).reduce(row == column ? noise[row] * noise[row] : 0) { $0 + $1.0 * $1.1 }
      }
    }
    factor = choleskyFactor(of: covariance)
  }

  /// Standard deviation 5 along the diagonal and 1 across it, around (1, 2): x = (1, 2) + R₄₅ diag(5, 1) ε.
  ///
  /// A model with independent noise on each axis must pass at least ln 5 = 1.6094 nats through its latent variables.
  public static let rotated = LinearGaussian(
    mean: [1, 2], weights: [[sqrt(12)], [sqrt(12)]], noise: [1, 1])

  /// Standard deviation 5 along the first axis and 1 along the second, around the origin: x = diag(5, 1) ε.
  ///
  /// Independent noise on each axis is enough: a model of it need pass nothing through its latent variables.
  public static let aligned = LinearGaussian(mean: [0, 0], weights: [[sqrt(24)], [0]], noise: [1, 1])

  /// The number of coordinates of x.
  public var dimension: Int { mean.count }

  /// Independent samples, `[count, dimension]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    guard count >= 0 else { fail("samples", "cannot draw \(count) samples; the number must be 0 or more") }
    let latents = weights[0].count
    let deviates = normalDeviates(count * (latents + dimension), using: &random)
    var values: [Float] = []
    values.reserveCapacity(count * dimension)
    for start in stride(from: 0, to: deviates.count, by: latents + dimension) {
      for axis in 0..<dimension {
        var value = mean[axis] + noise[axis] * deviates[start + latents + axis]
        for latent in 0..<latents { value += weights[axis][latent] * deviates[start + latent] }
        values.append(Float(value))
      }
    }
    return Tensor(values, shape: [count, dimension])
  }

  /// The exact log-density of each point of `[count, dimension]`, `[count]`, in nats.
  public func logProbability(of points: Tensor) -> Tensor {
    guard points.rank == 2, points.shape[1] == dimension else {
      fail("logProbability", "needs points of shape [count, \(dimension)]; got \(points.shape)")
    }
    let constant = -0.5 * Double(dimension) * log(2 * Double.pi) - halfLogDeterminant
    var whitened = [Double](repeating: 0, count: dimension)
    return points.withUnsafeScalars { coordinates in
      var densities = [Float](repeating: 0, count: points.shape[0])
      for point in densities.indices {
        var logDensity = constant
        for axis in 0..<dimension {  // L · whitened = point − mean
          var rest = Double(coordinates[point * dimension + axis]) - mean[axis]
          for earlier in 0..<axis { rest -= factor[axis][earlier] * whitened[earlier] }
          whitened[axis] = rest / factor[axis][axis]
          logDensity -= 0.5 * whitened[axis] * whitened[axis]
        }
        densities[point] = Float(logDensity)
      }
      return Tensor(densities)
    }
  }

  /// The exact entropy in nats, ½ ln((2πe)ᵈ |covariance|): 4.4473 for `rotated` and for `aligned`.
  public var entropy: Double {
    0.5 * Double(dimension) * (log(2 * Double.pi) + 1) + halfLogDeterminant
  }

  private var halfLogDeterminant: Double {
    factor.indices.reduce(0) { $0 + log(factor[$1][$1]) }
  }
}

/// The lower triangular L with L Lᵀ = `matrix`.
private func choleskyFactor(of matrix: [[Double]]) -> [[Double]] {
  var factor = matrix.map { $0.map { _ in 0.0 } }
  for row in matrix.indices {
    for column in 0...row {
      let rest = matrix[row][column] - (0..<column).reduce(0) { $0 + factor[row][$1] * factor[column][$1] }
      guard row != column || rest > 0 else {
        fail("LinearGaussian", "the covariance \(matrix) is not positive definite; give every axis noise above 0")
      }
      factor[row][column] = row == column ? rest.squareRoot() : rest / factor[column][column]
    }
  }
  return factor
}
