import Foundation

/// Queries worked on at a time: their scores stay in the nearest cache.
private let blockLength = 16

extension AttentionLayout {
  private func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
  private var paddedTime: Int { padded(keyTime) }
  private var work: Int { units * time * keyTime * (depth + valueDepth) / 8 }

  /// One unit's part of `[…, length, heads·depth]`: rows `length`, columns `depth`.
  private func matrix(_ x: Tensor, _ unit: Int, _ length: Int, _ depth: Int) -> StridedMatrix {
    StridedMatrix(
      pointer: x.storage.pointer + (unit / heads * length * heads + unit % heads) * depth, rowStride: heads * depth)
  }

  /// Writes the attention, and the logarithm of each query's sum of exponentials.
  func forward(_ queries: Tensor, _ keys: Tensor, _ values: Tensor, into result: Storage, _ normalizers: Storage) {
    let output = Tensor(storage: result, shape: [])
    parallel(units, work: work) { range in
      let keyPanels = Storage(count: panelCount(depth: depth, columns: keyTime))
      let valuePanels = Storage(count: panelCount(depth: keyTime, columns: valueDepth))
      let scores = Storage(count: blockLength * paddedTime)
      for unit in range {
        let (q, k) = (matrix(queries, unit, time, depth), matrix(keys, unit, keyTime, depth))
        let (v, y) = (matrix(values, unit, keyTime, valueDepth), matrix(output, unit, time, valueDepth))
        packPanels(k.view(transposed: true), depth: depth, columns: keyTime, into: keyPanels.pointer)
        packPanels(v.view(transposed: false), depth: keyTime, columns: valueDepth, into: valuePanels.pointer)
        for block in blocks {
          let seen = visible(to: block.upperBound - 1)
          multiplyPanels(
            q.rows(from: block.lowerBound), keyPanels.pointer, into: scoreMatrix(scores), rows: block.count,
            columns: padded(seen), depth: depth)
          for query in block {
            normalizers.pointer[unit * time + query] = softmaxRow(
              scores.pointer + (query - block.lowerBound) * paddedTime, unit, query)
          }
          multiplyPanels(
            scoreMatrix(scores), valuePanels.pointer, packedDepth: keyTime, into: y.rows(from: block.lowerBound),
            rows: block.count, columns: valueDepth, depth: seen)
        }
      }
    }
  }

  /// The gradients of queries, keys and values; the attention weights are computed again.
  func backward(_ upstream: Tensor, _ inputs: [Tensor], _ normalizers: Storage) -> [Tensor] {
    let gradients = inputs.map { Tensor.zeros($0.shape) }
    parallel(units, work: 3 * work) { range in
      let room = AttentionRoom(self, paddedTime)
      for unit in range { backward(unit, upstream, inputs, normalizers.pointer + unit * time, gradients, room) }
    }
    return gradients
  }

  private func backward(
    _ unit: Int, _ upstream: Tensor, _ inputs: [Tensor], _ normalizers: Pointer, _ gradients: [Tensor], _ room: AttentionRoom
  ) {
    let (q, k) = (matrix(inputs[0], unit, time, depth), matrix(inputs[1], unit, keyTime, depth))
    let (v, u) = (matrix(inputs[2], unit, keyTime, valueDepth), matrix(upstream, unit, time, valueDepth))
    let (dq, dk) = (matrix(gradients[0], unit, time, depth), matrix(gradients[1], unit, keyTime, depth))
    let dv = matrix(gradients[2], unit, keyTime, valueDepth)
    packPanels(k.view(transposed: true), depth: depth, columns: keyTime, into: room.keysAcross.pointer)
    packPanels(k.view(transposed: false), depth: keyTime, columns: depth, into: room.keys.pointer)
    packPanels(v.view(transposed: true), depth: valueDepth, columns: keyTime, into: room.valuesAcross.pointer)
    for block in blocks {
      let (first, count, seen) = (block.lowerBound, block.count, visible(to: block.upperBound - 1))
      let (weights, slopes) = (scoreMatrix(room.weights), scoreMatrix(room.slopes))
      multiplyPanels(
        q.rows(from: first), room.keysAcross.pointer, into: weights, rows: count, columns: padded(seen), depth: depth)
      multiplyPanels(
        u.rows(from: first), room.valuesAcross.pointer, into: slopes, rows: count, columns: padded(seen),
        depth: valueDepth)
      for query in block {
        let start = (query - first) * paddedTime
        gradientRow(weights.pointer + start, slopes.pointer + start, unit, query, normalizers[query])
      }
      multiplyPanels(
        slopes, room.keys.pointer, packedDepth: keyTime, into: dq.rows(from: first), rows: count, columns: depth,
        depth: seen)
      packPanels(u.rows(from: first).view(transposed: false), depth: count, columns: valueDepth, into: room.block.pointer)
      multiplyPanels(
        weights.across, room.block.pointer, into: dv, rows: seen, columns: valueDepth, depth: count, accumulating: true)
      packPanels(q.rows(from: first).view(transposed: false), depth: count, columns: depth, into: room.block.pointer)
      multiplyPanels(
        slopes.across, room.block.pointer, into: dk, rows: seen, columns: depth, depth: count, accumulating: true)
    }
  }

  private var blocks: [Range<Int>] {
    stride(from: 0, to: time, by: blockLength).map { $0..<min(time, $0 + blockLength) }
  }

  private func scoreMatrix(_ storage: Storage) -> StridedMatrix {
    StridedMatrix(pointer: storage.pointer, rowStride: paddedTime)
  }

  /// Sixteen scores from `key` on, scaled; −∞ where the query must not see the key.
  @inline(always) private func score(_ row: Pointer, _ key: Int, _ limit: Int, _ mask: Pointer?) -> Vector {
    let scaled = (Vector(loading: row + key) * scale).filling(from: limit - key, with: -.infinity)
    guard let mask else { return scaled }
    return scaled.replacing(with: -.infinity, where: Vector(row: mask + key, count: keyTime - key) .== 0)
  }

  private func maskRow(_ unit: Int, _ query: Int) -> Pointer? {
    mask.map { mask in
      mask.storage.pointer + ((mask.rank > 2 ? unit / heads * time : 0) + query) * keyTime
    }
  }

  /// Scores replaced by attention weights; the logarithm of the sum of exponentials, +∞ where nothing is seen.
  private func softmaxRow(_ row: Pointer, _ unit: Int, _ query: Int) -> Float {
    let (limit, mask) = (visible(to: query), maskRow(unit, query))
    let end = visible(to: min(time, (query / blockLength + 1) * blockLength) - 1)
    var largest = Vector(repeating: -.infinity)
    for key in stride(from: 0, to: end, by: 16) {
      let value = score(row, key, limit, mask)
      value.store(to: row + key)
      largest = largest.replacing(with: value, where: value .> largest)
    }
    let shift = largest.lanesMaximum
    guard shift != -.infinity else {
      row.update(repeating: 0, count: paddedTime)
      return .infinity
    }
    let sum = rowExponentials(row, end, minus: shift, into: row)
    for key in stride(from: 0, to: end, by: 16) { (Vector(loading: row + key) * (1 / sum)).store(to: row + key) }
    return shift + log(sum)
  }

  /// Scores replaced by attention weights, and the gradients of the weights by those of the unscaled scores.
  private func gradientRow(_ row: Pointer, _ slopes: Pointer, _ unit: Int, _ query: Int, _ normalizer: Float) {
    let (limit, mask) = (visible(to: query), maskRow(unit, query))
    let end = visible(to: min(time, (query / blockLength + 1) * blockLength) - 1)
    var sum = Vector()
    for key in stride(from: 0, to: end, by: 16) {
      let weight = weightExp(score(row, key, limit, mask) - normalizer)
      weight.store(to: row + key)
      sum = fma(weight, Vector(loading: slopes + key).filling(from: end - key, with: 0), sum)
    }
    let mean = sum.lanesSum
    for key in stride(from: 0, to: end, by: 16) {
      (Vector(loading: row + key) * (Vector(loading: slopes + key) - mean) * scale).store(to: slopes + key)
    }
  }
}

/// A thread's working memory for going backward.
private struct AttentionRoom {
  let keysAcross, keys, valuesAcross, block, weights, slopes: Storage

  init(_ layout: AttentionLayout, _ paddedTime: Int) {
    keysAcross = Storage(count: panelCount(depth: layout.depth, columns: layout.keyTime))
    keys = Storage(count: panelCount(depth: layout.keyTime, columns: layout.depth))
    valuesAcross = Storage(count: panelCount(depth: layout.valueDepth, columns: layout.keyTime))
    block = Storage(count: panelCount(depth: blockLength, columns: max(layout.depth, layout.valueDepth)))
    weights = Storage(count: blockLength * paddedTime)
    slopes = Storage(count: blockLength * paddedTime)
  }
}
