import Datasets
import Foundation
import Tensors
import Testing

/// Pearson's statistic of counts against probabilities as a standard normal number (Wilson & Hilferty, 1931).
///
/// Above 5.5 with probability below 2e-8 if the probabilities are right; expected counts below 5 are put together.
func chiSquared(_ counts: [Int], _ probabilities: [Double]) -> Double {
  let total = Double(counts.reduce(0, +))
  var (statistic, cells, pooledCount, pooledExpected) = (0.0, 0.0, 0.0, 0.0)
  for (count, probability) in zip(counts, probabilities) {
    let expected = probability * total
    guard expected >= 5 else {
      pooledCount += Double(count)
      pooledExpected += expected
      continue
    }
    statistic += (Double(count) - expected) * (Double(count) - expected) / expected
    cells += 1
  }
  if pooledExpected > 0.5 {
    statistic += (pooledCount - pooledExpected) * (pooledCount - pooledExpected) / pooledExpected
    cells += 1
  } else if pooledCount > 10 {
    return .infinity
  }
  let freedom = cells - 1
  return (cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)).squareRoot()
}

/// How many standard errors the mean of −log p lies from `entropy`.
///
/// Above 5.5 with probability below 4e-8 for the right entropy and so many samples that their mean is normal.
func entropyDeviation(_ logProbabilities: Tensor, _ entropy: Double) -> Double {
  let values = logProbabilities.scalars.map { -Double($0) }
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  let error = (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
  return abs(mean - entropy) / max(error, 1e-7 * max(1, abs(entropy)))
}

/// What a mistake prints.
func text(_ result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}

/// Whether two numbers differ by less than `tolerance`.
func near(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { abs(a - b) < tolerance }

/// Whether two numbers differ by less than `tolerance`.
func near(_ a: Float, _ b: Float, _ tolerance: Float) -> Bool { abs(a - b) < tolerance }
