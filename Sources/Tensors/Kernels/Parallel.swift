import Foundation

/// How many threads kernels may use.
public enum Threads {
  /// The number in force here: the processors of this machine, unless ``with(_:_:)`` says otherwise.
  @TaskLocal public static var count = ProcessInfo.processInfo.activeProcessorCount

  /// Runs `body` with kernels using `count` threads.
  ///
  /// - Precondition: `count` is 1 or more.
  public static func with<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
    guard count >= 1 else { fail("Threads.with", "needs 1 thread or more, not \(count)") }
    return try $count.withValue(count, operation: body)
  }
}

/// Elements below which a second thread costs more than it brings.
@usableFromInline let parallelThreshold = 32_768

/// Calls `body` with ranges that cover `0..<count`, on several threads when `work` (in elements) is large.
///
/// Ranges begin at multiples of `alignment`; every result must be independent of where they are cut. Without `isFine` each
/// thread gets one range, for work whose ranges cost something each.
@inlinable @inline(always)
package func parallel(_ count: Int, work: Int, alignment: Int = 1, isFine: Bool = true, _ body: (Range<Int>) -> Void) {
  guard work >= parallelThreshold, count > alignment else { return body(0..<count) }
  parallelSlow(count, alignment, isFine: isFine && work >= 8 * parallelThreshold, body)
}

@usableFromInline @inline(never)
func parallelSlow(_ count: Int, _ alignment: Int, isFine: Bool, _ body: (Range<Int>) -> Void) {
  let units = (count + alignment - 1) / alignment
  let threads = Threads.count
  guard threads > 1, units > 1 else { return body(0..<count) }
  // More parts than threads: one that begins late, or is slowed down, leaves parts to the others.
  let parts = min(units, isFine ? 4 * threads : threads)
  WorkerPool.shared.run(parts: parts) { index in
    let lower = units * index / parts * alignment
    let upper = min(units * (index + 1) / parts * alignment, count)
    if lower < upper { body(lower..<upper) }
  }
}
