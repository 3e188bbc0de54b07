import ArgumentParser
import Exercises
import Foundation

/// Compares a student's solution with the authors'.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare your solution with the authors', once yours passes.")

  @Argument(help: "The exercise, such as VAE.1.")
  var exercise: String

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let exercise = try course.exercise(exercise)
    let id = exercise.id
    guard exercise.lesson.isStarted, let original = try? exercise.lesson.original(exercise.file), !original.isTodo(id),
      let right = original.text(of: id)
    else {
      throw ExerciseError(
        exercise.lesson.hasSolutions
          ? "\(id) was not started: what is there is the authors' solution"
          : "this copy of the course holds no solutions to compare with")
    }
    guard try exercise.state(Progress(in: course)) == .passed else {
      throw ExerciseError("\(id) has not passed yet as it stands; swift run course check \(id) tells what is missing")
    }
    print("--- the authors' \(id)\n+++ yours, \(exercise.place)")
    for line in differences(from: right, to: exercise.source.text(of: id) ?? "") { print(line) }
  }
}

/// The lines of two texts, with ` ` before those in both, `-` before the first's and `+` before the second's.
func differences(from first: String, to second: String) -> [String] {
  let (old, new) = (first.components(separatedBy: "\n"), second.components(separatedBy: "\n"))
  let changes = new.difference(from: old)
  let removed = Set(changes.removals.map(\.offset))
  let inserted = Set(changes.insertions.map(\.offset))
  var lines: [String] = []
  var (i, j) = (0, 0)
  while i < old.count || j < new.count {
    if removed.contains(i) {
      lines.append("-" + old[i])
      i += 1
    } else if inserted.contains(j) {
      lines.append("+" + new[j])
      j += 1
    } else {
      lines.append(" " + new[j])
      (i, j) = (i + 1, j + 1)
    }
  }
  return lines
}

extension CollectionDifference.Change {
  fileprivate var offset: Int {
    switch self {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}
