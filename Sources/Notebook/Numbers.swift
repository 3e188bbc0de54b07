import Foundation

/// A number as a reader wants it: whole, or with five significant digits, thousands separated, powers of ten only at the extremes.
func readable(_ value: Double) -> String {
  guard value.isFinite else { return "\(value)" }
  let size = abs(value)
  if size < 1e7, let whole = Int(exactly: value) { return readable(whole) }
  if size >= 1e7 || size < 1e-4 { return String(format: "%.3e", value) }
  let whole = size < 1 ? 1 : Int(log10(size)) + 1
  return fixed(value, decimals: max(0, 5 - whole))
}

/// A number with as many decimals as its standard error makes meaningful, and the error: `243.1 ± 0.5`.
func readable(_ value: Double, standardError: Double?) -> String {
  guard let standardError, standardError.isFinite, standardError > 0, value.isFinite else { return readable(value) }
  let decimals = Int((-log10(standardError)).rounded(.up))
  guard (0...6).contains(decimals) else { return "\(readable(value)) ± \(readable(standardError))" }
  return "\(fixed(value, decimals: decimals)) ± \(fixed(standardError, decimals: decimals))"
}

/// A count with its thousands separated.
func readable(_ count: Int) -> String {
  var digits = Array(String(count.magnitude))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return (count < 0 ? "-" : "") + String(digits)
}

/// A time as `41 s`, `3 min 20 s` or `2 h 05 min`.
func readable(seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "–" }
  if seconds < 9.95 { return String(format: "%.1f s", seconds) }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return String(format: "%d h %02d min", whole / 3600, whole / 60 % 60)
}

private func fixed(_ value: Double, decimals: Int) -> String {
  let text = String(format: "%.\(decimals)f", abs(value))
  let parts = text.split(separator: ".")
  let whole = Int(parts[0]).map(readable) ?? String(parts[0])
  let sign = value < 0 && text.contains { $0 != "0" && $0 != "." } ? "-" : ""
  return sign + (parts.count == 2 ? "\(whole).\(parts[1])" : whole)
}

/// A value of a table's cell as text: numbers readable, everything else as it describes itself.
func cellText(_ value: Any) -> (text: String, isNumber: Bool) {
  switch value {
  case let value as Double: (readable(value), true)
  case let value as Float: (readable(Double(value)), true)
  case let value as any BinaryInteger: (Int(exactly: value).map(readable) ?? "\(value)", true)
  default: (String(describing: value), false)
  }
}
