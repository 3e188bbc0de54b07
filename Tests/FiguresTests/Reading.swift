import Foundation
import Testing

@testable import Figures

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Reads a chart as a person would: ticks and their labels tell what a pixel means.
struct Reading {
  let image: PNGImage
  private let xTicks: [(value: Double, pixel: Double)]
  private let yTicks: [(value: Double, pixel: Double)]

  init(_ figure: some DrawnFigure, image: PNGImage? = nil) throws {
    self.image = try image ?? PNGImage(decoding: figure.png())
    let texts = figure.drawing.marks.compactMap { mark -> (Double, Point, TextAnchor)? in
      guard case .text(let label, let place, let style) = mark, let value = Self.number(label) else { return nil }
      return (value, place, style.anchor)
    }
    let ends = texts.filter { $0.2 == .end }
    let middles = texts.filter { $0.2 == .middle }
    xTicks = middles.map { ($0.0, $0.1.x * 2) }
    yTicks = ends.map { ($0.0, ($0.1.y - 4) * 2) }
  }

  static func number(_ label: String) -> Double? {
    let powers = Dictionary(uniqueKeysWithValues: zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    var text = label.replacingOccurrences(of: "−", with: "-")
    if text.hasPrefix("10"), text.count > 2, powers[text[text.index(text.startIndex, offsetBy: 2)]] != nil {
      text = "1×" + text
    }
    guard let cross = text.firstIndex(of: "×") else { return Double(text) }
    let exponent = text[cross...].dropFirst(3).compactMap { powers[$0] }
    return Double(text[..<cross]).flatMap { factor in Double(String(exponent)).map { factor * pow(10, $0) } }
  }

  /// The value at a pixel, by the line through the first and the last tick.
  func x(at pixel: Double, isLogarithmic: Bool = false) -> Double {
    Self.value(at: pixel, xTicks, isLogarithmic)
  }

  func y(at pixel: Double, isLogarithmic: Bool = false) -> Double {
    Self.value(at: pixel, yTicks, isLogarithmic)
  }

  private static func value(
    at pixel: Double, _ ticks: [(value: Double, pixel: Double)], _ isLogarithmic: Bool
  ) -> Double {
    guard let first = ticks.first, let last = ticks.last, first.pixel != last.pixel else { return .nan }
    let share = (pixel - first.pixel) / (last.pixel - first.pixel)
    if isLogarithmic { return first.value * pow(last.value / first.value, share) }
    return first.value + (last.value - first.value) * share
  }

  /// The middle of all pixels of a colour, in pixels.
  func middle(of color: Color) -> Point? {
    var (x, y, count) = (0.0, 0.0, 0.0)
    for place in pixels(of: color) {
      x += Double(place.x) + 0.5
      y += Double(place.y) + 0.5
      count += 1
    }
    return count > 0 ? Point(x / count, y / count) : nil
  }

  func pixels(of color: Color) -> [(x: Int, y: Int)] {
    var found: [(x: Int, y: Int)] = []
    guard image.channels == 3 else { return found }
    image.samples.withUnsafeBufferPointer { samples in
      var index = 0
      while index < samples.count {
        if samples[index] == color.red, samples[index + 1] == color.green, samples[index + 2] == color.blue {
          found.append((index / 3 % image.width, index / 3 / image.width))
        }
        index += 3
      }
    }
    return found
  }
}

extension PNGImage {
  func color(_ x: Int, _ y: Int) -> Color {
    let index = (y * width + x) * channels
    let (green, blue) = channels == 3 ? (1, 2) : (0, 0)
    return Color(
      UInt32(samples[index]) << 16 | UInt32(samples[index + green]) << 8 | UInt32(samples[index + blue]))
  }
}

/// What an XML parser finds in a document.
final class XMLContent: NSObject, XMLParserDelegate {
  private(set) var elements: [String: Int] = [:]
  private(set) var texts: [String] = []
  private(set) var attributes: Set<String> = []
  private(set) var isWellFormed = false

  init(_ document: String) {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    isWellFormed = parser.parse()
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes found: [String: String]
  ) {
    elements[name, default: 0] += 1
    attributes.formUnion(found.keys)
    if name == "text" { texts.append("") }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if !texts.isEmpty { texts[texts.count - 1] += string.trimmingCharacters(in: .newlines) }
  }
}
