import Foundation

/// One axis of a chart: its range, its ticks at round numbers, and how values become places.
struct Axis {
  let lower: Double
  let upper: Double
  let isLogarithmic: Bool
  /// Whether values grow from right to left, or downwards.
  let isReversed: Bool
  let ticks: [(value: Double, label: String)]

  /// An axis that holds all `values`, or exactly `range`.
  ///
  /// Values that are not finite are ignored, and on a logarithmic axis those that are not positive.
  init(
    holding values: some Sequence<Double>, range: ClosedRange<Double>? = nil, isLogarithmic: Bool = false,
    isReversed: Bool = false, margin: Double = 0.04, wantedTicks: Int = 6,
    smallestStep: Double = 0
  ) {
    var (low, high) = (Double.infinity, -Double.infinity)
    if let range, range.lowerBound.isFinite, range.upperBound.isFinite, !isLogarithmic || range.lowerBound > 0 {
      (low, high) = (range.lowerBound, range.upperBound)
    } else {
      for value in values where value.isFinite && abs(value) < 1e300 && (!isLogarithmic || value > 1e-300) {
        low = min(low, value)
        high = max(high, value)
      }
      if low > high { (low, high) = isLogarithmic ? (1, 10) : (0, 1) }
    }
    let room = range == nil ? margin : 0
    if isLogarithmic {
      if high <= low * 1.001 { (low, high) = (low / 2, high * 2) }
      let grown = pow(high / low, room)
      (lower, upper) = (low / grown, high * grown)
    } else {
      // Constant data: room about the value, wide enough that neighbouring doubles differ.
      if high - low <= max(abs(low), abs(high)) * 1e-9 {
        let reach = max(abs(low) * 0.1, low == 0 ? 1 : 0, 1e-300)
        (low, high) = (low - reach, high + reach)
      }
      (lower, upper) = (low - (high - low) * room, high + (high - low) * room)
    }
    self.isLogarithmic = isLogarithmic
    self.isReversed = isReversed
    ticks =
      isLogarithmic
      ? Self.logarithmicTicks(lower, upper)
      : Self.linearTicks(
        lower, upper, max((upper - lower) / Double(wantedTicks), smallestStep))
  }

  /// An axis of named places, one unit apart from 0 on.
  init(categories: [String]) {
    lower = -0.5
    upper = max(1, Double(categories.count)) - 0.5
    isLogarithmic = false
    isReversed = false
    ticks = categories.enumerated().map { (Double($0.offset), $0.element) }
  }

  /// Where a value lies between the ends, 0…1 inside.
  func position(of value: Double) -> Double {
    let share =
      isLogarithmic
      ? (log(max(value, 1e-305)) - log(lower)) / (log(upper) - log(lower)) : (value - lower) / (upper - lower)
    return isReversed ? 1 - share : share
  }

  /// Multiples of 1, 2 or 5 times a power of ten.
  private static func linearTicks(_ lower: Double, _ upper: Double, _ rough: Double) -> [(Double, String)] {
    guard rough > 0, rough.isFinite else { return [] }
    let power = pow(10, floor(log10(rough)))
    let step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10)
    let first = (lower / step - 1e-9).rounded(.up)
    let count = Int(min(100, max(0, (upper / step + 1e-9).rounded(.down) - first + 1)))
    return (0..<count).map { index in
      let value = (first + Double(index)) * step
      return (value, label(value, step: step, largest: max(abs(lower), abs(upper))))
    }
  }

  /// Powers of ten, and their 2- and 5-fold when there are few.
  private static func logarithmicTicks(_ lower: Double, _ upper: Double) -> [(Double, String)] {
    let (first, last) = (Int(floor(log10(lower))), Int(ceil(log10(upper))))
    let decades = log10(upper) - log10(lower)
    let factors: [Double] = decades > 3.5 ? [1] : decades > 0.6 ? [1, 2, 5] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]
    let every = max(1, Int((decades / 8).rounded(.up)))
    let exponents = (first...max(first, last)).filter { $0.isMultiple(of: every) }
    let values = exponents.flatMap { exponent -> [Double] in factors.map { $0 * pow(10, Double(exponent)) } }
    let inside = values.filter { $0 >= lower * 0.999999 && $0 <= upper * 1.000001 }
    return inside.map { ($0, shortened($0)) }
  }

  /// A tick's value with the decimals that its step needs.
  static func label(_ value: Double, step: Double, largest: Double) -> String {
    if abs(value) < step * 1e-6 { return "0" }
    let decimals = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
    let stepExponent = Int(floor(log10(step) + 1e-12))
    // A factor and a power for large and small numbers, unless neighbours differ only far behind the first digit.
    if decimals > 4 || largest >= 1e12 || (largest >= 1e6 && log10(largest / step) < 3) {
      let exponent = Int(floor(log10(abs(value)) + 1e-12))
      return scientific(value, exponent, digits: min(15, max(0, exponent - stepExponent)))
    }
    return withMinus(String(format: "%.\(decimals)f", value))
  }

  /// A value with about four significant digits.
  static func shortened(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : value > 0 ? "∞" : "−∞" }
    if value == 0 { return "0" }
    if abs(value) >= 9999.5 || abs(value) < 1e-3 {
      let exponent = Int(floor(log10(abs(value)) + 1e-12))
      return scientific(value, exponent, digits: 3)
    }
    return withMinus(String(format: "%.4g", value))
  }

  private static func scientific(_ value: Double, _ exponent: Int, digits: Int) -> String {
    var mantissa = String(format: "%.\(digits)f", value / pow(10, Double(exponent)))
    if mantissa.contains(".") {
      while mantissa.hasSuffix("0") { mantissa.removeLast() }
      if mantissa.hasSuffix(".") { mantissa.removeLast() }
    }
    let signs = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let digits = String(abs(exponent)).compactMap(\.wholeNumberValue)
    let raised = (exponent < 0 ? "⁻" : "") + String(digits.map { signs[$0] })
    let factor = mantissa == "1" ? "" : mantissa == "-1" ? "−" : withMinus(mantissa) + "×"
    return factor + "10" + raised
  }

  private static func withMinus(_ text: String) -> String { text.replacingOccurrences(of: "-", with: "−") }
}
