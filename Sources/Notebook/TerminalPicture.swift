import Figures

/// A picture in half-block characters, two pixels in each.
struct TerminalPicture {
  let text: String

  /// Shrinks an image to at most `columns` characters by `rows` lines.
  init(_ image: PNGImage, columns: Int, rows: Int) {
    let scale = max(1, Double(image.width) / Double(columns), Double(image.height) / Double(2 * rows))
    let width = max(1, Int(Double(image.width) / scale))
    let height = max(1, Int(Double(image.height) / scale))
    let pixels = (0..<height).map { y in
      (0..<width).map { x in Self.mean(of: image, x: x, y: y, scale: scale) }
    }
    var lines: [String] = []
    for y in stride(from: 0, to: height, by: 2) {
      var line = "  "
      for x in 0..<width {
        line += "\u{1B}[38;2;\(Self.code(pixels[y][x]))m"
        line += y + 1 < height ? "\u{1B}[48;2;\(Self.code(pixels[y + 1][x]))m▀" : "▀"
      }
      lines.append(line + "\u{1B}[0m")
    }
    text = lines.joined(separator: "\n")
  }

  /// The mean colour of the pixels that fall into one.
  private static func mean(of image: PNGImage, x: Int, y: Int, scale: Double) -> [Int] {
    let columns = Int(Double(x) * scale)..<max(Int(Double(x) * scale) + 1, min(image.width, Int(Double(x + 1) * scale)))
    let rows = Int(Double(y) * scale)..<max(Int(Double(y) * scale) + 1, min(image.height, Int(Double(y + 1) * scale)))
    var sums = [0, 0, 0]
    for row in rows {
      for column in columns {
        let start = (row * image.width + column) * image.channels
        for channel in 0..<3 { sums[channel] += Int(image.samples[start + (image.channels == 3 ? channel : 0)]) }
      }
    }
    return sums.map { $0 / (rows.count * columns.count) }
  }

  private static func code(_ pixel: [Int]) -> String { "\(pixel[0]);\(pixel[1]);\(pixel[2])" }
}
