import Foundation
import Testing

@testable import Exercises
@testable import Publishing

@Suite("The authors' gate")
struct GateTests {
  private let clone: AuthorsClone
  private var toy: LessonFolder { LessonFolder(name: "Lesson07-Toy", course: clone.course) }

  init() throws { clone = try AuthorsClone() }

  @Test("Marks without their other half and exercises without solutions are named with their place")
  func marks() throws {
    defer { clone.remove() }
    #expect(try LessonGate(toy).markProblems() == [])
    let path = "Lessons/Lesson07-Toy/Toy.swift"
    try clone.write(MarkedSource(clone.model).blanked().text + "// END SOLUTION\n", to: path)
    #expect(
      try LessonGate(toy).markProblems() == [
        "\(path):7: END SOLUTION without BEGIN SOLUTION", "Toy.1 has no solution: it is todo in \(path)",
      ])
  }

  @Test("Two exercises of one id, and a clone without mistakes, do not pass")
  func ids() throws {
    defer { clone.remove() }
    #expect(try CourseGate(clone.course).idProblems() == [])
    try clone.write(clone.model, to: "Lessons/Lesson08-Other/Other.swift")
    try clone.write("", to: "Lessons/Lesson08-Other/main.swift")
    try clone.write(StudentRelease.withheldMistakes, to: "Lessons/Lesson08-Other/Mistakes.swift")
    let problems = try CourseGate(clone.course).idProblems()
    #expect(problems.count == 2 && problems[0] == "two exercises are called Toy.1")
    #expect(problems[1].hasPrefix("Lesson08-Other has no known mistakes"))
  }

  @Test("The course as it is can be released: no line of a solution or mistake in any file")
  func courseIsFit() throws {
    defer { clone.remove() }
    let gate = CourseGate(try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent()))
    #expect(try gate.idProblems() == [])
    #expect(try gate.releaseProblems() == [])
  }

  /// A clone whose Lesson04-VAE has the files given, asked through the lesson that is really built.
  private func gate(model: String? = nil, recorded: RecordedLesson? = nil) throws -> LessonGate {
    let real = try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent()).lesson("VAE")
    let text = try real.source("VAE.swift").text
    try clone.write(model ?? text, to: "Lessons/Lesson04-VAE/VAE.swift")
    let content = try (recorded ?? real.recorded()).encoded()
    try clone.write(String(decoding: content, as: UTF8.self), to: "Lessons/Lesson04-VAE/Recorded.json")
    #if os(macOS)
      let products =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
        ?? Bundle.main.bundleURL
    #else
      let products = Bundle.main.bundleURL
    #endif
    let lesson = LessonFolder(name: real.name, course: clone.course)
    return LessonGate(lesson, executable: products.appending(path: real.name))
  }

  private func recorded() throws -> RecordedLesson {
    try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent()).lesson("VAE").recorded()
  }

  @Test("The lesson as it is passes: specifications, recorded values, answers on a private seed")
  func passes() throws {
    defer { clone.remove() }
    let gate = try gate()
    #expect(try gate.markProblems() == [])
    #expect(try gate.specificationProblems() == [])
    #expect(try gate.recordingProblems() == [])
    #expect(try gate.answerProblems(seed: 5) == [])
  }

  @Test("An exercise without marks, and marks without an exercise, are found")
  func specifications() throws {
    defer { clone.remove() }
    let text = try gate().lesson.source("VAE.swift").text
    let gate = try gate(model: text.replacing("BEGIN SOLUTION VAE.4", with: "BEGIN SOLUTION VAE.5"))
    #expect(
      try gate.specificationProblems() == [
        "VAE.5 has marks but no specification in Exercises.swift", "VAE.4 has no marks in the lesson's files",
      ])
  }

  @Test("Recorded values of another seed or without an exercise are not up to date")
  func recording() throws {
    defer { clone.remove() }
    let recorded = try recorded()
    let fewer = RecordedLesson(
      lesson: recorded.lesson, files: recorded.files, seed: 1, exercises: Array(recorded.exercises.dropLast()))
    #expect(try gate(recorded: fewer).recordingProblems().first?.contains("course record VAE") == true)
    // The values of two cases exchanged.
    var exercises = recorded.exercises
    let first = exercises[0]
    exercises[0] = RecordedExercise(
      outline: first.outline, cases: [first.cases[1], first.cases[0]] + first.cases.dropFirst(2))
    let exchanged = RecordedLesson(lesson: recorded.lesson, files: recorded.files, seed: 1, exercises: exercises)
    let problems = try gate(recorded: exchanged).recordingProblems()
    #expect(problems.count == 2 && problems[0].hasPrefix("VAE.1, case \"one example with two codes\" has other values"))
  }
}
