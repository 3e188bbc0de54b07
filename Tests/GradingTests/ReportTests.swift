import Exercises
import Foundation
import Testing

@testable import Grading

@Suite("Reports and joined grades")
struct ReportTests {
  private static let exercise = GradedExercise(
    id: "VAE.1", title: "KL", points: 2, dependencies: [], cases: ["one", "two"], mistakes: ["The sign is wrong."])

  private func grades(_ submissions: [SubmissionGrade], seed: UInt64 = 7, shard: String? = nil, digest: String = "d")
    -> Grades
  {
    Grades(
      lesson: "Lesson04-VAE", lessonDigest: digest, privateSeed: seed, shard: shard, exercises: [Self.exercise],
      submissions: submissions)
  }

  private func grade(_ name: String, _ cases: [CaseGrade]) -> SubmissionGrade {
    SubmissionGrade(
      name: name, digest: "h", notes: ["a <note>"], protection: "bwrap: x",
      exercises: [ExerciseGrade(id: "VAE.1", maximum: 2, cases: cases)])
  }

  private let half = [
    CaseGrade(.passed),
    CaseGrade(.failed, mistakes: [0], message: "KL is wrong", detail: "at [3]: 0.125 in place of 9.75"),
  ]

  @Test("A share of the cases is that share of the points; one case that is not graded leaves no points at all")
  func points() {
    #expect(grade("a", half).points == 1)
    #expect(grade("a", [CaseGrade(.passed), CaseGrade(.notGraded)]).points == nil)
    #expect(grade("a", [CaseGrade(.timedOut), CaseGrade(.passed)]).exercises[0].status == .timedOut)
    #expect(
      ExerciseGrade(id: "", maximum: 2, cases: [CaseGrade(.passed), CaseGrade(.failed), CaseGrade(.failed)]).points
        == 0.667)
  }

  @Test("Formulas and odd names are harmless in CSV; rows are as many as submissions")
  func table() {
    let names = ["=cmd()", "+1", "-1", "@x", "\t=1", "O'Neil, \"Ann\"\nx", " =2", "plain"]
    let cells = names.map(Reports.cell)
    #expect(cells[0] == "\"'=cmd()\"" && cells[1] == "\"'+1\"" && cells[4].hasPrefix("\"'\t") && cells[6] == "\"' =2\"")
    #expect(cells[5] == "\"O'Neil, \"\"Ann\"\"\nx\"" && cells[7] == "plain")
    let text = Reports(grades([grade("b", half)])).csv
    #expect(
      text.hasPrefix("name,points,maximum,VAE.1,VAE.1 status,")
        && text.contains("\r\nb,1,2,1,failed,a <note>,bwrap: x,h\r\n"))
  }

  @Test("What students see names statuses and the mistake's sentence, and neither values nor details")
  func secrecy() throws {
    let all = grades([grade("<b>&\"'\u{1}", half)])
    let reports = Reports(all)
    let texts = [
      reports.feedback(all.submissions[0]), reports.junit(all.submissions[0]),
      String(decoding: reports.gradescope(all.submissions[0]), as: UTF8.self),
    ]
    for text in texts {
      #expect(
        !text.contains("9.75") && !text.contains("0.125") && text.contains("KL is wrong") && text.contains("bwrap: x"))
    }
    #expect(texts[0].contains("The sign is wrong.") && texts[0].contains("&lt;b&gt;&amp;&quot;&#39;"))
    #expect(!texts[0].contains("http") && !texts[0].contains("<script"))
    let results = try #require(
      try JSONSerialization.jsonObject(with: reports.gradescope(all.submissions[0])) as? [String: Any])
    #expect(results["score"] as? Double == 1 && (results["tests"] as? [[String: Any]])?[0]["max_score"] as? Double == 2)
    #expect(XMLIsWellFormed(texts[1]))
  }

  /// Whether tags are closed in order: enough to see a name that escapes.
  private func XMLIsWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    for part in text.split(separator: "<").dropFirst() {
      guard let end = part.firstIndex(of: ">") else { return false }
      let tag = part[..<end]
      if tag.hasPrefix("?") || tag.hasSuffix("/") { continue }
      let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace }
      if tag.hasPrefix("/") { if open.popLast() != name { return false } } else { open.append(name) }
    }
    return open.isEmpty
  }

  @Test("Two names never share a folder, and no name leaves it")
  func folders() {
    let names = ["a", "a b", "a/b", "a\nb", "../a", "..", "", "a_b", String(repeating: "x", count: 300), "é"]
    let folders = names.map(Reports.folderName)
    #expect(Set(folders).count == names.count && folders[0] == "a" && folders[7] == "a_b")
    #expect(folders.allSatisfy { !$0.contains("/") && !$0.contains(".") && $0.count <= 80 && !$0.isEmpty })
  }

  @Test("Shards are joined by name; another seed, another lesson, a double or a missing shard is refused")
  func merging() throws {
    let (a, b) = (grades([grade("b", half)], shard: "1/2"), grades([grade("a", half)], shard: "2/2"))
    let whole = try Grades(merging: [a, b], named: ["x", "y"])
    #expect(whole.submissions.map(\.name) == ["a", "b"] && whole.shard == nil)
    let refused: [([Grades], String)] = [
      ([a, grades([], seed: 8, shard: "2/2")], "another private seed"),
      ([a, grades([], shard: "2/2", digest: "e")], "other sources"),
      ([a, a], "each may be in one shard"), ([a], "2/2 are missing"),
      ([a, grades([], shard: "2/3")], "different divisions"), ([], "no grades"),
    ]
    for (parts, text) in refused {
      #expect { try Grades(merging: parts, named: parts.map { _ in "folder" }) } throws: { "\($0)".contains(text) }
    }
  }

  @Test("Damaged grades are named and refused; whole ones come back equal")
  func damage() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "grades-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let all = grades([grade("a\n\"b", half), grade("c", [CaseGrade(.notGraded)])])
    try all.write(to: folder)
    #expect(try Grades(contentsOf: folder) == all)
    let file = folder.appending(path: "grades.json")
    try Data(contentsOf: file).prefix(200).write(to: file)
    #expect { try Grades(contentsOf: folder) } throws: { "\($0)".contains("grades.json is damaged") }
    #expect { try Grades(contentsOf: folder.appending(path: "x")) } throws: { "\($0)".contains("cannot be read") }
  }
}
