import Foundation

/// A zip archive of uncompressed files: the same files give the same bytes.
public struct ZipArchive: Sendable {
  private var files = ByteWriter()
  private var directory = ByteWriter()
  private var count: UInt16 = 0

  /// An archive without files.
  public init() {}

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - path: its path in the archive, with `/` between folders.
  ///   - content: its bytes.
  ///   - isExecutable: whether it is a program (mode 755), else 644.
  public mutating func add(_ path: String, _ content: Data, isExecutable: Bool = false) {
    let offset = UInt32(files.data.count)
    files.append(UInt32(0x0403_4b50))
    append(path, content, to: \.files)
    files.append(path.utf8)
    files.append(content)
    directory.append(UInt32(0x0201_4b50))
    directory.append(UInt16(3 << 8 | 20))  // made on Unix
    append(path, content, to: \.directory)
    for _ in 0..<3 { directory.append(UInt16(0)) }  // comment, disk, attributes
    directory.append(UInt32(isExecutable ? 0o100755 : 0o100644) << 16)
    directory.append(offset)
    directory.append(path.utf8)
    count += 1
  }

  /// The fields that a file's header and its entry in the directory share.
  private mutating func append(_ path: String, _ content: Data, to part: WritableKeyPath<ZipArchive, ByteWriter>) {
    self[keyPath: part].append(UInt16(20))
    self[keyPath: part].append(UInt16(0x800))  // names are UTF-8
    self[keyPath: part].append(UInt16(0))
    self[keyPath: part].append(UInt16(0))
    self[keyPath: part].append(UInt16(0x21))  // 1 January 1980
    self[keyPath: part].append(cyclicRedundancyCheck(content))
    self[keyPath: part].append(UInt32(content.count))
    self[keyPath: part].append(UInt32(content.count))
    self[keyPath: part].append(UInt16(path.utf8.count))
    self[keyPath: part].append(UInt16(0))
  }

  /// The archive's bytes.
  public var data: Data {
    var end = ByteWriter()
    end.append(UInt32(0x0605_4b50))
    end.append(UInt32(0))
    end.append(count)
    end.append(count)
    end.append(UInt32(directory.data.count))
    end.append(UInt32(files.data.count))
    end.append(UInt16(0))
    return files.data + directory.data + end.data
  }
}

/// CRC-32 as zip has it.
private func cyclicRedundancyCheck(_ data: Data) -> UInt32 {
  var table = [UInt32](repeating: 0, count: 256)
  for index in 0..<256 {
    var value = UInt32(index)
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    table[index] = value
  }
  var check: UInt32 = ~0
  for byte in data { check = check >> 8 ^ table[Int(UInt8(truncatingIfNeeded: check) ^ byte)] }
  return ~check
}
