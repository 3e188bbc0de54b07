import Foundation
import Synchronization

/// Float32 memory aligned to 64 bytes and padded to whole vectors of 16, taken from and returned to `StoragePool`.
///
/// One vector more may be read (not written) beyond, so that the end of any row can be loaded in full.
/// Written only while the operation that made it runs, or by an optimiser that holds the only reference.
package final class Storage: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Float>
  private let sizeClass: StoragePool.SizeClass

  /// Uninitialised room for `count` floats.
  package init(count: Int) {
    sizeClass = StoragePool.SizeClass(holding: count)
    pointer = StoragePool.take(sizeClass)
  }

  deinit {
    StoragePool.give(pointer, sizeClass)
  }
}

/// Free lists by size, shared by all threads: after the first steps of a training loop nothing more comes from the system.
enum StoragePool {
  /// Four classes for each power of two, so at most a fifth of a block is unused.
  struct SizeClass {
    let index: Int
    /// Room in floats, a multiple of 16.
    let capacity: Int

    init(holding count: Int) {
      let vectors = max(1, (count + 15) / 16)
      if vectors <= 4 {
        index = vectors - 1
        capacity = vectors * 16
        return
      }
      let exponent = Int.bitWidth - 1 - (vectors - 1).leadingZeroBitCount
      let step = 1 << (exponent - 2)
      let quarters = (vectors - 1) / step + 1  // 5...8 quarters of 2^exponent
      index = exponent * 4 + quarters - 9
      capacity = quarters * step * 16
    }
  }

  private struct Block: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
  }

  /// Guarded by `lock`: one that the thread sanitizer knows, unlike `Mutex`.
  private nonisolated(unsafe) static var idle = [[Block]](repeating: [], count: 4 * Int.bitWidth)
  private static let lock = NSLock()

  private static let allocations = Atomic(0)

  /// How many blocks have come from the system, for tests.
  static var allocationCount: Int { allocations.load(ordering: .relaxed) }

  static func take(_ size: SizeClass) -> UnsafeMutablePointer<Float> {
    if let block = lock.withLock({ idle[size.index].popLast() }) { return block.pointer }
    // Room for workers too, of which one may first come in time to help in any later step: scratch of a kernel and of one
    // that it calls. It costs nothing until it is touched; the limits are for machines with many processors.
    if size.capacity <= 1 << 18 {
      for _ in 0..<min(8, 2 * (Threads.count - 1)) { give(allocate(size), size) }
    }
    return allocate(size)
  }

  private static func allocate(_ size: SizeClass) -> UnsafeMutablePointer<Float> {
    let bytes = (size.capacity + Vector.width) * MemoryLayout<Float>.stride
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, 64, bytes) == 0, let address else {
      fail(
        "Tensor", "no memory for \(size.capacity) values (\(bytes >> 20) MiB); use smaller batches or a smaller model")
    }
    allocations.add(1, ordering: .relaxed)
    return address.bindMemory(to: Float.self, capacity: size.capacity)
  }

  static func give(_ pointer: UnsafeMutablePointer<Float>, _ size: SizeClass) {
    let block = Block(pointer: pointer)
    lock.withLock { idle[size.index].append(block) }
  }
}
