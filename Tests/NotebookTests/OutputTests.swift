import Figures
import Foundation
import Testing

@testable import Notebook

@Suite struct OutputTests {
  @Test("A folder into which one cannot write is refused by its name, with the remedy")
  func unwritable() {
    #expect {
      try OutputFolder("/proc/no/such")
    } throws: {
      "\($0)".contains("/proc/no/such") && "\($0)".contains("--out")
    }
  }

  @Test("A file in the folder's place is refused")
  func occupied() throws {
    let folder = TemporaryFolder()
    let file = try folder.write("x", to: "taken")
    #expect(throws: OutputError.self) { try OutputFolder(file) }
  }

  @Test("A file is replaced as a whole, and nothing temporary stays")
  func replaced() throws {
    let folder = TemporaryFolder()
    let output = try OutputFolder(folder.path)
    try output.write(Data("one".utf8), to: "a.txt")
    try output.write(Data("two".utf8), to: "a.txt")
    #expect(try folder.text("a.txt") == "two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.txt"])
  }

  @Test("What a killed run left half written is removed, what a living one writes is not")
  func remains() throws {
    let folder = TemporaryFolder()
    _ = try folder.write("x", to: ".index.html.999999999.partial")
    _ = try folder.write("x", to: ".index.html.\(ProcessInfo.processInfo.processIdentifier).partial")
    _ = try OutputFolder(folder.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
  }

  @Test(
    "Names become file names",
    arguments: [("../../etc", "etc"), ("a b/c", "a-b-c"), ("", "figure"), ("..", "figure"), ("é<x>", "x-")])
  func names(name: String, file: String) { #expect(OutputFolder.fileName(name) == file) }

  @Test("orStop gives the value through")
  func through() { #expect(orStop { 3 } == 3) }

  @Test("The system's own errors name the file and the reason on one line")
  func systemErrors() {
    #expect {
      try String(contentsOfFile: "/no/such/file", encoding: .utf8)
    } throws: {
      let line = oneLine($0)
      return line.contains("/no/such/file") && !line.contains("Domain") && !line.contains("\n")
    }
    #expect(oneLine(OutputError(description: "a\nb")) == "a b")
  }

  @Test("A picture in half blocks has the mean colours of the pixels")
  func halfBlocks() {
    let image = PNGImage(width: 4, height: 2, channels: 1, samples: [0, 0, 200, 200, 100, 100, 50, 50])
    let text = TerminalPicture(image, columns: 4, rows: 5).text
    #expect(text.hasPrefix("  \u{1B}[38;2;0;0;0m\u{1B}[48;2;100;100;100m▀") && text.filter { $0 == "▀" }.count == 4)
    let small = TerminalPicture(image, columns: 2, rows: 5).text
    #expect(small == "  \u{1B}[38;2;50;50;50m▀\u{1B}[38;2;125;125;125m▀\u{1B}[0m")
  }
}
