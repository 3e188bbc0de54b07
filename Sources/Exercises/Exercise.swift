import Tensors

/// What is known of an exercise without its function's type: how lists of exercises are written.
///
/// A lesson declares `let exercises: [any ExerciseSpecification]` in `Exercises.swift` and answers probes with it.
@MainActor
public protocol ExerciseSpecification {
  /// What it is called everywhere, such as `VAE.1`: the lesson's suffix and a number.
  var id: String { get }
  /// A few words that say what is to be written.
  var title: String { get }
  /// The points for a right answer, shared equally among the cases.
  var points: Int { get }
  /// What is told to who asks, one more each time.
  var hints: [String] { get }
  /// The exercises whose functions this one's may call: it is graded with their references.
  var dependencies: [String] { get }
  /// The titles and comparisons of the cases, in order.
  var outline: [CaseOutline] { get }
  /// What the lesson's own implementation gives on a case whose inputs follow from a seed.
  func values(ofCase index: Int, seed: UInt64) -> [ProbeValue]
}

/// One exercise: how to reach the lesson's implementation, and cases that call an implementation and return its values.
///
/// ```swift
/// let exercise = Exercise("VAE.1", "KL of a Gaussian", points: 2, implementation: gaussianKL, hints: [], cases: [
///   ExerciseCase("two codes") { kl, random in ["KL": kl(.normal([3, 2], using: &random), .zeros([3, 2]))] }
/// ])
/// ```
@MainActor
public struct Exercise<Implementation>: ExerciseSpecification {
  /// What it is called everywhere, such as `VAE.1`.
  public let id: String
  /// A few words that say what is to be written.
  public let title: String
  /// The points for a right answer.
  public let points: Int
  /// What is told to who asks, one more each time.
  public let hints: [String]
  /// The exercises whose functions this one's may call.
  public let dependencies: [String]
  /// The function that a student writes, as the lesson has it.
  let implementation: Implementation
  let cases: [ExerciseCase<Implementation>]

  /// An exercise.
  ///
  /// - Parameters:
  ///   - id: the lesson's suffix and a number, such as `VAE.1`.
  ///   - title: a few words that say what is to be written.
  ///   - points: the points for a right answer.
  ///   - implementation: the lesson's function, or a closure that calls its method.
  ///   - dependencies: the exercises that the function may call.
  ///   - hints: from a nudge to nearly the answer.
  ///   - cases: what is tried; their titles are shown to students, their private inputs never.
  public init(
    _ id: String, _ title: String, points: Int, implementation: Implementation, dependencies: [String] = [],
    hints: [String], cases: [ExerciseCase<Implementation>]
  ) {
    self.id = id
    self.title = title
    self.points = points
    self.implementation = implementation
    self.dependencies = dependencies
    self.hints = hints
    self.cases = cases
  }

  /// The titles and comparisons of the cases, in order.
  public var outline: [CaseOutline] { cases.map { CaseOutline(title: $0.title, comparison: $0.comparison) } }

  /// What the lesson's own implementation gives on a case whose inputs follow from a seed.
  public func values(ofCase index: Int, seed: UInt64) -> [ProbeValue] {
    values(of: implementation, case: index, seed: seed)
  }

  /// Wrong implementations of this exercise, each with the sentence that would help who made it.
  public func knownMistakes(_ mistakes: [Mistake<Implementation>]) -> KnownMistakes {
    KnownMistakes(exercise: id, sentences: mistakes.map(\.sentence)) { mistake, index, seed in
      values(of: mistakes[mistake].implementation, case: index, seed: seed)
    }
  }

  private func values(of implementation: Implementation, case index: Int, seed: UInt64) -> [ProbeValue] {
    var random = Random(exercise: id, case: index, seed: seed)
    return cases[index].values(implementation, &random).map { ProbeValue(name: $0, tensor: $1) }
  }
}

/// A case: draws inputs from a seeded generator, calls the implementation it is given and returns named values.
///
/// It must return what the implementation gave, never a verdict or a difference: whoever runs it may lie, and only a right
/// value is worth anything. Every named value should follow from the implementation, in shapes that a wrong answer cannot
/// make crash (take gradients of `value.sum()`).
@MainActor
public struct ExerciseCase<Implementation> {
  /// What the case tries, in a few words; students see it.
  public let title: String
  /// How values are compared.
  public let comparison: Comparison
  let values: @MainActor (Implementation, inout Random) -> KeyValuePairs<String, Tensor>

  /// A case; without a comparison, values may differ by the rounding of Float32, with room.
  public init(
    _ title: String, comparison: Comparison = .close(),
    values: @escaping @MainActor (Implementation, inout Random) -> KeyValuePairs<String, Tensor>
  ) {
    self.title = title
    self.comparison = comparison
    self.values = values
  }
}

/// What is known of a case without running it.
public struct CaseOutline: Codable, Sendable, Equatable {
  /// What the case tries, in a few words.
  public let title: String
  /// How values are compared.
  public let comparison: Comparison
}

extension Random {
  /// The generator of a case's inputs: another for each exercise, case and seed.
  init(exercise: String, case index: Int, seed: UInt64) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in "\(exercise)/\(index)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var first = Random(seed: seed)
    self.init(seed: hash ^ first.next())
  }
}
