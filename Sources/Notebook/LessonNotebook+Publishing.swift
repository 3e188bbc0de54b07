import Foundation

extension LessonNotebook {
  /// Ends the story: puts out the verdict, writes the page for the last time, and says where it is.
  ///
  /// The verdict reads `fashion-mnist · VAE · test −ELBO 243.1 ± 0.5 nats/image | floor … | baseline … | 41 s`.
  /// - Parameters:
  ///   - name: the measurement that decides, by default the first.
  ///   - data: the law or data set.
  ///   - model: the model, by default the lesson's suffix.
  ///   - picture: the figure that stands for the lesson in the course's index, by default the first.
  public func finish(verdict name: String? = nil, data: String, model: String? = nil, picture: String? = nil) {
    let results = state.withLock { $0.results }
    let chosen = results.measurements.first { name == nil || $0.name == name }
    if let name, chosen == nil { warn("finish: nothing called \(name) was measured") }
    let parts = [data, model ?? lesson.split(separator: "-").last.map(String.init) ?? lesson, chosen?.verdictText]
    let time = readable(seconds: seconds() - state.withLock { $0.start })
    let verdict = parts.compactMap { $0 }.joined(separator: " · ") + " | " + time
    if let picture { state.withLock { $0.page.picture = OutputFolder.fileName(picture) + ".png" } }
    writeResults()
    close(.finished(verdict: verdict))
    say("\n" + terminal.bold(verdict))
    let index = course.map { " (all lessons: \(path("index.html", in: $0)))" } ?? ""
    say("page: \(path("index.html"))\(index)")
  }

  /// Writes `results.json` as far as it is known.
  func writeResults() {
    let results = state.withLock { state in
      state.results.seconds = seconds() - state.start
      return state.results
    }
    warning("results.json") { try output.write(Data(results.json.utf8), to: "results.json") }
  }

  /// Writes the page if the last time is long enough ago that this costs at most a twenty-fifth of the run.
  func publish() {
    let now = seconds()
    if state.withLock({ now - $0.published > max(1, 25 * $0.publishingCost) }) { writePage() }
  }

  /// Writes `index.html` and `notebook.ipynb`.
  private func writePage() {
    let start = seconds()
    let page = state.withLock { $0.page }
    warning("the page") {
      try output.write(Data(page.html.utf8), to: "index.html")
      try output.write(Data(page.jupyter.utf8), to: "notebook.ipynb")
    }
    let end = seconds()
    state.withLock { ($0.published, $0.publishingCost) = (end, end - start) }
  }

  /// Writes the page for the last time, and the course's index.
  private func close(_ status: PageContent.Status) {
    state.withLock { $0.page.status = status }
    writePage()
    guard let course else { return }
    warning("the index") {
      try OutputFolder(course.path).write(Data(CourseIndex(reading: course).html.utf8), to: "index.html")
    }
  }

  /// Stops the program with one clear line if a quantity is not finite, naming the step and what to try.
  public func check(_ value: Float, step: Int, quantity: String = "loss") {
    guard !value.isFinite else { return }
    let problem = "the \(quantity) is \(value) at step \(step)"
    stopped("stopped: \(problem)")
    writeError(
      """
      \(problem); try a smaller learning rate, clip the gradients, or another --seed; \
      what was written before is in \(path(""))
      """)
    end(EXIT_FAILURE)
  }

  /// Whether Ctrl-C was pressed, or the process asked to end; a lesson that looks is let go on until it stops itself.
  public var isInterrupted: Bool {
    interruption.lessonLooks()
    return interruption.signal != 0
  }

  /// Ends the program after an interruption, when `save` has written what `--resume` needs; otherwise does nothing.
  ///
  /// Call it at the end of each step.
  public func stopIfInterrupted(saving save: () throws -> Void) {
    guard isInterrupted else { return }
    orStop(save)
    endInterrupted(signal: interruption.signal)
  }

  /// Says where the run ended and how to go on, and exits with 130 for Ctrl-C and 143 for a request to end.
  func endInterrupted(signal: Int32) -> Never {
    let place = state.withLock { $0.meter.map { " at \($0.unit) \(readable($0.step)) of \(readable($0.total))" } } ?? ""
    stopped("interrupted\(place)")
    say("interrupted\(place); continue with --resume; what is written so far is in \(path(""))")
    end(128 + signal)
  }

  /// Writes the page as it is; from now on no other thread writes.
  private func stopped(_ reason: String) {
    output.lock.lock()
    if let meter = state.withLock({ $0.meter }) { record(meter, detail: "") }
    if state.withLock({ $0.isBarShown }) { terminal.write("\n") }
    state.withLock { $0.isBarShown = false }
    close(.stopped(reason))
  }
}
