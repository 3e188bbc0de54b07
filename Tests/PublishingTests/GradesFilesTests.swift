import Exercises
import Foundation
import Testing

@testable import Publishing

@Suite("Statistics of grades.json")
struct GradesFilesTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "grades-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  /// As `course grade` writes it, of one exercise with two cases.
  private func write(_ name: String, students: [(String, [String])], digest: String = "d") throws -> URL {
    let submissions = students.map { student, statuses in
      let cases = statuses.map { #"{"mistakes":\#($0 == "failed" ? "[1]" : "[]"),"status":"\#($0)"}"# }
      return """
        {"digest":"x","exercises":[{"cases":[\(cases.joined(separator: ","))],"id":"Toy.1","maximum":4,"points":1,
        "status":"failed"}],"name":"\(student)","notes":[]}
        """
    }
    let text = """
      {"exercises":[{"cases":["one","two"],"dependencies":[],"id":"Toy.1","mistakes":["A.","B."],"points":4,"title":"Twice"}],
      "lesson":"Lesson07-Toy","lessonDigest":"\(digest)","privateSeed":7,"submissions":[
      \(submissions.joined(separator: ","))],"version":1}
      """
    let place = folder.appending(path: name)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: place.appending(path: "grades.json"))
    return place
  }

  @Test("Shards are taken together, as files or folders")
  func shards() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try write("a", students: [("ada", ["passed", "passed"]), ("bob", ["failed", "passed"])])
    let second = try write("b", students: [("cyd", ["not graded", "not graded"])])
    let statistics = try Statistics(gradesIn: [first, second.appending(path: "grades.json")])
    #expect(statistics.students == 3)
    let exercise = statistics.exercises[0]
    #expect(exercise.graded == 2 && exercise.notGraded == 1 && exercise.meanPoints == 3)
    #expect(exercise.mistakes == [.init(sentence: "B.", count: 1)])
    #expect(exercise.cases.map(\.passRate) == [0.5, 1])
  }

  @Test("What cannot be read, is damaged, is no grades, or is given twice is said in one line with its name")
  func badInput() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let good = try write("a", students: [("ada", ["passed", "passed"])])
    let other = try write("b", students: [("bob", ["passed", "passed"])], digest: "e")
    let short = try write("c", students: [("ada", ["passed"])])
    let empty = try write("d", students: [])
    let damaged = folder.appending(path: "damaged.json")
    try Data("{\"version\":1".utf8).write(to: damaged)
    let cases: [([URL], String)] = [
      ([folder.appending(path: "nowhere")], "nowhere cannot be read"), ([folder], "grades.json cannot be read"),
      ([damaged], "damaged.json is no grades.json, or damaged"), ([good, other], "different versions of Lesson07-Toy"),
      ([good, good], "ada is in"), ([short], "does not fit its exercises"), ([empty], "no submissions"),
    ]
    for (files, text) in cases {
      #expect {
        try Statistics(gradesIn: files)
      } throws: {
        "\($0)".contains(text) && !"\($0)".contains("\n")
      }
    }
  }
}
