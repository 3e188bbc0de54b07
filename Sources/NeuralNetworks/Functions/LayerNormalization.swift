import Tensors

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
      "layerNormalized", "the scale \(scale.shape) and the offset \(offset.shape) must have the last axis of \(x.shape)"
    )
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
        let centred = (RowLanes(x + i, width - i)[0] - mean).filling(from: width - i, with: 0)
        squares = fma(centred, centred, squares)
      }
      let inverse = 1 / (squares.lanesSum / Float(width) + epsilon).squareRoot()
      for i in stride(from: 0, to: width, by: 16) {
        let left = width - i
        let normal = (RowLanes(x + i, left)[0] - mean) * inverse
        RowLanes(y + i, left)[0] = fma(normal, RowLanes(s + i, left)[0], RowLanes(o + i, left)[0])
      }
      (moments.pointer[2 * row], moments.pointer[2 * row + 1]) = (mean, inverse)
    }
  }
  return Tensor(storage: result, shape: x.shape)
}

/// The gradients of input, scale and offset.
private func layerNormalizedGradients(_ upstream: Tensor, _ x: Tensor, _ scale: Tensor, _ moments: Storage) -> [Tensor]
{
  let width = scale.count
  let rows = x.count / max(1, width)
  let (gradient, products) = (Storage(count: x.count), Storage(count: x.count))  // products are upstream·normalised
  let s = scale.storage.pointer
  parallel(rows, work: 2 * x.count) { range in
    for row in range {
      let (u, x) = (upstream.storage.pointer + row * width, x.storage.pointer + row * width)
      let (g, p) = (gradient.pointer + row * width, products.pointer + row * width)
      let (mean, inverse) = (moments.pointer[2 * row], moments.pointer[2 * row + 1])
      for i in stride(from: 0, to: width, by: 16) {
        let left = width - i
        RowLanes(p + i, left)[0] = RowLanes(u + i, left)[0] * (RowLanes(x + i, left)[0] - mean) * inverse
      }
      let (shift, slope) = (rowSum(u, times: s, width) / Float(width), rowSum(p, times: s, width) / Float(width))
      for i in stride(from: 0, to: width, by: 16) {
        let left = width - i
        let normal = (RowLanes(x + i, left)[0] - mean) * inverse
        RowLanes(g + i, left)[0] =
          (RowLanes(u + i, left)[0] * RowLanes(s + i, left)[0] - shift - normal * slope) * inverse
      }
    }
  }
  return [
    Tensor(storage: gradient, shape: x.shape), Tensor(storage: products, shape: [rows, width]).sum(axis: 0),
    upstream.reshaped(to: [rows, width]).sum(axis: 0),
  ]
}
