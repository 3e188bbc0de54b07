import LessonKit

/// A law of the plane, the part of the plane to look at, and the prior of the model that learns it.
struct PlanarTask {
  let name: String
  let law: any PlanarMixtureLaw
  let prior: Prior
  let x, y: ClosedRange<Double>

  static let all = [
    PlanarTask(name: "smiley", law: Smiley(), prior: .logistic, x: -4...4, y: -3.5...4.5),
    PlanarTask(name: "two-moons", law: TwoMoons(), prior: .logistic, x: -2...3, y: -2.25...2.75),
    PlanarTask(name: "two-moons, Gaussian prior", law: TwoMoons(), prior: .gaussian, x: -2...3, y: -2.25...2.75),
  ]

  /// A density over the view, in the colours of the law's own.
  func map(_ title: String, _ logDensity: (Tensor) -> Tensor) -> HeatMap {
    let cells = 160
    let grid = WarpedGrid.points(xRange: x, yRange: y, rows: cells, columns: cells)
    let density = withoutGradients { exp(logDensity(grid)).reshaped(to: [cells, cells]) }
    return HeatMap(
      density, title: title, xLabel: "x₁", yLabel: "x₂", valueLabel: "density", xRange: x, yRange: y,
      valueRange: 0...Double(exp(law.logProbability(of: grid).max()).scalar))
  }

  /// Points in the view.
  func points(_ points: Tensor, _ title: String) -> ScatterPlot {
    ScatterPlot(points, title: title, xLabel: "x₁", yLabel: "x₂", xRange: x, yRange: y, equalScales: true)
  }

  /// What the map makes of a square of hidden variables, −reach…reach.
  func grid(reach: Double, _ title: String, _ decode: (Tensor) -> Tensor) -> WarpedGrid {
    let grid = WarpedGrid.points(xRange: -reach...reach, yRange: -reach...reach, rows: 121, columns: 121)
    return WarpedGrid(
      withoutGradients { decode(grid) }, rows: 121, columns: 121, title: title, xLabel: "x₁", yLabel: "x₂", xRange: x,
      yRange: y)
  }
}

/// The means of h's two variables, then variance, covariance and variance, all in units of the prior's deviation.
func moments(_ h: Tensor, _ prior: Prior) -> [Float] {
  let deviation: Float = prior == .logistic ? .pi / Float(3).squareRoot() : 1
  let (mean, centred) = (h.mean(axis: 0), (h - h.mean(axis: 0)) / deviation)
  let covariance = matmul(centred, centred, transposingFirst: true).scalars.map { $0 / Float(h.shape[0]) }
  return mean.scalars.map { $0 / deviation } + [covariance[0], covariance[1], covariance[3]]
}
