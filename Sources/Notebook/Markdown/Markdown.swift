/// A line of prose, with its number in the source file.
struct ProseLine {
  var number: Int
  var text: String

  var isBlank: Bool { text.allSatisfy(\.isWhitespace) }
  var indent: Int { text.prefix { $0 == " " }.count }
  var trimmed: String { String(text.drop { $0 == " " }) }
}

/// A heading, for the table of contents.
struct Heading: Equatable {
  var level: Int
  var html: String
  var plain: String
  var id: String
  var line: Int
}

/// Turns the course's subset of Markdown into HTML: headings, paragraphs, lists, tables, quotes, code, mathematics.
///
/// Everything that is not markup of this subset is text; no HTML passes.
struct MarkdownRenderer {
  /// What was not understood, with the line it stands on.
  private(set) var problems: [(line: Int, text: String)] = []
  /// The headings so far.
  private(set) var headings: [Heading] = []
  private var identifiers: Set<String> = []

  /// The lines as HTML blocks.
  mutating func html(_ lines: [ProseLine]) -> String {
    var blocks: [String] = []
    var position = 0
    while position < lines.count {
      if lines[position].isBlank {
        position += 1
      } else {
        blocks.append(block(lines, &position))
      }
    }
    return blocks.joined(separator: "\n")
  }

  private mutating func block(_ lines: [ProseLine], _ position: inout Int) -> String {
    let line = lines[position]
    switch BlockKind(of: line, next: position + 1 < lines.count ? lines[position + 1] : nil) {
    case .heading(let level):
      position += 1
      return heading(line, level: level)
    case .rule:
      position += 1
      return "<hr>"
    case .fence(let fence): return codeBlock(lines, &position, fence: fence)
    case .equation: return equation(lines, &position)
    case .quote: return quote(lines, &position)
    case .table: return table(lines, &position)
    case .item(let isOrdered, _): return list(lines, &position, isOrdered: isOrdered)
    case .paragraph: return paragraph(lines, &position)
    }
  }

  // MARK: Blocks

  private mutating func heading(_ line: ProseLine, level: Int) -> String {
    var text = String(line.trimmed.dropFirst(level)).trimmingSpaces
    while text.hasSuffix("#") { text.removeLast() }
    text = text.trimmingSpaces
    let shown = headings.isEmpty ? level : max(level, 2)
    let words = text.lowercased().split { !($0.isLetter || $0.isNumber) }.joined(separator: "-")
    var id = words.isEmpty ? "section" : words
    while !identifiers.insert(id).inserted { id += "-again" }
    let content = inline(text, line: line.number)
    headings.append(Heading(level: shown, html: content, plain: text, id: id, line: line.number))
    return "<h\(shown) id=\"\(escaped(id))\">\(content)</h\(shown)>"
  }

  private mutating func paragraph(_ lines: [ProseLine], _ position: inout Int) -> String {
    let first = lines[position].number
    var text: [String] = []
    while position < lines.count, !lines[position].isBlank {
      let next = position + 1 < lines.count ? lines[position + 1] : nil
      if !text.isEmpty, BlockKind(of: lines[position], next: next) != .paragraph { break }
      text.append(lines[position].trimmed)
      position += 1
    }
    return "<p>\(inline(text.joined(separator: "\n"), line: first))</p>"
  }

  private mutating func codeBlock(_ lines: [ProseLine], _ position: inout Int, fence: String) -> String {
    let language = lines[position].trimmed.dropFirst(fence.count).lowercased()
    let indent = lines[position].indent
    let start = lines[position].number
    var code: [String] = []
    position += 1
    while position < lines.count, !lines[position].trimmed.hasPrefix(fence) {
      code.append(String(lines[position].text.dropFirst(min(indent, lines[position].indent))))
      position += 1
    }
    if position == lines.count { problems.append((start, "a block of code is not closed by \(fence)")) }
    position += 1
    let text = code.joined(separator: "\n")
    return "<pre class=\"code\"><code>\(language == "swift" ? SwiftColouring(text).html : escaped(text))</code></pre>"
  }

  private mutating func equation(_ lines: [ProseLine], _ position: inout Int) -> String {
    let first = lines[position].number
    var text = String(lines[position].trimmed.dropFirst(2))
    position += 1
    while !text.contains("$$"), position < lines.count, !lines[position].isBlank {
      text += "\n" + lines[position].trimmed
      position += 1
    }
    guard let end = text.range(of: "$$") else {
      problems.append((first, "a displayed formula is not closed by $$"))
      return "<p>\(escaped("$$" + text))</p>"
    }
    let rest = String(text[end.upperBound...]).trimmingSpaces
    let after =
      rest.isEmpty || rest == "." || rest == "," ? "" : "\n<p>\(inline(rest, line: lines[position - 1].number))</p>"
    return formula(String(text[..<end.lowerBound]), isDisplayed: true, line: first) + after
  }

  private mutating func quote(_ lines: [ProseLine], _ position: inout Int) -> String {
    var inner: [ProseLine] = []
    while position < lines.count, lines[position].trimmed.hasPrefix(">") {
      let text = lines[position].trimmed.dropFirst()
      inner.append(
        ProseLine(number: lines[position].number, text: String(text.hasPrefix(" ") ? text.dropFirst() : text)))
      position += 1
    }
    return "<blockquote>\(html(inner))</blockquote>"
  }

  private mutating func list(_ lines: [ProseLine], _ position: inout Int, isOrdered: Bool) -> String {
    let indent = lines[position].indent
    let start = isOrdered ? Int(lines[position].trimmed.prefix { $0.isNumber }) ?? 1 : 1
    var items: [[ProseLine]] = []
    var isLoose = false
    while position < lines.count {
      let line = lines[position]
      if line.isBlank {
        guard let next = lines[position...].first(where: { !$0.isBlank }),
          next.indent > indent || isItem(next, indent, isOrdered)
        else { break }
        isLoose = isLoose || isItem(next, indent, isOrdered)
        items[items.count - 1].append(line)
      } else if isItem(line, indent, isOrdered), case .item(_, let width) = BlockKind(of: line, next: nil) {
        items.append([ProseLine(number: line.number, text: String(line.text.dropFirst(indent + width)))])
      } else if line.indent > indent {
        let removed = min(line.indent, indent + 2 + (isOrdered ? 1 : 0))
        items[items.count - 1].append(ProseLine(number: line.number, text: String(line.text.dropFirst(removed))))
      } else if lines[position - 1].isBlank || BlockKind(of: line, next: nil) != .paragraph {
        break
      } else {
        items[items.count - 1].append(ProseLine(number: line.number, text: line.trimmed))
      }
      position += 1
    }
    let content = items.map { "<li>\(isLoose ? html($0) : tight(html($0)))</li>" }.joined(separator: "\n")
    let tag = isOrdered ? "ol" : "ul"
    return "<\(tag)\(isOrdered && start != 1 ? " start=\"\(start)\"" : "")>\n\(content)\n</\(tag)>"
  }

  private func isItem(_ line: ProseLine, _ indent: Int, _ isOrdered: Bool) -> Bool {
    guard line.indent <= indent + 1, case .item(isOrdered, _) = BlockKind(of: line, next: nil) else { return false }
    return line.indent >= indent
  }

  /// An item's text without the paragraph around it.
  private func tight(_ html: String) -> String {
    guard html.hasPrefix("<p>"), let end = html.range(of: "</p>") else { return html }
    return String(html[html.index(html.startIndex, offsetBy: 3)..<end.lowerBound] + html[end.upperBound...])
  }

  private mutating func table(_ lines: [ProseLine], _ position: inout Int) -> String {
    let header = Self.cells(lines[position].text)
    let alignment = Self.cells(lines[position + 1].text).map { rule in
      rule.hasSuffix(":") ? rule.hasPrefix(":") ? "c" : "r" : "l"
    }
    func row(_ line: ProseLine, _ tag: String) -> String {
      let cells = Self.cells(line.text)
      return "<tr>"
        + header.indices.map { column in
          let side = column < alignment.count ? alignment[column] : "l"
          let scope = tag == "th" ? " scope=\"col\"" : ""
          let content = column < cells.count ? inline(cells[column], line: line.number) : ""
          return "<\(tag)\(scope) class=\"\(side)\">\(content)</\(tag)>"
        }.joined() + "</tr>"
    }
    var html = "<div class=\"table\"><table>\n<thead>\(row(lines[position], "th"))</thead>\n<tbody>"
    position += 2
    while position < lines.count, lines[position].text.contains("|"), !lines[position].isBlank {
      html += row(lines[position], "td") + "\n"
      position += 1
    }
    return html + "</tbody></table></div>"
  }

  /// The cells of a table's line; bars in code, in formulas and after a backslash do not count.
  static func cells(_ line: String) -> [String] {
    var cells = [""]
    var quote: Character?
    var previous: Character = " "
    for character in line.trimmingSpaces {
      if character == "|", quote == nil, previous != "\\" {
        cells.append("")
      } else {
        if character == "|", quote == nil { cells[cells.count - 1].removeLast() }
        if character == "`" || character == "$", previous != "\\" {
          quote = quote == nil ? character : quote == character ? nil : quote
        }
        cells[cells.count - 1].append(character)
      }
      previous = character
    }
    if cells.first?.isEmpty == true { cells.removeFirst() }
    if cells.last?.trimmingSpaces.isEmpty == true { cells.removeLast() }
    return cells.map(\.trimmingSpaces)
  }

  // MARK: Lines of text

  /// Text with its emphasis, code, links and formulas.
  mutating func inline(_ text: String, line: Int) -> String {
    var scanner = InlineScanner(text, line: line)
    let html = scanner.html()
    problems += scanner.problems
    return html
  }

  private mutating func formula(_ tex: String, isDisplayed: Bool, line: Int) -> String {
    let markup = MathMarkup(tex: tex, isDisplayed: isDisplayed)
    problems += markup.problems.map { (line, $0) }
    return "<div class=\"equation\" tabindex=\"0\" role=\"group\" aria-label=\"Equation\">\(markup.html)</div>"
  }
}

extension StringProtocol {
  /// The text without spaces at its ends.
  var trimmingSpaces: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
