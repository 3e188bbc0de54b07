import ArgumentParser
import Exercises
import Foundation
import Publishing

/// Makes the students' repository.
struct Release: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make the students' repository: no solutions, no mistakes' code, recorded values alone.",
    discussion: """
      Takes the files that git tracks, as they are in the working tree. Solutions become
      todo("…"); Mistakes.swift is emptied; what stands between // BEGIN AUTHORS and
      // END AUTHORS goes, and so do the authors' and instructors' commands and tests.
      The same files give the same bytes. The release is searched for lines of the
      solutions and mistakes before anything is written.

      Examples:
        swift run course release --out ../student
        swift run course release --out ../student --force    files of a former release
                                                             are replaced; .git stays
      """)

  @Option(help: ArgumentHelp("The folder to make it in: empty, or not there yet.", valueName: "DIR"))
  var out: String

  @Flag(help: "Replace the files of a former release in that folder.")
  var force = false

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let target = URL(fileURLWithPath: out, isDirectory: true).standardizedFileURL
    let release = try StudentRelease(of: course, target: target)
    try release.write(to: target, replacing: force)
    for note in release.notes { print("note: \(note)") }
    let bytes = release.files.map(\.content.count).reduce(0, +)
    print("\(target.path): \(release.files.count) files, \(bytes >> 10) KiB, without solutions")
  }
}
