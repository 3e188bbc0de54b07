/// (x − mean) / √(variance + ε) · scale + offset over the last axis: layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450).
///
/// - Parameters:
///   - x: `[…, features]`.
///   - scale: `[features]`.
///   - offset: `[features]`.
///   - epsilon: added to the variance, which is divided by the count (not the count less one).
public func layerNormalized(_ x: Tensor, scale: Tensor, offset: Tensor, epsilon: Float = 1e-5) -> Tensor {
  guard let width = x.shape.last, scale.shape == [width], offset.shape == [width] else {
    fail(
      "layerNormalized", "the scale \(scale.shape) and the offset \(offset.shape) must have the last axis of \(x.shape)")
  }
  let moments = Storage(count: 2 * (x.count / max(1, width)))
  let value = layerNormalizedRows(x, scale, offset, epsilon, into: moments)
  return value.recorded(fusing: [x, scale, offset]) { inputs in
    let centred = inputs[0] - inputs[0].mean(axis: -1, keepingAxes: true)
    return centred / sqrt(square(centred).mean(axis: -1, keepingAxes: true) + epsilon) * inputs[1] + inputs[2]
  } backward: { upstream, inputs, _ in
    layerNormalizedGradients(upstream, inputs[0], inputs[1], moments)
  }
}

/// Each row's mean and 1/√(variance + ε) are left in `moments`; two passes, since E[x²] − mean² would cancel.
private func layerNormalizedRows(
  _ x: Tensor, _ scale: Tensor, _ offset: Tensor, _ epsilon: Float, into moments: Storage
) -> Tensor {
  let width = scale.count
  let result = Storage(count: x.count)
  let (source, target, s, o) = (x.storage.pointer, result.pointer, scale.storage.pointer, offset.storage.pointer)
  parallel(x.count / max(1, width), work: x.count) { rows in
    for row in rows {
      let (x, y) = (source + row * width, target + row * width)
      let mean = rowSum(x, width) / Float(width)
      var squares = Vector()
      for i in stride(from: 0, to: width, by: 16) {
        let centred = Vector(row: x + i, count: width - i, filler: mean) - mean
        squares = fma(centred, centred, squares)
      }
      let inverse = 1 / (squares.lanesSum / Float(width) + epsilon).squareRoot()
      for i in stride(from: 0, to: width, by: 16) {
        let left = width - i
        fma((Vector(row: x + i, count: left) - mean) * inverse, Vector(row: s + i, count: left), Vector(row: o + i, count: left))
          .store(to: y + i, count: left)
      }
      (moments.pointer[2 * row], moments.pointer[2 * row + 1]) = (mean, inverse)
    }
  }
  return Tensor(storage: result, shape: x.shape)
}

/// The gradients of input, scale and offset.
private func layerNormalizedGradients(_ upstream: Tensor, _ x: Tensor, _ scale: Tensor, _ moments: Storage) -> [Tensor] {
  let width = scale.count
  let rows = x.count / max(1, width)
  let blocks = (rows + 255) / 256  // partial sums that do not depend on the number of threads
  let (gradient, partial) = (Storage(count: x.count), Tensor.zeros([2, blocks, width]))
  let parts = partial.storage.pointer
  parallel(blocks, work: 2 * x.count) { range in
    for block in range {
      for row in 256 * block..<min(rows, 256 * (block + 1)) {
        layerNormalizedGradientRow(
          upstream.storage.pointer + row * width, x.storage.pointer + row * width, scale.storage.pointer, width,
          moments.pointer[2 * row], moments.pointer[2 * row + 1], gradient.pointer + row * width,
          parts + block * width, parts + (blocks + block) * width)
      }
    }
  }
  let sums = partial.sum(axis: 1)
  return [Tensor(storage: gradient, shape: x.shape)] + (0..<2).map { sums.sliced($0..<$0 + 1, axis: 0).reshaped(to: [width]) }
}

/// One row's gradient, and its parts of the gradients of scale and offset added up.
@inline(always)
private func layerNormalizedGradientRow(
  _ u: Pointer, _ x: Pointer, _ scale: Pointer, _ width: Int, _ mean: Float, _ inverse: Float, _ gradient: Pointer,
  _ scaleSum: Pointer, _ offsetSum: Pointer
) {
  var (total, projection) = (Vector(), Vector())
  for i in stride(from: 0, to: width, by: 16) {
    let left = width - i
    let ui = Vector(row: u + i, count: left)
    let normal = (Vector(row: x + i, count: left) - mean) * inverse
    let scaled = ui * Vector(row: scale + i, count: left)
    total += scaled
    projection = fma(scaled, normal, projection)
    fma(ui, normal, Vector(row: scaleSum + i, count: left)).store(to: scaleSum + i, count: left)
    (ui + Vector(row: offsetSum + i, count: left)).store(to: offsetSum + i, count: left)
  }
  let (shift, slope) = (total.lanesSum / Float(width), projection.lanesSum / Float(width))
  for i in stride(from: 0, to: width, by: 16) {
    let left = width - i
    let normal = (Vector(row: x + i, count: left) - mean) * inverse
    let scaled = Vector(row: u + i, count: left) * Vector(row: scale + i, count: left)
    ((scaled - shift - normal * slope) * inverse).store(to: gradient + i, count: left)
  }
}
