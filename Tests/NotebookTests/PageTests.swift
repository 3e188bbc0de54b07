import Figures
import Foundation
import Testing

@testable import Notebook

private let source = """
  // %% [markdown]
  // # The title
  // Words.
  // ## First part
  // %%
  let a = 1
  // %% [markdown]
  // ## Second part
  // %%
  let b = 2
  """

@Suite struct PageTests {
  @Test("A result lands under the cell with its line")
  func placement() throws {
    let folder = TemporaryFolder()
    let notebook = try openNotebook(source, in: folder)
    let file = folder.path + "/main.swift"
    notebook.print("from b", line: 10, file: file)
    notebook.print("from a", line: 6, file: file)
    notebook.print("from elsewhere", line: 1, file: "/other.swift")
    notebook.finish(data: "law")
    let page = try folder.text("out/index.html")
    let places = ["let</span> a", "from a", "Second part</h2>", "let</span> b", "from b\nfrom elsewhere"].map {
      page.range(of: $0)?.lowerBound
    }
    #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(page.components(separatedBy: "<h1").count == 2 && page.contains("<title>The title</title>"))
    #expect(page.contains("<a href=\"#second-part\">Second part</a>"))
  }

  @Test("The terminal tells the headings that the story passes, once and in order")
  func titles() throws {
    let (folder, screen) = (TemporaryFolder(), Screen())
    let notebook = try openNotebook(source, in: folder, screen: screen)
    for _ in 1...2 { notebook.print("x", line: 10, file: folder.path + "/main.swift") }
    notebook.print("y", line: 6, file: folder.path + "/main.swift")
    #expect(screen.text == "\nFirst part\n\nSecond part\nx\nx\ny\n")
  }

  @Test("Every form of result is in the page, in Jupyter's notebook and as a file")
  func forms() throws {
    let folder = TemporaryFolder()
    let notebook = try openNotebook(source, in: folder)
    notebook.show(SampleFigure(content: Data([1, 2, 3])), named: "one", caption: "A caption")
    notebook.table(headers: ["x"], rows: [[1.5]])
    notebook.audio([0, 0.5], sampleRate: 8000, named: "tone")
    notebook.progress(1, of: 1, loss: 2)
    notebook.measure("loss", Float(0.1), standardError: 0.02, unit: "nats", floor: 0.05)
    notebook.parameters = 12
    notebook.finish(data: "law", model: "Model")
    let page = try folder.text("out/index.html")
    for part in [
      "<figcaption>A caption</figcaption>", "alt=\"a sample\"", "<td class=\"r\">1.5000</td>", "<audio controls",
      "loss 2", "<strong>law · Model · loss 0.10 ± 0.02 nats</strong>", "floor 0.0500",
    ] { #expect(page.contains(part), "\(part)") }
    let json = try JSONSerialization.jsonObject(with: Data(folder.text("out/notebook.ipynb").utf8)) as? [String: Any]
    let cells = try #require(json?["cells"] as? [[String: Any]])
    #expect(json?["nbformat"] as? Int == 4 && json?["nbformat_minor"] as? Int == 5)
    #expect(cells.map { $0["cell_type"] as? String } == ["markdown", "markdown", "code", "markdown", "code"])
    #expect(Set(cells.compactMap { $0["id"] as? String }).count == 5)
    let outputs = cells.flatMap { $0["outputs"] as? [[String: Any]] ?? [] }
    #expect(outputs.compactMap { ($0["data"] as? [String: Any])?["image/png"] as? String } == ["AQID"])
    #expect(["one.png", "one.svg", "tone.wav", "results.json"].allSatisfy { folder.has("out/\($0)") })
    #expect(try folder.text("out/results.json").contains("\"value\": 0.1, \"standardError\": 0.02"))
  }

  @Test("Nothing from data, labels or names reaches the page as markup or another folder as a file")
  func hostile() throws {
    let folder = TemporaryFolder()
    let bad = "</script><script>alert(1)</script>\"'><img src=x>"
    let notebook = try openNotebook("// %% [markdown]\n// # \(bad)\n// %%\nlet a = \"\(bad)\"", in: folder)
    notebook.print(bad)
    notebook.heading(bad)
    notebook.table(headers: [bad], rows: [[bad]], caption: bad)
    notebook.show(SampleFigure(alternativeText: bad, content: Data([1])), named: "../../\(bad)", caption: bad)
    notebook.show(SampleFigure(alternativeText: bad), named: bad)
    notebook.progress(1, of: 1, unit: bad, detail: bad)
    notebook.measure(bad, 1, unit: bad, baseline: 2, baselineName: bad)
    notebook.finish(data: bad, model: bad)
    let page = try folder.text("out/index.html")
    #expect(page.components(separatedBy: "<script").count == 2 && !page.contains("<img src=x>"))
    #expect(try JSONSerialization.jsonObject(with: Data(folder.text("out/notebook.ipynb").utf8)) is [String: Any])
    #expect(try JSONSerialization.jsonObject(with: Data(folder.text("out/results.json").utf8)) is [String: Any])
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(files.allSatisfy { $0 == "out" || $0 == "main.swift" || $0.hasPrefix("out/") })
  }

  @Test("A figure that cannot be drawn leaves a note, and the rest of the page stands")
  func missing() throws {
    let folder = TemporaryFolder()
    let notebook = try openNotebook(source, in: folder)
    notebook.show(SampleFigure(), named: "empty")
    notebook.audio([], sampleRate: 0, named: "silence")
    notebook.measure("m", Double.nan)
    notebook.print("after")
    notebook.finish(data: "law")
    let page = try folder.text("out/index.html")
    #expect(page.contains("empty could not be shown: the figure has no data") && page.contains("after"))
  }

  @Test("An output folder that vanishes is made again")
  func vanished() throws {
    let folder = TemporaryFolder()
    let notebook = try openNotebook(source, in: folder)
    notebook.show(SampleFigure(content: Data([1])), named: "a")
    try FileManager.default.removeItem(atPath: folder.path + "/out")
    notebook.show(SampleFigure(content: Data([1])), named: "b")
    notebook.finish(data: "law")
    #expect(folder.has("out/index.html") && folder.has("out/b.png") && folder.has("out/results.json"))
  }

  @Test("A loop that shows many things leaves the first and the latest; one of the same name replaces itself")
  func history() {
    var outputs = CellOutputs()
    func put(_ name: String, _ html: String, line: Int = 1) {
      outputs.put(CellOutput(key: .init(line: line, kind: "figure", name: name), html: html, jupyter: "{}"))
    }
    for index in 1...15 {
      outputs.print("text \(index)")
      put("f\(index)", "<i>\(index)</i>")
    }
    put("f15", "<i>last</i>")
    for index in 1...3 { put("same", "<b>\(index)</b>", line: 2) }
    let shown = outputs.html.matches(of: /<[ib]>(.*?)</).map { String($0.1) }
    #expect(shown == ["1"] + (5...14).map(String.init) + ["last", "3"])
    #expect(
      outputs.html.contains("text 2\ntext 3\ntext 4\ntext 5</pre>")
        && outputs.html.components(separatedBy: "… 3 more …").count == 2)
    for index in 1...500 { outputs.print("line \(index)") }
    #expect(
      outputs.html.contains("line 1\n") && outputs.html.contains("line 500") && outputs.html.contains(" more lines …"))
    #expect(outputs.html.count < 4000)
  }

  @Test("A page that would grow over 5 MB refers to the figure's file")
  func budget() throws {
    let folder = TemporaryFolder()
    let notebook = try openNotebook(source, in: folder)
    let svg = String(repeating: " ", count: 2_000_000)
    for name in ["a", "b", "c"] {
      let content = PictureContent(
        name: name, caption: nil, alternativeText: "", png: Data(count: 2_100_000), svg: Data(svg.utf8),
        budget: notebook.state.withLock { $0.page.budget })
      notebook.put(content, line: 10, place: 10)
    }
    notebook.finish(data: "law")
    let page = try folder.text("out/index.html")
    #expect(page.utf8.count < 5_000_000 && page.contains("<img src=\"b.png\"") && page.contains("data:image/svg"))
  }

  @Test("The course's index has every lesson with its verdict and picture, and only lessons")
  func index() throws {
    let folder = TemporaryFolder()
    for name in ["Lesson01-A", "Lesson02-<b>"] {
      let notebook = LessonNotebook(
        lesson: name, title: "T & \(name)", options: try .parse([]), source: "/nowhere.swift",
        output: try OutputFolder("\(folder.path)/\(OutputFolder.fileName(name))"), terminal: Screen().terminal(),
        course: URL(fileURLWithPath: folder.path))
      notebook.show(SampleFigure(content: Data([1])), named: "p")
      notebook.measure("loss", 1.25, unit: "nats")
      notebook.finish(data: "law \"x\"")
    }
    try FileManager.default.createDirectory(atPath: folder.path + "/other", withIntermediateDirectories: true)
    _ = try folder.write("not a lesson", to: "other/index.html")
    let page = try folder.text("index.html")
    #expect(page.components(separatedBy: "<li>").count == 3 && !page.contains("<b>"))
    #expect(page.contains("<h2>T &amp; Lesson01-A</h2>") && page.contains("law &quot;x&quot; · A · loss 1.2500 nats"))
    #expect(page.contains("src=\"./Lesson01-A/p.png\""))
  }
}
