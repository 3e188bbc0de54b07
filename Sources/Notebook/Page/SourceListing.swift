import Foundation

/// A source file as the page shows it, regions of exercises marked.
struct SourceListing {
  /// The file's name.
  let name: String
  private let text: String
  /// What was wrong with the marks, with lines of the file.
  private(set) var problems: [(line: Int, text: String)] = []
  /// The listing as HTML.
  private(set) var html = ""

  init(name: String, text: String) {
    self.name = name
    self.text = text.trimmingEmptyLines
    html = """
      <details class="listing" open><summary>\(escaped(name))</summary>
      <pre class="code" tabindex="0"><code>\(regions())</code></pre></details>
      """
  }

  /// The file as a block of Markdown.
  var markdown: String { "**\(name)**\n\n```swift\n\(text)\n```" }

  /// The file's coloured lines, with a box around each exercise.
  private mutating func regions() -> String {
    let coloured = SwiftColouring(text).html.split(separator: "\n", omittingEmptySubsequences: false)
    let plain = text.split(separator: "\n", omittingEmptySubsequences: false)
    var result = ""
    var open: (id: String, line: Int)?
    for (index, line) in plain.enumerated() {
      let mark = line.trimmingSpaces
      if mark.hasPrefix("// BEGIN SOLUTION") {
        if let open { problems.append((index + 1, "exercise \(open.id) is not ended before another begins")) }
        if open != nil { result += "</span>" }
        let id = mark.dropFirst("// BEGIN SOLUTION".count).trimmingSpaces
        open = (id, index + 1)
        result += "<span class=\"exercise\"><span class=\"tag\">Exercise \(escaped(id))</span>\n"
      } else if mark.hasPrefix("// END SOLUTION") {
        if open == nil {
          problems.append((index + 1, "END SOLUTION without BEGIN SOLUTION"))
        } else {
          result += "</span>"
        }
        open = nil
      } else {
        result += coloured[index] + "\n"
      }
    }
    if let open {
      problems.append((open.line, "exercise \(open.id) has no END SOLUTION"))
      result += "</span>"
    }
    return result
  }

  /// The file in a folder that declares a type.
  static func file(declaring type: String, in folder: URL) -> URL? {
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    let sources = files.filter { $0.pathExtension == "swift" }.sorted { $0.path < $1.path }
    let named = sources.filter { $0.deletingPathExtension().lastPathComponent == type }
    return (named + sources).first { file in
      guard let text = try? String(contentsOf: file, encoding: .utf8) else { return false }
      return ["class", "struct", "enum", "actor"].contains { keyword in
        text.split(separator: "\n").contains { line in
          guard let range = line.range(of: "\(keyword) \(type)"), !line.trimmingSpaces.hasPrefix("//") else {
            return false
          }
          return line[range.upperBound...].first.map { !$0.isLetter && !$0.isNumber && $0 != "_" } ?? true
        }
      }
    }
  }
}

extension String {
  fileprivate var trimmingEmptyLines: String {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    let isBlank: (Substring) -> Bool = { $0.allSatisfy(\.isWhitespace) }
    return lines.drop(while: isBlank).reversed().drop(while: isBlank).reversed().joined(separator: "\n")
  }
}
