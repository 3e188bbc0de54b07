import Tensors

/// A table of numbers as colours: densities over the plane, spectrograms, matrices.
public struct HeatMap: DrawnFigure {
  /// What is known about the table's axes.
  struct Frame: Sendable {
    var title = ""
    var xLabel = ""
    var yLabel = ""
    var valueLabel = ""
    /// The outer edges of the first and last columns.
    var xRange: ClosedRange<Double>?
    /// The outer edges of the rows; the first row stands at the lower end, below, or above all when there is no range.
    var yRange: ClosedRange<Double>?
    var valueRange: ClosedRange<Double>?
    var colors = ColorMap.viridis
    /// A colour for values that are exactly 0, and what they mean.
    var zero: (color: Color, meaning: String)?
  }

  private let frame: Frame
  private let rows: Int
  private let columns: Int
  private let values: [Float]
  private let points: [(x: Double, y: Double)]
  private let scale: ColorBar
  private let notFiniteCount: Int

  /// Draws a table.
  ///
  /// - Parameters:
  ///   - values: the numbers, `[rows, columns]`; those that are not finite are magenta.
  ///   - title: the heading.
  ///   - xLabel: what stands along x, with its unit.
  ///   - yLabel: what stands along y, with its unit.
  ///   - valueLabel: what the numbers are, with their unit.
  ///   - xRange: the outer edges of the first and last columns; the columns' numbers when absent.
  ///   - yRange: the outer edges of the first and last rows. With it the first row is the lowest, as in a coordinate
  ///     system; without it the first row is the uppermost, as in a matrix.
  ///   - valueRange: the values of the first and last colours; found when absent.
  ///   - colors: the colour map.
  ///   - points: places to mark on top, `[count, 2]` in the units of the axes.
  /// - Precondition: `values` has 2 axes and `points` is `[count, 2]`.
  public init(
    _ values: Tensor, title: String = "", xLabel: String = "", yLabel: String = "", valueLabel: String = "",
    xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, valueRange: ClosedRange<Double>? = nil,
    colors: ColorMap = .viridis, points: Tensor? = nil
  ) {
    let frame = Frame(
      title: title, xLabel: xLabel, yLabel: yLabel, valueLabel: valueLabel, xRange: xRange, yRange: yRange,
      valueRange: valueRange, colors: colors)
    self.init(values, frame, points: points.map { planePoints($0, in: "HeatMap") } ?? [])
  }

  init(_ values: Tensor, _ frame: Frame, points: [(x: Double, y: Double)] = []) {
    guard values.rank == 2 else {
      fail("HeatMap", "values must be [rows, columns], but the shape is \(values.shape)")
    }
    self.frame = frame
    (rows, columns) = (values.shape[0], values.shape[1])
    self.values = values.scalars
    self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    notFiniteCount = self.values.count { !$0.isFinite }
    scale = ColorBar(
      holding: self.values.lazy.map { Double($0) }, range: frame.valueRange, map: frame.colors, label: frame.valueLabel)
  }

  /// The table's size and the range of its values.
  public var alternativeText: String {
    let finite = values.filter(\.isFinite).map { Double($0) }
    let range = finite.min().map { "from \(Axis.shortened($0)) to \(Axis.shortened(finite.max() ?? $0))" } ?? "unknown"
    let label = frame.valueLabel.isEmpty ? "values" : frame.valueLabel
    return "Heat map “\(frame.title)”: \(rows) × \(columns) \(label) \(range)."
  }

  /// The map's marks.
  public var drawing: Drawing {
    guard !values.isEmpty else { return .note("no values to draw", title: frame.title) }
    let x = Axis(holding: [], range: frame.xRange ?? -0.5...Double(columns) - 0.5)
    let y = Axis(holding: [], range: frame.yRange ?? -0.5...Double(rows) - 0.5, isReversed: frame.yRange == nil)
    let note =
      notFiniteCount == 0
      ? frame.zero.map { "\($0.meaning)" } ?? ""
      : "\(notFiniteCount) value\(notFiniteCount == 1 ? " is" : "s are") not finite (magenta)"
    let labels = Chart.Labels(title: frame.title, x: frame.xLabel, y: frame.yLabel, note: note)
    var chart = Chart(labels, x: x, y: y, size: size, room: ColorBar.room, showsGrid: false)
    chart.drawing.add(.image(image, chart.plot))
    chart.drawing.frame(chart.plot, .ink)
    chart.addInside { chart, drawing in
      let places = points.map { chart.point($0.x, $0.y) }
      let radius = places.count > 300 ? 1.4 : 3
      drawing.add(.markers(places, shape: .disc, radius: radius + 0.7, color: .ink, opacity: 0.8))
      drawing.add(.markers(places, shape: .disc, radius: radius, color: .white, opacity: 1))
    }
    scale.draw(beside: chart.plot, on: &chart.drawing)
    return chart.drawing
  }

  /// About 340 nominal pixels, each cell a whole number of the raster's where that is possible.
  private var size: (width: Double, height: Double) {
    var (width, height) = (360.0, 300.0)
    if frame.yRange == nil || frame.xRange.map({ Self.length($0) == frame.yRange.map(Self.length) }) == true {
      // Square cells for a matrix, equal scales for equal ranges.
      let isSquare = frame.yRange != nil
      let unit = 340 / Double(isSquare ? 1 : max(rows, columns))
      (width, height) = isSquare ? (unit, unit) : (max(60, unit * Double(columns)), max(60, unit * Double(rows)))
    }
    return (Self.whole(width, cells: columns), Self.whole(height, cells: rows))
  }

  private static func length(_ range: ClosedRange<Double>) -> Double { range.upperBound - range.lowerBound }

  private static func whole(_ length: Double, cells: Int) -> Double {
    let pixels = Int(length * Raster.scale)
    return Double(cells > pixels ? pixels : pixels / cells * cells) / Raster.scale
  }

  /// One pixel for each cell.
  private var image: PNGImage {
    let table = scale.map.table
    var samples = [UInt8](repeating: 0, count: rows * columns * 3)
    for row in 0..<rows {
      let target = frame.yRange == nil ? row : rows - 1 - row
      for column in 0..<columns {
        let value = values[row * columns + column]
        let index = 3 * (target * columns + column)
        if !value.isFinite || (value == 0 && frame.zero != nil) {
          let color = value.isFinite ? frame.zero?.color ?? .white : .notFinite
          (samples[index], samples[index + 1], samples[index + 2]) = (color.red, color.green, color.blue)
        } else {
          let level = 3 * Int((scale.position(of: Double(value)) * 255).rounded())
          for part in 0..<3 { samples[index + part] = table[level + part] }
        }
      }
    }
    return PNGImage(width: columns, height: rows, channels: 3, samples: samples)
  }
}

/// How strongly each pixel of an image acts on one output, such as the absolute gradient.
public struct ReceptiveFieldMap: DrawnFigure {
  private let map: HeatMap
  private let description: String

  /// Draws the influence on the output at `row` and `column`; pixels without any are light grey.
  ///
  /// - Parameters:
  ///   - influence: the strength by pixel, `[height, width]`; signs are dropped.
  ///   - row: the output's row, marked by a disc.
  ///   - column: the output's column.
  ///   - title: the heading.
  ///   - valueLabel: what the strength is.
  /// - Precondition: `influence` has 2 axes.
  public init(
    _ influence: Tensor, row: Int, column: Int, title: String = "Receptive field", valueLabel: String = "influence"
  ) {
    let strengths = influence.scalars.map { abs($0) }
    let reached = strengths.count { $0 > 0 }
    var frame = HeatMap.Frame(title: title, xLabel: "column", yLabel: "row", valueLabel: valueLabel)
    frame.valueRange = 0...max(1e-30, Double(strengths.filter(\.isFinite).max() ?? 1))
    frame.zero = (Color(0xe9e9e9), "grey: no influence (\(strengths.count - reached) pixels)")
    map = HeatMap(Tensor(strengths, shape: influence.shape), frame, points: [(Double(column), Double(row))])
    description = "Receptive field “\(title)”: \(reached) of \(strengths.count) pixels act on row \(row), column \(column)."
  }

  /// How many pixels act on the output.
  public var alternativeText: String { description }

  /// The map's marks.
  public var drawing: Drawing { map.drawing }
}
