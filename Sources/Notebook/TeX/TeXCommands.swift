extension TeXParser {
  /// What a command stands for; one that is not known is shown as text.
  mutating func command(_ name: String, after previous: Atom?) -> Atom {
    if let letter = greekLetters[name] { return Atom(markup: identifier(String(letter), in: alphabet)) }
    if let symbol = commandSymbols[name] { return symbol.atom(after: previous) }
    if let width = spaceWidths[name] { return Atom(markup: "<mspace width=\"\(width)\"/>", kind: .space) }
    if let shown = functionNames[name] { return function(shown, takesLimits: limitFunctions.contains(name)) }
    if let accent = accents[name] { return accented(by: accent) }
    if let alphabet = MathAlphabet.commands[name] { return styled(in: alphabet) }
    if let size = delimiterSizes[name] { return sizedDelimiter(size) }
    return structure(name) ?? text(name) ?? unknown(name)
  }

  private mutating func structure(_ name: String) -> Atom? {
    switch name {
    case "frac", "cfrac": return Atom(markup: "<mfrac>\(argument())\(argument())</mfrac>")
    case "dfrac", "tfrac":
      let fraction = "<mfrac>\(argument())\(argument())</mfrac>"
      return Atom(markup: "<mstyle displaystyle=\"\(name == "dfrac")\" scriptlevel=\"0\">\(fraction)</mstyle>")
    case "binom":
      let parts = "<mfrac linethickness=\"0\">\(argument())\(argument())</mfrac>"
      return Atom(markup: "<mrow><mo>(</mo>\(parts)<mo>)</mo></mrow>")
    case "sqrt": return root()
    case "left": return fenced()
    case "begin": return environment()
    case "overset", "stackrel": return stacked("mover")
    case "underset": return stacked("munder")
    case "not": return negated()
    // The style draws the brace: few fonts have one that stretches to any width.
    case "underbrace", "overbrace":
      return Atom(markup: "<mrow class=\"\(name)\">\(argument())</mrow>", takesLimits: true)
    case "substack": return environmentBody(named: "substack", rows: rawGroup() ?? "")
    case "phantom": return Atom(markup: "<mphantom>\(argument())</mphantom>")
    case "boxed": return Atom(markup: "<mrow class=\"boxed\">\(argument())</mrow>")
    case "mathop": return Atom(markup: argument(), takesLimits: true)
    case "mathbin", "mathrel", "mathord": return Atom(markup: argument(), kind: name == "mathord" ? .ordinary : .binary)
    default: return nil
    }
  }

  private mutating func text(_ name: String) -> Atom? {
    switch name {
    case "text", "textrm", "textnormal", "mbox": return Atom(markup: textMarkup(rawGroup() ?? ""))
    case "textbf": return Atom(markup: "<mrow class=\"bold\">\(textMarkup(rawGroup() ?? ""))</mrow>")
    case "textit": return Atom(markup: "<mrow class=\"slanted\">\(textMarkup(rawGroup() ?? ""))</mrow>")
    case "texttt": return Atom(markup: "<mrow class=\"typewriter\">\(textMarkup(rawGroup() ?? ""))</mrow>")
    case "operatorname", "operatorname*":
      let shown = (rawGroup() ?? "").replacing("\\,", with: "\u{2009}").replacing("\\", with: "")
      return function(shown, takesLimits: name.hasSuffix("*"))
    case "tag", "tag*":
      let shown = escaped(rawGroup() ?? "")
      return Atom(markup: "<mspace width=\"2em\"/><mtext>\(name == "tag" ? "(\(shown))" : shown)</mtext>", kind: .space)
    case "label":
      _ = rawGroup()
      return Atom(markup: "", kind: .space)
    case "nonumber", "notag": return Atom(markup: "", kind: .space)
    default: return nil
    }
  }

  private mutating func unknown(_ name: String) -> Atom {
    problems.append("the TeX command \\\(name) is not known and is shown as text")
    return Atom(markup: "<mtext class=\"unknown\">\\\(escaped(name))</mtext>")
  }

  private func function(_ name: String, takesLimits: Bool) -> Atom {
    let space = takesLimits ? " movablelimits=\"true\"" : ""
    return Atom(
      markup: "<mo lspace=\"0\" rspace=\"0\"\(space)>\(escaped(name))</mo>", kind: .function, takesLimits: takesLimits)
  }

  private mutating func root() -> Atom {
    guard take("[") else { return Atom(markup: "<msqrt>\(argument())</msqrt>") }
    let degree = row { $0 == .character("]") }
    if !take("]") { problems.append("the degree of a root is not closed by ]") }
    let markup = degree.map(\.markup).joined()
    return Atom(markup: "<mroot>\(argument())<mrow>\(markup)</mrow></mroot>")
  }

  private mutating func accented(by accent: Accent) -> Atom {
    let base = argument()
    let mark = "<mo stretchy=\"\(accent.isWide)\" lspace=\"0\" rspace=\"0\">\(accent.mark)</mo>"
    let element = accent.isBelow ? "munder" : "mover"
    let attribute = accent.isBelow ? "accentunder" : "accent"
    return Atom(
      markup: "<\(element) \(attribute)=\"true\">\(base)\(mark)</\(element)>")
  }

  private mutating func stacked(_ element: String) -> Atom {
    let script = argument()
    let base = argument()
    return Atom(markup: "<\(element)>\(base)\(script)</\(element)>", kind: .relation)
  }

  private mutating func negated() -> Atom {
    let base = argument()
    guard base.hasSuffix("</mo>") else { return Atom(markup: base) }
    return Atom(markup: base.dropLast(5) + "\u{338}</mo>", kind: .relation)
  }

  /// Letters in another alphabet: a word of letters is one identifier, anything else is a formula.
  private mutating func styled(in alphabet: MathAlphabet) -> Atom {
    var ahead = self
    if let word = ahead.rawGroup(), word.count > 1, word.allSatisfy(isWordCharacter) {
      self = ahead
      return Atom(markup: identifier(word.replacing(" ", with: ""), in: alphabet))
    }
    let outer = self.alphabet
    self.alphabet = alphabet
    defer { self.alphabet = outer }
    return Atom(markup: argument())
  }

  private func isWordCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == " " || character == "-")
  }

  // MARK: Delimiters

  /// The character after `\left`, `\right`, `\big` …; empty for the invisible one.
  private mutating func delimiter() -> String {
    switch next() {
    case .character("."): return ""
    case .character("<"): return "⟨"
    case .character(">"): return "⟩"
    case .character(let character): return escaped(String(character))
    case .command(let name):
      if let symbol = commandSymbols[name] { return symbol.text }
    default: break
    }
    problems.append("a delimiter is missing after \\left, \\right or \\big")
    return ""
  }

  private mutating func fenced() -> Atom {
    var markup = stretchy(delimiter(), "prefix")
    while true {
      markup += row { _ in false }.map(\.markup).joined()
      switch peek() {
      case .command("middle"):
        _ = next()
        markup += stretchy(delimiter(), "infix")
      case .command("right"):
        _ = next()
        return Atom(markup: "<mrow>\(markup)\(stretchy(delimiter(), "postfix"))</mrow>")
      default:
        problems.append("\\left has no \\right")
        return Atom(markup: "<mrow>\(markup)</mrow>")
      }
    }
  }

  private func stretchy(_ text: String, _ form: String) -> String {
    if text.isEmpty { return "" }
    let space = form == "infix" ? "0.2em" : "0"
    return "<mo form=\"\(form)\" stretchy=\"true\" lspace=\"\(space)\" rspace=\"\(space)\">\(text)</mo>"
  }

  private mutating func sizedDelimiter(_ size: (em: String, kind: Atom.Kind)) -> Atom {
    let text = delimiter()
    let markup =
      "<mo stretchy=\"true\" symmetric=\"true\" minsize=\"\(size.em)\" maxsize=\"\(size.em)\" lspace=\"0\" rspace=\"0\">\(text)</mo>"
    let kind =
      size.kind != .ordinary
      ? size.kind : "([{⟨⌊⌈".contains(text) ? .opening : ")]}⟩⌋⌉".contains(text) ? .closing : .ordinary
    return Atom(markup: markup, kind: text.isEmpty ? .ordinary : kind)
  }

  // MARK: Text

  /// Words in a formula, in which `$…$` is a formula again.
  private mutating func textMarkup(_ text: String) -> String {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    let markup = parts.enumerated().map { index, part in
      if index % 2 == 1 {
        var inner = TeXParser(String(part))
        defer { problems += inner.problems }
        return "<mrow>\(inner.formula())</mrow>"
      }
      if part.isEmpty { return "" }
      let spaced = part.replacing("\\", with: "").replacing(" ", with: "\u{A0}")
      return "<mtext>\(escaped(spaced))</mtext>"
    }
    return parts.count == 1 ? markup[0] : "<mrow>\(markup.joined())</mrow>"
  }
}
