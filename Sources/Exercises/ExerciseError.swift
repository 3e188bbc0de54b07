/// What went wrong outside an exercise's own code, in one clear line.
public struct ExerciseError: Error, CustomStringConvertible, Equatable {
  /// The line.
  public let description: String

  /// An error with its line.
  public init(_ description: String) { self.description = description }
}
