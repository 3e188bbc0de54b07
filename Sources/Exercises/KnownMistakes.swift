/// A wrong implementation that people are known to write, and what would help them.
@MainActor
public struct Mistake<Implementation> {
  /// Said to a student whose values equal this mistake's.
  public let sentence: String
  let implementation: Implementation

  /// A wrong implementation with its sentence.
  public init(_ sentence: String, _ implementation: Implementation) {
    self.sentence = sentence
    self.implementation = implementation
  }
}

/// The known mistakes of one exercise, without its function's type; made by ``Exercise/knownMistakes(_:)``.
///
/// They stand in a lesson's `Mistakes.swift` as `let mistakes: [KnownMistakes]`; a release has an empty list there.
@MainActor
public struct KnownMistakes {
  /// The exercise's id.
  public let exercise: String
  /// The sentence of each mistake.
  public let sentences: [String]
  /// The values of a mistake on a case with a seed.
  let values: @MainActor (_ mistake: Int, _ index: Int, _ seed: UInt64) -> [ProbeValue]
}
