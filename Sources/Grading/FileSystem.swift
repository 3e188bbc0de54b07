import Exercises
import Foundation

/// The folder operations that grading needs, with one clear line for what goes wrong.
enum FileSystem {
  /// Makes a folder and those above it.
  static func makeFolder(_ url: URL, permissions: Int = 0o755) throws(ExerciseError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: url.path)
    } catch { throw ExerciseError("\(url.path) cannot be made: \(reason(error))") }
  }

  /// Writes a file whole or not at all.
  static func write(_ data: Data, to url: URL) throws(ExerciseError) {
    let partial = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).\(getpid()).partial")
    do {
      try data.write(to: partial)
      guard rename(partial.path, url.path) == 0 else { throw ExerciseError(String(cString: strerror(errno))) }
    } catch {
      try? FileManager.default.removeItem(at: partial)
      throw ExerciseError("\(url.path) cannot be written: \(reason(error))")
    }
  }

  /// Copies a file, following links, to a place where nothing is.
  static func copy(_ source: URL, to target: URL, permissions: Int = 0o644) throws(ExerciseError) {
    do {
      try Data(contentsOf: source, options: .mappedIfSafe).write(to: target)
      try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: target.path)
    } catch { throw ExerciseError("\(source.path) cannot be copied to \(target.path): \(reason(error))") }
  }

  static func remove(_ url: URL) { try? FileManager.default.removeItem(at: url) }

  private static func reason(_ error: any Error) -> String {
    if let error = error as? ExerciseError { return error.description }
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let underlying, underlying.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(underlying.code)))
    }
    return error.localizedDescription
  }
}
