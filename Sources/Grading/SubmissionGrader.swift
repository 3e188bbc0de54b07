import Exercises
import Foundation

/// Grades one submission after another in folders of its own.
struct SubmissionGrader: Sendable {
  let exercises: [GradedExercise]
  let recorded: RecordedLesson
  /// The authors' files.
  let reference: [String: MarkedSource]
  let builder: Builder
  let runner: CaseRunner
  /// Told of every result as soon as it is there; throws to stop.
  let report: @Sendable (_ number: Int, SubmissionGrade) throws(ExerciseError) -> Void

  /// A submission of which nothing is graded yet.
  static func ungraded(_ submission: Submission, _ exercises: [GradedExercise]) -> SubmissionGrade {
    SubmissionGrade(
      name: submission.name, digest: submission.digest, notes: submission.notes, protection: nil,
      exercises: exercises.map { $0.all(CaseGrade(.notGraded)) })
  }

  /// Grades all exercises; the grader's own failures leave them not graded, and are noted.
  func grade(_ submission: Submission, number: Int) throws(ExerciseError) {
    var grade = Self.ungraded(submission, exercises)
    grade.protection = runner.sandbox.protection
    defer { FileSystem.remove(builder.folder) }
    do {
      try gradeOpen(submission, number, &grade)
      if grade.exercises.contains(where: { $0.status == .compileError }), !submission.files.isEmpty {
        try checkCompiler()
      }
    } catch let error as StoppedError {
      throw error.reason
    } catch {
      grade = Self.ungraded(submission, exercises)
      grade.notes.append("not graded: \(error)")
    }
    try report(number, grade)
  }

  /// Before a student's file is said not to compile, the authors' must.
  private func checkCompiler() throws(ExerciseError) {
    let sources = StudentSources(reference: reference)
    guard case .built = try builder.build(sources.texts, named: "check") else {
      throw ExerciseError("the compiler refuses the authors' own files now; is there room on the disk?")
    }
  }

  /// Wraps what `report` throws, which is not the submission's matter.
  private struct StoppedError: Error { let reason: ExerciseError }

  private func tell(_ number: Int, _ grade: SubmissionGrade) throws {
    do { try report(number, grade) } catch { throw StoppedError(reason: error) }
  }

  private func gradeOpen(_ submission: Submission, _ number: Int, _ grade: inout SubmissionGrade) throws {
    let sources = StudentSources(submission, reference: reference)
    for (index, exercise) in exercises.enumerated() {
      if let problem = problem(submission, exercise) {
        grade.exercises[index] = exercise.all(CaseGrade(problem.status), message: problem.message)
      } else if sources.isTodo(exercise.id) {
        grade.exercises[index] = exercise.all(CaseGrade(.notAttempted))
      } else if !sources.isMarked(exercise.id) {
        grade.notes.append("\(exercise.id): its marks (// BEGIN SOLUTION \(exercise.id)) are gone; graded as it stands")
      }
    }
    try tell(number, grade)
    let open = exercises.indices.filter { grade.exercises[$0].cases.contains { $0.status == .notGraded } }
      .filter { problem(submission, exercises[$0]) == nil }
    guard !open.isEmpty else { return }
    var plan = try BuildPlan(sources, exercises: exercises.map(\.id), builder: builder, prefix: "\(number)")
    for index in open {
      let exercise = exercises[index]
      if let error = plan.errors[exercise.id] {
        grade.exercises[index] = exercise.all(CaseGrade(.compileError), message: error)
        try tell(number, grade)
      } else if let build = plan.builds[exercise.id] {
        try run(index, build.executable, number, &grade)
        if !exercise.dependencies.isEmpty, grade.exercises[index].status != .passed {
          try runWithReferences(index, &plan, number, &grade)
        }
      }
    }
  }

  /// What is wrong with the file that holds an exercise.
  private func problem(_ submission: Submission, _ exercise: GradedExercise) -> (status: CaseStatus, message: String)? {
    guard let file = reference.first(where: { $0.value.ids.contains(exercise.id) })?.key,
      let problem = submission.problems[file]
    else { return nil }
    return (problem.status, problem.message(file))
  }

  private func run(_ index: Int, _ executable: URL, _ number: Int, _ grade: inout SubmissionGrade) throws {
    guard let exercise = recorded[exercises[index].id] else { return }
    try runner.root.place(executable)
    for position in exercise.cases.indices {
      grade.exercises[index].cases[position] = runner.grade(exercise, case: position)
      try tell(number, grade)
    }
  }

  /// What fails with the student's own functions is tried again with the references of what it depends on.
  private func runWithReferences(
    _ index: Int, _ plan: inout BuildPlan, _ number: Int, _ grade: inout SubmissionGrade
  ) throws {
    let exercise = exercises[index]
    let names = exercise.dependencies.joined(separator: ", ")
    switch try plan.build(exercise.id, with: exercise.dependencies, from: reference) {
    case .built(let executable): try run(index, executable, number, &grade)
    case .refused:
      grade.exercises[index] = exercise.all(
        CaseGrade(.compileError), message: "it does not compile with the authors' \(names)")
      try tell(number, grade)
    case .unmarked:
      grade.exercises[index].message = "it may fail by the student's own \(names), whose marks are gone"
      for position in grade.exercises[index].cases.indices
      where grade.exercises[index].cases[position].status != .passed {
        grade.exercises[index].cases[position] = CaseGrade(.blocked)
      }
      try tell(number, grade)
    }
  }
}
