import Exercises
import Foundation
import Testing

@testable import course

@Suite("Recorded lessons")
struct RecordedLessonTests {
  @Test("Every lesson's recorded values tell its solutions and all known mistakes apart, on every case")
  func mistakesAreToldApart() throws {
    let course = try CourseFolder(around: URL(fileURLWithPath: #filePath).deletingLastPathComponent())
    let lessons = try course.lessons()
    #expect(lessons.map(\.name).contains("Lesson04-VAE"))
    for lesson in lessons {
      let recorded = try lesson.recorded()
      #expect(recorded.problems == [])
      #expect(recorded.files == lesson.exerciseFiles)
      #expect(try recorded.exercises.allSatisfy { try lesson.source(of: $0.outline.id) != nil })
    }
  }
}
