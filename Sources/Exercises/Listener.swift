import Foundation

/// A pipe whose ends no other process inherits.
final class PipeEnds {
  private(set) var reading: Int32 = -1
  private(set) var writing: Int32 = -1

  init() throws(ExerciseError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ExerciseError("no pipe can be made: \(String(cString: strerror(errno)))") }
    // The numbers that the child gets must stay free for it.
    reading = fcntl(ends[0], F_DUPFD_CLOEXEC, 16)
    writing = fcntl(ends[1], F_DUPFD_CLOEXEC, 16)
    for end in ends { _ = Foundation.close(end) }
  }

  /// Writes what fits into an empty pipe.
  func fill(with data: Data) -> Bool {
    data.withUnsafeBytes { bytes in bytes.isEmpty || write(writing, bytes.baseAddress!, bytes.count) == bytes.count }
  }

  func closeWritingEnd() {
    if writing >= 0 { _ = Foundation.close(writing) }
    writing = -1
  }

  func closeReadingEnd() {
    if reading >= 0 { _ = Foundation.close(reading) }
    reading = -1
  }

  func closeBothEnds() {
    closeReadingEnd()
    closeWritingEnd()
  }

  deinit { closeBothEnds() }
}

/// Reads what a process writes until it ends, or ends it.
struct Listener {
  let process: pid_t
  /// Reply, output and errors.
  let pipes: [PipeEnds]
  let child: ChildProcess
  let deadline: Double
  private(set) var received = [Data(), Data(), Data()]
  private var status: Int32 = 0

  init(process: pid_t, pipes: [PipeEnds], child: ChildProcess, deadline: Double) {
    self.process = process
    self.pipes = pipes
    self.child = child
    self.deadline = deadline
  }

  mutating func listen() -> ChildOutcome.Ending {
    defer { if child.hasOwnGroup { kill(-process, SIGKILL) } }
    while true {
      // A closed reply means that the end is near; else look now and then whether the process is still there.
      readReady(within: pipes[0].reading < 0 ? 1 : 20)
      if hasEnded {
        while readReady(within: 0) {}
        return received[0].count > child.replyLimit ? .oversized : ending
      }
      if received[0].count > child.replyLimit { return stop(.oversized) }
      if seconds() > deadline { return stop(.timedOut) }
    }
  }

  private func stop(_ ending: ChildOutcome.Ending) -> ChildOutcome.Ending {
    kill(child.hasOwnGroup ? -process : process, SIGKILL)
    kill(process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return ending
  }

  private var hasEnded: Bool {
    mutating get { waitpid(process, &status, WNOHANG) == process }
  }

  private var ending: ChildOutcome.Ending {
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
  }

  /// Reads from every pipe that has something, waiting so many milliseconds; false if none had.
  @discardableResult
  private mutating func readReady(within milliseconds: Int32) -> Bool {
    var descriptors = pipes.map { pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0) }
    guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return false }
    var hasRead = false
    for index in descriptors.indices where descriptors[index].revents != 0 {
      hasRead = read(index) || hasRead
    }
    return hasRead && received[0].count <= child.replyLimit
  }

  private mutating func read(_ index: Int) -> Bool {
    let count = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
      let count = Foundation.read(pipes[index].reading, buffer.baseAddress!, buffer.count)
      let room = (index == 0 ? child.replyLimit + 1 : child.outputLimit) - received[index].count
      if count > 0, room > 0 { received[index].append(contentsOf: buffer.prefix(min(count, room))) }
      return count
    }
    if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { pipes[index].closeReadingEnd() }
    return count > 0
  }
}

/// Seconds on a clock that never goes back.
func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
