import Exercises
import Foundation
import Testing

@testable import Publishing

@Suite("Gradescope")
struct GradescopeTests {
  private let clone: AuthorsClone
  private var lesson: LessonFolder { LessonFolder(name: "Lesson07-Toy", course: clone.course) }

  init() throws { clone = try AuthorsClone() }

  private func run(_ command: String, environment: [String: String] = [:]) throws -> ChildOutcome {
    var shell = ChildProcess(["/bin/bash", "-c", command])
    shell.environment.merge(environment) { $1 }
    return try shell.run()
  }

  @Test("The archive holds scripts, configuration and the lesson's sources, nothing private, and is the same again")
  func archive() throws {
    defer { clone.remove() }
    try clone.write("other", to: "Lessons/Lesson08-Other/main.swift")
    let package = try GradescopePackage(lesson, privateSeed: 4711, timeLimit: 540)
    let archive = try package.archive()
    #expect(try package.archive() == archive)
    let text = String(decoding: archive, as: UTF8.self)
    for part in [
      "setup.sh", "run_autograder", "PRIVATE_SEED=4711\n", "course/Package.swift", "course/Sources/Grading/A",
    ] {
      #expect(text.contains(part))
    }
    #expect(!text.contains("Lesson08") && !text.contains("seeds.txt") && !text.contains("course/.ci"))
    let withheld = StudentRelease.withheldMistakes
    try clone.write(withheld, to: "Lessons/Lesson07-Toy/Mistakes.swift")
    #expect(throws: ExerciseError.self) { try GradescopePackage(lesson, privateSeed: 1, timeLimit: 540) }
  }

  /// Lays out what Gradescope does, with a script in place of `course`; gives results.json.
  private func results(ofGrader script: String, timeLimit: Int = 60) throws -> String {
    let root = clone.folder.appending(path: "autograder")
    try clone.write(GradescopeScripts.run, to: "../autograder/run_autograder")
    try clone.write("#!/bin/bash\n" + script, to: "../autograder/source/course/.build/debug/course")
    let configuration =
      "LESSON=Lesson07-Toy\nPRIVATE_SEED=7\nTIME_LIMIT=\(timeLimit)\nMEMORY_LIMIT=1\nBUILD_MEMORY_LIMIT=2\n"
    try clone.write(configuration, to: "../autograder/source/configuration")
    try clone.write(clone.model, to: "../autograder/submission/a b/Toy.swift")
    let outcome = try run(
      "chmod +x source/course/.build/debug/course; bash run_autograder", in: root)
    #expect(outcome.ending == .exited(0))
    return try String(contentsOf: root.appending(path: "results/results.json"), encoding: .utf8)
  }

  private func run(_ command: String, in root: URL) throws -> ChildOutcome {
    try run("cd \"$AUTOGRADER_ROOT\"; " + command, environment: ["AUTOGRADER_ROOT": root.path])
  }

  @Test("What grading writes is published; it is told lesson, seed and sandbox")
  func published() throws {
    defer { clone.remove() }
    let script = """
      [ -f "$2/submission/a b/Toy.swift" ] && mkdir -p "$4/students/submission" && echo "$1 $5 $6 $7 $8 $9 ${10} ${11} ${12}" \
        > "$4/students/submission/results.json"
      """
    #expect(
      try results(ofGrader: script) == "grade --lesson Lesson07-Toy --private-seed 7 --jobs 1 --sandbox uid\n")
  }

  @Test(
    "Where grading fails, dies or takes too long there is a result without a score: not graded",
    arguments: ["exit 1", "kill -9 $$", "sleep 100"])
  func ungraded(script: String) throws {
    defer { clone.remove() }
    let results = try results(ofGrader: script, timeLimit: 1)
    let fields = try JSONDecoder().decode([String: String].self, from: Data(results.utf8))
    #expect(fields["output"]?.contains("not graded") == true && fields["score"] == nil)
    #expect(fields["output_format"] == "text" && fields["visibility"] == "visible")
  }

  @Test("The scripts are well-formed")
  func syntax() throws {
    defer { clone.remove() }
    try clone.write(GradescopeScripts.setup, to: "setup.sh")
    try clone.write(GradescopeScripts.run, to: "run.sh")
    for name in ["setup.sh", "run.sh"] {
      #expect(try run("bash -n '\(clone.course.url.path)/\(name)'").ending == .exited(0))
    }
  }
}
