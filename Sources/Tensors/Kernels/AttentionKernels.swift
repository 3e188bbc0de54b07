import Foundation

/// Queries worked on at a time: their scores stay in the nearest cache.
private let blockLength = 16

extension AttentionLayout {
  /// The number of single-headed attentions.
  private var units: Int { leading.reduce(heads, *) }
  private var scale: Float { 1 / Float(max(1, depth)).squareRoot() }
  private var work: Int { units * time * keyTime * (depth + valueDepth) / 8 }
  private var blocks: [Range<Int>] {
    stride(from: 0, to: time, by: blockLength).map { $0..<min(time, $0 + blockLength) }
  }

  /// How many keys a query may see, from the first on.
  private func seen(by query: Int) -> Int { isCausal ? query + 1 + keyTime - time : keyTime }

  private func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// One unit's part of `[…, length, heads·depth]`.
  private func part(_ x: Tensor, _ unit: Int, _ length: Int, _ depth: Int) -> StridedMatrix {
    StridedMatrix(
      pointer: x.storage.pointer + (unit / heads * length * heads + unit % heads) * depth, rowStride: heads * depth)
  }

  /// One unit's queries, keys and values.
  private func parts(_ inputs: [Tensor], _ unit: Int) -> (StridedMatrix, StridedMatrix, StridedMatrix) {
    (
      part(inputs[0], unit, time, depth), part(inputs[1], unit, keyTime, depth),
      part(inputs[2], unit, keyTime, valueDepth)
    )
  }

  /// The attention; the logarithm of each query's sum of exponentials is left in `normalizers`, `[units, time]`.
  func forward(_ inputs: [Tensor]) -> (output: Tensor, normalizers: Tensor) {
    let output = Tensor.zeros(leading + [time, heads * valueDepth])
    let normalizers = Tensor.zeros([units, time])
    parallel(units, work: work) { range in
      let room = Storage(count: blockLength * padded(keyTime))
      let scores = StridedMatrix(pointer: room.pointer, rowStride: padded(keyTime))
      for unit in range {
        let (q, k, v) = parts(inputs, unit)
        let keys = k.across.packed(depth: depth, columns: keyTime)
        let values = v.packed(depth: keyTime, columns: valueDepth)
        for block in blocks {
          let (first, seen) = (block.lowerBound, seen(by: block.upperBound - 1))
          multiplyPanels(
            q.rows(from: first), keys, into: scores, rows: block.count, columns: padded(seen), depth: depth)
          for query in block {
            normalizers.storage.pointer[unit * time + query] = weigh(
              scores.rows(from: query - first), unit, query, padded(seen))
          }
          multiplyPanels(
            scores, values, packedDepth: keyTime, into: part(output, unit, time, valueDepth).rows(from: first),
            rows: block.count, columns: valueDepth, depth: seen)
        }
      }
    }
    return (output, normalizers)
  }

  /// The gradients of queries, keys and values; the attention weights are computed again.
  func backward(_ upstream: Tensor, _ inputs: [Tensor], _ normalizers: Tensor) -> [Tensor] {
    let gradients = inputs.map { Tensor.zeros($0.shape) }
    parallel(units, work: 3 * work) { range in
      let room = Storage(count: 2 * blockLength * padded(keyTime))
      for unit in range {
        backward(
          parts(inputs, unit), part(upstream, unit, time, valueDepth), normalizers.storage.pointer + unit * time,
          parts(gradients, unit), unit, StridedMatrix(pointer: room.pointer, rowStride: padded(keyTime)))
      }
    }
    return gradients
  }

  private func backward(
    _ inputs: (StridedMatrix, StridedMatrix, StridedMatrix), _ upstream: StridedMatrix, _ normalizers: Pointer,
    _ gradients: (StridedMatrix, StridedMatrix, StridedMatrix), _ unit: Int, _ weights: StridedMatrix
  ) {
    let (q, k, v) = inputs
    let slopes = weights.rows(from: blockLength)
    let (keysAcross, keys) = (k.across.packed(depth: depth, columns: keyTime), k.packed(depth: keyTime, columns: depth))
    let valuesAcross = v.across.packed(depth: valueDepth, columns: keyTime)
    for block in blocks {
      let (first, count, seen) = (block.lowerBound, block.count, seen(by: block.upperBound - 1))
      let (q, u) = (q.rows(from: first), upstream.rows(from: first))
      multiplyPanels(q, keysAcross, into: weights, rows: count, columns: padded(seen), depth: depth)
      multiplyPanels(u, valuesAcross, into: slopes, rows: count, columns: padded(seen), depth: valueDepth)
      for query in block {
        let (row, slope) = (weights.rows(from: query - first), slopes.rows(from: query - first).pointer)
        _ = weigh(row, unit, query, padded(seen), normalizers[query])
        let mean = rowSum(row.pointer, times: slope, seen)
        for key in stride(from: 0, to: seen, by: 16) {
          (Vector(loading: row.pointer + key) * (Vector(loading: slope + key) - mean) * scale).store(to: slope + key)
        }
      }
      let (queries, upstreams) = (q.packed(depth: count, columns: depth), u.packed(depth: count, columns: valueDepth))
      multiplyPanels(
        slopes, keys, packedDepth: keyTime, into: gradients.0.rows(from: first), rows: count, columns: depth,
        depth: seen)
      multiplyPanels(
        slopes.across, queries, into: gradients.1, rows: seen, columns: depth, depth: count, accumulating: true)
      multiplyPanels(
        weights.across, upstreams, into: gradients.2, rows: seen, columns: valueDepth, depth: count, accumulating: true)
    }
  }

  /// Turns a query's scores into attention weights and returns the logarithm of the sum of their exponentials, unless that
  /// is given already; +∞ where the query sees nothing.
  private func weigh(_ row: StridedMatrix, _ unit: Int, _ query: Int, _ count: Int, _ normalizer: Float? = nil) -> Float
  {
    let (row, seen) = (row.pointer, seen(by: query))
    let mask = mask.map { $0.storage.pointer + (($0.rank > 2 ? unit / heads * time : 0) + query) * keyTime }
    for key in stride(from: 0, to: count, by: 16) {
      let score = (Vector(loading: row + key) * scale).filling(from: seen - key, with: -.infinity)
      (mask.map { score.replacing(with: -.infinity, where: Lanes($0 + key, keyTime - key)[0] .== 0) } ?? score)
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
