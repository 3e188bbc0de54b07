/// The largest value of each window of images, `[batch, height, width, channels]`; windows that do not fit whole are left out.
///
/// The gradient goes to the first of equal values, row by row, as in PyTorch. A NaN counts as larger than all.
///
/// - Parameters:
///   - size: the window's height and width.
///   - stride: the distance between windows; `size` when nil.
/// - Precondition: a window fits, size and stride are positive.
public func maxPool2D(_ x: Tensor, size: Int, stride: Int? = nil) -> Tensor {
  let stride = stride ?? size
  let extents = pooledExtents("maxPool2D", x, size, stride)
  let (width, channels, extent) = (x.shape[2], x.shape[3], x.shape[1...].reduce(1, *))
  let shape = [x.shape[0]] + extents + [channels]
  let (values, choice) = (Storage(count: shape.reduce(1, *)), PoolChoice(shape, from: x.shape))
  defer { withExtendedLifetime(choice) {} }
  let (source, largest, chosen) = (x.storage.pointer, values.pointer, choice.pointer)
  parallel(shape[0] * extents[0], work: x.count) { rows in
    for pixel in rows.lowerBound * extents[1]..<rows.upperBound * extents[1] {
      let (row, column) = pixel.quotientAndRemainder(dividingBy: extents[1])
      let (image, line) = row.quotientAndRemainder(dividingBy: extents[0])
      let corner = (line * stride * width + column * stride) * channels
      for channel in Swift.stride(from: 0, to: channels, by: 16) {
        let count = min(16, channels - channel)
        var best = Vector(repeating: -.infinity)
        var positions = IntVector(repeating: Int32(truncatingIfNeeded: corner))
        for tap in 0..<size * size {
          let position = corner + (tap / size * width + tap % size) * channels
          let value = Vector(loading: source + image * extent + position + channel, count: count)
          let isLarger = (value .> best) .| (value .!= value)
          best.replace(with: value, where: isLarger)
          positions.replace(with: Int32(truncatingIfNeeded: position), where: isLarger)
        }
        for lane in 0..<count {
          largest[pixel * channels + channel + lane] = best[lane]
          chosen[pixel * channels + channel + lane] = positions[lane] + Int32(truncatingIfNeeded: channel + lane)
        }
      }
    }
  }
  return Tensor(storage: values, shape: shape).recorded(x) { upstream, _, _ in choice.spread(upstream) }
}

/// For each pooled value the position within its image that it was taken from.
private final class PoolChoice: @unchecked Sendable {
  let pooled, images: [Int]
  private let storage: Storage
  /// Written only while the operation that made it runs.
  let pointer: UnsafeMutablePointer<Int32>

  init(_ pooled: [Int], from images: [Int]) {
    (self.pooled, self.images) = (pooled, images)
    storage = Storage(count: pooled.reduce(1, *))
    pointer = UnsafeMutableRawPointer(storage.pointer).bindMemory(to: Int32.self, capacity: pooled.reduce(1, *))
  }

  /// Pooled values put where they came from, those of one position added.
  func spread(_ values: Tensor) -> Tensor {
    let result = Tensor.zeros(images)
    let (from, to) = (values.storage.pointer, result.storage.pointer)
    eachImage { value, position in to[position] += from[value] }
    return result.recorded(values) { upstream, _, _ in self.taken(upstream) }
  }

  /// The values at the positions.
  private func taken(_ values: Tensor) -> Tensor {
    let result = Tensor.zeros(pooled)
    let (from, to) = (values.storage.pointer, result.storage.pointer)
    eachImage { value, position in to[value] = from[position] }
    return result.recorded(values) { upstream, _, _ in self.spread(upstream) }
  }

  /// Calls `body` with each pooled value's index and the index of what it was taken from; images may run in parallel.
  @inline(always) private func eachImage(_ body: (_ value: Int, _ position: Int) -> Void) {
    let (count, extent) = (pooled[1...].reduce(1, *), images[1...].reduce(1, *))
    parallel(pooled[0], work: pooled[0] * count) { range in
      for image in range {
        for value in image * count..<(image + 1) * count { body(value, image * extent + Int(pointer[value])) }
      }
    }
  }
}

extension Vector {
  /// The first `count` lanes from memory, the others −∞.
  @inline(always) fileprivate init(loading pointer: Pointer, count: Int) {
    if count == 16 {
      self.init(loading: pointer)
    } else {
      self.init(repeating: -.infinity)
      for lane in 0..<count { self[lane] = pointer[lane] }
    }
  }
}
