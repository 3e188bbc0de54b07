import Foundation
import Testing

@testable import Exercises

@Suite("What is still to be written")
struct TodoTests {
  @Test("The first open exercise of a file is named, whichever a run comes to first; none where there is no file")
  func first() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "todo-\(UUID().uuidString).swift")
    defer { try? FileManager.default.removeItem(at: file) }
    let parts = ["1", "todo(\"A.2\")", "todo(\"A.3\")"].enumerated().map { index, code in
      "// BEGIN SOLUTION A.\(index + 1)\n\(code)\n// END SOLUTION\n"
    }
    try Data(parts.joined().utf8).write(to: file)
    let found = try #require(firstOpen(in: file.path))
    #expect(found.exercise == "A.2" && found.line == 5)
    #expect(firstOpen(in: file.path + ".gone") == nil)
  }
}
