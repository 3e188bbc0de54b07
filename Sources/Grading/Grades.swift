import Exercises
import Foundation

/// What `grades.json` holds: the result of grading a lesson's submissions, from which all other files are made.
public struct Grades: Codable, Sendable, Equatable {
  /// The version of the file's format.
  public var version = 1
  /// The lesson's name, such as `Lesson04-VAE`.
  public let lesson: String
  /// Tells sources and reference values apart: grades of one digest are comparable.
  public let lessonDigest: String
  /// The seed that students must not know: the inputs of all cases follow from it.
  public let privateSeed: UInt64
  /// The part of the submissions, such as `1/4`; `nil` for all.
  public let shard: String?
  /// The exercises, in order.
  public let exercises: [GradedExercise]
  /// The submissions, by name.
  public var submissions: [SubmissionGrade]

  /// The name of the file in the folder of results.
  public static let fileName = "grades.json"
}

/// An exercise as results name it.
public struct GradedExercise: Codable, Sendable, Equatable {
  /// What it is called everywhere, such as `VAE.1`.
  public let id: String
  /// A few words that say what is to be written.
  public let title: String
  /// The points for a right answer.
  public let points: Int
  /// The exercises whose references it is graded with.
  public let dependencies: [String]
  /// The titles of the cases.
  public let cases: [String]
  /// The sentences of the known mistakes.
  public let mistakes: [String]
}

/// What became of one submission.
public struct SubmissionGrade: Codable, Sendable, Equatable {
  /// The name of its folder or archive.
  public let name: String
  /// The SHA-256 of what was taken of it.
  public let digest: String
  /// What was ignored, missing or wrong with its files.
  public var notes: [String]
  /// What held the student's code, in words; `nil` if none of it ran yet.
  public var protection: String?
  /// The exercises, in order.
  public var exercises: [ExerciseGrade]

  /// The points; `nil` if some exercise is not graded.
  public var points: Double? {
    exercises.reduce(0) { sum, exercise in sum.flatMap { sum in exercise.points.map { sum + $0 } } }
  }
  /// The points of a wholly right submission.
  public var maximum: Int { exercises.map(\.maximum).reduce(0, +) }
  /// Whether every case has a result.
  public var isGraded: Bool { exercises.allSatisfy { $0.status != .notGraded } }
}

/// What became of one exercise of a submission.
public struct ExerciseGrade: Codable, Sendable, Equatable {
  /// The exercise's id.
  public let id: String
  /// The points for all cases.
  public let maximum: Int
  /// Said to the student, such as the compiler's first error.
  public var message: String?
  /// The cases, in order.
  public var cases: [CaseGrade]

  /// The status of the first case that did not pass; but one that is not graded spoils all.
  public var status: CaseStatus {
    if cases.contains(where: { $0.status == .notGraded }) { return .notGraded }
    return cases.first { $0.status != .passed }?.status ?? .passed
  }
  /// The share of passed cases of the points, to the thousandth; `nil` if not graded.
  public var points: Double? {
    guard status != .notGraded, !cases.isEmpty else { return nil }
    let passed = cases.count { $0.status == .passed }
    return (Double(maximum * passed) / Double(cases.count) * 1000).rounded() / 1000
  }

  private enum Key: String, CodingKey {
    case id
    case status
    case points
    case maximum
    case message
    case cases
  }

  /// An exercise's result from its parts.
  public init(id: String, maximum: Int, message: String? = nil, cases: [CaseGrade]) {
    self.id = id
    self.maximum = maximum
    self.message = message
    self.cases = cases
  }

  /// Reads a result; status and points follow from the cases.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    id = try container.decode(String.self, forKey: .id)
    maximum = try container.decode(Int.self, forKey: .maximum)
    message = try container.decodeIfPresent(String.self, forKey: .message)
    cases = try container.decode([CaseGrade].self, forKey: .cases)
  }

  /// Writes status and points too, for other programs.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(id, forKey: .id)
    try container.encode(status, forKey: .status)
    try container.encode(points, forKey: .points)
    try container.encode(maximum, forKey: .maximum)
    try container.encodeIfPresent(message, forKey: .message)
    try container.encode(cases, forKey: .cases)
  }
}

/// What became of one case.
public struct CaseGrade: Codable, Sendable, Equatable {
  /// What became of it.
  public let status: CaseStatus
  /// The known mistakes whose values came, counted from 0.
  public var mistakes: [Int] = []
  /// Said to the student: reveals no input and no expected value.
  public var message: String?
  /// For the instructor alone: may hold what the student's code printed, hidden inputs with it.
  public var detail: String?
  /// How long the process ran, in seconds.
  public var seconds: Double?

  /// A case's result from its parts.
  public init(
    _ status: CaseStatus, mistakes: [Int] = [], message: String? = nil, detail: String? = nil, seconds: Double? = nil
  ) {
    self.status = status
    self.mistakes = mistakes
    self.message = message
    self.detail = detail
    self.seconds = seconds
  }
}

extension GradedExercise {
  init(_ outline: ExerciseOutline) {
    self.init(
      id: outline.id, title: outline.title, points: outline.points, dependencies: outline.dependencies,
      cases: outline.cases.map(\.title), mistakes: outline.mistakes)
  }

  /// All cases with one result.
  func all(_ grade: CaseGrade, message: String? = nil) -> ExerciseGrade {
    ExerciseGrade(id: id, maximum: points, message: message, cases: cases.map { _ in grade })
  }
}
