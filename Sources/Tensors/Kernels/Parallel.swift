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
let parallelThreshold = 32_768

/// Calls `body` with ranges that cover `0..<count`, on several threads when `work` (in elements) is large.
///
/// Ranges begin at multiples of `alignment`; every result must be independent of where they are cut.
@inline(always)
func parallel(_ count: Int, work: Int, alignment: Int = 1, _ body: (Range<Int>) -> Void) {
  guard work >= parallelThreshold, count > alignment else { return body(0..<count) }
  parallelSlow(count, alignment, body)
}

/// The same for other libraries, into which nothing can be inlined.
package func inParallel(_ count: Int, work: Int, _ body: (Range<Int>) -> Void) { parallel(count, work: work, body) }

@inline(never)
private func parallelSlow(_ count: Int, _ alignment: Int, _ body: (Range<Int>) -> Void) {
  let units = (count + alignment - 1) / alignment
  let threads = min(Threads.count, units)
  guard threads > 1 else { return body(0..<count) }
  WorkerPool.shared.run(parts: threads) { index in
    let lower = units * index / threads * alignment
    let upper = min(units * (index + 1) / threads * alignment, count)
    if lower < upper { body(lower..<upper) }
  }
}
