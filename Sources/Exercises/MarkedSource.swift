/// A Swift file in which `// BEGIN SOLUTION VAE.1` and `// END SOLUTION` mark what a student writes.
///
/// The marks stand within a function's braces, so that `todo("VAE.1")` can take the place of what is between them; they stay in
/// the student's file.
public struct MarkedSource: Sendable, Equatable {
  /// What stands between two marks.
  public struct Region: Sendable, Equatable {
    /// The exercise's id.
    public let id: String
    /// The lines between the marks, counted from 0.
    public let lines: Range<Int>
  }

  /// The lines, without their newlines.
  public let lines: [String]
  /// The regions, in order; an exercise may have several.
  public let regions: [Region]
  /// What is wrong with the marks, with lines counted from 1.
  public let problems: [(line: Int, text: String)]

  /// Reads a file's text.
  public init(_ text: String) {
    // By bytes: for a String, a carriage return and a newline are one character.
    lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    var regions: [Region] = []
    var problems: [(line: Int, text: String)] = []
    var open: (id: String, line: Int)?
    for (index, line) in lines.enumerated() {
      if let id = Self.beginning(line) {
        if let open { problems.append((index + 1, "\(open.id) is not ended before \(id) begins")) }
        open = (id, index)
      } else if Self.isEnd(line) {
        if let open {
          regions.append(Region(id: open.id, lines: open.line + 1..<index))
        } else {
          problems.append((index + 1, "END SOLUTION without BEGIN SOLUTION"))
        }
        open = nil
      }
    }
    if let open { problems.append((open.line + 1, "\(open.id) has no END SOLUTION")) }
    self.regions = regions
    self.problems = problems
  }

  /// Whether two files have the same text.
  public static func == (left: MarkedSource, right: MarkedSource) -> Bool { left.lines == right.lines }

  /// The whole text.
  public var text: String { lines.joined(separator: "\n") }

  /// The ids of the exercises, each once, in order.
  public var ids: [String] {
    regions.map(\.id).reduce(into: []) { ids, id in if !ids.contains(id) { ids.append(id) } }
  }

  /// What stands between the marks of an exercise; `nil` if it has none.
  public func text(of id: String) -> String? {
    let parts = regions.filter { $0.id == id }.map { lines[$0.lines].joined(separator: "\n") }
    return parts.isEmpty ? nil : parts.joined(separator: "\n")
  }

  /// What belongs to no exercise.
  public var sharedText: String { replacingRegions { _ in [] }.text }

  /// The line, counted from 1, at which an exercise's writing begins.
  public func firstLine(of id: String) -> Int? { regions.first { $0.id == id }.map { $0.lines.lowerBound + 1 } }

  /// Whether an exercise is still as ``blanked(_:)`` leaves it: every region is `todo` and comments.
  public func isTodo(_ id: String) -> Bool {
    let own = regions.filter { $0.id == id }
    return !own.isEmpty
      && own.allSatisfy { region in
        let code = lines[region.lines].map { $0.filter { !$0.isWhitespace } }
          .filter { !$0.isEmpty && !$0.hasPrefix("//") }
        return code == ["todo(\"\(id)\")"]
      }
  }

  /// The file with `todo` in place of the given exercises' regions, or of all.
  public func blanked(_ ids: [String]? = nil) -> MarkedSource {
    replacingRegions { region in
      guard ids?.contains(region.id) ?? true else { return nil }
      let mark = lines[region.lines.lowerBound - 1]
      let ending = mark.utf8.last == 0x0d ? "\r" : ""
      return ["\(mark.prefix { $0 == " " || $0 == "\t" })todo(\"\(region.id)\")\(ending)"]
    }
  }

  /// The file with an exercise's regions as another file has them; `nil` if the two have not as many.
  public func replacing(_ id: String, from other: MarkedSource) -> MarkedSource? {
    var parts = other.regions.filter { $0.id == id }.map { Array(other.lines[$0.lines]) }[...]
    guard !parts.isEmpty, parts.count == regions.filter({ $0.id == id }).count else { return nil }
    return replacingRegions { $0.id == id ? parts.popFirst() : nil }
  }

  /// The file with other lines in its regions; `nil` leaves a region as it is.
  private func replacingRegions(_ replacement: (Region) -> [String]?) -> MarkedSource {
    var result: [String] = []
    var position = 0
    for region in regions {
      result += lines[position..<region.lines.lowerBound]
      result += replacement(region) ?? Array(lines[region.lines])
      position = region.lines.upperBound
    }
    return MarkedSource((result + lines[position...]).joined(separator: "\n"))
  }

  private static func beginning(_ line: String) -> String? {
    let words = line.split { $0.isWhitespace }
    return words.count == 4 && words[0...2] == ["//", "BEGIN", "SOLUTION"] ? String(words[3]) : nil
  }

  private static func isEnd(_ line: String) -> Bool {
    line.split { $0.isWhitespace } == ["//", "END", "SOLUTION"]
  }
}
