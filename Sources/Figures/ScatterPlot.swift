import Tensors

/// Points in the plane, coloured by class or by a number.
public struct ScatterPlot: DrawnFigure {
  private let labels: Chart.Labels
  private let places: [(x: Double, y: Double)]
  private let groups: [Group]
  private let x: Axis
  private let y: Axis
  private let isSquare: Bool
  private let scale: ColorBar?
  private var names: [String] = []

  /// Points that look alike.
  private struct Group: Sendable {
    var name: String
    var color: Color
    var shape: MarkerShape
    var members: [Int] = []
  }

  /// Draws points by class.
  ///
  /// - Parameters:
  ///   - points: the places, `[count, 2]`.
  ///   - classes: the class of each point, 0 or more; one class when absent.
  ///   - classNames: the legend's names, by class; the numbers when empty.
  ///   - title: the heading.
  ///   - xLabel: what stands along x.
  ///   - yLabel: what stands along y.
  ///   - xRange: the ends of the x axis; found from the points when absent.
  ///   - yRange: the ends of the y axis; found from the points when absent.
  ///   - equalScales: whether a unit is as long along x as along y.
  /// - Precondition: `points` is `[count, 2]` and `classes`, where given, has `count` values.
  public init(
    _ points: Tensor, classes: [Int]? = nil, classNames: [String] = [], title: String = "", xLabel: String = "",
    yLabel: String = "", xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil,
    equalScales: Bool = false
  ) {
    places = planePoints(points, in: "ScatterPlot")
    let classes = classes ?? [Int](repeating: 0, count: places.count)
    guard classes.count == places.count, classes.allSatisfy({ $0 >= 0 }) else {
      fail("ScatterPlot", "\(places.count) points need as many classes, 0 or more; there are \(classes.count)")
    }
    var members: [Int: [Int]] = [:]
    for (index, one) in classes.enumerated() { members[one, default: []].append(index) }
    groups = members.sorted { $0.key < $1.key }.map { one, members in
      Group(
        name: one < classNames.count ? classNames[one] : "\(one)", color: .category(one), shape: .category(one),
        members: members)
    }
    scale = nil
    (x, y, labels) = Self.axes(places, xRange, yRange, title, xLabel, yLabel)
    isSquare = equalScales
  }

  /// Draws points by class, `classes` of shape `[count]`; see the other initialiser.
  public init(
    _ points: Tensor, classes: IndexTensor, classNames: [String] = [], title: String = "", xLabel: String = "",
    yLabel: String = "", xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil,
    equalScales: Bool = false
  ) {
    self.init(
      points, classes: classes.scalars.map { Int($0) }, classNames: classNames, title: title, xLabel: xLabel,
      yLabel: yLabel, xRange: xRange, yRange: yRange, equalScales: equalScales)
  }

  /// Draws points coloured by a number each, with a colour bar.
  ///
  /// - Parameters:
  ///   - points: the places, `[count, 2]`.
  ///   - values: the numbers, `[count]`.
  ///   - valueLabel: what the numbers are, with their unit.
  public init(
    _ points: Tensor, values: Tensor, valueLabel: String, title: String = "", xLabel: String = "", yLabel: String = "",
    xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, equalScales: Bool = false
  ) {
    places = planePoints(points, in: "ScatterPlot")
    let values = values.scalars.map { Double($0) }
    guard values.count == places.count else {
      fail("ScatterPlot", "\(places.count) points need as many values; there are \(values.count)")
    }
    let scale = ColorBar(holding: values, label: valueLabel)
    var members: [Int: [Int]] = [:]
    for (index, value) in values.enumerated() {
      members[value.isFinite ? Int((scale.position(of: value) * 63).rounded()) : -1, default: []].append(index)
    }
    groups = members.sorted { $0.key < $1.key }.map { level, members in
      let color = level < 0 ? Color.notFinite : scale.map.color(at: Double(level) / 63)
      return Group(name: "", color: color, shape: .disc, members: members)
    }
    self.scale = scale
    (x, y, labels) = Self.axes(places, xRange, yRange, title, xLabel, yLabel)
    isSquare = equalScales
  }

  /// The same plot, larger, with a name beside each point, in the order of the points.
  ///
  /// - Precondition: there is a name, which may be empty, for every point.
  public func named(_ names: [String]) -> ScatterPlot {
    guard names.count == places.count else {
      fail("ScatterPlot.named", "\(places.count) points need as many names; there are \(names.count)")
    }
    var plot = self
    plot.names = names
    return plot
  }

  /// How many points of which class there are, and where.
  public var alternativeText: String {
    let classes = groups.count > 1 && scale == nil ? ", classes " + groups.map(\.name).joined(separator: ", ") : ""
    let range = "x from \(Axis.shortened(x.lower)) to \(Axis.shortened(x.upper))"
    return "Scatter plot “\(labels.title)”: \(places.count) points\(classes); \(range), "
      + "y from \(Axis.shortened(y.lower)) to \(Axis.shortened(y.upper))."
  }

  /// The plot's marks.
  public var drawing: Drawing {
    guard places.contains(where: { $0.x.isFinite && $0.y.isFinite }) else {
      return .note(labels.note.isEmpty ? "no points to draw" : labels.note, title: labels.title)
    }
    let legend = groups.count > 1 && scale == nil
    let entries = legend ? groups.map { Chart.Entry(name: $0.name, color: $0.color, marker: $0.shape) } : []
    var chart = Chart(
      labels, x: x, y: y, size: size, legend: entries, room: scale == nil ? 0 : ColorBar.room)
    let radius = places.count > 3000 ? 1.7 : places.count > 500 ? 2.3 : 3.2
    chart.addInside { chart, drawing in
      addNames(in: chart, to: &drawing)
      // In turns, so that no class lies over all others.
      let turns = scale == nil ? 12 : 1
      for turn in 0..<turns {
        for group in groups {
          let centres = stride(from: turn, to: group.members.count, by: turns).map { places[group.members[$0]] }
            .filter { $0.x.isFinite && $0.y.isFinite }.map { chart.point($0.x, $0.y) }
          guard !centres.isEmpty else { continue }
          drawing.add(.markers(centres, shape: group.shape, radius: radius, color: group.color, opacity: 0.8))
        }
      }
    }
    scale?.draw(beside: chart.plot, on: &chart.drawing)
    return chart.drawing
  }

  private func addNames(in chart: Chart, to drawing: inout Drawing) {
    for (name, place) in zip(names, places) where place.x.isFinite && place.y.isFinite {
      let point = chart.point(place.x, place.y)
      drawing.text(name, at: Point(point.x + 5, point.y + 3), TextStyle(size: 9))
    }
  }

  private var size: (width: Double, height: Double) {
    guard isSquare else { return names.isEmpty ? (400, 340) : (640, 500) }
    let (ratio, side) = ((y.upper - y.lower) / (x.upper - x.lower), names.isEmpty ? 380.0 : 620.0)
    return ratio > 1 ? (max(120, (side / ratio).rounded()), side) : (side, max(120, (side * ratio).rounded()))
  }

  private static func axes(
    _ places: [(x: Double, y: Double)], _ xRange: ClosedRange<Double>?, _ yRange: ClosedRange<Double>?,
    _ title: String, _ xLabel: String, _ yLabel: String
  ) -> (Axis, Axis, Chart.Labels) {
    let missing = places.count { !$0.x.isFinite || !$0.y.isFinite }
    return (
      Axis(holding: places.lazy.map(\.x), range: xRange), Axis(holding: places.lazy.map(\.y), range: yRange),
      Chart.Labels(title: title, x: xLabel, y: yLabel, note: remark(notFinite: missing, of: "point"))
    )
  }
}

/// The rows of a `[count, 2]` tensor.
func planePoints(_ points: Tensor, in operation: String) -> [(x: Double, y: Double)] {
  guard points.rank == 2, points.shape[1] == 2 else {
    fail(operation, "points must be [count, 2], but the shape is \(points.shape)")
  }
  return points.withUnsafeScalars { scalars in
    (0..<points.shape[0]).map { (Double(scalars[2 * $0]), Double(scalars[2 * $0 + 1])) }
  }
}
