import Exercises
import Foundation

/// The archive to upload to Gradescope as an autograder of one lesson.
public struct GradescopePackage {
  /// The lesson it grades.
  public let lesson: LessonFolder
  /// The seed of all hidden inputs.
  public let privateSeed: UInt64
  /// Seconds after which grading stops; Gradescope's own limit, ten minutes by default, must lie above.
  public let timeLimit: Int

  /// The package for a lesson of the authors' clone.
  public init(_ lesson: LessonFolder, privateSeed: UInt64, timeLimit: Int) throws(ExerciseError) {
    guard FileManager.default.fileExists(atPath: lesson.recordedFile.path) else {
      throw ExerciseError("\(lesson.name) has no exercises to grade")
    }
    let isReleased = (try? lesson.source("Mistakes.swift"))?.text == StudentRelease.withheldMistakes
    guard !isReleased else {
      throw ExerciseError("\(lesson.course.url.path) is a release for students; grading needs the authors' clone")
    }
    self.lesson = lesson
    self.privateSeed = privateSeed
    self.timeLimit = timeLimit
  }

  /// The archive's bytes: the same for the same files and options.
  public func archive() throws -> Data {
    var archive = ZipArchive()
    archive.add("setup.sh", Data(GradescopeScripts.setup.utf8), isExecutable: true)
    archive.add("run_autograder", Data(GradescopeScripts.run.utf8), isExecutable: true)
    archive.add("configuration", Data(configuration.utf8))
    for path in try SourceTree(of: lesson.course, target: nil).paths where isNeeded(path) {
      let url = lesson.course.url.appending(path: path)
      guard let content = try? Data(contentsOf: url) else { throw ExerciseError("\(url.path) cannot be read") }
      archive.add("course/" + path, content)
    }
    return archive.data
  }

  /// What the scripts read as shell variables; a lesson's name has letters, digits and hyphens alone.
  private var configuration: String {
    """
    LESSON=\(lesson.name)
    PRIVATE_SEED=\(privateSeed)
    TIME_LIMIT=\(timeLimit)
    MEMORY_LIMIT=\(GradescopeScripts.memoryLimit)
    BUILD_MEMORY_LIMIT=\(GradescopeScripts.buildMemoryLimit)
    SWIFT_VERSION=\(GradescopeScripts.swiftVersion)
    SWIFT_SIGNING_KEY=\(GradescopeScripts.signingKey)

    """
  }

  /// The package's sources, of lessons the one; the manifest names the tests, so they are there too.
  private func isNeeded(_ path: String) -> Bool {
    path == "Package.swift" || path.hasPrefix("Sources/") || path.hasPrefix("Tests/")
      || path.hasPrefix("Lessons/\(lesson.name)/")
  }
}
