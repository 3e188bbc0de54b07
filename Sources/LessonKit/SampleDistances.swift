import Tensors

/// The squared distance of each row of `[count, dimensions]` from each of `[others, dimensions]`: `[count, others]`.
///
/// Differences are taken before they are squared: the shorter |a|² − 2ab + |b|² cancels where points are close.
func squaredDistances(_ first: Tensor, _ second: Tensor) -> Tensor {
  let (rows, columns, dimensions) = (first.shape[0], second.shape[0], first.shape[1])
  var values = [Float](repeating: 0, count: rows * columns)
  first.withUnsafeScalars { a in
    second.withUnsafeScalars { b in
      for row in 0..<rows {
        for column in 0..<columns {
          var sum: Float = 0
          for axis in 0..<dimensions {
            let difference = a[row * dimensions + axis] - b[column * dimensions + axis]
            sum += difference * difference
          }
          values[row * columns + column] = sum
        }
      }
    }
  }
  return Tensor(values, shape: [rows, columns])
}

/// Stops where two sets of points, `[count, dimensions]`, do not fit each other or have fewer than `least` points.
func checkPoints(_ operation: String, _ first: Tensor, _ second: Tensor, least: Int) {
  guard first.rank == 2, second.rank == 2, first.shape[1] == second.shape[1],
    min(first.shape[0], second.shape[0]) >= least
  else {
    fail(
      operation, "needs two sets of at least \(least) points, [count, dimensions]; got \(first.shape), \(second.shape)")
  }
}
