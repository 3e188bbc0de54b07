import Foundation
import Synchronization

/// A lesson's notebook: what it puts out is told in the terminal, and becomes a page under `Output/<lesson>/`.
///
/// ```swift
/// let options = LessonOptions.fromCommandLine()
/// let notebook = LessonNotebook(lesson: "Lesson04-VAE", title: "Variational autoencoder", options: options)
/// ```
/// Each call knows its own line, so that the page shows a result under the cell that made it. The folder holds, at every
/// moment of the run, `index.html`, `notebook.ipynb`, `results.json` and the figures as files.
public final class LessonNotebook: Sendable {
  /// The lesson's name, such as `Lesson04-VAE`.
  public let lesson: String
  /// The folder of everything the run writes.
  public let folder: URL

  let source: String
  let output: OutputFolder
  let terminal: Terminal
  let interruption = Interruption()
  /// The folder of all lessons' results, if this lesson's is one of them.
  let course: URL?
  let state: Mutex<State>

  /// What changes as the run goes.
  struct State: Sendable {
    var results: Results
    var page: PageContent
    var meter: ProgressMeter?
    var meterCount = 0
    var isBarShown = false
    var warnings: Set<String> = []
    /// The lines whose figures were drawn in the terminal: a loop draws its first alone.
    var drawnLines: Set<Int> = []
    /// When the page was written last, and what that cost, in seconds.
    var published = -Double.infinity
    var publishingCost = 0.0
    let start = seconds()
  }

  /// Opens the notebook of a lesson; a folder into which one cannot write stops the program with one clear line.
  ///
  /// - Parameters:
  ///   - lesson: the lesson's name, which is also its command's.
  ///   - title: the page's title, if the first cell does not begin with a heading of the first level.
  ///   - options: the command line's options: seed, size and folder.
  ///   - source: the file with the notebook's cells, the caller's own by default.
  public convenience init(lesson: String, title: String, options: LessonOptions, source: String = #filePath) {
    let folder = options.out ?? "Output/\(OutputFolder.fileName(lesson))"
    let output = orStop { try OutputFolder(folder) }
    self.init(
      lesson: lesson, title: title, options: options, source: source, output: output, terminal: .standard(),
      course: options.out == nil ? output.url.deletingLastPathComponent() : nil)
    terminal.write(terminal.bold(title) + terminal.faint("  (\(lesson), seed \(options.seed), \(options.size))") + "\n")
    interruption.listen(
      onSignal: { [self] in say("interrupted: stopping after this step (once more to stop at once)") },
      onStop: { [self] in endInterrupted(signal: $0) })
  }

  init(
    lesson: String, title: String, options: LessonOptions, source: String, output: OutputFolder, terminal: Terminal,
    course: URL? = nil
  ) {
    self.lesson = lesson
    self.source = source
    self.output = output
    self.terminal = terminal
    self.course = course
    folder = output.url
    let text = try? String(contentsOfFile: source, encoding: .utf8)
    let page = PageContent(lesson: lesson, title: title, source: text ?? "")
    let results = Results(lesson: lesson, title: title, seed: options.seed, size: options.size)
    state = Mutex(State(results: results, page: page))
    if text == nil { warn("the source \(source) cannot be read; the page will show results alone") }
    warn(of: page.problems, in: source)
  }

  /// The number of the model's parameters, for `results.json`.
  public var parameters: Int? {
    get { state.withLock { $0.results.parameters } }
    set { state.withLock { $0.results.parameters = newValue } }
  }
}

extension LessonNotebook {
  /// Puts out lines of text in the terminal, above a progress bar if there is one.
  func say(_ text: String) {
    let isBarShown = state.withLock { state in
      defer { state.isBarShown = false }
      return state.isBarShown
    }
    terminal.write((isBarShown ? "\r\u{1B}[K" : "") + text + "\n")
  }

  /// The line if it is one of the notebook's source; the headings before it are told first.
  func place(_ line: Int, _ file: String) -> Int? {
    let place = file == source ? line : nil
    for title in state.withLock({ $0.page.newTitles(upTo: place) }) { say("\n" + terminal.bold(title)) }
    return place
  }

  /// Puts an output into the page.
  func put(_ output: CellOutput, line: Int?) {
    state.withLock { $0.page.put(output, line: line) }
    publish()
  }

  /// Runs what may fail without ending the run: the failure is warned of, once for each message.
  func warning(_ subject: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      warn("\(subject): \(oneLine(error))")
    }
  }

  /// Puts out a warning, once.
  func warn(_ message: String) {
    let (isNew, isBarShown) = state.withLock { ($0.warnings.insert(message).inserted, $0.isBarShown) }
    guard isNew else { return }
    if isBarShown { terminal.write("\r\u{1B}[K") }
    writeWarning(message)
  }

  /// Puts out what was wrong in a source file.
  func warn(of problems: [(line: Int, text: String)], in file: String) {
    let name = URL(fileURLWithPath: file).lastPathComponent
    for problem in problems { warn("\(name):\(problem.line): \(problem.text)") }
  }

  /// A file of the output folder, as one would type it from here.
  func path(_ name: String, in folder: URL? = nil) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    let file = (folder ?? self.folder).appendingPathComponent(name).path
    return file.hasPrefix(here) ? String(file.dropFirst(here.count)) : file
  }
}

/// Seconds on a clock that never goes back.
func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
