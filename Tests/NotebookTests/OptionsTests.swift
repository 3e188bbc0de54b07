import ArgumentParser
import Testing

@testable import Notebook

@Suite struct OptionsTests {
  @Test("Without options a lesson is of standard size with seed 1")
  func defaults() throws {
    let options = try LessonOptions.parse([])
    #expect(options.size == .standard && options.seed == 1 && options.epochs == nil && !options.resumes)
    #expect(options.choose(quick: 1, standard: 2, full: 3) == 2)
  }

  @Test("All options are read")
  func all() throws {
    let options = try LessonOptions.parse(
      ["--full", "--seed", "7", "--epochs", "3", "--data", "d", "--out", "o", "--resume"])
    #expect(options.size == .full && options.seed == 7 && options.epochs == 3)
    #expect(options.data == "d" && options.out == "o" && options.resumes)
  }

  @Test(
    "A wrong option is refused with a line that names it",
    arguments: [
      (["--epochs", "0"], "--epochs 0"), (["--epochs=-2"], "--epochs -2"),
      (["--quick", "--full"], "--quick and --full"),
      (["--seed", "x"], "--seed"), (["--fast"], "--fast"), (["--out", ""], "--out"), (["--data="], "--data"),
    ])
  func refused(arguments: [String], named: String) {
    #expect {
      try LessonOptions.parse(arguments)
    } throws: {
      LessonOptions.message(for: $0).contains(named)
    }
  }

  @Test("A lesson's own options stand beside the common ones")
  func group() throws {
    struct Own: ParsableArguments {
      @OptionGroup var lesson: LessonOptions
      @Option var latent = 2
    }
    let options = try Own.parse(["--quick", "--latent", "5"])
    #expect(options.lesson.size == .quick && options.latent == 5)
    #expect(throws: (any Error).self) { try Own.parse(["--epochs", "0"]) }
  }
}
