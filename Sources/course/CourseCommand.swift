import ArgumentParser

/// The root of `swift run course`.
@main
struct CourseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "course", abstract: "Works through the lessons' exercises, and grades them.",
    subcommands: [Record.self])
}
