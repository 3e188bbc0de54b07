import Testing

@testable import Notebook

@Suite struct ProgressTests {
  @Test("Rate and time left follow from the steps since the loop began, also one that was resumed")
  func rate() {
    var meter = ProgressMeter(line: 1, unit: "step", step: 500, total: 1000, now: 10)
    _ = meter.advance(to: 500, loss: 3, now: 10, interval: 5)
    _ = meter.advance(to: 700, loss: 2, now: 20, interval: 5)
    #expect(meter.text(detail: "KL 1") == "step 700/1,000 · loss 2 · KL 1 · 20 steps/s · 15 s left")
  }

  @Test("The first step, the last, and one every interval are shown")
  func interval() {
    var meter = ProgressMeter(line: 1, unit: "step", step: 1, total: 100, now: 0)
    let shown = (1...100).filter { meter.advance(to: $0, loss: nil, now: Double($0), interval: 30) }
    #expect(shown == [1, 31, 61, 91, 100])
  }

  @Test("A long loop's losses are kept as means over windows")
  func history() {
    var meter = ProgressMeter(line: 1, unit: "step", step: 1, total: 10_000, now: 0)
    for step in 1...10_000 { _ = meter.advance(to: step, loss: Double(step), now: 0, interval: 5) }
    #expect((200...400).contains(meter.history.count))
    #expect(meter.history.last?.step == 10_000)
    #expect(zip(meter.history, meter.history.dropFirst()).allSatisfy { $0.loss < $1.loss && $0.step < $1.step })
  }

  @Test("A bar is as wide as asked, and filled by the share that is done")
  func bar() {
    var meter = ProgressMeter(line: 1, unit: "step", step: 1, total: 16, now: 0)
    _ = meter.advance(to: 5, loss: nil, now: 1, interval: 0)
    #expect(meter.bar(width: 8) == "██▌░░░░░")
  }

  @Test("A pipe gets plain lines, a terminal one line that is redrawn")
  func terminals() throws {
    let folder = TemporaryFolder()
    let (pipe, screen) = (Screen(), Screen())
    let plain = try openNotebook(in: folder, screen: pipe)
    for step in 1...1000 { plain.progress(step, of: 1000, loss: 1) }
    #expect(pipe.text.split(separator: "\n").count == 2 && !pipe.text.contains("\u{1B}"))
    let drawn = LessonNotebook(
      lesson: "L", title: "T", options: try .parse([]), source: folder.path + "/main.swift",
      output: try OutputFolder(folder.path), terminal: screen.terminal(interactive: true))
    drawn.progress(1, of: 2)
    drawn.print("between")
    drawn.progress(2, of: 2)
    let lines = screen.text.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasSuffix("\r\u{1B}[Kbetween") && lines[1].contains("████"))
  }
}
