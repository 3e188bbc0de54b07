import Exercises

/// Takes out of a text what is for authors alone, and brings out what is for students alone.
///
/// Lines from `// BEGIN AUTHORS` to `// END AUTHORS` (in Markdown `<!-- BEGIN AUTHORS -->` to `<!-- END AUTHORS -->`) go. In
/// Markdown a comment from a line `<!-- STUDENTS` to a line `-->` becomes text.
struct AuthorMarks {
  private var lines: [Substring] = []
  private var begun: (mark: Mark, line: Int)?

  private enum Mark {
    case authors
    case students
  }

  /// The students' version of a file; marks without their other half are an error.
  static func studentText(_ text: String, of file: String) throws(ExerciseError) -> String {
    var marks = AuthorMarks()
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      try marks.take(line, number: index + 1, of: file)
    }
    if let begun = marks.begun { throw ExerciseError("\(file):\(begun.line): this mark has no end") }
    return marks.lines.joined(separator: "\n")
  }

  private mutating func take(_ line: Substring, number: Int, of file: String) throws(ExerciseError) {
    let isMarkdown = file.hasSuffix(".md")
    let words = line.split(separator: " ").joined(separator: " ")
    switch words {
    case isMarkdown ? "<!-- BEGIN AUTHORS -->" : "// BEGIN AUTHORS":
      if let begun {
        throw ExerciseError("\(file):\(number): the mark of line \(begun.line) is not ended before this one")
      }
      begun = (.authors, number)
    case isMarkdown ? "<!-- END AUTHORS -->" : "// END AUTHORS":
      guard begun?.mark == .authors else { throw ExerciseError("\(file):\(number): END AUTHORS without BEGIN AUTHORS") }
      begun = nil
    case "<!-- STUDENTS" where isMarkdown && begun == nil: begun = (.students, number)
    case "-->" where begun?.mark == .students: begun = nil
    default:
      if begun?.mark == .authors { return }
      // Where a part was taken out, one empty line is enough.
      if line.isEmpty, lines.last?.isEmpty ?? false, begun == nil { return }
      lines.append(line)
    }
  }
}
