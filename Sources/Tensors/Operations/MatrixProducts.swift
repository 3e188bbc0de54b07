/// The product of two matrices, either of them read transposed: `[m, k] · [k, n] → [m, n]`.
///
/// - Precondition: both have two axes, and the inner extents agree.
public func matmul(
  _ a: Tensor, _ b: Tensor, transposingFirst: Bool = false, transposingSecond: Bool = false
) -> Tensor {
  guard a.rank == 2, b.rank == 2 else {
    fail("matmul", "needs two matrices; the shapes are \(a.shape) and \(b.shape)")
  }
  let (rows, depth) = transposingFirst ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
  let (inner, columns) = transposingSecond ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
  guard depth == inner else {
    let how = transposingFirst || transposingSecond ? " (transposing \(transposingFirst), \(transposingSecond))" : ""
    fail("matmul", "the shapes \(a.shape) and \(b.shape)\(how) do not fit: \(depth) meets \(inner)")
  }
  let result = Storage(count: rows * columns)
  multiplyMatrices(
    a.matrix(transposed: transposingFirst), b.matrix(transposed: transposingSecond), into: result.pointer,
    rows: rows, columns: columns, depth: depth)
  return Tensor(storage: result, shape: [rows, columns]).recorded(a, b) { upstream, inputs, _ in
    transposingFirst
      ? matmul(inputs[1], upstream, transposingFirst: transposingSecond, transposingSecond: true)
      : matmul(upstream, inputs[1], transposingSecond: !transposingSecond)
  } _: { upstream, inputs, _ in
    transposingSecond
      ? matmul(upstream, inputs[0], transposingFirst: true, transposingSecond: transposingFirst)
      : matmul(inputs[0], upstream, transposingFirst: !transposingFirst)
  }
}

/// x·W + b over the last axis, in one pass: `[…, inputs] → […, outputs]`.
///
/// - Parameters:
///   - x: `[…, inputs]`.
///   - weight: `[inputs, outputs]`.
///   - bias: `[outputs]`.
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
  guard weight.rank == 2, x.rank >= 1, x.shape.last == weight.shape[0], bias.shape == [weight.shape[1]] else {
    fail("linear", "the input \(x.shape), the weight \(weight.shape) and the bias \(bias.shape) do not fit")
  }
  let outputs = weight.shape[1]
  let rows = x.shape.dropLast().reduce(1, *)
  let result = Storage(count: rows * outputs)
  for row in 0..<rows { (result.pointer + row * outputs).update(from: bias.storage.pointer, count: outputs) }
  multiplyMatrices(
    x.reshapedToMatrix.matrix(transposed: false), weight.matrix(transposed: false), into: result.pointer,
    rows: rows, columns: outputs, depth: weight.shape[0], accumulating: true)
  let value = Tensor(storage: result, shape: x.shape.dropLast() + [outputs])
  guard x.node != nil || weight.node != nil || bias.node != nil, Recording.isOn else { return value }
  return value.recorded(
    from: [x, weight, bias],
    [
      { upstream, inputs, _ in
        matmul(upstream.reshapedToMatrix, inputs[1], transposingSecond: true).reshaped(to: inputs[0].shape)
      },
      { upstream, inputs, _ in
        matmul(inputs[0].reshapedToMatrix, upstream.reshapedToMatrix, transposingFirst: true)
      },
      { upstream, _, _ in upstream.reshapedToMatrix.sum(axis: 0) },
    ])
}

extension Tensor {
  fileprivate func matrix(transposed: Bool) -> MatrixView {
    MatrixView(pointer: storage.pointer, stride: shape[1], isTransposed: transposed)
  }

  /// The matrix `[all axes before, last axis]`.
  fileprivate var reshapedToMatrix: Tensor {
    rank == 2 ? self : reshaped(to: [shape.dropLast().reduce(1, *), shape.last ?? 1])
  }
}
