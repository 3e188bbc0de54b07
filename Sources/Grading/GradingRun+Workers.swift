import Exercises
import Foundation
import Synchronization

extension GradingRun {
  /// Grades submissions, several at a time.
  func grade(
    _ open: [(index: Int, submission: Submission)], _ recorded: RecordedLesson, _ results: GradesFile,
    _ interruption: Interruption
  ) throws(ExerciseError) {
    let workspace = try Workspace()
    interruption.workspace = workspace
    defer { workspace.remove() }
    let preparation = try prepare(recorded, workspace)
    let queue = Mutex((next: 0, failure: ExerciseError?.none))
    let workers = DispatchGroup()
    for worker in 0..<min(jobs, open.count) {
      let thread = Thread {
        work(worker, preparation, open, queue, results)
        workers.leave()
      }
      thread.stackSize = 8 << 20
      workers.enter()
      thread.start()
    }
    workers.wait()
    if let failure = queue.withLock({ $0.failure }) { throw failure }
  }

  /// Takes submissions until there are none, or something outside them fails.
  private func work(
    _ worker: Int, _ preparation: Preparation, _ open: [(index: Int, submission: Submission)],
    _ queue: borrowing Mutex<(next: Int, failure: ExerciseError?)>, _ results: GradesFile
  ) {
    do {
      let grader = try preparation.grader(worker: worker) { number, grade throws(ExerciseError) in
        try results.update(number, grade)
      }
      while true {
        let next = queue.withLock { state -> (index: Int, submission: Submission)? in
          guard state.failure == nil, state.next < open.count else { return nil }
          state.next += 1
          return open[state.next - 1]
        }
        guard let next else { return }
        try grader.grade(next.submission, number: next.index)
        let grades = results.grades
        try Reports(grades).write(grades.submissions[next.index], to: output)
        print(Reports.line(grades.submissions[next.index]))
      }
    } catch {
      queue.withLock { $0.failure = $0.failure ?? error }
    }
  }

  /// The strongest sandbox that works, unless one is asked for.
  private func prepare(_ recorded: RecordedLesson, _ workspace: Workspace) throws(ExerciseError) -> Preparation {
    var problems: [String] = []
    for level in level.map({ [$0] }) ?? [.bwrap, .uid] {
      do {
        let preparation = try Preparation(
          recorded, lesson: lesson, level: level, limits: limits, launcher: launcher, workspace: workspace)
        print("protection: \(preparation.sandbox.protection)")
        return preparation
      } catch { problems.append(error.description) }
    }
    throw ExerciseError(problems.joined(separator: "; "))
  }
}

/// Lets a signal end a run with its results in order.
final class Interruption: @unchecked Sendable {
  /// Removed at the end.
  var workspace: Workspace? {
    get { lock.withLock { removed } }
    set { lock.withLock { removed = newValue } }
  }
  private var removed: Workspace?
  private let lock = NSLock()
  private var sources: [any DispatchSourceSignal] = []

  /// Waits for SIGINT and SIGTERM.
  init(_ results: GradesFile, total: Int) {
    for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        try? results.close()
        let graded = results.grades.submissions.count(where: \.isGraded)
        let line = "error: stopped by \(name) with \(graded) of \(total) graded; the same command goes on from there\n"
        FileHandle.standardError.write(Data(line.utf8))
        workspace?.remove()
        _exit(128 + number)
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Signals do again what they did.
  func end() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}

/// Keeps two graders from writing one folder.
struct FolderLock {
  private let descriptor: Int32

  init(_ folder: URL) throws(ExerciseError) {
    descriptor = open(folder.appending(path: ".lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw ExerciseError("\(folder.path) cannot be written: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw ExerciseError("another course grade is writing \(folder.path); wait for it, or choose another --out")
    }
  }

  func release() { close(descriptor) }
}
