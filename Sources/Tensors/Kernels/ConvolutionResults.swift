extension ConvolutionSweep {
  /// Writes the results of this sweep: bias + Σ over taps, values below `floor` replaced by it.
  func apply(
    _ weights: Pointer, _ strides: WeightStrides, bias: Pointer?, from source: Images, to target: Images, batch: Int,
    floor: Float
  ) {
    let packed = packed(weights, strides, bias: bias)
    let regions = regions(batch: batch, joining: false)
    parallel(regions.count, work: work(batch: batch)) { range in
      guard !range.isEmpty else { return }
      let spill = 14 * 32
      let scratch = Storage(count: spill + self.source(of: regions[0]).count(channels: windowChannels))
      defer { withExtendedLifetime((packed, scratch)) {} }
      for index in range {
        let region = regions[index]
        let window = source.window(self.source(of: region), channels: windowChannels, scratch: scratch.pointer + spill)
        apply(
          packed.pointer, height: source.height, to: target, region, window, floor: Vector(repeating: floor),
          spill: scratch.pointer)
      }
    }
  }

  /// Weights in the order in which tiles read them: for each block of target channels the bias, then each step's vectors.
  private func packed(_ weights: Pointer, _ strides: WeightStrides, bias: Pointer?) -> Storage {
    let depth = 1 + taps.count * stepsPerTap
    let result = Storage(count: blocks.reduce(0) { $0 + $1.width } * depth)
    var target = result.pointer
    for (channel, width) in blocks {
      let isDot = kind == .mixedIntoFew
      let laneStride = isDot ? strides.source : strides.target
      let channels = isDot ? 1 : min(width, targetChannels - channel)
      target.update(repeating: 0, count: depth * width)
      if let bias { target.update(from: bias + channel, count: channels) }
      target += width
      for tap in taps {
        for step in 0..<stepsPerTap {
          let from =
            weights + tap.index * strides.tap + channel * strides.target + step * strides.source * (isDot ? 16 : 1)
          for lane in 0..<(isDot ? min(16, sourceChannels - step * 16) : channels) {
            target[lane] = from[lane * laneStride]
          }
          target += width
        }
      }
    }
    return result
  }

  private func apply(
    _ packed: Pointer, height: Int, to target: Images, _ region: ConvolutionRegion, _ window: Images.Window,
    floor: Vector, spill: Pointer
  ) {
    let (blocks, lines) = (blocks, region.rows.count)
    let depth = 1 + taps.count * stepsPerTap
    // Weights that do not stay in the cache are gone through once for a region, else results are written in order.
    let isSmall = depth * blocks.count * 32 < 1 << 17
    runs(in: window).withUnsafeBufferPointer { runs in
      for index in 0..<lines * blocks.count {
        let (line, block) =
          isSmall ? index.quotientAndRemainder(dividingBy: blocks.count) : (index % lines, index / lines)
        let (channel, width) = blocks[block]
        let parts = TileLimit.parts(region.columns.count, width: width)
        // Rows beyond the edges are all zeros: not computed.
        let top = (region.rows.lowerBound + line) * y.sourceStep
        let inside = runs.prefix { top + $0.y < height }.drop { top + $0.y < 0 }
        let row = region.images.lowerBound * target.height + y.first + (region.rows.lowerBound + line) * y.step
        for part in 0..<parts {
          let from = region.columns.count * part / parts
          let pixel = row * target.width + x.first + (region.columns.lowerBound + from) * x.step
          let source = window.pointer + line * y.sourceStep * window.row + from * x.sourceStep * window.pixel
          TapLoop(
            source: kind == .separate ? source + channel : source, sourceStep: x.sourceStep * window.pixel,
            runs: UnsafeBufferPointer(rebasing: inside),
            weights: packed + block * blocks[0].width * depth,
            target: target.pointer + pixel * targetChannels + channel, targetStep: x.step * targetChannels,
            valid: targetChannels - channel, stepsPerTap: stepsPerTap, floor: floor, spill: spill
          ).run(kind, width: width, count: region.columns.count * (part + 1) / parts - from)
        }
      }
    }
  }
}

/// Neighbouring results of one row, each the sum over all taps.
private struct TapLoop: TileLoop {
  let source: Pointer
  let sourceStep: Int
  let runs: UnsafeBufferPointer<ConvolutionSweep.Run>
  let weights, target: Pointer
  let targetStep, valid, stepsPerTap: Int
  let floor: Vector
  let spill: Pointer

  func run<T: Tile>(_ tile: T.Type) {
    let width = T.Row.width
    var sums = T(loading: weights, stride: 0)
    for run in runs {
      var factors = weights + (1 + run.tap * stepsPerTap) * width
      var x = source + run.offset
      for _ in 0..<run.count {
        sums.add(x, sourceStep, times: T.Row(loading: factors, stride: 0))
        factors += width
        x += run.step
      }
    }
    if valid >= T.Row.results { return sums.store(to: target, stride: targetStep, floor: floor) }
    sums.store(to: spill, stride: width, floor: floor)
    for row in 0..<T.count { (target + row * targetStep).update(from: spill + row * width, count: valid) }
  }
}
