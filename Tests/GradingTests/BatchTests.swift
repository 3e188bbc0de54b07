import Exercises
import Foundation
import Testing

@testable import Grading

@Suite("Batches of submissions", .tags(.submissions), .enabled(if: Classroom.isBuilt))
struct BatchTests {
  /// Right answers by other formulas, another order, loops and helper functions.
  private static let otherwise = [
    "VAE.1": """
    var totals: [Float] = []
    for row in 0..<mean.shape[0] {
      totals.append(kullbackLeibler(mean.scalars, logVariance.scalars, row, mean.shape[1]))
    }
    return Tensor(totals)
    """,
    "VAE.2": "sqrt(exp(logVariance)) * noise + mean",
    "VAE.3": """
    let (mean, logVariance) = encoder(x)
    let noise = Tensor.normal(mean.shape, using: &random)
    let z = noise * exp(logVariance / 2) + mean
    let terms = 0.5 * (square(mean) + exp(logVariance) - logVariance - 1)
    return Bound(
      reconstruction: decoder(z).elementwiseLogProbability(of: x).sum(axis: 1), divergence: terms.sum(axis: 1))
    """,
    "VAE.4": """
    var rows: [Tensor] = []
    for step in 0..<steps {
      rows.append((start + (end - start) * (Float(step) / Float(steps - 1))).reshaped(to: [1, start.count]))
    }
    return concatenate(rows, axis: 0)
    """,
  ]
  private static let helper = """

    private func kullbackLeibler(_ m: [Float], _ v: [Float], _ row: Int, _ count: Int) -> Float {
      (row * count..<(row + 1) * count).reduce(0) { $0 - 0.5 * (1 + v[$1] - m[$1] * m[$1] - exp(v[$1])) }
    }
    """

  /// An expression that the type checker gives up on.
  private static let bomb = """
    let t = [1, 2, 3].map { $0 * 2 + -$0 }.reduce(0) { $0 + $1 }
      + [1.5, 2].map { -$0 * 2 + 1 / $0 - -$0 }.reduce(0, +)
      + ["1"].map { 2 * (Double($0) ?? -1) + 3 }.reduce(0) { $0 * 2 + $1 - 1 } * start.scalars[0]
    return start * t
    """

  @Test(
    "Right answers written differently get full marks; what does not compile costs itself alone; so does a bad file")
  func batch() throws {
    let room = try Classroom()
    defer { room.remove() }
    let odd = "Ann \"O'Neil\" \n=HYPERLINK(1)"
    try room.add("otherwise", room.file(Self.otherwise, adding: Self.helper))
    try room.add(odd, room.file(), as: "a/b/VAE.swift")
    try room.add(odd, "#error(\"no\")", as: "a/b/Package.swift")
    try room.add("wrong below", room.file(["VAE.1": "mean.sum(axis: 1)", "VAE.2": "todo(\"VAE.2\")"]))
    try room.add("bomb", room.file(["VAE.4": Self.bomb]))
    try room.add("brace", room.file(["VAE.2": "if true { mean"]))
    try room.add("no marks", room.file().replacing("// BEGIN SOLUTION VAE.1", with: "//"))
    try room.add("broken", room.file() + "\nfunc {")
    try room.add("stub", room.solution.blanked().text)
    try room.add("empty", "")
    try room.add("bytes", Data([0xff]))
    try room.add("missing", "x", as: "notes.txt")
    for (place, text) in [("a", "let a = 1"), ("b", "let a = 2")] {
      try room.add("two", text, as: "\(place)/VAE.swift")
    }
    let grades = try room.run(nil).run()
    let expected: [(String, [CaseStatus], Double?)] = [
      ("otherwise", [.passed, .passed, .passed, .passed], 10), (odd, [.passed, .passed, .passed, .passed], 10),
      ("wrong below", [.failed, .notAttempted, .passed, .passed], 6),
      ("bomb", [.passed, .passed, .passed, .compileError], 8),
      ("brace", [.passed, .compileError, .passed, .passed], 8),
      ("no marks", [.passed, .passed, .passed, .passed], 10),
      ("broken", [.compileError, .compileError, .compileError, .compileError], 0),
      ("stub", [.notAttempted, .notAttempted, .notAttempted, .notAttempted], 0),
      ("empty", [.notAttempted, .notAttempted, .notAttempted, .notAttempted], 0),
      ("bytes", [.compileError, .compileError, .compileError, .compileError], 0),
      ("missing", [.notAttempted, .notAttempted, .notAttempted, .notAttempted], 0),
      ("two", [.notGraded, .notGraded, .notGraded, .notGraded], nil),
    ]
    for (name, statuses, points) in expected {
      #expect(grades.statuses(name) == statuses, "\(name)")
      #expect(grades.points(name) == points, "\(name)")
    }
    #expect(grades.notes("no marks").contains("VAE.1: its marks"))
    #expect(grades.notes(odd) == "ignored: a/b/Package.swift")
    try expectFiles(room, grades)
  }

  private func expectFiles(_ room: Classroom, _ grades: Grades) throws {
    #expect(try Grades(contentsOf: room.output) == grades)
    let seed = "\(grades.privateSeed)"
    for submission in grades.submissions {
      let folder = room.output.appending(path: "students/\(Reports.folderName(submission.name))")
      for file in ["results.json", "junit.xml", "feedback.html"] {
        let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        #expect(!text.contains("privateSeed") && !text.contains("seed\":\(seed)"))
      }
    }
    let table = try String(contentsOf: room.output.appending(path: "grades.csv"), encoding: .utf8)
    #expect(table.contains("\"Ann \"\"O'Neil\"\" \n=HYPERLINK(1)\",10,10,"))
  }

  @Test("A run that is stopped by SIGTERM or killed goes on where it was, and the signal is told")
  func resumption() throws {
    let room = try Classroom()
    defer { room.remove() }
    for name in ["a", "b", "c"] { try room.add(name, room.file() + "// \(name)\n") }
    for (signal, graded) in [(SIGTERM, 1), (SIGKILL, 2)] {
      let process = Process()
      process.executableURL = Classroom.command
      process.arguments = room.grading + ["--jobs", "1"]
      let errors = Pipe()
      process.standardError = errors
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      while process.isRunning,
        (try? Grades(contentsOf: room.output))?.submissions.count(where: \.isGraded) ?? 0 < graded
      {
        usleep(20_000)
      }
      kill(process.processIdentifier, signal)
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let known = try Grades(contentsOf: room.output)
      #expect(known.submissions.count { $0.points == 10 } >= graded && known.submissions.count == 3)
      if signal == SIGTERM {
        #expect(process.terminationStatus == 143 && text.contains("stopped by SIGTERM with"))
      }
    }
    let last = try room.course(room.grading)
    #expect(last.status == 0 && last.text.contains("of 3 are graded already") && last.text.contains("3 of 3 graded"))
    let again = try room.course(room.grading)
    #expect(again.status == 0 && again.text.contains("3 of 3 are graded already") && !again.text.contains("protection"))
    let other = try room.course(room.grading.map { $0 == "20" ? "21" : $0 })
    #expect(other.status == 1 && other.text.contains("another private seed"))
  }

  @Test(
    "Shards by GNU parallel, merged, are the whole class",
    .enabled(if: Classroom.has("parallel"), "GNU parallel is not installed"))
  func shards() throws {
    let room = try Classroom()
    defer { room.remove() }
    try room.add("a", room.file())
    try room.add("b", room.solution.blanked().text)
    try room.add("c", "")
    let parts = ["1", "2"].map { "\(room.output.path)\($0)" }
    let command = room.grading.map { $0 == room.output.path ? "\($0){}" : $0 }
    var parallel = ChildProcess(
      ["parallel", "--will-cite", "-j2", Classroom.command.path] + command + ["--shard", "{}/2", ":::", "1", "2"])
    parallel.timeLimit = 200
    let outcome = try parallel.run()
    #expect(outcome.ending == .exited(0), "\(String(decoding: outcome.errors, as: UTF8.self))")
    let alone = try room.course(["merge", parts[0], "--out", room.output.path])
    #expect(alone.status == 1 && alone.text.contains("2/2 are missing"))
    let merged = try room.course(["merge"] + parts + ["--out", room.output.path])
    #expect(merged.status == 0, "\(merged.text)")
    let grades = try Grades(contentsOf: room.output)
    #expect(grades.submissions.map(\.points) == [10, 0, 0] && grades.submissions.map(\.name) == ["a", "b", "c"])
    #expect(FileManager.default.fileExists(atPath: room.output.appending(path: "students/a/feedback.html").path))
  }
}
