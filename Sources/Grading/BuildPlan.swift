import Exercises
import Foundation

/// The executables in which a submission's exercises are graded: one for all, unless something does not compile.
struct BuildPlan {
  /// Where an exercise is graded, and its sources.
  private(set) var builds: [String: (executable: URL, sources: StudentSources)] = [:]
  /// The compiler's first error in each exercise that does not compile.
  private(set) var errors: [String: String] = [:]
  private let builder: Builder
  private let prefix: String
  private var count = 0

  /// Builds a student's sources, as often as it takes.
  init(_ sources: StudentSources, exercises: [String], builder: Builder, prefix: String) throws(ExerciseError) {
    self.builder = builder
    self.prefix = prefix
    try build(sources, exercises)
  }

  private mutating func next(_ sources: StudentSources) throws(ExerciseError) -> BuildOutcome {
    count += 1
    return try builder.build(sources.texts, named: "\(prefix)-\(count)")
  }

  /// Puts stubs in the place of exercises in which the compiler finds errors, until the rest compiles.
  private mutating func build(_ whole: StudentSources, _ exercises: [String]) throws(ExerciseError) {
    var sources = whole
    while true {
      switch try next(sources) {
      case .built(let executable):
        for id in exercises where errors[id] == nil { builds[id] = (executable, sources) }
        return
      case .refused(let found):
        var guilty: [String] = []
        for error in found {
          guard let id = error.place.flatMap({ sources.exercise(at: $0) }), errors[id] == nil else { continue }
          errors[id] = error.description
          guilty.append(id)
        }
        if guilty.isEmpty { return try buildAlone(whole, exercises, reason: found[0].description) }
        sources = sources.blanked(guilty)
      case .exhausted(let reason): return try buildAlone(whole, exercises, reason: reason)
      }
    }
  }

  /// Builds each exercise with stubs in the place of all others: an unbalanced brace shows elsewhere, a time limit nowhere.
  private mutating func buildAlone(
    _ sources: StudentSources, _ exercises: [String], reason: String
  ) throws(ExerciseError) {
    let rest = exercises.filter { errors[$0] == nil }
    guard case .built = try next(sources.blanked(exercises)) else {
      for id in rest { errors[id] = reason }
      return
    }
    for id in rest {
      let alone = sources.blanked(exercises.filter { $0 != id })
      switch try next(alone) {
      case .built(let executable): builds[id] = (executable, alone)
      case .refused(let found): errors[id] = found[0].description
      case .exhausted(let reason): errors[id] = reason
      }
    }
  }

  /// Builds an exercise with the references of what it depends on.
  mutating func build(
    _ id: String, with dependencies: [String], from reference: [String: MarkedSource]
  ) throws(ExerciseError) -> Dependent {
    guard let sources = builds[id]?.sources.replacing(dependencies, from: reference) else { return .unmarked }
    if case .built(let executable) = try next(sources) { return .built(executable) }
    return .refused
  }

  /// What comes of building with references.
  enum Dependent {
    case built(URL)
    /// It compiles with the student's own functions alone.
    case refused
    /// The marks of the others are gone.
    case unmarked
  }
}
