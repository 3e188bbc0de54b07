import LessonKit

/// A law of the plane, and the part of the plane to look at.
struct PlanarTask {
  let name: String
  let law: any PlanarMixtureLaw
  let x, y: ClosedRange<Double>

  static let smiley = PlanarTask(name: "smiley", law: Smiley(), x: -4...4, y: -3.5...4.5)
  static let twoMoons = PlanarTask(name: "two-moons", law: TwoMoons(), x: -2...3, y: -2.25...2.75)

  /// A density over the view, in the colours of the law's own.
  func map(_ title: String, _ logDensity: (Tensor) -> Tensor) -> HeatMap {
    let cells = 160
    let grid = WarpedGrid.points(xRange: x, yRange: y, rows: cells, columns: cells)
    let density = withoutGradients { inference { exp(logDensity(grid)).reshaped(to: [cells, cells]) } }
    return HeatMap(
      density, title: title, xLabel: "x₁", yLabel: "x₂", valueLabel: "density", xRange: x, yRange: y,
      valueRange: 0...Double(exp(law.logProbability(of: grid).max()).scalar))
  }

  /// Points in the view.
  func points(_ points: Tensor, _ title: String) -> ScatterPlot {
    ScatterPlot(points, title: title, xLabel: "x₁", yLabel: "x₂", xRange: x, yRange: y, equalScales: true)
  }

  /// What the map makes of the square −3…3 of latent variables.
  func grid(_ title: String, _ decode: (Tensor) -> Tensor) -> WarpedGrid {
    let grid = WarpedGrid.points(xRange: -3...3, yRange: -3...3, rows: 121, columns: 121)
    return WarpedGrid(
      withoutGradients { inference { decode(grid) } }, rows: 121, columns: 121, title: title, xLabel: "x₁",
      yLabel: "x₂", xRange: x, yRange: y)
  }
}

/// The means of z's two variables, then variance, covariance and variance.
func moments(_ z: Tensor) -> [Float] {
  let centred = z - z.mean(axis: 0)
  let covariance = matmul(centred, centred, transposingFirst: true).scalars.map { $0 / Float(z.shape[0]) }
  return z.mean(axis: 0).scalars + [covariance[0], covariance[1], covariance[3]]
}

/// The density of the first coordinate of a law of the plane, and the variance of the second given the first.
///
/// Both at the middles of equal cells of −6…6, by sums over the second coordinate.
func conditionals(of law: any PlanarLaw, cells: Int = 300) -> (density: [Double], variance: [Double]) {
  let edge = 6 - 6 / Double(cells)
  let grid = WarpedGrid.points(xRange: -edge...edge, yRange: -edge...edge, rows: cells, columns: cells)
  let density = exp(law.logProbability(of: grid)).reshaped(to: [cells, cells])  // rows are x₂, columns x₁
  let second = grid.sliced(1..<2, axis: 1).reshaped(to: [cells, cells])
  let total = density.sum(axis: 0) + 1e-30
  let mean = (density * second).sum(axis: 0) / total
  let variance = (density * square(second - mean)).sum(axis: 0) / total
  return (total.scalars.map { Double($0) * 12 / Double(cells) }, variance.scalars.map { Double($0) })
}

/// The least mean −log p(x), in nats, of any flow of affine couplings onto a Gaussian that all keep the first coordinate.
///
/// All together are one affine map of x₂ for each x₁, so p(x₁) and p(x₂|x₁) are Gaussian whatever the networks learn. The best
/// of them have the law's own moments: ½ ln 2πeσ² of x₁, and on average that of x₂ given x₁.
func oneMaskFloor(of law: any PlanarLaw) -> Double {
  let (density, variance) = conditionals(of: law)
  let average = zip(density, variance).reduce(0) { sum, cell in
    sum + (cell.0 > 1e-12 ? cell.0 * log(cell.1) : 0) * 12 / Double(density.count)
  }
  return log(2 * .pi) + 1 + 0.5 * (log(law.covariance[0][0]) + average)
}

/// The first coordinates of samples as histograms, with the law's own density over them.
func firstCoordinates(of law: any PlanarLaw, _ samples: [(name: String, points: Tensor)]) -> BarChart {
  let marginal = conditionals(of: law).density
  let middles = marginal.indices.map { -6 + (Double($0) + 0.5) * 12 / Double(marginal.count) }
  let bars = samples.map { name, points in
    var density = [Double](repeating: 0, count: 60)
    for x in points.sliced(0..<1, axis: 1).scalars where abs(x) < 6 {
      density[Int((x + 6) * 5)] += 5 / Double(points.shape[0])
    }
    return Series(name, density)
  }
  return BarChart(
    range: -6...6, bars: bars, lines: [Series("the law", x: middles, y: marginal)], title: "The first coordinate",
    xLabel: "x₁", yLabel: "density")
}
