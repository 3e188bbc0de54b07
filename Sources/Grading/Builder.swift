import Exercises
import Foundation

/// An error of the compiler in a student's file.
struct CompilerError: Sendable, Equatable {
  /// The file's name, and the line counted from 1; `nil` if it names none.
  let place: (file: String, line: Int)?
  let text: String

  static func == (left: CompilerError, right: CompilerError) -> Bool { left.description == right.description }

  /// In one line, as the compiler says it.
  var description: String { (place.map { "\($0.file):\($0.line): " } ?? "") + text }
}

/// What came of a build.
enum BuildOutcome: Sendable, Equatable {
  /// An executable.
  case built(URL)
  /// The compiler refused the sources.
  case refused([CompilerError])
  /// It took longer than it may, or more memory.
  case exhausted(String)
}

/// Builds students' sources, one after another, in a folder of its own.
struct Builder: Sendable {
  let kit: BuildKit
  let sandbox: Sandbox
  let folder: URL
  let user: Int
  /// Whether the compiler may fill the module cache: for trusted sources alone.
  var fillsCache = false

  /// Builds sources, by file; the executable's name tells builds apart.
  func build(_ sources: [String: String], named name: String) throws(ExerciseError) -> BuildOutcome {
    let place = folder.appending(path: name)
    try FileSystem.makeFolder(place)
    for (file, text) in sources { try FileSystem.write(Data(text.utf8), to: place.appending(path: file)) }
    let writable = [place] + (fillsCache ? [kit.cache] : [])
    if sandbox.level == .uid, geteuid() == 0 {
      for folder in writable { _ = chown(folder.path, uid_t(user), gid_t(user)) }
    }
    var child = ChildProcess(
      sandbox.buildCommand(compiler: kit.compiler, readable: [kit.url], writable: writable, user: user)
        + kit.command(in: place))
    child.timeLimit = Double(sandbox.limits.buildSeconds)
    child.outputLimit = 1 << 20
    let outcome = try child.run()
    sandbox.killAll(of: user)
    return try judge(outcome, in: place)
  }

  private func judge(_ outcome: ChildOutcome, in place: URL) throws(ExerciseError) -> BuildOutcome {
    let executable = place.appending(path: SandboxRoot.lessonName)
    let text = String(decoding: outcome.output + outcome.errors, as: UTF8.self)
    switch outcome.ending {
    case .exited(0):
      try own(executable)
      return .built(executable)
    case .timedOut: return .exhausted("the compiler took longer than \(sandbox.limits.buildSeconds) s")
    default:
      let errors = Self.errors(in: text, files: kit.exerciseFiles)
      if !errors.isEmpty { return .refused(errors) }
      if text.contains("confine: ") || text.contains("bwrap: ") || text.contains("No space left") {
        throw ExerciseError("the compiler cannot be started in the sandbox: \(outcome.explanation)")
      }
      return .exhausted("the compiler \(outcome.explanation)")
    }
  }

  /// Makes an executable that a user other than the grader wrote the grader's own.
  private func own(_ executable: URL) throws(ExerciseError) {
    var status = stat()
    guard lstat(executable.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ExerciseError("\(executable.path) is no file after the build")
    }
    if sandbox.level == .uid, geteuid() == 0 {
      for path in [executable.deletingLastPathComponent().path, executable.path] { _ = chown(path, 0, 0) }
    }
    chmod(executable.path, 0o555)
  }

  /// The compiler's errors, those in students' files first.
  static func errors(in text: String, files: [String]) -> [CompilerError] {
    let errors = text.split(separator: "\n").compactMap { line -> CompilerError? in
      guard let mark = line.range(of: "error: "), !line.hasPrefix(" ") else { return nil }
      let message = String(line[mark.lowerBound...].prefix(300))
      let parts = line[..<mark.lowerBound].split(separator: ":")
      guard parts.count >= 3, let number = Int(parts[1]) else {
        return message.contains("link command failed") || message.contains("fatalError")
          ? nil : CompilerError(place: nil, text: message)
      }
      return CompilerError(place: (URL(fileURLWithPath: String(parts[0])).lastPathComponent, number), text: message)
    }
    let own = errors.filter { $0.place.map { files.contains($0.file) } ?? false }
    return own + errors.filter { !own.contains($0) }
  }
}
