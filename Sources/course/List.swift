import ArgumentParser
import Exercises
import Foundation

/// Lists lessons and progress.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the lessons: what each is about, what it takes, and how far you are.")

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let progress = try Progress(in: course)
    let style = Style.standard
    for lesson in try course.allLessons() {
      let time =
        lesson.lastRunSeconds.map { "its last run took \(Int($0.rounded(.up))) s" } ?? "a run takes about a minute"
      print("\(style.bold(lesson.name))  \(lesson.title)  \(style.faint("(\(time))"))")
      guard lesson.hasExercises else { continue }
      do {
        for exercise in try lesson.exercises() { print(exercise.listing(progress, style)) }
      } catch {
        print("  error: \(error)")
      }
    }
    print(
      """

      swift run course run LESSON     trains the model and writes its page
      swift run course start LESSON   empties the exercises for you to write; swift run course next says where
      """)
  }
}

extension StudentExercise {
  /// One line: mark, id, points, title, state.
  fileprivate func listing(_ progress: Progress, _ style: Style) -> String {
    let state = state(progress)
    let mark = state == .passed ? style.good("✓") : state == .toDo ? "·" : " "
    let (outline, hints) = (recorded.outline, progress[id].hints)
    let help = hints > 0 ? ", \(hints) of \(outline.hints.count) hints shown" : ""
    return "  \(mark) \(outline.id)  \(outline.title), \(outline.points) points  \(style.faint(state.rawValue + help))"
  }
}

extension LessonFolder {
  /// The first heading of its notebook.
  var title: String {
    let text = (try? source("main.swift"))?.text ?? ""
    return text.split(separator: "\n").first { $0.hasPrefix("// # ") }.map { String($0.dropFirst(5)) } ?? ""
  }

  /// How long its last run took.
  var lastRunSeconds: Double? {
    struct Results: Decodable { let seconds: Double }
    let file = course.url.appending(path: "Output/\(name)/results.json")
    return (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Results.self, from: $0) }?.seconds
  }
}

/// Says what to write next.
struct Next: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the next exercise that you have not solved: what is asked, and where to write it.")

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let progress = try Progress(in: course)
    let open = try course.lessons().flatMap { try $0.exercises() }.filter { $0.state(progress) != .passed }
    let begun = open.filter { $0.state(progress) != .solution }
    guard let exercise = begun.first ?? open.first else {
      print("Every exercise passes its public cases. swift run course submit packs your answers.")
      return
    }
    let outline = exercise.recorded.outline
    print(
      """
      \(Style.standard.bold(outline.id))  \(outline.title), \(outline.points) points, \(exercise.state(progress).rawValue)

      \(exercise.statement)

      Write it at \(exercise.place)
      """)
    if begun.isEmpty {
      print("swift run course start \(exercise.lesson.suffix)   empties the exercises of this lesson first")
    }
    print(
      "swift run course check \(outline.id)   tells what is right; swift run course hint \(outline.id) gives a hint")
  }
}

/// Gives one more hint.
struct Hint: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give a hint for an exercise: one more each time.",
    discussion: "The last hint nearly gives the answer. After it, all are shown again.")

  @Argument(help: "The exercise, such as VAE.1.")
  var exercise: String

  func run() throws { try run(in: .current()) }

  func run(in course: CourseFolder) throws {
    let outline = try course.exercise(exercise).recorded.outline
    var progress = try Progress(in: course)
    let shown = progress[outline.id].hints
    guard shown < outline.hints.count else {
      for (index, hint) in outline.hints.enumerated() { print("\(index + 1). \(hint)") }
      print("There are no more; swift run course check \(outline.id) names the mistake if it is a known one.")
      return
    }
    print("Hint \(shown + 1) of \(outline.hints.count): \(outline.hints[shown])")
    progress[outline.id].hints = shown + 1
    try progress.write(to: course)
  }
}

/// Runs a lesson.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a lesson: train its model and write its page under Output.",
    discussion: """
      What follows the lesson is given to it.

      Examples:
        swift run course run VAE
        swift run course run 4 --quick
      """)

  @Argument(help: "The lesson, such as Lesson04-VAE, VAE or 4.")
  var lesson: String

  @Argument(parsing: .captureForPassthrough, help: "The lesson's own options, such as --quick.")
  var options: [String] = []

  func run() throws {
    let lesson = try CourseFolder.current().lesson(lesson)
    let command = ["swift", "run", "--package-path", lesson.course.url.path, lesson.name] + options
    fflush(nil)
    // In this process's place, so that Ctrl-C and the terminal are the lesson's.
    execvp(command[0], command.map { strdup($0) } + [nil])
    throw ExerciseError("swift cannot be started: \(String(cString: strerror(errno)))")
  }
}
