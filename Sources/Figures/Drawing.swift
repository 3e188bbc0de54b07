/// A place in a drawing, in nominal pixels from the upper left corner.
public struct Point: Sendable, Equatable {
  /// Rightwards.
  public var x: Double
  /// Downwards.
  public var y: Double

  /// A place; coordinates far outside any picture are brought near, so that every backend can hold them.
  public init(_ x: Double, _ y: Double) {
    self.x = max(-1e5, min(1e5, x))
    self.y = max(-1e5, min(1e5, y))
  }

  static func + (left: Point, right: Point) -> Point { Point(left.x + right.x, left.y + right.y) }
}

/// An upright rectangle, in nominal pixels.
public struct Rectangle: Sendable, Equatable {
  /// The left edge.
  public var x: Double
  /// The upper edge.
  public var y: Double
  /// The extent rightwards.
  public var width: Double
  /// The extent downwards.
  public var height: Double

  /// A rectangle by its upper left corner and its extents.
  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  var maxX: Double { x + width }
  var maxY: Double { y + height }
  var midX: Double { x + width / 2 }
  var midY: Double { y + height / 2 }
  var corners: [Point] { [Point(x, y), Point(maxX, y), Point(maxX, maxY), Point(x, maxY)] }
}

/// The shape of a marker; the first ten differ for every category.
enum MarkerShape: Int, CaseIterable {
  case disc
  case square
  case triangle
  case diamond
  case cross
  case triangleDown
  case plus
  case ring
  case star
  case frame

  static func category(_ index: Int) -> MarkerShape {
    // After ten colours the shapes move on by one, so that pairs stay unlike.
    allCases[(index + index / Color.categories.count) % allCases.count]
  }
}

/// Where a text stands relative to its point.
enum TextAnchor: String {
  case start
  case middle
  case end
}

struct TextStyle {
  var size = 12.0
  var anchor = TextAnchor.start
  var color = Color.ink
  var isBold = false
  /// Reads upwards.
  var isVertical = false
}

/// One thing drawn; every backend knows these and no more.
enum Mark {
  case polyline([Point], color: Color, width: Double, dash: [Double], opacity: Double)
  case polygon([Point], color: Color, opacity: Double)
  case markers([Point], shape: MarkerShape, radius: Double, color: Color, opacity: Double)
  case text(String, Point, TextStyle)
  /// Pixels without interpolation.
  case image(PNGImage, Rectangle)
  case clipped([Mark], Rectangle)
}

/// A picture as a list of marks on a white ground, from which both PNG and SVG are made.
public struct Drawing: Sendable {
  /// The nominal width, in pixels.
  public let width: Double
  /// The nominal height, in pixels.
  public let height: Double
  private(set) var marks: [Mark] = []

  /// An empty picture.
  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// A small picture that says why there is nothing to see.
  static func note(_ text: String, title: String = "") -> Drawing {
    var drawing = Drawing(width: 480, height: 120)
    drawing.text(title, at: Point(240, 30), TextStyle(size: 14, anchor: .middle, isBold: true), maximumWidth: 460)
    drawing.text(text, at: Point(240, 70), TextStyle(anchor: .middle, color: .middle), maximumWidth: 460)
    return drawing
  }

  mutating func add(_ mark: Mark) { marks.append(mark) }

  mutating func polyline(
    _ points: [Point], _ color: Color, width: Double = 1, dash: [Double] = [], opacity: Double = 1
  ) {
    marks.append(.polyline(points, color: color, width: width, dash: dash, opacity: opacity))
  }

  mutating func rectangle(_ rectangle: Rectangle, _ color: Color, opacity: Double = 1) {
    marks.append(.polygon(rectangle.corners, color: color, opacity: opacity))
  }

  mutating func frame(_ rectangle: Rectangle, _ color: Color) {
    polyline(rectangle.corners + [rectangle.corners[0]], color)
  }

  /// Writes a text; one too wide is first made smaller, then cut short.
  mutating func text(_ text: String, at point: Point, _ style: TextStyle = TextStyle(), maximumWidth: Double? = nil) {
    guard !text.isEmpty else { return }
    var (text, style) = (text, style)
    if let maximumWidth {
      let width = StrokeFont.width(of: text, style)
      if width > maximumWidth { style.size = max(style.size * 0.7, style.size * maximumWidth / width) }
      if StrokeFont.width(of: text, style) > maximumWidth {
        while text.count > 1, StrokeFont.width(of: text + "…", style) > maximumWidth { text.removeLast() }
        text += "…"
      }
    }
    marks.append(.text(text, point, style))
  }

  /// Adds another drawing's marks, moved by `offset`.
  mutating func add(_ other: Drawing, at offset: Point) {
    marks += other.marks.map { $0.moved(by: offset) }
  }
}

extension Mark {
  func moved(by offset: Point) -> Mark {
    switch self {
    case .polyline(let points, let color, let width, let dash, let opacity):
      .polyline(points.map { $0 + offset }, color: color, width: width, dash: dash, opacity: opacity)
    case .polygon(let points, let color, let opacity):
      .polygon(points.map { $0 + offset }, color: color, opacity: opacity)
    case .markers(let centres, let shape, let radius, let color, let opacity):
      .markers(centres.map { $0 + offset }, shape: shape, radius: radius, color: color, opacity: opacity)
    case .text(let text, let point, let style): .text(text, point + offset, style)
    case .image(let image, let place): .image(image, place.moved(by: offset))
    case .clipped(let marks, let place): .clipped(marks.map { $0.moved(by: offset) }, place.moved(by: offset))
    }
  }
}

extension Rectangle {
  func moved(by offset: Point) -> Rectangle {
    Rectangle(x: x + offset.x, y: y + offset.y, width: width, height: height)
  }
}
