import ArgumentParser
import Foundation

/// How much a lesson does: `--quick` for a check, the default for a lesson, `--full` for the paper's model.
public enum LessonSize: String, Sendable, CaseIterable, Codable {
  /// About five seconds, to see that everything runs.
  case quick
  /// About a minute; the model learns.
  case standard
  /// The paper's sizes on the larger data: minutes to hours.
  case full
}

/// The options that every lesson takes; a lesson with options of its own includes them by `@OptionGroup`.
///
/// ```swift
/// let options = LessonOptions.fromCommandLine()
/// ```
public struct LessonOptions: ParsableArguments, Sendable {
  @Flag(name: .customLong("quick"), help: "A check of about 5 seconds: small, hardly learns.")
  var isQuick = false

  @Flag(name: .customLong("full"), help: "The paper's sizes on the larger data: minutes to hours.")
  var isFull = false

  /// The seed from which all the run's random numbers follow.
  @Option(help: ArgumentHelp("The same seed gives the same numbers again.", valueName: "N"))
  public var seed: UInt64 = 1

  /// Passes over the training data, at least 1; `nil` if the lesson is to choose by its size.
  @Option(help: ArgumentHelp("Passes over the training data, at least 1. (default: by size)", valueName: "N"))
  public var epochs: Int?

  /// The folder of data given with `--data`; `nil` for the data that comes with the package.
  @Option(help: ArgumentHelp("A folder with other data files. (default: the data in this package)", valueName: "DIR"))
  public var data: String?

  /// The folder given with `--out`; `nil` for `Output/<lesson>`.
  @Option(help: ArgumentHelp("Where to write the results. (default: Output/<lesson>)", valueName: "DIR"))
  public var out: String?

  /// Whether to continue from the checkpoint of an interrupted run.
  @Flag(name: .customLong("resume"), help: "Continue an interrupted run from its checkpoint.")
  public var resumes = false

  /// The options' defaults.
  public init() {}

  /// How much the lesson is to do.
  public var size: LessonSize { isQuick ? .quick : isFull ? .full : .standard }

  /// One of three values, by the size of the run.
  public func choose<Value>(quick: Value, standard: Value, full: Value) -> Value {
    switch size {
    case .quick: quick
    case .standard: standard
    case .full: full
    }
  }

  /// Stops the program with one clear line if `--data` was given: for a lesson whose data are drawn from known laws, or
  /// are the shipped ones alone.
  public func refuseData() {
    guard let data else { return }
    writeError("--data \(data): \(lessonName) makes its own data and reads no folder; leave the option out")
    end(EX_USAGE)
  }

  /// Refuses options that make no sense, or not together.
  public func validate() throws {
    if isQuick && isFull { throw ValidationError("--quick and --full exclude each other: give one of them.") }
    if let epochs, epochs < 1 {
      throw ValidationError("--epochs \(epochs): the number of passes must be at least 1.")
    }
    if data?.isEmpty == true { throw ValidationError("--data needs the name of a folder.") }
    if out?.isEmpty == true { throw ValidationError("--out needs the name of a folder.") }
  }
}

/// Gives a lesson's options the lesson's own name, help and examples.
private struct LessonCommand<Options: ParsableArguments>: ParsableCommand {
  static var configuration: CommandConfiguration {
    let run = "swift run \(lessonName)"
    return CommandConfiguration(
      commandName: run,
      abstract: "A lesson that trains a model and writes its page, pictures and results.",
      discussion: """
        Examples:
          \(run) --quick
          \(run) --seed 2 --out /tmp/second
          \(run) --full --resume
        """)
  }

  @OptionGroup var options: Options
}

extension ParsableArguments {
  /// The options on the command line; a wrong one stops the program with one clear line, and `--help` explains them all.
  ///
  /// Call it first in `main.swift`, on `LessonOptions` or on a type that includes them by `@OptionGroup`.
  public static func fromCommandLine() -> Self {
    fromCommandLine(Array(CommandLine.arguments.dropFirst()))
  }

  private static func fromCommandLine(_ arguments: [String]) -> Self {
    do {
      return try LessonCommand<Self>.parse(arguments).options
    } catch {
      if LessonCommand<Self>.exitCode(for: error).isSuccess {
        Swift.print(LessonCommand<Self>.fullMessage(for: error))
        end(EXIT_SUCCESS)
      }
      writeError("\(LessonCommand<Self>.message(for: error)) (swift run \(lessonName) --help lists the options)")
      end(EX_USAGE)
    }
  }
}

/// The name under which the program was started: the lesson's.
private let lessonName = URL(fileURLWithPath: CommandLine.arguments.first ?? "lesson").lastPathComponent
