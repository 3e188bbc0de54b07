import Tensors

/// A matrix drawn uniformly from those with orthonormal rows or columns, the fewer of the two; all axes but the last
/// count as rows.
func orthogonalMatrix(_ shape: [Int], using random: inout Random) -> Tensor {
  let columns = shape.last ?? 1
  let rows = shape.dropLast().reduce(1, *)
  let (count, length) = (min(rows, columns), max(rows, columns))
  let vectors = orthonormalized(Tensor.normal([count, length], using: &random).scalars, count: count, length: length)
  let matrix = Tensor(vectors, shape: [count, length])
  return (rows < columns ? matrix : matrix.transposed()).reshaped(to: shape)
}

/// Vectors made orthonormal in turn (Gram & Schmidt), in double precision.
private func orthonormalized(_ scalars: [Float], count: Int, length: Int) -> [Float] {
  var vectors = scalars.map(Double.init)
  func product(_ a: Int, _ b: Int) -> Double {
    var sums = SIMD8<Double>()
    var position = 0
    while position + 8 <= length {
      for lane in 0..<8 { sums[lane] += vectors[a * length + position + lane] * vectors[b * length + position + lane] }
      position += 8
    }
    var sum = sums.sum()
    for rest in position..<length { sum += vectors[a * length + rest] * vectors[b * length + rest] }
    return sum
  }
  for current in 0..<count {
    // Twice: the first pass leaves rounding errors along the earlier vectors where they were nearly parallel.
    for _ in 0..<2 {
      for earlier in 0..<current {
        let overlap = product(current, earlier)
        for i in 0..<length { vectors[current * length + i] -= overlap * vectors[earlier * length + i] }
      }
    }
    let norm = product(current, current).squareRoot()
    for i in 0..<length { vectors[current * length + i] /= norm }
  }
  return vectors.map(Float.init)
}
