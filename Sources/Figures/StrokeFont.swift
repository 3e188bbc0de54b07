import Foundation

/// The letters of raster pictures: strokes on a coarse grid, drawn with a round pen.
///
/// A stroke is a row of points, each two digits of base 36: x from the left, y upwards with the baseline at 3, small
/// letters up to a (10), capitals up to d (13). A plain stroke is straight between its points, `~` begins one that is rounded (a quadratic
/// spline whose control points these are), `@` one that is rounded and closed; a single point is a dot.
enum StrokeFont {
  private static let source: [Character: String] = [
    "0": "@03636d0d", "1": "1b3d33", "2": "~0a0d6d6a030363", "3": "~0b0d5d5828 ~2868630305", "4": "434d0666",
    "5": "5d1d08 ~082969630305", "6": "@03636909 ~5d1d0906", "7": "0d6d23", "8": "@18585d1d @03636808",
    "9": "@07676d0d ~6a675313", "A": "034d83 1676", "B": "030d ~0d5d5808 ~08686303", "C": "~7b6d0d036375",
    "D": "030d ~0d7d7303", "E": "6d0d0363 0858", "F": "6d0d03 0858", "G": "~7b6d0d037377 7747", "H": "030d 737d 0878",
    "I": "030d", "J": "~4d430305", "K": "030d 6d07 2963", "L": "0d0353", "M": "030d458d83", "N": "030d737d",
    "O": "@03838d0d", "P": "030d ~0d6d6707", "Q": "@03838d0d 5682", "R": "030d ~0d6d6808 3863",
    "S": "~6b6d0d0868630305", "T": "0d6d 3d33", "U": "~0d090373797d", "V": "0d438d", "W": "0d235d83ad",
    "X": "037d 0d73", "Y": "0d488d 4843", "Z": "0d6d0363", "a": "@03535a0a 5a53", "b": "0d03 @03535a0a",
    "c": "~594a0a034354", "d": "5d53 @03535a0a", "e": "~0757575a0a034354", "f": "~4d1d1913 0a3a",
    "g": "@03535a0a ~5a53500001", "h": "0d03 ~070a5a5753", "i": "0a03 0d", "j": "~2a232000 2d", "k": "0d03 5a06 2853",
    "l": "~0d050323", "m": "0a03 ~070a4a4743 ~474a8a8783", "n": "0a03 ~070a5a5753", "o": "@03535a0a",
    "p": "0a00 @03535a0a", "q": "5a50 @03535a0a", "r": "0a03 ~070a3a", "s": "~595a0a0756530304", "t": "~1d161343 0a3a",
    "u": "~0a06035356 5a53", "v": "0a336a", "w": "0a234a638a", "x": "035a 0a53", "y": "0a33 6a20", "z": "0a5a0353",
    "!": "0d06 03", "\"": "0d0a 2d2a", "#": "132d 435d 0656 0a6a", "$": "~6b6d0d0868630305 3e32",
    "%": "037d @09393d0d @43737747", "&": "~731a1d4d4a07035367", "'": "0d0a", "(": "~2e0b0421", ")": "~0e2b2401",
    "*": "2d29 0c4a 0a4c", "+": "3a34 0767", ",": "1401", "-": "0737", ".": "03", "/": "024e", ":": "03 09",
    ";": "1401 19", "<": "6a0764", "=": "0969 0565", ">": "0a6704", "?": "~0b0d5d592826 23",
    "@": "~73030d8d8655 @35565a3a", "[": "2e0e0121", "\\": "0e42", "]": "0e2e2101", "^": "0a3d6a", "_": "0161",
    "`": "0d2b", "{": "~3e1e1707 ~07171131", "|": "0e00", "}": "~0e2e2737 ~37272101", "~": "~06294568",
    "−": "0767", "–": "0747", "—": "0787", "·": "07", "×": "0954 0459", "±": "3b35 0868 0363", "…": "03 33 63",
    "≤": "6b0864 0262", "≥": "0b6804 0262", "≈": "~092b4769 ~05274365", "°": "@0a3a3d0d",
    "∞": "@0509296585896925", "½": "0c1d18 035d ~46476765434363", "¼": "0c1d18 035d 73784585",
    "√": "0818336dad",
    "→": "0787 5a8754", "‖": "0e00 2e20", "∇": "0d8d430d", "é": "~0757575a0a034354 2c4e", "ℒ": "~5b6d3d260305346365",
    "α": "~6a43030a4a63", "β": "~000d5d5818 ~1868630304", "γ": "0a336a 3330", "δ": "@03535909 ~5d1d1b58",
    "ε": "~595a1a0737 ~3706035354", "η": "0a03 ~070a5a5750", "θ": "@03535d0d 0858", "λ": "~0d1d3863 3803",
    "μ": "0a00 ~06035356 5a53", "π": "0a6a 1a13 5a53", "ρ": "0700 @03535a0a", "σ": "@03535a0a 2a6a",
    "τ": "0a6a ~3a3353",
    "φ": "@03636a0a 3d30", "Σ": "6d0d480363", "Δ": "034d8303", "∂": "@03535808 ~0c4e5a56",
  ]
  private static let superscripts: [Character: Character] = [
    "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9", "⁻": "−",
    "⁺": "+", "ⁱ": "i", "ᵏ": "k", "ⁿ": "n", "ᵀ": "T", "ˣ": "x",
  ]
  private static let subscripts: [Character: Character] = [
    "₀": "0", "₁": "1", "₂": "2", "₃": "3", "₄": "4", "₅": "5", "₆": "6", "₇": "7", "₈": "8", "₉": "9",
    "ᵢ": "i", "ⱼ": "j", "ₖ": "k", "ₙ": "n", "ₜ": "t", "ₓ": "x",
  ]

  struct Glyph {
    /// Points in grid units, y upwards from the baseline.
    var strokes: [[Point]]
    var advance: Double
  }

  /// One grid unit as a share of the size of the text.
  private static let unit = 0.072
  private static let glyphs: [Character: Glyph] = {
    var glyphs = source.mapValues(parse)
    for digit in "0123456789" { glyphs[digit]?.advance = 8.2 }
    for sign in ".,:;" { glyphs[sign]?.advance += 0.7 }
    glyphs[" "] = Glyph(strokes: [], advance: 4)
    for (signs, rise) in [(superscripts, 5.0), (subscripts, -2.0)] {
      for (sign, base) in signs {
        guard let glyph = glyphs[base] else { continue }
        let strokes = glyph.strokes.map { $0.map { Point($0.x * 0.62, $0.y * 0.62 + rise) } }
        glyphs[sign] = Glyph(strokes: strokes, advance: glyph.advance * 0.66)
      }
    }
    return glyphs
  }()
  /// Characters beyond this many are neither measured nor drawn.
  static let longest = 300
  private static let unknown = parse("030d6d6303 0d63")

  static func glyph(_ character: Character) -> Glyph {
    if let glyph = glyphs[character] { return glyph }
    // An accented letter is shown without its accent, a character we lack as a crossed box.
    let letter = String(character).decomposedStringWithCanonicalMapping.unicodeScalars.first.map { Character($0) }
    return letter.flatMap { glyphs[$0] } ?? unknown
  }

  static func width(of text: String, _ style: TextStyle) -> Double {
    text.prefix(longest).reduce(0) { $0 + glyph($1).advance } * unit * style.size
  }

  /// The strokes of a text in the drawing's coordinates, and the pen's radius.
  static func strokes(of text: String, at point: Point, _ style: TextStyle) -> (strokes: [[Point]], radius: Double) {
    let scale = unit * style.size
    let share = style.anchor == .start ? 0 : style.anchor == .middle ? 0.5 : 1
    var pen = -share * width(of: text, style)
    var result: [[Point]] = []
    for character in text {
      let glyph = glyph(character)
      for stroke in glyph.strokes {
        result.append(
          stroke.map { place in
            let (x, y) = (pen + (place.x + 1.1) * scale, -place.y * scale)
            return style.isVertical ? Point(point.x + y, point.y - x) : Point(point.x + x, point.y + y)
          })
      }
      pen += glyph.advance * scale
    }
    return (result, style.size * (style.isBold ? 0.062 : 0.043))
  }

  private static func parse(_ text: String) -> Glyph {
    let strokes = text.split(separator: " ").map { word -> [Point] in
      let isClosed = word.hasPrefix("@")
      let digits = word.filter { $0 != "~" && $0 != "@" }.compactMap { Int(String($0), radix: 36) }
      let points = stride(from: 0, to: digits.count - 1, by: 2).map {
        Point(Double(digits[$0]), Double(digits[$0 + 1]) - 3)
      }
      return isClosed || word.hasPrefix("~") ? rounded(points, isClosed: isClosed) : points
    }
    let right = strokes.joined().map(\.x).max() ?? 0
    return Glyph(strokes: strokes, advance: right + 2.3)
  }

  /// A quadratic spline through the middles between control points.
  private static func rounded(_ controls: [Point], isClosed: Bool) -> [Point] {
    func middle(_ a: Point, _ b: Point) -> Point { Point((a.x + b.x) / 2, (a.y + b.y) / 2) }
    let turns = isClosed ? controls + controls.prefix(2) : controls
    var curve = isClosed ? [] : [controls[0]]
    for index in 1..<turns.count - 1 {
      let start = middle(turns[index - 1], turns[index])
      let end = middle(turns[index], turns[index + 1])
      for step in 0...6 {
        let t = Double(step) / 6
        let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
        curve.append(
          Point(a * start.x + b * turns[index].x + c * end.x, a * start.y + b * turns[index].y + c * end.y))
      }
    }
    return isClosed ? curve : curve + [controls[controls.count - 1]]
  }
}
