import Tensors

/// Images in rows, enlarged by a whole factor without interpolation.
public struct ImageGrid: DrawnFigure {
  private let image: PNGImage?
  private let title: String
  private let rowLabels: [String]
  private let columnLabels: [String]
  private let layout: Layout
  private let notFiniteCount: Int

  /// Extents in pixels of the PNG.
  private struct Layout {
    var count: Int
    var columns: Int
    var rows: Int
    /// Of one image, enlarged.
    var cellWidth: Int
    var cellHeight: Int
    static let gutter = 4
  }

  /// Lays out images row by row.
  ///
  /// - Parameters:
  ///   - images: the images, `[count, height, width, channels]` with 1 or 3 channels; values below 0 are shown as 0, above
  ///     1 as 1, and those that are not finite in magenta.
  ///   - columns: the images in a row.
  ///   - title: the heading.
  ///   - rowLabels: texts at the left of the rows, such as `original` and `reconstruction`.
  ///   - columnLabels: texts above the columns.
  ///   - scale: the pixels in the PNG for each pixel of an image, along each axis; chosen for a comfortable size when absent.
  /// - Precondition: `images` has 4 axes and 1 or 3 channels.
  public init(
    _ images: Tensor, columns: Int, title: String = "", rowLabels: [String] = [], columnLabels: [String] = [],
    scale: Int? = nil
  ) {
    let shape = images.shape
    guard shape.count == 4, shape[3] == 1 || shape[3] == 3 else {
      fail("ImageGrid", "images must be [count, height, width, 1 or 3], but the shape is \(shape)")
    }
    guard columns > 0, scale ?? 1 > 0 else {
      fail("ImageGrid", "columns and scale must be 1 or more; they are \(columns) and \(scale ?? 1)")
    }
    self.title = title
    self.rowLabels = rowLabels
    self.columnLabels = columnLabels
    let across = max(1, min(columns, shape[0]))
    // A picture up to 1,500 pixels wide at twice the nominal size, an image up to 240.
    let fitting = min((1500 / across - Layout.gutter) / max(1, shape[2]), 240 / max(1, shape[1], shape[2]))
    let scale = scale ?? max(1, fitting)
    layout = Layout(
      count: shape[0], columns: across, rows: (shape[0] + across - 1) / across, cellWidth: shape[2] * scale,
      cellHeight: shape[1] * scale)
    (image, notFiniteCount) = Self.tiled(images, layout)
  }

  /// How many images there are, and their labels.
  public var alternativeText: String {
    let labels = (rowLabels + columnLabels).joined(separator: ", ")
    return "Image grid “\(title)”: \(layout.count) images in \(layout.rows) rows of \(layout.columns)"
      + (labels.isEmpty ? "." : "; labels: \(labels).")
  }

  /// The grid's marks.
  public var drawing: Drawing {
    guard let image else { return .note("no images to show", title: title) }
    let style = TextStyle(size: 12)
    let left = rowLabels.map { StrokeFont.width(of: $0, style) }.max().map { ($0 + 10).rounded(.up) } ?? 0
    let top = (title.isEmpty ? 0.0 : 28) + (columnLabels.isEmpty ? 0 : 20)
    let note = remark(notFinite: notFiniteCount).replacing("and left out", with: "(magenta)")
    let place = Rectangle(
      x: 8 + left, y: 8 + top, width: Double(image.width) / Raster.scale, height: Double(image.height) / Raster.scale)
    let least = max(
      StrokeFont.width(of: title, TextStyle(size: 14, isBold: true)), StrokeFont.width(of: note, TextStyle(size: 11)))
    var drawing = Drawing(
      width: max(place.maxX, min(least, 480)) + 8, height: place.maxY + 8 + (note.isEmpty ? 0 : 18))
    drawing.text(title, at: Point(8, 24), TextStyle(size: 14, isBold: true), maximumWidth: drawing.width - 16)
    let pitchX = Double(layout.cellWidth + Layout.gutter) / Raster.scale
    let pitchY = Double(layout.cellHeight + Layout.gutter) / Raster.scale
    for (index, label) in columnLabels.prefix(layout.columns).enumerated() {
      let middle = place.x + Double(index) * pitchX + Double(layout.cellWidth) / 2 / Raster.scale
      drawing.text(
        label, at: Point(middle, place.y - 6), TextStyle(size: 12, anchor: .middle), maximumWidth: pitchX)
    }
    for (index, label) in rowLabels.prefix(layout.rows).enumerated() {
      let middle = place.y + Double(index) * pitchY + Double(layout.cellHeight) / 2 / Raster.scale
      drawing.text(label, at: Point(place.x - 8, middle + 4), TextStyle(size: 12, anchor: .end))
    }
    drawing.add(.image(image, place))
    drawing.text(note, at: Point(8, drawing.height - 8), TextStyle(size: 11, color: Color(0xa03c00)))
    return drawing
  }

  /// All images enlarged in one, with light gutters between them, and the number of values that are not finite.
  private static func tiled(_ images: Tensor, _ layout: Layout) -> (PNGImage?, notFiniteCount: Int) {
    let (height, width, channels) = (images.shape[1], images.shape[2], images.shape[3])
    guard images.count > 0 else { return (nil, 0) }
    let totalWidth = layout.columns * (layout.cellWidth + Layout.gutter) - Layout.gutter
    let totalHeight = layout.rows * (layout.cellHeight + Layout.gutter) - Layout.gutter
    guard totalWidth <= Raster.largestCount, totalHeight <= Raster.largestCount,
      totalWidth * totalHeight <= Raster.largestCount
    else {
      fail("ImageGrid", "\(layout.count) images make \(totalWidth) × \(totalHeight) pixels; show fewer or scale less")
    }
    let (scale, gutter) = (layout.cellWidth / width, Layout.gutter)
    var samples = [UInt8](repeating: 226, count: totalWidth * totalHeight * 3)
    var notFiniteCount = 0
    images.withUnsafeScalars { values in
      samples.withUnsafeMutableBufferPointer { samples in
        for index in 0..<layout.count {
          let left = (index % layout.columns) * (layout.cellWidth + gutter)
          let top = (index / layout.columns) * (layout.cellHeight + gutter)
          for y in 0..<layout.cellHeight {
            var target = 3 * ((top + y) * totalWidth + left)
            for x in 0..<layout.cellWidth {
              let source = ((index * height + y / scale) * width + x / scale) * channels
              let isFinite = write(values, source, channels, to: samples, at: target)
              if !isFinite, x % scale == 0, y % scale == 0 { notFiniteCount += 1 }
              target += 3
            }
          }
        }
      }
    }
    return (PNGImage(width: totalWidth, height: totalHeight, channels: 3, samples: samples), notFiniteCount)
  }

  /// Writes one pixel; magenta and false when a value is not finite.
  @inline(__always) private static func write(
    _ values: UnsafeBufferPointer<Float>, _ source: Int, _ channels: Int, to samples: UnsafeMutableBufferPointer<UInt8>,
    at target: Int
  ) -> Bool {
    var isFinite = true
    for part in 0..<3 {
      let value = values[channels == 3 ? source + part : source]
      isFinite = isFinite && value.isFinite
      samples[target + part] = value.isFinite ? UInt8(max(0, min(1, value)) * 255 + 0.5) : 0
    }
    if !isFinite {
      samples[target] = 255
      samples[target + 1] = 0
      samples[target + 2] = 255
    }
    return isFinite
  }
}
