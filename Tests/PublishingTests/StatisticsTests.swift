import Exercises
import Foundation
import Testing

@testable import Publishing

@Suite("Statistics")
struct StatisticsTests {
  /// Five students on two exercises of 4 and 2 points; the mistake is a1's first case.
  private var results: [ExerciseResult] {
    let first: [[CaseStatus]] = [
      [.passed, .passed], [.passed, .passed], [.failed, .passed], [.failed, .crashed], [.notGraded, .passed],
    ]
    let second: [CaseStatus] = [.passed, .passed, .failed, .timedOut, .passed]
    return (0..<5).flatMap { student in
      [
        ExerciseResult(
          student: "s\(student)", exercise: "Toy.1", title: "Twice", maximum: 4,
          cases: zip(["=one", "two"], first[student]).map {
            .init(title: $0, status: $1, mistakes: $1 == .failed ? ["Thrice, \"so\"."] : [])
          }),
        ExerciseResult(
          student: "s\(student)", exercise: "Toy.2", title: "Half", maximum: 2,
          cases: [.init(title: "only", status: second[student])]),
      ]
    }
  }

  @Test(
    "Pass rates, means, mistakes and discrimination are those worked out by hand; what was not graded counts nowhere")
  func byHand() throws {
    let statistics = Statistics(results)
    #expect(statistics.students == 5 && statistics.exercises.map(\.id) == ["Toy.1", "Toy.2"])
    let first = statistics.exercises[0]
    #expect(first.graded == 4 && first.notGraded == 1)
    #expect(first.meanPoints == 2.5 && first.passRate == 0.5)  // 4, 4, 2, 0
    #expect(first.mistakes == [.init(sentence: "Thrice, \"so\".", count: 2)])
    #expect(first.cases.map(\.passRate) == [0.5, 0.8])
    #expect(first.cases[1].statuses == ["passed": 4, "crashed": 1])
    // (4, 4, 2, 0) against (2, 2, 0, 0): 6 / √(11 · 4).
    #expect(abs(try #require(first.discrimination) - 6 / 44.0.squareRoot()) < 1e-12)
    #expect(abs(try #require(first.cases[0].discrimination) - 1) < 1e-12)
    // (1, 1, 1, 0, 1) against (2, 2, 0, 0, 2): 1.2 / √(0.8 · 4.8).
    #expect(abs(try #require(first.cases[1].discrimination) - 1.2 / (0.8 * 4.8).squareRoot()) < 1e-12)
  }

  @Test("Where all did alike, or there are fewer than three, discrimination has no value")
  func withoutValue() {
    #expect(correlation([1, 1, 1], [1, 2, 3]) == nil)
    #expect(correlation([0, 1], [1, 2]) == nil)
    #expect(Statistics([]).students == 0)
    #expect(Statistics(Array(results.prefix(2))).exercises[0].discrimination == nil)
  }

  @Test("The table is readable, the CSV has no formulas, the JSON reads back")
  func texts() throws {
    let statistics = Statistics(results)
    #expect(
      statistics.table.contains("Toy.1  Twice\n  2.50 of 4 points on average; all passed by 50 %; discrimination +0.90")
    )
    #expect(statistics.table.contains("      80 %   +0.61  two  (1 crashed)"))
    #expect(statistics.table.contains("         2  Thrice, \"so\"."))
    let rows = statistics.csv.components(separatedBy: "\r\n")
    #expect(
      rows[0].hasPrefix("exercise,case,graded,maximum,mean points,pass rate,discrimination,passed,failed,crashed"))
    #expect(
      rows[1].hasPrefix("Toy.1,,4,4.0000,2.5000,0.5000,0.9045,") && rows[1].hasSuffix("\"2 × Thrice, \"\"so\"\".\""))
    #expect(rows[2].hasPrefix("Toy.1,'=one,4,,,0.5000,1.0000,2,2,"))
    #expect(try JSONDecoder().decode(Statistics.self, from: statistics.json()) == statistics)
  }
}
