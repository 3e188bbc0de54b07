import Tensors

extension ConvolutionSweep {
  /// Writes the results of this sweep: bias + Σ over taps, values below `floor` replaced by it where there is one.
  func apply(
    _ weights: Pointer, _ strides: WeightStrides, bias: Pointer?, from source: Images, to target: Images, batch: Int,
    floor: Float?
  ) {
    let packed = packed(weights, strides, bias: bias)
    let isAcross = goesAcrossImages(batch: batch)
    let parts = TileLimit.parts(batch, width: 16)
    let regions = regions(batch: batch, together: isAcross ? (batch + parts - 1) / parts : nil)
    parallel(regions.count, work: work(batch: batch)) { range in
      guard !range.isEmpty else { return }
      let spill = 14 * 32
      let room = isAcross ? 0 : self.source(of: regions[0]).count(channels: windowChannels)
      let scratch = Storage(count: spill + room)
      defer { withExtendedLifetime((packed, scratch)) {} }
      for index in range {
        let region = regions[index]
        let reach = self.source(of: region)
        // Across images nothing beyond the edges is read: no copy.
        let window =
          isAcross
          ? source.window(reach) : source.window(reach, channels: windowChannels, scratch: scratch.pointer + spill)
        apply(
          packed.pointer, source, to: target, region, window, isAcross: isAcross, floor: floor, spill: scratch.pointer)
      }
    }
  }

  /// Weights in the order in which tiles read them: for each block of target channels the bias, then each step's vectors.
  private func packed(_ weights: Pointer, _ strides: WeightStrides, bias: Pointer?) -> Storage {
    let depth = 1 + taps.count * stepsPerTap
    let blocks = blocks
    let result = Storage(count: blocks.reduce(0) { $0 + $1.width } * depth)
    parallel(blocks.count, work: depth * targetChannels) { range in
      for block in range {
        pack(blocks[block], weights, strides, bias, to: result.pointer + block * blocks[0].width * depth)
      }
    }
    return result
  }

  private func pack(
    _ block: (channel: Int, width: Int), _ weights: Pointer, _ strides: WeightStrides, _ bias: Pointer?,
    to target: Pointer
  ) {
    let (channel, width) = block
    let isDot = kind == .mixedIntoFew
    let laneStride = isDot ? strides.source : strides.target
    let channels = isDot ? 1 : min(width, targetChannels - channel)
    var target = target
    target.update(repeating: 0, count: (1 + taps.count * stepsPerTap) * width)
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

  /// Whether tiles hold the same pixel of several images: fuller than a narrow line's tiles, and no tap beyond its ends counts.
  private func goesAcrossImages(batch: Int) -> Bool { kind == .mixed && batch >= 4 && TileLimit.isNarrow(x.count) }

  private func apply(
    _ packed: Pointer, _ source: Images, to target: Images, _ region: ConvolutionRegion, _ window: Images.Window,
    isAcross: Bool, floor: Float?, spill: Pointer
  ) {
    let (blocks, lines) = (blocks, region.rows.count)
    // Channels that are kept apart go side by side, so that memory is read and written in order.
    let (groups, together) = kind == .separate ? (min(1, blocks.count), blocks.count) : (blocks.count, 1)
    let depth = 1 + taps.count * stepsPerTap
    // Weights that do not stay in the cache are gone through once for a region, else results are written in order.
    let isSmall = depth * blocks.count * 32 < 1 << 17
    let (along, others) = ways(through: region, window, target, isAcross: isAcross)
    let tilings = blocks.map { Tiling(along.count, parts: TileLimit.parts(along.count, width: $0.width)) }
    let first = (region.images.lowerBound * target.height + y.first) * target.width + x.first
    withRuns(in: window, columns: isAcross ? others.count : nil, of: source.width) { runs, ends in
      for index in 0..<lines * groups {
        let (line, block) = isSmall ? index.quotientAndRemainder(dividingBy: groups) : (index % lines, index / lines)
        let (channel, width) = blocks[block]
        let row = region.rows.lowerBound + line
        let pixel = first + row * y.step * target.width + region.columns.lowerBound * x.step
        var loop = TapLoop(
          source: window.pointer + line * y.sourceStep * window.row, sourceStep: along.source,
          weights: packed + block * blocks[0].width * depth, target: target.pointer + pixel * targetChannels + channel,
          targetStep: along.target, valid: targetChannels - channel, stepsPerTap: stepsPerTap, blocks: together,
          blockDepth: depth * 16, floor: floor, spill: spill)
        for other in 0..<others.count {
          let column = isAcross ? other : 0
          loop.runs = inside(runs, ends[column]..<ends[column + 1], row, height: source.height)
          tilings[block].visit { loop.run(kind, width: width, first: $0, tiles: $1, count: $2) }
          loop.source += others.source
          loop.target += others.target
        }
      }
    }
  }

  /// The results that a line's tiles go along, and the images or columns that repeat this.
  private func ways(
    through region: ConvolutionRegion, _ window: Images.Window, _ target: Images, isAcross: Bool
  ) -> (along: Way, others: Way) {
    let columns = Way(
      count: region.columns.count, source: x.sourceStep * window.pixel, target: x.step * targetChannels)
    let images = Way(
      count: region.images.count, source: window.image, target: target.height * target.width * targetChannels)
    return isAcross ? (images, columns) : (columns, images)
  }

  /// Calls `body` with the runs of each of `columns`, without taps beyond the edges, or of any column with all taps, and where
  /// those of each column begin and end.
  private func withRuns(
    in window: Images.Window, columns: Int?, of width: Int, _ body: (UnsafeBufferPointer<Run>, [Int]) -> Void
  ) {
    var all: [Run] = []
    var ends = [0]
    for column in 0..<(columns ?? 1) {
      all += runs(in: window, joined: kind != .separate) {
        columns == nil || (0..<width).contains($0.x + column * x.sourceStep)
      }
      ends.append(all.count)
    }
    all.withUnsafeBufferPointer { body($0, ends) }
  }

  /// The runs that result row `row` needs: rows beyond the edges are all zeros, and not computed.
  private func inside(
    _ runs: UnsafeBufferPointer<Run>, _ range: Range<Int>, _ row: Int, height: Int
  ) -> UnsafeBufferPointer<Run> {
    let top = row * y.sourceStep
    var (first, end) = (range.lowerBound, range.upperBound)
    while first < end, top + runs[end - 1].y >= height { end -= 1 }
    while first < end, top + runs[first].y < 0 { first += 1 }
    return UnsafeBufferPointer(rebasing: runs[first..<end])
  }
}

/// Neighbours in an image or in a batch: how many, and how far apart where values are read and written.
private struct Way {
  let count, source, target: Int
}

/// Results at equal distances, each the sum over all taps.
private struct TapLoop: TileLoop {
  var source: Pointer
  let sourceStep: Int
  var runs = UnsafeBufferPointer<ConvolutionSweep.Run>(start: nil, count: 0)
  let weights: Pointer
  var target: Pointer
  let targetStep: Int
  let valid, stepsPerTap: Int
  /// How many blocks of channels, each with its own sources, and how far their weights are apart.
  let blocks, blockDepth: Int
  let floor: Float?
  let spill: Pointer
  var tiles = 1

  /// Some tiles of `count` results, from result `first` on.
  func run(_ channels: TileChannels, width: Int, first: Int, tiles: Int, count: Int) {
    var loop = self
    loop.source += first * sourceStep
    loop.target += first * targetStep
    loop.tiles = tiles
    loop.run(channels, width: width, count: count)
  }

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
          run(tile, from: x, factors, to: spill, width)
          for row in 0..<T.count { (results + row * targetStep).update(from: spill + row * width, count: valid) }
        }
        x += width
        factors += blockDepth
        results += width
        valid &-= width
        left &-= 1
      } while left > 0
      source += T.count &* sourceStep
      target += T.count &* targetStep
    }
  }

  // A call, since loops around it would cost the sums their registers.
  @inline(never)
  private func run<T: Tile>(
    _ tile: T.Type, from source: Pointer, _ weights: Pointer, to target: Pointer, _ step: Int
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
