import Exercises
import Foundation

/// What a student has done, by exercise: the hidden file `.course/progress.json` of a clone.
struct Progress: Codable, Equatable {
  struct Entry: Codable, Equatable {
    /// The hash of the source that passed last.
    var passed: String?
    /// How many hints were shown.
    var hints = 0
  }

  var exercises: [String: Entry] = [:]

  /// The progress kept in a clone; none if there is no file yet.
  init(in course: CourseFolder) throws(ExerciseError) {
    let file = course.progressFile
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
    } catch {
      throw ExerciseError("\(file.path) is damaged; delete it and check again: your solutions are not in it")
    }
  }

  /// Keeps it.
  func write(to course: CourseFolder) throws {
    try FileManager.default.createDirectory(at: course.hiddenFolder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(self).write(to: course.progressFile, options: .atomic)
  }

  subscript(id: String) -> Entry {
    get { exercises[id] ?? Entry() }
    set { exercises[id] = newValue }
  }
}

extension CourseFolder {
  /// What the student commands keep, which git ignores.
  var hiddenFolder: URL { url.appending(path: ".course") }
  var progressFile: URL { hiddenFolder.appending(path: "progress.json") }

  /// A file's path as one would type it from the clone's folder.
  func shortPath(_ file: URL) -> String {
    file.path.hasPrefix(url.path + "/") ? String(file.path.dropFirst(url.path.count + 1)) : file.path
  }
}

/// How far a student is with an exercise.
enum ExerciseState: String {
  case toDo = "to do"
  case written = "written, not checked"
  case passed = "passed"
  case changed = "changed since it passed"
  case solution = "the authors' solution"
}

/// An exercise in a clone.
struct StudentExercise {
  let lesson: LessonFolder
  let recorded: RecordedExercise
  let file: String
  let source: MarkedSource

  var id: String { recorded.outline.id }
  var isTodo: Bool { source.isTodo(id) }
  /// Where one writes it, such as `Lessons/Lesson04-VAE/VAE.swift:8`.
  var place: String {
    "\(lesson.course.shortPath(lesson.url.appending(path: file))):\(source.firstLine(of: id) ?? 1)"
  }

  /// The hash of what the exercise depends on: its own text and what belongs to no exercise.
  var sourceHash: String {
    SHA256.hexDigest(of: Data((source.sharedText + "\u{0}" + (source.text(of: id) ?? "")).utf8))
  }

  func state(_ progress: Progress) -> ExerciseState {
    if isTodo { return .toDo }
    if isUntouched { return .solution }
    return progress[id].passed.map { $0 == sourceHash ? .passed : .changed } ?? .written
  }

  /// Whether it is still the authors' own: never emptied in a clone that has the solutions, or put back.
  var isUntouched: Bool {
    guard lesson.hasSolutions else { return false }
    guard let original = try? lesson.original(file) else { return !lesson.isStarted }
    return original.text(of: id) == source.text(of: id)
  }

  /// The documentation and signature above the mark: what is asked.
  var statement: String {
    let mark = (source.firstLine(of: id) ?? 2) - 2
    let above = source.lines[..<max(0, mark)].reversed().prefix { !$0.allSatisfy(\.isWhitespace) }
    return above.reversed().joined(separator: "\n")
  }
}

extension LessonFolder {
  /// Where the files are kept as they were before `course start`.
  var originals: URL { course.hiddenFolder.appending(path: "originals/\(name)") }
  var isStarted: Bool { FileManager.default.fileExists(atPath: originals.path) }

  /// Whether this clone is the authors', with solutions: a release has no code of mistakes.
  var hasSolutions: Bool {
    (try? source("Mistakes.swift"))?.text.contains(".knownMistakes(") ?? false
  }

  /// Whether anything is to be written in it.
  var hasExercises: Bool { FileManager.default.fileExists(atPath: recordedFile.path) || !exerciseFiles.isEmpty }

  /// A file as it was before `course start`.
  func original(_ file: String) throws -> MarkedSource {
    MarkedSource(try String(contentsOf: originals.appending(path: file), encoding: .utf8))
  }

  /// Its exercises.
  func exercises() throws(ExerciseError) -> [StudentExercise] {
    try recorded().exercises.map { recorded throws(ExerciseError) in
      guard let (file, source) = try source(of: recorded.outline.id) else {
        throw ExerciseError(
          "the marks of \(recorded.outline.id) are gone from \(course.shortPath(url)); put back // BEGIN SOLUTION "
            + "\(recorded.outline.id) and // END SOLUTION around your code, or swift run course reset \(suffix)")
      }
      return StudentExercise(lesson: self, recorded: recorded, file: file, source: source)
    }
  }
}

extension CourseFolder {
  /// The exercises that somebody means by an exercise's id or a lesson's name.
  func exercises(_ text: String) throws(ExerciseError) -> [StudentExercise] {
    let lesson = try lesson(text)
    guard lesson.hasExercises else { throw ExerciseError("\(lesson.name) has no exercises") }
    let all = try lesson.exercises()
    guard text.contains(".") else { return all }
    let found = all.filter { $0.id.lowercased() == text.lowercased() }
    guard !found.isEmpty else {
      throw ExerciseError("\(lesson.name) has no exercise \(text); it has \(all.map(\.id).joined(separator: ", "))")
    }
    return found
  }

  /// The one exercise with an id.
  func exercise(_ id: String) throws(ExerciseError) -> StudentExercise {
    let found = try exercises(id)
    guard found.count == 1 else {
      throw ExerciseError("say which exercise: \(found.map(\.id).joined(separator: ", "))")
    }
    return found[0]
  }
}
