import Tensors

extension ConvolutionSweep {
  /// Adds into `result`, of `strides`, what the weights' gradient is, from sources and the results' gradient.
  ///
  /// A fixed number of chunks is summed in order: the same result on any number of threads.
  func weightGradient(
    from source: Images, _ upstream: Images, batch: Int, into result: Pointer, _ strides: WeightStrides, taps count: Int
  ) {
    let sums = sumStrides(taps: count)
    let padded = (targetChannels + 15) / 16 * 16
    let size = count * windowChannels * (kind == .mixed ? padded : kind == .separate ? 1 : targetChannels)
    let regions = regions(batch: batch)
    let chunks = min(regions.count, max(2, min(16, (1 << 20) / max(1, size))))
    guard chunks > 0, size > 0 else { return }
    let partial = Storage(count: chunks * size)
    defer { withExtendedLifetime(partial) {} }
    parallel(chunks, work: work(batch: batch)) { range in
      let room = self.source(of: regions[0]).count(channels: windowChannels)
      let scratch = Storage(count: room + regions[0].count(channels: padded))
      defer { withExtendedLifetime(scratch) {} }
      for chunk in range {
        (partial.pointer + chunk * size).update(repeating: 0, count: size)
        for index in regions.count * chunk / chunks..<regions.count * (chunk + 1) / chunks {
          let region = regions[index]
          let window = source.window(self.source(of: region), channels: windowChannels, scratch: scratch.pointer)
          let gradient = upstream.window(
            region, channels: kind == .mixedIntoFew ? targetChannels : padded, scratch: scratch.pointer + room)
          accumulate(
            window, gradient, region, source.height, source.width, into: partial.pointer + chunk * size, sums)
        }
      }
    }
    parallel(size, work: size * chunks, alignment: 16) { range in
      for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        var sum = Vector(loading: partial.pointer + i)
        for chunk in 1..<chunks { sum += Vector(loading: partial.pointer + chunk * size + i) }
        sum.store(to: partial.pointer + i)
      }
    }
    for tap in taps {
      for channel in 0..<(kind == .separate ? 1 : sourceChannels) {
        let from = partial.pointer + tap.index * sums.tap + channel * sums.source
        let to = result + tap.index * strides.tap + channel * strides.source
        for target in 0..<targetChannels { to[target * strides.target] = from[target * sums.target] }
      }
    }
  }

  /// How sums are laid out: the channels that vectors hold are innermost.
  private func sumStrides(taps: Int) -> WeightStrides {
    let padded = (targetChannels + 15) / 16 * 16
    return switch kind {
    case .mixed: WeightStrides(tap: sourceChannels * padded, source: padded, target: 1)
    case .mixedIntoFew: WeightStrides(tap: windowChannels, source: 1, target: taps * windowChannels)
    case .separate: WeightStrides(tap: padded, source: 0, target: 1)
    }
  }

  private func accumulate(
    _ window: Images.Window, _ upstream: Images.Window, _ region: ConvolutionRegion, _ height: Int, _ width: Int,
    into sums: Pointer, _ strides: WeightStrides
  ) {
    // Few columns: those where a tap lies beyond the edge are left out too.
    let isNarrow = kind == .mixed && TileLimit.isNarrow(x.count)
    for run in runs(in: window, joined: !isNarrow) {
      // Rows beyond the edges are all zeros: not computed.
      let rows = y.inside(run.y, height).clamped(to: region.rows)
      let columns = isNarrow ? x.inside(taps[run.tap].x, width).clamped(to: region.columns) : region.columns
      guard !rows.isEmpty, !columns.isEmpty else { continue }
      let extent = (region.images.count, rows.count, columns.count)
      let (line, column) = (rows.lowerBound - region.rows.lowerBound, columns.lowerBound - region.columns.lowerBound)
      let upstream = upstream.moved(by: line * upstream.row + column * upstream.pixel)
      let (row, pixel) = (window.row * y.sourceStep, window.pixel * x.sourceStep)
      let source = Images.Window(
        pointer: window.pointer + run.offset + line * row + column * pixel, image: window.image, row: row, pixel: pixel)
      accumulate(run, source, upstream, extent, into: sums + taps[run.tap].index * strides.tap, strides)
    }
  }

  /// The same for the values of one run at the pixels whose tap lies within the source.
  private func accumulate(
    _ run: Run, _ source: Images.Window, _ upstream: Images.Window, _ extent: (Int, Int, Int), into sums: Pointer,
    _ strides: WeightStrides
  ) {
    if kind == .mixedIntoFew {
      for step in 0..<run.count {
        PixelLoop(
          rows: upstream, step: 1, factors: source.moved(by: step * 16), extent: extent, sums: sums + step * 16,
          stride: strides.target
        ).run(.mixed, width: 16, count: targetChannels)
      }
      return
    }
    let stride = kind == .separate ? strides.tap : strides.source
    for (channel, width) in blocks {
      let parts = TileLimit.parts(run.count, width: width)
      for part in 0..<parts {
        let from = run.count * part / parts
        PixelLoop(
          rows: source.moved(by: from * run.step + (kind == .separate ? channel : 0)), step: run.step,
          factors: upstream.moved(by: channel), extent: extent, sums: sums + from * stride + channel, stride: stride
        ).run(kind, width: width, count: run.count * (part + 1) / parts - from)
      }
    }
  }
}

/// Neighbouring rows of sums, each over all pixels of a region.
private struct PixelLoop: TileLoop {
  let rows: Images.Window
  let step: Int
  let factors: Images.Window
  let extent: (images: Int, rows: Int, columns: Int)
  let sums: Pointer
  let stride: Int

  func run<T: Tile>(_ tile: T.Type) {
    var tile = T(loading: sums, stride: stride)
    for image in 0..<extent.images {
      for row in 0..<extent.rows {
        var x = rows.pointer + image * rows.image + row * rows.row
        var factor = factors.pointer + image * factors.image + row * factors.row
        for _ in 0..<extent.columns {
          tile.add(x, step, times: T.Row(loading: factor, stride: 0))
          x += rows.pixel
          factor += factors.pixel
        }
      }
    }
    tile.store(to: sums, stride: stride, floor: nil)
  }
}
