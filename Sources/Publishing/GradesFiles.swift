import Exercises
import Foundation
import Grading

extension Statistics {
  /// The statistics of files that `course grade` or `course merge` wrote, or of the folders that hold them.
  public init(gradesIn files: [URL]) throws(ExerciseError) {
    var results: [ExerciseResult] = []
    var places: [String: String] = [:]
    var lessons: [String: (digest: String, file: String)] = [:]
    for file in files {
      let (grades, path) = try Self.grades(at: file)
      if let other = lessons[grades.lesson], other.digest != grades.lessonDigest {
        throw ExerciseError("\(path) and \(other.file) are of different versions of \(grades.lesson)")
      }
      lessons[grades.lesson] = (grades.lessonDigest, path)
      for submission in grades.submissions {
        if let other = places.updateValue(path, forKey: "\(grades.lesson)/\(submission.name)") {
          throw ExerciseError("\(submission.name) is in \(other) and in \(path); give each student's grades once")
        }
        results += try Self.results(of: submission, grades, path)
      }
    }
    guard !results.isEmpty else {
      throw ExerciseError("there are no submissions in \(files.map(\.path).joined(separator: ", "))")
    }
    self.init(results)
  }

  private static func grades(at place: URL) throws(ExerciseError) -> (grades: Grades, path: String) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder)
    let file = exists && isFolder.boolValue ? place.appending(path: Grades.fileName) : place
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw ExerciseError("\(file.path) cannot be read; give grades.json, or the folder that course grade wrote")
    }
    let grades: Grades
    do { grades = try JSONDecoder().decode(Grades.self, from: data) } catch {
      throw ExerciseError("\(file.path) is no grades.json, or damaged; grade again with the same command")
    }
    guard grades.version == 1 else { throw ExerciseError("\(file.path) has version \(grades.version), not 1") }
    return (grades, file.path)
  }

  private static func results(of submission: SubmissionGrade, _ grades: Grades, _ path: String) throws(ExerciseError)
    -> [ExerciseResult]
  {
    try submission.exercises.map { result throws(ExerciseError) in
      guard let exercise = grades.exercises.first(where: { $0.id == result.id }),
        exercise.cases.count == result.cases.count,
        result.cases.allSatisfy({ $0.mistakes.allSatisfy(exercise.mistakes.indices.contains) })
      else { throw ExerciseError("\(path) is damaged: \(submission.name)'s \(result.id) does not fit its exercises") }
      return ExerciseResult(
        student: submission.name, exercise: result.id, title: exercise.title, maximum: Double(result.maximum),
        cases: zip(exercise.cases, result.cases).map { title, result in
          .init(title: title, status: result.status, mistakes: result.mistakes.map { exercise.mistakes[$0] })
        })
    }
  }
}
