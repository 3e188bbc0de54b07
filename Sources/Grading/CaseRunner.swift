import Exercises
import Foundation

/// Runs cases in a worker's sandbox and judges their values, outside it.
struct CaseRunner: Sendable {
  let sandbox: Sandbox
  let root: SandboxRoot
  let recorded: RecordedLesson
  /// The authors' build, that shows whether the sandbox works.
  let reference: URL

  private var prober: Prober {
    var prober = Prober(executable: sandbox.lessonPath(in: root), timeLimit: 3 * Double(sandbox.limits.seconds))
    prober.wrapper = sandbox.runCommand(root: root)
    return prober
  }

  /// The result of one case of the executable in the root folder.
  func grade(_ exercise: RecordedExercise, case index: Int) -> CaseGrade {
    let request = ProbeRequest(exercise: exercise.outline.id, case: index, seed: recorded.seed)
    var (outcome, run) = prober.observe(request)
    sandbox.killAll(of: root.user)
    if Self.mayBeOurs(outcome, run) {
      if let reason = sandboxFailure() { return CaseGrade(.notGraded, message: "the sandbox failed", detail: reason) }
      (outcome, run) = prober.observe(request)
      sandbox.killAll(of: root.user)
    }
    let comparison = exercise.outline.cases[index].comparison
    let verdict = Verdict(outcome, against: exercise.cases[index], by: comparison)
    let status = Self.status(verdict.status, run, limits: sandbox.limits)
    return CaseGrade(
      status, mistakes: status == .failed ? verdict.mistakes : [],
      message: Self.message(status, verdict, run, limits: sandbox.limits),
      detail: verdict.detail ?? verdict.difference.map(Self.detail),
      seconds: run.map { ($0.seconds * 1000).rounded() / 1000 })
  }

  /// Whether a process may have ended before the student's code began.
  private static func mayBeOurs(_ outcome: ProbeOutcome, _ run: ChildOutcome?) -> Bool {
    switch outcome {
    case .notStarted: return true
    case .crashed:
      guard let run, case .exited = run.ending else { return false }
      let text = String(decoding: run.errors.prefix(4096), as: UTF8.self)
      return text.hasPrefix("bwrap: ") || text.hasPrefix("confine: ")
        || text.contains("error while loading shared libraries")
    default: return false
    }
  }

  /// Why the sandbox does not even run the authors' build; `nil` if it does. A student may print what a sandbox would.
  func sandboxFailure() -> String? {
    let students = root.url.deletingLastPathComponent().appending(path: "aside-\(root.url.lastPathComponent)")
    FileSystem.remove(students)
    do {
      try? FileManager.default.linkItem(at: root.lesson, to: students)
      try root.place(reference)
      defer {
        try? root.place(students)
        FileSystem.remove(students)
      }
      _ = try prober.outlines()
      return nil
    } catch { return "\(error)" }
  }

  /// What a sandbox makes of signals and of memory that is refused.
  static func status(_ status: CaseStatus, _ run: ChildOutcome?, limits: GradingLimits) -> CaseStatus {
    guard status == .crashed, let run else { return status }
    let signal =
      switch run.ending {
      case .signalled(let signal): signal
      case .exited(let code) where code > 128: code - 128
      default: Int32(0)
      }
    if signal == SIGXCPU { return .timedOut }
    if signal == SIGKILL { return run.seconds >= Double(limits.seconds) ? .timedOut : .outOfMemory }
    let errors = String(decoding: run.errors, as: UTF8.self).lowercased()
    let refusals = ["failed to allocate", "could not allocate", "cannot allocate memory", "out of memory"]
    return refusals.contains(where: errors.contains) ? .outOfMemory : .crashed
  }

  private static func detail(_ difference: Difference) -> String {
    let place =
      difference.index.map { " at \($0): \(difference.found ?? "") in place of \(difference.expected ?? "")" } ?? ""
    let error = difference.maximumError.map { "; largest error \($0)" } ?? ""
    return "\(difference.name) \(difference.summary)\(place)\(error)"
  }
}

extension CaseRunner {
  /// What a student is told: nothing through which the student's process could tell what it saw.
  static func message(_ status: CaseStatus, _ verdict: Verdict, _ run: ChildOutcome?, limits: GradingLimits) -> String?
  {
    switch status {
    case .failed: verdict.difference.map(message) ?? "too many values came"
    case .timedOut: "no values came within \(limits.seconds) s"
    case .outOfMemory: "it wanted more than \(limits.memory >> 20) MiB of memory"
    case .crashed: "the program ended before it gave values" + (run.flatMap(knownMessage).map { ": \($0)" } ?? "")
    default: nil
    }
  }

  private static func message(_ difference: Difference) -> String {
    if difference.shape != difference.expectedShape {
      // Any other shape might be a message about the hidden inputs.
      let known = Set(difference.expectedShape + [1])
      let isPlain = difference.shape.count <= 4 && difference.shape.allSatisfy(known.contains)
      let came = isPlain ? "shape \(difference.shape)" : "another shape"
      return "\(difference.name) has \(came), not \(difference.expectedShape)"
    }
    if difference.summary.contains("not a number") { return "\(difference.name) is not a number somewhere" }
    return "\(difference.name) is wrong"
  }

  private static let knownMessages = [
    "Index out of range", "Division by zero", "Division by zero in remainder operation", "Array index is out of range",
    "Unexpectedly found nil while unwrapping an Optional value", "Range requires lowerBound <= upperBound",
    "arithmetic overflow", "Negative count not allowed", "Not enough bits to represent the passed value",
  ]

  /// What the language's own checks say, word for word.
  private static func knownMessage(_ run: ChildOutcome) -> String? {
    let text = String(decoding: run.errors, as: UTF8.self)
    return knownMessages.first { text.contains("Fatal error: \($0)") }
  }
}
