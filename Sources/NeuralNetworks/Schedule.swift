import Foundation
import Tensors

/// A learning rate as a function of the number of steps taken.
///
/// ```swift
/// let schedule = Schedule.cosine(from: 1e-3, steps: 9500).warmedUp(steps: 500)
/// optimizer.learningRate = schedule(optimizer.step)
/// ```
public struct Schedule: Sendable {
  private let rate: @Sendable (Int) -> Float

  /// The schedule that a function of the step gives.
  public init(_ rate: @escaping @Sendable (Int) -> Float) { self.rate = rate }

  /// The rate for the step after `step` steps.
  public func callAsFunction(_ step: Int) -> Float { rate(step) }

  /// One rate for all steps.
  public static func constant(_ rate: Float) -> Schedule { Schedule { _ in rate } }

  /// A straight line over `steps` steps, then its end; `LinearLR` in PyTorch.
  public static func linear(from start: Float, to end: Float, steps: Int) -> Schedule {
    Schedule { start + (end - start) * fraction($0, of: steps) }
  }

  /// Half a period of a cosine over `steps` steps, then its end (Loshchilov & Hutter 2016, arXiv 1608.03983, equation
  /// 5); `CosineAnnealingLR` in PyTorch.
  public static func cosine(from start: Float, to end: Float = 0, steps: Int) -> Schedule {
    Schedule { end + (start - end) * (1 + cos(.pi * fraction($0, of: steps))) / 2 }
  }

  /// A rate that is multiplied by `factor` after every `interval` steps; `StepLR` in PyTorch.
  ///
  /// - Precondition: `interval` is 1 or more.
  public static func steps(from start: Float, factor: Float, every interval: Int) -> Schedule {
    guard interval > 0 else { fail("Schedule.steps", "needs an interval of 1 step or more, not \(interval)") }
    return Schedule { start * Float(pow(Double(factor), Double(max(0, $0) / interval))) }
  }

  /// This schedule for `steps` steps, then another from its beginning; `SequentialLR` in PyTorch.
  public func followed(by next: Schedule, after steps: Int) -> Schedule {
    Schedule { $0 < steps ? self($0) : next($0 - steps) }
  }

  /// A straight line from 0 to this schedule's first rate over `steps` steps, then this schedule from its beginning.
  public func warmedUp(steps: Int) -> Schedule {
    Schedule.linear(from: 0, to: self(0), steps: steps).followed(by: self, after: steps)
  }

  /// The product of two schedules at each step.
  public static func * (a: Schedule, b: Schedule) -> Schedule { Schedule { a($0) * b($0) } }

  /// How far `step` is on the way to `steps`: 0…1.
  private static func fraction(_ step: Int, of steps: Int) -> Float {
    steps > 0 ? min(1, max(0, Float(step) / Float(steps))) : 1
  }
}
