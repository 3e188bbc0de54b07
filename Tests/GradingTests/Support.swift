import Exercises
import Foundation
import Testing

@testable import Grading

extension Tag {
  /// Runs submissions for real, in seconds; `swift test --skip GradingTests` leaves them out.
  @Tag static var submissions: Self
}

/// A temporary folder of submissions and results, with the clone's own lesson.
struct Classroom {
  let folder: URL
  let lesson: LessonFolder
  let solution: MarkedSource

  var submissions: URL { folder.appending(path: "submissions") }
  var output: URL { folder.appending(path: "grades") }

  static let products =
    Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
    .deletingLastPathComponent() ?? Bundle.main.bundleURL
  static var command: URL { products.appending(path: "course").resolvingSymlinksInPath() }
  /// What tests of real submissions need.
  static let isBuilt = ["course", "Lesson04-VAE"].allSatisfy {
    FileManager.default.fileExists(atPath: products.appending(path: $0).path)
  }
  static let isRoot = geteuid() == 0
  static func has(_ program: String) -> Bool { Sandbox.find(program) != nil }
  /// Whether bubblewrap is there and may make namespaces, which many containers forbid.
  static let hasBubblewrap: Bool = {
    guard let program = Sandbox.find("bwrap") else { return false }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["--unshare-all", "--ro-bind", "/", "/", "true"]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  init() throws {
    let course = try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent())
    lesson = try course.lesson("VAE")
    solution = try lesson.source("VAE.swift")
    folder = FileManager.default.temporaryDirectory.appending(path: "class-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: submissions, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// The solution with other bodies for some exercises, and more code at the end of the file.
  func file(_ bodies: [String: String] = [:], adding more: String = "") throws -> String {
    var source = solution
    for (id, body) in bodies {
      let other = MarkedSource("// BEGIN SOLUTION \(id)\n\(body)\n// END SOLUTION")
      source = try #require(source.replacing(id, from: other))
    }
    return source.text.replacing("import LessonKit\n", with: "import LessonKit\nimport Foundation\n") + more
  }

  /// Writes a file of a submission.
  func add(_ student: String, _ text: String, as path: String = "VAE.swift") throws {
    try add(student, Data(text.utf8), as: path)
  }

  func add(_ student: String, _ data: Data, as path: String = "VAE.swift") throws {
    let file = submissions.appending(path: student).appending(path: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  /// A run with short limits, of the lesson as it is built.
  func run(_ level: SandboxLevel?) -> GradingRun {
    var run = GradingRun(lesson: lesson, submissions: submissions, output: output, launcher: Self.command)
    run.level = level
    run.privateSeed = 20
    run.skipsBuild = true
    run.limits.seconds = 2
    run.limits.buildSeconds = 60
    return run
  }

  /// Runs the command as an instructor would.
  func course(_ arguments: [String], timeLimit: Double = 120) throws -> (status: Int32, text: String) {
    var child = ChildProcess([Self.command.path] + arguments)
    child.timeLimit = timeLimit
    let outcome = try child.run()
    let text = String(decoding: outcome.output + outcome.errors, as: UTF8.self)
    if case .exited(let status) = outcome.ending { return (status, text) }
    return (-1, text)
  }

  /// The arguments that grade this class.
  var grading: [String] {
    ["grade", submissions.path, "--out", output.path, "--lesson", "VAE", "--private-seed", "20", "--skip-build"]
  }
}

extension Grades {
  /// The statuses of a submission's exercises.
  func statuses(_ name: String) -> [CaseStatus] {
    submissions.first { $0.name == name }?.exercises.map(\.status) ?? []
  }

  func points(_ name: String) -> Double? { submissions.first { $0.name == name }?.points }

  func notes(_ name: String) -> String {
    submissions.first { $0.name == name }?.notes.joined(separator: "\n") ?? "no such submission"
  }
}
