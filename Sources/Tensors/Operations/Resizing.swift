/// A linear map along one axis, as what each result sums; its gradient is the transposed map.
private struct AxisMap: Sendable {
  let inputs: Int
  /// For each result the positions it reads, with weights.
  let terms: [[(position: Int, weight: Float)]]

  var transposed: AxisMap {
    var gathered = [[(position: Int, weight: Float)]](repeating: [], count: inputs)
    for (result, sources) in terms.enumerated() {
      for (position, weight) in sources { gathered[position].append((result, weight)) }
    }
    return AxisMap(inputs: terms.count, terms: gathered)
  }

  func callAsFunction(_ x: Tensor, axis: Int) -> Tensor {
    var shape = x.shape
    shape[axis] = terms.count
    let inner = shape[(axis + 1)...].reduce(1, *)
    let result = Storage(count: shape.reduce(1, *))
    let (source, target) = (x.storage.pointer, result.pointer)
    let rows = shape[..<axis].reduce(1, *) * terms.count
    parallel(rows, work: rows * inner * 2) { range in
      for row in range {
        let (slab, position) = row.quotientAndRemainder(dividingBy: terms.count)
        let to = target + row * inner
        to.update(repeating: 0, count: inner)
        for (position, weight) in terms[position] {
          addScaled(source + (slab * inputs + position) * inner, weight, to: to, count: inner)
        }
      }
    }
    return Tensor(storage: result, shape: shape).recorded(x) { upstream, _, _ in transposed(upstream, axis: axis) }
  }
}

/// `y += x·scale`.
@inline(always) private func addScaled(_ x: Pointer, _ scale: Float, to y: Pointer, count: Int) {
  var i = 0
  while i + 16 <= count {
    fma(Vector(loading: x + i), Vector(repeating: scale), Vector(loading: y + i)).store(to: y + i)
    i += 16
  }
  while i < count {
    y[i] += x[i] * scale
    i += 1
  }
}

extension Tensor {
  fileprivate func mapped(_ name: String, _ extents: [Int], _ map: (_ inputs: Int, _ results: Int) -> AxisMap) -> Tensor
  {
    guard rank == 4, shape[1] > 0, shape[2] > 0, extents.allSatisfy({ $0 > 0 }) else {
      fail(
        name,
        "cannot make images of \(extents[0])×\(extents[1]) from the shape \(shape); it must be "
          + "[batch, height, width, channels], and no height or width 0")
    }
    // The axis that shrinks most goes first: the second then has less to read.
    return map(shape[2], extents[1])(map(shape[1], extents[0])(self, axis: 1), axis: 2)
  }
}

/// Images enlarged or reduced by taking the nearest pixel: `[batch, height, width, channels]`; as `interpolate` in PyTorch does.
///
/// Result `i` is input `⌊i·inputs/results⌋`.
///
/// - Precondition: four axes, and heights and widths above 0.
public func resizedNearest(_ x: Tensor, height: Int, width: Int) -> Tensor {
  x.mapped("resizedNearest", [height, width]) { inputs, results in
    AxisMap(inputs: inputs, terms: (0..<results).map { [($0 * inputs / results, Float(1))] })
  }
}

/// Images enlarged or reduced by interpolating between pixels, the centre of pixel `i` being at `i + ½`:
/// `[batch, height, width, channels]`; `interpolate` with `mode="bilinear", align_corners=False` in PyTorch.
///
/// - Precondition: four axes, and heights and widths above 0.
public func resizedBilinear(_ x: Tensor, height: Int, width: Int) -> Tensor {
  x.mapped("resizedBilinear", [height, width]) { inputs, results in
    AxisMap(
      inputs: inputs,
      terms: (0..<results).map { result in
        let position = max(0, (Double(result) + 0.5) * Double(inputs) / Double(results) - 0.5)
        let low = min(Int(position), inputs - 1)
        let fraction = Float(position - Double(low))
        return low + 1 < inputs ? [(low, 1 - fraction), (low + 1, fraction)] : [(low, Float(1))]
      })
  }
}

/// The mean of each window of images: `[batch, height, width, channels]`; windows that do not fit whole are left out.
///
/// - Parameters:
///   - size: the window's height and width.
///   - stride: the distance between windows; `size` when nil.
/// - Precondition: a window fits, size and stride are positive.
public func averagePool2D(_ x: Tensor, size: Int, stride: Int? = nil) -> Tensor {
  let stride = stride ?? size
  return x.mapped("averagePool2D", pooledExtents("averagePool2D", x, size, stride)) { inputs, results in
    AxisMap(
      inputs: inputs,
      terms: (0..<results).map { result in (0..<size).map { (position: result * stride + $0, weight: 1 / Float(size)) }
      })
  }
}

/// The height and width that windows give, checked.
func pooledExtents(_ operation: String, _ x: Tensor, _ size: Int, _ stride: Int) -> [Int] {
  guard size > 0, stride > 0 else { fail(operation, "size \(size) and stride \(stride) must be 1 or more") }
  guard x.rank == 4, x.shape[1] >= size, x.shape[2] >= size else {
    fail(
      operation, "a window of \(size)×\(size) does not fit in the shape \(x.shape), [batch, height, width, channels]")
  }
  return [(x.shape[1] - size) / stride + 1, (x.shape[2] - size) / stride + 1]
}

/// Blocks of pixels put into channels: `[batch, height, width, channels] → [batch, height/block, width/block, block·block·channels]`.
///
/// The channels of a result are those of the block's pixels, row by row.
///
/// - Precondition: the height and the width are multiples of `block`.
public func spaceToDepth(_ x: Tensor, block: Int) -> Tensor {
  guard x.rank == 4, block > 0, x.shape[1] % block == 0, x.shape[2] % block == 0 else {
    fail(
      "spaceToDepth", "blocks of \(block)×\(block) do not fill the shape \(x.shape), [batch, height, width, channels]")
  }
  let (height, width, channels) = (x.shape[1] / block, x.shape[2] / block, x.shape[3])
  return x.reshaped(to: [x.shape[0], height, block, width, block, channels]).permuted([0, 1, 3, 2, 4, 5])
    .reshaped(to: [x.shape[0], height, width, block * block * channels])
}

/// Channels spread over blocks of pixels, the inverse of ``spaceToDepth(_:block:)``:
/// `[batch, height, width, block·block·channels] → [batch, height·block, width·block, channels]`.
///
/// - Precondition: the number of channels is a multiple of `block·block`.
public func depthToSpace(_ x: Tensor, block: Int) -> Tensor {
  guard x.rank == 4, block > 0, x.shape[3] % (block * block) == 0 else {
    fail("depthToSpace", "the channels of shape \(x.shape) do not fill blocks of \(block)×\(block) pixels")
  }
  let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3] / (block * block))
  return x.reshaped(to: [x.shape[0], height, width, block, block, channels]).permuted([0, 1, 3, 2, 4, 5])
    .reshaped(to: [x.shape[0], height * block, width * block, channels])
}
