import ArgumentParser
import Figures
import Foundation
import Synchronization

@testable import Notebook

/// A folder of its own, removed with the value.
final class TemporaryFolder {
  let path: String

  init() { path = FileManager.default.temporaryDirectory.appendingPathComponent("notebook-\(UUID().uuidString)").path }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
  func write(_ text: String, to name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    return "\(path)/\(name)"
  }
}

/// A terminal whose text can be read.
final class Screen: Sendable {
  private let written = Mutex("")
  var text: String { written.withLock { $0 } }

  func terminal(interactive isInteractive: Bool = false) -> Terminal {
    Terminal(isInteractive: isInteractive, hasTrueColour: isInteractive, width: 100) { [self] text in
      written.withLock { $0 += text }
    }
  }
}

/// A picture whose forms are given.
struct SampleFigure: Figure {
  var alternativeText = "a sample"
  var content: Data?
  func png() throws -> Data {
    guard let content else { throw OutputError(description: "the figure has no data") }
    return content
  }
  func svg() -> String { "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>" }
}

/// A notebook over a source, in a folder.
func openNotebook(_ source: String = "", in folder: TemporaryFolder, screen: Screen = Screen()) throws -> LessonNotebook
{
  let file = try folder.write(source, to: "main.swift")
  return LessonNotebook(
    lesson: "Lesson04-Test", title: "A test", options: try LessonOptions.parse([]), source: file,
    output: try OutputFolder(folder.path + "/out"), terminal: screen.terminal())
}

/// The page's body from prose.
func markdown(_ text: String) -> String {
  var renderer = MarkdownRenderer()
  return renderer.html(lines(text))
}

/// What was not understood in prose, as `line: text`.
func markdownProblems(_ text: String) -> [String] {
  var renderer = MarkdownRenderer()
  _ = renderer.html(lines(text))
  return renderer.problems.map { "\($0.line): \($0.text)" }
}

private func lines(_ text: String) -> [ProseLine] {
  text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
    ProseLine(number: $0 + 1, text: String($1))
  }
}
