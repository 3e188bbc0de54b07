import Exercises

/// Every N-th submission, so that N machines share the work.
public struct Shard: Sendable, Equatable, CustomStringConvertible {
  /// Which part, from 1 to `count`.
  public let index: Int
  /// How many parts there are.
  public let count: Int

  /// Reads `I/N`.
  public init(_ text: String) throws(ExerciseError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1, (1...count).contains(index) else {
      throw ExerciseError("--shard \(text) makes no sense: write I/N with I from 1 to N, such as 1/4")
    }
    self.index = index
    self.count = count
  }

  /// Such as `1/4`.
  public var description: String { "\(index)/\(count)" }

  /// The part's own of all submissions, which are sorted by name.
  func part(of submissions: [Submission]) -> [Submission] {
    submissions.enumerated().filter { $0.offset % count == index - 1 }.map(\.element)
  }
}
