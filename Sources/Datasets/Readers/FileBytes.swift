import Foundation

/// The whole contents of a file, inflated if it is gzipped, up to a limit.
///
/// - Throws: `DataError` if it cannot be read, or holds more than `limit` bytes.
func fileBytes(_ path: String, limit: Int, remedy: String) throws(DataError) -> [UInt8] {
  let stream = try ByteStream(path: path, remedy: remedy)
  var bytes: [UInt8] = []
  var chunk = 1 << 16
  while true {
    let next = try stream.read(chunk)
    bytes += next
    guard bytes.count <= limit else {
      throw DataError(path: path, problem: "holds more than \(limit) bytes", remedy: "split it, or give the right file")
    }
    if next.count < chunk { return bytes }
    chunk = min(chunk * 2, 1 << 24)
  }
}

/// The names in a folder, in the order of their bytes, without those that begin with a dot.
///
/// - Throws: `DataError` if it is not a folder or cannot be read.
func folderContents(_ path: String, remedy: String) throws(DataError) -> [String] {
  guard ShippedData.isFolder(path) else {
    let exists = FileManager.default.fileExists(atPath: path)
    throw DataError(
      path: path, problem: exists ? "this is a file, not a folder" : "there is no such folder", remedy: remedy)
  }
  do {
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    return names.filter { !$0.hasPrefix(".") }.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  } catch {
    throw DataError(path: path, problem: "the folder cannot be read", remedy: "allow reading with `chmod a+rx`")
  }
}

/// Writes a file whole or not at all.
///
/// - Throws: `DataError` if the system refuses.
func write(_ data: Data, to path: String) throws(DataError) {
  do {
    try data.write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw DataError(
      path: path, problem: "cannot be written", remedy: "check that the folder is there, writable and not full")
  }
}

/// Little-endian numbers read one after another from the bytes of a file.
struct ByteReader {
  let bytes: [UInt8]
  var position: Int

  init(_ bytes: [UInt8], position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// How many bytes are left.
  var rest: Int { bytes.count - position }

  /// The next number of the type's size; nil if there are too few bytes left, and then none is taken.
  mutating func next<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
    let size = MemoryLayout<Value>.size
    guard rest >= size else { return nil }
    var value: Value = 0
    for place in 0..<size { value |= Value(truncatingIfNeeded: bytes[position + place]) << Value(8 * place) }
    position += size
    return value
  }

  /// The next `count` bytes as text, each byte a character; nil if there are too few.
  mutating func text(_ count: Int) -> String? {
    guard rest >= count else { return nil }
    defer { position += count }
    return String(bytes[position..<position + count].map { Character(Unicode.Scalar($0)) })
  }
}
