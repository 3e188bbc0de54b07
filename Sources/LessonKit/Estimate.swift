import Notebook
import Tensors

/// The mean of a quantity over independent examples, and how far it may be off.
public struct Estimate: Sendable {
  /// The mean.
  public let mean: Float
  /// The standard deviation of the mean.
  public let standardError: Float

  /// The mean of values measured on independent examples, `[count]`.
  public init(_ values: Tensor) {
    mean = values.mean().scalar
    // The variance is about the values' own mean: with count − 1 it is right for a few values, too.
    standardError = (values.variance().scalar / Float(max(1, values.count - 1))).squareRoot()
  }

  /// A mean and its standard error, both known.
  public init(mean: Float, standardError: Float) {
    self.mean = mean
    self.standardError = standardError
  }

  /// The same measurement from another zero.
  public static func + (offset: Double, estimate: Estimate) -> Estimate {
    Estimate(mean: Float(offset + Double(estimate.mean)), standardError: estimate.standardError)
  }
}

extension LessonNotebook {
  /// Records an estimate with its standard error; see the measurement of a single value.
  public func measure(
    _ name: String, _ estimate: Estimate, unit: String? = nil, floor: (any BinaryFloatingPoint)? = nil,
    baseline: (any BinaryFloatingPoint)? = nil, baselineName: String = "baseline", line: Int = #line,
    file: String = #filePath
  ) {
    measure(
      name, estimate.mean, standardError: estimate.standardError, unit: unit, floor: floor, baseline: baseline,
      baselineName: baselineName, line: line, file: file)
  }
}
