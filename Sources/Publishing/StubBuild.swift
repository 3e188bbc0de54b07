import Exercises
import Foundation

/// A lesson as a release has it, compiled against the libraries that `swift build` left behind: seconds instead of a whole build.
struct StubBuild {
  /// The executable, in a folder of its own.
  let executable: URL
  private let folder: URL

  /// Compiles the lesson's files of a release, or says what the compiler said.
  init(_ lesson: LessonFolder, from release: StudentRelease) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "stubs-\(UUID().uuidString)")
    executable = folder.appending(path: lesson.name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    do {
      var sources: [String] = []
      for file in release.files where file.path.hasPrefix("Lessons/\(lesson.name)/") && file.path.hasSuffix(".swift") {
        let target = folder.appending(path: String(file.path.split(separator: "/").last!))
        try file.content.write(to: target)
        sources.append(target.path)
      }
      try compile(sources, of: lesson)
    } catch {
      remove()
      throw error
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private func compile(_ sources: [String], of lesson: LessonFolder) throws {
    let products = lesson.course.url.appending(path: ".build/debug").resolvingSymlinksInPath()
    let list = products.appending(path: "\(lesson.name).product/Objects.LinkFileList")
    guard let objects = try? String(contentsOf: list, encoding: .utf8) else {
      throw ExerciseError("\(list.path) is missing; swift build --product \(lesson.name) makes it")
    }
    let module = lesson.name.replacing("-", with: "_")
    let libraries = objects.split(separator: "\n").filter { !$0.contains("/\(module).build/") }
    let objectList = folder.appending(path: "objects")
    try Data(libraries.joined(separator: "\n").utf8).write(to: objectList)
    let flags = try Self.systemModules(of: lesson.course)
    var swiftc = ChildProcess(
      ["swiftc", "-Onone", "-swift-version", "6", "-default-isolation", "MainActor", "-module-name", module]
        + ["-I", products.appending(path: "Modules").path, "-o", executable.path]
        + flags + sources + ["@\(objectList.path)"])
    swiftc.timeLimit = 600
    swiftc.workingDirectory = folder.path
    let run = try swiftc.run()
    guard run.ending == .exited(0) else {
      let lines = String(decoding: run.errors, as: UTF8.self).split(separator: "\n")
      let errors = lines.filter { $0.contains("error: ") }
      throw ExerciseError(errors.isEmpty ? "swiftc \(run.explanation)" : errors.prefix(5).joined(separator: "\n"))
    }
  }

  /// The flags for OpenBLAS and libpng.
  private static func systemModules(of course: CourseFolder) throws -> [String] {
    let names = ["COpenBLAS", "CPNG"]
    let maps = names.flatMap { name in
      ["-Xcc", "-fmodule-map-file=" + course.url.appending(path: "Sources/\(name)/module.modulemap").path]
    }
    let run = try ChildProcess(["pkg-config", "--cflags", "--libs", "openblas", "libpng"]).run()
    let flags = String(decoding: run.output, as: UTF8.self).split { $0.isWhitespace }.map(String.init)
    // The C compiler's own flags mean nothing to swiftc.
    return maps + flags.filter { $0.hasPrefix("-I") || $0.hasPrefix("-L") || $0.hasPrefix("-l") }
  }
}
