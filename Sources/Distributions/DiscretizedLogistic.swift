import Foundation
import Tensors

/// Logistic values rounded to bins, the outer bins taking the tails (PixelCNN++, Salimans 2017, arXiv 1701.05517, equation 2).
///
/// Exact in the far tails and at any scale, where the paper's code falls back on the density. PyTorch has no such distribution.
public struct DiscretizedLogistic: DiscreteDistribution, Sendable {
  /// μ of the logistic before it is rounded, `[batch, …]`, in the units of the bins.
  public let location: Tensor
  /// ln s, of the shape of the location.
  public let logScale: Tensor
  /// The bins.
  public let bins: Bins

  /// The probabilities that a logistic variable with these parameters gives to each bin; the shapes broadcast.
  public init(location: Tensor, logScale: Tensor, bins: Bins) {
    let shape = commonShape("DiscretizedLogistic", [("location", location.shape), ("logScale", logScale.shape)])
    self.location = location.broadcast(to: shape)
    self.logScale = logScale.broadcast(to: shape)
    self.bins = bins
  }

  /// The shape of a sample, `[batch, …]`.
  public var shape: [Int] { location.shape }

  /// How many values each component may take.
  public var classes: Int { bins.count }

  /// ln of the probability of each component's bin, in nats.
  ///
  /// - Precondition: bins are within 0 ..< `classes`.
  public func elementwiseLogProbability(of x: IndexTensor) -> Tensor {
    _ = commonShape("DiscretizedLogistic.logProbability", [("the bins", x.shape), ("the parameters", shape)])
    checkRange(x, in: "DiscretizedLogistic.logProbability")
    return logMass(of: x, location: location, logScale: logScale)
  }

  /// ln p of every value of each component, in nats, `[batch, …, classes]`.
  public var logProbabilities: Tensor {
    let all = IndexTensor((0..<Int32(classes)).map { $0 })  // [classes]
    return logMass(
      of: all, location: location.insertingAxis(shape.count), logScale: logScale.insertingAxis(shape.count))
  }

  /// A bin for each component, `[batch, …]`.
  public func sample(using random: inout Random) -> IndexTensor {
    bins.indices(of: Logistic(mean: location.detached(), logScale: logScale.detached()).sample(using: &random))
  }

  /// The expectation of the bins' middles, of the shape of a sample; as large as all bins of all components while it is computed.
  public var mean: Tensor { (probabilities * bins.centers).sum(axis: -1) }

  /// The variance of the bins' middles, of the shape of a sample.
  public var variance: Tensor {
    (probabilities * square(bins.centers - mean.insertingAxis(shape.count))).sum(axis: -1)
  }

  /// The logarithm of σ(b) − σ(a), where a < b are the bin's edges in scales from the location.
  ///
  /// It equals σ(b)·σ(−a)·(1 − e^−(b−a)): a product, whose logarithm neither cancels nor underflows. The outer bins lack one of
  /// the first two factors, and the last.
  private func logMass(of index: IndexTensor, location: Tensor, logScale: Tensor) -> Tensor {
    let edges = (0...classes).map { bins.edge(below: $0) }
    let logWidths = (0..<classes).map { Foundation.log(edges[$0 + 1] - edges[$0]) }
    func each(_ value: (Int) -> Float) -> Tensor { Tensor(index.scalars.map { value(Int($0)) }, shape: index.shape) }
    let (below, above, logWidth) = (each { edges[$0] }, each { edges[$0 + 1] }, each { logWidths[$0] })
    let (isFirst, isLast) = (each { $0 == 0 ? 1 : 0 }, each { $0 == classes - 1 ? 1 : 0 })
    let rate = exp(-logScale)
    let none = Tensor(0)
    let belowTop = select(isLast, none, logSigmoid((above - location) * rate))
    let aboveBottom = select(isFirst, none, logSigmoid((location - below) * rate))
    return belowTop + aboveBottom + select(isFirst + isLast, none, logOneMinusExp(logWidth - logScale))
  }
}
