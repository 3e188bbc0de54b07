import Exercises
import Foundation
import Synchronization

/// What a check of one exercise found.
struct CheckResult {
  let exercise: StudentExercise
  /// One for each case; empty if it was not tried.
  var verdicts: [Verdict] = []
  /// What the student's code printed in each case.
  var printed: [String] = []
  /// The exercises that must pass first.
  var waitsFor: [String] = []

  var passed: Bool { !verdicts.isEmpty && verdicts.allSatisfy { $0.status == .passed } }
  var isNotAttempted: Bool { exercise.isTodo || verdicts.contains { $0.status == .notAttempted } }
}

/// Checks a lesson's exercises against the recorded values; remembers what it found.
struct Checker {
  let lesson: LessonFolder
  let timeLimit: Double
  private var results: [String: CheckResult] = [:]
  private let exercises: [StudentExercise]

  init(_ lesson: LessonFolder, timeLimit: Double) throws(ExerciseError) {
    self.lesson = lesson
    self.timeLimit = timeLimit
    exercises = try lesson.exercises()
  }

  /// The result for an exercise, of a lesson that is built; what it depends on is checked before.
  ///
  /// One that fails while another it depends on fails too waits for that other.
  mutating func result(for exercise: StudentExercise) -> CheckResult {
    if let known = results[exercise.id] { return known }
    var result = CheckResult(exercise: exercise)
    if !exercise.isTodo { run(&result) }
    if !exercise.isTodo && !result.passed {
      let needed = exercises.filter { exercise.recorded.outline.dependencies.contains($0.id) }
      for other in needed where !self.result(for: other).passed { result.waitsFor.append(other.id) }
    }
    results[exercise.id] = result
    return result
  }

  /// Runs every case in a process of its own, as many at a time as there are cores.
  private func run(_ result: inout CheckResult) {
    let (id, recorded) = (result.exercise.id, result.exercise.recorded)
    var prober = Prober(executable: lesson.executable, timeLimit: timeLimit)
    prober.hasOwnGroup = false
    let asked = prober
    let found = Mutex([(Verdict, String)?](repeating: nil, count: recorded.cases.count))
    DispatchQueue.concurrentPerform(iterations: recorded.cases.count) { index in
      let request = ProbeRequest(exercise: id, case: index, seed: RecordedLesson.publicSeed)
      let (outcome, run) = asked.observe(request)
      let comparison = recorded.outline.cases[index].comparison
      let verdict = Verdict(outcome, against: recorded.cases[index], by: comparison)
      let printed = run.map { String(decoding: $0.output, as: UTF8.self) } ?? ""
      found.withLock { $0[index] = (verdict, printed) }
    }
    let all = found.withLock { $0.compactMap(\.self) }
    result.verdicts = all.map(\.0)
    result.printed = all.map(\.1)
  }
}
