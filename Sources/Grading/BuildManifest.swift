import Exercises
import Foundation

/// How the package builds a lesson, read from what `swift build` left behind: a student's build differs in one file alone.
struct BuildManifest {
  /// The compiler.
  let compiler: URL
  /// The flags for the compiler, without paths of the package's own build folder.
  let flags: [String]
  /// The module maps of C libraries.
  let moduleMaps: [URL]
  /// The libraries to link, with their folders.
  let linkFlags: [String]
  /// The object files of all modules but the lesson's own.
  let objects: [URL]
  /// The modules that the lesson may import.
  let modules: [URL]

  /// What the last `swift build` of a lesson did.
  init(of lesson: LessonFolder) throws(ExerciseError) {
    let build = lesson.executable.deletingLastPathComponent()
    let file = build.deletingLastPathComponent().appending(path: "debug.yaml")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else {
      throw ExerciseError("\(file.path) cannot be read; swift build --product \(lesson.name) writes it")
    }
    guard let compile = Self.arguments(in: text, of: "\"C.\(lesson.name)-", "-debug.module\":"),
      let link = Self.arguments(in: text, of: "\"C.\(lesson.name)-", "-debug.exe\":")
    else { throw ExerciseError("\(file.path) does not say how \(lesson.name) is built; build it again") }
    compiler = URL(fileURLWithPath: compile[0])
    (flags, moduleMaps) = Self.flags(compile, outside: build)
    linkFlags = link.filter { $0.hasPrefix("-l") || ($0.hasPrefix("-L") && $0.count > 2) }
    let list = build.appending(path: "\(lesson.name).product/Objects.LinkFileList")
    let own = lesson.name.replacing("-", with: "_") + ".build"
    objects = ((try? String(contentsOf: list, encoding: .utf8)) ?? "").split(separator: "\n")
      .map { URL(fileURLWithPath: $0.trimmingCharacters(in: CharacterSet(charactersIn: "'\""))) }
      .filter { !$0.deletingLastPathComponent().path.hasSuffix(own) }
    guard !objects.isEmpty else {
      throw ExerciseError("\(list.path) names no object files; build \(lesson.name) again")
    }
    let names = Set(objects.map { $0.deletingLastPathComponent().deletingPathExtension().lastPathComponent })
    modules = names.sorted().map { build.appending(path: "Modules/\($0).swiftmodule") }
      .filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// The arguments of the command whose name begins and ends so.
  private static func arguments(in text: String, of beginning: String, _ end: String) -> [String]? {
    var isInside = false
    for line in text.split(separator: "\n") {
      let line = line.drop { $0 == " " }
      if line.hasPrefix("\"C.") { isInside = line.hasPrefix(beginning) && line.hasSuffix(end) }
      guard isInside, line.hasPrefix("args: ") else { continue }
      let arguments = try? JSONDecoder().decode([String].self, from: Data(line.dropFirst(6).utf8))
      return arguments?.isEmpty == false ? arguments : nil
    }
    return nil
  }

  /// The flags that bear on what the code means; those with paths in the build folder are made anew.
  private static func flags(_ arguments: [String], outside build: URL) -> (flags: [String], moduleMaps: [URL]) {
    var (flags, moduleMaps): ([String], [URL]) = ([], [])
    let withValue = [
      "-target", "-swift-version", "-default-isolation", "-enable-upcoming-feature", "-sdk", "-package-name",
    ]
    let mapFlag = "-fmodule-map-file="
    var rest = arguments.dropFirst()[...]
    while let argument = rest.popFirst() {
      if withValue.contains(argument) {
        flags += [argument, rest.popFirst() ?? ""]
      } else if argument == "-Xcc", let value = rest.popFirst() {
        if value.hasPrefix(mapFlag) {
          moduleMaps.append(URL(fileURLWithPath: String(value.dropFirst(mapFlag.count))))
        } else if value != "-g" {
          flags += ["-Xcc", value]
        }
      } else if argument.hasPrefix("-D") || argument == "-Onone" || (argument.hasPrefix("-I/") && argument.count > 2) {
        flags.append(argument)
      }
    }
    return (flags, moduleMaps)
  }
}
