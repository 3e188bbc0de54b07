/// What became of a case or of an exercise.
public enum CaseStatus: String, Codable, Sendable, CaseIterable {
  /// The values are right.
  case passed
  /// The values are wrong.
  case failed
  /// The process ended before it gave values.
  case crashed
  /// No values came within the time limit.
  case timedOut = "timed out"
  /// The process wanted more memory than it may have.
  case outOfMemory = "out of memory"
  /// The student's file does not compile.
  case compileError = "compile error"
  /// Nothing was written yet.
  case notAttempted = "not attempted"
  /// Another exercise must be right first.
  case blocked
  /// The grader's own fault: never a zero, never full marks.
  case notGraded = "not graded"
}

/// What the judge says of one case, from values alone.
public struct Verdict: Codable, Sendable, Equatable {
  /// What became of the case.
  public let status: CaseStatus
  /// Where and how far the values are wrong.
  public let difference: Difference?
  /// The known mistakes whose values these are, counted from 0.
  public let mistakes: [Int]
  /// How the process ended, if it did not answer.
  public let detail: String?

  /// A verdict from its parts.
  public init(_ status: CaseStatus, difference: Difference? = nil, mistakes: [Int] = [], detail: String? = nil) {
    self.status = status
    self.difference = difference
    self.mistakes = mistakes
    self.detail = detail
  }

  /// The verdict on what a probe gave.
  ///
  /// - Parameters:
  ///   - outcome: what the student's process gave.
  ///   - reference: what the reference and the known mistakes give.
  ///   - comparison: how the case compares.
  public init(_ outcome: ProbeOutcome, against reference: RecordedCase, by comparison: Comparison) {
    switch outcome {
    case .answered(.values(let values)):
      guard let difference = comparison.firstDifference(values, from: reference.values) else {
        self.init(.passed)
        return
      }
      let matches = reference.mistakes.indices.filter { comparison.matches(values, reference.mistakes[$0]) }
      self.init(.failed, difference: difference, mistakes: matches)
    case .answered(.notAttempted): self.init(.notAttempted)
    // A student's process may say so too: whether the lesson can answer, a trusted build has shown before.
    case .answered(.refused(let reason)): self.init(.crashed, detail: "refused the request: \(reason)")
    case .answered(.specifications): self.init(.crashed, detail: "gave something other than values")
    case .crashed(let how): self.init(.crashed, detail: how)
    case .timedOut(let seconds): self.init(.timedOut, detail: "no values within \(Int(seconds)) s")
    case .oversized(let bytes): self.init(.failed, detail: "more than \(bytes) bytes of values")
    case .notStarted(let reason): self.init(.notGraded, detail: reason)
    }
  }
}

/// Where a value differs from the reference's, and how far.
public struct Difference: Codable, Sendable, Equatable {
  /// The value's name.
  public let name: String
  /// In one line what is wrong, without any of the reference's values or the inputs.
  public let summary: String
  /// The shape that came.
  public let shape: [Int]
  /// The shape that is right.
  public let expectedShape: [Int]
  /// The first index that is wrong, if the shape is right.
  public let index: [Int]?
  /// What stands there, as text, since it may be NaN.
  public let found: String?
  /// What is right there.
  public let expected: String?
  /// The largest distance from the reference, as text.
  public let maximumError: String?
  /// What distance is allowed.
  public let tolerance: String
  /// How many values are wrong.
  public let wrongCount: Int
}

/// The known mistake that explains most failed cases; of several, the first.
public func commonMistake(_ verdicts: [Verdict]) -> Int? {
  var counts: [Int: Int] = [:]
  for mistake in verdicts.flatMap(\.mistakes) { counts[mistake, default: 0] += 1 }
  return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key
}
