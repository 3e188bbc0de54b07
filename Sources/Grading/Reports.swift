import Exercises
import Foundation

/// All that is written from grades besides `grades.json`.
public struct Reports {
  let grades: Grades

  /// The reports of some grades.
  public init(_ grades: Grades) { self.grades = grades }

  /// Writes `grades.csv`, and for every submission a folder with results for Gradescope, JUnit's XML and a page.
  public func write(to folder: URL) throws(ExerciseError) {
    try FileSystem.write(Data(csv.utf8), to: folder.appending(path: "grades.csv"))
    for submission in grades.submissions { try write(submission, to: folder) }
  }

  /// Writes the files of one submission.
  func write(_ submission: SubmissionGrade, to folder: URL) throws(ExerciseError) {
    let place = folder.appending(path: "students/\(Self.folderName(submission.name))")
    try FileSystem.makeFolder(place)
    try FileSystem.write(gradescope(submission), to: place.appending(path: "results.json"))
    try FileSystem.write(Data(junit(submission).utf8), to: place.appending(path: "junit.xml"))
    try FileSystem.write(Data(feedback(submission).utf8), to: place.appending(path: "feedback.html"))
  }

  /// A folder's name for a submission of any name: two names never share one.
  public static func folderName(_ name: String) -> String {
    let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) ? $0 : "_" }
    let digest = SHA256.hexDigest(of: Data(name.utf8)).prefix(10)
    return String(plain) == name && (1...80).contains(name.count) ? name : "\(String(plain.prefix(60)))-\(digest)"
  }

  /// One line on a submission.
  static func line(_ submission: SubmissionGrade) -> String {
    let parts = submission.exercises.map { exercise in
      "\(exercise.id) " + (exercise.status == .passed ? "✓" : exercise.status.rawValue)
    }
    return "\(printable(submission.name)): \(total(submission))  (\(parts.joined(separator: ", ")))"
  }

  /// Points of points, in words.
  static func total(_ submission: SubmissionGrade) -> String {
    guard let points = submission.points else { return "not graded" }
    return "\(number(points)) of \(submission.maximum)"
  }

  /// Points without needless zeros.
  static func number(_ points: Double) -> String {
    points == points.rounded() ? "\(Int(points))" : "\(points)"
  }

  /// What an exercise of a submission is called, and the sentence of the known mistake that explains most of its failures.
  func sentence(_ exercise: ExerciseGrade) -> String? {
    var counts: [Int: Int] = [:]
    for mistake in exercise.cases.flatMap(\.mistakes) { counts[mistake, default: 0] += 1 }
    guard let most = counts.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) })?.key,
      let sentences = outline(exercise)?.mistakes, sentences.indices.contains(most)
    else { return nil }
    return sentences[most]
  }

  func outline(_ exercise: ExerciseGrade) -> GradedExercise? { grades.exercises.first { $0.id == exercise.id } }

  /// What a student is told of a case in one line.
  func line(_ exercise: ExerciseGrade, _ index: Int) -> String {
    let grade = exercise.cases[index]
    let title =
      outline(exercise).flatMap { $0.cases.indices.contains(index) ? $0.cases[index] : nil } ?? "case \(index + 1)"
    return "\(title): \(grade.status.rawValue)" + (grade.message.map { " (\($0))" } ?? "")
  }
}
