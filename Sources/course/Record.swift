import ArgumentParser
import Exercises
import Foundation

// BEGIN AUTHORS
/// Records the values that checks compare with.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For authors: write a lesson's Recorded.json from its solutions and known mistakes.",
    discussion: """
      Students' checks compare with these values. Record again after a change of an
      exercise, its cases or its known mistakes, and commit the file.
      """)

  @Argument(help: "The lesson, such as Lesson04-VAE or VAE. (default: every lesson with exercises)")
  var lesson: String?

  func run() throws {
    let course = try CourseFolder.current()
    for lesson in try lesson.map({ [try course.lesson($0)] }) ?? course.lessons() {
      let errors = try lesson.build()
      guard errors.isEmpty else { throw ExerciseError(errors.joined(separator: "\n")) }
      let prober = Prober(executable: lesson.executable, timeLimit: 60)
      let recorded = try RecordedLesson(
        lesson: lesson.name, files: lesson.exerciseFiles, from: prober, seed: RecordedLesson.publicSeed)
      let problems = recorded.problems
      guard problems.isEmpty else { throw ExerciseError(problems.joined(separator: "\n")) }
      try recorded.encoded().write(to: lesson.recordedFile, options: .atomic)
      let (exercises, mistakes) = (recorded.exercises, recorded.exercises.map(\.outline.mistakes.count).reduce(0, +))
      print("\(lesson.recordedFile.path): \(exercises.count) exercises, \(mistakes) known mistakes, all told apart")
    }
  }
}
// END AUTHORS

extension CourseFolder {
  /// The clone around the current folder, else the one that this program was built in.
  static func current() throws(ExerciseError) -> CourseFolder {
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    do { return try CourseFolder(around: here) } catch {
      guard let program = CommandLine.arguments.first.map({ URL(fileURLWithPath: $0) }),
        let built = try? CourseFolder(around: program.deletingLastPathComponent())
      else { throw error }
      return built
    }
  }
}
