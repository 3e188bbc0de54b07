import Exercises
import Foundation

/// The students' repository, in memory: the course without solutions, without mistakes' code and without what is for authors.
public struct StudentRelease {
  /// A file of the release.
  public struct File: Equatable, Sendable {
    /// Its path, with `/` between folders.
    public let path: String
    /// Its bytes.
    public let content: Data
    /// Whether it is a program.
    public let isExecutable: Bool
  }

  /// The files, sorted by path.
  public let files: [File]
  /// What was left out and may surprise, one line each.
  public let notes: [String]
  /// What students may read of `Mistakes.swift`.
  public static let withheldMistakes =
    "import LessonKit\n\n/// The known mistakes stay with the authors.\nlet mistakes: [KnownMistakes] = []\n"

  /// What of the course's folder may go into a release; anything else stays.
  static let released = [
    ".gitignore", ".swift-format", "LICENSE", "Lessons", "Package.swift", "README.md", "Sources", "Tests", "data",
  ]
  /// What of that is for authors and instructors alone: folders and files.
  static let authorsOnly = [
    "Sources/CConfinement", "Sources/Grading", "Sources/Publishing", "Sources/benchmark",
    "Sources/course/ConfineCommand.swift", "Sources/course/GradeCommand.swift",
    "Sources/course/GradescopeCommand.swift", "Sources/course/MergeCommand.swift",
    "Sources/course/ReleaseCommand.swift",
    "Sources/course/StatsCommand.swift", "Sources/course/VerifyCommand.swift",
    "Tests/CourseTests/RightAnswersTests.swift",
    "Tests/GradingTests", "Tests/PublishingTests",
  ]

  /// The release of a clone of the authors'; `target` is where it will go, which is never copied.
  public init(of course: CourseFolder, target: URL? = nil) throws {
    let tree = try SourceTree(of: course, target: target)
    var files: [File] = []
    for path in tree.paths where !Self.isForAuthors(path) {
      files.append(try Self.file(path, of: course))
    }
    guard files.contains(where: { $0.path == "Package.swift" }) else {
      throw ExerciseError("\(course.url.path) has no Package.swift that git knows; git add it")
    }
    self.files = files
    notes = tree.notes
    let leaks = try Secrets(of: course).leaks(in: files)
    guard leaks.isEmpty else { throw ExerciseError("a release would leak:\n" + leaks.joined(separator: "\n")) }
  }

  init(files: [File]) {
    self.files = files
    notes = []
  }

  static func isForAuthors(_ path: String) -> Bool {
    authorsOnly.contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  private static func file(_ path: String, of course: CourseFolder) throws -> File {
    let url = course.url.appending(path: path)
    guard let content = try? Data(contentsOf: url) else { throw ExerciseError("\(url.path) cannot be read") }
    return File(
      path: path, content: try studentContent(content, of: path),
      isExecutable: FileManager.default.isExecutableFile(atPath: url.path))
  }

  /// What students get of a file.
  static func studentContent(_ content: Data, of path: String) throws -> Data {
    let parts = path.split(separator: "/")
    guard ["swift", "md"].contains(parts.last?.split(separator: ".").last) else { return content }
    guard let text = String(validating: content, as: UTF8.self) else { throw ExerciseError("\(path) is not UTF-8") }
    guard parts.first == "Lessons", path.hasSuffix(".swift") else {
      return Data(try AuthorMarks.studentText(text, of: path).utf8)
    }
    if parts.last == "Mistakes.swift" { return Data(withheldMistakes.utf8) }
    let source = MarkedSource(text)
    if let problem = source.problems.first { throw ExerciseError("\(path):\(problem.line): \(problem.text)") }
    return Data(try AuthorMarks.studentText(source.blanked().text, of: path).utf8)
  }
}

/// The files of a clone that may go into a release.
struct SourceTree {
  private(set) var paths: [String] = []
  private(set) var notes: [String] = []

  /// The files that git tracks, or all where there is no git: an author's private files lie about untracked.
  init(of course: CourseFolder, target: URL?) throws {
    let tracked = try Self.tracked(in: course)
    if tracked == nil { notes.append("\(course.url.path) is not a git clone: every file in its folders is taken") }
    let excluded = target.map { $0.standardizedFileURL.resolvingSymlinksInPath().path }
    for name in StudentRelease.released { try add(name, in: course.url, except: excluded) }
    paths.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard let tracked else { return }
    for path in paths where !tracked.contains(path) && !StudentRelease.isForAuthors(path) {
      notes.append("\(path) is not tracked by git: left out")
    }
    paths.removeAll { !tracked.contains($0) }
  }

  private mutating func add(_ path: String, in root: URL, except excluded: String?) throws {
    let url = root.appending(path: path)
    guard let type = try? FileManager.default.attributesOfItem(atPath: url.path)[.type] as? FileAttributeType,
      url.standardizedFileURL.resolvingSymlinksInPath().path != excluded
    else { return }
    switch type {
    case .typeRegular: paths.append(path)
    case .typeDirectory:
      for name in try FileManager.default.contentsOfDirectory(atPath: url.path) where !Self.isPrivate(name) {
        try add("\(path)/\(name)", in: root, except: excluded)
      }
    default: throw ExerciseError("\(url.path) is neither a file nor a folder; a release holds those alone: remove it")
    }
  }

  /// Hidden files and what tools leave behind.
  private static func isPrivate(_ name: String) -> Bool {
    name.hasPrefix(".") || ["__pycache__", "Output", "Package.resolved"].contains(name)
  }

  private static func tracked(in course: CourseFolder) throws -> Set<String>? {
    var git = ChildProcess(["git", "-C", course.url.path, "ls-files", "-z"])
    git.outputLimit = 64 << 20
    git.timeLimit = 60
    guard let run = try? git.run(), run.ending == .exited(0) else { return nil }
    let names = run.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    // A folder without a repository of its own may lie inside another's.
    return names.contains("Package.swift") ? Set(names) : nil
  }
}
