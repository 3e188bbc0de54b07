import Exercises
import Foundation

/// What was taken of a student's folder or archive.
public struct Submission: Sendable, Equatable {
  /// Why a file cannot be graded.
  enum Problem: Sendable, Equatable {
    case missing
    case empty
    case notUTF8
    case tooLarge(Int)
    case several([String])

    /// What becomes of the file's exercises. Which of two files is meant nobody but a person can say.
    var status: CaseStatus {
      switch self {
      case .missing, .empty: .notAttempted
      case .notUTF8, .tooLarge: .compileError
      case .several: .notGraded
      }
    }

    func message(_ file: String) -> String {
      switch self {
      case .missing: "\(file) is missing"
      case .empty: "\(file) is empty"
      case .notUTF8: "\(file) is not UTF-8 text"
      case .tooLarge(let bytes): "\(file) has \(bytes) bytes; at most \(Submission.largestFile) are taken"
      case .several(let places): "several files are called \(file), and they differ: \(places.joined(separator: ", "))"
      }
    }
  }

  /// The name of the folder, or of the archive without its ending.
  public let name: String
  /// The text of each file that was taken.
  let files: [String: String]
  /// What is wrong with the others.
  let problems: [String: Problem]
  /// What was ignored, or wrong with the files, in words.
  let notes: [String]
  /// The SHA-256 of all that grading depends on.
  let digest: String

  /// The largest file that is taken.
  static let largestFile = 256 << 10

  /// Chooses among what a folder holds.
  ///
  /// - Parameters:
  ///   - name: the submission's name.
  ///   - wanted: the names of the files that students write.
  ///   - found: what was found under these names.
  ///   - notes: what was found besides, in words.
  init(name: String, wanted: [String], found: [FoundFile], notes: [String]) {
    self.name = name
    var (files, problems): ([String: String], [String: Problem]) = ([:], [:])
    for file in wanted {
      let candidates = found.filter { $0.name == file }
      switch Self.text(of: candidates) {
      case .success(let text): files[file] = text
      case .failure(let problem): problems[file] = problem.problem
      }
    }
    self.files = files
    self.problems = problems
    self.notes = notes + wanted.compactMap { file in problems[file]?.message(file) }
    let content = wanted.map { file in
      "\(file)\0\(files[file].map { SHA256.hexDigest(of: Data($0.utf8)) } ?? "\(problems[file]?.message(file) ?? "")")\0"
    }
    digest = SHA256.hexDigest(of: Data(content.joined().utf8))
  }

  private struct Failure: Error { let problem: Problem }

  private static func text(of candidates: [FoundFile]) -> Result<String, Failure> {
    guard let first = candidates.first else { return .failure(Failure(problem: .missing)) }
    guard candidates.allSatisfy({ $0.content == first.content }) else {
      return .failure(Failure(problem: .several(candidates.map(\.place))))
    }
    guard first.size <= largestFile else { return .failure(Failure(problem: .tooLarge(first.size))) }
    guard let text = String(validating: first.content, as: UTF8.self), !text.utf8.contains(0) else {
      return .failure(Failure(problem: .notUTF8))
    }
    return text.allSatisfy(\.isWhitespace) ? .failure(Failure(problem: .empty)) : .success(text)
  }
}

/// A file of a name that grading looks for.
struct FoundFile: Sendable, Equatable {
  let name: String
  /// Where it is, in words.
  let place: String
  /// Its bytes, at most one more than are taken.
  let content: Data
  let size: Int
}

/// A name as it is printed: on one line, whatever bytes it has.
func printable(_ name: String) -> String {
  name.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "\\u{\(String($0.value, radix: 16))}" : String($0) }
    .joined()
}
