import ArgumentParser
import Exercises
import Foundation

/// The root of `swift run course`.
@main
struct CourseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "course",
    abstract: "Work through the lessons' exercises.",
    discussion: """
      A lesson is a program that trains a model. Parts of it are exercises, such as
      VAE.1: functions that you write, whose values `check` compares with the right
      ones. A usual way through a lesson, each after `swift run`:

        course run VAE       what it does; the page is in Output/Lesson04-VAE
        course start VAE     empty its exercises; the original is kept
        course next          what is asked, and where to write it
        course check VAE.1   which cases pass, and what is wrong with the others
        course hint VAE.1    a hint, one more each time
        course diff VAE.1    the authors' solution, once yours passes
        course submit VAE    an archive to hand in

      Your work stays in the lesson's own file. What `course` remembers is in the
      hidden folder .course.
      """,
    subcommands: [
      List.self, Run.self, Next.self, Start.self, Check.self, Watch.self, Hint.self, Diff.self, Reset.self, Submit.self,
      // BEGIN AUTHORS
      Record.self, Verify.self, Release.self, Grade.self, Merge.self, Stats.self, Gradescope.self, Confine.self,
        // END AUTHORS
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as ExerciseError {
      fflush(nil)
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(withError: ExitCode.failure)
    } catch {
      exit(withError: error)
    }
  }
}
