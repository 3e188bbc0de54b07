import Exercises

/// What one student has of one exercise.
public struct ExerciseResult: Sendable, Equatable {
  /// What became of one case.
  public struct Case: Sendable, Equatable {
    /// What the case tries.
    public let title: String
    /// What became of it.
    public let status: CaseStatus
    /// The sentences of the known mistakes whose values came.
    public let mistakes: [String]

    /// A case from its parts.
    public init(title: String, status: CaseStatus, mistakes: [String] = []) {
      self.title = title
      self.status = status
      self.mistakes = mistakes
    }
  }

  /// Whose it is.
  public let student: String
  /// The exercise's id, such as `VAE.1`.
  public let exercise: String
  /// The exercise's title.
  public let title: String
  /// The points for all cases.
  public let maximum: Double
  /// The cases, in order.
  public let cases: [Case]

  /// A result from its parts.
  public init(student: String, exercise: String, title: String, maximum: Double, cases: [Case]) {
    self.student = student
    self.exercise = exercise
    self.title = title
    self.maximum = maximum
    self.cases = cases
  }

  /// Whether every case was graded.
  var isGraded: Bool { !cases.isEmpty && !cases.contains { $0.status == .notGraded } }
  /// The points: the share of the cases that passed.
  var points: Double {
    cases.isEmpty ? 0 : maximum * Double(cases.count { $0.status == .passed }) / Double(cases.count)
  }
}

/// How a class did, by exercise and case.
public struct Statistics: Codable, Sendable, Equatable {
  /// A known mistake, and how many results showed it.
  public struct MistakeCount: Codable, Sendable, Equatable {
    /// Its sentence.
    public let sentence: String
    /// How many.
    public let count: Int
  }

  /// How a class did on a case.
  public struct Case: Codable, Sendable, Equatable {
    /// What the case tries.
    public let title: String
    /// How many were graded.
    public let graded: Int
    /// The share of those that passed; `nil` if none was graded.
    public let passRate: Double?
    /// How many came to each status, by the status's name.
    public let statuses: [String: Int]
    /// Which known mistakes it showed, the most frequent first.
    public let mistakes: [MistakeCount]
    /// The point-biserial correlation of passing it with the points on all other exercises; `nil` where it has no value.
    public let discrimination: Double?
  }

  /// How a class did on an exercise.
  public struct Exercise: Codable, Sendable, Equatable {
    /// Its id.
    public let id: String
    /// Its title.
    public let title: String
    /// How many students were graded on all its cases.
    public let graded: Int
    /// How many were not.
    public let notGraded: Int
    /// The points for a right answer.
    public let maximum: Double
    /// The mean points of those graded.
    public let meanPoints: Double?
    /// The share of those graded that passed every case.
    public let passRate: Double?
    /// The correlation of its points with the points on all other exercises; `nil` where it has no value.
    public let discrimination: Double?
    /// How many students made each known mistake, the most frequent first.
    public let mistakes: [MistakeCount]
    /// Its cases.
    public let cases: [Case]
  }

  /// What `discrimination` is.
  public static let discriminationNote =
    "discrimination: correlation of passing (for an exercise: of its points) with the points on all other exercises "
    + "(point-biserial, corrected); - where all did alike or fewer than three were graded"

  /// How many students there are.
  public let students: Int
  /// The exercises, in the order of their first results.
  public let exercises: [Exercise]

  /// The statistics of results, one for each student and exercise.
  public init(_ results: [ExerciseResult]) {
    let ids = results.map(\.exercise).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    var totals: [String: Double] = [:]
    for result in results { totals[result.student, default: 0] += result.points }
    students = totals.count
    // What a student has on everything else: an exercise must not be compared with itself.
    exercises = ids.map { id in
      let own = results.filter { $0.exercise == id }
      return Exercise(own, rest: own.map { totals[$0.student, default: 0] - $0.points })
    }
  }
}

extension Statistics.Exercise {
  init(_ results: [ExerciseResult], rest: [Double]) {
    let graded = zip(results, rest).filter(\.0.isGraded)
    let (points, first) = (graded.map(\.0.points), results[0])
    id = first.exercise
    title = first.title
    maximum = first.maximum
    self.graded = graded.count
    notGraded = results.count - graded.count
    meanPoints = mean(points)
    passRate = mean(graded.map { $0.0.cases.allSatisfy { $0.status == .passed } ? 1 : 0 })
    discrimination = correlation(points, graded.map(\.1))
    mistakes = counts(results.flatMap { Set($0.cases.flatMap(\.mistakes)) })
    let titles = results.flatMap { $0.cases.map(\.title) }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    cases = titles.map { title in
      Statistics.Case(
        title,
        zip(results, rest).compactMap { result, rest in
          result.cases.first { $0.title == title }.map { ($0, rest) }
        })
    }
  }
}

extension Statistics.Case {
  init(_ title: String, _ results: [(ExerciseResult.Case, Double)]) {
    let graded = results.filter { $0.0.status != .notGraded }
    let passed = graded.map { $0.0.status == .passed ? 1.0 : 0 }
    self.title = title
    self.graded = graded.count
    passRate = mean(passed)
    statuses = results.reduce(into: [:]) { $0[$1.0.status.rawValue, default: 0] += 1 }
    mistakes = counts(results.flatMap(\.0.mistakes))
    discrimination = correlation(passed, graded.map(\.1))
  }
}

private func counts(_ sentences: [String]) -> [Statistics.MistakeCount] {
  let counts = sentences.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
  return counts.map { Statistics.MistakeCount(sentence: $0.key, count: $0.value) }
    .sorted { ($1.count, $0.sentence) < ($0.count, $1.sentence) }
}

private func mean(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}

/// Pearson's correlation; with a value of 0 or 1 it is the point-biserial one.
func correlation(_ x: [Double], _ y: [Double]) -> Double? {
  guard x.count >= 3, let meanX = mean(x), let meanY = mean(y) else { return nil }
  let squares = (x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }, y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) })
  guard squares.0 > 1e-12, squares.1 > 1e-12 else { return nil }
  return zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / (squares.0 * squares.1).squareRoot()
}
