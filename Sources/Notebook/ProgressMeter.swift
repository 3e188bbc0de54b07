import Foundation

/// Turns the steps of a loop into what a reader sees of it now and then: rate, time left, and the loss.
struct ProgressMeter: Sendable {
  /// The line of source of the call, which identifies the loop.
  let line: Int
  /// The line if it is one of the notebook's source.
  let place: Int?
  /// What is counted, such as `step`.
  let unit: String
  /// The number of steps in all.
  private(set) var total: Int
  /// The last step that is done.
  private(set) var step: Int
  /// The loss at some of the steps, at most 400 of them.
  private(set) var history: [(step: Int, loss: Double)] = []
  /// Seconds the loop has taken.
  private(set) var elapsed = 0.0

  private let firstStep: Int
  private let start: Double
  private var lastShown = -Double.infinity
  private var stride = 1
  private var sum = 0.0
  private var count = 0

  /// A loop whose first step is done at `now`, in seconds.
  init(line: Int, unit: String, step: Int, total: Int, now: Double, place: Int? = nil) {
    self.line = line
    self.place = place
    self.unit = unit
    self.total = total
    self.step = step
    firstStep = step
    start = now
  }

  /// Whether a call belongs to this loop rather than to a new one.
  func continues(line: Int, step: Int, total: Int) -> Bool {
    line == self.line && step >= self.step && total == self.total && self.step < self.total
  }

  /// Whether all steps are done.
  var isComplete: Bool { step >= total }

  /// Notes a step; true if it is time to show it, `interval` seconds after the last one shown.
  mutating func advance(to step: Int, loss: Double?, now: Double, interval: Double) -> Bool {
    self.step = step
    elapsed = now - start
    if let loss { note(loss) }
    guard now - lastShown >= interval || isComplete else { return false }
    lastShown = now
    return true
  }

  /// Means over windows of steps: when there are too many, neighbours are merged.
  private mutating func note(_ loss: Double) {
    sum += loss
    count += 1
    guard count >= stride || isComplete else { return }
    history.append((step, sum / Double(count)))
    (sum, count) = (0, 0)
    guard history.count >= 400 else { return }
    history = Swift.stride(from: 0, to: history.count - 1, by: 2).map {
      (history[$0 + 1].step, (history[$0].loss + history[$0 + 1].loss) / 2)
    }
    stride *= 2
  }

  /// The loss of late: the last mean, or what has been seen since.
  var loss: Double? { count > 0 ? sum / Double(count) : history.last?.loss }

  /// The state in words: `step 340/1,500 · loss 243.10 · 68 steps/s · 17 s left`.
  func text(detail: String) -> String {
    var parts = ["\(unit) \(readable(step))/\(readable(total))"]
    if let loss { parts.append("loss \(readable(loss))") }
    if !detail.isEmpty { parts.append(detail) }
    let rate = Double(step - firstStep) / elapsed
    if rate.isFinite && rate > 0 {
      parts.append(rate >= 1 ? "\(readable(rate, digits: 3)) \(unit)s/s" : "\(readable(seconds: 1 / rate))/\(unit)")
      parts.append(isComplete ? readable(seconds: elapsed) : "\(readable(seconds: Double(total - step) / rate)) left")
    }
    return parts.joined(separator: " · ")
  }

  /// A bar of eighths of a character, `width` characters wide.
  func bar(width: Int) -> String {
    let share = total > 0 ? min(1, max(0, Double(step) / Double(total))) : 1
    let eighths = Int(share * Double(width * 8))
    let partial =
      eighths % 8 == 0 ? "" : String("▏▎▍▌▋▊▉"["▏▎▍▌▋▊▉".index("▏▎▍▌▋▊▉".startIndex, offsetBy: eighths % 8 - 1)])
    let bar = String(repeating: "█", count: eighths / 8) + partial
    return bar + String(repeating: "░", count: width - bar.count)
  }
}

/// A number with few digits, for rates.
private func readable(_ value: Double, digits: Int) -> String {
  value >= 100 ? readable(Int(value.rounded())) : String(format: "%.\(digits)g", value)
}
