/// How a case's values are compared with the reference's.
public enum Comparison: Codable, Sendable, Equatable {
  /// Equal but for rounding: |value − reference| ≤ absolute + relative · |reference| everywhere.
  ///
  /// The defaults leave room for any order of operations in Float32 on sums of up to some thousand terms of size 1.
  case close(relative: Float = 1e-4, absolute: Float = 5e-5)
  /// Independent samples `[count, …]` of one law: means and variances agree within this many standard errors.
  case sameMoments(standardErrors: Float = 6)
  /// Log-probabilities in nats over all outcomes: they sum to 1 and their mean lies at most `slack` below the reference's.
  case logProbabilities(slack: Float)
}
