import ArgumentParser
import Exercises
import Foundation

/// Empties exercises for the student to write.
struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Empty a lesson's exercises for you to write; the original is kept.",
    discussion: """
      In the lesson's file what stands between // BEGIN SOLUTION and
      // END SOLUTION becomes todo("…"). Write your code there and leave the marks.
      What you have written already is left alone.

      Examples:
        swift run course start VAE
        swift run course start VAE.2     one exercise alone
      """)

  @Argument(help: "The lesson, such as Lesson04-VAE or VAE, or one exercise.")
  var what: String

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let exercises = try course.exercises(what)
    let lesson = exercises[0].lesson
    try lesson.keepOriginals()
    for (file, group) in Dictionary(grouping: exercises, by: \.file) {
      let original = try lesson.original(file)
      let untouched = group.filter { $0.source.text(of: $0.id) == original.text(of: $0.id) }.map(\.id)
      try lesson.write(group[0].source.blanked(untouched), to: file)
    }
    for exercise in try course.exercises(what) {
      let state = exercise.isTodo ? "write it at \(exercise.place)" : "left as you wrote it, at \(exercise.place)"
      print("\(exercise.id)  \(exercise.recorded.outline.title): \(state)")
    }
    print(
      "\nswift run course next shows what is asked; swift run course watch \(lesson.suffix) checks whenever you save.")
  }
}

/// Begins an exercise again.
struct Reset: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Begin an exercise or a lesson again; a backup of what you wrote is kept.",
    discussion: """
      Examples:
        swift run course reset VAE.1              todo("VAE.1") again, no more
        swift run course reset VAE                the whole file as `start` made it
        swift run course reset VAE --solutions    the lesson as before `start`
      """)

  @Argument(help: "An exercise such as VAE.1, or a lesson.")
  var what: String

  @Flag(help: "Put back what was there before start, which ends your own work on it.")
  var solutions = false

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let lesson = try course.lesson(what)
    guard lesson.hasExercises else { throw ExerciseError("\(lesson.name) has no exercises") }
    let files = try lesson.recorded().files
    if solutions && !lesson.isStarted { throw ExerciseError("\(lesson.name) was never started: it is as it was") }
    let backup = try lesson.backUp(files)
    if what.contains(".") {
      let exercise = try course.exercise(what)
      let (id, source) = (exercise.id, exercise.source)
      let original = solutions ? try lesson.original(exercise.file) : source.blanked([id])
      guard let changed = source.replacing(id, from: original) else {
        throw ExerciseError("the marks of \(id) differ from the original's; reset the whole lesson: \(lesson.suffix)")
      }
      try lesson.write(changed, to: exercise.file)
    } else {
      for file in files {
        let original = try lesson.isStarted ? lesson.original(file) : lesson.source(file)
        try lesson.write(solutions ? original : original.blanked(), to: file)
      }
      // As if never started: the next start keeps what is there then, perhaps a newer release's.
      if solutions { try FileManager.default.removeItem(at: lesson.originals) }
    }
    print(
      "\(what) is as \(solutions ? "before start" : "start made it"); your version is in \(course.shortPath(backup))")
  }
}

extension LessonFolder {
  /// Keeps the exercises' files as they are, unless that was done before.
  func keepOriginals() throws {
    guard !isStarted else { return }
    // Made elsewhere and moved, so that a stop half way leaves either all or nothing.
    let made = originals.deletingLastPathComponent().appending(path: ".\(name)-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
    for file in try recorded().files {
      try FileManager.default.copyItem(at: url.appending(path: file), to: made.appending(path: file))
    }
    try FileManager.default.moveItem(at: made, to: originals)
  }

  /// Copies files into a new folder of backups, and gives that folder.
  func backUp(_ files: [String]) throws -> URL {
    let time = Date().formatted(.iso8601).replacing(":", with: "")
    let parent = course.hiddenFolder.appending(path: "backups/\(name)")
    var folder = parent.appending(path: time)
    var count = 1
    while FileManager.default.fileExists(atPath: folder.path) {
      count += 1
      folder = parent.appending(path: "\(time)-\(count)")
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in files where FileManager.default.fileExists(atPath: url.appending(path: file).path) {
      try FileManager.default.copyItem(at: url.appending(path: file), to: folder.appending(path: file))
    }
    return folder
  }

  /// Writes one of its files, if it changes.
  func write(_ source: MarkedSource, to file: String) throws {
    let target = url.appending(path: file)
    guard (try? String(contentsOf: target, encoding: .utf8)) != source.text else { return }
    try Data(source.text.utf8).write(to: target, options: .atomic)
  }
}
