import Figures
import Foundation
import Synchronization

/// A lesson's notebook: what it puts out is told in the terminal and kept under `Output/<lesson>/`.
///
/// ```swift
/// let options = LessonOptions.fromCommandLine()
/// let notebook = Notebook(lesson: "Lesson04-VAE", title: "Variational autoencoder", options: options)
/// ```
/// Each call knows its own line, so that the page shows a result under the cell that made it.
public final class Notebook: Sendable {
  /// The lesson's name, such as `Lesson04-VAE`.
  public let lesson: String
  /// The folder of everything the run writes.
  public let folder: URL

  let output: OutputFolder
  let terminal: Terminal
  let interruption = Interruption()
  let state: Mutex<State>

  /// What changes as the run goes.
  struct State: Sendable {
    var results: Results
    var meter: ProgressMeter?
    var isBarShown = false
    var warnings: Set<String> = []
    let start = seconds()
  }

  /// Opens the notebook of a lesson; a folder into which one cannot write stops the program with one clear line.
  ///
  /// - Parameters:
  ///   - lesson: the lesson's name, which is also its command's.
  ///   - title: the page's title.
  ///   - options: the command line's options: seed, size and folder.
  ///   - source: the file with the notebook's cells, the caller's own by default.
  public convenience init(lesson: String, title: String, options: LessonOptions, source: String = #filePath) {
    let folder = options.out ?? "Output/\(lesson)"
    self.init(
      lesson: lesson, title: title, options: options, source: source, output: orStop { try OutputFolder(folder) },
      terminal: .standard())
    terminal.write(terminal.bold(title) + terminal.faint("  (\(lesson), seed \(options.seed), \(options.size))") + "\n")
    interruption.listen(
      onSignal: { [self] in say("interrupted: stopping after this step (once more to stop at once)") },
      onStop: { [self] in endInterrupted(signal: $0) })
  }

  init(
    lesson: String, title: String, options: LessonOptions, source: String, output: OutputFolder, terminal: Terminal
  ) {
    self.lesson = lesson
    self.output = output
    self.terminal = terminal
    folder = output.url
    state = Mutex(State(results: Results(lesson: lesson, title: title, seed: options.seed, size: options.size)))
  }

  /// The number of the model's parameters, for `results.json`.
  public var parameters: Int? {
    get { state.withLock { $0.results.parameters } }
    set { state.withLock { $0.results.parameters = newValue } }
  }

  /// Puts out a line of text, like `Swift.print`.
  public func print(_ items: Any..., separator: String = " ", line: Int = #line, file: String = #filePath) {
    say(items.map { "\($0)" }.joined(separator: separator))
  }

  /// Puts out a heading.
  public func heading(_ text: String, line: Int = #line, file: String = #filePath) {
    say("\n" + terminal.bold(text))
  }

  /// Puts out a table; floating-point numbers are shown with five significant digits, columns of numbers on the right.
  public func table(
    headers: [String], rows: [[Any]], caption: String? = nil, line: Int = #line, file: String = #filePath
  ) {
    let table = TableContent(headers: headers, rows: rows, caption: caption)
    say(table.text)
  }

  /// Shows a figure and writes it as `<name>.png` and `<name>.svg`; a figure that cannot be drawn is warned of.
  public func show(
    _ figure: some Figure, named name: String, caption: String? = nil, line: Int = #line, file: String = #filePath
  ) {
    let name = OutputFolder.fileName(name)
    warning("the figure \(name)") {
      try output.write(figure.png(), to: "\(name).png")
      try output.write(Data(figure.svg().utf8), to: "\(name).svg")
      say("\(caption.map { "\($0) " } ?? "")\(terminal.faint("→ \(path("\(name).png"))"))")
    }
  }

  /// Records a measured quantity with its unit and all that is known to compare it with, and writes `results.json`.
  ///
  /// - Parameters:
  ///   - name: what was measured, such as `test −ELBO`.
  ///   - value: the measured value, in `unit`.
  ///   - standardError: the standard error of the value.
  ///   - unit: the unit, such as `nats/image`.
  ///   - floor: the best value any model can reach, if it is known exactly.
  ///   - baseline: what a trivial model reaches.
  ///   - baselineName: what the trivial model is, such as `one Gaussian`.
  public func measure(
    _ name: String, _ value: any BinaryFloatingPoint, standardError: (any BinaryFloatingPoint)? = nil,
    unit: String? = nil, floor: (any BinaryFloatingPoint)? = nil, baseline: (any BinaryFloatingPoint)? = nil,
    baselineName: String = "baseline", line: Int = #line, file: String = #filePath
  ) {
    let measurement = Measurement(
      name: name, value: decimal(value), standardError: standardError.map(decimal), unit: unit,
      floor: floor.map(decimal), baseline: baseline.map(decimal), baselineName: baselineName)
    state.withLock { state in
      state.results.measurements.removeAll { $0.name == name }
      state.results.measurements.append(measurement)
    }
    say(measurement.verdictText)
    writeResults()
  }

  /// Ends the story: puts out the verdict, writes the results for the last time, and says where they are.
  ///
  /// The verdict reads `fashion-mnist · VAE · test −ELBO 243.1 ± 0.5 nats/image | floor … | baseline … | 41 s`.
  /// - Parameters:
  ///   - name: the measurement that decides, by default the first.
  ///   - data: the law or data set.
  ///   - model: the model, by default the lesson's suffix.
  public func finish(
    verdict name: String? = nil, data: String, model: String? = nil, line: Int = #line, file: String = #filePath
  ) {
    let results = state.withLock { $0.results }
    let chosen = results.measurements.first { name == nil || $0.name == name }
    let parts = [data, model ?? lesson.split(separator: "-").last.map(String.init) ?? lesson, chosen?.verdictText]
    let time = readable(seconds: seconds() - state.withLock { $0.start })
    writeResults()
    say("\n" + terminal.bold(parts.compactMap { $0 }.joined(separator: " · ") + " | " + time))
    say("results: \(path("results.json"))")
  }

  /// Writes `results.json` as far as it is known.
  func writeResults() {
    let results = state.withLock { state in
      state.results.seconds = seconds() - state.start
      return state.results
    }
    warning("results.json") { try output.write(Data(results.json.utf8), to: "results.json") }
  }
}

extension Notebook {
  /// Puts out lines of text, above a progress bar if there is one.
  func say(_ text: String) {
    let isBarShown = state.withLock { state in
      defer { state.isBarShown = false }
      return state.isBarShown
    }
    terminal.write((isBarShown ? "\r\u{1B}[K" : "") + text + "\n")
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
    let isNew = state.withLock { $0.warnings.insert(message).inserted }
    if isNew { writeWarning(message) }
  }

  /// A file of the output folder, as one would type it from here.
  func path(_ name: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    let file = folder.appendingPathComponent(name).path
    return file.hasPrefix(here) ? String(file.dropFirst(here.count)) : file
  }
}

/// Seconds on a clock that never goes back.
func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

/// A number with the decimals its own type shows: `Float(0.1)` gives 0.1.
private func decimal(_ value: any BinaryFloatingPoint) -> Double {
  if let value = value as? Float { return Double("\(value)") ?? Double(value) }
  return Double(value)
}
