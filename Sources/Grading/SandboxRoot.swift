import Exercises
import Foundation

/// A folder that holds one lesson's executable and its shared libraries: all that a student's process can see.
struct SandboxRoot: Sendable {
  /// The folder.
  let url: URL
  /// The user as which its process runs.
  let user: Int

  static let lessonName = "lesson"
  var lesson: URL { url.appending(path: Self.lessonName) }

  /// Makes a folder with the shared libraries of an executable.
  init(at url: URL, user: Int, librariesOf executable: URL) throws(ExerciseError) {
    self.url = url
    self.user = user
    let folder = url.appending(path: "lib")
    try FileSystem.makeFolder(folder)
    for library in try Self.libraries(of: executable) {
      let path = URL(fileURLWithPath: library)
      // The loader stands where the executable says; libraries are found by name.
      let isLoader = path.lastPathComponent.hasPrefix("ld-")
      let target = isLoader ? url.appending(path: library) : folder.appending(path: path.lastPathComponent)
      try FileSystem.makeFolder(target.deletingLastPathComponent())
      try FileSystem.copy(path, to: target, permissions: 0o555)
    }
  }

  /// Puts an executable in the place of the former one.
  func place(_ executable: URL) throws(ExerciseError) {
    FileSystem.remove(lesson)
    do { try FileManager.default.linkItem(at: executable, to: lesson) } catch {
      throw ExerciseError("\(executable.path) cannot be linked to \(lesson.path): \(error.localizedDescription)")
    }
  }

  /// The paths of an executable's shared libraries and their loader.
  private static func libraries(of executable: URL) throws(ExerciseError) -> [String] {
    #if os(Linux)
      let outcome = try ChildProcess(["ldd", executable.path]).run()
      let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
      let paths = lines.compactMap { line in
        line.split { $0 == " " || $0 == "\t" }.first { $0.hasPrefix("/") }.map(String.init)
      }
      guard outcome.ending == .exited(0), !paths.isEmpty else {
        throw ExerciseError("ldd does not name the shared libraries of \(executable.path)")
      }
      return paths
    #else
      return []
    #endif
  }
}
