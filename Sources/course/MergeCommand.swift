import ArgumentParser
import Exercises
import Foundation
import Grading

/// Joins the results of shards.
struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For instructors: join the results of course grade --shard.",
    discussion: """
      All shards of one division must be there, graded with one --private-seed by the
      same sources. DIR then holds what one course grade would have written.

      Examples:
        swift run course merge part1 part2 part3 part4 --out grades
      """)

  @Argument(help: "The folders of results.")
  var parts: [String]

  @Option(help: ArgumentHelp("The folder for the joined results.", valueName: "DIR"))
  var out: String

  func run() throws {
    let target = URL(fileURLWithPath: out)
    guard !FileManager.default.fileExists(atPath: target.appending(path: Grades.fileName).path) else {
      throw ExerciseError("\(out) has results already; choose another --out")
    }
    let grades = try parts.map { try Grades(contentsOf: URL(fileURLWithPath: $0)) }
    let merged = try Grades(merging: grades, named: parts)
    try merged.write(to: target)
    try Reports(merged).write(to: target)
    let open = merged.submissions.filter { !$0.isGraded }
    print("\(merged.submissions.count) submissions of \(parts.count) shards are in \(out)")
    guard open.isEmpty else { throw ExerciseError("\(open.count) of them are not graded; grade their shards again") }
  }
}
