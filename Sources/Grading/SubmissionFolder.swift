import Exercises
import Foundation

/// Reads a folder of submissions: one folder or archive a student. It follows no link, here or below.
public struct SubmissionFolder {
  private let url: URL
  private let wanted: [String]
  private static let largestArchive = 8 << 20

  /// A folder in which files with these names are looked for.
  public init(_ url: URL, lookingFor wanted: [String]) {
    self.url = url
    self.wanted = wanted
  }

  /// All submissions by name, and what at the top is none.
  public func read() throws(ExerciseError) -> (submissions: [Submission], ignored: [String]) {
    guard let top = DirectoryReader(path: url.path) else {
      throw ExerciseError("\(url.path) is no folder that can be read: give one with one folder a student")
    }
    var found: [String: FileCollector] = [:]
    var ignored: [String] = []
    for entry in top.entries() {
      let isArchive = entry.kind == .file && entry.name.lowercased().hasSuffix(".zip")
      guard entry.kind == .folder || isArchive, !entry.name.hasPrefix("."), entry.name != "__MACOSX" else {
        ignored.append(
          "\(printable(entry.name)): \(entry.kind == .file ? "not a folder or zip archive" : entry.kind.words)")
        continue
      }
      let name = isArchive ? String(entry.name.dropLast(4)) : entry.name
      var collector = found[name] ?? FileCollector(wanted: wanted)
      if let folder = isArchive ? nil : top.folder(entry) {
        collector.collect(folder, place: "", depth: 0)
      } else if isArchive {
        collector.collectArchive(top.content(of: entry, limit: Self.largestArchive), place: entry.name)
      } else {
        collector.note("the folder cannot be read")
      }
      found[name] = collector
    }
    let submissions = found.sorted { $0.key < $1.key }.map { name, collector in
      Submission(name: name, wanted: wanted, found: collector.found, notes: collector.notes)
    }
    return (submissions, ignored)
  }
}

/// What a walk through one submission found.
struct FileCollector {
  let wanted: [String]
  private(set) var found: [FoundFile] = []
  private var ignored: [String] = []
  private var special: [String] = []
  private var count = 0
  private static let mostEntries = 20_000
  private static let deepest = 40

  init(wanted: [String]) { self.wanted = wanted }

  /// What was ignored, in words; of many, the first few.
  var notes: [String] {
    let first = ignored.sorted().prefix(8).map(printable).joined(separator: ", ")
    let more = ignored.count > 8 ? " and \(ignored.count - 8) others" : ""
    return special + (ignored.isEmpty ? [] : ["ignored: \(first)\(more)"])
  }

  mutating func note(_ text: String) { special.append(text) }

  mutating func collect(_ folder: DirectoryReader, place: String, depth: Int) {
    for entry in folder.entries() {
      count += 1
      guard count <= Self.mostEntries, depth <= Self.deepest else {
        if !special.contains("too many files or folders: the rest is ignored") {
          special.append("too many files or folders: the rest is ignored")
        }
        return
      }
      let path = place + entry.name
      switch entry.kind {
      case .folder:
        if let inner = folder.folder(entry) { collect(inner, place: path + "/", depth: depth + 1) }
      case .file:
        if wanted.contains(entry.name), let content = folder.content(of: entry, limit: Submission.largestFile + 1) {
          add(entry.name, path, content, size: entry.size)
        } else if entry.name.lowercased().hasSuffix(".zip") {
          collectArchive(folder.content(of: entry, limit: 8 << 20), place: path)
        } else if !isHarmless(path) {
          ignored.append(path)
        }
      case .link, .other: special.append("\(printable(path)): \(entry.kind.words), ignored")
      }
    }
  }

  mutating func collectArchive(_ data: Data?, place: String) {
    guard let data, let archive = ZipReader(data) else {
      special.append("\(printable(place)): no zip archive that can be read, or too large; ignored")
      return
    }
    for entry in archive.entries where !entry.path.hasSuffix("/") {
      let name = entry.path.split(separator: "/").last.map(String.init) ?? ""
      let path = "\(place)/\(entry.path)"
      if entry.isLink {
        special.append("\(printable(path)): a symbolic link, ignored")
      } else if wanted.contains(name), !entry.path.hasPrefix("__MACOSX/") {
        guard let content = archive.content(of: entry, limit: Submission.largestFile + 1) else {
          special.append("\(printable(path)): damaged, ignored")
          continue
        }
        add(name, path, content, size: max(content.count, entry.size))
      } else if !isHarmless(entry.path) {
        ignored.append(path)
      }
    }
  }

  private mutating func add(_ name: String, _ path: String, _ content: Data, size: Int) {
    found.append(FoundFile(name: name, place: printable(path), content: content, size: max(size, content.count)))
  }

  /// What `course submit` and file browsers add.
  private func isHarmless(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name == "manifest.json" || name == ".DS_Store" || path.hasPrefix("__MACOSX/")
  }
}
