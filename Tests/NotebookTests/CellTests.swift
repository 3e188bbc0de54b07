import Foundation
import Testing

@testable import Notebook

@Suite struct CellTests {
  @Test("A file is cut at its markers, and its lines keep their numbers")
  func cut() {
    let file = CellFile("let a = 0\n// %% [markdown]\n// # T\n//\n// text\n\n// %%\nlet x = 1\n// %%\nlet y = 2")
    #expect(file.cells.map(\.kind) == [.code, .prose, .code, .code])
    #expect(file.cells.map(\.text) == ["let a = 0", "# T\n\ntext", "let x = 1", "let y = 2"])
    #expect(file.cells.map(\.firstLine) == [1, 3, 8, 10])
    #expect(file.cell(at: 8) == 2 && file.cell(at: 10) == 3 && file.cell(at: 99) == 3 && file.cell(at: 1) == 0)
    #expect(file.problems.isEmpty)
  }

  @Test("Imports above the title go into the first cell of code")
  func imports() {
    let file = CellFile("import A\n\n// %% [markdown]\n// # T\n// %%\nlet x = 1\n// %%\nlet y = 2")
    #expect(file.cells.map(\.text) == ["# T", "import A\n\nlet x = 1", "let y = 2"])
    #expect(file.cell(at: 6) == 1 && file.cell(at: 8) == 2 && file.cell(at: 1) == 0)
  }

  @Test(
    "A misspelt marker is taken for what was meant and noted with its line",
    arguments: [
      ("//%%", Cell.Kind.code), ("// %%%", .code), ("// %% [markdwon]", .prose), ("//%% [markdown]", .prose),
      ("// %% markdown", .prose), ("// % [markdown]", .prose), ("// %% model", .code), ("/// %%", .code),
    ])
  func misspelt(marker: String, kind: Cell.Kind) {
    let file = CellFile("// %% [markdown]\n// a\n\(marker)\n// b")
    #expect(file.problems.map(\.line) == [3])
    #expect(file.cells.count == 2 && file.cells.last?.kind == kind)
  }

  @Test("A comment that is no marker stays", arguments: ["// 50 % of it", "// %d", "let a = b %% c", "// % of all"])
  func ordinary(line: String) {
    let file = CellFile("// %%\n\(line)")
    #expect(file.cells.count == 1 && file.problems.isEmpty)
  }

  @Test("Code within prose begins a cell of code, and is noted")
  func codeInProse() {
    let file = CellFile("// %% [markdown]\n// a\nlet x = 1\n// b")
    #expect(file.cells.map(\.kind) == [.prose, .code] && file.cells[1].text == "let x = 1\n// b")
    #expect(file.problems.map(\.line) == [3])
  }

  @Test("A listing marks exercises, keeps other lines, and notes marks that do not match")
  func listing() throws {
    let good = SourceListing(name: "V<.swift", text: "a\n// BEGIN SOLUTION VAE.1\nlet b = 1\n// END SOLUTION\nc")
    #expect(
      good.html.contains(
        "a\n<span class=\"exercise\"><span class=\"tag\">Exercise VAE.1</span>\n<span class=\"k\">let</span> b"))
    #expect(good.html.contains("<summary>V&lt;.swift</summary>") && good.problems.isEmpty)
    let bad = SourceListing(name: "x", text: "// END SOLUTION\n// BEGIN SOLUTION A\n// BEGIN SOLUTION B\nc")
    #expect(bad.problems.map(\.line) == [1, 3, 3])
    #expect(bad.html.components(separatedBy: "<span").count == bad.html.components(separatedBy: "</span>").count)
  }

  @Test("The file that declares a type is found")
  func declaration() throws {
    let folder = TemporaryFolder()
    _ = try folder.write("// class VAE is elsewhere\nstruct VAEPlus {}", to: "A.swift")
    _ = try folder.write("public final class VAE: Module {\n}", to: "Model.swift")
    let url = URL(fileURLWithPath: folder.path)
    #expect(SourceListing.file(declaring: "VAE", in: url)?.lastPathComponent == "Model.swift")
    #expect(SourceListing.file(declaring: "VAEPlus", in: url)?.lastPathComponent == "A.swift")
    #expect(SourceListing.file(declaring: "GAN", in: url) == nil)
  }
}
