import Exercises
import Foundation

extension Statistics {
  /// A table to read in a terminal.
  public var table: String {
    var lines = ["\(students) \(students == 1 ? "student" : "students")"]
    for exercise in exercises {
      let points = exercise.meanPoints.map { "\(fixed($0, 2)) of \(fixed(exercise.maximum, 0)) points on average" }
      let parts = [
        points ?? "nobody graded", "all passed by \(percent(exercise.passRate))",
        "discrimination \(signed(exercise.discrimination))",
      ]
      let missing = exercise.notGraded == 0 ? "" : "; \(exercise.notGraded) not graded"
      lines += ["", "\(exercise.id)  \(exercise.title)", "  \(parts.joined(separator: "; "))\(missing)"]
      lines.append("    passed  discr.  case")
      lines += exercise.cases.map { one in
        let others = one.statuses.filter { $0.key != CaseStatus.passed.rawValue }.sorted {
          ($1.value, $0.key) < ($0.value, $1.key)
        }
        let rest = others.isEmpty ? "" : "  (" + others.map { "\($0.value) \($0.key)" }.joined(separator: ", ") + ")"
        return "    \(padded(percent(one.passRate), 6))  \(padded(signed(one.discrimination), 6))  \(one.title)\(rest)"
      }
      if !exercise.mistakes.isEmpty { lines.append("    known mistakes") }
      lines += exercise.mistakes.map { "    \(padded("\($0.count)", 6))  \($0.sentence)" }
    }
    return (lines + ["", Self.discriminationNote]).joined(separator: "\n")
  }

  /// One line for each case, and one for each exercise with an empty case.
  public var csv: String {
    let statuses = CaseStatus.allCases.map(\.rawValue)
    let header =
      ["exercise", "case", "graded", "maximum", "mean points", "pass rate", "discrimination"] + statuses + ["mistakes"]
    var rows = [header]
    for exercise in exercises {
      rows.append(
        [
          exercise.id, "", "\(exercise.graded)", number(exercise.maximum), number(exercise.meanPoints),
          number(exercise.passRate), number(exercise.discrimination),
        ] + statuses.map { _ in "" } + [text(exercise.mistakes)])
      rows += exercise.cases.map { one in
        [
          exercise.id, one.title, "\(one.graded)", "", "", number(one.passRate), number(one.discrimination),
        ] + statuses.map { "\(one.statuses[$0] ?? 0)" } + [text(one.mistakes)]
      }
    }
    return rows.map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
  }

  /// Everything, with sorted keys.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data([0x0a])
  }

  private func text(_ mistakes: [MistakeCount]) -> String {
    mistakes.map { "\($0.count) × \($0.sentence)" }.joined(separator: "; ")
  }

  /// A field of a table, in which no spreadsheet finds a formula.
  private func field(_ text: String) -> String {
    let isNumber = Double(text) != nil
    let safe = !isNumber && "=+-@\t\r".contains(text.first ?? " ") ? "'" + text : text
    return safe.contains { ",\"\r\n".contains($0) } ? "\"\(safe.replacing("\"", with: "\"\""))\"" : safe
  }

  private func number(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "" }
  private func percent(_ value: Double?) -> String { value.map { "\(fixed(100 * $0, 0)) %" } ?? "-" }
  private func signed(_ value: Double?) -> String { value.map { String(format: "%+.2f", $0) } ?? "-" }
  private func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
