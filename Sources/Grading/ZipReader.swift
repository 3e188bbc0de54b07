import CPNG
import Foundation

/// Reads zip archives of stored or deflated files; what is damaged is not there.
struct ZipReader {
  struct Entry {
    let path: String
    let isLink: Bool
    /// The size that the archive claims.
    let size: Int
    fileprivate let method: Int
    fileprivate let compressedSize: Int
    fileprivate let offset: Int
  }

  private let bytes: [UInt8]
  let entries: [Entry]
  private static let mostEntries = 2000

  init?(_ data: Data) {
    let bytes = [UInt8](data)
    self.bytes = bytes
    // The directory's end is followed by a comment of at most 64 KiB.
    let lowest = max(0, bytes.count - 22 - 65_535)
    guard bytes.count >= 22,
      let end = stride(from: bytes.count - 22, through: lowest, by: -1).first(where: {
        Self.number(bytes, $0, 4) == 0x0605_4b50
      })
    else { return nil }
    var position = Self.number(bytes, end + 16, 4) ?? 0
    var entries: [Entry] = []
    for _ in 0..<min(Self.mostEntries, Self.number(bytes, end + 10, 2) ?? 0) {
      guard let (entry, next) = Self.entry(bytes, position) else { return nil }
      entries.append(entry)
      position = next
    }
    self.entries = entries
  }

  private static func entry(_ bytes: [UInt8], _ start: Int) -> (Entry, next: Int)? {
    func field(_ offset: Int, _ size: Int) -> Int { number(bytes, start + offset, size) ?? 0 }
    guard number(bytes, start, 4) == 0x0201_4b50, start + 46 <= bytes.count else { return nil }
    let end = start + 46 + field(28, 2)
    guard end <= bytes.count else { return nil }
    let path = String(decoding: bytes[start + 46..<end], as: UTF8.self)
    let isLink = field(4, 2) >> 8 == 3 && field(38, 4) >> 16 & 0o170000 == 0o120000
    let entry = Entry(
      path: path, isLink: isLink, size: field(24, 4), method: field(10, 2), compressedSize: field(20, 4),
      offset: field(42, 4))
    return (entry, end + field(30, 2) + field(32, 2))
  }

  private static func number(_ bytes: [UInt8], _ position: Int, _ size: Int) -> Int? {
    guard position >= 0, position + size <= bytes.count else { return nil }
    return (0..<size).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
  }

  /// The beginning of a file, whatever the archive claims of its size.
  func content(of entry: Entry, limit: Int) -> Data? {
    guard Self.number(bytes, entry.offset, 4) == 0x0403_4b50, let name = Self.number(bytes, entry.offset + 26, 2),
      let extra = Self.number(bytes, entry.offset + 28, 2)
    else { return nil }
    let start = entry.offset + 30 + name + extra
    guard start + entry.compressedSize <= bytes.count else { return nil }
    let part = bytes[start..<start + entry.compressedSize]
    switch entry.method {
    case 0: return Data(part.prefix(limit))
    case 8: return Self.inflated(Array(part), limit: limit)
    default: return nil
    }
  }

  private static func inflated(_ part: [UInt8], limit: Int) -> Data? {
    var (part, result) = (part, [UInt8](repeating: 0, count: limit))
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    let (status, count) = part.withUnsafeMutableBufferPointer { input in
      result.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = uInt(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = uInt(output.count)
        let status = inflate(&stream, Z_FINISH)
        return (status, output.count - Int(stream.avail_out))
      }
    }
    guard status == Z_STREAM_END || count == limit else { return nil }
    return Data(result.prefix(count))
  }
}
