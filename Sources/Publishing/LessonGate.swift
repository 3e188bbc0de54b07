import Exercises
import Foundation

/// What must hold of one lesson's exercises before they go to students; each check gives what is wrong, one line each.
public struct LessonGate {
  /// The lesson, which has been built.
  public let lesson: LessonFolder
  private let prober: Prober

  /// Seeds besides the public one on which solutions and mistakes are tried.
  public static let otherSeeds: [UInt64] = [2, 77, 1234, .max]

  /// The gate of a lesson whose executable is `lesson.executable`, or another.
  public init(_ lesson: LessonFolder, executable: URL? = nil) {
    self.lesson = lesson
    prober = Prober(executable: executable ?? lesson.executable, timeLimit: 120)
  }

  /// What is wrong with the marks in its files.
  public func markProblems() throws -> [String] {
    let files = lesson.exerciseFiles
    return try files.flatMap { file in
      let source = try lesson.source(file)
      let open = source.ids.filter(source.isTodo)
      return source.problems.map { "Lessons/\(lesson.name)/\(file):\($0.line): \($0.text)" }
        + open.map { "\($0) has no solution: it is todo in Lessons/\(lesson.name)/\(file)" }
    }
  }

  /// What is wrong with its specifications: ids, titles, points, hints, cases, dependencies and marks for each.
  public func specificationProblems() throws -> [String] {
    let outlines = try prober.outlines()
    let marked = try lesson.exerciseFiles.flatMap { try lesson.source($0).ids }
    let ids = outlines.map(\.id)
    return Self.repeated(ids).map { "two exercises are called \($0)" }
      + Self.repeated(marked).map { "\($0) has marks in two files" }
      + Set(marked).subtracting(ids).sorted().map { "\($0) has marks but no specification in Exercises.swift" }
      + outlines.flatMap { problems(of: $0, ids: ids, marked: marked) }
  }

  private func problems(of outline: ExerciseOutline, ids: [String], marked: [String]) -> [String] {
    var problems: [String] = []
    let number = outline.id.split(separator: ".").last.flatMap { Int($0) } ?? 0
    if outline.id != "\(lesson.suffix).\(number)" || number < 1 {
      problems.append("is not called \(lesson.suffix).N with a number N")
    }
    if !marked.contains(outline.id) { problems.append("has no marks in the lesson's files") }
    if outline.title.isEmpty { problems.append("has no title") }
    if outline.points < 1 { problems.append("has \(outline.points) points") }
    if outline.cases.isEmpty { problems.append("has no cases") }
    if outline.hints.isEmpty || outline.hints.contains("") { problems.append("lacks hints, or has an empty one") }
    problems += Self.repeated(outline.cases.map(\.title)).map { "has two cases called \"\($0)\"" }
    problems += Self.repeated(outline.mistakes).map { "has two mistakes with the sentence \"\($0)\"" }
    let earlier = ids.prefix { $0 != outline.id }
    problems += outline.dependencies.filter { !earlier.contains($0) }.map { "depends on \($0), which is not before it" }
    return problems.map { "\(outline.id) \($0)" }
  }

  static func repeated(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { !seen.insert($0).inserted }
  }

  /// Whether on a seed each solution passes, in a process for each case too, and each known mistake fails by its own sentence.
  public func answerProblems(seed: UInt64) throws -> [String] {
    let recorded = try RecordedLesson(lesson: lesson.name, files: lesson.exerciseFiles, from: prober, seed: seed)
    let problems = recorded.problems + wrongAnswers(to: recorded)
    return problems.map { "seed \(seed): \($0)" }
  }

  /// Where the recorded values are not those of the solutions and mistakes as they are now.
  public func recordingProblems() throws -> [String] {
    let recorded = try lesson.recorded()
    let fresh = try RecordedLesson(
      lesson: lesson.name, files: lesson.exerciseFiles, from: prober, seed: RecordedLesson.publicSeed)
    let advice = "swift run course record \(lesson.suffix) writes it anew"
    guard recorded.exercises.map(\.outline) == fresh.exercises.map(\.outline), recorded.files == fresh.files,
      recorded.lesson == fresh.lesson, recorded.seed == fresh.seed
    else { return ["\(lesson.recordedFile.path) does not belong to Exercises.swift and Mistakes.swift; \(advice)"] }
    // Other processors may round otherwise, so values are compared as a judge would.
    return zip(recorded.exercises, fresh.exercises).flatMap { old, new in
      old.outline.cases.indices.compactMap { index in
        let comparison = old.outline.cases[index].comparison
        let isSame = ([old.cases[index].values] + old.cases[index].mistakes)
          .elementsEqual([new.cases[index].values] + new.cases[index].mistakes) { old, new in
            comparison.isSame(old, new)
          }
        return isSame
          ? nil : "\(old.outline.id), case \"\(old.outline.cases[index].title)\" has other values; \(advice)"
      }
    }
  }

  /// The lesson with stubs must compile, and answer to every case that it was not attempted.
  public func stubProblems(in release: StudentRelease) throws -> [String] {
    let build: StubBuild
    do { build = try StubBuild(lesson, from: release) } catch { return ["with stubs it does not compile: \(error)"] }
    defer { build.remove() }
    let stub = Prober(executable: build.executable, timeLimit: 60)
    return try prober.outlines().flatMap { outline in
      outline.cases.indices.compactMap { index in
        let outcome = stub.ask(ProbeRequest(exercise: outline.id, case: index, seed: RecordedLesson.publicSeed))
        if outcome == .answered(.notAttempted) { return nil }
        return "\(outline.id), case \"\(outline.cases[index].title)\": the stub gives \(outcome), not \"not attempted\""
      }
    }
  }

  /// The cases that a solution fails when each is asked of a process of its own, as in grading.
  private func wrongAnswers(to recorded: RecordedLesson) -> [String] {
    recorded.exercises.flatMap { exercise in
      exercise.outline.cases.indices.compactMap { index in
        let outcome = prober.ask(ProbeRequest(exercise: exercise.outline.id, case: index, seed: recorded.seed))
        let outline = exercise.outline.cases[index]
        let verdict = Verdict(outcome, against: exercise.cases[index], by: outline.comparison)
        if verdict.status == .passed { return nil }
        let reason = verdict.difference?.summary ?? verdict.detail ?? ""
        return "\(exercise.outline.id), case \"\(outline.title)\": the solution \(verdict.status.rawValue) \(reason)"
      }
    }
  }
}

extension Comparison {
  /// Whether values are the same but for rounding, NaN included.
  fileprivate func isSame(_ values: [ProbeValue], _ others: [ProbeValue]) -> Bool {
    let wrong = RecordedCase(values: [ProbeValue(name: "", shape: [0], scalars: [])], mistakes: [others])
    return values == others || Verdict(.answered(.values(values)), against: wrong, by: self).mistakes == [0]
  }
}
