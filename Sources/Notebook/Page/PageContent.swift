import Foundation

/// The page of one run: the cells of the source, rendered once, and under each what it has put out so far.
struct PageContent: Sendable {
  /// A cell in its forms for the page and for Jupyter.
  private struct RenderedCell: Sendable {
    var html: String
    var isProse: Bool
    var source: String
    var outputs = CellOutputs()
    var titles: [String] = []
  }

  /// Where the run stands.
  enum Status: Sendable, Equatable {
    case running
    case stopped(String)
    case finished(verdict: String)
  }

  let lesson: String
  private(set) var title: String
  var status = Status.running
  /// The file of the picture that stands for the lesson in the index.
  var picture: String?
  /// Bytes of pictures that the page may still carry.
  var budget: Int { PictureContent.budget - cells.map(\.outputs.size).reduce(0, +) }
  /// What was wrong in the source, as `line: problem`.
  private(set) var problems: [(line: Int, text: String)] = []
  private let file: CellFile
  private var cells: [RenderedCell] = []
  private var headings: [Heading] = []
  private var lastTold = -1

  /// Renders the cells of a source.
  init(lesson: String, title: String, source: String) {
    self.lesson = lesson
    self.title = title
    file = CellFile(source)
    var renderer = MarkdownRenderer()
    for cell in file.cells {
      let known = renderer.headings.count
      let html = cell.kind == .prose ? renderer.html(cell.prose) : Self.code(cell.text)
      let isProse = cell.kind == .prose
      let titles = renderer.headings[known...].map(\.plain)
      cells.append(RenderedCell(html: html, isProse: isProse, source: cell.text, titles: titles))
    }
    headings = renderer.headings
    problems = (file.problems + renderer.problems).sorted { $0.line < $1.line }
    takeTitle()
    if !cells.contains(where: { !$0.isProse }) { cells.append(RenderedCell(html: "", isProse: false, source: "")) }
  }

  private static func code(_ text: String) -> String {
    "<pre class=\"code\" tabindex=\"0\"><code>\(SwiftColouring(text).html)</code></pre>"
  }

  /// Moves the first heading out of the first cell: the page's head shows it.
  private mutating func takeTitle() {
    guard let first = headings.first, first.level == 1, let place = cells.firstIndex(where: \.isProse) else { return }
    let element = "<h1 id=\"\(escaped(first.id))\">\(first.html)</h1>"
    guard let range = cells[place].html.range(of: element) else { return }
    cells[place].html.removeSubrange(range)
    title = first.plain
    headings.removeFirst()
    cells[place].titles.removeAll { $0 == first.plain }
  }

  // MARK: Results

  /// Puts an output under the cell with its line; one from another file goes under the cell that spoke last.
  mutating func put(_ output: CellOutput, line: Int?) {
    cells[place(of: line)].outputs.put(output)
  }

  /// Puts a line of text under the cell with its line.
  mutating func print(_ text: String, line: Int?) {
    cells[place(of: line)].outputs.print(text)
  }

  /// The headings that the story has passed since it was last asked, now that it is at a line.
  mutating func newTitles(upTo line: Int?) -> [String] {
    guard let line, let place = file.cell(at: line), place > lastTold else { return [] }
    defer { lastTold = place }
    return cells[(lastTold + 1)...place].flatMap(\.titles)
  }

  /// The cell of code with a line, or the nearest one after it.
  private func place(of line: Int?) -> Int {
    let place = line.flatMap { file.cell(at: $0) } ?? max(0, lastTold)
    return cells[place...].firstIndex { !$0.isProse } ?? cells.lastIndex { !$0.isProse } ?? cells.count - 1
  }

  // MARK: The page

  /// Everything between the page's head and its foot.
  var body: String {
    cells.map { cell in
      let content =
        cell.html.isEmpty ? "" : cell.isProse ? "<section class=\"prose\">\n\(cell.html)\n</section>\n" : cell.html
      let outputs = cell.outputs.isEmpty ? "" : "\n<div class=\"output\">\n\(cell.outputs.html)</div>"
      return cell.isProse ? content : "<section class=\"cell\">\n\(content)\(outputs)\n</section>\n"
    }.joined()
  }

  /// The headings of the second and third level, as a list of links.
  var contents: String {
    let items = headings.filter { (2...3).contains($0.level) }.map {
      "<li class=\"level\($0.level)\"><a href=\"#\(escaped($0.id))\">\($0.html.withoutLinks)</a></li>"
    }
    return items.isEmpty ? "" : "<ol>\n\(items.joined(separator: "\n"))\n</ol>"
  }

  /// The notebook in Jupyter's format, nbformat 4.5.
  var jupyter: String {
    var verdict = "*\(lesson)*"
    if case .finished(let text) = status { verdict = "**\(text)**" }
    var items = [Self.jupyterCell("markdown", id: "verdict", source: verdict, outputs: nil)]
    for (index, cell) in cells.enumerated() where !cell.source.isEmpty || !cell.outputs.isEmpty {
      let kind = cell.isProse ? "markdown" : "code"
      let outputs = cell.isProse ? nil : cell.outputs.jupyter
      items.append(Self.jupyterCell(kind, id: "cell-\(index + 1)", source: cell.source, outputs: outputs))
    }
    return """
      {
       "cells": [
      \(items.joined(separator: ",\n"))
       ],
       "metadata": {
        "kernelspec": {"display_name": "Swift", "language": "swift", "name": "swift"},
        "language_info": {"name": "swift", "file_extension": ".swift", "mimetype": "text/x-swift", "pygments_lexer": "swift"},
        "title": \(jsonString(title))
       },
       "nbformat": 4,
       "nbformat_minor": 5
      }

      """
  }

  private static func jupyterCell(_ kind: String, id: String, source: String, outputs: [String]?) -> String {
    let rest =
      outputs.map { ", \"execution_count\": null, \"outputs\": [\n   \($0.joined(separator: ",\n   "))]" } ?? ""
    return
      "  {\"cell_type\": \"\(kind)\", \"id\": \"\(id)\", \"metadata\": {}, \"source\": \(jsonString(source))\(rest)}"
  }
}

extension String {
  /// The HTML with the words of its links, but not the links.
  fileprivate var withoutLinks: String { replacing(/<\/?a( [^>]*)?>/, with: "") }
}
