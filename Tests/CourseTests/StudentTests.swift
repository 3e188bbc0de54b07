import Foundation
import Testing

@testable import Exercises
@testable import course

/// A clone with one lesson, in a temporary folder of its own.
struct TemporaryClone {
  let course: CourseFolder
  var lesson: LessonFolder { LessonFolder(name: "Lesson07-Toy", course: course) }

  static let model = """
    /// One.
    func one() -> Int {
      // BEGIN SOLUTION Toy.1
      1
      // END SOLUTION
    }

    /// Two.
    func two() -> Int {
      // BEGIN SOLUTION Toy.2
      one() + 1
      // END SOLUTION
    }

    """

  init(hasSolutions: Bool = true) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "clone-\(UUID().uuidString)")
    course = CourseFolder(url: url.resolvingSymlinksInPath())
    try FileManager.default.createDirectory(at: lesson.url, withIntermediateDirectories: true)
    let recorded = RecordedLesson(
      lesson: lesson.name, files: ["Toy.swift"], seed: 1,
      exercises: [Self.exercise("Toy.1", 1), Self.exercise("Toy.2", 2, dependencies: ["Toy.1"])])
    try recorded.encoded().write(to: lesson.recordedFile)
    try write("// # Toy\n", to: "main.swift")
    try write(hasSolutions ? "exercise.knownMistakes([])" : "", to: "Mistakes.swift")
    try write(hasSolutions ? Self.model : MarkedSource(Self.model).blanked().text, to: "Toy.swift")
    try Data().write(to: url.appending(path: "Package.swift"))
  }

  private static func exercise(_ id: String, _ right: Float, dependencies: [String] = []) -> RecordedExercise {
    let values = [right, -right].map { [ProbeValue(name: "y", shape: [], scalars: [$0])] }
    let outline = ExerciseOutline(
      id: id, title: "title of \(id)", points: 2, hints: ["a", "b"], dependencies: dependencies,
      cases: [CaseOutline(title: "the case", comparison: .close())], mistakes: ["The sign is wrong."])
    return RecordedExercise(outline: outline, cases: [RecordedCase(values: values[0], mistakes: [values[1]])])
  }

  func write(_ text: String, to file: String) throws {
    try Data(text.utf8).write(to: lesson.url.appending(path: file))
  }

  var text: String {
    get throws { try String(contentsOf: lesson.url.appending(path: "Toy.swift"), encoding: .utf8) }
  }

  /// Puts something else in place of an exercise's `todo`.
  func solve(_ id: String, _ code: String) throws {
    try write(text.replacing("todo(\"\(id)\")", with: code), to: "Toy.swift")
  }

  func state(_ id: String) throws -> ExerciseState {
    try course.exercise(id).state(Progress(in: course))
  }

  func remove() { try? FileManager.default.removeItem(at: course.url) }
}

@Suite("What a student does")
struct StudentTests {
  @Test("Start empties the exercises, one or all, leaves alone what is written, and reset brings everything back")
  func startAndReset() throws {
    let clone = try TemporaryClone()
    defer { clone.remove() }
    #expect(try clone.state("Toy.1") == .solution)
    try Start.parse(["Toy.2"]).run(in: clone.course)
    #expect(try clone.state("Toy.1") == .solution && clone.state("Toy.2") == .toDo)
    try clone.solve("Toy.2", "2")
    try Start.parse(["7"]).run(in: clone.course)
    #expect(try clone.state("Toy.1") == .toDo && clone.state("Toy.2") == .written)
    #expect(try clone.text.contains("  todo(\"Toy.1\")\n  // END SOLUTION"))

    try Reset.parse(["Toy.2"]).run(in: clone.course)
    #expect(try clone.state("Toy.2") == .toDo)
    let backups = clone.course.hiddenFolder.appending(path: "backups/Lesson07-Toy")
    let names = try FileManager.default.contentsOfDirectory(atPath: backups.path)
    #expect(names.count == 1)
    let kept = try String(contentsOf: backups.appending(path: names[0] + "/Toy.swift"), encoding: .utf8)
    #expect(kept.contains("BEGIN SOLUTION Toy.2\n  2\n"))

    try Reset.parse(["Toy.1", "--solutions"]).run(in: clone.course)
    #expect(try clone.state("Toy.1") == .solution && clone.state("Toy.2") == .toDo)
    try clone.write("all is lost", to: "Toy.swift")
    #expect(throws: ExerciseError.self) { try clone.state("Toy.1") }
    try Reset.parse(["Toy"]).run(in: clone.course)
    #expect(try clone.text == MarkedSource(TemporaryClone.model).blanked().text)
    try Reset.parse(["toy", "--solutions"]).run(in: clone.course)
    #expect(try clone.text == TemporaryClone.model && !clone.lesson.isStarted)
    #expect(try FileManager.default.contentsOfDirectory(atPath: backups.path).count == 4)
  }

  @Test("Progress belongs to a source: another exercise's edit keeps it, an own one or a shared one does not")
  func progress() throws {
    let clone = try TemporaryClone(hasSolutions: false)
    defer { clone.remove() }
    #expect(try clone.state("Toy.1") == .toDo)
    try clone.solve("Toy.1", "1")
    #expect(try clone.state("Toy.1") == .written)
    var progress = try Progress(in: clone.course)
    progress["Toy.1"].passed = try clone.course.exercise("Toy.1").sourceHash
    try progress.write(to: clone.course)
    #expect(try clone.state("Toy.1") == .passed)
    try clone.solve("Toy.2", "2")
    #expect(try clone.state("Toy.1") == .passed)
    let solved = try clone.text
    try clone.write(solved.replacing("/// Two.", with: "/// A helper."), to: "Toy.swift")
    #expect(try clone.state("Toy.1") == .changed)
    try clone.write(solved, to: "Toy.swift")
    #expect(try clone.state("Toy.1") == .passed)
    try Data("{".utf8).write(to: clone.course.progressFile)
    #expect { try clone.state("Toy.1") } throws: { "\($0)".contains("progress.json is damaged") }
  }

  @Test("Hints come one more each time; the statement is the documentation above the mark")
  func hints() throws {
    let clone = try TemporaryClone(hasSolutions: false)
    defer { clone.remove() }
    for count in [1, 2, 2] {
      try Hint.parse(["toy.2"]).run(in: clone.course)
      #expect(try Progress(in: clone.course)["Toy.2"].hints == count)
    }
    let exercise = try clone.course.exercise("Toy.2")
    #expect(exercise.statement == "/// Two.\nfunc two() -> Int {")
    #expect(exercise.place == "Lessons/Lesson07-Toy/Toy.swift:11")
  }

  @Test("The authors' solution is shown only beside one that passes as it stands")
  func diff() throws {
    let clone = try TemporaryClone()
    defer { clone.remove() }
    #expect(throws: ExerciseError.self) { try Diff.parse(["Toy.1"]).run(in: clone.course) }
    try Start.parse(["Toy"]).run(in: clone.course)
    try clone.solve("Toy.1", "0 + 1")
    #expect { try Diff.parse(["Toy.1"]).run(in: clone.course) } throws: { "\($0)".contains("has not passed") }
    var progress = try Progress(in: clone.course)
    progress["Toy.1"].passed = try clone.course.exercise("Toy.1").sourceHash
    try progress.write(to: clone.course)
    try Diff.parse(["Toy.1"]).run(in: clone.course)
    #expect(differences(from: "a\nb\nc", to: "a\nx\nc\nd") == [" a", "-b", "+x", " c", "+d"])
  }

  @Test("A submission holds the files and a manifest with their digests; a file too long to grade is refused")
  func submission() throws {
    let clone = try TemporaryClone(hasSolutions: false)
    defer { clone.remove() }
    let target = clone.course.url.appending(path: "out.zip")
    try Submit.parse(["Toy", "--out", target.path]).run(in: clone.course)
    let archive = try Data(contentsOf: target)
    let digest = SHA256.hexDigest(of: Data(try clone.text.utf8))
    #expect(archive.range(of: Data(try clone.text.utf8)) != nil && archive.range(of: Data(digest.utf8)) != nil)
    #expect(archive.range(of: Data("\"Toy.1\" : \"to do\"".utf8)) != nil)
    try clone.write(clone.text + String(repeating: "/", count: 300_000), to: "Toy.swift")
    #expect(throws: ExerciseError.self) { try Submit.parse(["Toy"]).run(in: clone.course) }
  }

  @Test("Lessons are found by name, suffix, number and exercise; what is not there is named with what is")
  func naming() throws {
    let clone = try TemporaryClone()
    defer { clone.remove() }
    for text in ["Lesson07-Toy", "lesson07-toy", "Toy", "7", "07", "Toy.2"] {
      #expect(try clone.course.lesson(text).name == "Lesson07-Toy")
    }
    #expect { try clone.course.lesson("VAE") } throws: { "\($0)".contains("Lesson07-Toy") }
    #expect { try clone.course.exercises("Toy.9") } throws: { "\($0)".contains("Toy.1, Toy.2") }
    #expect(try CourseFolder(around: clone.lesson.url) == clone.course)
    #expect(throws: ExerciseError.self) { try CourseFolder(around: URL(fileURLWithPath: "/")) }
  }
}
