import ArgumentParser
import Exercises
import Foundation
import Publishing

/// The author's gate.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For authors: check that exercises are fit for students.",
    discussion: """
      Marks are well-formed, ids unique, hints there; each solution passes all its cases
      on the public seed and on others; each known mistake fails on each case with its
      own sentence alone; Recorded.json is up to date; each stub compiles and counts as
      not attempted; a release leaks no line of a solution or mistake, and is the same
      bytes again.

      Examples:
        swift run course verify
        swift run course verify VAE
      """)

  @Argument(help: "The lesson, such as Lesson04-VAE or VAE. (default: every lesson with exercises)")
  var lesson: String?

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    var report = GateReport()
    let lessons = try lesson.map { [try course.lesson($0)] } ?? course.lessons()
    guard !lessons.isEmpty else { throw ExerciseError("\(course.url.path) has no lesson with exercises") }
    let gate = CourseGate(course)
    report.check("ids, across lessons") { try gate.idProblems() }
    var release: StudentRelease?
    report.check("a release leaks nothing, and is the same again") {
      release = try StudentRelease(of: course)
      return try gate.releaseProblems()
    }
    for lesson in lessons {
      guard lesson.hasExercises else { throw ExerciseError("\(lesson.name) has no exercises") }
      check(lesson, release, &report)
    }
    guard report.failures == 0 else {
      throw ExerciseError("\(report.failures) of \(report.count) checks failed")
    }
    print("All \(report.count) checks hold.")
  }

  private func check(_ lesson: LessonFolder, _ release: StudentRelease?, _ report: inout GateReport) {
    let (name, gate) = (lesson.name, LessonGate(lesson))
    report.check("\(name): marks") { try gate.markProblems() }
    guard report.check("\(name): it compiles", { try lesson.build() }) else { return }
    report.check("\(name): ids, hints, cases, dependencies") { try gate.specificationProblems() }
    report.check("\(name): Recorded.json is up to date") { try gate.recordingProblems() }
    for seed in [RecordedLesson.publicSeed] + LessonGate.otherSeeds {
      report.check("\(name): solutions pass and mistakes are told apart, seed \(seed)") {
        try gate.answerProblems(seed: seed)
      }
    }
    guard let release else { return }
    report.check("\(name): stubs compile and are not attempted") { try gate.stubProblems(in: release) }
  }
}

/// Says what each check found, as it is made.
private struct GateReport {
  private(set) var count = 0
  private(set) var failures = 0

  @discardableResult
  mutating func check(_ title: String, _ problems: () throws -> [String]) -> Bool {
    let beginning = ContinuousClock.now
    var found: [String]
    do { found = try problems() } catch { found = ["\(error)"] }
    let seconds = (ContinuousClock.now - beginning) / .seconds(1)
    let time = String(format: "%.1f s", seconds)
    let style = Style.standard
    print("\(found.isEmpty ? style.good("ok    ") : style.bad("FAILED")) \(title) \(style.faint("(\(time))"))")
    for problem in found { print("       \(problem.replacing("\n", with: "\n       "))") }
    fflush(nil)
    count += 1
    failures += found.isEmpty ? 0 : 1
    return found.isEmpty
  }
}
