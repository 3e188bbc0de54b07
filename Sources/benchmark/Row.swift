import Foundation

/// One line of the comparison; the names are those of `--json`.
struct Row: Codable {
  let step: String
  let threads: Int
  let milliseconds: Double
  var pytorchMilliseconds: Double?
  /// PyTorch's time over ours, the median over rounds, with its lowest and highest.
  var ratio: Double?
  var ratioLow: Double?
  var ratioHigh: Double?
  /// Which of PyTorch's ways was the fastest.
  var pytorchVariant: String?
  /// Arithmetic in GFLOP/s, or traffic in GB/s.
  var rate: Double?
  var rateUnit: String?
  var peakMegabytes: Double?
  var pytorchPeakMegabytes: Double?

  static let heading = cells(
    "", "threads", "ours ms", "PyTorch ms", "ratio", "(low…high)", "fastest", "rate", "", "peak MB", "PyTorch MB")

  var line: String {
    let spread = ratioLow.flatMap { low in ratioHigh.map { String(format: "(%.2f…%.2f)", low, $0) } } ?? ""
    return Row.cells(
      step, "\(threads)", number(milliseconds, 3), number(pytorchMilliseconds, 3), number(ratio, 2), spread,
      pytorchVariant ?? "", number(rate, 1), rateUnit ?? "", number(peakMegabytes, 0), number(pytorchPeakMegabytes, 0))
  }

  private func number(_ value: Double?, _ digits: Int) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? "–"
  }

  private static func cells(_ texts: String...) -> String {
    let widths = [-26, 7, 10, 11, 6, 13, 14, 8, -8, 8, 11]
    return zip(texts, widths).map { text, width in
      let space = String(repeating: " ", count: max(0, abs(width) - text.count))
      return width < 0 ? text + space : space + text
    }.joined(separator: " ")
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}
