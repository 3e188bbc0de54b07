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
  let (width, channels) = (x.shape[2], x.shape[3])
  let shape = [x.shape[0]] + extents + [channels]
  let (values, choice) = (Storage(count: shape.reduce(1, *)), PoolChoice(shape, from: x.shape))
  defer { withExtendedLifetime(choice) {} }
  let (source, largest, chosen) = (x.storage.pointer, values.pointer, choice.pointer)
  parallel(shape[0] * extents[0], work: x.count) { rows in
    for row in rows {
      let (image, line) = row.quotientAndRemainder(dividingBy: extents[0])
      for column in 0..<extents[1] {
        let result = (row * extents[1] + column) * channels
        (largest + result).update(repeating: -.infinity, count: channels)
        let corner = (line * stride * width + column * stride) * channels
        for channel in 0..<channels { chosen[result + channel] = Int32(truncatingIfNeeded: corner + channel) }
        for tap in 0..<size * size {
          let pixel = corner + (tap / size * width + tap % size) * channels
          let values = source + image * x.shape[1] * width * channels + pixel
          for channel in 0..<channels {
            let (value, best) = (values[channel], largest[result + channel])
            let isLarger = (value > best) != (value != value)
            largest[result + channel] = isLarger ? value : best
            chosen[result + channel] = isLarger ? Int32(truncatingIfNeeded: pixel + channel) : chosen[result + channel]
          }
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
      for value in range.lowerBound * count..<range.upperBound * count {
        body(value, value / max(1, count) * extent + Int(pointer[value]))
      }
    }
  }
}
