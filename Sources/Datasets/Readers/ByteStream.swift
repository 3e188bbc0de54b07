import CPNG
import Foundation

/// The bytes of a file from beginning to end, inflated on the way if the file is gzipped.
///
/// Nothing is inflated beyond what is asked for, so that a small file cannot fill the memory.
final class ByteStream {
  let path: String
  /// What to advise when the contents are damaged.
  let remedy: String
  /// No more bytes than this can come: the file's size, or what deflate can make of it at best (1032 for 1).
  let bound: Int
  let isGzipped: Bool

  private let file: UnsafeMutablePointer<FILE>
  private let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
  private var isFinished = false

  init(path: String, remedy: String) throws(DataError) {
    let size = try Self.sizeOfRegularFile(path)
    guard size > 0 else { throw DataError(path: path, problem: "the file is empty", remedy: remedy) }
    guard let file = fopen(path, "rb") else { throw Self.systemError(errno, path) }
    self.path = path
    self.remedy = remedy
    self.file = file
    isGzipped = getc(file) == 0x1f && getc(file) == 0x8b
    bound = isGzipped ? size.multipliedReportingOverflow(by: 1032).partialValue : size
    rewind(file)
    inflater.initialize(to: z_stream())
    guard inflateInit2_(inflater, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw damage("cannot be inflated: zlib does not start")
    }
  }

  deinit {
    inflateEnd(inflater)
    inflater.deallocate()
    input.deallocate()
    fclose(file)
  }

  /// Reads the next `count` bytes, or as many as are left; returns how many.
  func read(_ count: Int, into target: UnsafeMutablePointer<UInt8>) throws(DataError) -> Int {
    isGzipped ? try inflate(count, into: target) : try readPlain(count, into: target)
  }

  /// The next `count` bytes, or as many as are left.
  func read(_ count: Int) throws(DataError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBufferPointer { target throws(DataError) in
      try read(count, into: target.baseAddress!)
    }
    return Array(bytes.prefix(found))
  }

  private func readPlain(_ count: Int, into target: UnsafeMutablePointer<UInt8>) throws(DataError) -> Int {
    let found = fread(target, 1, count, file)
    guard ferror(file) == 0 else { throw Self.systemError(errno, path) }
    return found
  }

  private func inflate(_ count: Int, into target: UnsafeMutablePointer<UInt8>) throws(DataError) -> Int {
    inflater.pointee.next_out = target
    inflater.pointee.avail_out = uInt(count)
    while inflater.pointee.avail_out > 0, !isFinished {
      if inflater.pointee.avail_in == 0, try refill() == 0 {
        throw damage("is truncated: its gzip data stops before the end")
      }
      switch CPNG.inflate(inflater, Z_NO_FLUSH) {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: try finish()
      default:
        let reason = inflater.pointee.msg.map { String(cString: $0) } ?? "invalid data"
        throw damage("its gzip data are corrupted (\(reason))")
      }
    }
    return count - Int(inflater.pointee.avail_out)
  }

  private func refill() throws(DataError) -> Int {
    let found = try readPlain(input.count, into: input.baseAddress!)
    inflater.pointee.next_in = input.baseAddress
    inflater.pointee.avail_in = uInt(found)
    return found
  }

  private func finish() throws(DataError) {
    isFinished = true
    var trailing = inflater.pointee.avail_in > 0
    if !trailing { trailing = try refill() > 0 }
    if trailing { throw damage("has more bytes after the end of its gzip data") }
  }

  private func damage(_ problem: String) -> DataError { DataError(path: path, problem: problem, remedy: remedy) }

  private static func sizeOfRegularFile(_ path: String) throws(DataError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw systemError(errno, path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return Int(status.st_size)
    case S_IFDIR: throw DataError(path: path, problem: "this is a folder", remedy: "give the path of a file")
    default: throw DataError(path: path, problem: "this is not a regular file", remedy: "copy it to a file first")
    }
  }

  /// The reader's words for why the system would not open or read a file.
  static func systemError(_ code: Int32, _ path: String) -> DataError {
    switch code {
    case ENOENT, ENOTDIR:
      DataError(path: path, problem: "there is no such file", remedy: "check the path's spelling")
    case EACCES, EPERM:
      DataError(path: path, problem: "you may not read it", remedy: "allow reading with `chmod a+r`, or copy the file")
    default:
      DataError(
        path: path, problem: "cannot be read: \(String(cString: strerror(code)))", remedy: "check file and disk")
    }
  }
}
