import LessonKit

/// The least mean −log p(x), in nats, that couplings which preserve volume and one scale can reach on a law of the plane.
///
/// Such a map h can move the density about, not raise it: {x: p(h(x)) > t} has the area of {h: p(h) > t} whatever the map. By the
/// rearrangement inequality (Hardy, Littlewood & Pólya 1934, theorem 378) none does better than to send the densest places of the
/// law to the densest places of the prior, in order. Both densities are sorted by area; the scale is the best of many.
func volumePreservingFloor(of law: some PlanarLaw, prior: Prior) -> Double {
  // The cells of a grid from the densest on: area covered up to each, and log-density.
  func sorted(_ logDensity: (Tensor) -> Tensor, centre: [Double], reach: Double, cells: Int) -> (Tensor, area: Double) {
    let edges = centre.map { $0 - reach * (1 - 1 / Double(cells))...$0 + reach * (1 - 1 / Double(cells)) }
    let grid = WarpedGrid.points(xRange: edges[0], yRange: edges[1], rows: cells, columns: cells)
    return (-(-logDensity(grid)).sorted(axis: 0).values, 4 * reach * reach / Double(cells * cells))
  }
  let spread = 3 * (law.covariance[0][0] + law.covariance[1][1]).squareRoot()
  let data = sorted(law.logProbability, centre: law.mean, reach: spread, cells: 300)
  let base = sorted({ prior.law($0.shape).logProbability(of: $0) }, centre: [0, 0], reach: 24, cells: 960)
  let covered = Tensor((0..<data.0.count).map { (Float($0) + 0.5) * Float(data.area / base.area) })
  let probability = exp(data.0) * Float(data.area)
  return (0...320).map { step -> Double in
    let scale = exp(Double(step) / 40 - 3)  // exp(Σ s): an area of the law is so many times larger among the h
    let places = IndexTensor(floor(covered * Float(scale)).clamped(to: 0...Float(base.0.count - 1)))
    return -log(scale) - Double((probability * base.0.gathered(at: places, axis: 0)).sum().scalar)
  }.min()!
}
