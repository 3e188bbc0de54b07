import Tensors

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
  let window = PoolWindow(size: size, width: x.shape[2], channels: x.shape[3])
  let (batch, extent, count) = (x.shape[0], x.shape[1...].reduce(1, *), extents[0] * extents[1] * x.shape[3])
  let places = IndexTensor([batch, count]) { target in
    parallel(batch * extents[0], work: x.count) { rows in
      for row in rows {
        let (image, line) = row.quotientAndRemainder(dividingBy: extents[0])
        let from = x.storage.pointer + image * extent
        for column in 0..<extents[1] {
          let pixel = (row * extents[1] + column) * window.channels
          window.choose(from, line * stride, column * stride, into: target + pixel)
        }
      }
    }
  }
  return x.reshaped(to: [batch, extent]).gathered(at: places, axis: 1).reshaped(to: [batch] + extents + [x.shape[3]])
}

private struct PoolWindow {
  let size, width, channels: Int

  /// For each channel, where in the image the largest value of the window at a row and a column stands.
  @inline(always) func choose(_ image: Pointer, _ row: Int, _ column: Int, into target: UnsafeMutablePointer<Int32>) {
    let corner = (row * width + column) * channels
    for channel in stride(from: 0, to: channels, by: 16) {
      var best = Vector(repeating: -.infinity)
      var tap = IntVector(repeating: 0)
      for down in 0..<size {
        for across in 0..<size {
          let offset = (down * width + across) * channels
          let value = Vector(loading: image + corner + channel + offset)
          let isLarger = (value .> best) .| (value .!= value)
          best.replace(with: value, where: isLarger)
          tap.replace(with: IntVector(repeating: Int32(truncatingIfNeeded: offset)), where: isLarger)
        }
      }
      let lanes = IntVector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      let start = IntVector(repeating: Int32(truncatingIfNeeded: corner + channel))
      let bits = UnsafeMutableRawPointer(target + channel).assumingMemoryBound(to: Float.self)
      RowLanes(bits, channels - channel)[0] = Vector(bits: tap &+ (start &+ lanes))
    }
  }
}
