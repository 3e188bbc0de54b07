import ArgumentParser
import Exercises
import Foundation

/// Packs answers.
struct Submit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack a lesson's answers into an archive to hand in.",
    discussion: """
      The archive holds the files that you write in, and manifest.json: their
      SHA-256 and what passed here. Grading takes the files alone, and tries them on
      other inputs than the public cases.

      Examples:
        swift run course submit VAE
      """)

  @Argument(help: "The lesson, such as Lesson04-VAE or VAE.")
  var lesson: String

  @Option(help: ArgumentHelp("Where to write it. (default: <lesson>.zip in this folder)", valueName: "FILE"))
  var out: String?

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let lesson = try course.lesson(lesson)
    guard lesson.hasExercises else { throw ExerciseError("\(lesson.name) has no exercises to hand in") }
    let progress = try Progress(in: course)
    let states = try lesson.exercises().map { ($0.id, $0.state(progress)) }
    let archive = try lesson.submission(states: states)
    let target = URL(fileURLWithPath: out ?? "\(lesson.name).zip")
    do { try archive.write(to: target, options: .atomic) } catch {
      throw ExerciseError("\(target.path) cannot be written: \(error.localizedDescription)")
    }
    for (id, state) in states { print("\(id)  \(state.rawValue)") }
    print("\(target.path) is ready to hand in")
  }
}

/// What a submission says of itself; grading believes none of it.
struct Manifest: Codable, Equatable {
  struct File: Codable, Equatable {
    let name: String
    let bytes: Int
    let sha256: String
  }

  var version = 1
  let lesson: String
  let files: [File]
  let exercises: [String: String]
}

extension LessonFolder {
  /// The largest file that grading takes.
  static let largestFile = 256 << 10

  /// The archive to hand in.
  func submission(states: [(String, ExerciseState)]) throws -> Data {
    var archive = ZipArchive()
    var files: [Manifest.File] = []
    for name in try recorded().files {
      let content = Data(try source(name).text.utf8)
      guard content.count <= Self.largestFile else {
        throw ExerciseError("\(name) has \(content.count) bytes; at most \(Self.largestFile) are graded")
      }
      archive.add(name, content)
      files.append(Manifest.File(name: name, bytes: content.count, sha256: SHA256.hexDigest(of: content)))
    }
    let exercises = Dictionary(uniqueKeysWithValues: states.map { ($0.0, $0.1.rawValue) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let manifest = try encoder.encode(Manifest(lesson: name, files: files, exercises: exercises))
    archive.add("manifest.json", manifest)
    return archive.data
  }
}
