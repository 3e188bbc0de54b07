/// A formula as MathML, and what in it was not understood.
struct MathMarkup: Equatable {
  /// A `math` element.
  var html: String
  /// One sentence for each thing that is shown as text because it was not understood.
  var problems: [String]

  /// Converts a formula in TeX, as far as the course uses it (amsmath without macros).
  init(tex: String, isDisplayed: Bool) {
    var parser = TeXParser(tex)
    let body = parser.formula()
    problems = parser.problems
    html =
      "<math\(isDisplayed ? " display=\"block\"" : "") alttext=\"\(escaped(tex.split(whereSeparator: \.isNewline).joined(separator: " ")))\">"
      + "<mrow>\(body)</mrow></math>"
  }
}

/// A piece of a formula: its markup, and what its neighbours need to know.
struct Atom {
  enum Kind { case ordinary, function, binary, relation, opening, closing, punctuation, space }

  var markup: String
  var kind: Kind = .ordinary
  /// Whether scripts go above and below.
  var takesLimits = false

  /// Whether a sign that follows is a prefix, as in `= -x`.
  var precedesPrefix: Bool {
    switch kind {
    case .binary, .relation, .opening, .punctuation: true
    default: false
    }
  }
}

/// A recursive descent over the characters of a formula.
struct TeXParser {
  enum Token: Equatable {
    case command(String)
    case character(Character)
    case open, close, superscript, `subscript`, prime, column, newline
  }

  private let text: [Character]
  private(set) var position = 0
  var problems: [String] = []
  var alphabet = MathAlphabet.italic
  private var depth = 0

  init(_ tex: String) { text = Array(tex) }

  /// The whole formula.
  mutating func formula() -> String {
    var atoms = row { _ in false }
    while let stray = next() {
      problems.append("unexpected \(describe(stray)) in a formula")
      atoms += row { _ in false }
    }
    return atoms.map(\.markup).joined()
  }

  // MARK: Tokens

  /// The next token, which stays; spaces and comments are skipped.
  mutating func peek() -> Token? {
    skipSpaces()
    let start = position
    defer { position = start }
    return next()
  }

  /// Takes the next token.
  mutating func next() -> Token? {
    skipSpaces()
    guard position < text.count else { return nil }
    let character = text[position]
    position += 1
    switch character {
    case "{": return .open
    case "}": return .close
    case "^": return .superscript
    case "_": return .subscript
    case "'": return .prime
    case "&": return .column
    case "~": return .command(" ")
    case "\\": return commandName()
    default: return .character(character)
    }
  }

  private mutating func commandName() -> Token {
    guard position < text.count else { return .command("") }
    var name = ""
    while position < text.count, text[position].isASCII, text[position].isLetter {
      name.append(text[position])
      position += 1
    }
    if name.isEmpty {
      name = String(text[position])
      position += 1
      if name == "\\" { return .newline }
    } else if position < text.count, text[position] == "*", ["operatorname", "tag"].contains(name) {
      name += "*"
      position += 1
    }
    return .command(name)
  }

  private mutating func skipSpaces() {
    while position < text.count {
      if text[position].isWhitespace {
        position += 1
      } else if text[position] == "%" {
        while position < text.count, !text[position].isNewline { position += 1 }
      } else {
        return
      }
    }
  }

  /// Takes a character if it is the next one.
  mutating func take(_ character: Character) -> Bool {
    skipSpaces()
    guard position < text.count, text[position] == character else { return false }
    position += 1
    return true
  }

  /// The characters of a group, as they stand: `{…}` or `[…]`.
  mutating func rawGroup(_ open: Character = "{", _ close: Character = "}") -> String? {
    guard take(open) else { return nil }
    let start = position
    var level = 1
    while position < text.count {
      if text[position] == "\\" { position += 1 } else if text[position] == open { level += 1 }
      if position < text.count, text[position] == close, text[position - 1] != "\\" { level -= 1 }
      position = min(position + 1, text.count)
      if level == 0 { return String(text[start..<position - 1]) }
    }
    problems.append("a group in a formula is not closed by \(close)")
    return String(text[start...])
  }

  // MARK: Rows

  /// Atoms up to a token for which `isEnd` holds, or which cannot stand here.
  mutating func row(until isEnd: (Token) -> Bool) -> [Atom] {
    var atoms: [Atom] = []
    depth += 1
    defer { depth -= 1 }
    while let token = peek(), !isEnd(token) {
      switch token {
      case .close, .column, .newline, .command("right"), .command("end"), .command("middle"): return atoms
      case .command("displaystyle"), .command("textstyle"):
        _ = next()
        let rest = row(until: isEnd)
        let flag = token == .command("displaystyle")
        return atoms + [Atom(markup: "<mstyle displaystyle=\"\(flag)\">\(rest.map(\.markup).joined())</mstyle>")]
      default:
        guard let atom = scripted(after: atoms.last) else { return atoms }
        append(atom, to: &atoms)
      }
    }
    return atoms
  }

  /// Adds an atom with the thin spaces that belong around a function's name.
  private mutating func append(_ atom: Atom, to atoms: inout [Atom]) {
    let thin = Atom(markup: "<mspace width=\"0.17em\"/>", kind: .space)
    if let last = atoms.last {
      let isOperand = atom.kind == .ordinary || atom.kind == .function
      if last.kind == .function && isOperand { atoms.append(thin) }
      if atom.kind == .function && (last.kind == .ordinary || last.kind == .closing) { atoms.append(thin) }
    }
    atoms.append(atom)
  }

  /// One atom with its scripts.
  private mutating func scripted(after previous: Atom?) -> Atom? {
    guard depth < 60 else {
      problems.append("a formula is nested too deeply")
      position = text.count
      return nil
    }
    guard let token = next() else { return nil }
    var base = atom(token, after: previous)
    var below: String?
    var above: String?
    var primes = ""
    scripts: while let token = peek() {
      switch token {
      case .command("limits"): base.takesLimits = true
      case .command("nolimits"): base.takesLimits = false
      case .prime: primes += "′"
      case .superscript where above == nil, .subscript where below == nil:
        _ = next()
        if token == .superscript { above = argument() } else { below = argument() }
        continue scripts
      default: break scripts
      }
      _ = next()
    }
    if !primes.isEmpty {
      let prime = "<mo lspace=\"0\" rspace=\"0\">\(primes)</mo>"
      above = above.map { "<mrow>\(prime)\($0)</mrow>" } ?? prime
    }
    return attach(below, above, to: base)
  }

  private func attach(_ below: String?, _ above: String?, to base: Atom) -> Atom {
    let (under, over, both) =
      base.takesLimits ? ("munder", "mover", "munderover") : ("msub", "msup", "msubsup")
    var result = base
    switch (below, above) {
    case (nil, nil): break
    case (let below?, nil): result.markup = "<\(under)>\(base.markup)\(below)</\(under)>"
    case (nil, let above?): result.markup = "<\(over)>\(base.markup)\(above)</\(over)>"
    case (let below?, let above?): result.markup = "<\(both)>\(base.markup)\(below)\(above)</\(both)>"
    }
    if base.kind == .closing || base.kind == .opening, below != nil || above != nil { result.kind = .ordinary }
    return result
  }

  /// What a command applies to: a group, or the next atom alone; always one element.
  mutating func argument() -> String {
    guard let token = next() else {
      problems.append("something is missing at the end of a formula")
      return "<mrow></mrow>"
    }
    if case .character(let digit) = token, digit.isNumber { return "<mn>\(digit)</mn>" }
    guard token != .close else {
      position -= 1
      problems.append("something is missing before } in a formula")
      return "<mrow></mrow>"
    }
    return atom(token, after: nil).markup
  }

  /// The rest of a group whose brace is taken.
  mutating func group() -> Atom {
    let atoms = row { $0 == .close }
    if next() != .close { problems.append("a group in a formula is not closed by }") }
    if atoms.count == 1, atoms[0].kind == .ordinary { return Atom(markup: atoms[0].markup) }
    return Atom(markup: "<mrow>\(atoms.map(\.markup).joined())</mrow>")
  }

  // MARK: Single atoms

  private mutating func atom(_ token: Token, after previous: Atom?) -> Atom {
    switch token {
    case .command(let name): return command(name, after: previous)
    case .character(let character): return self.character(character, after: previous)
    case .open: return group()
    case .superscript, .subscript, .prime:
      position -= 1
      return Atom(markup: "<mrow></mrow>")
    case .close, .column, .newline:
      problems.append("unexpected \(describe(token)) in a formula")
      return Atom(markup: "<mrow></mrow>")
    }
  }

  private mutating func character(_ character: Character, after previous: Atom?) -> Atom {
    if character.isNumber { return number(startingWith: character) }
    if character.isLetter { return Atom(markup: identifier(String(character), in: alphabet)) }
    if character == "=", take(":") { return Symbol("≕", .relation).atom(after: previous) }
    if character == ":", take("=") { return Symbol("≔", .relation).atom(after: previous) }
    let symbol = characterSymbols[character] ?? Symbol(String(character), .ordinary)
    return symbol.atom(after: previous)
  }

  private mutating func number(startingWith first: Character) -> Atom {
    var digits = String(first)
    while position < text.count {
      let isPoint = text[position] == "." && position + 1 < text.count && text[position + 1].isNumber
      guard text[position].isNumber || isPoint else { break }
      digits.append(text[position])
      position += 1
    }
    return Atom(markup: "<mn>\(digits.map { alphabet.styled($0) }.joined())</mn>")
  }

  private func describe(_ token: Token) -> String {
    switch token {
    case .command(let name): "\\\(name)"
    case .character(let character): "\(character)"
    case .open: "{"
    case .close: "}"
    case .superscript: "^"
    case .subscript: "_"
    case .prime: "'"
    case .column: "&"
    case .newline: "\\\\"
    }
  }
}
