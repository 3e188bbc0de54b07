import Exercises
import Testing

@testable import Publishing

@Suite("What students do not see")
struct AuthorMarksTests {
  @Test("In Swift the authors' parts go, with one empty line left where two would meet")
  func swift() throws {
    let text = "let a = 1\n\n  // BEGIN AUTHORS\nlet b = 2\n// END AUTHORS\n\nlet c = 3\n"
    #expect(try AuthorMarks.studentText(text, of: "a.swift") == "let a = 1\n\nlet c = 3\n")
    #expect(try AuthorMarks.studentText("let s = \"// BEGIN AUTHORS\"\n", of: "a.swift").contains("BEGIN"))
  }

  @Test("In Markdown the authors' parts go and the students' come out of their comment")
  func markdown() throws {
    let text = "# A\n<!-- BEGIN AUTHORS -->\nwe\n<!-- END AUTHORS -->\n<!-- STUDENTS\nyou\n-->\n<!-- other -->\n"
    #expect(try AuthorMarks.studentText(text, of: "a.md") == "# A\nyou\n<!-- other -->\n")
  }

  @Test(
    "Half a pair of marks is an error that names file and line",
    arguments: [
      ("x\n// BEGIN AUTHORS\n", "a.swift:2"), ("x\n\n// END AUTHORS\n", "a.swift:3"),
      ("// BEGIN AUTHORS\n// BEGIN AUTHORS\n", "a.swift:2"),
    ])
  func halves(text: String, place: String) {
    #expect {
      try AuthorMarks.studentText(text, of: "a.swift")
    } throws: {
      "\($0)".hasPrefix(place)
    }
  }

  @Test("In a lesson solutions become todo and mistakes are withheld; other files keep every byte")
  func lessonFiles() throws {
    let model = "func f() {\n  // BEGIN SOLUTION A.1\n  secret()\n  // END SOLUTION\n}\n"
    let content = try StudentRelease.studentContent(.init(model.utf8), of: "Lessons/Lesson01-A/A.swift")
    #expect(
      String(decoding: content, as: UTF8.self)
        == "func f() {\n  // BEGIN SOLUTION A.1\n  todo(\"A.1\")\n  // END SOLUTION\n}\n")
    let mistakes = try StudentRelease.studentContent(.init("secret".utf8), of: "Lessons/Lesson01-A/Mistakes.swift")
    #expect(String(decoding: mistakes, as: UTF8.self) == StudentRelease.withheldMistakes)
    let bytes = try StudentRelease.studentContent(.init([0xff, 0, 10]), of: "data/a.gz")
    #expect(bytes == .init([0xff, 0, 10]))
    #expect(throws: ExerciseError.self) {
      try StudentRelease.studentContent(.init("// BEGIN SOLUTION A.1\n".utf8), of: "Lessons/Lesson01-A/A.swift")
    }
    #expect(throws: ExerciseError.self) { try StudentRelease.studentContent(.init([0xff]), of: "Sources/a.swift") }
  }
}
