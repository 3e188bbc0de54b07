import Exercises
import Foundation
import Synchronization

/// One `course grade`: takes submissions, grades what is not graded yet, and writes results.
public struct GradingRun: Sendable {
  /// The lesson, in a clone with solutions.
  public var lesson: LessonFolder
  /// The folder of submissions.
  public var submissions: URL
  /// The folder of results.
  public var output: URL
  /// The seed of all inputs; `nil` for a new one, or that of results that are there.
  public var privateSeed: UInt64?
  /// How many submissions are graded at a time.
  public var jobs = ProcessInfo.processInfo.activeProcessorCount
  /// What must hold students' code; `nil` for the best that works here.
  public var level: SandboxLevel?
  /// The part of the submissions.
  public var shard: Shard?
  /// What one case and one build may use.
  public var limits = GradingLimits()
  /// Whether the lesson is built already.
  public var skipsBuild = false
  /// The program that starts others under limits.
  public var launcher: URL
  /// Told what happens, in lines.
  public var print: @Sendable (String) -> Void = { _ in }

  /// A run with the defaults.
  public init(lesson: LessonFolder, submissions: URL, output: URL, launcher: URL) {
    self.lesson = lesson
    self.submissions = submissions
    self.output = output
    self.launcher = launcher
  }

  /// Grades; gives all results, of which some may say "not graded".
  public func run() throws(ExerciseError) -> Grades {
    guard (1...Workspace.mostWorkers).contains(jobs) else {
      throw ExerciseError("--jobs \(jobs) makes no sense: give a number from 1 to \(Workspace.mostWorkers)")
    }
    let all = try taken()
    let former = FileManager.default.fileExists(atPath: file.path) ? try Grades(contentsOf: output) : nil
    let seed = try seed(former)
    try FileSystem.makeFolder(output)
    let lock = try FolderLock(output)
    defer { lock.release() }
    if former == nil { _ = try GradesFile(ungraded(all, outlines: nil, seed: seed, digest: ""), at: file) }
    let recorded = try reference(seed: seed)
    let digest = try digest(recorded)
    let begun = merged(try ungraded(all, outlines: recorded, seed: seed, digest: digest), former)
    let results = try GradesFile(begun, at: file)
    let open = begun.submissions.indices.filter { !begun.submissions[$0].isGraded }
    if open.count < all.count { print("\(all.count - open.count) of \(all.count) are graded already") }
    let interruption = Interruption(results, total: all.count)
    defer { interruption.end() }
    if !open.isEmpty { try grade(open.map { ($0, all[$0]) }, recorded, results, interruption) }
    try Reports(results.grades).write(to: output)
    return results.grades
  }

  private var file: URL { output.appending(path: Grades.fileName) }

  /// The submissions of this run.
  private func taken() throws(ExerciseError) -> [Submission] {
    guard !lesson.exerciseFiles.isEmpty else { throw ExerciseError("\(lesson.name) has no exercises to grade") }
    for name in lesson.exerciseFiles {
      let source = try lesson.source(name)
      guard let id = source.ids.first(where: source.isTodo) else { continue }
      throw ExerciseError(
        "\(lesson.url.path)/\(name) has no solution of \(id): grade in a clone that has the solutions")
    }
    let (all, ignored) = try SubmissionFolder(submissions, lookingFor: lesson.exerciseFiles).read()
    for line in ignored { print("ignored: \(line)") }
    guard !all.isEmpty else {
      throw ExerciseError(
        "\(submissions.path) holds no submissions: it should have one folder or zip archive a student")
    }
    return shard.map { $0.part(of: all) } ?? all
  }

  private func seed(_ former: Grades?) throws(ExerciseError) -> UInt64 {
    // Other programs read the file's numbers as Double.
    guard let former else { return privateSeed ?? UInt64.random(in: 1..<1 << 53) }
    let advice = "choose another --out, or remove that folder to grade anew"
    guard privateSeed == nil || privateSeed == former.privateSeed else {
      throw ExerciseError("\(output.path) has grades of another private seed; \(advice)")
    }
    guard former.lesson == lesson.name else {
      throw ExerciseError("\(output.path) has grades of \(former.lesson), not \(lesson.name); \(advice)")
    }
    guard former.shard == shard?.description else {
      throw ExerciseError("\(output.path) has grades of shard \(former.shard ?? "1/1"); \(advice)")
    }
    return former.privateSeed
  }

  /// The values of the authors' build, from a process that no student's can reach.
  private func reference(seed: UInt64) throws(ExerciseError) -> RecordedLesson {
    if !skipsBuild {
      print("building \(lesson.name)")
      let errors = try lesson.build()
      guard errors.isEmpty else { throw ExerciseError(errors.joined(separator: "\n")) }
    }
    // Students' processes see this seed, and never the one it comes from.
    let hash = SHA256.hexDigest(of: Data("\(seed)/\(lesson.name)".utf8))
    guard let derived = UInt64(hash.prefix(16), radix: 16) else { throw ExerciseError("no seed can be derived") }
    let prober = Prober(executable: lesson.executable, timeLimit: 120)
    return try RecordedLesson(lesson: lesson.name, files: lesson.exerciseFiles, from: prober, seed: derived)
  }

  private func digest(_ recorded: RecordedLesson) throws(ExerciseError) -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: lesson.url.path)) ?? []
    var content = (try? recorded.encoded()) ?? Data()
    for name in names.sorted() where name.hasSuffix(".swift") { content += Data(try lesson.source(name).text.utf8) }
    return SHA256.hexDigest(of: content)
  }

  private func ungraded(_ all: [Submission], outlines: RecordedLesson?, seed: UInt64, digest: String)
    throws(ExerciseError) -> Grades
  {
    let recorded: RecordedLesson
    if let outlines { recorded = outlines } else { recorded = try lesson.recorded() }
    let exercises = recorded.exercises.map { GradedExercise($0.outline) }
    return Grades(
      lesson: lesson.name, lessonDigest: digest, privateSeed: seed, shard: shard?.description, exercises: exercises,
      submissions: all.map { SubmissionGrader.ungraded($0, exercises) })
  }

  /// Takes over what was graded of the same files by the same lesson.
  private func merged(_ begun: Grades, _ former: Grades?) -> Grades {
    guard let former, former.lessonDigest == begun.lessonDigest else { return begun }
    var begun = begun
    let known = Dictionary(former.submissions.map { ($0.name, $0) }) { first, _ in first }
    for (index, submission) in begun.submissions.enumerated() {
      if let grade = known[submission.name], grade.digest == submission.digest, grade.isGraded {
        begun.submissions[index] = grade
      }
    }
    return begun
  }
}
