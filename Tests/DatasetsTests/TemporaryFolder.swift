import CPNG
import Foundation

/// A folder of a test's own, removed with it.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "DatasetsTests-" + UUID().uuidString

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Writes an IDX file and returns its path.
  func writeIDX(_ shape: [Int], _ values: [UInt8], _ name: String, gzipped isGzipped: Bool = false) throws -> String {
    try write(isGzipped ? gzipped(idx(shape, values)) : idx(shape, values), name)
  }
}

/// The bytes of an IDX file.
func idx(_ shape: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
  [0, 0, type, UInt8(shape.count)] + shape.flatMap { size in [24, 16, 8, 0].map { UInt8(size >> $0 & 255) } } + values
}

/// The bytes as a gzip file holds them.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 100)
  return input.withUnsafeMutableBufferPointer { source in
    output.withUnsafeMutableBufferPointer { target in
      withUnsafeMutablePointer(to: &stream) { stream in
        deflateInit2_(
          stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        stream.pointee.next_in = source.baseAddress
        stream.pointee.avail_in = uInt(source.count)
        stream.pointee.next_out = target.baseAddress
        stream.pointee.avail_out = uInt(target.count)
        deflate(stream, Z_FINISH)
        let count = Int(stream.pointee.total_out)
        deflateEnd(stream)
        return Array(target.prefix(count))
      }
    }
  }
}
