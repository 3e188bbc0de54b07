import Tensors

/// A linear map along one axis, as what each result sums; its gradient is the transposed map.
private struct AxisMap: Sendable {
  typealias Term = (position: Int, weight: Float)
  private let inputs: Int
  /// What each result reads: the terms from its number here up to the next's.
  private let starts: [Int]
  private let terms: [Term]

  /// - Parameter terms: for each result the positions it reads, with weights.
  init(inputs: Int, terms: [[Term]]) {
    self.inputs = inputs
    starts = terms.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    self.terms = Array(terms.joined())
  }

  private var results: Int { starts.count - 1 }

  var transposed: AxisMap {
    var gathered = [[Term]](repeating: [], count: inputs)
    for result in 0..<results {
      for term in terms[starts[result]..<starts[result + 1]] { gathered[term.position].append((result, term.weight)) }
    }
    return AxisMap(inputs: results, terms: gathered)
  }

  func callAsFunction(_ x: Tensor, axis: Int) -> Tensor {
    var shape = x.shape
    shape[axis] = results
    let inner = shape[(axis + 1)...].reduce(1, *)
    let result = Tensor(storage: Storage(count: shape.reduce(1, *)), shape: shape)
    let rows = shape[..<axis].reduce(1, *) * results
    terms.withUnsafeBufferPointer { terms in
      parallel(rows, work: rows * inner * 2) { range in
        let end = result.storage.pointer + range.upperBound * inner
        for row in range {
          let (slab, place) = row.quotientAndRemainder(dividingBy: results)
          let from = x.storage.pointer + slab * inputs * inner
          addUp(terms[starts[place]..<starts[place + 1]], from, result.storage.pointer + row * inner, inner, end)
        }
      }
    }
    return result.recorded(x) { upstream, _, _ in transposed(upstream, axis: axis) }
  }

  /// One row of results; what a vector writes beyond it, short of `end`, is overwritten by the next.
  @inline(always) private func addUp(
    _ terms: Slice<UnsafeBufferPointer<Term>>, _ from: Pointer, _ to: Pointer, _ inner: Int, _ end: Pointer
  ) {
    for i in stride(from: 0, to: inner, by: 16) {
      var sum = Vector()
      for (position, weight) in terms {
        sum = fma(Vector(loading: from + position * inner + i), Vector(repeating: weight), sum)
      }
      RowLanes(to + i, end - (to + i))[0] = sum
    }
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
