import Foundation
import Tensors

@testable import Distributions

/// Events of either kind, `[count, …]`.
enum Events: Sendable {
  case real(Tensor)
  case labels(IndexTensor)

  /// As numbers, `[count, components]`; labels become the values that `bins` gives them, where there are bins.
  func coordinates(_ bins: Bins?) -> Tensor {
    switch self {
    case .real(let values): values.reshaped(to: [values.shape[0], -1])
    case .labels(let labels):
      (bins.map { $0.values(of: labels) } ?? Tensor(labels))
        .reshaped(to: [labels.shape[0], -1])
    }
  }
}

/// All events of a law, or points with the volumes around them: Σ p·weight is the law's mass.
struct Grid: Sendable {
  let events: Events
  let weights: Tensor

  /// The middles of `count` equal parts of an interval, `[count, 1]`.
  static func line(_ lower: Double, _ upper: Double, _ count: Int) -> Grid {
    let width = (upper - lower) / Double(count)
    let points = (0..<count).map { Float(lower + (Double($0) + 0.5) * width) }
    return Grid(events: .real(Tensor(points, shape: [count, 1])), weights: Tensor([Float(width)]))
  }

  /// The middles of `side`² equal parts of a square around 0, `[side², 2]`.
  static func square(_ halfWidth: Double, _ side: Int) -> Grid {
    let width = 2 * halfWidth / Double(side)
    let ticks = (0..<side).map { Float((Double($0) + 0.5) * width - halfWidth) }
    let points = ticks.flatMap { x in ticks.flatMap { [x, $0] } }
    return Grid(events: .real(Tensor(points, shape: [side * side, 2])), weights: Tensor([Float(width * width)]))
  }

  /// Points of the simplex of `classes` (2 or 3) entries, `[count, 1, classes]`, equally spaced in the logarithms of ratios.
  static func simplex(_ classes: Int, _ halfWidth: Double, _ side: Int) -> Grid {
    let plane = classes == 2 ? line(-halfWidth, halfWidth, side) : square(halfWidth, side)
    guard case .real(let ratios) = plane.events else { return plane }
    let count = ratios.shape[0]
    let x = softmax(concatenate([ratios, .zeros([count, 1])], axis: 1))
    // The Jacobian of the entries but the last by the ratios is the product of all entries.
    let volumes = exp(log(x).sum(axis: 1)) * plane.weights
    return Grid(events: .real(x.reshaped(to: [count, 1, classes])), weights: volumes)
  }

  /// All vectors of `components` labels, `[classes^components, components]`.
  static func labels(_ classes: Int, _ components: Int) -> Grid {
    var vectors: [[Int32]] = [[]]
    for _ in 0..<components { vectors = vectors.flatMap { v in (0..<Int32(classes)).map { v + [$0] } } }
    let labels = IndexTensor(vectors.flatMap { $0 }, shape: [vectors.count, components])
    return Grid(events: .labels(labels), weights: Tensor([1]))
  }

  /// All binary vectors, as numbers.
  static func bits(_ components: Int) -> Grid {
    let grid = labels(2, components)
    return Grid(events: .real(grid.events.coordinates(nil)), weights: grid.weights)
  }
}
