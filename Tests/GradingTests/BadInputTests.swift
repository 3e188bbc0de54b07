import Foundation
import Testing

@testable import Exercises
@testable import Grading

@Suite("Bad input to grade", .tags(.submissions), .enabled(if: Classroom.isBuilt))
struct BadInputTests {
  @Test("Wrong arguments, missing tools and missing folders end with one clear line")
  func arguments() throws {
    let room = try Classroom()
    defer { room.remove() }
    let empty = try room.course(room.grading)
    #expect(empty.status == 1 && empty.text.contains("holds no submissions"))
    try room.add("a", "")
    let refused: [([String], String)] = [
      (["--sandbox", "none"], "--trust-submissions"), (["--sandbox", "jail"], "there is no sandbox jail"),
      (["--jobs", "0"], "--jobs 0 makes no sense"), (["--time-limit", "0"], "--time-limit 0 makes no sense"),
      (["--shard", "3/2"], "--shard 3/2 makes no sense"), (["--lesson", "Nothing"], "there is no lesson Nothing"),
    ]
    for (arguments, text) in refused {
      let outcome = try room.course(room.grading + arguments)
      #expect(outcome.status == 1 && outcome.text.contains("error: ") && outcome.text.contains(text), "\(outcome.text)")
    }
    let nowhere = try room.course(["grade", "/nonexistent", "--out", room.output.path, "--lesson", "VAE"])
    #expect(nowhere.status == 1 && nowhere.text.contains("/nonexistent is no folder"))
    let blocked = try room.course(["grade", room.submissions.path, "--out", "/dev/null/x", "--lesson", "VAE"])
    #expect(blocked.status == 1 && blocked.text.contains("/dev/null/x cannot be made"))
    #expect(!FileManager.default.fileExists(atPath: room.output.path))
  }

  @Test("Without bubblewrap, --sandbox bwrap says so, and every case stays not graded")
  func missingTool() throws {
    let room = try Classroom()
    defer { room.remove() }
    try room.add("a", room.file())
    var child = ChildProcess([Classroom.command.path] + room.grading + ["--sandbox", "bwrap"])
    let tools = room.folder.appending(path: "tools")
    try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
    child.environment["PATH"] = tools.path
    let outcome = try child.run()
    #expect(outcome.ending == .exited(1))
    #expect(String(decoding: outcome.errors, as: UTF8.self).contains("bwrap is not installed"))
    #expect(try Grades(contentsOf: room.output).statuses("a") == [.notGraded, .notGraded, .notGraded, .notGraded])
  }

  @Test(
    "A full disk ends the run with a clear line; what was written before is whole",
    .enabled(if: Classroom.hasBubblewrap)
  )
  func fullDisk() throws {
    let room = try Classroom()
    defer { room.remove() }
    for name in ["a", "b"] { try room.add(name, "") }
    let command = ([Classroom.command.path] + room.grading + ["--sandbox", "none", "--trust-submissions"])
      .map { "'\($0)'" }.joined(separator: " ")
    try FileManager.default.createDirectory(at: room.output, withIntermediateDirectories: true)
    var child = ChildProcess([
      "bwrap", "--dev-bind", "/", "/", "--size", "32768", "--tmpfs", room.output.path, "sh", "-c",
      "\(command); echo status $?; cat '\(room.output.path)/grades.json' >&3",
    ])
    child.timeLimit = 120
    let outcome = try child.run()
    let text = String(decoding: outcome.output + outcome.errors, as: UTF8.self)
    #expect(text.contains("status 1") && text.contains("grades.csv cannot be written: "), "\(text)")
    let grades = try JSONDecoder().decode(Grades.self, from: outcome.reply)
    #expect(grades.submissions.map(\.name) == ["a", "b"])
  }

  @Test("What a sandbox's failure looks like is not believed of a student, and is never a zero when it is real")
  func statuses() {
    func outcome(_ ending: ChildOutcome.Ending, _ errors: String = "", seconds: Double = 0.1) -> CaseStatus {
      let run = ChildOutcome(
        ending: ending, output: Data(), errors: Data(errors.utf8), reply: Data(), seconds: seconds)
      return CaseRunner.status(.crashed, run, limits: GradingLimits())
    }
    #expect(outcome(.exited(1)) == .crashed && outcome(.exited(128 + SIGILL)) == .crashed)
    #expect(outcome(.signalled(SIGXCPU)) == .timedOut && outcome(.exited(128 + SIGXCPU)) == .timedOut)
    #expect(outcome(.signalled(SIGKILL)) == .outOfMemory && outcome(.signalled(SIGKILL), seconds: 11) == .timedOut)
    #expect(outcome(.signalled(SIGABRT), "Fatal error: failed to allocate 8 bytes") == .outOfMemory)
  }
}
