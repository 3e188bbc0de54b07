import Foundation

/// What came of asking a lesson's process one question.
public enum ProbeOutcome: Sendable, Equatable {
  /// It answered; what it printed and how it ended count for nothing.
  case answered(ProbeReply)
  /// It ended without an answer, and how.
  case crashed(String)
  /// It did not answer within so many seconds.
  case timedOut(Double)
  /// It wrote more than so many bytes.
  case oversized(Int)
  /// It could not be started, and why: not the student's fault.
  case notStarted(String)
}

/// Asks a built lesson for values.
public struct Prober: Sendable {
  /// The lesson's executable.
  public var executable: URL
  /// Seconds for one answer.
  public var timeLimit: Double
  /// A command that starts the executable, such as a sandbox with its options; empty for none.
  public var wrapper: [String] = []
  /// The process's folder.
  public var workingDirectory: String?
  /// The whole environment of the process.
  public var environment = Prober.quietEnvironment
  /// Whether the process gets a process group of its own, all of which is killed at the end.
  public var hasOwnGroup = true
  /// The most bytes that are read of an answer.
  public var replyLimit = 16 << 20

  /// Asks an executable; each answer may take `timeLimit` seconds.
  public init(executable: URL, timeLimit: Double = 10) {
    self.executable = executable
    self.timeLimit = timeLimit
  }

  /// One thread for small matrices, no backtraces that take seconds to write, and no more of the caller's environment than needed.
  public static var quietEnvironment: [String: String] {
    var result = ["OPENBLAS_NUM_THREADS": "1", "SWIFT_BACKTRACE": "enable=no"]
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
      result[name] = ProcessInfo.processInfo.environment[name]
    }
    return result
  }

  /// Asks one question of a process of its own.
  public func ask(_ request: ProbeRequest) -> ProbeOutcome { observe(request).outcome }

  /// Asks one question, and says also what the process printed and how it ended.
  public func observe(_ request: ProbeRequest) -> (outcome: ProbeOutcome, run: ChildOutcome?) {
    let run: ChildOutcome
    do { run = try child(input: request.line).run() } catch { return (.notStarted(error.description), nil) }
    if let reply = ProbeReply(in: run.reply, nonce: request.nonce) { return (.answered(reply), run) }
    switch run.ending {
    case .timedOut: return (.timedOut(timeLimit), run)
    case .oversized: return (.oversized(replyLimit), run)
    case .exited, .signalled: return (.crashed(run.explanation), run)
    }
  }

  /// Asks many questions of one process, a trusted build's: every one must be answered by values.
  func values(_ requests: [ProbeRequest]) throws(ExerciseError) -> [[ProbeValue]] {
    var result: [[ProbeValue]] = []
    // A few hundred bytes a request: as many at a time as a pipe holds.
    for start in stride(from: 0, to: requests.count, by: 50) {
      let part = requests[start..<min(start + 50, requests.count)]
      let run = try child(input: part.reduce(Data()) { $0 + $1.line }).run()
      for request in part {
        guard case .values(let values) = ProbeReply(in: run.reply, nonce: request.nonce) else {
          let whose = request.mistake.map { "mistake \($0)" } ?? "the solution"
          let which = "\(request.exercise ?? ""), case \(request.index), \(whose)"
          throw ExerciseError("\(which): \(executable.lastPathComponent) gave no values; it \(run.explanation)")
        }
        result.append(values)
      }
    }
    return result
  }

  /// The specifications of the lesson's exercises.
  public func outlines() throws(ExerciseError) -> [ExerciseOutline] {
    let request = ProbeRequest.specifications
    guard case .answered(.specifications(let data)) = ask(request),
      let outlines = try? JSONDecoder().decode([ExerciseOutline].self, from: data)
    else { throw ExerciseError("\(executable.path) does not say which exercises it has; build it again") }
    return outlines
  }

  private func child(input: Data) -> ChildProcess {
    var child = ChildProcess(wrapper + [executable.path, "--probe", "\(ChildProcess.replyDescriptor)"])
    child.environment = environment
    child.workingDirectory = workingDirectory
    child.input = input
    child.timeLimit = timeLimit
    child.hasOwnGroup = hasOwnGroup
    child.replyLimit = replyLimit
    return child
  }
}
