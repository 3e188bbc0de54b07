/// What is wrong with a data file or folder, and what to do about it, in one line.
public struct DataError: Error, CustomStringConvertible, Equatable {
  /// The file or folder.
  public let path: String
  /// What was wrong with it.
  public let problem: String
  /// What the reader can do.
  public let remedy: String

  /// The one line to print: path, problem and remedy.
  public var description: String { "\(path.isEmpty ? "\"\"" : path): \(problem); \(remedy)" }
}
