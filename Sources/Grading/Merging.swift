import Exercises

extension Grades {
  /// Joins the grades of shards into one; they must be of one lesson and seed, and no submission in two of them.
  ///
  /// - Parameters:
  ///   - parts: the grades.
  ///   - names: what to call each of them in errors.
  public init(merging parts: [Grades], named names: [String]) throws(ExerciseError) {
    guard let first = parts.first else { throw ExerciseError("there are no grades to merge: name folders of results") }
    for (part, name) in zip(parts, names) {
      func refuse(_ what: String) -> ExerciseError {
        ExerciseError("\(name) has grades of \(what) than \(names[0]); grade both alike before merging")
      }
      if part.lesson != first.lesson { throw refuse("another lesson (\(part.lesson), not \(first.lesson))") }
      if part.privateSeed != first.privateSeed { throw refuse("another private seed") }
      if part.lessonDigest != first.lessonDigest || part.exercises != first.exercises {
        throw refuse("other sources of \(part.lesson)")
      }
    }
    var places: [String: String] = [:]
    for (part, name) in zip(parts, names) {
      for submission in part.submissions {
        if let other = places.updateValue(name, forKey: submission.name) {
          throw ExerciseError(
            "\(printable(submission.name)) is in \(other) and in \(name): each may be in one shard alone")
        }
      }
    }
    let counts = Set(parts.compactMap { $0.shard.flatMap { try? Shard($0).count } })
    if counts.count > 1 {
      throw ExerciseError(
        "the folders are shards of different divisions (\(counts.sorted().map { "1/\($0)" }.joined(separator: ", ")))")
    }
    let missing = counts.first.map { count in
      (1...count).filter { index in !parts.contains { $0.shard == "\(index)/\(count)" } }.map { "\($0)/\(count)" }
    }
    if let missing, !missing.isEmpty {
      throw ExerciseError("the shards \(missing.joined(separator: ", ")) are missing; merge all of them at once")
    }
    self = Grades(
      lesson: first.lesson, lessonDigest: first.lessonDigest, privateSeed: first.privateSeed, shard: nil,
      exercises: first.exercises, submissions: parts.flatMap(\.submissions).sorted { $0.name < $1.name })
  }
}
