import Tensors

extension ConvolutionSweep {
  /// Writes the results of this sweep: bias + Σ over taps, values below `floor` replaced by it where there is one.
  func apply(
    _ weights: Pointer, _ strides: WeightStrides, bias: Pointer?, from source: Images, to target: Images, batch: Int,
    floor: Float?
  ) {
    let packed = packed(weights, strides, bias: bias)
    let regions = regions(batch: batch)
    parallel(regions.count, work: work(batch: batch)) { range in
      guard !range.isEmpty else { return }
      let spill = 14 * 32
      let scratch = Storage(count: spill + self.source(of: regions[0]).count(channels: windowChannels))
      defer { withExtendedLifetime((packed, scratch)) {} }
      for index in range {
        let region = regions[index]
        let window = source.window(self.source(of: region), channels: windowChannels, scratch: scratch.pointer + spill)
        apply(
          packed.pointer, height: source.height, to: target, region, window, floor: floor,
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
    floor: Float?, spill: Pointer
  ) {
    let (blocks, lines) = (blocks, region.rows.count)
    // Channels that are kept apart go side by side, so that memory is read and written in order.
    let (groups, together) = kind == .separate ? (min(1, blocks.count), blocks.count) : (blocks.count, 1)
    let depth = 1 + taps.count * stepsPerTap
    // Weights that do not stay in the cache are gone through once for a region, else results are written in order.
    let isSmall = depth * blocks.count * 32 < 1 << 17
    let columns = region.columns.count
    let tilings = blocks.map { Tiling(columns, parts: TileLimit.parts(columns, width: $0.width)) }
    let pairs = kind == .mixed && TileLimit.isNarrow(columns) ? Tiling(columns, parts: (columns + 2) / 3) : nil
    runs(in: window, joined: kind != .separate).withUnsafeBufferPointer { runs in
      for index in 0..<lines * groups {
        let (line, block) =
          isSmall ? index.quotientAndRemainder(dividingBy: groups) : (index % lines, index / lines)
        let (channel, width) = blocks[block]
        let row = region.rows.lowerBound + line
        let pixel = (region.images.lowerBound * target.height + y.first + row * y.step) * target.width + x.first
        let loop = TapLoop(
          source: window.pointer + line * y.sourceStep * window.row,
          sourceStep: RowStride(x.sourceStep * window.pixel, half: window.image),
          runs: inside(runs, row, height: height), weights: packed + block * blocks[0].width * depth,
          target: target.pointer + (pixel + region.columns.lowerBound * x.step) * targetChannels + channel,
          targetStep: RowStride(x.step * targetChannels, half: target.height * target.width * targetChannels),
          valid: targetChannels - channel, stepsPerTap: stepsPerTap, blocks: together, blockDepth: depth * 16,
          floor: floor, spill: spill)
        apply(loop, width: width, images: region.images.count, tilings[block], pairs: loop.valid >= 16 ? pairs : nil)
      }
    }
  }

  /// The runs that result row `row` needs: rows beyond the edges are all zeros, and not computed.
  private func inside(_ runs: UnsafeBufferPointer<Run>, _ row: Int, height: Int) -> UnsafeBufferPointer<Run> {
    let top = row * y.sourceStep
    return UnsafeBufferPointer(rebasing: runs.prefix { top + $0.y < height }.drop { top + $0.y < 0 })
  }

  /// One line of one block of channels, in each image of a region, of two images at once where there are `pairs`.
  private func apply(_ line: TapLoop, width: Int, images: Int, _ single: Tiling, pairs: Tiling?) {
    var image = 0
    while image < images {
      let pair = image + 1 < images ? pairs : nil
      let tiling = pair ?? single
      tiling.visit { first, tiles, columns in
        var loop = line
        loop.source += image * line.sourceStep.half + first * line.sourceStep.row
        loop.target += image * line.targetStep.half + first * line.targetStep.row
        loop.tiles = tiles
        if pair != nil { loop.runPair(count: columns) } else { loop.run(kind, width: width, count: columns) }
      }
      image += pair == nil ? 1 : 2
    }
  }
}

/// Neighbouring results of one line, each the sum over all taps.
private struct TapLoop: TileLoop {
  var source: Pointer
  let sourceStep: RowStride
  let runs: UnsafeBufferPointer<ConvolutionSweep.Run>
  let weights: Pointer
  var target: Pointer
  let targetStep: RowStride
  let valid, stepsPerTap: Int
  /// How many blocks of channels, each with its own sources, and how far their weights are apart.
  let blocks, blockDepth: Int
  let floor: Float?
  let spill: Pointer
  var tiles = 1

  func run<T: Tile>(_ tile: T.Type) {
    let width = T.Row.width
    var (source, target) = (source, target)
    for _ in 0..<tiles {
      var (x, factors, results, valid) = (source, weights, target, valid)
      var left = blocks
      repeat {
        if valid >= T.Row.results {
          run(tile, from: x, factors, to: results, targetStep)
        } else {
          run(tile, from: x, factors, to: spill, RowStride(width))
          for row in 0..<T.count { (results + row * targetStep.row).update(from: spill + row * width, count: valid) }
        }
        x += width
        factors += blockDepth
        results += width
        valid &-= width
        left &-= 1
      } while left > 0
      source += T.count &* sourceStep.row
      target += T.count &* targetStep.row
    }
  }

  // A call, since loops around it would cost the sums their registers.
  @inline(never)
  private func run<T: Tile>(
    _ tile: T.Type, from source: Pointer, _ weights: Pointer, to target: Pointer, _ step: RowStride
  ) {
    let width = T.Row.width
    var sums = T(loading: weights, stride: 0)
    for run in runs {
      var factors = weights + (1 &+ run.tap &* stepsPerTap) &* width
      var x = source + run.offset
      var steps = run.count
      repeat {
        sums.add(x, sourceStep, times: T.Row(loading: factors, stride: 0))
        factors += width
        x += run.step
        steps &-= 1
      } while steps > 0
    }
    sums.store(to: target, stride: step, floor: floor.map { Vector(repeating: $0) })
  }
}
