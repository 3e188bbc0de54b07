import Foundation

/// A cell of a lesson's `main.swift`: prose or code between two markers.
struct Cell: Equatable {
  enum Kind { case prose, code }

  var kind: Kind
  /// The number of its first line after the marker.
  var firstLine: Int
  /// Its lines; for prose, without the comment marks.
  var lines: [String]

  /// The cell's text without empty lines at either end.
  var text: String {
    let isBlank: (String) -> Bool = { $0.allSatisfy(\.isWhitespace) }
    return Array(lines.drop(while: isBlank).reversed().drop(while: isBlank).reversed()).joined(separator: "\n")
  }

  /// The lines with their numbers.
  var prose: [ProseLine] {
    lines.enumerated().map { ProseLine(number: firstLine + $0, text: $1) }
  }
}

/// A file cut at its markers `// %%` and `// %% [markdown]`.
struct CellFile {
  private(set) var cells: [Cell] = []
  private(set) var problems: [(line: Int, text: String)] = []

  init(_ source: String) {
    var current = Cell(kind: .code, firstLine: 1, lines: [])
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.hasSuffix("\r") ? String(line.dropLast()) : String(line)
      if let kind = marker(line, number: index + 1) {
        cells.append(current)
        current = Cell(kind: kind, firstLine: index + 2, lines: [])
      } else if current.kind == .code {
        current.lines.append(line)
      } else if let prose = Self.prose(line) {
        current.lines.append(prose)
      } else {
        problems.append((index + 1, "code within a cell of prose; put // %% above it"))
        cells.append(current)
        current = Cell(kind: .code, firstLine: index + 1, lines: [line])
      }
    }
    cells.append(current)
    cells.removeAll { $0.text.isEmpty }
    moveImports()
  }

  /// Puts imports that stand above the title into the first cell of code below it.
  private mutating func moveImports() {
    guard cells.count > 2, cells[0].kind == .code, cells[1].kind == .prose,
      cells[0].lines.allSatisfy({ $0.hasPrefix("import ") || $0.hasPrefix("//") || $0.trimmingSpaces.isEmpty }),
      let next = cells.firstIndex(where: { $0.kind == .code && $0 != cells[0] })
    else { return }
    cells[next].lines = cells[0].text.split(separator: "\n").map(String.init) + [""] + cells[next].lines
    cells.removeFirst()
  }

  /// The index of the cell with a line: the last that begins at or before it.
  func cell(at line: Int) -> Int? { cells.lastIndex { $0.firstLine <= line } ?? (cells.isEmpty ? nil : 0) }

  /// The kind of cell a marker begins; a misspelt marker is taken for what was meant, and noted.
  private mutating func marker(_ line: String, number: Int) -> Cell.Kind? {
    let text = line.trimmingSpaces
    guard text.hasPrefix("//") else { return nil }
    let rest = text.drop { $0 == "/" }
    let mark = rest.drop { $0 == " " }
    let percents = mark.prefix { $0 == "%" }.count
    let words = mark.dropFirst(percents).trimmingSpaces
    guard percents == 2 || (percents == 1 && (words.isEmpty || words.hasPrefix("["))) || percents > 2 else {
      return nil
    }
    let isProse = ["[m", "markd", "(m"].contains { words.lowercased().hasPrefix($0) }
    if text != "// %%" && text != "// %% [markdown]" {
      problems.append((number, "the marker \(text) is taken for // %%\(isProse ? " [markdown]" : "")"))
    }
    return isProse ? .prose : .code
  }

  /// A line of prose without its comment mark; `nil` if it is code.
  private static func prose(_ line: String) -> String? {
    let text = line.drop { $0 == " " }
    if text.isEmpty { return "" }
    guard text.hasPrefix("//") else { return nil }
    let content = text.dropFirst(2)
    return String(content.hasPrefix(" ") ? content.dropFirst() : content)
  }
}
