/// Emphasis, code, links and formulas within a block of text.
struct InlineScanner {
  private(set) var problems: [(line: Int, text: String)] = []
  private let text: [Character]
  private let firstLine: Int
  private var position = 0
  private var depth = 0

  init(_ text: String, line: Int) {
    self.text = Array(text)
    firstLine = line
  }

  private init(_ text: [Character], line: Int, depth: Int) {
    self.text = text
    firstLine = line
    self.depth = depth
  }

  private var line: Int { firstLine + text[..<min(position, text.count)].count { $0 == "\n" } }

  /// The whole text.
  mutating func html() -> String {
    var result = ""
    while position < text.count {
      if let element = element() {
        result += element
      } else {
        result += isApostrophe ? "’" : escaped(String(text[position]))
        position += 1
      }
    }
    return result
  }

  private var isApostrophe: Bool { text[position] == "'" && position > 0 && text[position - 1].isLetter }

  /// The element that begins here, if one does.
  private mutating func element() -> String? {
    switch text[position] {
    case "\\": return escape()
    case "`": return code()
    case "$": return formula()
    case "*", "_": return emphasis()
    case "[": return link()
    case "<": return address()
    default: return nil
    }
  }

  private mutating func escape() -> String? {
    guard position + 1 < text.count, text[position + 1].isPunctuation || text[position + 1].isSymbol else { return nil }
    defer { position += 2 }
    return escaped(String(text[position + 1]))
  }

  private mutating func code() -> String? {
    let ticks = run(of: "`", at: position)
    guard let end = find(String(repeating: "`", count: ticks), from: position + ticks) else { return nil }
    let content = String(text[position + ticks..<end]).replacing("\n", with: " ")
    position = end + ticks
    return "<code>\(escaped(ticks > 1 ? content.trimmingSpaces : content))</code>"
  }

  private mutating func formula() -> String? {
    let isDisplayed = position + 1 < text.count && text[position + 1] == "$"
    let width = isDisplayed ? 2 : 1
    guard let end = isDisplayed ? find("$$", from: position + 2) : Self.closingDollar(in: text, from: position) else {
      problems.append((line, "a $ has no partner; write \\$ for the character itself"))
      position += width
      return isDisplayed ? "$$" : "$"
    }
    let markup = MathMarkup(tex: String(text[position + width..<end]), isDisplayed: isDisplayed)
    problems += markup.problems.map { (line, $0) }
    position = end + width
    return isDisplayed ? "<span class=\"equation\">\(markup.html)</span>" : withPunctuation(markup.html)
  }

  /// A formula together with the punctuation that follows it, which must not begin a line.
  private mutating func withPunctuation(_ formula: String) -> String {
    let marks = String(text[position...].prefix { ".,;:!?)".contains($0) })
    guard !marks.isEmpty else { return formula }
    position += marks.count
    return "<span class=\"together\">\(formula)\(marks)</span>"
  }

  /// The dollar that ends a formula: no space stands inside either of the two, and no digit after the second.
  private static func closingDollar(in text: [Character], from start: Int) -> Int? {
    guard start + 1 < text.count, !text[start + 1].isWhitespace else { return nil }
    var index = start + 1
    while index < text.count {
      if text[index] == "\\" {
        index += 1
      } else if text[index] == "$" {
        let isFollowedByDigit = index + 1 < text.count && text[index + 1].isNumber
        return text[index - 1].isWhitespace || isFollowedByDigit ? nil : index
      }
      index += 1
    }
    return nil
  }

  private mutating func emphasis() -> String? {
    let mark = text[position]
    let width = min(run(of: mark, at: position), 2)
    let start = position + width
    let isWithinWord = mark == "_" && position > 0 && (text[position - 1].isLetter || text[position - 1].isNumber)
    guard depth < 8, !isWithinWord, start < text.count, !text[start].isWhitespace,
      let end = closing(mark, width: width, from: start), end > start
    else {
      defer { position = start }
      return String(repeating: mark, count: width)
    }
    var inner = InlineScanner(Array(text[start..<end]), line: line, depth: depth + 1)
    let content = inner.html()
    problems += inner.problems
    position = end + width
    return width == 2 ? "<strong>\(content)</strong>" : "<em>\(content)</em>"
  }

  /// Where marks end an emphasis, outside code and formulas.
  private func closing(_ mark: Character, width: Int, from start: Int) -> Int? {
    var index = start
    while index < text.count {
      switch text[index] {
      case "\\": index += 1
      case "`": index = find("`", from: index + 1) ?? index
      case "$": index = Self.closingDollar(in: text, from: index) ?? index
      case mark:
        let count = run(of: mark, at: index)
        let after = index + count
        let isWordAfter = mark == "_" && after < text.count && (text[after].isLetter || text[after].isNumber)
        if count >= width, count != 2 || width == 2, !text[index - 1].isWhitespace, !isWordAfter {
          return after - width
        }
        index = after - 1
      default: break
      }
      index += 1
    }
    return nil
  }

  private mutating func link() -> String? {
    guard let middle = find("](", from: position + 1), let end = find(")", from: middle + 2),
      !text[position + 1..<middle].contains("[")
    else { return nil }
    let target = String(text[middle + 2..<end]).trimmingSpaces
    guard let reference = Self.safe(target) else {
      problems.append((line, "the link to \(target) is shown as text: only http, https, # and file names are linked"))
      return nil
    }
    var inner = InlineScanner(Array(text[position + 1..<middle]), line: line, depth: depth + 1)
    let content = inner.html()
    problems += inner.problems
    position = end + 1
    return "<a href=\"\(escaped(reference))\">\(content)</a>"
  }

  private mutating func address() -> String? {
    guard let end = find(">", from: position + 1) else { return nil }
    let target = String(text[position + 1..<end])
    guard target.hasPrefix("https://") || target.hasPrefix("http://"), !target.contains(" ") else { return nil }
    position = end + 1
    return "<a href=\"\(escaped(target))\">\(escaped(target))</a>"
  }

  /// A link's target if nothing in it can run.
  private static func safe(_ target: String) -> String? {
    if target.contains(where: { $0.isWhitespace || "<>\"".contains($0) }) { return nil }
    let scheme = target.prefix { $0 != ":" && $0 != "/" && $0 != "#" && $0 != "?" }
    let hasScheme = scheme.count < target.count && target[scheme.endIndex] == ":"
    return hasScheme && !["http", "https"].contains(scheme.lowercased()) ? nil : target
  }

  private func run(of mark: Character, at start: Int) -> Int { text[start...].prefix { $0 == mark }.count }

  private func find(_ pattern: String, from start: Int) -> Int? {
    let pattern = Array(pattern)
    guard start >= 0, start + pattern.count <= text.count else { return nil }
    return (start...text.count - pattern.count).first { text[$0..<$0 + pattern.count].elementsEqual(pattern) }
  }
}
