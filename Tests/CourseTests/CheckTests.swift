import Foundation
import Testing

@testable import Exercises
@testable import course

@Suite("Checks of what a process gives")
struct CheckTests {
  /// A clone whose lesson's executable is a script, with both exercises written.
  private func clone(script: String) throws -> TemporaryClone {
    let clone = try TemporaryClone(hasSolutions: false)
    try clone.solve("Toy.1", "1")
    try clone.solve("Toy.2", "2")
    let executable = clone.lesson.executable
    try FileManager.default.createDirectory(
      at: executable.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: executable)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: executable.path)
    return clone
  }

  private func result(_ id: String, script: String, timeLimit: Double = 10) throws -> CheckResult {
    let clone = try clone(script: script)
    defer { clone.remove() }
    var checker = try Checker(clone.lesson, timeLimit: timeLimit)
    return checker.result(for: try clone.course.exercise(id))
  }

  @Test(
    "Status 0, praise on every stream and a forged frame are no pass",
    arguments: [
      "exit 0", "echo passed; echo passed >&3; exit 0", "printf 'DULP\\001\\0\\0\\0aaaaaaaa\\0\\0\\0\\0' >&3",
    ])
  func pretence(script: String) throws {
    let result = try result("Toy.1", script: script)
    #expect(result.verdicts.map(\.status) == [.crashed] && !result.passed)
  }

  @Test("A crash and an endless loop cost their case alone and are told in the report")
  func crashes() throws {
    let crash = try result("Toy.1", script: "echo thinking; echo 'Fatal error: index' >&2; kill -ILL $$")
    let report = crash.report(Style(isColoured: false), hasSolutions: false)
    #expect(report.contains("✗ the case: crashed: was stopped by a trap"))
    #expect(report.contains("Fatal error: index") && report.contains("  | thinking"))
    #expect(report.contains("swift run course hint Toy.1"))
    let endless = try result("Toy.1", script: "while true; do :; done", timeLimit: 0.3)
    #expect(endless.verdicts.map(\.status) == [.timedOut])
  }

  @Test("An exercise that fails waits for one it uses that fails too; one that is not written is not tried")
  func dependencies() throws {
    let clone = try clone(script: "exit 1")
    defer { clone.remove() }
    var checker = try Checker(clone.lesson, timeLimit: 10)
    let second = checker.result(for: try clone.course.exercise("Toy.2"))
    #expect(second.waitsFor == ["Toy.1"])
    #expect(second.report(Style(isColoured: false), hasSolutions: false).contains("waits for Toy.1"))
    try Reset.parse(["Toy.1"]).run(in: clone.course)
    checker = try Checker(clone.lesson, timeLimit: 10)
    let first = checker.result(for: try clone.course.exercise("Toy.1"))
    #expect(first.isNotAttempted && first.verdicts.isEmpty && first.waitsFor.isEmpty)
  }

  @Test("A wrong value is told with shape, index, both values, error, tolerance and the known mistake's sentence")
  func explanation() throws {
    let clone = try TemporaryClone()
    defer { clone.remove() }
    let exercise = try clone.course.exercise("Toy.2")
    var result = CheckResult(exercise: exercise, printed: [""])
    let values = [ProbeValue(name: "y", shape: [], scalars: [-2])]
    let recorded = exercise.recorded.cases[0]
    result.verdicts = [Verdict(.answered(.values(values)), against: recorded, by: .close())]
    let report = result.report(Style(isColoured: false), hasSolutions: false)
    #expect(report.contains("✗ the case: y of shape [] is wrong: -2.0, not 2.0, largest error 4.0 (allowed: 5e-05 + "))
    #expect(report.contains("Probably: The sign is wrong."))
  }
}

// BEGIN AUTHORS
@Suite("Lesson04-VAE, asked through its executable")
struct BuiltLessonTests {
  private let lesson: LessonFolder
  private let recorded: RecordedLesson
  private let prober: Prober

  init() throws {
    let course = try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent())
    lesson = try course.lesson("VAE")
    recorded = try lesson.recorded()
    #if os(macOS)
      let products =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
        ?? Bundle.main.bundleURL
    #else
      let products = Bundle.main.bundleURL
    #endif
    prober = Prober(executable: products.appending(path: lesson.name), timeLimit: 60)
  }

  @Test("Specifications are those recorded; solutions pass, and each mistake fails with its own sentence alone")
  func recordedValuesHold() throws {
    let fresh = try RecordedLesson(lesson: lesson.name, files: recorded.files, from: prober, seed: 1)
    #expect(fresh.exercises.map(\.outline) == recorded.exercises.map(\.outline))
    for (new, old) in zip(fresh.exercises, recorded.exercises) {
      for (index, outline) in old.outline.cases.enumerated() {
        func verdict(_ values: [ProbeValue]) -> Verdict {
          Verdict(.answered(.values(values)), against: old.cases[index], by: outline.comparison)
        }
        #expect(verdict(new.cases[index].values).status == .passed)
        for (mistake, values) in new.cases[index].mistakes.enumerated() {
          #expect(verdict(values).status == .failed && verdict(values).mistakes == [mistake])
        }
      }
    }
  }

  @Test("On private seeds too, every solution passes and every mistake is told apart", arguments: [2, 77, .max])
  func privateSeeds(seed: UInt64) throws {
    let other = try RecordedLesson(lesson: lesson.name, files: recorded.files, from: prober, seed: seed)
    #expect(other.problems == [])
    #expect(other.exercises[0].cases[0].values != recorded.exercises[0].cases[0].values)
  }

  @Test("A probe answers what it is asked, refuses what is not there, and is not in the help")
  func probing() throws {
    #expect(
      prober.ask(ProbeRequest(exercise: "VAE.9", case: 0, seed: 1)) == .answered(.refused("there is no exercise VAE.9"))
    )
    #expect(prober.ask(ProbeRequest(exercise: "VAE.1", case: 9, seed: 1)) == .answered(.refused("VAE.1 has no case 9")))
    let request = ProbeRequest(exercise: "VAE.2", case: 1, seed: 1)
    #expect(prober.ask(request) == .answered(.values(try #require(recorded["VAE.2"]?.cases[1].values))))
    let help = try ChildProcess([prober.executable.path, "--help"]).run()
    #expect(help.ending == .exited(0) && !String(decoding: help.output, as: UTF8.self).contains("probe"))
  }
}
// END AUTHORS
