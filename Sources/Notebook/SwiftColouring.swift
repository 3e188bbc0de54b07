/// Colours Swift code by a small lexer: comments, texts, numbers, keywords, types, attributes, calls.
struct SwiftColouring {
  /// The code as HTML, line ends kept, classes `c s n k t a f`.
  private(set) var html = ""
  private let text: [Character]
  private var position = 0

  init(_ code: String) {
    text = Array(code)
    while position < text.count { token() }
  }

  private mutating func token() {
    let character = text[position]
    if starts(with: "//") { return emit("c", until: { $0.isNewline }) }
    if starts(with: "/*") { return blockComment() }
    if character == "\"" || (character == "#" && opensRawText) { return string() }
    if character.isNumber { return number() }
    if character == "@" || (character == "#" && isLetter(at: position + 1)) { return attribute() }
    if character.isLetter || character == "_" || character == "`" { return word() }
    html += escaped(String(character))
    position += 1
  }

  private mutating func word() {
    let start = position
    while position < text.count, text[position].isLetter || text[position].isNumber || "_`".contains(text[position]) {
      position += 1
    }
    let word = String(text[start..<position])
    let isMember = start > 0 && text[start - 1] == "."
    if keywords.contains(word), !isMember || ["self", "init", "Type"].contains(word) {
      span("k", word)
    } else if word.first?.isUppercase == true {
      span("t", word)
    } else if position < text.count, text[position] == "(" {
      span("f", word)
    } else {
      html += escaped(word)
    }
  }

  private mutating func number() {
    let start = position
    while position < text.count {
      let isPoint = text[position] == "." && position + 1 < text.count && text[position + 1].isNumber
      let isSign =
        "+-".contains(text[position]) && "eE".contains(text[position - 1]) && !text[start...].starts(with: "0x")
      guard text[position].isLetter || text[position].isNumber || text[position] == "_" || isPoint || isSign else {
        break
      }
      position += 1
    }
    span("n", String(text[start..<position]))
  }

  private mutating func attribute() {
    let start = position
    position += 1
    while position < text.count, text[position].isLetter || text[position].isNumber { position += 1 }
    span("a", String(text[start..<position]))
  }

  private mutating func blockComment() {
    let start = position
    var level = 0
    repeat {
      if starts(with: "/*") {
        level += 1
        position += 2
      } else if starts(with: "*/") {
        level -= 1
        position += 2
      } else {
        position += 1
      }
    } while level > 0 && position < text.count
    position = min(position, text.count)
    span("c", String(text[start..<position]))
  }

  /// A text with its interpolations, which are code again.
  private mutating func string() {
    let hashes = text[position...].prefix { $0 == "#" }.count
    let start = position
    position += hashes
    let quotes = starts(with: "\"\"\"") ? 3 : 1
    position += quotes
    let end = String(repeating: "\"", count: quotes) + String(repeating: "#", count: hashes)
    let escape = "\\" + String(repeating: "#", count: hashes)
    var shown = start
    while position < text.count, !starts(with: end) {
      if starts(with: escape + "(") {
        position += escape.count + 1
        span("s", String(text[shown..<position]))
        interpolation()
        shown = position
      } else if starts(with: escape) {
        position = min(position + escape.count + 1, text.count)
      } else if quotes == 1, text[position].isNewline {
        break
      } else {
        position += 1
      }
    }
    if starts(with: end) { position += end.count }
    span("s", String(text[shown..<position]))
  }

  private mutating func interpolation() {
    var level = 1
    while position < text.count {
      if text[position] == "(" { level += 1 }
      if text[position] == ")" { level -= 1 }
      if level == 0 || text[position].isNewline { return }
      token()
    }
  }

  private var opensRawText: Bool {
    let hashes = text[position...].prefix { $0 == "#" }.count
    return position + hashes < text.count && text[position + hashes] == "\""
  }

  private func isLetter(at index: Int) -> Bool { index < text.count && text[index].isLetter }

  private func starts(with pattern: String) -> Bool { text[position...].starts(with: pattern) }

  private mutating func emit(_ name: String, until isEnd: (Character) -> Bool) {
    let start = position
    while position < text.count, !isEnd(text[position]) { position += 1 }
    span(name, String(text[start..<position]))
  }

  /// A coloured piece; one that crosses lines is cut at their ends, so that lines can be put into elements.
  private mutating func span(_ name: String, _ content: String) {
    let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
    html += lines.map { $0.isEmpty ? "" : "<span class=\"\(name)\">\(escaped($0))</span>" }.joined(separator: "\n")
  }
}

private let keywords: Set<String> = [
  "actor", "any", "as", "associatedtype", "async", "await", "break", "case", "catch", "class", "continue",
  "convenience",
  "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "final",
  "for",
  "func", "get", "guard", "if", "import", "in", "indirect", "init", "inout", "internal", "is", "lazy", "let",
  "mutating",
  "nil", "nonisolated", "open", "operator", "override", "package", "private", "protocol", "public", "repeat",
  "required",
  "rethrows", "return", "self", "Self", "set", "some", "static", "struct", "subscript", "super", "switch", "throw",
  "throws", "true", "try", "typealias", "unowned", "var", "weak", "where", "while",
]
