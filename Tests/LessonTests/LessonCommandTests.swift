import Exercises
import Foundation
import Testing

@Suite("Every lesson's command")
struct LessonCommandTests {
  /// The lessons of this clone that are built.
  static let lessons: [String] = {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let all = (try? CourseFolder(around: here).lessons().map(\.name)) ?? []
    return all.filter {
      FileManager.default.isExecutableFile(atPath: LessonRunner.productsFolder.appending(path: $0).path)
    }
  }()

  /// The lessons whose laws are all generated.
  static let withoutData = [
    "Likelihood", "Autodiff", "WaveNet", "MAF", "IAF", "VariationalBound", "WakeSleep", "GAN", "WGAN", "EnergyBased",
  ]

  @Test("Lessons are found") func some() { #expect(!Self.lessons.isEmpty) }

  @Test("Bad options get one clear line that names the thing, and a status that is not 0", arguments: lessons)
  func badOptions(lesson: String) throws {
    let runner = try LessonRunner(lesson)
    defer { runner.remove() }
    for (arguments, named) in [
      (["--epochs", "0"], "--epochs 0"), (["--speed"], "--speed"), (["--quick", "--full"], "exclude each other"),
      (["--seed", "-1"], "--seed"), (["--quick", "--out", "/proc/nowhere"], "/proc/nowhere"),
    ] {
      let outcome = try runner.run(arguments)
      #expect(outcome.status != 0, "\(lesson) \(arguments)")
      #expect(outcome.errors.contains(named), "\(lesson) \(arguments): \(outcome.errors)")
      #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
    }
  }

  @Test(
    "A lesson that reads no data refuses a folder of them",
    arguments: lessons.filter { lesson in withoutData.contains { lesson.hasSuffix("-" + $0) } })
  func noData(lesson: String) throws {
    let runner = try LessonRunner(lesson)
    defer { runner.remove() }
    let outcome = try runner.run(["--quick", "--data", "/nowhere"])
    #expect(outcome.status != 0 && outcome.errors.hasPrefix("error: --data /nowhere: "))
  }

  @Test("Help names the options and the examples", arguments: lessons)
  func help(lesson: String) throws {
    let runner = try LessonRunner(lesson)
    defer { runner.remove() }
    let outcome = try runner.run(["--help"])
    #expect(outcome.status == 0)
    for text in ["--quick", "--full", "--seed", "--resume", "swift run \(lesson)"] {
      #expect(outcome.output.contains(text), "\(lesson) --help lacks \(text)")
    }
  }
}
