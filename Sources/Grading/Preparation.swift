import Exercises
import Foundation

/// All that is made once before any submission is graded.
struct Preparation: Sendable {
  let recorded: RecordedLesson
  let reference: [String: MarkedSource]
  let sandbox: Sandbox
  let kit: BuildKit
  /// The authors' build, out of reach of students' processes.
  let executable: URL
  let workspace: Workspace

  /// Builds the reference in the sandbox and grades it there: what does not work with it would not with students' code.
  init(
    _ recorded: RecordedLesson, lesson: LessonFolder, level: SandboxLevel, limits: GradingLimits, launcher: URL,
    workspace: Workspace
  ) throws(ExerciseError) {
    self.recorded = recorded
    self.workspace = workspace
    sandbox = Sandbox(level: level, limits: limits, launcher: launcher)
    try Self.require(level)
    var reference: [String: MarkedSource] = [:]
    for file in lesson.exerciseFiles { reference[file] = try lesson.source(file) }
    self.reference = reference
    kit = try BuildKit(of: lesson, at: workspace.url.appending(path: "kit-\(level.rawValue)"))
    let folder = workspace.url.appending(path: "reference-\(level.rawValue)")
    let user = workspace.users.number(ofWorker: Workspace.mostWorkers)
    let builder = Builder(kit: kit, sandbox: sandbox, folder: folder, user: user, fillsCache: true)
    let sources = StudentSources(reference: reference)
    let failure = "the authors' \(lesson.name) does not compile in the sandbox \(level.rawValue)"
    switch try builder.build(sources.texts, named: "build") {
    case .built(let executable): self.executable = executable
    case .refused(let errors): throw ExerciseError("\(failure): \(errors[0].description)")
    case .exhausted(let reason): throw ExerciseError("\(failure): \(reason)")
    }
    kit.sealCache()
    chmod(folder.path, 0o700)
    try checkReference()
  }

  private static func require(_ level: SandboxLevel) throws(ExerciseError) {
    switch level {
    case .bwrap where Sandbox.find("bwrap") == nil:
      throw ExerciseError("bwrap is not installed: apt-get install bubblewrap, or as root --sandbox uid")
    case .uid where geteuid() != 0:
      throw ExerciseError("--sandbox uid needs root, to become another user; install bubblewrap for --sandbox bwrap")
    default: return
    }
    #if !os(Linux)
      if level != .none { throw ExerciseError("--sandbox \(level.rawValue) works on Linux alone") }
    #endif
  }

  /// Every case of the authors' own build must pass in the sandbox.
  private func checkReference() throws(ExerciseError) {
    let runner = try runner(worker: Workspace.mostWorkers)
    try runner.root.place(executable)
    for exercise in recorded.exercises {
      for index in exercise.cases.indices {
        let grade = runner.grade(exercise, case: index)
        guard grade.status == .passed else {
          let what = [grade.message, grade.detail].compactMap(\.self).joined(separator: ": ")
          throw ExerciseError(
            "the sandbox \(sandbox.level.rawValue) does not run the authors' \(exercise.outline.id): \(grade.status.rawValue); \(what)"
          )
        }
      }
    }
    FileSystem.remove(runner.root.lesson)
  }

  /// What runs cases for one worker.
  func runner(worker: Int) throws(ExerciseError) -> CaseRunner {
    let root = try SandboxRoot(
      at: workspace.url.appending(path: "root-\(sandbox.level.rawValue)-\(worker)"),
      user: workspace.users.number(ofWorker: worker), librariesOf: executable)
    return CaseRunner(sandbox: sandbox, root: root, recorded: recorded, reference: executable)
  }

  /// What grades submissions for one worker.
  func grader(
    worker: Int, report: @escaping @Sendable (_ number: Int, SubmissionGrade) throws(ExerciseError) -> Void
  ) throws(ExerciseError) -> SubmissionGrader {
    let folder = workspace.url.appending(path: "builds-\(worker)")
    let builder = Builder(kit: kit, sandbox: sandbox, folder: folder, user: workspace.users.number(ofWorker: worker))
    return SubmissionGrader(
      exercises: recorded.exercises.map { GradedExercise($0.outline) }, recorded: recorded, reference: reference,
      builder: builder, runner: try runner(worker: worker), report: report)
  }
}

/// A temporary folder of one run.
struct Workspace: Sendable {
  let url: URL
  /// Who its processes run as.
  let users = Users()
  /// Workers are numbered below this.
  static let mostWorkers = 64
  private static let prefix = "course-grading-"

  /// Makes the folder, and removes those that killed runs left.
  init() throws(ExerciseError) {
    let temporary = FileManager.default.temporaryDirectory
    for name in (try? FileManager.default.contentsOfDirectory(atPath: temporary.path)) ?? [] {
      guard name.hasPrefix(Self.prefix),
        let process = name.split(separator: "-").dropFirst(2).first.flatMap({ pid_t($0) })
      else { continue }
      if kill(process, 0) != 0, errno == ESRCH { FileSystem.remove(temporary.appending(path: name)) }
    }
    url = temporary.appending(path: "\(Self.prefix)\(getpid())-\(UInt32.random(in: 0...(.max)))")
      .resolvingSymlinksInPath()
    // Another user passes through to what is meant for it, and lists nothing.
    try FileSystem.makeFolder(url, permissions: 0o711)
  }

  func remove() { FileSystem.remove(url) }
}
