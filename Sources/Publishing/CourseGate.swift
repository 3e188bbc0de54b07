import Exercises
import Foundation

/// What must hold of all lessons together before a release.
public struct CourseGate {
  private let course: CourseFolder

  /// The gate of a clone of the authors'.
  public init(_ course: CourseFolder) { self.course = course }

  /// Ids that two lessons use, and lessons whose files do not go together.
  public func idProblems() throws -> [String] {
    let lessons = try course.lessons()
    let ids = try lessons.flatMap { lesson in try lesson.exerciseFiles.flatMap { try lesson.source($0).ids } }
    let withheld = lessons.filter { lesson in
      (try? lesson.source("Mistakes.swift"))?.text == StudentRelease.withheldMistakes
    }
    return LessonGate.repeated(ids).map { "two exercises are called \($0)" }
      + LessonGate.repeated(lessons.map(\.suffix)).map { "two lessons are called \($0)" }
      + withheld.map { "\($0.name) has no known mistakes: this is a release, not the authors' clone" }
  }

  /// What a release gives away, and files that are not the same when it is made again.
  public func releaseProblems() throws -> [String] {
    // It searches itself for leaks.
    let (first, second) = (try StudentRelease(of: course), try StudentRelease(of: course))
    let changed = zip(first.files, second.files).filter { $0 != $1 }.map {
      "\($0.0.path) is not the same when made again"
    }
    return changed + (first.files.count == second.files.count ? [] : ["two releases have not the same files"])
  }
}
