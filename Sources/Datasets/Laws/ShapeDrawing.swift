import Foundation

/// Draws the images of ``Shapes``, each pixel by the share of it that is covered, in sixteenths.
struct ShapeDrawing: Sendable {
  /// The coverage of a pixel that lies wholly inside.
  static let fullCoverage = 16

  let side: Int
  let sizes: [Int]

  /// What a shape's factors stand for; lengths are parts of the side.
  struct Pose {
    let shape: Int
    let size: Double
    let angle: Double
    let x: Double
    let y: Double
  }

  func pose(of factors: [Int]) -> Pose {
    func part(_ factor: Int) -> Double {
      sizes[factor] == 1 ? 0.5 : Double(factors[factor]) / Double(sizes[factor] - 1)
    }
    return Pose(
      shape: factors[0], size: 0.15 + 0.1 * part(1), angle: Double.pi * Double(factors[2]) / Double(sizes[2]),
      x: 0.25 + 0.5 * part(3), y: 0.25 + 0.5 * part(4))
  }

  /// How many of the 4 × 4 points of each pixel the shape covers, row by row.
  func coverage(of factors: [Int]) -> [UInt8] {
    let pose = pose(of: factors)
    var image = [UInt8](repeating: 0, count: side * side)
    let (cosine, sine) = (cos(pose.angle), sin(pose.angle))
    func span(_ center: Double) -> Range<Int> {
      let (low, high) = ((center - pose.size) * Double(side), (center + pose.size) * Double(side))
      return max(0, Int(low.rounded(.down)))..<min(side, Int(high.rounded(.up)))
    }
    for row in span(pose.y) {
      for column in span(pose.x) {
        var covered: UInt8 = 0
        for point in 0..<16 {
          let x = (Double(column) + (Double(point % 4) + 0.5) / 4) / Double(side) - pose.x
          let y = (Double(row) + (Double(point / 4) + 0.5) / 4) / Double(side) - pose.y
          let (along, across) = ((cosine * x + sine * y) / pose.size, (cosine * y - sine * x) / pose.size)
          if Self.contains(pose.shape, along, across) { covered += 1 }
        }
        image[row * side + column] = covered
      }
    }
    return image
  }

  /// Whether a point lies in a shape of size 1 around the origin, which reaches no farther than 1.
  private static func contains(_ shape: Int, _ x: Double, _ y: Double) -> Bool {
    switch shape {
    case 0: abs(x) <= 0.85 && abs(y) <= 0.5
    case 1: x * x + 4 * y * y <= 1
    default: x >= -0.6 && abs(y) <= 0.5 * (1 - x)  // corners (1, 0), (−0.6, ±0.8)
    }
  }
}
