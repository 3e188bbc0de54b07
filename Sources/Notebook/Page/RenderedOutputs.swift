import Figures
import Foundation

extension CellOutput {
  /// A table.
  init(table: TableContent, line: Int) {
    func row(_ cells: [String], _ tag: String) -> String {
      let scope = tag == "th" ? " scope=\"col\"" : ""
      return "<tr>"
        + cells.indices.map {
          "<\(tag)\(scope) class=\"\(table.isNumeric[$0] ? "r" : "l")\">\(escaped(cells[$0]))</\(tag)>"
        }
        .joined() + "</tr>"
    }
    let caption = table.caption.map { "<caption>\(escaped($0))</caption>" } ?? ""
    let head = table.headers.allSatisfy(\.isEmpty) ? "" : "<thead>\(row(table.headers, "th"))</thead>"
    let body = table.rows.map { row($0, "td") }.joined(separator: "\n")
    let html = "<div class=\"table\" tabindex=\"0\"><table>\(caption)\(head)<tbody>\(body)</tbody></table></div>"
    self.init(
      key: Key(line: line, kind: "table", name: table.caption ?? ""), html: html,
      media: [("text/plain", jsonString(table.text)), ("text/html", jsonString(html))])
  }

  /// A picture.
  ///
  /// The page carries the smaller of PNG and SVG, or a link to the file where it would grow too large.
  init(picture: PictureContent, line: Int) {
    let caption = picture.caption.map { "<figcaption>\(escaped($0))</figcaption>" } ?? ""
    let image =
      "<img src=\"\(picture.address)\" alt=\"\(escaped(picture.alternativeText))\""
      + (picture.width.map { " width=\"\($0)\"" } ?? "") + ">"
    let data = picture.png.base64EncodedString()
    self.init(
      key: Key(line: line, kind: "figure", name: picture.name), html: "<figure>\(image)\(caption)</figure>",
      media: [
        (
          "text/plain",
          jsonString([picture.caption, picture.alternativeText].compactMap { $0 }.joined(separator: "\n"))
        ),
        ("image/png", "\"\(data)\""),
      ])
  }

  /// A sound that can be played.
  init(sound wave: Data, name: String, caption: String?, line: Int) {
    let label = caption ?? name
    let html = """
      <figure><audio controls preload="metadata" aria-label="\(escaped(label))" \
      src="data:audio/wav;base64,\(wave.base64EncodedString())"></audio><figcaption>\(escaped(label))</figcaption></figure>
      """
    self.init(
      key: Key(line: line, kind: "sound", name: name), html: html,
      media: [("text/plain", jsonString("\(label): \(name).wav")), ("text/html", jsonString(html))])
  }

  /// A loop's progress: its state in words and its loss as a small curve.
  init(progress meter: ProgressMeter, detail: String, serial: Int) {
    let text = meter.text(detail: detail)
    let html = "<div class=\"progress\">\(meter.curve)<span>\(escaped(text))</span></div>"
    let output = "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": \(jsonString(text + "\n"))}"
    self.init(key: Key(line: meter.line, kind: "progress", name: "\(serial)"), html: html, jupyter: output)
  }

  /// A measured quantity.
  init(measurement: Measurement, line: Int) {
    let html = """
      <div class="measurement"><span class="name">\(escaped(measurement.name))</span> \
      <strong>\(escaped(measurement.valueText))</strong>\(measurement.context)</div>
      """
    let output =
      "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": \(jsonString(measurement.verdictText + "\n"))}"
    self.init(key: Key(line: line, kind: "measurement", name: measurement.name), html: html, jupyter: output)
  }

  /// A note that something could not be shown.
  init(missing subject: String, reason: String, line: Int) {
    let text = "\(subject) could not be shown: \(reason)"
    let output = "{\"output_type\": \"stream\", \"name\": \"stderr\", \"text\": \(jsonString(text + "\n"))}"
    self.init(
      key: Key(line: line, kind: "figure", name: subject), html: "<p class=\"missing\">\(escaped(text))</p>",
      jupyter: output)
  }
}

/// A picture with all its forms.
struct PictureContent: Sendable {
  var name: String
  var caption: String?
  var alternativeText: String
  var png: Data
  /// What the page's `img` refers to.
  var address: String
  /// The width at which it is shown, in pixels, if it is not the picture's own.
  var width: Int?

  /// Bytes of base64 that a page carries at most in pictures.
  static let budget = 4_500_000

  /// Chooses the form the page carries, within what is left of its budget, in bytes.
  init(name: String, caption: String?, alternativeText: String, png: Data, svg: Data, budget: Int) {
    self.name = name
    self.caption = caption
    self.alternativeText = alternativeText
    self.png = png
    let isVector = !svg.isEmpty && (svg.count < 200_000 || svg.count < png.count)
    let chosen = isVector ? svg : png
    if chosen.count * 4 / 3 <= budget {
      address = "data:image/\(isVector ? "svg+xml" : "png");base64,\(chosen.base64EncodedString())"
    } else {
      address = "\(name).png"
    }
  }

  /// Whether the page carries the picture itself.
  var isEmbedded: Bool { address.hasPrefix("data:") }
}

extension Measurement {
  /// Floor and baseline as HTML.
  fileprivate var context: String {
    let notes = [floor.map { "floor \(readable($0))" }, baseline.map { "\(baselineName) \(readable($0))" }]
    return notes.compactMap { $0 }.map { " <span class=\"note\">\(escaped($0))</span>" }.joined()
  }
}

extension ProgressMeter {
  /// The loss over the steps as a small picture; nothing if there are too few.
  fileprivate var curve: String {
    let points = history
    guard points.count > 2, let first = points.first, let last = points.last, last.step > first.step else { return "" }
    // The first steps' losses are often far above all that follows: the scale begins where nearly all lie.
    let sorted = points.map(\.loss).sorted()
    let (low, high) = (sorted[0], sorted[min(sorted.count - 1, sorted.count * 97 / 100)])
    let scale = high > low ? 34 / (high - low) : 0
    let path = points.map { point in
      let x = 160 * Double(point.step - first.step) / Double(last.step - first.step)
      return String(format: "%.1f,%.1f", x, max(1, 37 - (point.loss - low) * scale))
    }
    let label = "Loss from \(readable(first.loss)) to \(readable(last.loss))"
    return """
      <svg viewBox="0 0 160 38" width="160" height="38" role="img" aria-label="\(escaped(label))">\
      <polyline points="\(path.joined(separator: " "))"/></svg>
      """
  }
}
