import Tensors

/// One sweep of a convolution over images: the taps that are computed, and how channels meet.
struct ConvolutionSweep {
  /// The distances between weights of neighbouring taps, source channels and target channels.
  struct WeightStrides {
    var tap, source, target: Int
  }

  let y, x: ConvolutionAxis.Sweep
  let kind: TileChannels
  let sourceChannels, targetChannels: Int
  typealias Tap = (index: Int, y: Int, x: Int)
  let taps: [Tap]
  private let rows, columns: ClosedRange<Int>

  init(
    _ y: ConvolutionAxis.Sweep, _ x: ConvolutionAxis.Sweep, kernelWidth: Int, live: [Bool], isDepthwise: Bool,
    from sourceChannels: Int, to targetChannels: Int
  ) {
    (self.y, self.x, self.sourceChannels, self.targetChannels) = (y, x, sourceChannels, targetChannels)
    kind = isDepthwise ? .separate : targetChannels <= 4 && sourceChannels >= 16 ? .mixedIntoFew : .mixed
    taps = y.taps.flatMap { row in
      x.taps.compactMap { column in
        let index = row.kernel * kernelWidth + column.kernel
        return live[index] ? (index, row.offset, column.offset) : nil
      }
    }
    let (reachY, reachX) = (taps.map(\.y), taps.map(\.x))
    rows = (reachY.min() ?? 0)...(reachY.max() ?? 0)
    columns = (reachX.min() ?? 0)...(reachX.max() ?? 0)
  }

  /// Source channels in a window, filled up to whole vectors where vectors are read.
  var windowChannels: Int { kind == .mixed ? sourceChannels : (sourceChannels + 15) / 16 * 16 }
  /// What a tap is a sequence of: single source channels, vectors of them, or one step for all.
  var stepsPerTap: Int {
    switch kind {
    case .mixed: sourceChannels
    case .mixedIntoFew: windowChannels / 16
    case .separate: 1
    }
  }

  /// Target channels whose vectors go through the taps together, and the floats of these vectors.
  var blocks: [(channel: Int, width: Int)] {
    if kind == .mixedIntoFew { return (0..<targetChannels).map { ($0, 16) } }
    var blocks: [(channel: Int, width: Int)] = []
    var channel = 0
    while channel < targetChannels {
      let width = kind == .mixed && targetChannels - channel > 16 ? TileLimit.width : 16
      blocks.append((channel, width))
      channel += width
    }
    return blocks
  }

  /// What `region` of the results reads.
  func source(of region: ConvolutionRegion) -> ConvolutionRegion {
    func reach(_ range: Range<Int>, _ step: Int, _ taps: ClosedRange<Int>) -> Range<Int> {
      range.lowerBound * step + taps.lowerBound..<(range.upperBound - 1) * step + taps.upperBound + 1
    }
    return ConvolutionRegion(
      images: region.images, rows: reach(region.rows, y.sourceStep, rows),
      columns: reach(region.columns, x.sourceStep, columns))
  }

  /// Evenly spaced values in a window, beginning with those of one tap, `y` rows below the first result's.
  struct Run {
    let tap, y, offset: Int
    var step, count: Int
  }

  /// What one result reads in a window by the taps that count, neighbours in a row `joined` or each by itself.
  func runs(in window: Images.Window, joined: Bool = true, counts: (Tap) -> Bool = { _ in true }) -> [Run] {
    var runs: [Run] = []
    guard stepsPerTap > 0 else { return runs }
    let step = kind == .mixed ? 1 : 16
    for (position, tap) in taps.enumerated() where counts(tap) {
      let offset = (tap.y - rows.lowerBound) * window.row + (tap.x - columns.lowerBound) * window.pixel
      if joined, var last = runs.last, taps[last.tap].y == tap.y {
        if kind == .separate, last.count == 1 { last.step = offset - last.offset }
        if offset == last.offset + last.count * last.step {
          last.count += stepsPerTap
          runs[runs.count - 1] = last
          continue
        }
      }
      runs.append(Run(tap: position, y: tap.y, offset: offset, step: step, count: stepsPerTap))
    }
    return runs
  }

  func regions(batch: Int, together: Int? = nil) -> ConvolutionRegions {
    ConvolutionRegions(
      batch: batch, height: y.count, width: x.count, cost: windowChannels * y.sourceStep * x.sourceStep,
      together: together)
  }

  /// Operations on vectors, in units of the cost of one element of memory.
  func work(batch: Int) -> Int { batch * y.count * x.count * taps.count * stepsPerTap * blocks.count * 2 }
}
