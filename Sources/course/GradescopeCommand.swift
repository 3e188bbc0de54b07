import ArgumentParser
import Exercises
import Foundation
import Publishing

/// Packs an autograder for Gradescope.
struct Gradescope: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack an autograder for Gradescope: set-up, harness and sources of one lesson.",
    discussion: """
      Upload the archive as a programming assignment's autograder. Its image builds the
      libraries once; a submission costs the compilation of one file, within ten
      minutes and 768 MB. The archive holds solutions and the private seed: keep it.
      Write the seed down too, if it is to be the same in other grading.

      Examples:
        swift run course gradescope --lesson VAE --out autograder.zip
        swift run course gradescope --lesson VAE --out autograder.zip --private-seed 4711
      """)

  @Option(help: "The lesson, such as Lesson04-VAE or VAE.")
  var lesson: String

  @Option(help: ArgumentHelp("The archive to write.", valueName: "ZIP"))
  var out: String

  @Option(help: ArgumentHelp("The seed of the hidden inputs. (default: a random one)", valueName: "N"))
  var privateSeed: UInt64?

  @Option(help: ArgumentHelp("Seconds for a submission; Gradescope's own limit must be longer.", valueName: "S"))
  var timeLimit = 540

  func validate() throws {
    guard (60...7200).contains(timeLimit) else {
      throw ValidationError("--time-limit \(timeLimit): give 60 to 7200 seconds.")
    }
  }

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let seed = privateSeed ?? UInt64.random(in: 1...(.max))
    let package = try GradescopePackage(course.lesson(lesson), privateSeed: seed, timeLimit: timeLimit)
    let archive = try package.archive()
    let target = URL(fileURLWithPath: out)
    do { try archive.write(to: target, options: .atomic) } catch {
      throw ExerciseError("\(target.path) cannot be written: \(error.localizedDescription)")
    }
    print("\(target.path): \(archive.count >> 10) KiB for \(package.lesson.name), private seed \(seed)")
  }
}
