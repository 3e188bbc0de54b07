import Foundation
import Tensors

/// Points and curves in the plane, blurred by normal noise of one standard deviation.
///
/// A curve's density is an integral along it; Gauss–Legendre quadrature turns it into a sum over so many points that the
/// error is below 1e-8 wherever a sample can fall.
public struct PlanarMixture: PlanarLaw {
  /// One point or curve, chosen with a probability.
  public struct Component: Sendable {
    let weight: Double
    let nodeCount: Int
    let position: @Sendable (Double) -> SIMD2<Double>

    /// A point.
    public static func point(_ x: Double, _ y: Double, weight: Double) -> Component {
      Component(weight: weight, nodeCount: 1) { _ in SIMD2(x, y) }
    }

    /// A curve, of which `position` gives the point for each number of 0…1; that number is uniform.
    ///
    /// - Parameters:
    ///   - weight: the curve's probability.
    ///   - nodeCount: the points of the quadrature; neighbours must be closer than the noise's standard deviation.
    ///   - position: the curve.
    public static func curve(
      weight: Double, nodeCount: Int = 256, _ position: @escaping @Sendable (Double) -> SIMD2<Double>
    ) -> Component {
      Component(weight: weight, nodeCount: nodeCount, position: position)
    }
  }

  /// The noise's standard deviation along each axis.
  public let noise: Double
  private let components: [Component]
  private let cumulative: [Double]
  private let centers: [SIMD2<Double>]
  private let logWeights: [Double]
  private let moments: PlanarMoments
  private let knownEntropy: Lazily<Double>

  /// The law with these components.
  ///
  /// - Precondition: there is a component, weights and noise are above 0; weights are scaled to sum to 1.
  public init(_ components: [Component], noise: Double) {
    let total = components.reduce(0) { $0 + $1.weight }
    guard !components.isEmpty, components.allSatisfy({ $0.weight > 0 }), noise > 0, (total + noise).isFinite else {
      fail("PlanarMixture", "needs components with weights above 0, and noise above 0; the noise is \(noise)")
    }
    var centers: [SIMD2<Double>] = []
    var weights: [Double] = []
    for component in components {
      let rule = gaussLegendre(component.nodeCount)
      centers += rule.nodes.map(component.position)
      weights += rule.weights.map { $0 * component.weight / total }
    }
    let logWeights = weights.map { log($0) }
    self.noise = noise
    self.components = components
    self.centers = centers
    self.logWeights = logWeights
    cumulative = cumulativeSums(components.map { $0.weight / total })
    moments = PlanarMoments(centers, weights: weights)
    let density = MixtureDensity(centers: centers, logWeights: logWeights, noise: noise)
    knownEntropy = Lazily { gridEntropy(density) }
  }

  /// The mean of each coordinate, `[2]`.
  public var mean: [Double] { moments.mean }

  /// The covariance of the coordinates, `[2][2]`.
  public var covariance: [[Double]] {
    let (spread, extra) = (moments.covariance, noise * noise)
    return [[spread[0][0] + extra, spread[0][1]], [spread[1][0], spread[1][1] + extra]]
  }

  /// The exact entropy in nats, by quadrature over the plane.
  public var entropy: Double { knownEntropy.value }

  /// Independent points, `[count, 2]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor {
    labelledSamples(count, using: &random).points
  }

  /// Independent points, `[count, 2]`, and the component each came from, `[count]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func labelledSamples(_ count: Int, using random: inout Random) -> (points: Tensor, labels: IndexTensor) {
    checkSampleCount(count)
    let deviates = normalDeviates(2 * count, using: &random)
    var points: [Float] = []
    var labels: [Int32] = []
    points.reserveCapacity(2 * count)
    labels.reserveCapacity(count)
    for index in 0..<count {
      let chosen = random.index(cumulative: cumulative)
      let center = components[chosen].position(random.uniform())
      labels.append(Int32(chosen))
      points.append(Float(center.x + noise * deviates[2 * index]))
      points.append(Float(center.y + noise * deviates[2 * index + 1]))
    }
    return (Tensor(points, shape: [count, 2]), IndexTensor(labels))
  }

  /// The exact log-density of each point of `[count, 2]`, `[count]`, in nats.
  public func logProbability(of points: Tensor) -> Tensor {
    let count = eventCount(of: points.shape, size: 2, named: "2")
    var density = MixtureDensity(centers: centers, logWeights: logWeights, noise: noise)
    let values = points.withUnsafeScalars { coordinates in
      (0..<count).map { Float(density.log(at: SIMD2(Double(coordinates[2 * $0]), Double(coordinates[2 * $0 + 1])))) }
    }
    return Tensor(values)
  }
}

/// A sum of normal densities of one standard deviation, with room for its terms.
private struct MixtureDensity {
  let centers: [SIMD2<Double>]
  let noise: Double
  private let scale: Double
  private let offsets: [Double]
  private var terms: [Double]

  init(centers: [SIMD2<Double>], logWeights: [Double], noise: Double) {
    self.centers = centers
    self.noise = noise
    scale = -0.5 / (noise * noise)
    offsets = logWeights.map { $0 - Foundation.log(2 * Double.pi * noise * noise) }
    terms = [Double](repeating: 0, count: centers.count)
  }

  mutating func log(at point: SIMD2<Double>) -> Double {
    var largest = -Double.infinity
    for index in terms.indices {
      let offset = point - centers[index]
      terms[index] = offsets[index] + scale * (offset.x * offset.x + offset.y * offset.y)
      largest = max(largest, terms[index])
    }
    guard largest.isFinite else { return largest }
    var sum = 0.0
    for term in terms where term > largest - 40 { sum += exp(term - largest) }
    return largest + Foundation.log(sum)
  }
}

/// −∫ p ln p over the plane by the trapezoidal rule, whose error for normal noise at this step is far below 1e-8.
private func gridEntropy(_ mixture: MixtureDensity) -> Double {
  var density = mixture
  let (step, margin) = (mixture.noise / 2, 7 * mixture.noise)
  let xs = mixture.centers.map(\.x)
  let ys = mixture.centers.map(\.y)
  var sum = 0.0
  for x in stride(from: xs.min()! - margin, through: xs.max()! + margin, by: step) {
    for y in stride(from: ys.min()! - margin, through: ys.max()! + margin, by: step) {
      let value = density.log(at: SIMD2(x, y))
      if value > -700 { sum -= exp(value) * value }
    }
  }
  return sum * step * step
}

/// A law that is a ``PlanarMixture`` under a name of its own.
public protocol PlanarMixtureLaw: PlanarLaw {
  /// The points and curves it consists of.
  var mixture: PlanarMixture { get }
}

extension PlanarMixtureLaw {
  /// The mean of each coordinate, `[2]`.
  public var mean: [Double] { mixture.mean }

  /// The covariance of the coordinates, `[2][2]`.
  public var covariance: [[Double]] { mixture.covariance }

  /// The exact entropy in nats, by quadrature over the plane.
  public var entropy: Double { mixture.entropy }

  /// Independent points, `[count, 2]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func samples(_ count: Int, using random: inout Random) -> Tensor { mixture.samples(count, using: &random) }

  /// Independent points, `[count, 2]`, and the component each came from, `[count]`.
  ///
  /// - Precondition: `count` is 0 or more.
  public func labelledSamples(_ count: Int, using random: inout Random) -> (points: Tensor, labels: IndexTensor) {
    mixture.labelledSamples(count, using: &random)
  }

  /// The exact log-density of each point of `[count, 2]`, `[count]`, in nats.
  public func logProbability(of points: Tensor) -> Tensor { mixture.logProbability(of: points) }
}
