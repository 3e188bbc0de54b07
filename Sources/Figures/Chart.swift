/// The frame that charts share: title, axes with ticks and labels, a grid behind the data, and a legend beside it.
struct Chart {
  /// A line of the legend.
  struct Entry {
    var name: String
    var color: Color
    var dash: [Double]? = nil
    var marker: MarkerShape?
    var isArea = false
  }

  /// What surrounds the data.
  struct Labels {
    var title = ""
    var x = ""
    var y = ""
    /// A remark below the picture, such as that values are missing.
    var note = ""
  }

  var drawing: Drawing
  /// Where the data stands.
  let plot: Rectangle
  let x: Axis
  let y: Axis

  /// Lays out the frame about a plot of `size`, leaving `room` free at its right for a colour bar.
  init(
    _ labels: Labels, x: Axis, y: Axis, size: (width: Double, height: Double) = (500, 310), legend: [Entry] = [],
    room: Double = 0, showsGrid: Bool = true
  ) {
    let small = TextStyle(size: 11)
    func width(_ text: String) -> Double { StrokeFont.width(of: text, small) }
    let left = 12 + (labels.y.isEmpty ? 0 : 20) + min(140, y.ticks.map { width($0.label) }.max() ?? 0) + 8
    let legendWidth = legend.isEmpty ? 0 : 50 + min(200, legend.map { width($0.name) }.max() ?? 0)
    let overhang = (x.ticks.last.map { width($0.label) } ?? 0) / 2 + 6
    let top = labels.title.isEmpty ? 14.0 : 36.0
    let bottom = 24 + (labels.x.isEmpty ? 0 : 20.0) + (labels.note.isEmpty ? 0 : 18)
    let total = (left + size.width + max(min(overhang, 60), room, legendWidth, 14) + 6).rounded(.up)
    let height = top + max(size.height, Double(legend.count) * 18) + bottom + 4
    drawing = Drawing(width: total, height: height)
    plot = Rectangle(x: left.rounded(.up), y: top, width: size.width, height: size.height)
    self.x = x
    self.y = y
    drawing.text(
      labels.title, at: Point(plot.midX, 23), TextStyle(size: 14, anchor: .middle, isBold: true),
      maximumWidth: 2 * min(plot.midX, total - plot.midX) - 8)
    drawing.text(
      labels.x, at: Point(plot.midX, plot.maxY + 37), TextStyle(anchor: .middle), maximumWidth: size.width + 40)
    drawing.text(
      labels.y, at: Point(22, plot.midY), TextStyle(anchor: .middle, isVertical: true), maximumWidth: height - 8)
    drawing.text(
      labels.note, at: Point(12, height - 9), TextStyle(size: 11, color: Color(0xa03c00)), maximumWidth: total - 20)
    drawAxes(showsGrid: showsGrid)
    drawLegend(legend)
  }

  /// The place of a value pair.
  func point(_ x: Double, _ y: Double) -> Point {
    Point(
      plot.x + self.x.position(of: x) * plot.width, plot.maxY - self.y.position(of: y) * plot.height)
  }

  /// Adds marks of which only the part inside the plot is seen.
  mutating func addInside(_ draw: (Chart, inout Drawing) -> Void) {
    var inside = Drawing(width: drawing.width, height: drawing.height)
    draw(self, &inside)
    if !inside.marks.isEmpty { drawing.add(.clipped(inside.marks, plot)) }
  }

  private mutating func drawAxes(showsGrid: Bool) {
    let faint = Color.faint
    var free = -Double.infinity
    for tick in x.ticks {
      let place = snapped(point(tick.value, y.lower).x)
      if showsGrid { drawing.polyline([Point(place, plot.y), Point(place, plot.maxY)], faint) }
      let half = StrokeFont.width(of: tick.label, TextStyle(size: 11)) / 2
      // Labels that would touch the one before are left out.
      guard place - half > free else { continue }
      free = place + half + 6
      drawing.polyline([Point(place, plot.maxY), Point(place, plot.maxY + 4)], .ink)
      drawing.text(tick.label, at: Point(place, plot.maxY + 17), TextStyle(size: 11, anchor: .middle))
    }
    for tick in y.ticks {
      let place = snapped(point(x.lower, tick.value).y)
      if showsGrid { drawing.polyline([Point(plot.x, place), Point(plot.maxX, place)], faint) }
      drawing.polyline([Point(plot.x - 4, place), Point(plot.x, place)], .ink)
      drawing.text(
        tick.label, at: Point(plot.x - 7, place + 4), TextStyle(size: 11, anchor: .end), maximumWidth: 140)
    }
    drawing.polyline(
      [Point(plot.x, plot.y), Point(plot.x, plot.maxY), Point(plot.maxX, plot.maxY)], .ink)
  }

  /// To a pixel's edge, so that upright lines are sharp.
  private func snapped(_ place: Double) -> Double { (place * 2).rounded() / 2 }

  private mutating func drawLegend(_ entries: [Entry]) {
    for (index, entry) in entries.enumerated() {
      let (left, middle) = (plot.maxX + 12, plot.y + 8 + 18 * Double(index))
      if entry.isArea {
        drawing.rectangle(Rectangle(x: left + 4, y: middle - 5, width: 16, height: 10), entry.color)
      }
      if let dash = entry.dash {
        drawing.polyline([Point(left, middle), Point(left + 24, middle)], entry.color, width: 1.8, dash: dash)
      }
      if let shape = entry.marker {
        drawing.add(.markers([Point(left + 12, middle)], shape: shape, radius: 3.6, color: entry.color, opacity: 1))
      }
      drawing.text(entry.name, at: Point(left + 30, middle + 4), TextStyle(size: 11), maximumWidth: 200)
    }
  }
}

/// A sentence about values that could not be drawn; empty when there are none.
func remark(notFinite count: Int, of what: String = "value") -> String {
  count == 0 ? "" : "\(count) \(what)\(count == 1 ? " is" : "s are") not finite and left out"
}
