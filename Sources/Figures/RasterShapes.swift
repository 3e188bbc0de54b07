import Foundation

extension Raster {
  /// Covers what lies within `radius` of the polyline, with round ends and joints; nominal coordinates.
  mutating func stroke(_ points: [Point], radius: Double) {
    guard let first = points.first else { return }
    let radius = radius * Self.scale
    var start = first
    for end in points.count == 1 ? points : Array(points.dropFirst()) {
      capsule(from: start, to: end, radius: radius)
      start = end
    }
  }

  /// Covers one segment with round ends: a pixel's share falls from 1 to 0 within one pixel about the edge.
  private mutating func capsule(from start: Point, to end: Point, radius: Double) {
    let (x0, y0) = (start.x * Self.scale, start.y * Self.scale)
    let (dx, dy) = (end.x * Self.scale - x0, end.y * Self.scale - y0)
    let reach = radius + 0.5
    guard (x0 + y0 + dx + dy).isFinite else { return }
    let box = Span2D(
      minX: Int((min(x0, x0 + dx) - reach).rounded(.down)), minY: Int((min(y0, y0 + dy) - reach).rounded(.down)),
      maxX: Int((max(x0, x0 + dx) + reach).rounded(.up)), maxY: Int((max(y0, y0 + dy) + reach).rounded(.up)))
    let visible = box.intersection(clip)
    guard visible.minX < visible.maxX, visible.minY < visible.maxY else { return }
    dirty.include(visible)
    let length2 = dx * dx + dy * dy
    let peak = min(1, 2 * radius) * 255
    let width = width
    mask.withUnsafeMutableBufferPointer { mask in
      for y in visible.minY..<visible.maxY {
        let py = Double(y) + 0.5 - y0
        // The part of the row that the segment can reach.
        var (low, high) = (visible.minX, visible.maxX)
        if abs(dy) > 1e-9 {
          let a = max(0, min(1, (py - reach) / dy))
          let b = max(0, min(1, (py + reach) / dy))
          low = max(low, Int(x0 + min(a * dx, b * dx) - reach) - 1)
          high = min(high, Int(x0 + max(a * dx, b * dx) + reach) + 2)
        }
        guard low < high else { continue }
        for x in low..<high {
          let px = Double(x) + 0.5 - x0
          let t = length2 > 0 ? max(0, min(1, (px * dx + py * dy) / length2)) : 0
          let (ex, ey) = (px - t * dx, py - t * dy)
          let distance = (ex * ex + ey * ey).squareRoot()
          guard distance < reach else { continue }
          let cover = UInt8(min(1, reach - distance) * peak)
          if cover > mask[y * width + x] { mask[y * width + x] = cover }
        }
      }
    }
  }

  /// Covers the inside of a polygon (even-odd), exactly across and in four steps down each pixel.
  mutating func fill(_ points: [Point]) {
    let places = points.map { Point($0.x * Self.scale, $0.y * Self.scale) }
    guard places.count > 2, let top = places.map(\.y).min(), let bottom = places.map(\.y).max(),
      let left = places.map(\.x).min(), let right = places.map(\.x).max(), (top + bottom + left + right).isFinite
    else { return }
    let visible = Span2D(
      minX: Int(left.rounded(.down)), minY: Int(top.rounded(.down)), maxX: Int(right.rounded(.up)),
      maxY: Int(bottom.rounded(.up))
    ).intersection(clip)
    guard visible.minX < visible.maxX, visible.minY < visible.maxY else { return }
    dirty.include(visible)
    var cover = [Float](repeating: 0, count: visible.maxX - visible.minX)
    for y in visible.minY..<visible.maxY {
      for step in 0..<4 {
        let crossings = Self.crossings(of: places, atY: Double(y) + (Double(step) + 0.5) / 4)
        for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
          Self.add(crossings[pair] - Double(visible.minX), crossings[pair + 1] - Double(visible.minX), to: &cover)
        }
      }
      for x in cover.indices where cover[x] > 0 {
        let index = y * width + visible.minX + x
        mask[index] = max(mask[index], UInt8(min(255, cover[x] * 255 / 4 + 0.5)))
        cover[x] = 0
      }
    }
  }

  private static func crossings(of places: [Point], atY y: Double) -> [Double] {
    var crossings: [Double] = []
    var start = places[places.count - 1]
    for end in places {
      if (start.y <= y) != (end.y <= y) {
        crossings.append(start.x + (y - start.y) / (end.y - start.y) * (end.x - start.x))
      }
      start = end
    }
    return crossings.sorted()
  }

  /// Adds the share of each pixel that lies between two places.
  private static func add(_ low: Double, _ high: Double, to cover: inout [Float]) {
    let (low, high) = (max(0, low), min(Double(cover.count), high))
    guard low < high else { return }
    let (first, last) = (Int(low), min(cover.count - 1, Int(high)))
    if first == last {
      cover[first] += Float(high - low)
      return
    }
    cover[first] += Float(Double(first + 1) - low)
    for x in first + 1..<max(first + 1, last) { cover[x] += 1 }
    cover[last] += Float(high - Double(last))
  }
}

/// The parts of a polyline that a dash pattern (lengths drawn and left out in turn) shows.
func dashes(of points: [Point], pattern: [Double]) -> [[Point]] {
  guard let first = points.first, pattern.allSatisfy({ $0 > 0.5 }) else { return [points] }
  var pieces: [[Point]] = []
  var piece = [first]
  var (index, left) = (0, pattern[0])
  for (start, end) in zip(points, points.dropFirst()) {
    let length = hypot(end.x - start.x, end.y - start.y)
    var done = 0.0
    while length - done > left {
      done += left
      let share = done / length
      let cut = Point(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)
      if index.isMultiple(of: 2) { pieces.append(piece + [cut]) }
      piece = [cut]
      index += 1
      left = pattern[index % pattern.count]
    }
    left -= length - done
    if index.isMultiple(of: 2) { piece.append(end) }
  }
  return index.isMultiple(of: 2) ? pieces + [piece] : pieces
}

extension MarkerShape {
  /// A polygon to fill or a line to draw with a pen.
  struct Part {
    var points: [Point]
    var isFilled: Bool
    var penRadius = 0.0
  }

  /// The shape's outlines about `centre`, all of about the same area.
  func parts(at centre: Point, radius r: Double) -> [Part] {
    func filled(_ offsets: [(Double, Double)]) -> [Part] {
      [Part(points: offsets.map { Point(centre.x + $0.0 * r, centre.y + $0.1 * r) }, isFilled: true)]
    }
    func lines(_ strokes: [[(Double, Double)]], pen: Double = 0.28) -> [Part] {
      strokes.map { stroke in
        Part(
          points: stroke.map { Point(centre.x + $0.0 * r, centre.y + $0.1 * r) }, isFilled: false, penRadius: pen * r)
      }
    }
    switch self {
    case .disc: return [Part(points: [centre], isFilled: false, penRadius: r)]
    case .square: return filled([(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)])
    case .triangle: return filled([(0, -1.25), (1.1, 0.75), (-1.1, 0.75)])
    case .triangleDown: return filled([(0, 1.25), (1.1, -0.75), (-1.1, -0.75)])
    case .diamond: return filled([(0, -1.3), (1.05, 0), (0, 1.3), (-1.05, 0)])
    case .cross: return lines([[(-0.85, -0.85), (0.85, 0.85)], [(-0.85, 0.85), (0.85, -0.85)]])
    case .plus: return lines([[(-1.1, 0), (1.1, 0)], [(0, -1.1), (0, 1.1)]])
    case .star:
      return lines([[(-1, -0.58), (1, 0.58)], [(-1, 0.58), (1, -0.58)], [(0, -1.15), (0, 1.15)]], pen: 0.22)
    case .ring:
      let circle = (0...24).map { step -> (Double, Double) in
        let angle = Double(step) * .pi / 12
        return (0.9 * cos(angle), 0.9 * sin(angle))
      }
      return lines([circle], pen: 0.22)
    case .frame: return lines([[(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (-0.8, -0.8)]], pen: 0.22)
    }
  }
}
