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
  let shape = [x.shape[0]] + extents + [x.shape[3]]
  let (values, choice) = (Storage(count: shape.reduce(1, *)), PoolChoice(shape, from: x.shape))
  let window = PoolWindow(size: size, width: x.shape[2], channels: x.shape[3])
  let (channels, extent) = (x.shape[3], x.shape[1...].reduce(1, *))
  parallel(shape[0] * extents[0], work: x.count) { rows in
    let end = rows.upperBound * extents[1] * channels
    for row in rows {
      let (image, line) = row.quotientAndRemainder(dividingBy: extents[0])
      for column in 0..<extents[1] {
        let corner = (line * window.width + column) * stride * channels
        let target = (row * extents[1] + column) * channels
        for channel in Swift.stride(from: 0, to: channels, by: 16) {
          let (largest, position) = window.maximum(x.storage.pointer + image * extent, at: corner + channel)
          // What a vector writes beyond a pixel is overwritten by the next.
          let (start, left) = (target + channel, end - target - channel)
          RowLanes(values.pointer + start, left)[0] = largest
          RowLanes(choice.pointer + start, left)[0] = position
        }
      }
    }
  }
  return Tensor(storage: values, shape: shape).recorded(x) { upstream, _, _ in choice.spread(upstream) }
}

private struct PoolWindow {
  let size, width, channels: Int

  /// The largest values of the window that begins at `corner`, and as bits their positions in the image.
  @inline(always) func maximum(_ image: Pointer, at corner: Int) -> (value: Vector, position: Vector) {
    var best = Vector(repeating: -.infinity)
    var positions = IntVector(repeating: Int32(truncatingIfNeeded: corner))
    for row in 0..<size {
      for column in 0..<size {
        let position = corner + (row * width + column) * channels
        let value = Vector(loading: image + position)
        let isLarger = (value .> best) .| (value .!= value)
        best.replace(with: value, where: isLarger)
        positions.replace(with: IntVector(repeating: Int32(truncatingIfNeeded: position)), where: isLarger)
      }
    }
    let lanes = IntVector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return (best, Vector(bits: positions &+ lanes))
  }
}

/// For each pooled value the position within its image that it was taken from.
private final class PoolChoice: @unchecked Sendable {
  let pooled, images: [Int]
  private let positions: Storage
  /// The positions' bits; written only while the operation that made it runs.
  var pointer: Pointer { positions.pointer }

  init(_ pooled: [Int], from images: [Int]) {
    (self.pooled, self.images) = (pooled, images)
    positions = Storage(count: pooled.reduce(1, *))
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
    let result = Tensor(storage: Storage(count: pooled.reduce(1, *)), shape: pooled)
    let (from, to) = (values.storage.pointer, result.storage.pointer)
    eachImage { value, position in to[value] = from[position] }
    return result.recorded(values) { upstream, _, _ in self.spread(upstream) }
  }

  /// Calls `body` with each pooled value's index and the index of what it was taken from; images may run in parallel.
  @inline(always) private func eachImage(_ body: (_ value: Int, _ position: Int) -> Void) {
    let (count, extent) = (pooled[1...].reduce(1, *), images[1...].reduce(1, *))
    parallel(pooled[0], work: pooled[0] * count) { range in
      for image in range {
        for value in image * count..<(image + 1) * count { body(value, image * extent + Int(pointer[value].bitPattern)) }
      }
    }
  }
}
