/// The key of a picture whose colours are numbers.
struct ColorBar {
  /// The width that it takes beside a plot.
  static let room = 100.0

  let axis: Axis
  let map: ColorMap
  let label: String

  /// A scale that holds all finite `values`, or exactly `range`; a diverging one is even about 0.
  init(
    holding values: some Sequence<Double>, range: ClosedRange<Double>? = nil, map: ColorMap = .viridis, label: String
  ) {
    self.map = map
    self.label = label
    let found = Axis(holding: values, range: range, margin: 0)
    if case .diverging = map, range == nil {
      let reach = max(abs(found.lower), abs(found.upper))
      axis = Axis(holding: [], range: -reach...reach)
    } else {
      axis = found
    }
  }

  /// Where a value lies on the scale, 0…1.
  func position(of value: Double) -> Double { max(0, min(1, axis.position(of: value))) }

  func draw(beside plot: Rectangle, on drawing: inout Drawing) {
    let bar = Rectangle(x: plot.maxX + 14, y: plot.y, width: 14, height: plot.height)
    let table = map.table
    let upward = (0..<256).reversed().flatMap { table[3 * $0..<3 * $0 + 3] }
    drawing.add(.image(PNGImage(width: 1, height: 256, channels: 3, samples: upward), bar))
    drawing.frame(bar, .middle)
    for tick in axis.ticks {
      let y = bar.maxY - axis.position(of: tick.value) * bar.height
      drawing.polyline([Point(bar.maxX, y), Point(bar.maxX + 4, y)], .ink)
      drawing.text(tick.label, at: Point(bar.maxX + 6, y + 4), TextStyle(size: 11), maximumWidth: 44)
    }
    drawing.text(
      label, at: Point(plot.maxX + Self.room - 8, bar.midY), TextStyle(anchor: .middle, isVertical: true),
      maximumWidth: bar.height)
  }
}
