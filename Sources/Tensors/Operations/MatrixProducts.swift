/// The product of two matrices, or of each pair in two batches of them, either read transposed: `[…, m, k] · […, k, n] → […, m, n]`.
///
/// - Precondition: both have two axes or more, the inner extents agree, and the axes before the last two broadcast.
public func matmul(
  _ a: Tensor, _ b: Tensor, transposingFirst: Bool = false, transposingSecond: Bool = false
) -> Tensor {
  guard a.rank >= 2, b.rank >= 2 else {
    fail("matmul", "needs two matrices, or batches of them; the shapes are \(a.shape) and \(b.shape)")
  }
  if b.rank == 2, a.rank > 2, !transposingFirst {  // one product of all rows
    return matmul(a.reshapedToMatrix, b, transposingSecond: transposingSecond)
      .reshaped(to: a.shape.dropLast() + [b.shape[transposingSecond ? 0 : 1]])
  }
  let (first, second) = (Array(a.shape.suffix(2)), Array(b.shape.suffix(2)))
  let (rows, depth) = transposingFirst ? (first[1], first[0]) : (first[0], first[1])
  let (inner, columns) = transposingSecond ? (second[1], second[0]) : (second[0], second[1])
  guard depth == inner else {
    let how = transposingFirst || transposingSecond ? " (transposing \(transposingFirst), \(transposingSecond))" : ""
    fail("matmul", "the shapes \(a.shape) and \(b.shape)\(how) do not fit: \(depth) meets \(inner)")
  }
  let batch = broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), in: "matmul")
  let result = Storage(count: batch.reduce(rows * columns, *))
  multiplyMatrices(
    MatrixBatch(a, in: batch, isTransposed: transposingFirst),
    MatrixBatch(b, in: batch, isTransposed: transposingSecond),
    into: result.pointer, rows: rows, columns: columns, depth: depth)
  return Tensor(storage: result, shape: batch + [rows, columns]).recorded(a, b) { upstream, inputs, _ in
    let gradient =
      transposingFirst
      ? matmul(inputs[1], upstream, transposingFirst: transposingSecond, transposingSecond: true)
      : matmul(upstream, inputs[1], transposingSecond: !transposingSecond)
    return gradient.summed(to: inputs[0].shape)
  } _: { upstream, inputs, _ in
    let gradient =
      transposingSecond
      ? matmul(upstream, inputs[0], transposingFirst: true, transposingSecond: transposingFirst)
      : matmul(inputs[0], upstream, transposingFirst: !transposingFirst)
    return gradient.summed(to: inputs[1].shape)
  }
}

/// x·W + b over the last axis, in one pass: `[…, inputs] → […, outputs]`.
///
/// - Parameters:
///   - x: `[…, inputs]`.
///   - weight: `[inputs, outputs]`.
///   - bias: `[outputs]`.
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
  linear(x, weight, bias, support: nil)
}

/// The same, without computing what the weight's zeros outside `support` would give.
package func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, support: MatrixSupport?) -> Tensor {
  guard weight.rank == 2, x.rank >= 1, x.shape.last == weight.shape[0], bias.shape == [weight.shape[1]] else {
    fail("linear", "the input \(x.shape), the weight \(weight.shape) and the bias \(bias.shape) do not fit")
  }
  let value = product(x.reshapedToMatrix, weight, plus: bias, support: support?.rows)
    .reshaped(to: x.shape.dropLast() + [weight.shape[1]])
  guard x.node != nil || weight.node != nil || bias.node != nil, Recording.isOn else { return value }
  return value.recorded(
    from: [x, weight, bias],
    [
      { upstream, inputs, _ in
        inputGradient(upstream.reshapedToMatrix, inputs[1], support).reshaped(to: inputs[0].shape)
      },
      { upstream, inputs, _ in weightGradient(inputs[0].reshapedToMatrix, upstream.reshapedToMatrix, support) },
      { upstream, _, _ in upstream.reshapedToMatrix.sum(axis: 0) },
    ])
}

/// Where a matrix may differ from zero: for each sixteen columns the rows from the first to the last such, and for each
/// sixteen rows the columns.
package struct MatrixSupport: Sendable {
  fileprivate let rows, columns: [Range<Int>]

  /// The support of `mask`; nil where it is hardly smaller than the matrix.
  package init?(_ mask: Tensor) {
    let values = mask.storage.pointer
    let (height, width) = (mask.shape[0], mask.shape[1])
    var rows = [Range<Int>](repeating: 0..<0, count: (width + 15) / 16)
    var columns = [Range<Int>](repeating: 0..<0, count: (height + 15) / 16)
    for row in 0..<height {
      for column in 0..<width where values[row * width + column] != 0 {
        rows[column / 16].extend(to: row)
        columns[row / 16].extend(to: column)
      }
    }
    guard rows.reduce(0, { $0 + $1.count }) * 8 < rows.count * height * 7 else { return nil }
    (self.rows, self.columns) = (rows, columns)
  }
}

extension Range<Int> {
  fileprivate mutating func extend(to value: Int) {
    self = isEmpty ? value..<value + 1 : Swift.min(lowerBound, value)..<Swift.max(upperBound, value + 1)
  }
}

/// up·Wᵀ.
private func inputGradient(_ upstream: Tensor, _ weight: Tensor, _ support: MatrixSupport?) -> Tensor {
  guard let support, !Recording.isOn else { return matmul(upstream, weight, transposingSecond: true) }
  return product(upstream, weight, transposingSecond: true, support: support.columns)
}

/// xᵀ·up; outside `support` it is zero, unless it is recorded.
private func weightGradient(_ x: Tensor, _ upstream: Tensor, _ support: MatrixSupport?) -> Tensor {
  guard let support, !Recording.isOn else { return matmul(x, upstream, transposingFirst: true) }
  return product(x, upstream, transposingFirst: true, wanted: support.rows)
}

/// The constant a·b + bias of matrices, of which only a part is computed.
private func product(
  _ a: Tensor, _ b: Tensor, transposingFirst: Bool = false, transposingSecond: Bool = false, plus bias: Tensor? = nil,
  support: [Range<Int>]? = nil, wanted: [Range<Int>]? = nil
) -> Tensor {
  let (rows, depth) = transposingFirst ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
  let columns = b.shape[transposingSecond ? 0 : 1]
  let result = Storage(count: rows * columns)
  MatrixProduct(
    a: MatrixView(pointer: a.storage.pointer, stride: a.shape[1], isTransposed: transposingFirst),
    b: MatrixView(pointer: b.storage.pointer, stride: b.shape[1], isTransposed: transposingSecond),
    c: MatrixView(pointer: result.pointer, stride: columns), rows: rows, columns: columns, depth: depth,
    bias: bias?.storage.pointer, support: support, wanted: wanted
  ).run()
  return Tensor(storage: result, shape: [rows, columns])
}

extension Tensor {
  /// The matrix `[all axes before, last axis]`.
  fileprivate var reshapedToMatrix: Tensor {
    rank == 2 ? self : reshaped(to: [shape.dropLast().reduce(1, *), shape.last ?? 1])
  }
}

extension MatrixBatch {
  /// The matrices in the last two axes, their leading axes stretched to `leading`.
  fileprivate init(_ tensor: Tensor, in leading: [Int], isTransposed: Bool) {
    let size = tensor.shape[tensor.rank - 2] * tensor.shape[tensor.rank - 1]
    first = MatrixView(
      pointer: tensor.storage.pointer, stride: tensor.shape[tensor.rank - 1], isTransposed: isTransposed)
    var offsets = [0]
    var stride = size * tensor.shape.dropLast(2).reduce(1, *)
    for (axis, extent) in leading.enumerated() {
      let own = axis - leading.count + tensor.rank - 2
      let isStretched = own < 0 || tensor.shape[own] == 1
      if !isStretched { stride /= max(1, extent) }
      let step = isStretched ? 0 : stride
      offsets = offsets.flatMap { offset in (0..<extent).map { offset + $0 * step } }
    }
    self.offsets = offsets
  }
}
