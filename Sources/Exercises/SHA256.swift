import Foundation

/// The SHA-256 digest (FIPS 180-4), which names a file's content.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]

  /// The digest of bytes, as 64 hexadecimal digits.
  public static func hexDigest(of data: Data) -> String {
    var hash = SHA256()
    var padded = data + Data([0x80])
    padded.append(Data(count: (120 - padded.count % 64) % 64))
    withUnsafeBytes(of: UInt64(data.count * 8).bigEndian) { padded.append(contentsOf: $0) }
    padded.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: 64) {
        hash.add(UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64]))
      }
    }
    return hash.state.map { String($0 + 0, radix: 16) }.map { String(repeating: "0", count: 8 - $0.count) + $0 }
      .joined()
  }

  private mutating func add(_ block: UnsafeRawBufferPointer) {
    var words = (0..<16).map { UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
    for t in 16..<64 {
      let (a, b) = (words[t - 15], words[t - 2])
      let low = turned(a, 7) ^ turned(a, 18) ^ a >> 3
      let high = turned(b, 17) ^ turned(b, 19) ^ b >> 10
      words.append(words[t - 16] &+ low &+ words[t - 7] &+ high)
    }
    var s = state
    for t in 0..<64 {
      let choice = (s[4] & s[5]) ^ (~s[4] & s[6])
      let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
      let high = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)
      let low = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)
      let first = s[7] &+ high &+ choice &+ Self.constants[t] &+ words[t]
      s = [first &+ low &+ majority, s[0], s[1], s[2], s[3] &+ first, s[4], s[5], s[6]]
    }
    for index in 0..<8 { state[index] &+= s[index] }
  }

  private func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { prime in
      // ⌊∛prime · 2³²⌋ by bisection in whole numbers, of which the low half is kept.
      var (lower, upper): (UInt64, UInt64) = (0, 7 << 32)
      while upper - lower > 1 {
        let middle = (lower + upper) / 2
        let (high, low) = middle.multipliedFullWidth(by: middle)
        // middle³ ≤ prime · 2⁹⁶, by parts: middle² = high · 2⁶⁴ + low.
        let (carry, bottom) = low.multipliedFullWidth(by: middle)
        let top = high * middle + carry
        if top < prime << 32 || (top == prime << 32 && bottom == 0) { lower = middle } else { upper = middle }
      }
      return UInt32(truncatingIfNeeded: lower)
    }
  }()
}
