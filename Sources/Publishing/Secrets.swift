import Exercises
import Foundation

/// The lines of solutions and of mistakes by which they would be known again.
struct Secrets {
  /// A line without spaces and comments, and where it stands.
  struct Line: Hashable {
    let text: String
    let place: String
  }

  private(set) var lines: [Line] = []
  private let exercises: [(path: String, ids: [String])]

  /// A line shorter than this says nothing of its own.
  private static let shortest = 12

  init(of course: CourseFolder) throws {
    var exercises: [(path: String, ids: [String])] = []
    for lesson in try course.lessons() {
      var secret: [Line] = []
      var open = Self.compact(StudentRelease.withheldMistakes)
      for name in try FileManager.default.contentsOfDirectory(atPath: lesson.url.path).sorted()
      where name.hasSuffix(".swift") {
        let (source, path) = (try lesson.source(name), "Lessons/\(lesson.name)/\(name)")
        if name == "Mistakes.swift" {
          secret += Self.lines(of: source.text, place: "a known mistake of \(lesson.name)")
          continue
        }
        open += Self.compact(source.sharedText)
        if !source.ids.isEmpty { exercises.append((path, source.ids)) }
        for id in source.ids {
          secret += Self.lines(of: source.text(of: id) ?? "", place: "the solution of \(id)")
        }
      }
      lines += secret.filter { !open.contains($0.text) }
    }
    self.exercises = exercises
  }

  /// What a release gives away, one line each.
  func leaks(in files: [StudentRelease.File]) -> [String] {
    files.flatMap { leaks(in: $0) }
      + exercises.compactMap { path, ids in
        let file = files.first { $0.path == path }
        let source = file.map { MarkedSource(String(decoding: $0.content, as: UTF8.self)) }
        let open = ids.filter { !(source?.isTodo($0) ?? false) }
        return open.isEmpty ? nil : "\(path): \(open.joined(separator: ", ")) is not emptied"
      }
  }

  private func leaks(in file: StudentRelease.File) -> [String] {
    var leaks: [String] = []
    if StudentRelease.isForAuthors(file.path) { leaks.append("\(file.path) is for authors alone") }
    guard let text = String(validating: file.content, as: UTF8.self) else { return leaks }
    if file.path.hasSuffix("/Mistakes.swift") && text != StudentRelease.withheldMistakes {
      leaks.append("\(file.path) says more than that mistakes are withheld")
    }
    if text.contains("BEGIN AUTHORS") { leaks.append("\(file.path) has a part for authors") }
    let code = Self.compact(text)
    return leaks
      + lines.filter { strstr(code, $0.text) != nil }.map {
        "\(file.path) has a line of \($0.place): \($0.text)"
      }
  }

  /// The distinctive lines of code.
  private static func lines(of text: String, place: String) -> [Line] {
    text.split(separator: "\n").compactMap { line in
      var code = line
      // A mistake's sentence is no secret.
      if let sentence = code.range(of: "Mistake(\""), let end = code.range(of: "\")", options: .backwards) {
        code = sentence.lowerBound < end.lowerBound ? code[end.upperBound...] : code
      }
      if let comment = code.range(of: "//") { code = code[..<comment.lowerBound] }
      let compact = compact(String(code))
      return compact.count >= shortest && !compact.hasPrefix("import") ? Line(text: compact, place: place) : nil
    }
  }

  /// Without spaces, so that indentation and line breaks do not matter.
  private static func compact(_ text: String) -> String {
    String(decoding: text.utf8.filter { $0 > 0x20 }, as: UTF8.self)
  }
}
