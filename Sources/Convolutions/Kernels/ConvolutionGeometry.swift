import Tensors

/// One axis of a convolution: result `i` reads input `i·stride + k·dilation − before` for each kernel position `k`.
struct ConvolutionAxis: Sendable {
  let input, kernel, stride, before, dilation, output: Int

  /// The `count` results `first`, `first + step`, …, and what each reads.
  struct Sweep {
    let count, first, step: Int
    /// Source positions from one result to the next.
    let sourceStep: Int
    /// Kernel positions, with the source position that the first result reads for each, ascending.
    let taps: [(kernel: Int, offset: Int)]

    /// The results whose tap, at `offset` for the first, lies within a source of that extent.
    func inside(_ offset: Int, _ extent: Int) -> Range<Int> {
      let first = max(0, (sourceStep - 1 - offset) / sourceStep)
      return first..<max(first, min(count, (extent - 1 - offset + sourceStep) / sourceStep))
    }
  }

  /// The results, read from the inputs.
  var forward: Sweep {
    let taps = (0..<kernel).map { (kernel: $0, offset: $0 * dilation - before) }
    return Sweep(count: output, first: 0, step: 1, sourceStep: stride, taps: taps)
  }

  /// The inputs' gradient, read from the results': one sweep for each input position modulo the stride.
  var backward: [Sweep] {
    (0..<min(stride, input)).map { first in
      let taps = (0..<kernel).reversed().compactMap { k -> (kernel: Int, offset: Int)? in
        let distance = first + before - k * dilation
        return distance % stride == 0 ? (k, distance / stride) : nil
      }
      let count = (input - first + stride - 1) / stride
      return Sweep(count: count, first: first, step: stride, sourceStep: 1, taps: taps)
    }
  }
}

/// A part of a batch of images; rows and columns may lie beyond the edges.
struct ConvolutionRegion {
  var images, rows, columns: Range<Int>

  func count(channels: Int) -> Int { images.count * rows.count * columns.count * channels }
}

/// A batch of images cut into regions that fit in a core's own cache, the same on any number of threads.
struct ConvolutionRegions {
  private let batch, height, width: Int
  private let images, rows, columns: Int

  /// - Parameters:
  ///   - cost: source floats for each result.
  ///   - together: images whose whole lines share a region; nil for as many as are small.
  init(batch: Int, height: Int, width: Int, cost: Int, together: Int? = nil) {
    (self.batch, self.height, self.width) = (batch, height, width)
    let room = 49_152 / max(1, cost)
    columns = together == nil ? max(1, min(width, max(14, room / 14 * 14))) : width
    let lines = (batch * height + 15) / 16
    let limit = max(1, min(room / columns, lines) / (together ?? 1))
    let bands = max(1, (height + limit - 1) / limit)
    rows = max(1, (height + bands - 1) / bands)
    images = together ?? (rows == height ? max(1, min(256 / (rows * columns), batch / 16)) : 1)
  }

  private func parts(_ extent: Int, _ part: Int) -> Int { (extent + part - 1) / part }
  var count: Int { parts(batch, images) * parts(height, rows) * parts(width, columns) }

  subscript(index: Int) -> ConvolutionRegion {
    let (across, down) = (parts(width, columns), parts(height, rows))
    let (x, y, image) = (index % across * columns, index / across % down * rows, index / across / down * images)
    return ConvolutionRegion(
      images: image..<min(image + images, batch), rows: y..<min(y + rows, height), columns: x..<min(x + columns, width))
  }
}

/// Images in memory, `[batch, height, width, channels]`.
struct Images {
  let pointer: Pointer
  let height, width, channels: Int

  /// A region in memory.
  struct Window {
    let pointer: Pointer
    let image, row, pixel: Int

    func moved(by offset: Int) -> Window { Window(pointer: pointer + offset, image: image, row: row, pixel: pixel) }
  }

  /// The region where it is, its edges perhaps outside.
  func window(_ region: ConvolutionRegion) -> Window {
    let start = (region.images.lowerBound * height + region.rows.lowerBound) * width + region.columns.lowerBound
    return Window(
      pointer: pointer + start * channels, image: height * width * channels, row: width * channels, pixel: channels)
  }

  /// The region itself where it lies within the images, else a copy with zeros beyond edges and after channels.
  func window(_ region: ConvolutionRegion, channels padded: Int, scratch: Pointer) -> Window {
    let (rows, columns) = (region.rows, region.columns)
    let inner = columns.clamped(to: 0..<width)
    if padded == channels, rows.clamped(to: 0..<height) == rows, inner == columns { return window(region) }
    let line = columns.count * padded
    var target = scratch
    for image in region.images {
      for row in rows {
        if row < 0 || row >= height || inner.isEmpty {
          target.update(repeating: 0, count: line)
        } else {
          copyRow(
            pointer + ((image * height + row) * width + inner.lowerBound) * channels, inner, columns, padded, target)
        }
        target += line
      }
    }
    return Window(pointer: scratch, image: rows.count * line, row: line, pixel: padded)
  }

  private func copyRow(
    _ source: Pointer, _ inner: Range<Int>, _ columns: Range<Int>, _ padded: Int, _ target: Pointer
  ) {
    let start = (inner.lowerBound - columns.lowerBound) * padded
    let end = start + inner.count * padded
    target.update(repeating: 0, count: start)
    (target + end).update(repeating: 0, count: columns.count * padded - end)
    if padded == channels { return (target + start).update(from: source, count: inner.count * channels) }
    for pixel in 0..<inner.count {
      let to = target + start + pixel * padded
      to.update(from: source + pixel * channels, count: channels)
      (to + channels).update(repeating: 0, count: padded - channels)
    }
  }
}
