import Foundation
import Tensors

/// Queries worked on at a time: their scores stay in the nearest cache.
private let blockLength = 32

extension AttentionLayout {
  /// The number of single-headed attentions.
  private var units: Int { leading.reduce(heads, *) }
  private var scale: Float { 1 / Float(max(1, depth)).squareRoot() }
  private var work: Int { units * time * keyTime * (depth + valueDepth) / 8 }
  private var blocks: StrideTo<Int> { stride(from: 0, to: time, by: blockLength) }
  /// The distance between rows of scores, which are whole vectors.
  private var pitch: Int { (keyTime + 15) / 16 * 16 }

  /// How many keys a query may see, from the first on.
  private func seen(by query: Int) -> Int { isCausal ? query + 1 + keyTime - time : keyTime }

  /// One unit's part of queries, keys, values or results, `[…, time, heads·depth]`.
  private func part(_ x: Tensor, _ unit: Int) -> MatrixView {
    let (length, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
    let start = x.storage.pointer + unit / heads * length * width + unit % heads * (width / heads)
    return MatrixView(pointer: start, stride: width)
  }

  /// The attention; the logarithm of each query's sum of exponentials is left in `normalizers`, `[units, time]`.
  func forward(_ inputs: [Tensor]) -> (output: Tensor, normalizers: Tensor) {
    let output = Tensor(
      storage: Storage(count: units * time * valueDepth), shape: leading + [time, heads * valueDepth])
    let normalizers = Tensor(storage: Storage(count: units * time), shape: [units, time])
    parallel(units, work: work) { range in
      let room = Storage(count: blockLength * pitch)
      let scores = MatrixView(pointer: room.pointer, stride: pitch)
      for unit in range {
        for first in blocks {
          let count = min(blockLength, time - first)
          let seen = seen(by: first + count - 1)
          gemm(
            part(inputs[0], unit).rows(from: first), part(inputs[1], unit).transposed, into: scores, count, seen, depth)
          for row in 0..<count {
            normalizers.storage.pointer[unit * time + first + row] = weigh(
              scores.rows(from: row), unit, first + row, seen)
          }
          gemm(scores, part(inputs[2], unit), into: part(output, unit).rows(from: first), count, valueDepth, seen)
        }
      }
    }
    return (output, normalizers)
  }

  /// The gradients of queries, keys and values; the attention weights are computed again.
  func backward(_ upstream: Tensor, _ inputs: [Tensor], _ normalizers: Tensor) -> [Tensor] {
    let gradients = inputs.map { Tensor.zeros($0.shape) }
    parallel(units, work: 3 * work) { range in
      let room = Storage(count: 2 * blockLength * pitch)
      let weights = MatrixView(pointer: room.pointer, stride: pitch)
      let slopes = weights.rows(from: blockLength)
      for unit in range {
        let (k, v) = (part(inputs[1], unit), part(inputs[2], unit))
        for first in blocks {
          let (q, u) = (part(inputs[0], unit).rows(from: first), part(upstream, unit).rows(from: first))
          let count = min(blockLength, time - first)
          let seen = seen(by: first + count - 1)
          gemm(q, k.transposed, into: weights, count, seen, depth)
          gemm(u, v.transposed, into: slopes, count, seen, valueDepth)
          for row in 0..<count {
            let (weight, slope) = (weights.rows(from: row).pointer, slopes.rows(from: row).pointer)
            _ = weigh(
              weights.rows(from: row), unit, first + row, seen, normalizers.storage.pointer[unit * time + first + row])
            let mean = rowSum(weight, times: slope, seen)
            for key in stride(from: 0, to: seen, by: 16) {
              (Vector(loading: weight + key) * (Vector(loading: slope + key) - mean) * scale).store(to: slope + key)
            }
          }
          gemm(slopes, k, into: part(gradients[0], unit).rows(from: first), count, depth, seen)
          gemm(slopes.transposed, q, into: part(gradients[1], unit), seen, depth, count, accumulating: true)
          gemm(weights.transposed, u, into: part(gradients[2], unit), seen, valueDepth, count, accumulating: true)
        }
      }
    }
    return gradients
  }

  /// Turns a query's scores into attention weights and returns the logarithm of the sum of their exponentials, unless that
  /// is given already; +∞ where the query sees nothing.
  private func weigh(_ row: MatrixView, _ unit: Int, _ query: Int, _ count: Int, _ normalizer: Float? = nil) -> Float {
    let (row, seen) = (row.pointer, seen(by: query))
    let mask = mask.map { $0.storage.pointer + (($0.rank > 2 ? unit / heads * time : 0) + query) * keyTime }
    for key in stride(from: 0, to: count, by: 16) {
      let score = (Vector(loading: row + key) * scale).filling(from: seen - key, with: -.infinity)
      (mask.map { score.replacing(with: -.infinity, where: RowLanes($0 + key, keyTime - key)[0] .== 0) } ?? score)
        .store(to: row + key)
    }
    let largest = normalizer ?? rowMaximum(row, count)
    let shift = largest == -.infinity ? .infinity : largest
    let sum = rowExponentials(row, count, minus: shift, into: row)
    guard normalizer == nil, sum != 0 else { return shift }
    for key in stride(from: 0, to: count, by: 16) { (Vector(loading: row + key) * (1 / sum)).store(to: row + key) }
    return shift + log(sum)
  }
}
