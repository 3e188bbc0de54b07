import ArgumentParser
import Exercises
import Foundation
import Grading

/// Grades submissions.
struct Grade: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For instructors: grade a lesson's submissions on hidden inputs.",
    discussion: """
      SUBMISSIONS holds one folder (or the archive of course submit) a student, with
      the lesson's exercise files at any depth; nothing else in it is used. Each case
      runs in a process of its own, held by a sandbox, and its values are judged
      outside. An exercise that depends on another may use the authors' solution of it.

      In DIR: grades.json (all results, for instructors alone: it names the private
      seed), grades.csv, and for each student results.json (Gradescope), junit.xml and
      feedback.html, which reveal no hidden input. A run that was stopped goes on
      where it was when it is started again.

      Examples, each after `swift run`:
        course grade submissions --out grades --lesson VAE
        course grade submissions --out part2 --private-seed 71 --shard 2/4
      """)

  @Argument(help: "The folder of submissions.")
  var submissions: String

  @Option(help: ArgumentHelp("The folder for results.", valueName: "DIR"))
  var out: String

  @Option(help: "The lesson, such as VAE. (default: the only one with exercises)")
  var lesson: String?

  @Option(help: "The seed of the hidden inputs. (default: a new one, or that in DIR)")
  var privateSeed: UInt64?

  @Option(help: "How many submissions are graded at a time. (default: one for each core)")
  var jobs: Int?

  @Option(help: "What holds students' code: bwrap, uid (as root), or none. (default: the first that works)")
  var sandbox: String?

  @Flag(help: "Needed for --sandbox none: you trust all this code with your files.")
  var trustSubmissions = false

  @Option(help: ArgumentHelp("Every N-th submission, from the I-th on; course merge joins them.", valueName: "I/N"))
  var shard: String?

  @Option(help: ArgumentHelp("Processor seconds for one case.", valueName: "SECONDS"))
  var timeLimit = GradingLimits().seconds

  @Option(help: ArgumentHelp("Memory for one case.", valueName: "MIB"))
  var memoryLimit = GradingLimits().memory >> 20

  @Option(help: ArgumentHelp("Seconds for one build.", valueName: "SECONDS"))
  var buildTimeLimit = GradingLimits().buildSeconds

  @Option(help: ArgumentHelp("Memory for one build.", valueName: "MIB"))
  var buildMemoryLimit = GradingLimits().buildMemory >> 20

  @Flag(help: "Use the lesson as it was built last.")
  var skipBuild = false

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder, launcher: URL? = nil) throws {
    var run = GradingRun(
      lesson: try lesson(in: course), submissions: URL(fileURLWithPath: submissions), output: URL(fileURLWithPath: out),
      launcher: launcher ?? Self.ownExecutable)
    run.privateSeed = privateSeed
    run.jobs = jobs ?? run.jobs
    run.level = try level()
    run.shard = try shard.map { text throws(ExerciseError) in try Shard(text) }
    run.limits = try limits()
    run.skipsBuild = skipBuild
    run.print = {
      print($0)
      fflush(nil)
    }
    let grades = try run.run()
    let open = grades.submissions.filter { !$0.isGraded }
    print("\(grades.submissions.count - open.count) of \(grades.submissions.count) graded; results are in \(out)")
    guard open.isEmpty else {
      let names = open.prefix(5).map { $0.name.debugDescription }.joined(separator: ", ")
      throw ExerciseError(
        "not graded: \(names)\(open.count > 5 ? " and others" : ""); their notes in grades.json say why")
    }
  }

  private func lesson(in course: CourseFolder) throws -> LessonFolder {
    if let lesson { return try course.lesson(lesson) }
    let lessons = try course.lessons()
    guard let only = lessons.first, lessons.count == 1 else {
      throw ExerciseError("say which lesson: --lesson with one of \(lessons.map(\.name).joined(separator: ", "))")
    }
    return only
  }

  private func level() throws -> SandboxLevel? {
    guard let sandbox else { return nil }
    guard let level = SandboxLevel(rawValue: sandbox) else {
      throw ExerciseError("there is no sandbox \(sandbox); there are: bwrap, uid, none")
    }
    guard level != .none || trustSubmissions else {
      throw ExerciseError(
        "--sandbox none lets submissions do all that you can: say --trust-submissions if you trust them")
    }
    return level
  }

  private func limits() throws -> GradingLimits {
    var limits = GradingLimits()
    let sizes = [
      ("--time-limit", timeLimit, 1...3600), ("--memory-limit", memoryLimit, 64...1 << 20),
      ("--build-time-limit", buildTimeLimit, 1...3600), ("--build-memory-limit", buildMemoryLimit, 256...1 << 20),
    ]
    for (name, value, range) in sizes where !range.contains(value) {
      throw ExerciseError(
        "\(name) \(value) makes no sense: give a number from \(range.lowerBound) to \(range.upperBound)")
    }
    (limits.seconds, limits.memory) = (timeLimit, memoryLimit << 20)
    (limits.buildSeconds, limits.buildMemory) = (buildTimeLimit, buildMemoryLimit << 20)
    return limits
  }

  private static var ownExecutable: URL {
    let path = Bundle.main.executablePath ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: path).resolvingSymlinksInPath()
  }
}
