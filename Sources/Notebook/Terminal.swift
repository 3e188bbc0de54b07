import Foundation

/// Where the story is told while a lesson runs: a terminal, or a pipe that gets plain lines.
struct Terminal: Sendable {
  /// Whether lines may be redrawn and coloured.
  var isInteractive: Bool
  /// Whether colours of 24 bits are shown.
  var hasTrueColour: Bool
  /// Characters in a line.
  var width: Int
  /// Puts out text and lets it be seen at once.
  var write: @Sendable (String) -> Void

  /// Standard output as it is now; `NO_COLOR` and `TERM=dumb` ask for plain lines.
  static func standard() -> Terminal {
    let environment = ProcessInfo.processInfo.environment
    let isPlain = environment["NO_COLOR"]?.isEmpty == false || environment["TERM"] == "dumb"
    let isInteractive = isatty(STDOUT_FILENO) == 1 && !isPlain
    let colours = environment["COLORTERM"] ?? ""
    return Terminal(
      isInteractive: isInteractive, hasTrueColour: isInteractive && ["truecolor", "24bit"].contains(colours),
      width: columns()
    ) { text in
      Swift.print(text, terminator: "")
      fflush(nil)
    }
  }

  private static func columns() -> Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
    return Int(size.ws_col)
  }

  /// A text in bold, where that is possible.
  func bold(_ text: String) -> String { isInteractive ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// A text in a fainter shade, where that is possible.
  func faint(_ text: String) -> String { isInteractive ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}

/// A table with its text ready: the same for the terminal and for the page.
struct TableContent: Sendable {
  var headers: [String]
  var rows: [[String]]
  /// Whether a column holds numbers, which are aligned on the right.
  var isNumeric: [Bool]
  var caption: String?

  init(headers: [String], rows values: [[Any]], caption: String? = nil) {
    let cells = values.map { row in row.map { cellText($0) } }
    let count = max(headers.count, cells.map(\.count).max() ?? 0)
    self.headers = headers + Array(repeating: "", count: count - headers.count)
    rows = cells.map { row in row.map(\.text) + Array(repeating: "", count: count - row.count) }
    isNumeric = (0..<count).map { column in
      let present = cells.filter { $0.count > column }
      return !present.isEmpty && present.allSatisfy { $0[column].isNumber }
    }
    self.caption = caption
  }

  /// The table in characters, columns aligned.
  var text: String {
    let all = (headers.allSatisfy(\.isEmpty) ? [] : [headers]) + rows
    let widths = isNumeric.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    func line(_ row: [String]) -> String {
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return isNumeric[column] ? padding + row[column] : row[column] + padding
      }
      let text = "  " + cells.joined(separator: "   ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    var lines = all.map(line)
    if !headers.allSatisfy(\.isEmpty) {
      lines.insert("  " + widths.map { String(repeating: "─", count: $0) }.joined(separator: "   "), at: 1)
    }
    return (caption.map { [$0] } ?? []).joined() + (caption == nil ? "" : "\n") + lines.joined(separator: "\n")
  }
}
