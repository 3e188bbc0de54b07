/// What a character or a command without arguments stands for.
struct Symbol: Sendable {
  enum Kind { case ordinary, identifier, binary, relation, large, integral, opening, closing, punctuation, arrow }

  /// The character, escaped for HTML.
  let text: String
  let kind: Kind

  init(_ text: String, _ kind: Kind) {
    self.text = escaped(text)
    self.kind = kind
  }

  /// The symbol's element, given what stands before it.
  func atom(after previous: Atom?) -> Atom {
    switch kind {
    case .identifier: return Atom(markup: "<mi mathvariant=\"normal\">\(text)</mi>")
    case .ordinary: return Atom(markup: "<mo stretchy=\"false\" lspace=\"0\" rspace=\"0\">\(text)</mo>")
    case .binary:
      let isPrefix = previous?.precedesPrefix ?? true
      return Atom(
        markup: isPrefix ? "<mo form=\"prefix\" lspace=\"0\" rspace=\"0\">\(text)</mo>" : "<mo>\(text)</mo>",
        kind: .binary)
    case .relation, .arrow:
      return Atom(markup: "<mo stretchy=\"false\" lspace=\"0.28em\" rspace=\"0.28em\">\(text)</mo>", kind: .relation)
    case .large:
      return Atom(
        markup: "<mo movablelimits=\"true\" largeop=\"true\">\(text)</mo>", kind: .function, takesLimits: true)
    case .integral: return Atom(markup: "<mo largeop=\"true\">\(text)</mo>", kind: .function)
    case .opening: return Atom(markup: "<mo form=\"prefix\" stretchy=\"false\">\(text)</mo>", kind: .opening)
    case .closing: return Atom(markup: "<mo form=\"postfix\" stretchy=\"false\">\(text)</mo>", kind: .closing)
    case .punctuation: return Atom(markup: "<mo separator=\"true\">\(text)</mo>", kind: .punctuation)
    }
  }
}

/// A mark above or below.
struct Accent: Sendable {
  let mark: String
  var isWide = false
  var isBelow = false
}

let characterSymbols: [Character: Symbol] = [
  "+": Symbol("+", .binary), "-": Symbol("−", .binary), "*": Symbol("∗", .binary), "/": Symbol("/", .ordinary),
  "=": Symbol("=", .relation), "<": Symbol("<", .relation), ">": Symbol(">", .relation), ":": Symbol(":", .relation),
  "(": Symbol("(", .opening), ")": Symbol(")", .closing), "[": Symbol("[", .opening), "]": Symbol("]", .closing),
  "|": Symbol("|", .ordinary), ",": Symbol(",", .punctuation), ";": Symbol(";", .punctuation),
  "!": Symbol("!", .closing), "?": Symbol("?", .closing), ".": Symbol(".", .ordinary), "\"": Symbol("″", .ordinary),
]

/// Commands that stand for one character.
let commandSymbols: [String: Symbol] = {
  var table: [String: Symbol] = [:]
  for (kind, entries) in symbolLists {
    let words = entries.split(whereSeparator: \.isWhitespace)
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      table[String(words[index])] = Symbol(String(words[index + 1]), kind)
    }
  }
  return table
}()

/// Names and characters by turns.
private let symbolLists: [(Symbol.Kind, String)] = [
  (
    .identifier,
    """
    Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω infty ∞ partial ∂ nabla ∇ ell ℓ
    hbar ℏ emptyset ∅ varnothing ∅ forall ∀ exists ∃ neg ¬ lnot ¬ top ⊤ bot ⊥ Re ℜ Im ℑ aleph ℵ angle ∠ triangle △
    ldots … dots … cdots ⋯ vdots ⋮ ddots ⋱ dotsc … dotsb ⋯ dotsm ⋯ prime ′ degree ° checkmark ✓ square □ # # % % $ $
    """
  ),
  (
    .ordinary,
    "_ _ & & vert | | ‖ Vert ‖ backslash \\ colon : lbrack [ rbrack ] cdotp ·"
  ),
  (
    .binary,
    """
    times × cdot ⋅ div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • cap ∩ cup ∪ setminus ∖ oplus ⊕ ominus ⊖ otimes ⊗
    odot ⊙ wedge ∧ land ∧ vee ∨ lor ∨ dagger † amalg ⨿ sqcup ⊔ uplus ⊎
    """
  ),
  (
    .relation,
    """
    le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ equiv ≡ approx ≈ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ ni ∋
    subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ mid | parallel ∥ perp ⊥ vdash ⊢ models ⊨ coloneqq ≔ triangleq ≜ doteq ≐
    asymp ≍ prec ≺ succ ≻ preceq ⪯ succeq ⪰ lesssim ≲ gtrsim ≳ nmid ∤
    """
  ),
  (
    .arrow,
    """
    to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ iff ⟺
    mapsto ↦ longrightarrow ⟶ longleftarrow ⟵ longmapsto ⟼ uparrow ↑ downarrow ↓ hookrightarrow ↪ leadsto ⇝
    nearrow ↗ searrow ↘ rightleftharpoons ⇌
    """
  ),
  (
    .large,
    "sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ bigwedge ⋀ bigvee ⋁ bigodot ⨀"
  ),
  (.integral, "int ∫ iint ∬ iiint ∭ oint ∮"),
  (.opening, "{ { lbrace { langle ⟨ lfloor ⌊ lceil ⌈ lvert | lVert ‖ llbracket ⟦"),
  (.closing, "} } rbrace } rangle ⟩ rfloor ⌋ rceil ⌉ rvert | rVert ‖ rrbracket ⟧"),
]

/// Greek small letters, which are slanted like other letters.
let greekLetters: [String: Character] = {
  let names = """
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ nu ν
    xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω
    imath ı jmath ȷ
    """.split(whereSeparator: \.isWhitespace)
  return Dictionary(
    uniqueKeysWithValues: stride(from: 0, to: names.count, by: 2).map {
      (String(names[$0]), Character(String(names[$0 + 1])))
    })
}()

/// Functions by their commands, as they are shown.
let functionNames: [String: String] = {
  let same = """
    log ln lg exp sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan det dim ker deg gcd hom max min sup inf
    lim Pr arg
    """.split(whereSeparator: \.isWhitespace).map(String.init)
  let others = [
    "argmax": "arg\u{2009}max", "argmin": "arg\u{2009}min", "limsup": "lim\u{2009}sup", "liminf": "lim\u{2009}inf",
    "bmod": "mod", "mod": "mod",
  ]
  return others.merging(same.map { ($0, $0) }) { first, _ in first }
}()

/// Functions whose subscript goes below in a displayed formula.
let limitFunctions: Set<String> = [
  "max", "min", "sup", "inf", "lim", "limsup", "liminf", "argmax", "argmin", "det", "gcd", "Pr",
]

/// Spaces by their commands.
let spaceWidths: [String: String] = [
  ",": "0.17em", ":": "0.22em", ">": "0.22em", ";": "0.28em", "!": "-0.17em", " ": "0.25em", "quad": "1em",
  "qquad": "2em", "enspace": "0.5em", "thinspace": "0.17em", "medspace": "0.22em", "thickspace": "0.28em",
]

/// Accents by their commands.
let accents: [String: Accent] = [
  "hat": Accent(mark: "^"), "widehat": Accent(mark: "^", isWide: true), "tilde": Accent(mark: "~"),
  "widetilde": Accent(mark: "~", isWide: true), "bar": Accent(mark: "¯"), "vec": Accent(mark: "→"),
  "dot": Accent(mark: "˙"), "ddot": Accent(mark: "¨"), "check": Accent(mark: "ˇ"), "breve": Accent(mark: "˘"),
  "overline": Accent(mark: "¯", isWide: true), "underline": Accent(mark: "_", isWide: true, isBelow: true),
  "overrightarrow": Accent(mark: "→", isWide: true), "overleftarrow": Accent(mark: "←", isWide: true),
]

/// Delimiters of fixed sizes.
let delimiterSizes: [String: (em: String, kind: Atom.Kind)] = {
  let sizes = [("big", "1.2em"), ("Big", "1.8em"), ("bigg", "2.4em"), ("Bigg", "3em")]
  let sides: [(String, Atom.Kind)] = [("", .ordinary), ("l", .opening), ("r", .closing), ("m", .relation)]
  var table: [String: (em: String, kind: Atom.Kind)] = [:]
  for (name, em) in sizes { for (side, kind) in sides { table[name + side] = (em, kind) } }
  return table
}()
