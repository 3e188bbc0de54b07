import Tensors

/// Layers applied one after the other, `Sequential` in PyTorch.
///
/// ```swift
/// let network = Sequential {
///   Linear(784, 256, using: &random)
///   relu
///   Linear(256, 10, using: &random)
/// }
/// ```
public final class Sequential: Layer {
  /// The layers in the order in which they are applied.
  public let layers: [any Layer]

  /// The composition of these layers; of none, the identity.
  public init(_ layers: [any Layer]) { self.layers = layers }

  /// The composition of the layers and functions that a block lists.
  public convenience init(@LayerBuilder _ layers: () throws -> [any Layer]) rethrows { self.init(try layers()) }

  /// The last layer's result.
  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { value, layer in layer(value) } }
}

/// Layers added to what they read, x + f(x): He, Zhang, Ren & Sun (2015), arXiv 1512.03385, equation 1.
public final class Residual: Layer {
  /// f.
  public let body: any Layer
  /// What stands in place of x where shapes change (equation 2); nil for x itself.
  public let shortcut: (any Layer)?

  /// A residual block around the composition of the layers that a block lists.
  public init(shortcut: (any Layer)? = nil, @LayerBuilder _ body: () throws -> [any Layer]) rethrows {
    self.body = Sequential(try body())
    self.shortcut = shortcut
  }

  /// x + f(x), both of one shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (kept, change) = (shortcut?(x) ?? x, body(x))
    guard kept.shape == change.shape else {
      fail("Residual", "cannot add \(change.shape) to \(kept.shape); give a shortcut that makes the shapes agree")
    }
    return kept + change
  }
}

/// A layer without parameters: any function of a tensor, such as `{ leakyRelu($0, slope: 0.2) }`.
public final class Function: Layer {
  private let body: (Tensor) -> Tensor

  /// A layer that applies `body`; parameters that it captures are not found.
  public init(_ body: @escaping (Tensor) -> Tensor) { self.body = body }

  /// The function's result.
  public func callAsFunction(_ x: Tensor) -> Tensor { body(x) }
}

/// Gathers the layers that a block lists; a function such as `relu` may stand among them by its name.
@resultBuilder
public enum LayerBuilder {
  /// A layer.
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  /// A function.
  public static func buildExpression(_ function: @escaping (Tensor) -> Tensor) -> [any Layer] {
    [Function(function)]
  }
  /// The lines of a block.
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { Array(parts.joined()) }
  /// The rounds of a `for` loop.
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { Array(parts.joined()) }
  /// An `if` without `else`.
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  /// The first branch of an `if`.
  public static func buildEither(first: [any Layer]) -> [any Layer] { first }
  /// The second branch of an `if`.
  public static func buildEither(second: [any Layer]) -> [any Layer] { second }
}
