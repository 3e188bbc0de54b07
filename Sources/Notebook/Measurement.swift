import Foundation

/// A measured quantity with all that gives it a meaning.
struct Measurement: Sendable, Equatable {
  /// What was measured, such as `test −ELBO`.
  var name: String
  /// The measured value, in `unit`.
  var value: Double
  /// The standard error of `value`, if it is known.
  var standardError: Double?
  /// The unit, such as `nats/image`.
  var unit: String?
  /// The best value any model can reach, where it is known exactly.
  var floor: Double?
  /// What a trivial model reaches.
  var baseline: Double?
  /// What the trivial model is, such as `one Gaussian`.
  var baselineName = "baseline"

  /// The value with its error and unit: `243.1 ± 0.5 nats/image`.
  var valueText: String {
    readable(value, standardError: standardError) + (unit.map { " \($0)" } ?? "")
  }

  /// The measurement as part of a verdict: name, value, floor and baseline.
  var verdictText: String {
    "\(name) \(valueText)" + (floor.map { " | floor \(readable($0))" } ?? "")
      + (baseline.map { " | \(baselineName) \(readable($0))" } ?? "")
  }
}

/// What `results.json` holds.
struct Results {
  var lesson: String
  var title: String
  var seed: UInt64
  var size: LessonSize
  var seconds = 0.0
  var parameters: Int?
  var measurements: [Measurement] = []

  /// Adds a measurement, in the place of an earlier one of its name.
  mutating func record(_ measurement: Measurement) {
    if let place = measurements.firstIndex(where: { $0.name == measurement.name }) {
      measurements[place] = measurement
    } else {
      measurements.append(measurement)
    }
  }

  /// The file's text; what is not known, or is not a finite number, is `null`.
  var json: String {
    let lines = measurements.map { "    \(Self.json($0))" }
    return """
      {
        "lesson": \(jsonString(lesson)),
        "title": \(jsonString(title)),
        "seed": \(seed),
        "size": \(jsonString(size.rawValue)),
        "seconds": \(Self.number((seconds * 1000).rounded() / 1000)),
        "parameters": \(parameters.map(String.init) ?? "null"),
        "measurements": [\(lines.isEmpty ? "" : "\n" + lines.joined(separator: ",\n") + "\n  ")]
      }

      """
  }

  private static func json(_ measurement: Measurement) -> String {
    let fields = [
      "\"name\": \(jsonString(measurement.name))",
      "\"value\": \(number(measurement.value))",
      "\"standardError\": \(number(measurement.standardError))",
      "\"unit\": \(measurement.unit.map(jsonString) ?? "null")",
      "\"floor\": \(number(measurement.floor))",
      "\"baseline\": \(number(measurement.baseline))",
    ]
    return "{\(fields.joined(separator: ", "))}"
  }

  private static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return "\(value)"
  }
}

/// A text as JSON writes it, safe inside HTML's `script` too.
func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{0}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}": result += String(format: "\\u%04x", scalar.value)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
