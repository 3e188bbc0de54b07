import Dispatch
import Foundation
import Synchronization

/// Listens for Ctrl-C and for a request to end, so that a run stops between two steps with its files whole.
final class Interruption: Sendable {
  private let signalNumber = Atomic<Int32>(0)
  private let count = Atomic<Int>(0)
  private let isHandledByLesson = Atomic<Bool>(false)
  private let sources = Mutex<[Kept]>([])

  /// A source that is only kept alive, never used again.
  private struct Kept: @unchecked Sendable {
    let source: any DispatchSourceSignal
  }

  /// The signal that came, or 0.
  var signal: Int32 { signalNumber.load(ordering: .relaxed) }

  /// Says that the lesson itself looks for interruptions, between two steps.
  func lessonLooks() { isHandledByLesson.store(true, ordering: .relaxed) }

  /// Begins to listen.
  ///
  /// `onStop` runs on another thread when a signal comes that the lesson does not look for, or a second one; a third
  /// ends the process whatever it does.
  func listen(onSignal: @escaping @Sendable () -> Void, onStop: @escaping @Sendable (Int32) -> Void) {
    for number in [SIGINT, SIGTERM] {
      #if canImport(Darwin)
        Darwin.signal(number, SIG_IGN)
      #else
        Glibc.signal(number, SIG_IGN)
      #endif
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
      source.setEventHandler { [self] in
        signalNumber.store(number, ordering: .relaxed)
        switch count.add(1, ordering: .relaxed).newValue {
        case 1 where isHandledByLesson.load(ordering: .relaxed): onSignal()
        case 1, 2: DispatchQueue.global().async { onStop(number) }
        default: _exit(128 + number)
        }
      }
      source.activate()
      let kept = Kept(source: source)
      sources.withLock { $0.append(kept) }
    }
  }
}
