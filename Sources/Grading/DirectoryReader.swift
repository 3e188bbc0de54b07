import Foundation

/// An open folder, read by descriptors: nothing that is exchanged for a link meanwhile is followed.
final class DirectoryReader {
  enum Kind {
    case file
    case folder
    case link
    case other

    var words: String {
      switch self {
      case .file: "a file"
      case .folder: "a folder"
      case .link: "a symbolic link"
      case .other: "neither file nor folder"
      }
    }
  }

  struct Entry {
    /// The name with what is not UTF-8 replaced.
    let name: String
    let kind: Kind
    let size: Int
    fileprivate let bytes: [CChar]
  }

  private let descriptor: Int32

  /// Opens a folder, which may be a link.
  init?(path: String) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { return nil }
  }

  private init?(_ bytes: [CChar], in parent: Int32) {
    descriptor = openat(parent, bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  /// What is in the folder, by name.
  func entries() -> [Entry] {
    guard let stream = fdopendir(dup(descriptor)) else { return [] }
    defer { closedir(stream) }
    rewinddir(stream)
    var result: [Entry] = []
    while let pointer = readdir(stream) {
      let bytes = withUnsafePointer(to: &pointer.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
        }
      }
      let name = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if name == "." || name == ".." { continue }
      var status = stat()
      guard fstatat(descriptor, bytes, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      result.append(Entry(name: name, kind: kind(status.st_mode), size: Int(status.st_size), bytes: bytes))
    }
    return result.sorted { $0.name < $1.name }
  }

  private func kind(_ mode: mode_t) -> Kind {
    switch mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    case S_IFLNK: .link
    default: .other
    }
  }

  func folder(_ entry: Entry) -> DirectoryReader? { DirectoryReader(entry.bytes, in: descriptor) }

  /// The beginning of a regular file.
  func content(of entry: Entry, limit: Int) -> Data? {
    let file = openat(descriptor, entry.bytes, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return try? handle.read(upToCount: limit) ?? Data()
  }
}
