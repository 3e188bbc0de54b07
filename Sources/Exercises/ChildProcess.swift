import Foundation

/// A process to start with limits; besides the standard streams it has a descriptor to reply on.
///
/// Foundation's `Process` passes no further descriptors and no process group, hence `posix_spawn`.
public struct ChildProcess: Sendable {
  /// The descriptor on which the process replies.
  public static let replyDescriptor: Int32 = 3

  /// The program's path, or its name in `PATH`, and its arguments.
  public var command: [String]
  /// The whole environment.
  public var environment: [String: String] = ProcessInfo.processInfo.environment
  /// The folder it runs in; `nil` for the present one.
  public var workingDirectory: String?
  /// Its standard input, at most 60,000 bytes.
  public var input = Data()
  /// Seconds after which it is killed.
  public var timeLimit: Double = 10
  /// The bytes kept of standard output and of standard error, each; the rest is read and dropped.
  public var outputLimit = 64 << 10
  /// The bytes of the reply after which it is killed.
  public var replyLimit = 64 << 20
  /// Whether it gets a process group of its own, all of which is killed at the end; else the terminal's Ctrl-C reaches it.
  public var hasOwnGroup = true

  /// A command with the caller's environment and the default limits.
  public init(_ command: [String]) { self.command = command }

  /// Runs the process to its end, or kills it.
  public func run() throws(ExerciseError) -> ChildOutcome {
    let beginning = seconds()
    let (process, pipes) = try start()
    defer { for pipe in pipes { pipe.closeBothEnds() } }
    pipes[0].closeBothEnds()
    for pipe in pipes.dropFirst() { pipe.closeWritingEnd() }
    var listener = Listener(
      process: process, pipes: Array(pipes.dropFirst()), child: self, deadline: beginning + timeLimit)
    let ending = listener.listen()
    return ChildOutcome(
      ending: ending, output: listener.received[1], errors: listener.received[2], reply: listener.received[0],
      seconds: seconds() - beginning)
  }

  /// Makes the pipes, fills standard input and starts the process.
  private func start() throws(ExerciseError) -> (process: pid_t, pipes: [PipeEnds]) {
    // Between making a pipe and closing it to other processes, none may be started.
    Self.starting.lock()
    defer { Self.starting.unlock() }
    let pipes = [try PipeEnds(), try PipeEnds(), try PipeEnds(), try PipeEnds()]
    guard input.count <= 60_000, pipes[0].fill(with: input) else {
      throw ExerciseError("\(command[0]): \(input.count) bytes are too many for its standard input")
    }
    return (try spawn(pipes), pipes)
  }

  private static let starting = NSLock()

  /// The command with a change of folder before it: `posix_spawn` has no portable one.
  private var wholeCommand: [String] {
    guard let workingDirectory else { return command }
    return ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", workingDirectory] + command
  }

  /// Starts the process with ends of the pipes: standard input, reply, output and errors.
  private func spawn(_ pipes: [PipeEnds]) throws(ExerciseError) -> pid_t {
    let ends = [(pipes[0].reading, 0), (pipes[2].writing, 1), (pipes[3].writing, 2), (pipes[1].writing, 3)]
    let settings = SpawnSettings(ends: ends.map { ($0.0, Int32($0.1)) }, hasOwnGroup: hasOwnGroup)
    let arguments = wholeCommand.map { strdup($0) } + [nil]
    let variables = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var process: pid_t = 0
    var status: Int32 = ETXTBSY
    // A program that was just written may still be open in a child that another thread is starting.
    for _ in 0..<100 where status == ETXTBSY {
      status = posix_spawnp(
        &process, wholeCommand[0], &settings.actions, &settings.attributes, arguments, variables)
      if status == ETXTBSY { usleep(5000) }
    }
    guard status == 0 else {
      throw ExerciseError("\(command[0]) cannot be started: \(String(cString: strerror(status)))")
    }
    return process
  }
}

/// What `posix_spawn` is to do besides starting a program.
private final class SpawnSettings {
  #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
  #else
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
  #endif

  /// Descriptors of ours with the numbers that they get in the child, and whether it gets a process group of its own.
  init(ends: [(Int32, Int32)], hasOwnGroup: Bool) {
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    for (end, descriptor) in ends { posix_spawn_file_actions_adddup2(&actions, end, descriptor) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    // Threads of Dispatch block most signals, and a process begins with what its parent's thread blocks.
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    posix_spawnattr_setsigmask(&attributes, &unblocked)
    posix_spawnattr_setpgroup(&attributes, 0)
    var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (hasOwnGroup ? POSIX_SPAWN_SETPGROUP : 0)
    #if canImport(Darwin)
      flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  deinit {
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }
}

/// How a process ended and what it wrote.
public struct ChildOutcome: Sendable, Equatable {
  /// How a process ended.
  public enum Ending: Sendable, Equatable {
    /// By itself, with a status.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)
    /// It was killed at its time limit.
    case timedOut
    /// It was killed because it wrote too long a reply.
    case oversized
  }

  /// How it ended.
  public let ending: Ending
  /// The beginning of its standard output.
  public let output: Data
  /// The beginning of its standard error.
  public let errors: Data
  /// All that it wrote to the reply's descriptor.
  public let reply: Data
  /// How long it ran, in seconds.
  public let seconds: Double

  /// How it ended in a few words, with what it said last.
  public var explanation: String {
    let how =
      switch ending {
      case .exited(let status): "ended with status \(status) before it gave values"
      case .signalled(let signal): "was stopped by \(Self.signalNames[signal] ?? "signal \(signal)")"
      case .timedOut: "ran longer than it may"
      case .oversized: "wrote more than it may"
      }
    let last = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
      .last { !$0.allSatisfy(\.isWhitespace) }
    return how + (last.map { ": \($0.prefix(300))" } ?? "")
  }

  private static let signalNames: [Int32: String] = [
    SIGILL: "a trap (a failed precondition, an index out of range or an overflow)",
    SIGTRAP: "a trap (a failed precondition, an index out of range or an overflow)",
    SIGSEGV: "an invalid memory access (perhaps recursion without end)", SIGBUS: "an invalid memory access",
    SIGABRT: "abort", SIGKILL: "the system (perhaps for its memory)", SIGXCPU: "its limit on processor time",
    SIGXFSZ: "its limit on files",
  ]
}
