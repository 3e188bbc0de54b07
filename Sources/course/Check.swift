import ArgumentParser
import Exercises
import Foundation

/// Checks exercises.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say which cases of an exercise pass, and what is wrong with the others.",
    discussion: """
      Builds the lesson, runs your code on each public case in a process of its own,
      and compares the values it returns with the right ones. For a case that fails
      you see the shape, the first wrong index, the largest error and what error is
      allowed; where your values are those of a known mistake, the mistake is named.
      What your code prints does not matter, so print as you like.

      Examples:
        swift run course check VAE.1     one exercise
        swift run course check VAE       all exercises of Lesson04-VAE
        swift run course check           all that you have begun
      """)

  @Argument(help: "An exercise such as VAE.1, or a lesson. (default: all that you have begun)")
  var what: String?

  @Option(help: ArgumentHelp("Seconds after which a case is stopped.", valueName: "S"))
  var timeLimit = 10.0

  func validate() throws {
    guard timeLimit > 0, timeLimit <= 3600 else {
      throw ValidationError("--time-limit \(timeLimit): give a number of seconds up to 3600.")
    }
  }

  func run() throws {
    let course = try CourseFolder.current()
    let isPassed = try check(in: course)
    if !isPassed { throw ExitCode.failure }
  }

  /// Checks, reports and keeps the progress; whether all passed.
  func check(in course: CourseFolder) throws -> Bool {
    let chosen = try what.map { try course.exercises($0) } ?? begun(in: course)
    var progress = try Progress(in: course)
    var hasPassed = true
    for (name, exercises) in Dictionary(grouping: chosen, by: \.lesson.name).sorted(by: { $0.key < $1.key }) {
      let lesson = exercises[0].lesson
      if exercises.contains(where: { !$0.isTodo }) {
        let errors = try lesson.build()
        guard errors.isEmpty else {
          print("\(name) does not compile:")
          for error in errors { print("  " + error.replacing(course.url.path + "/", with: "")) }
          hasPassed = false
          continue
        }
      }
      var checker = try Checker(lesson, timeLimit: timeLimit)
      for exercise in exercises {
        let result = checker.result(for: exercise)
        print(result.report(.standard, hasSolutions: lesson.hasSolutions && lesson.isStarted) + "\n")
        if result.passed && !exercise.isUntouched { progress[exercise.id].passed = exercise.sourceHash }
        hasPassed = hasPassed && result.passed
      }
    }
    try progress.write(to: course)
    return hasPassed
  }

  private func begun(in course: CourseFolder) throws -> [StudentExercise] {
    let progress = try Progress(in: course)
    let all = try course.lessons().flatMap { try $0.exercises() }
    let begun = all.filter { ![.toDo, .solution].contains($0.state(progress)) }
    guard !begun.isEmpty else {
      throw ExerciseError(
        "no exercise is begun; swift run course next says where to begin, swift run course check VAE.1 checks one")
    }
    return begun
  }
}

/// Checks after each change.
struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check again whenever you save a file; Ctrl-C ends it.",
    discussion: """
      Examples:
        swift run course watch VAE.1
      """)

  @OptionGroup var check: Check

  func run() throws {
    let course = try CourseFolder.current()
    let lessons = try check.what.map { [try course.lesson($0)] } ?? course.lessons()
    var seen: [URL: Date] = [:]
    while true {
      let now = Self.changes(in: lessons)
      if now != seen {
        seen = now
        print("\n" + Style.standard.faint("--- \(Date().formatted(date: .omitted, time: .standard))"))
        // What is half written may be wrong in any way; the next change may mend it.
        do { _ = try check.check(in: course) } catch { print("error: \(error)") }
        fflush(nil)
      }
      usleep(300_000)
    }
  }

  private static func changes(in lessons: [LessonFolder]) -> [URL: Date] {
    let folders = lessons.map {
      try? FileManager.default.contentsOfDirectory(
        at: $0.url, includingPropertiesForKeys: [.contentModificationDateKey])
    }
    let files = folders.compactMap(\.self).joined().filter { $0.pathExtension == "swift" }
    return files.reduce(into: [:]) { dates, file in
      dates[file] = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.modificationDate] as? Date
    }
  }
}
