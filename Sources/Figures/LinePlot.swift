import Tensors

/// A named curve, shared by line plots and bar charts.
public struct Series: Sendable {
  /// What the legend calls it.
  public let name: String
  let x: [Double]
  let y: [Double]
  /// Half the height of the band at each value; empty without a band.
  private(set) var error: [Double] = []

  /// A curve through `(x, y)`; where a value is not finite it has a gap.
  ///
  /// - Precondition: there are as many `x` as `y`.
  public init(_ name: String, x: [some BinaryFloatingPoint], y: [some BinaryFloatingPoint]) {
    guard x.count == y.count else {
      fail("Series", "'\(name)' has \(x.count) x and \(y.count) y; they must be as many")
    }
    self.name = name
    self.x = x.map { Double($0) }
    self.y = y.map { Double($0) }
  }

  /// A curve of values at the steps `x`, as many of both.
  public init(_ name: String, x: [Int], y: [some BinaryFloatingPoint]) {
    self.init(name, x: x.map { Double($0) }, y: y)
  }

  /// A curve of values at the whole numbers from 0 on.
  public init(_ name: String, _ y: [some BinaryFloatingPoint]) {
    self.init(name, x: (0..<y.count).map { Double($0) }, y: y)
  }

  /// The same curve with a band from `y - error` to `y + error`, such as the standard error.
  ///
  /// - Precondition: there are as many errors as values.
  public func withError(_ error: [some BinaryFloatingPoint]) -> Series {
    guard error.count == y.count else {
      fail("withError", "'\(name)' has \(y.count) values but \(error.count) errors; they must be as many")
    }
    var result = self
    result.error = error.map { Double($0) }
    return result
  }

  func withErrors(of other: Series) -> Series {
    other.error.isEmpty ? self : withError(other.error)
  }

  var notFiniteCount: Int { zip(x, y).reduce(0) { $0 + ($1.0.isFinite && $1.1.isFinite ? 0 : 1) } }
}

/// A level to compare with: the floor that theory sets, or a baseline.
public struct ReferenceLine: Sendable {
  /// What the legend calls it.
  public let name: String
  /// Its height on the y axis.
  public let value: Double

  /// A dashed line across the plot.
  public init(_ name: String, _ value: some BinaryFloatingPoint) {
    self.name = name
    self.value = Double(value)
  }

  static let dashes: [[Double]] = [[7, 4], [2, 3], [8, 3, 2, 3], [3, 6]]
}

/// Curves over a common axis, with levels to compare them with.
public struct LinePlot: DrawnFigure {
  private let labels: Chart.Labels
  private let series: [Series]
  private let references: [ReferenceLine]
  private let x: Axis
  private let y: Axis

  /// Draws curves.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - xLabel: what stands along x, with its unit.
  ///   - yLabel: what stands along y, with its unit.
  ///   - series: the curves.
  ///   - references: floors and baselines, drawn dashed and always inside the range unless `yRange` says otherwise.
  ///   - xRange: the ends of the x axis; found from the curves when absent.
  ///   - yRange: the ends of the y axis; found from the curves when absent.
  ///   - logarithmicX: whether x runs in powers of ten; values not above 0 are left out.
  ///   - logarithmicY: whether y runs in powers of ten; values not above 0 are left out.
  public init(
    title: String, xLabel: String, yLabel: String, series: [Series], references: [ReferenceLine] = [],
    xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, logarithmicX: Bool = false,
    logarithmicY: Bool = false
  ) {
    let missing = series.map(\.notFiniteCount).reduce(0, +)
    labels = Chart.Labels(title: title, x: xLabel, y: yLabel, note: remark(notFinite: missing))
    self.series = series
    self.references = references.filter(\.value.isFinite)
    x = Axis(
      holding: series.lazy.flatMap(\.x), range: xRange, isLogarithmic: logarithmicX, margin: 0.02, wantedTicks: 7)
    let values = series.flatMap { $0.y + $0.bandEnds } + references.map(\.value)
    y = Axis(holding: values, range: yRange, isLogarithmic: logarithmicY)
  }

  /// The curves' first and last values and the levels.
  public var alternativeText: String {
    let curves = series.map { one in
      let known = zip(one.x, one.y).filter { $0.isFinite && $1.isFinite }
      guard let first = known.first, let last = known.last else { return "\(one.name) without values" }
      return "\(one.name) from \(Axis.shortened(first.1)) to \(Axis.shortened(last.1)) over \(known.count) values"
    }
    let levels = references.map { "\($0.name) at \(Axis.shortened($0.value))" }
    return "Line plot “\(labels.title)”: " + (curves + levels).joined(separator: "; ") + "."
  }

  /// The plot's marks.
  public var drawing: Drawing {
    guard series.contains(where: { $0.notFiniteCount < $0.y.count }) else {
      return .note(labels.note.isEmpty ? "no data to draw" : labels.note, title: labels.title)
    }
    var chart = Chart(labels, x: x, y: y, legend: legend)
    chart.addInside { chart, drawing in
      for (index, level) in references.enumerated() {
        let place = chart.point(x.lower, level.value).y
        drawing.polyline(
          [Point(chart.plot.x, place), Point(chart.plot.maxX, place)], .middle, width: 1.5,
          dash: ReferenceLine.dashes[index % ReferenceLine.dashes.count])
      }
      for (index, one) in series.enumerated() {
        draw(one, in: chart, Color.category(index), series.count > 1 ? .category(index) : nil, index, &drawing)
      }
    }
    return chart.drawing
  }

  private var legend: [Chart.Entry] {
    let curves = series.enumerated().filter { !$0.element.name.isEmpty }.map { index, one in
      Chart.Entry(
        name: one.name, color: Color.category(index), dash: [], marker: series.count > 1 ? .category(index) : nil)
    }
    let levels = references.enumerated().map { index, level in
      Chart.Entry(
        name: "\(level.name) \(Axis.shortened(level.value))", color: .middle,
        dash: ReferenceLine.dashes[index % ReferenceLine.dashes.count])
    }
    return curves.count + levels.count > 1 ? curves + levels : []
  }
}

/// Draws one curve with its band; a marker every eighth of the width tells it from others in print.
func draw(
  _ series: Series, in chart: Chart, _ color: Color, _ marker: MarkerShape?, _ index: Int, _ drawing: inout Drawing
) {
  for run in series.runs(x: chart.x, y: chart.y) {
    let points = run.map { chart.point(series.x[$0], series.y[$0]) }
    if run.allSatisfy({ $0 < series.error.count && series.error[$0].isFinite }), run.count > 1 {
      let upper = run.map { chart.point(series.x[$0], series.y[$0] + series.error[$0]) }
      let lower = run.map { chart.point(series.x[$0], series.y[$0] - series.error[$0]) }
      drawing.add(.polygon(upper + lower.reversed(), color: color, opacity: 0.2))
    }
    if points.count == 1 {
      drawing.add(.markers(points, shape: marker ?? .disc, radius: 3.2, color: color, opacity: 1))
    } else {
      drawing.polyline(thinned(points), color, width: points.count > 300 ? 1.2 : 1.8)
    }
    if let marker, points.count > 1 {
      var next = chart.plot.x + Double(index % 8) * 8
      let places = points.filter { point in
        guard point.x >= next else { return false }
        next = point.x + chart.plot.width / 8
        return true
      }
      drawing.add(.markers(places, shape: marker, radius: 3.4, color: color, opacity: 1))
    }
  }
}

extension Series {
  /// The lower and upper ends of the band, if there is one.
  var bandEnds: [Double] {
    zip(y, error).flatMap { middle, reach -> [Double] in [middle - reach, middle + reach] }
  }

  /// Indices of neighbouring values that both axes can show.
  func runs(x xAxis: Axis, y yAxis: Axis) -> [[Int]] {
    var runs: [[Int]] = [[]]
    for index in y.indices {
      let (x, y) = (x[index], y[index])
      if x.isFinite, y.isFinite, !xAxis.isLogarithmic || x > 0, !yAxis.isLogarithmic || y > 0 {
        runs[runs.count - 1].append(index)
      } else if !runs[runs.count - 1].isEmpty {
        runs.append([])
      }
    }
    return runs.filter { !$0.isEmpty }
  }
}

/// Fewer points that draw the same line: of those in one half-pixel column, the first, the last and the extremes.
func thinned(_ points: [Point]) -> [Point] {
  guard points.count > 2000 else { return points }
  var result: [Point] = []
  var start = 0
  while start < points.count {
    let column = (points[start].x * 2).rounded()
    var (end, low, high) = (start, start, start)
    while end + 1 < points.count, (points[end + 1].x * 2).rounded() == column {
      end += 1
      if points[end].y < points[low].y { low = end }
      if points[end].y > points[high].y { high = end }
    }
    for index in Set([start, low, high, end]).sorted() { result.append(points[index]) }
    start = end + 1
  }
  return result
}
