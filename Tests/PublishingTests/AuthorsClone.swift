import Exercises
import Foundation

@testable import Publishing

/// An authors' clone with one lesson, in a temporary folder of its own.
struct AuthorsClone {
  let folder: URL
  let course: CourseFolder
  let model = """
    /// Twice.
    func twice(_ x: Float) -> Float {
      // BEGIN SOLUTION Toy.1
      let doubled = x + x + 0 * x
      return doubled
      // END SOLUTION
    }

    """
  let mistakes = """
    import LessonKit
    let mistakes = [
      exercise.knownMistakes([Mistake("It is three times x.") { x in x + x + x + 0 }])
    ]

    """

  init() throws {
    let all = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    folder = all.appending(path: "authors-\(UUID().uuidString)")
    course = CourseFolder(url: folder.appending(path: "course"))
    try write("let package = 1\n// BEGIN AUTHORS\nlet grading = 2\n// END AUTHORS\n", to: "Package.swift")
    try write("# Course\n", to: "README.md")
    try write("let exercises = 1\n", to: "Lessons/Lesson07-Toy/Exercises.swift")
    try write("print(1)\n", to: "Lessons/Lesson07-Toy/main.swift")
    try write(model, to: "Lessons/Lesson07-Toy/Toy.swift")
    try write(mistakes, to: "Lessons/Lesson07-Toy/Mistakes.swift")
    try write("{}\n", to: "Lessons/Lesson07-Toy/Recorded.json")
    for path in ["Sources/Grading/A.swift", "Sources/course/GradeCommand.swift", "CONTRIBUTING.md", ".ci/run"] {
      try write("// for authors\n", to: path)
    }
    try write("// for all\n", to: "Sources/Tensors/Tensor.swift")
    try write("12345\n", to: "seeds.txt")
    try write("built\n", to: ".build/debug/x")
  }

  func write(_ text: String, to path: String) throws {
    let url = course.url.appending(path: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// All files under a folder with their content, permissions included.
  static func content(of folder: URL) throws -> [String: String] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return try paths.reduce(into: [:]) { all, path in
      let url = folder.appending(path: path)
      let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else { return }
      let mode = attributes[.posixPermissions] as? Int ?? 0
      all[path] = String(mode, radix: 8) + " " + String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
