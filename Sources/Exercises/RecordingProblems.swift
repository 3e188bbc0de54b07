extension RecordedLesson {
  /// What an author must mend before values are any use: solutions and mistakes must be told apart on every case.
  ///
  /// On each case the solution passes, each mistake fails, and is known by its own sentence alone.
  public var problems: [String] {
    exercises.flatMap { exercise in
      (exercise.outline.mistakes.count < 3 ? ["\(exercise.outline.id) has fewer than three known mistakes"] : [])
        + zip(exercise.outline.cases, exercise.cases).flatMap { outline, recorded in
          Self.problems(of: recorded, outline, exercise.outline)
        }
    }
  }

  private static func problems(
    of recorded: RecordedCase, _ outline: CaseOutline, _ exercise: ExerciseOutline
  ) -> [String] {
    let place = "\(exercise.id), case \"\(outline.title)\""
    func verdict(_ values: [ProbeValue]) -> Verdict {
      Verdict(.answered(.values(values)), against: recorded, by: outline.comparison)
    }
    var problems: [String] = []
    if verdict(recorded.values).status != .passed { problems.append("\(place): the solution fails against itself") }
    for (index, values) in recorded.mistakes.enumerated() {
      let verdict = verdict(values)
      let others = verdict.mistakes.filter { $0 != index }.map { "\"\(exercise.mistakes[$0])\"" }
      let name = "\(place): the mistake \"\(exercise.mistakes[index])\""
      if verdict.status == .passed { problems.append("\(name) passes") }
      if !others.isEmpty { problems.append("\(name) cannot be told from \(others.joined(separator: ", "))") }
    }
    return problems
  }
}
