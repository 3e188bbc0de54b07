import Foundation
import Tensors
import Testing

@testable import Exercises

@Suite("Verdicts")
struct JudgeTests {
  private func value(_ scalars: [Float], _ shape: [Int]? = nil) -> ProbeValue {
    ProbeValue(name: "y", shape: shape ?? [scalars.count], scalars: scalars)
  }

  private func verdict(
    _ found: ProbeValue, _ right: ProbeValue, mistakes: [ProbeValue] = [], by comparison: Comparison = .close()
  ) -> Verdict {
    let reference = RecordedCase(values: [right], mistakes: mistakes.map { [$0] })
    return Verdict(.answered(.values([found])), against: reference, by: comparison)
  }

  @Test("Rounding passes, more does not; the first wrong index, the largest error and the tolerance are told")
  func closeness() throws {
    let right = value([1, 100, -3, 0], [2, 2])
    #expect(verdict(value([1.0001, 100.005, -3.0003, 0.00004], [2, 2]), right).status == .passed)
    let wrong = verdict(value([1, 100.1, -3, 0.5], [2, 2]), right)
    let difference = try #require(wrong.difference)
    #expect(wrong.status == .failed && difference.index == [0, 1] && difference.wrongCount == 2)
    #expect(difference.found == "100.1" && difference.expected == "100.0" && difference.maximumError == "0.5")
    #expect(difference.tolerance.hasPrefix("5e-05"))
  }

  @Test("NaN, infinity, another shape or another number of values never pass")
  func impossibleValues() {
    #expect(verdict(value([.nan]), value([.nan])).status == .failed)
    let difference = verdict(value([1, .nan]), value([1, 1])).difference
    #expect(difference?.index == [1] && difference?.summary == "is not a number")
    #expect(verdict(value([.infinity]), value([1])).status == .failed)
    #expect(verdict(value([-.infinity]), value([-.infinity])).status == .passed)
    #expect(verdict(value([1, 2], [2, 1]), value([1, 2])).difference?.shape == [2, 1])
    let reference = RecordedCase(values: [value([1])], mistakes: [])
    for values in [[], [value([1]), value([1])]] {
      #expect(Verdict(.answered(.values(values)), against: reference, by: .close()).status == .failed)
    }
  }

  @Test("Values of a known mistake are known by it, NaN included, and the most common mistake explains")
  func mistakes() {
    let wrong = [value([-1, 2]), value([.nan, 2]), value([1], [])]
    func found(_ value: ProbeValue) -> [Int] { verdict(value, self.value([1, 2]), mistakes: wrong).mistakes }
    #expect(found(value([-1.00001, 2])) == [0])
    #expect(found(value([.nan, 2])) == [1])
    #expect(found(value([1], [])) == [2])
    #expect(found(value([5, 5])) == [])
    let verdicts = [[0, 2], [2], [1, 2], [1]].map { Verdict(.failed, mistakes: $0) }
    #expect(commonMistake(verdicts) == 2 && commonMistake([]) == nil)
    #expect(commonMistake([Verdict(.failed, mistakes: [3, 1])]) == 1)
  }

  @Test("Whatever is no value is no pass, and a claim to be refused is a crash")
  func otherOutcomes() {
    let reference = RecordedCase(values: [], mistakes: [])
    let expected: [(ProbeOutcome, CaseStatus)] = [
      (.answered(.notAttempted), .notAttempted), (.answered(.refused("x")), .crashed),
      (.answered(.specifications(Data())), .crashed), (.crashed("x"), .crashed), (.timedOut(1), .timedOut),
      (.oversized(9), .failed), (.notStarted("x"), .notGraded),
    ]
    for (outcome, status) in expected {
      #expect(Verdict(outcome, against: reference, by: .close()).status == status)
    }
  }

  @Test("Samples pass by their moments: another draw of the law does, a shifted or wider one does not")
  func moments() {
    var random = Random(seed: 1)
    func samples(_ scale: Float, _ shift: Float) -> ProbeValue {
      ProbeValue(name: "samples", tensor: Tensor.normal([4000, 2], using: &random) * scale + shift)
    }
    let right = samples(1, 0)
    #expect(verdict(samples(1, 0), right, by: .sameMoments()).status == .passed)
    #expect(verdict(samples(1, 0.3), right, by: .sameMoments()).status == .failed)
    #expect(verdict(samples(1.3, 0), right, by: .sameMoments()).status == .failed)
  }

  @Test("Log-probabilities pass if they sum to 1 and lie near the right law")
  func logProbabilities() {
    let right = value([0.5, 0.25, 0.25].map { log($0) })
    func status(_ probabilities: [Float]) -> CaseStatus {
      verdict(value(probabilities.map { log($0) }), right, by: .logProbabilities(slack: 0.05)).status
    }
    #expect(status([0.45, 0.3, 0.25]) == .passed)
    #expect(status([0.2, 0.4, 0.4]) == .failed)
    #expect(status([0.6, 0.3, 0.3]) == .failed)
    #expect(status([1, 0, 0]) == .failed)
  }

  @Test("Mistakes that pass, or that cannot be told apart, are the author's problem")
  func recordingProblems() throws {
    func problems(_ mistakes: [Float]) throws -> [String] {
      let outline = ExerciseOutline(
        id: "X.1", title: "", points: 1, hints: [], dependencies: [],
        cases: [CaseOutline(title: "c", comparison: .close())],
        mistakes: mistakes.map { "is \($0)" })
      let recorded = RecordedCase(values: [value([1])], mistakes: mistakes.map { [value([$0])] })
      let lesson = RecordedLesson(
        lesson: "X", files: [], seed: 1, exercises: [RecordedExercise(outline: outline, cases: [recorded])])
      return lesson.problems
    }
    #expect(try problems([2, 3, 4]) == [])
    #expect(try problems([2, 3]).count == 1)
    #expect(try problems([2, 3, 1])[0].hasSuffix("passes"))
    #expect(try problems([2, 3, 3]).count == 2)
  }
}
