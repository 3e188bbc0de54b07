import Exercises

/// The files of one build, with whose solutions they hold.
struct StudentSources: Sendable, Equatable {
  private(set) var files: [String: MarkedSource]

  /// A student's files; what is missing is as students get it.
  init(_ submission: Submission, reference: [String: MarkedSource]) {
    files = reference.mapValues { $0.blanked() }
    for (name, text) in submission.files { files[name] = MarkedSource(text) }
  }

  /// The authors' files.
  init(reference: [String: MarkedSource]) { files = reference }

  var texts: [String: String] { files.mapValues(\.text) }

  /// Whether an exercise was left as it was given out.
  func isTodo(_ id: String) -> Bool { files.values.contains { $0.isTodo(id) } }

  /// Whether an exercise's marks are there.
  func isMarked(_ id: String) -> Bool { files.values.contains { $0.ids.contains(id) } }

  /// The exercise between whose marks a line, counted from 1, stands.
  func exercise(at place: (file: String, line: Int)) -> String? {
    files[place.file]?.regions.first { $0.lines.contains(place.line - 1) }?.id
  }

  /// Stubs in place of some exercises; all else stays on its line.
  func blanked(_ ids: [String]) -> StudentSources {
    var result = self
    for (name, source) in files {
      var lines = source.lines
      for region in source.regions where ids.contains(region.id) && !region.lines.isEmpty {
        for line in region.lines { lines[line] = "" }
        lines[region.lines.lowerBound] = "todo(\"\(region.id)\")"
      }
      let kept = MarkedSource(lines.joined(separator: "\n"))
      let empty = source.regions.filter { $0.lines.isEmpty && ids.contains($0.id) }.map(\.id)
      result.files[name] = empty.isEmpty ? kept : kept.blanked(empty)
    }
    return result
  }

  /// The authors' solutions in place of some exercises; `nil` where their marks are not as they were.
  func replacing(_ ids: [String], from reference: [String: MarkedSource]) -> StudentSources? {
    var result = self
    for id in ids {
      guard let (name, source) = reference.first(where: { $0.value.ids.contains(id) }),
        let replaced = result.files[name]?.replacing(id, from: source)
      else { return nil }
      result.files[name] = replaced
    }
    return result
  }
}
