import Tensors

/// Bars for named categories or for the bins of a histogram, with curves over them: a histogram against its law.
public struct BarChart: DrawnFigure {
  private let labels: Chart.Labels
  private let bars: [Series]
  private let lines: [Series]
  private let references: [ReferenceLine]
  private let x: Axis
  private let y: Axis
  /// Half of a category's or bin's width.
  private let half: Double

  /// Draws bars for named categories.
  ///
  /// - Parameters:
  ///   - categories: the names below the bars.
  ///   - bars: one or more groups; each has a value for every category.
  ///   - lines: curves over the bars; category `i` stands at x = i.
  ///   - references: levels to compare with.
  ///   - title: the heading.
  ///   - xLabel: what the categories are.
  ///   - yLabel: what the bars' height is, with its unit.
  ///   - yRange: the ends of the y axis; from 0 to the highest bar when absent.
  /// - Precondition: each group has as many values as there are categories.
  public init(
    categories: [String], bars: [Series], lines: [Series] = [], references: [ReferenceLine] = [], title: String = "",
    xLabel: String = "", yLabel: String = "", yRange: ClosedRange<Double>? = nil
  ) {
    for group in bars where group.y.count != categories.count {
      fail("BarChart", "'\(group.name)' has \(group.y.count) values for \(categories.count) categories")
    }
    self.init(
      bars, lines, references, Chart.Labels(title: title, x: xLabel, y: yLabel), Axis(categories: categories), yRange,
      half: 0.5)
  }

  /// Draws the bars of a histogram with even bins.
  ///
  /// - Parameters:
  ///   - range: from the lower edge of the first bin to the upper edge of the last.
  ///   - bars: one or more groups; each has a value for every bin.
  ///   - lines: curves over the bars, in the units of `range`.
  ///   - references: levels to compare with.
  ///   - title: the heading.
  ///   - xLabel: what stands along x, with its unit.
  ///   - yLabel: what the bars' height is, with its unit.
  ///   - yRange: the ends of the y axis; from 0 to the highest bar when absent.
  /// - Precondition: all groups have as many values, and `range` is not empty.
  public init(
    range: ClosedRange<Double>, bars: [Series], lines: [Series] = [], references: [ReferenceLine] = [],
    title: String = "", xLabel: String = "", yLabel: String = "", yRange: ClosedRange<Double>? = nil
  ) {
    let count = bars.first?.y.count ?? 0
    guard bars.allSatisfy({ $0.y.count == count }), range.lowerBound < range.upperBound else {
      fail("BarChart", "groups need as many values each (\(bars.map(\.y.count))) and the range \(range) a width")
    }
    let width = (range.upperBound - range.lowerBound) / Double(max(1, count))
    let middles = (0..<count).map { range.lowerBound + (Double($0) + 0.5) * width }
    self.init(
      bars.map { Series($0.name, x: middles, y: $0.y).withErrors(of: $0) }, lines, references,
      Chart.Labels(title: title, x: xLabel, y: yLabel), Axis(holding: [], range: range), yRange, half: width / 2)
  }

  private init(
    _ bars: [Series], _ lines: [Series], _ references: [ReferenceLine], _ labels: Chart.Labels, _ x: Axis,
    _ yRange: ClosedRange<Double>?, half: Double
  ) {
    (self.bars, self.lines, self.labels, self.x, self.half) = (bars, lines, labels, x, half)
    self.references = references.filter(\.value.isFinite)
    let all = (bars + lines).flatMap { $0.y + $0.bandEnds } + self.references.map(\.value) + [0]
    let finite = all.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    let room = low == high ? 1 : (high - low) * 0.05
    y = Axis(holding: [], range: yRange ?? (low < 0 ? low - room : 0)...(high > 0 || low == high ? high + room : 0))
  }

  /// The bars' values, or their number and range when there are many.
  public var alternativeText: String {
    let groups = bars.map { group -> String in
      let values = group.y.filter(\.isFinite)
      if group.y.count <= 12 {
        let pairs = zip(names(of: group), group.y).map { "\($0) \(Axis.shortened($1))" }
        return "\(group.name): " + pairs.joined(separator: ", ")
      }
      return "\(group.name): \(group.y.count) bars from \(Axis.shortened(values.min() ?? 0)) to "
        + Axis.shortened(values.max() ?? 0)
    }
    return "Bar chart “\(labels.title)”: " + groups.joined(separator: "; ") + "."
  }

  /// The chart's marks.
  public var drawing: Drawing {
    guard bars.contains(where: { $0.y.contains(where: \.isFinite) }) else {
      return .note("no bars to draw", title: labels.title)
    }
    var labels = labels
    labels.note = remark(notFinite: (bars + lines).map(\.notFiniteCount).reduce(0, +))
    var chart = Chart(labels, x: x, y: y, legend: legend)
    chart.addInside { chart, drawing in
      for (index, group) in bars.enumerated() { draw(group, index, chart, &drawing) }
      for (index, level) in references.enumerated() {
        let place = chart.point(x.lower, level.value).y
        drawing.polyline(
          [Point(chart.plot.x, place), Point(chart.plot.maxX, place)], .middle, width: 1.5,
          dash: ReferenceLine.dashes[index % ReferenceLine.dashes.count])
      }
      for (index, line) in lines.enumerated() {
        Figures.draw(line, in: chart, lineColor(index), lines.count > 1 ? .category(index) : nil, index, &drawing)
      }
    }
    if y.lower < 0 {
      let zero = chart.point(x.lower, 0).y
      chart.drawing.polyline([Point(chart.plot.x, zero), Point(chart.plot.maxX, zero)], .ink)
    }
    return chart.drawing
  }

  private func draw(_ group: Series, _ index: Int, _ chart: Chart, _ drawing: inout Drawing) {
    // Bins touch but for a hairline; categories stand apart.
    let share = bars.count == 1 && group.y.count > 12 ? 0.96 : 0.8
    let width = 2 * half * share / Double(bars.count)
    for (place, height) in zip(group.x.indices, group.y) where height.isFinite {
      let left = group.x[place] - half * share + Double(index) * width
      let (start, end) = (chart.point(left, 0), chart.point(left + width, height))
      drawing.rectangle(
        Rectangle(x: start.x, y: min(start.y, end.y), width: end.x - start.x, height: abs(end.y - start.y)),
        barColor(index))
      guard place < group.error.count, group.error[place].isFinite else { continue }
      let (low, high) = (height - group.error[place], height + group.error[place])
      let middle = left + width / 2
      drawing.polyline([chart.point(middle, low), chart.point(middle, high)], .ink, width: 1.2)
    }
  }

  /// A lone group is pale, so that curves stand out.
  private func barColor(_ index: Int) -> Color {
    bars.count == 1 ? Color(0x8fb8d8) : Color.category(index)
  }

  private func lineColor(_ index: Int) -> Color {
    Color.category(bars.count == 1 ? index + 1 : bars.count + index)
  }

  private func names(of group: Series) -> [String] {
    half == 0.5 && x.ticks.count == group.y.count ? x.ticks.map(\.label) : group.x.map { Axis.shortened($0) }
  }

  private var legend: [Chart.Entry] {
    let groups = bars.enumerated().map { Chart.Entry(name: $1.name, color: barColor($0), isArea: true) }
    let curves = lines.enumerated().map {
      Chart.Entry(
        name: $1.name, color: lineColor($0), dash: [], marker: lines.count > 1 ? .category($0) : nil)
    }
    let levels = references.enumerated().map {
      Chart.Entry(
        name: "\($1.name) \(Axis.shortened($1.value))", color: .middle,
        dash: ReferenceLine.dashes[$0 % ReferenceLine.dashes.count])
    }
    let all = (groups + curves + levels).filter { !$0.name.isEmpty }
    return all.count > 1 ? all : []
  }
}
