import ArgumentParser
import Exercises
import Foundation
import Publishing

/// Says how a class did.
struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say how a class did: pass rates, known mistakes and discrimination, by exercise and case.",
    discussion: """
      Discrimination is the correlation of passing with the points on all other
      exercises (point-biserial, corrected): near 0 or below it a case does not tell
      those who know from those who do not. What was not graded counts nowhere.

      Examples:
        swift run course stats grades               the folder that course grade wrote
        swift run course stats shard-*/grades.json
        swift run course stats grades --csv > cases.csv
      """)

  @Argument(help: ArgumentHelp("Files grades.json, or folders that hold one.", valueName: "grades"))
  var grades: [String]

  @Flag(help: "One line for each exercise and case, for a spreadsheet.")
  var csv = false

  @Flag(help: "Everything as JSON.")
  var json = false

  func validate() throws {
    guard !grades.isEmpty else { throw ValidationError("Give the grades.json that course grade wrote.") }
    guard !(csv && json) else { throw ValidationError("--csv and --json exclude each other.") }
  }

  func run() throws {
    let statistics = try Statistics(gradesIn: grades.map { URL(fileURLWithPath: $0) })
    if csv {
      print(statistics.csv, terminator: "")
    } else if json {
      print(String(decoding: try statistics.json(), as: UTF8.self), terminator: "")
    } else {
      print(statistics.table)
    }
  }
}
