import Foundation

/// Why a folder of results cannot be used.
struct OutputError: Error, CustomStringConvertible {
  /// The folder, what is wrong with it, and what to do.
  let description: String
}

/// The folder into which a lesson writes; every file is whole at every moment.
struct OutputFolder: Sendable {
  let url: URL
  /// Held while a file is written, and by who ends the process, so that no write is cut off.
  let lock = NSRecursiveLock()

  /// Makes the folder, and makes sure that one can write into it.
  init(_ path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    let probe = url.appendingPathComponent(".writable-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try Data().write(to: probe)
      try FileManager.default.removeItem(at: probe)
    } catch {
      throw OutputError(
        description: "cannot write into the output folder \(path): \(reason(error)); give another with --out DIR")
    }
    removeRemains()
  }

  /// Writes a file under a temporary name and renames it; makes the folder again if it has vanished.
  func write(_ data: Data, to name: String) throws {
    lock.lock()
    defer { lock.unlock() }
    let file = url.appendingPathComponent(name)
    let temporary = url.appendingPathComponent(".\(name).\(ProcessInfo.processInfo.processIdentifier).partial")
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try data.write(to: temporary)
      guard rename(temporary.path, file.path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw OutputError(description: "cannot write \(file.path): \(reason(error))")
    }
  }

  /// Removes the temporary files of processes that were killed while they wrote.
  private func removeRemains() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] {
      let parts = name.split(separator: ".")
      guard name.hasPrefix("."), parts.count > 2, parts.last == "partial", let process = Int32(parts[parts.count - 2]),
        kill(process, 0) != 0
      else { continue }
      try? FileManager.default.removeItem(at: url.appendingPathComponent(name))
    }
  }

  /// A file name made from what a caller called something: letters, digits, `-`, `_` and `.` alone.
  static func fileName(_ name: String) -> String {
    let kept = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }
    let trimmed = String(kept.drop { $0 == "." || $0 == "-" }.prefix(80))
    return trimmed.isEmpty ? "figure" : trimmed
  }
}

/// The operating system's reason, where an error has one.
func reason(_ error: any Error) -> String {
  if let error = error as? POSIXError { return String(cString: strerror(error.code.rawValue)) }
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(underlying.code)))
  }
  return (error as NSError).localizedDescription
}
