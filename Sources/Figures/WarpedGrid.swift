import Tensors

/// What a map of the plane makes of a regular grid: each piece keeps the colour of where it came from.
public struct WarpedGrid: DrawnFigure {
  private let labels: Chart.Labels
  private let images: [(x: Double, y: Double)]
  private let rows: Int
  private let columns: Int
  private let x: Axis
  private let y: Axis

  /// The points of a regular grid, row by row from the lower left, `[rows * columns, 2]`: what to send through the map.
  ///
  /// - Parameters:
  ///   - xRange: from the first to the last column.
  ///   - yRange: from the first to the last row.
  ///   - rows: points along y, 2 or more.
  ///   - columns: points along x, 2 or more.
  public static func points(
    xRange: ClosedRange<Double>, yRange: ClosedRange<Double>, rows: Int, columns: Int
  ) -> Tensor {
    guard rows > 1, columns > 1 else {
      fail("WarpedGrid.points", "rows and columns must be 2 or more; they are \(rows) and \(columns)")
    }
    func place(_ index: Int, of count: Int, in range: ClosedRange<Double>) -> Float {
      Float(range.lowerBound + (range.upperBound - range.lowerBound) * Double(index) / Double(count - 1))
    }
    let scalars = (0..<rows).flatMap { row in
      (0..<columns).flatMap { [place($0, of: columns, in: xRange), place(row, of: rows, in: yRange)] }
    }
    return Tensor(scalars, shape: [rows * columns, 2])
  }

  /// Draws the image of a regular grid.
  ///
  /// - Parameters:
  ///   - images: where the map takes the points of ``points(xRange:yRange:rows:columns:)``, `[rows * columns, 2]`.
  ///   - rows: the points along y of the original grid.
  ///   - columns: the points along x.
  ///   - title: the heading.
  ///   - xLabel: what stands along x.
  ///   - yLabel: what stands along y.
  ///   - xRange: the ends of the x axis; found from the images when absent.
  ///   - yRange: the ends of the y axis; found from the images when absent.
  /// - Precondition: `images` is `[rows * columns, 2]`.
  public init(
    _ images: Tensor, rows: Int, columns: Int, title: String = "", xLabel: String = "", yLabel: String = "",
    xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil
  ) {
    self.images = planePoints(images, in: "WarpedGrid")
    guard rows > 1, columns > 1, self.images.count == rows * columns else {
      fail("WarpedGrid", "\(self.images.count) points are not a grid of \(rows) rows and \(columns) columns")
    }
    (self.rows, self.columns) = (rows, columns)
    let missing = self.images.count { !$0.x.isFinite || !$0.y.isFinite }
    labels = Chart.Labels(title: title, x: xLabel, y: yLabel, note: remark(notFinite: missing, of: "point"))
    x = Axis(holding: self.images.lazy.map(\.x), range: xRange)
    y = Axis(holding: self.images.lazy.map(\.y), range: yRange)
  }

  /// The grid's size and where its image lies.
  public var alternativeText: String {
    "Grid of \(rows) × \(columns) points under a map, “\(labels.title)”: x from \(Axis.shortened(x.lower)) to "
      + "\(Axis.shortened(x.upper)), y from \(Axis.shortened(y.lower)) to \(Axis.shortened(y.upper))."
  }

  /// The picture's marks.
  public var drawing: Drawing {
    var chart = Chart(labels, x: x, y: y, size: (380, 360), room: 112)
    chart.addInside { chart, drawing in
      draw(on: &drawing) { index in
        let place = images[index]
        return place.x.isFinite && place.y.isFinite ? chart.point(place.x, place.y) : nil
      }
    }
    let key = Rectangle(x: chart.plot.maxX + 20, y: chart.plot.y + 8, width: 80, height: 80)
    draw(on: &chart.drawing) { index in
      Point(
        key.x + key.width * Double(index % columns) / Double(columns - 1),
        key.maxY - key.height * Double(index / columns) / Double(rows - 1))
    }
    chart.drawing.text("before", at: Point(key.midX, key.maxY + 18), TextStyle(size: 11, anchor: .middle))
    return chart.drawing
  }

  /// Draws about 25 lines each way, through all their points.
  private func draw(on drawing: inout Drawing, place: (Int) -> Point?) {
    func segment(_ from: Int, _ to: Int) {
      guard let start = place(from), let end = place(to) else { return }
      drawing.polyline([start, end], color(of: from), width: 1.4)
    }
    for row in Self.lines(of: rows) {
      for column in 1..<columns { segment(row * columns + column - 1, row * columns + column) }
    }
    for column in Self.lines(of: columns) {
      for row in 1..<rows { segment((row - 1) * columns + column, row * columns + column) }
    }
  }

  /// The lines to draw, the outer ones always.
  private static func lines(of count: Int) -> [Int] {
    let shown = min(count, 25)
    return (0..<shown).map { ($0 * (count - 1) + (shown - 1) / 2) / (shown - 1) }
  }

  /// Blue and orange along one diagonal, green and purple along the other.
  private func color(of index: Int) -> Color {
    let right = Double(index % columns) / Double(columns - 1)
    let up = Double(index / columns) / Double(rows - 1)
    let below = Color(0x0072b2).mixed(with: Color(0xaa3377), right)
    return below.mixed(with: Color(0x00a56c).mixed(with: Color(0xe69f00), right), up)
  }
}
