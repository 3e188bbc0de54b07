import Foundation

extension LessonNotebook {
  /// Tells how far a loop is, with its rate and the time left; costs next to nothing when called at each step.
  ///
  /// A terminal shows one bar, redrawn; a pipe gets a line at the beginning, at the end, and every five seconds.
  /// - Parameters:
  ///   - step: the number of steps done.
  ///   - total: the number of steps there will be.
  ///   - unit: what is counted.
  ///   - loss: the step's loss; one that is not finite stops the program as `check` does.
  ///   - detail: more to show, such as the parts of the loss; made only when it is shown.
  public func progress(
    _ step: Int, of total: Int, unit: String = "step", loss: Float? = nil, detail: @autoclosure () -> String = "",
    line: Int = #line, file: String = #filePath
  ) {
    if let loss { check(loss, step: step) }
    let now = seconds()
    if state.withLock({ $0.meter?.continues(line: line, step: step, total: total) }) != true {
      begin(ProgressMeter(line: line, unit: unit, step: step, total: total, now: now, place: place(line, file)))
    }
    let shown: ProgressMeter? = state.withLock { state in
      let isDue = state.meter?.advance(
        to: step, loss: loss.map(Double.init), now: now, interval: terminal.isInteractive ? 0.1 : 5)
      return isDue == true ? state.meter : nil
    }
    guard let shown else { return }
    let detail = detail()
    draw(shown, detail: detail)
    record(shown, detail: detail)
  }

  private func begin(_ meter: ProgressMeter) {
    state.withLock { state in
      state.meter = meter
      state.meterCount += 1
    }
  }

  private func draw(_ meter: ProgressMeter, detail: String) {
    let full = meter.text(detail: detail)
    guard terminal.isInteractive else { return say(full) }
    let text = full.count + 12 > terminal.width ? meter.text(detail: "") : full
    let width = min(24, terminal.width - text.count - 4)
    let line = width >= 8 ? "  \(meter.bar(width: width)) \(text)" : "  \(text.prefix(terminal.width - 3))"
    terminal.write("\r\u{1B}[K" + line + (meter.isComplete ? "\n" : ""))
    state.withLock { $0.isBarShown = !meter.isComplete }
  }

  /// Puts the loop's state into the page.
  func record(_ meter: ProgressMeter, detail: String) {
    let serial = state.withLock { $0.meterCount }
    put(CellOutput(progress: meter, detail: detail, serial: serial), line: meter.place)
  }
}
