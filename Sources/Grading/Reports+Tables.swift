import Foundation

extension Reports {
  /// One row a submission. No cell is taken for a formula.
  var csv: String {
    let header =
      ["name", "points", "maximum"] + grades.exercises.flatMap { [$0.id, "\($0.id) status"] }
      + ["notes", "protection", "sha256"]
    let rows = grades.submissions.map { submission in
      [submission.name, submission.points.map(Self.number) ?? "", "\(submission.maximum)"]
        + submission.exercises.flatMap { [$0.points.map(Self.number) ?? "", $0.status.rawValue] }
        + [submission.notes.joined(separator: "; "), submission.protection ?? "", submission.digest]
    }
    return ([header] + rows).map { $0.map(Self.cell).joined(separator: ",") + "\r\n" }.joined()
  }

  /// A cell in quotes where need be, with an apostrophe before what a spreadsheet would calculate.
  static func cell(_ text: String) -> String {
    let startsFormula =
      text.unicodeScalars.first { $0 != " " }.map { "=+-@\t\r\n|%".unicodeScalars.contains($0) } ?? false
    let safe = startsFormula ? "'" + text : text
    guard safe.unicodeScalars.contains(where: { "\",;'\r\n\t".unicodeScalars.contains($0) }) else { return safe }
    return "\"" + safe.replacing("\"", with: "\"\"") + "\""
  }

  /// What Gradescope reads of one submission: scores, and nothing that reveals hidden inputs.
  public func gradescope(_ submission: SubmissionGrade) -> Data {
    struct Results: Encodable {
      struct Test: Encodable {
        let name: String
        let number: String
        let score: Double
        let max_score: Double
        let status: String
        let output: String
        let output_format = "text"
        let visibility = "visible"
      }
      let score: Double?
      let output: String
      let output_format = "text"
      let visibility = "visible"
      let stdout_visibility = "hidden"
      let tests: [Test]
    }
    let tests = submission.exercises.enumerated().map { index, exercise in
      Results.Test(
        name: "\(exercise.id) \(outline(exercise)?.title ?? "")", number: "\(index + 1)", score: exercise.points ?? 0,
        max_score: Double(exercise.maximum), status: exercise.status == .passed ? "passed" : "failed",
        output: text(exercise))
    }
    let head =
      submission.isGraded ? "" : "Some exercises are NOT GRADED by a fault that is not yours; ask for it again.\n"
    let output =
      head + (submission.notes + ["Protection: \(submission.protection ?? "no code ran")"]).joined(separator: "\n")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // Numbers and text always encode.
    return (try? encoder.encode(Results(score: submission.points, output: output, tests: tests))) ?? Data()
  }

  private func text(_ exercise: ExerciseGrade) -> String {
    let lines =
      [
        exercise.status == .notGraded ? "NOT GRADED by a fault that is not yours." : nil, exercise.message,
        sentence(exercise),
      ]
      .compactMap(\.self) + exercise.cases.indices.map { line(exercise, $0) }
    return lines.joined(separator: "\n")
  }

  /// One submission as JUnit's XML: a test case for each case.
  func junit(_ submission: SubmissionGrade) -> String {
    let cases = submission.exercises.map { exercise in
      exercise.cases.enumerated().map { junit(exercise, $0, $1) }.joined()
    }
    let all = submission.exercises.flatMap(\.cases)
    func count(_ predicate: (CaseGrade) -> Bool) -> Int { all.count(where: predicate) }
    let skipped = count { [.notGraded, .notAttempted, .blocked].contains($0.status) }
    let failed = count { $0.status == .failed }
    let broken = all.count - skipped - failed - count { $0.status == .passed }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="\(xml(submission.name))" tests="\(all.count)" failures="\(failed)" errors="\(broken)" skipped="\(skipped)">
        <properties>
          <property name="protection" value="\(xml(submission.protection ?? "no code ran"))"/>
          <property name="points" value="\(xml(submission.points.map(Self.number) ?? "not graded"))"/>
        </properties>
      \(cases.joined())</testsuite>

      """
  }

  private func junit(_ exercise: ExerciseGrade, _ index: Int, _ grade: CaseGrade) -> String {
    let title = outline(exercise)?.cases[index] ?? "case \(index + 1)"
    let message = xml(
      [grade.status.rawValue, grade.message, exercise.message].compactMap(\.self).joined(separator: ": "))
    let inner =
      switch grade.status {
      case .passed: ""
      case .failed: "<failure message=\"\(message)\"/>"
      case .notGraded, .notAttempted, .blocked: "<skipped message=\"\(message)\"/>"
      default: "<error message=\"\(message)\"/>"
      }
    let time = grade.seconds.map { " time=\"\($0)\"" } ?? ""
    return "  <testcase classname=\"\(xml(exercise.id))\" name=\"\(xml(title))\"\(time)>\(inner)</testcase>\n"
  }
}

/// Text for XML or HTML, without characters that XML has no way to write.
func xml(_ text: String) -> String {
  text.unicodeScalars.map { scalar in
    switch scalar {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    case "\"": "&quot;"
    case "'": "&#39;"
    case "\n": "&#10;"
    case "\t": "&#9;"
    default: scalar.value < 32 || scalar.value == 0xfffe || scalar.value == 0xffff ? "\u{fffd}" : String(scalar)
    }
  }.joined()
}
