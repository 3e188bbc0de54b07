import Foundation
import Tensors

/// A picture that can be written as PNG or SVG and described to a reader who cannot see it.
public protocol Figure: Sendable {
  /// What a reader who cannot see the picture is told.
  var alternativeText: String { get }
  /// The picture as the bytes of a PNG file, at twice the nominal size of the SVG.
  ///
  /// - Throws: ``PNGError`` when libpng cannot write it.
  func png() throws -> Data
  /// The picture as a standalone SVG document without identifiers, so that several can stand in one page.
  func svg() -> String
}

/// A figure described once, by a ``Drawing``, from which both formats follow.
public protocol DrawnFigure: Figure {
  /// The picture's marks.
  var drawing: Drawing { get }
}

extension DrawnFigure {
  /// The picture as the bytes of a PNG file, at twice the nominal size of the SVG.
  public func png() throws -> Data {
    try Raster.rendering(drawing).encoded()
  }

  /// The picture as a standalone SVG document.
  public func svg() -> String {
    SVGWriter.document(drawing, alternativeText: alternativeText)
  }
}

/// Several figures beside each other, in rows, as one picture.
public struct Panels: DrawnFigure {
  private let drawings: [Drawing]
  private let columns: Int
  /// What the panels show, one after the other.
  public let alternativeText: String

  /// Lays out the figures row by row.
  ///
  /// - Parameters:
  ///   - figures: the panels, in reading order.
  ///   - columns: the panels in a row; all of them when absent.
  public init(_ figures: [any DrawnFigure], columns: Int? = nil) {
    drawings = figures.map(\.drawing)
    self.columns = max(1, columns ?? figures.count)
    alternativeText = figures.map(\.alternativeText).joined(separator: " ")
  }

  /// The panels' marks, each moved to its place.
  public var drawing: Drawing {
    guard !drawings.isEmpty else { return .note("no figures to show") }
    var rows: [[Drawing]] = []
    for start in stride(from: 0, to: drawings.count, by: columns) {
      rows.append(Array(drawings[start..<min(start + columns, drawings.count)]))
    }
    let width = rows.map { row in row.map(\.width).reduce(0, +) }.max() ?? 0
    let height = rows.map { row in row.map(\.height).max() ?? 0 }.reduce(0, +)
    var result = Drawing(width: width, height: height)
    var y = 0.0
    for row in rows {
      var x = 0.0
      for panel in row {
        result.add(panel, at: Point(x, y))
        x += panel.width
      }
      y += row.map(\.height).max() ?? 0
    }
    return result
  }
}
