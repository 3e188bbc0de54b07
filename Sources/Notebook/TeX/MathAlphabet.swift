/// The alphabets of mathematics, as Unicode has them (block Mathematical Alphanumeric Symbols).
enum MathAlphabet {
  case italic, upright, bold, boldItalic, script, doubleStruck, fraktur, sans, typewriter

  /// The commands that choose an alphabet.
  static let commands: [String: MathAlphabet] = [
    "mathrm": .upright, "mathup": .upright, "mathbf": .bold, "mathit": .italic, "mathnormal": .italic,
    "boldsymbol": .boldItalic, "bm": .boldItalic, "mathcal": .script, "mathscr": .script, "mathbb": .doubleStruck,
    "mathfrak": .fraktur, "mathsf": .sans, "mathtt": .typewriter,
  ]

  /// A letter or digit in this alphabet; what the alphabet lacks stays as it is.
  func styled(_ character: Character) -> String {
    guard let scalar = character.unicodeScalars.first, character.unicodeScalars.count == 1 else {
      return "\(character)"
    }
    if let exception = exceptions[character] { return exception }
    guard let (first, start) = ranges.first(where: { $0.0.contains(scalar.value) }).map({ ($0.0.lowerBound, $0.1) })
    else { return "\(character)" }
    return Unicode.Scalar(start + scalar.value - first).map { String(Character($0)) } ?? "\(character)"
  }

  /// Runs of characters, and where the alphabet has them.
  private var ranges: [(ClosedRange<UInt32>, UInt32)] {
    let (capitals, smalls, digits): (ClosedRange<UInt32>, ClosedRange<UInt32>, ClosedRange<UInt32>) =
      (0x41...0x5A, 0x61...0x7A, 0x30...0x39)
    let (greekCapitals, greekSmalls): (ClosedRange<UInt32>, ClosedRange<UInt32>) = (0x391...0x3A9, 0x3B1...0x3C9)
    switch self {
    case .italic, .upright: return []
    case .bold:
      return [
        (capitals, 0x1D400), (smalls, 0x1D41A), (digits, 0x1D7CE), (greekCapitals, 0x1D6A8), (greekSmalls, 0x1D6C2),
      ]
    case .boldItalic:
      return [
        (capitals, 0x1D468), (smalls, 0x1D482), (digits, 0x1D7CE), (greekCapitals, 0x1D71C), (greekSmalls, 0x1D736),
      ]
    case .script: return [(capitals, 0x1D49C), (smalls, 0x1D4B6)]
    case .doubleStruck: return [(capitals, 0x1D538), (smalls, 0x1D552), (digits, 0x1D7D8)]
    case .fraktur: return [(capitals, 0x1D504), (smalls, 0x1D51E)]
    case .sans: return [(capitals, 0x1D5A0), (smalls, 0x1D5BA), (digits, 0x1D7E2)]
    case .typewriter: return [(capitals, 0x1D670), (smalls, 0x1D68A), (digits, 0x1D7F6)]
    }
  }

  /// Letters that Unicode had before, elsewhere.
  private var exceptions: [Character: String] {
    switch self {
    case .script:
      [
        "B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ", "e": "ℯ", "g": "ℊ", "o": "ℴ",
      ]
    case .doubleStruck: ["C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"]
    case .fraktur: ["C": "ℭ", "H": "ℌ", "I": "ℑ", "R": "ℜ", "Z": "ℨ"]
    case .boldItalic: ["ϵ": "𝝐", "ϑ": "𝝑", "ϕ": "𝝓", "∇": "𝜵"]
    default: [:]
    }
  }
}

/// An identifier's element; a single letter is slanted by itself unless its alphabet is upright.
func identifier(_ name: String, in alphabet: MathAlphabet) -> String {
  let isUpright = name.count == 1 && alphabet == .upright
  let isSlanted = name.count > 1 && alphabet == .italic
  let text = name.map { alphabet.styled($0) }.joined()
  return
    "<mi\(isUpright ? " mathvariant=\"normal\"" : "")\(isSlanted ? " class=\"slanted\"" : "")>\(escaped(text))</mi>"
}
