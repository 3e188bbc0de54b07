import Exercises
import Foundation

/// What every student's build shares: libraries as they were built, pristine sources, the compiler's module cache.
///
/// It holds no solution, no known mistake, no recorded value and no seed.
struct BuildKit: Sendable {
  /// The folder of it all.
  let url: URL
  /// The compiler.
  let compiler: URL
  /// The names of the files that students write.
  let exerciseFiles: [String]
  private let arguments: [String]

  var cache: URL { url.appending(path: "cache") }
  private var sources: URL { url.appending(path: "sources") }
  private static let pristineMain = """
    import Foundation
    import LessonKit

    answerProbes(exercises, mistakes, on: \(ChildProcess.replyDescriptor))

    """
  private static let pristineMistakes = """
    import LessonKit

    /// The known mistakes stay with the authors.
    let mistakes: [KnownMistakes] = []

    """

  /// Copies what a lesson that is built needs.
  init(of lesson: LessonFolder, at url: URL) throws(ExerciseError) {
    let manifest = try BuildManifest(of: lesson)
    self.url = url
    compiler = manifest.compiler
    exerciseFiles = lesson.exerciseFiles
    for folder in ["modules", "objects", "sources", "cache"] { try FileSystem.makeFolder(url.appending(path: folder)) }
    for module in manifest.modules {
      try FileSystem.copy(module, to: url.appending(path: "modules/\(module.lastPathComponent)"))
    }
    var maps: [String] = []
    for map in manifest.moduleMaps { maps.append(try Self.copyModuleMap(map, to: url)) }
    var objects: [String] = []
    for (index, object) in manifest.objects.enumerated() {
      let copy = url.appending(path: "objects/\(index).o")
      try FileSystem.copy(object, to: copy)
      objects.append(copy.path)
    }
    try FileSystem.write(Data(objects.joined(separator: "\n").utf8), to: url.appending(path: "objects/list"))
    let sources = url.appending(path: "sources")
    let names = try Self.pristineSources(of: lesson, to: sources)
    let module = lesson.name.replacing("-", with: "_")
    arguments =
      [manifest.compiler.path, "-module-name", module, "-wmo", "-j1", "-I", url.appending(path: "modules").path]
      + ["-module-cache-path", url.appending(path: "cache").path] + manifest.flags
      + maps.flatMap { ["-Xcc", "-fmodule-map-file=\($0)"] } + names.map { sources.appending(path: $0).path }
      + ["@\(url.appending(path: "objects/list").path)"] + manifest.linkFlags + Self.linker(manifest.compiler)
  }

  /// A faster linker, if the toolchain has it.
  private static func linker(_ compiler: URL) -> [String] {
    let fast = compiler.deletingLastPathComponent().appending(path: "ld.lld")
    return FileManager.default.isExecutableFile(atPath: fast.path) ? ["-use-ld=lld", "-Xlinker", "--threads=1"] : []
  }

  private static func copyModuleMap(_ map: URL, to url: URL) throws(ExerciseError) -> String {
    let source = map.deletingLastPathComponent()
    let target = url.appending(path: source.lastPathComponent)
    try FileSystem.makeFolder(target)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? []
    for name in names.sorted() where name.hasSuffix(".h") || name.hasSuffix(".modulemap") {
      try FileSystem.copy(source.appending(path: name), to: target.appending(path: name))
    }
    return target.appending(path: map.lastPathComponent).path
  }

  /// Writes all of a lesson's files but those that students write; gives their names.
  private static func pristineSources(of lesson: LessonFolder, to folder: URL) throws(ExerciseError) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: lesson.url.path)) ?? []
    let names = all.sorted().filter { $0.hasSuffix(".swift") && !lesson.exerciseFiles.contains($0) }
    for name in names {
      let target = folder.appending(path: name)
      switch name {
      case "main.swift": try FileSystem.write(Data(pristineMain.utf8), to: target)
      case "Mistakes.swift": try FileSystem.write(Data(pristineMistakes.utf8), to: target)
      default: try FileSystem.copy(lesson.url.appending(path: name), to: target)
      }
    }
    return names
  }

  /// Makes the module cache readable for all and writable for nobody else, whoever filled it.
  func sealCache() {
    let paths = FileManager.default.subpaths(atPath: cache.path) ?? []
    for path in [cache.path] + paths.map({ cache.appending(path: $0).path }) {
      _ = lchown(path, geteuid(), getegid())
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      chmod(path, status.st_mode & S_IFMT == S_IFDIR ? 0o755 : 0o644)
    }
  }

  /// The command that builds an executable of students' files in a folder.
  func command(in folder: URL) -> [String] {
    // Without a path, so that messages name the file as students know it.
    arguments + exerciseFiles + ["-o", folder.appending(path: SandboxRoot.lessonName).path]
  }
}
