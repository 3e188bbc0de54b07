import Exercises
import Foundation

/// Colours, where standard output is a terminal.
struct Style {
  let isColoured: Bool

  static var standard: Style {
    Style(isColoured: isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil)
  }

  func bold(_ text: String) -> String { wrapped(text, "1") }
  func good(_ text: String) -> String { wrapped(text, "32") }
  func bad(_ text: String) -> String { wrapped(text, "31") }
  func faint(_ text: String) -> String { wrapped(text, "2") }

  private func wrapped(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension CheckResult {
  /// What a student reads of it.
  func report(_ style: Style, hasSolutions: Bool) -> String {
    let outline = exercise.recorded.outline
    let count = verdicts.count { $0.status == .passed }
    let score = exercise.isTodo ? "to do" : "\(count) of \(outline.cases.count) cases pass"
    var lines = ["\(style.bold(exercise.id))  \(outline.title)  \(style.faint(score))"]
    if isNotAttempted && waitsFor.isEmpty {
      lines.append("  still to be written, at \(exercise.place)")
      return lines.joined(separator: "\n")
    }
    if !waitsFor.isEmpty {
      lines.append("  waits for \(waitsFor.joined(separator: " and ")), which it uses and which must pass first")
      return lines.joined(separator: "\n")
    }
    lines += zip(outline.cases, verdicts).map { line(for: $0.title, $1, style) }
    lines += passed ? [praise(style, hasSolutions)] : advice(style)
    return lines.joined(separator: "\n")
  }

  private func line(for title: String, _ verdict: Verdict, _ style: Style) -> String {
    if verdict.status == .passed { return "  \(style.good("✓")) \(title)" }
    let reason = verdict.difference?.explanation ?? "\(verdict.status.rawValue): \(verdict.detail ?? "")"
    return "  \(style.bad("✗")) \(title): \(reason)"
  }

  private func praise(_ style: Style, _ hasSolutions: Bool) -> String {
    let next = hasSolutions ? "; swift run course diff \(exercise.id) shows the authors' solution" : ""
    return style.faint("  All public cases pass. Grading tries the same cases on other inputs\(next).")
  }

  /// The known mistake that explains most, else where to look, and what the code printed.
  private func advice(_ style: Style) -> [String] {
    var lines: [String] = []
    if let mistake = commonMistake(verdicts) {
      lines.append("  \(style.bold("Probably:")) \(exercise.recorded.outline.mistakes[mistake])")
    }
    if let first = verdicts.firstIndex(where: { $0.status != .passed }), !printed[first].isEmpty {
      let output = printed[first].split(separator: "\n").prefix(10).map { style.faint("  | ") + $0.prefix(200) }
      lines += ["  Your code printed, in \"\(exercise.recorded.outline.cases[first].title)\":"] + output
    }
    return lines + [style.faint("  \(exercise.place); swift run course hint \(exercise.id) gives a hint")]
  }
}

extension Difference {
  /// Everything about the first wrong value, for public cases.
  var explanation: String {
    guard shape == expectedShape else { return "\(name) \(summary)" }
    guard let index, let found, let expected else {
      return "\(name) \(summary)\(maximumError.map { ": off by \($0)" } ?? ""), allowed are \(tolerance)"
    }
    let place = index.isEmpty ? "" : " at \(index)"
    let count = wrongCount > 1 ? ", \(wrongCount) values wrong" : ""
    let error = maximumError.map { ", largest error \($0)" } ?? ""
    return """
      \(name) of shape \(shape) \(summary)\(place): \(found), not \(expected)\(count)\(error) \
      (allowed: \(tolerance))
      """
  }
}
