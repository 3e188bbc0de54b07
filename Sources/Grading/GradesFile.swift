import Exercises
import Foundation
import Synchronization

/// `grades.json` while it grows: written whole at every result, so that a grader that is killed leaves what it had.
public final class GradesFile: Sendable {
  private let url: URL
  private let state: Mutex<State>

  private struct State {
    var grades: Grades
    /// Each submission as JSON: only what has changed is encoded again.
    var encoded: [Data]
    var lastWrite = 0.0
    var isClosed = false
  }

  /// Begins the file.
  init(_ grades: Grades, at url: URL) throws(ExerciseError) {
    self.url = url
    state = Mutex(State(grades: grades, encoded: grades.submissions.map(Self.encode)))
    try flush()
  }

  /// What is known by now.
  var grades: Grades { state.withLock { $0.grades } }

  /// Takes a result and writes the file; of cases that follow in less than a fifth of a second, the last.
  func update(_ index: Int, _ grade: SubmissionGrade) throws(ExerciseError) {
    let result: Result<Void, ExerciseError>? = state.withLock { state in
      if state.isClosed { return nil }
      state.grades.submissions[index] = grade
      state.encoded[index] = Self.encode(grade)
      let now = Double(DispatchTime.now().uptimeNanoseconds) * 1e-9
      guard grade.isGraded || now - state.lastWrite > 0.2 else { return .success(()) }
      state.lastWrite = now
      return write(state)
    }
    // The process is about to end: nothing that comes now can be trusted.
    guard let result else { while true { Thread.sleep(forTimeInterval: 60) } }
    try result.get()
  }

  /// Writes what is known by now, and takes no more.
  func close() throws(ExerciseError) {
    let result = state.withLock { state in
      state.isClosed = true
      return write(state)
    }
    try result.get()
  }

  /// Writes what is known by now.
  func flush() throws(ExerciseError) { try state.withLock { write($0) }.get() }

  private func write(_ state: State) -> Result<Void, ExerciseError> {
    var head = state.grades
    head.submissions = []
    let marker = Data("\"submissions\":[]".utf8)
    var data = Self.encode(head)
    guard let place = data.range(of: marker) else { return .failure(ExerciseError("\(url.path) cannot be encoded")) }
    var list = Data("\"submissions\":[\n".utf8)
    for (index, part) in state.encoded.enumerated() {
      list += part + Data((index + 1 < state.encoded.count ? ",\n" : "").utf8)
    }
    data.replaceSubrange(place, with: list + Data("\n]".utf8))
    return Result { () throws(ExerciseError) in try FileSystem.write(data + Data([0x0a]), to: url) }
  }

  private static func encode(_ value: some Encodable) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Numbers, text and nil always encode.
    return (try? encoder.encode(value)) ?? Data("null".utf8)
  }
}

extension Grades {
  /// Reads the file of a folder of results, or the file itself.
  public init(contentsOf url: URL) throws(ExerciseError) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let file = exists && isFolder.boolValue ? url.appending(path: Self.fileName) : url
    guard let data = try? Data(contentsOf: file) else {
      throw ExerciseError("\(file.path) cannot be read; course grade writes it")
    }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw ExerciseError("\(file.path) is damaged: it holds no grades; grade again into another folder")
    }
    guard version == 1 else { throw ExerciseError("\(file.path) has version \(version), not 1: grade again") }
  }
}

extension Grades {
  /// Writes `grades.json` into a folder, which is made.
  public func write(to folder: URL) throws(ExerciseError) {
    try FileSystem.makeFolder(folder)
    _ = try GradesFile(self, at: folder.appending(path: Self.fileName))
  }
}
