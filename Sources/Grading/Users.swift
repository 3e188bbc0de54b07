import Foundation

/// Numbers of users that exist nowhere else, so that each worker's processes can be told apart and ended.
struct Users: Sendable {
  private let first: Int

  /// Numbers for one run, drawn at random: no two runs on a machine share them.
  init() {
    // A container may know 65,536 users only.
    let isWide = Self.largest >= 2_100_000_000
    first = isWide ? 1_000_000_000 + 128 * Int.random(in: 0..<8_000_000) : 20_000 + 65 * Int.random(in: 0..<600)
  }

  /// The number for a worker.
  func number(ofWorker worker: Int) -> Int { first + worker }

  private static var largest: Int {
    guard let map = try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8) else { return 65_535 }
    let ends = map.split(separator: "\n").compactMap { line -> Int? in
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      return numbers.count == 3 ? numbers[0] + numbers[2] - 1 : nil
    }
    return ends.max() ?? 65_535
  }
}
