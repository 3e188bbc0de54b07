import Foundation

/// Writes marks as an SVG document.
enum SVGWriter {
  static func document(_ drawing: Drawing, alternativeText: String) -> String {
    let (width, height) = (number(drawing.width), number(drawing.height))
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
      role="img" aria-label="\(escaped(alternativeText))" \
      font-family="Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif">
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>

      """
    for mark in drawing.marks { write(mark, to: &text) }
    return text + "</svg>\n"
  }

  private static func write(_ mark: Mark, to text: inout String) {
    switch mark {
    case .polyline(let points, let color, let width, let dash, let opacity):
      let pattern = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash.map(number).joined(separator: " "))\""
      text += "<path d=\"\(path(points))\" fill=\"none\" stroke=\"\(color.code)\" stroke-width=\"\(number(width))\""
      text += " stroke-linejoin=\"round\" stroke-linecap=\"\(dash.isEmpty ? "round" : "butt")\"\(pattern)"
      text += attribute("stroke-opacity", opacity) + "/>\n"
    case .polygon(let points, let color, let opacity):
      text += "<path d=\"\(path(points))Z\" fill=\"\(color.code)\"\(attribute("fill-opacity", opacity))/>\n"
    case .markers(let centres, let shape, let radius, let color, let opacity):
      write(centres, shape, radius, color, opacity, to: &text)
    case .text(let string, let point, let style):
      let place =
        style.isVertical
        ? "transform=\"translate(\(number(point.x)) \(number(point.y))) rotate(-90)\""
        : "x=\"\(number(point.x))\" y=\"\(number(point.y))\""
      text += "<text \(place) font-size=\"\(number(style.size))\" fill=\"\(style.color.code)\""
      text += style.anchor == .start ? "" : " text-anchor=\"\(style.anchor.rawValue)\""
      text += style.isBold ? " font-weight=\"bold\"" : ""
      text += ">\(escaped(string))</text>\n"
    case .image(let image, let place):
      guard let data = try? image.encoded() else { return }
      text += "<image \(attributes(of: place)) preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
      text += "href=\"data:image/png;base64,\(data.base64EncodedString())\"/>\n"
    case .clipped(let marks, let place):
      let box = [place.x, place.y, place.width, place.height].map(number).joined(separator: " ")
      text += "<svg \(attributes(of: place)) viewBox=\"\(box)\" overflow=\"hidden\">\n"
      for mark in marks { write(mark, to: &text) }
      text += "</svg>\n"
    }
  }

  /// Markers of one look as few elements: all outlines in one path, one element for each pen width.
  private static func write(
    _ centres: [Point], _ shape: MarkerShape, _ radius: Double, _ color: Color, _ opacity: Double,
    to text: inout String
  ) {
    guard let sample = shape.parts(at: Point(0, 0), radius: radius).first, !centres.isEmpty else { return }
    let outlines = centres.lazy.flatMap { shape.parts(at: $0, radius: radius) }
      .map { path($0.points) + (sample.isFilled ? "Z" : "") }.joined()
    if sample.isFilled {
      text += "<path d=\"\(outlines)\" fill=\"\(color.code)\"\(attribute("fill-opacity", opacity))/>\n"
    } else {
      text += "<path d=\"\(outlines)\" fill=\"none\" stroke=\"\(color.code)\" stroke-linecap=\"round\""
      text += " stroke-width=\"\(number(2 * sample.penRadius))\"\(attribute("stroke-opacity", opacity))/>\n"
    }
  }

  private static func attributes(of place: Rectangle) -> String {
    "x=\"\(number(place.x))\" y=\"\(number(place.y))\" width=\"\(number(place.width))\" "
      + "height=\"\(number(place.height))\""
  }

  private static func attribute(_ name: String, _ opacity: Double) -> String {
    opacity < 1 ? " \(name)=\"\(number(opacity))\"" : ""
  }

  private static func path(_ points: [Point]) -> String {
    guard let first = points.first else { return "" }
    var text = "M\(number(first.x)) \(number(first.y))"
    // A line of no length with round ends is a dot.
    if points.count == 1 { return text + "h0" }
    text += "L"
    for (index, point) in points.dropFirst().enumerated() {
      text += (index == 0 ? "" : " ") + "\(number(point.x)) \(number(point.y))"
    }
    return text
  }

  /// A number with at most two decimals.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int((max(-1e9, min(1e9, value)) * 100).rounded())
    let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
    let sign = hundredths < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    return rest % 10 == 0 ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// Text as XML may hold it: markup escaped, characters that XML forbids replaced.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "\t", "\n", "\r": result.append(" ")
      case "\u{0}"..<"\u{20}", "\u{7f}"..<"\u{a0}", "\u{fffe}", "\u{ffff}": result.append("\u{fffd}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
