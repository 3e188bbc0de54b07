import Tensors

/// Each channel brought to mean 0 and variance 1 over all other axes, then scaled and shifted: batch normalisation (Ioffe &
/// Szegedy 2015, arXiv 1502.03167, algorithm 1); with the mean and the variance, `[channels]`, as constants.
///
/// - Parameters:
///   - x: `[…, channels]`.
///   - scale: `[channels]`.
///   - offset: `[channels]`.
///   - epsilon: added to the variance, which is divided by the count (not the count less one).
func batchNormalized(
  _ x: Tensor, scale: Tensor, offset: Tensor, epsilon: Float
) -> (values: Tensor, mean: Tensor, variance: Tensor) {
  let axes = Array(0..<x.rank - 1)
  let share = Float(scale.count) / Float(max(1, x.count))
  let (mean, variance, inverse) = withoutGradients {
    let mean = x.sum(axes: axes) * share
    let variance = centredProducts(x, mean, with: nil) * share
    return (mean, variance, 1 / sqrt(variance + epsilon))
  }
  let values = centred(x, mean, times: withoutGradients { inverse * scale }, plus: offset)
  let recorded = values.recorded(fusing: [x, scale, offset]) { inputs in
    let centred = inputs[0] - inputs[0].mean(axes: axes)
    return centred / sqrt(square(centred).mean(axes: axes) + epsilon) * inputs[1] + inputs[2]
  } backward: { upstream, inputs, _ in
    let (sum, product) = (upstream.sum(axes: axes), centredProducts(inputs[0], mean, with: upstream))
    let slope = inverse * inputs[1]
    let gradient = centred(
      inputs[0], mean, times: -slope * product * square(inverse) * share, plus: -slope * sum * share,
      and: (upstream, slope))
    return [gradient, product * inverse, sum]
  }
  return (recorded, mean, variance)
}

/// Σ (x − mean)·other over all axes but the last, of `x − mean` itself without another: `[channels]`.
///
/// A fixed number of chunks is summed in order: the same result on any number of threads.
private func centredProducts(_ x: Tensor, _ mean: Tensor, with other: Tensor?) -> Tensor {
  let width = mean.count
  let rows = x.count / width
  let chunks = min(rows, 16)
  let sums = Tensor.zeros([chunks, width])
  let (source, target, m) = (x.storage.pointer, sums.storage.pointer, mean.storage.pointer)
  let factor = other?.storage.pointer
  parallel(chunks, work: x.count) { range in
    for chunk in range {
      for row in rows * chunk / chunks..<rows * (chunk + 1) / chunks {
        for i in stride(from: 0, to: width, by: 16) {
          let (left, place) = (width - i, row * width + i)
          let centred = RowLanes(source + place, left)[0] - RowLanes(m + i, left)[0]
          let sum = RowLanes(target + chunk * width + i, left)
          sum[0] = fma(centred, factor.map { RowLanes($0 + place, left)[0] } ?? centred, sum[0])
        }
      }
    }
  }
  return sums.sum(axis: 0)
}

/// (x − mean)·factor + term, and another tensor times a factor of its own; all but the tensors `[channels]`.
private func centred(
  _ x: Tensor, _ mean: Tensor, times factor: Tensor, plus term: Tensor,
  and other: (values: Tensor, factor: Tensor)? = nil
) -> Tensor {
  let width = mean.count
  let result = Storage(count: x.count)
  let (source, target, m) = (x.storage.pointer, result.pointer, mean.storage.pointer)
  let (f, t) = (factor.storage.pointer, term.storage.pointer)
  let (u, s) = (other?.values.storage.pointer, other?.factor.storage.pointer)
  parallel(x.count / width, work: x.count) { rows in
    for row in rows {
      for i in stride(from: 0, to: width, by: 16) {
        let (left, place) = (width - i, row * width + i)
        let lanes = { (pointer: Pointer) in RowLanes(pointer, left)[0] }
        let value = fma(lanes(source + place) - lanes(m + i), lanes(f + i), lanes(t + i))
        RowLanes(target + place, left)[0] = u.map { fma(lanes($0 + place), lanes(s! + i), value) } ?? value
      }
    }
  }
  return Tensor(storage: result, shape: x.shape)
}
