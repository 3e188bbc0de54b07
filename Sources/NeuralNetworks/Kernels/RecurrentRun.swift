import Tensors

/// Whole sequences through one cell; all memory is `[time, batch, …]`, so that the rows of a step lie together.
struct RecurrentRun<Cell: RecurrentCell>: Sendable {
  private let batch, time, hidden: Int
  private let x: Tensor
  /// The gates, `[time, batch, gates·hidden]`.
  private let gates: Tensor
  /// h and c before each step and after the last, `[time + 1, batch, hidden]`.
  private let h, c: Tensor

  private var width: Int { Cell.gates * hidden }
  /// The distance between steps of h and c.
  private var next: Int { batch * hidden }

  /// The inputs are x, h, c, W, U and the biases beside W and U; x's part of the sums is one product over all steps.
  init(_ inputs: [Tensor]) {
    let inputs = inputs.map { $0.detached() }
    (batch, time, hidden) = (inputs[0].shape[0], inputs[0].shape[1], inputs[1].shape[1])
    x = inputs[0].permuted([1, 0, 2])
    gates = linear(x, inputs[3], inputs[5])
    (h, c) = (inputs[1].followed(by: time), inputs[2].followed(by: time))
    let (weight, bias) = (MatrixView(pointer: inputs[4].storage.pointer, stride: width), inputs[6].storage.pointer)
    let (h, c, gates) = (h.storage.pointer, c.storage.pointer, gates.storage.pointer)
    let (hidden, width, next, steps, batch) = (hidden, width, next, time, batch)
    let strips = MatrixProduct.strips(of: weight, depth: hidden, columns: width)
    // The rows of a batch have nothing to do with each other: each thread takes some of them through all steps.
    parallel(batch, work: steps * next * hidden, alignment: 8, isFine: false) { part in
      let room = Storage(count: part.count * width)
      let sums = MatrixView(pointer: room.pointer, stride: width)
      for t in 0..<steps {
        let first = t * batch + part.lowerBound
        gemm(
          MatrixView(pointer: h + first * hidden, stride: hidden), weight, into: sums, part.count, width, hidden,
          strips: strips.pointer)
        for row in 0..<part.count {
          for unit in stride(from: 0, to: hidden, by: 16) {
            let lanes = { (row: Pointer) in RowLanes(row + unit, hidden - unit) }
            let state = (first + row) * hidden
            Cell.forward(
              lanes(gates + (first + row) * width), lanes(sums.pointer + row * width), lanes(bias), h: lanes(h + state),
              c: lanes(c + state), next: next, hidden)
          }
        }
      }
    }
  }

  /// h after each step as `[batch, time, hidden]`, then the last c, in one vector.
  var result: Tensor {
    let result = Storage(count: (time + 1) * next)
    let axes = [
      CopyAxis(extent: batch, reading: hidden, writing: time * hidden),
      CopyAxis(extent: time, reading: next, writing: hidden), CopyAxis(extent: hidden, reading: 1, writing: 1),
    ]
    copyBlock(axes, from: h.storage.pointer + next, to: result.pointer)
    (result.pointer + time * next).update(from: c.storage.pointer + time * next, count: next)
    return Tensor(storage: result, shape: [(time + 1) * next])
  }

  /// The gradients of the inputs; those of the weights are one product over all steps each.
  func gradients(_ upstream: Tensor, _ inputs: [Tensor]) -> [Tensor] {
    let steps = (0..<2).map { _ in Tensor(storage: Storage(count: time * batch * width), shape: [time * batch, width]) }
    let (dx, dr) = (steps[0], Cell.gates == 4 ? steps[0] : steps[1])
    let (dh, dc) = (Tensor.zeros([batch, hidden]), Tensor.zeros([batch, hidden]))
    dc.storage.pointer.update(from: upstream.storage.pointer + time * next, count: next)
    let weight = MatrixView(pointer: inputs[4].storage.pointer, stride: width, isTransposed: true)
    let strips = MatrixProduct.strips(of: weight, depth: width, columns: hidden)
    parallel(batch, work: time * next * hidden, alignment: 8, isFine: false) { part in
      let state = MatrixView(pointer: dh.storage.pointer, stride: hidden).rows(from: part.lowerBound)
      for t in (0..<time).reversed() {
        for row in part { step(t, row, upstream, dh, dc, dx, dr) }
        let sums = MatrixView(pointer: dr.storage.pointer, stride: width).rows(from: t * batch + part.lowerBound)
        gemm(sums, weight, into: state, part.count, hidden, width, accumulating: true, strips: strips.pointer)
      }
    }
    let flat = x.reshaped(to: [time * batch, x.shape[2]])
    let bias = dx.sum(axis: 0)
    return [
      // Data has no use for its gradient.
      inputs[0].node == nil
        ? inputs[0]
        : matmul(dx, inputs[3].detached(), transposingSecond: true).reshaped(to: x.shape)
          .permuted([1, 0, 2]), dh, dc, matmul(flat, dx, transposingFirst: true),
      matmul(Tensor(storage: h.storage, shape: [time * batch, hidden]), dr, transposingFirst: true), bias,
      Cell.gates == 4 ? bias : dr.sum(axis: 0),
    ]
  }

  /// One row of one step backward.
  @inline(always)
  private func step(
    _ t: Int, _ row: Int, _ upstream: Tensor, _ dh: Tensor, _ dc: Tensor, _ dx: Tensor, _ dr: Tensor
  ) {
    for unit in stride(from: 0, to: hidden, by: 16) {
      let lanes = { (x: Tensor, row: Int, width: Int) in RowLanes(x.storage.pointer + row * width + unit, hidden - unit)
      }
      let (place, dh) = (t * batch + row, lanes(dh, row, hidden))
      dh[0] += lanes(upstream, row * time + t, hidden)[0]
      Cell.backward(
        lanes(gates, place, width), h: lanes(h, place, hidden), c: lanes(c, place, hidden), next: next, dh: dh,
        dc: lanes(dc, row, hidden), dx: lanes(dx, place, width), dr: lanes(dr, place, width), hidden)
    }
  }
}

extension Tensor {
  /// Room for this value and `steps` more of its shape behind it.
  fileprivate func followed(by steps: Int) -> Tensor {
    let room = Storage(count: (steps + 1) * count)
    room.pointer.update(from: storage.pointer, count: count)
    return Tensor(storage: room, shape: [steps + 1] + shape)
  }
}
