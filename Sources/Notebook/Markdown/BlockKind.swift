/// What kind of block begins at a line of prose.
enum BlockKind: Equatable {
  case paragraph
  case heading(level: Int)
  case rule
  case fence(String)
  case equation
  case quote
  case table
  case item(isOrdered: Bool, width: Int)

  init(of line: ProseLine, next: ProseLine?) {
    let text = line.trimmed
    let hashes = text.prefix { $0 == "#" }.count
    if (1...6).contains(hashes), text.dropFirst(hashes).first == " " {
      self = .heading(level: hashes)
    } else if text.hasPrefix("```") || text.hasPrefix("~~~") {
      self = .fence(String(text.prefix(3)))
    } else if text.hasPrefix("$$") {
      self = .equation
    } else if text.hasPrefix(">") {
      self = .quote
    } else if Self.isRule(text) {
      self = .rule
    } else if let item = Self.item(text) {
      self = item
    } else if text.contains("|"), let next, Self.isTableRule(next.text) {
      self = .table
    } else {
      self = .paragraph
    }
  }

  private static func isRule(_ text: String) -> Bool {
    let marks = text.filter { !$0.isWhitespace }
    return marks.count >= 3 && (marks.allSatisfy { $0 == "-" } || marks.allSatisfy { $0 == "*" })
  }

  private static func isTableRule(_ text: String) -> Bool {
    text.contains("-") && text.contains("|") && text.allSatisfy { "|-: ".contains($0) }
  }

  private static func item(_ text: String) -> BlockKind? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }.count
    let marker: Int
    if let first = text.first, "-*+".contains(first) {
      marker = 1
    } else if (1...4).contains(digits), let mark = text.dropFirst(digits).first, ".)".contains(mark) {
      marker = digits + 1
    } else {
      return nil
    }
    let spaces = text.dropFirst(marker).prefix { $0 == " " }.count
    guard spaces > 0 else { return nil }
    return .item(isOrdered: digits > 0, width: marker + (spaces > 4 ? 1 : spaces))
  }
}
