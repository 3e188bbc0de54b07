import Foundation
import Synchronization

/// Threads that wait for parts of a kernel's work: they look for it for some microseconds, then sleep.
///
/// The caller works too and takes what no worker has taken, so a worker that is late, or whose core is busy, delays nothing.
/// One kernel runs at a time; another thread that comes meanwhile does its own work alone.
final class WorkerPool: Sendable {
  static let shared = WorkerPool(workers: ProcessInfo.processInfo.activeProcessorCount - 1)

  /// What the parts of the running kernel are; stable while a part is claimed and not finished.
  private nonisolated(unsafe) var body: (Int) -> Void = { _ in }
  /// Generation, number of parts and next part in one word, so that a claim is valid for exactly one kernel.
  private let ticket = Atomic<UInt64>(0)
  private let unfinished = Atomic<Int>(0)
  private let isBusy = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let condition = NSCondition()
  /// How often a worker looks before it sleeps: long enough to last from one kernel to the next.
  private static let patience = 200_000

  private init(workers: Int) {
    for _ in 0..<max(0, workers) {
      let thread = Thread { [unowned self] in while true { work() } }
      thread.stackSize = 1 << 20
      thread.name = "tensor worker"
      thread.start()
    }
  }

  /// Calls `body` with 0..<parts, each once, on the calling thread and on idle workers; returns when all are done.
  func run(parts: Int, _ body: (Int) -> Void) {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
      for part in 0..<parts { body(part) }
      return
    }
    withoutActuallyEscaping(body) { body in
      self.body = body
      unfinished.store(parts, ordering: .relaxed)
      let generation = ticket.load(ordering: .relaxed) >> 32 &+ 1
      ticket.store(generation << 32 | UInt64(parts) << 16, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
      while takePart() {}
      while unfinished.load(ordering: .acquiring) > 0 {}
      self.body = { _ in }
    }
    isBusy.store(false, ordering: .releasing)
  }

  /// Claims a part and runs it; false when none is left.
  private func takePart() -> Bool {
    let seen = ticket.load(ordering: .acquiring)
    let part = seen & 0xffff
    guard part < seen >> 16 & 0xffff else { return false }
    guard ticket.compareExchange(expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing).exchanged else {
      return true  // somebody else was faster: look again
    }
    body(Int(part))
    unfinished.subtract(1, ordering: .releasing)
    return true
  }

  private var hasPart: Bool {
    let seen = ticket.load(ordering: .sequentiallyConsistent)
    return seen & 0xffff < seen >> 16 & 0xffff
  }

  /// A worker's life: look for a part for a while, then sleep until woken.
  private func work() {
    for _ in 0..<Self.patience where hasPart {
      while takePart() {}
      return
    }
    condition.lock()
    sleepers.add(1, ordering: .sequentiallyConsistent)
    // Announced before looking once more, so that a kernel which begins now either is seen or sees the sleeper.
    // Woken too late it looks around again: sleeping at once, it would come too late to every kernel.
    if !hasPart { condition.wait() }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    condition.unlock()
  }

  private func wake() {
    condition.lock()
    condition.broadcast()
    condition.unlock()
  }
}
