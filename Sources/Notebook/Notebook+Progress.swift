import Foundation

extension Notebook {
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
    if let loss, !loss.isFinite { check(loss, step: step) }
    let now = seconds()
    let shown: ProgressMeter? = state.withLock { state in
      if state.meter?.continues(line: line, step: step, total: total) != true {
        state.meter = ProgressMeter(line: line, unit: unit, step: step, total: total, now: now)
      }
      let isDue = state.meter!.advance(
        to: step, loss: loss.map(Double.init), now: now, interval: terminal.isInteractive ? 0.1 : 5)
      return isDue ? state.meter : nil
    }
    if let shown { draw(shown, detail: detail()) }
  }

  private func draw(_ meter: ProgressMeter, detail: String) {
    let text = meter.text(detail: detail)
    guard terminal.isInteractive else { return say(text) }
    let width = min(24, terminal.width - text.count - 4)
    let line = width >= 8 ? "  \(meter.bar(width: width)) \(text)" : "  \(text.prefix(terminal.width - 3))"
    terminal.write("\r\u{1B}[K" + line + (meter.isComplete ? "\n" : ""))
    state.withLock { $0.isBarShown = !meter.isComplete }
  }

  /// Stops the program with one clear line if a quantity is not finite, naming the step and what to try.
  public func check(_ value: Float, step: Int, quantity: String = "loss") {
    guard !value.isFinite else { return }
    stop(
      """
      the \(quantity) is \(value) at step \(step); try a smaller learning rate, clip the gradients, or another --seed; \
      what was written before is in \(path(""))
      """)
  }

  /// Writes what is known and ends the program with an error.
  private func stop(_ message: String) -> Never {
    say("")
    writeError(message)
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
    say("interrupted\(place); continue with --resume; what is written so far is in \(path(""))")
    end(128 + signal)
  }
}
