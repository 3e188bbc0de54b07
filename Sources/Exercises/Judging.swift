import Foundation

extension Comparison {
  /// What is wrong with the values that an implementation gave; `nil` if they are right.
  func firstDifference(_ values: [ProbeValue], from reference: [ProbeValue]) -> Difference? {
    guard values.count == reference.count else {
      return Difference(
        name: "values", summary: "\(values.count) values came, not \(reference.count)", shape: [values.count],
        expectedShape: [reference.count], index: nil, found: nil, expected: nil, maximumError: nil,
        tolerance: tolerance, wrongCount: abs(values.count - reference.count))
    }
    for (value, right) in zip(values, reference) {
      if let difference = difference(value, from: right) { return difference }
    }
    return nil
  }

  /// Whether values are those of a known mistake; NaN where the mistake has NaN is a match.
  func matches(_ values: [ProbeValue], _ mistake: [ProbeValue]) -> Bool {
    guard values.count == mistake.count else { return false }
    return zip(values, mistake).allSatisfy { value, wrong in
      guard value.shape == wrong.shape, zip(value.scalars, wrong.scalars).allSatisfy({ $0.isNaN == $1.isNaN }) else {
        return false
      }
      return difference(value.withoutNaN, from: wrong.withoutNaN) == nil
    }
  }

  private func difference(_ value: ProbeValue, from reference: ProbeValue) -> Difference? {
    guard value.shape == reference.shape else {
      return describe(
        value, reference, "has shape \(value.shape), not \(reference.shape)", wrong: [], maximumError: nil)
    }
    if let index = value.scalars.indices.first(where: { value.scalars[$0].isNaN }) {
      return describe(value, reference, "is not a number", wrong: [index], maximumError: .nan)
    }
    switch self {
    case .close(let relative, let absolute): return distance(value, reference, relative, absolute)
    case .sameMoments(let limit): return momentDistance(value, reference, limit)
    case .logProbabilities(let slack): return divergence(value, reference, slack)
    }
  }

  private func distance(_ value: ProbeValue, _ reference: ProbeValue, _ relative: Float, _ absolute: Float)
    -> Difference?
  {
    var wrong: [Int] = []
    var maximumError: Float = 0
    for index in value.scalars.indices {
      let (found, right) = (value.scalars[index], reference.scalars[index])
      if found == right { continue }
      let error = abs(found - right)
      maximumError = max(maximumError, error)
      if !(error <= absolute + relative * abs(right)) || !found.isFinite { wrong.append(index) }
    }
    return wrong.isEmpty ? nil : describe(value, reference, "is wrong", wrong: wrong, maximumError: maximumError)
  }

  /// Means and variances of every column, in standard errors.
  private func momentDistance(_ value: ProbeValue, _ reference: ProbeValue, _ limit: Float) -> Difference? {
    let rows = value.shape.first ?? 1
    let columns = rows == 0 ? 0 : value.scalars.count / rows
    for column in 0..<columns {
      let index = [column]
      let (a, b) = (Moments(value.scalars, column, of: columns), Moments(reference.scalars, column, of: columns))
      for (what, distance) in [("mean", a.meanDistance(from: b)), ("variance", a.varianceDistance(from: b))]
      where !(distance <= Double(limit)) {
        return describe(
          value, reference, "has a wrong \(what) in column \(column)", wrong: index, maximumError: Float(distance))
      }
    }
    return nil
  }

  /// Whether log-probabilities sum to 1, and the divergence of the reference's law from theirs.
  private func divergence(_ value: ProbeValue, _ reference: ProbeValue, _ slack: Float) -> Difference? {
    let total = value.scalars.reduce(0) { $0 + exp(Double($1)) }
    guard abs(total - 1) < 1e-3 else {
      return describe(
        value, reference, "are log-probabilities that sum to \(total), not 1", wrong: [],
        maximumError: Float(abs(total - 1)))
    }
    let divergence = zip(value.scalars, reference.scalars).reduce(0.0) { sum, pair in
      pair.1 == -.infinity ? sum : sum + exp(Double(pair.1)) * Double(pair.1 - pair.0)
    }
    if divergence <= Double(slack) { return nil }
    return describe(
      value, reference, "are further than allowed from the right law", wrong: [], maximumError: Float(divergence))
  }

  private func describe(
    _ value: ProbeValue, _ reference: ProbeValue, _ summary: String, wrong: [Int], maximumError: Float?
  ) -> Difference {
    let isSameShape = value.shape == reference.shape
    let first = isSameShape ? wrong.first : nil
    return Difference(
      name: reference.name, summary: summary, shape: value.shape, expectedShape: reference.shape,
      index: first.map { indices(of: $0, in: value.shape) }, found: first.map { "\(value.scalars[$0])" },
      expected: first.map { "\(reference.scalars[$0])" }, maximumError: maximumError.map { "\($0)" },
      tolerance: tolerance, wrongCount: wrong.count)
  }

  /// What distance is allowed, in words.
  var tolerance: String {
    switch self {
    case .close(let relative, let absolute): "\(absolute) + \(relative) · |right value|"
    case .sameMoments(let limit): "\(limit) standard errors"
    case .logProbabilities(let slack): "\(slack) nats"
    }
  }
}

/// The index along each axis of a value in row-major order.
private func indices(of position: Int, in shape: [Int]) -> [Int] {
  var (rest, result) = (position, [Int](repeating: 0, count: shape.count))
  for axis in shape.indices.reversed() where shape[axis] > 0 {
    (rest, result[axis]) = rest.quotientAndRemainder(dividingBy: shape[axis])
  }
  return result
}

extension ProbeValue {
  fileprivate var withoutNaN: ProbeValue {
    ProbeValue(name: name, shape: shape, scalars: scalars.map { $0.isNaN ? 0 : $0 })
  }
}

/// Mean, variance and their standard errors.
private struct Moments {
  let mean, variance, meanError, varianceError: Double

  init(_ scalars: [Float], _ column: Int, of columns: Int) {
    let values = stride(from: column, to: scalars.count, by: columns).map { Double(scalars[$0]) }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let fourth = values.reduce(0) { $0 + pow($1 - mean, 4) } / count
    self.mean = mean
    self.variance = variance
    meanError = (variance / count).squareRoot()
    varianceError = (max(0, fourth - variance * variance) / count).squareRoot()
  }

  func meanDistance(from other: Moments) -> Double {
    abs(mean - other.mean) / (hypot(meanError, other.meanError) + 1e-6)
  }

  func varianceDistance(from other: Moments) -> Double {
    abs(variance - other.variance) / (hypot(varianceError, other.varianceError) + 1e-6)
  }
}
