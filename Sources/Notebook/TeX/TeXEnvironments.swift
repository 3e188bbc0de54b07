extension TeXParser {
  /// `\begin{…} … \end{…}`, whose name is next.
  mutating func environment() -> Atom {
    let name = rawGroup() ?? ""
    var columns = ""
    if name == "array" { columns = (rawGroup() ?? "").filter { "lcr".contains($0) } }
    let rows = tableRows()
    if peek() == .command("end") {
      _ = next()
      let ended = rawGroup() ?? ""
      if ended != name { problems.append("\\begin{\(name)} is ended by \\end{\(ended)}") }
    } else {
      problems.append("\\begin{\(name)} has no \\end{\(name)}")
    }
    return table(rows, named: name, columns: columns)
  }

  /// Rows written without `\begin` and `\end`.
  mutating func environmentBody(named name: String, rows text: String) -> Atom {
    var inner = TeXParser(text)
    let rows = inner.tableRows()
    problems += inner.problems
    return table(rows, named: name, columns: "")
  }

  private mutating func tableRows() -> [[String]] {
    var rows: [[String]] = [[]]
    while true {
      let cell = row { _ in false }.map(\.markup).joined()
      rows[rows.count - 1].append(cell)
      switch peek() {
      case .column:
        _ = next()
      case .newline:
        _ = next()
        if peek() == .character("[") { _ = rawGroup("[", "]") }
        rows.append([])
      default:
        if rows.count > 1, rows.last?.allSatisfy(\.isEmpty) == true { rows.removeLast() }
        return rows
      }
    }
  }

  private mutating func table(_ rows: [[String]], named name: String, columns: String) -> Atom {
    let base = name.hasSuffix("*") ? String(name.dropLast()) : name
    let fences: (String, String)
    var kind = "matrix"
    switch base {
    case "aligned", "align", "split", "alignedat", "eqnarray": (fences, kind) = (("", ""), "aligned")
    case "gathered", "gather", "equation", "matrix", "array", "smallmatrix", "substack": fences = ("", "")
    case "cases": (fences, kind) = (("{", ""), "cases")
    case "pmatrix": fences = ("(", ")")
    case "bmatrix": fences = ("[", "]")
    case "Bmatrix": fences = ("{", "}")
    case "vmatrix": fences = ("|", "|")
    case "Vmatrix": fences = ("‖", "‖")
    default:
      fences = ("", "")
      problems.append("the TeX environment \(name) is not known and is shown as a plain table")
    }
    let alignment = Array(columns)
    let body = rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let side = column < alignment.count ? alignment[column] : Self.side(of: column, kind)
        return "<mtd class=\"\(kind == "aligned" ? "a" : "")\(side)\">\(cell)</mtd>"
      }
      return "<mtr>\(cells.joined())</mtr>"
    }
    let isDisplayed = kind == "aligned" || ["gathered", "gather", "equation"].contains(base)
    let table = "<mtable\(isDisplayed ? " displaystyle=\"true\"" : "")>\(body.joined())</mtable>"
    return Atom(markup: "<mrow>\(fence(fences.0, "prefix"))\(table)\(fence(fences.1, "postfix"))</mrow>")
  }

  private static func side(of column: Int, _ kind: String) -> Character {
    switch kind {
    case "aligned": column % 2 == 0 ? "r" : "l"
    case "cases": "l"
    default: "c"
    }
  }

  private func fence(_ text: String, _ form: String) -> String {
    text.isEmpty ? "" : "<mo form=\"\(form)\" stretchy=\"true\">\(text)</mo>"
  }
}
