import Foundation
import Tensors

/// A picture that can be written as a PNG image and as SVG.
public protocol Figure: Sendable {
  /// What the picture shows, for readers who cannot see it.
  var alternativeText: String { get }
  /// The encoded PNG image.
  func png() throws -> Data
  /// The picture as an SVG document.
  func svg() -> String
}
