import Exercises
import Testing

@Suite("Marked sources")
struct MarkedSourceTests {
  private let source = MarkedSource(
    """
    func a() -> Int {
      // BEGIN SOLUTION X.1
      let one = 1
      return one
      // END SOLUTION
    }
    // between
    struct S {
      func b() -> Int {
        // BEGIN SOLUTION X.2
        2
        // END SOLUTION
      }
    }
    """)

  @Test("Blanking puts todo in place of what is between the marks, indented as they are")
  func blanking() {
    let blanked = source.blanked()
    #expect(blanked.text.contains("  // BEGIN SOLUTION X.1\n  todo(\"X.1\")\n  // END SOLUTION\n}"))
    #expect(blanked.text.contains("    // BEGIN SOLUTION X.2\n    todo(\"X.2\")\n    // END SOLUTION\n  }"))
    #expect(blanked.ids == ["X.1", "X.2"] && blanked.isTodo("X.1") && !source.isTodo("X.1"))
    #expect(blanked.sharedText == source.sharedText)
    #expect(source.blanked(["X.2"]).text(of: "X.1") == "  let one = 1\n  return one")
    #expect(blanked.firstLine(of: "X.2") == 10)
  }

  @Test("An exercise moves from one file to another, whatever stands around it")
  func replacing() throws {
    let other = MarkedSource("// helper\n// BEGIN SOLUTION X.2\n  3 - 1\n\n// END SOLUTION\n")
    let moved = try #require(source.replacing("X.2", from: other))
    #expect(moved.text(of: "X.2") == "  3 - 1\n")
    #expect(moved.text(of: "X.1") == source.text(of: "X.1"))
    #expect(source.replacing("X.1", from: other) == nil)
    #expect(moved.replacing("X.2", from: source)?.text == source.text)
  }

  @Test("Carriage returns stay, and are no part of the marks")
  func carriageReturns() {
    let text = "a\r\n  // BEGIN SOLUTION X.1\r\n  1\r\n  // END SOLUTION\r\nb\r\n"
    let source = MarkedSource(text)
    #expect(source.text == text && source.ids == ["X.1"])
    #expect(source.blanked().text == text.replacing("  1\r\n", with: "  todo(\"X.1\")\r\n"))
    #expect(source.blanked().isTodo("X.1"))
  }

  @Test("Marks that do not pair are named by their lines and make no region")
  func badMarks() {
    let source = MarkedSource("// END SOLUTION\n// BEGIN SOLUTION A\n// BEGIN SOLUTION B\nc")
    #expect(source.problems.map(\.line) == [1, 3, 3])
    #expect(source.regions.isEmpty)
  }
}
