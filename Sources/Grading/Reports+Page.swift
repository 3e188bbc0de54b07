extension Reports {
  /// A page for the student that needs no network: statuses and the sentence that helps, no hidden input or expected value.
  public func feedback(_ submission: SubmissionGrade) -> String {
    let notes = submission.notes.map { "<li>\(xml($0))</li>" }.joined()
    return """
      <!doctype html>
      <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>\(xml(grades.lesson)): \(xml(submission.name))</title>
      <style>\(Self.style)</style>
      <h1>\(xml(grades.lesson))</h1>
      <p class="total"><span>\(xml(submission.name))</span> <strong>\(Self.total(submission))</strong></p>
      \(notes.isEmpty ? "" : "<h2>Files</h2><ul>\(notes)</ul>")
      \(submission.exercises.map(section).joined(separator: "\n"))
      <footer>Graded on inputs that are not the public ones. Protection: \(xml(submission.protection ?? "no code ran")).</footer>
      </html>

      """
  }

  private func section(_ exercise: ExerciseGrade) -> String {
    let points = exercise.points.map { "\(Self.number($0)) of \(exercise.maximum)" } ?? "not graded"
    let said = [
      exercise.message.map { "<pre>\(xml($0))</pre>" }, sentence(exercise).map { "<p class=\"hint\">\(xml($0))</p>" },
    ]
    let fault = exercise.status == .notGraded ? "<p class=\"hint\">Not graded by a fault that is not yours.</p>" : ""
    let cases = exercise.cases.enumerated().map { index, grade in
      "<li class=\"\(grade.status == .passed ? "passed" : "other")\">\(xml(line(exercise, index)))</li>"
    }
    return """
      <h2>\(xml(exercise.id)) \(xml(outline(exercise)?.title ?? "")) <small>\(points)</small></h2>
      \(fault)\(said.compactMap(\.self).joined())<ul>\(cases.joined())</ul>
      """
  }

  private static let style = """
    :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    h2{font-size:1.1rem;margin:1.6rem 0 .3rem}small{font-weight:normal;float:right}.total{font-size:1.2rem}\
    .total span{white-space:pre-wrap;overflow-wrap:anywhere}li.passed{color:#1a7f37}li.other{color:#b42318}\
    .hint{border-left:3px solid #b58900;padding-left:.8rem}pre{white-space:pre-wrap}footer{margin-top:2rem;opacity:.7;font-size:.85rem}
    """
}
