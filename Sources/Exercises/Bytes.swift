import Foundation

/// Writes little-endian numbers one after another.
struct ByteWriter {
  private(set) var data = Data()

  mutating func append(_ bytes: some Sequence<UInt8>) { data.append(contentsOf: bytes) }

  mutating func append(_ integer: some FixedWidthInteger) {
    withUnsafeBytes(of: integer.littleEndian) { data.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) {
    append(UInt32(text.utf8.count))
    append(text.utf8)
  }

  mutating func append(_ floats: [Float]) {
    #if _endian(little)
      floats.withUnsafeBytes { data.append(contentsOf: $0) }
    #else
      for float in floats { append(float.bitPattern) }
    #endif
  }
}

/// Reads little-endian numbers one after another from bytes that nobody vouches for; `nil` where they end too early.
struct ByteReader {
  private let bytes: Data
  private var position: Int

  init(_ bytes: Data) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var remaining: Int { bytes.endIndex - position }

  mutating func take(_ count: Int) -> Data? {
    guard count >= 0, count <= remaining else { return nil }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
    take(MemoryLayout<Integer>.size).map { part in
      part.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }
  }

  /// A text after its length, of at most `limit` bytes.
  mutating func text(limit: Int) -> String? {
    guard let count = integer(UInt32.self), count <= limit, let part = take(Int(count)) else { return nil }
    return String(bytes: part, encoding: .utf8)
  }

  mutating func floats(_ count: Int) -> [Float]? {
    guard count <= remaining / 4, let part = take(4 * count) else { return nil }
    return [Float](unsafeUninitializedCapacity: count) { target, filled in
      UnsafeMutableRawBufferPointer(target).copyBytes(from: part)
      filled = count
      #if _endian(big)
        for index in target.indices { target[index] = Float(bitPattern: target[index].bitPattern.byteSwapped) }
      #endif
    }
  }
}
