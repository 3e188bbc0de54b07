/// Whole sequences through one cell; all memory is `[time, batch, …]`, so that the rows of a step lie together.
struct RecurrentRun<Cell: RecurrentCell>: Sendable {
  private let layout: RecurrentLayout
  private let x: Tensor
  /// The gates, `[time, batch, gates·hidden]`.
  private let gates: Tensor
  /// h and c before each step and after the last, `[time + 1, batch, hidden]`.
  private let h, c: Tensor

  private var width: Int { Cell.gates * layout.hidden }
  /// The distance between steps of h and c.
  private var next: Int { layout.batch * layout.hidden }

  /// The inputs are x, h, c, W, U and the bias beside W; the sums' part that comes from x is one product over all steps.
  init(_ layout: RecurrentLayout, _ inputs: [Tensor], recurrentBias: Tensor) {
    self.layout = layout
    x = inputs[0].detached().permuted([1, 0, 2])
    gates = linear(x, inputs[3].detached(), inputs[5].detached())
    (h, c) = (inputs[1].followed(by: layout.time), inputs[2].followed(by: layout.time))
    let (hidden, h, c, gates) = (layout.hidden, h.storage.pointer, c.storage.pointer, gates.storage.pointer)
    let (width, next, bias) = (width, next, recurrentBias.storage.pointer)
    let weight = StridedMatrix(pointer: inputs[4].storage.pointer, rowStride: width).packed(
      depth: hidden, columns: width)
    // The rows of a batch have nothing to do with each other: each thread takes some of them through all steps.
    parallel(layout.batch, work: layout.time * next * hidden, alignment: 8) { part in
      let room = Storage(count: part.count * width)
      for t in 0..<layout.time {
        let first = t * layout.batch + part.lowerBound
        multiplyPanels(
          StridedMatrix(pointer: h + first * hidden, rowStride: hidden), weight,
          into: StridedMatrix(pointer: room.pointer, rowStride: width), rows: part.count, columns: width, depth: hidden)
        for row in 0..<part.count {
          let state = (first + row) * hidden
          Cell.forward(
            gates + (first + row) * width, room.pointer + row * width, bias, h + state, c + state, next: next, hidden)
        }
      }
    }
  }

  /// h after each step as `[batch, time, hidden]`, then the last c where there is one, in one vector.
  var result: Tensor {
    let outputs = Tensor(storage: h.storage, shape: h.shape).sliced(1..<layout.time + 1, axis: 0).permuted([1, 0, 2])
    let flat = outputs.reshaped(to: [outputs.count])
    guard Cell.gates == 4 else { return flat }
    return concatenate([flat, c.sliced(layout.time..<layout.time + 1, axis: 0).reshaped(to: [next])], axis: 0)
  }

  /// The gradients of the inputs and of the recurrent bias; those of the weights are one product over all steps each.
  func gradients(_ upstream: Tensor, _ inputs: [Tensor]) -> [Tensor] {
    let (time, batch, hidden, width, next) = (layout.time, layout.batch, layout.hidden, width, next)
    let dx = Tensor(storage: Storage(count: time * batch * width), shape: [time * batch, width])
    let dr = Cell.gates == 4 ? dx : Tensor(storage: Storage(count: time * batch * width), shape: dx.shape)
    let (dh, dc) = (Tensor.zeros([batch, hidden]), Tensor.zeros([batch, hidden]))
    if Cell.gates == 4 { dc.storage.pointer.update(from: upstream.storage.pointer + time * next, count: next) }
    let weight = StridedMatrix(pointer: inputs[4].storage.pointer, rowStride: width).across
      .packed(depth: width, columns: hidden)
    let upstreams = StridedMatrix(pointer: upstream.storage.pointer, rowStride: time * hidden)
    parallel(batch, work: time * next * hidden, alignment: 8) { part in
      for t in (0..<time).reversed() {
        for row in part {
          step(
            t * batch + row, upstreams.rows(from: row).pointer + t * hidden, dx, dr, dh.storage.pointer + row * hidden,
            dc.storage.pointer + row * hidden)
        }
        multiplyPanels(
          StridedMatrix(pointer: dr.storage.pointer + (t * batch + part.lowerBound) * width, rowStride: width), weight,
          into: StridedMatrix(pointer: dh.storage.pointer + part.lowerBound * hidden, rowStride: hidden),
          rows: part.count,
          columns: hidden, depth: width, accumulating: true)
      }
    }
    return [
      matmul(dx, inputs[3].detached(), transposingSecond: true).reshaped(to: x.shape).permuted([1, 0, 2]), dh, dc,
      matmul(x.reshaped(to: [time * batch, layout.inputs]), dx, transposingFirst: true),
      matmul(Tensor(storage: h.storage, shape: [time * batch, hidden]), dr, transposingFirst: true), dx.sum(axis: 0),
      dr.sum(axis: 0),
    ]
  }

  private func step(_ row: Int, _ upstream: Pointer, _ dx: Tensor, _ dr: Tensor, _ dh: Pointer, _ dc: Pointer) {
    let hidden = layout.hidden
    for unit in stride(from: 0, to: hidden, by: 16) {
      Lanes(dh + unit, hidden - unit)[0] += Lanes(upstream + unit, hidden - unit)[0]
    }
    Cell.backward(
      gates.storage.pointer + row * width, h.storage.pointer + row * hidden, c.storage.pointer + row * hidden,
      next: next,
      dh, dc, dx.storage.pointer + row * width, dr.storage.pointer + row * width, hidden)
  }
}

extension Tensor {
  /// Room for this value and `steps` more of its shape.
  fileprivate func followed(by steps: Int) -> Tensor {
    let result = Storage(count: (steps + 1) * count)
    result.pointer.update(from: storage.pointer, count: count)
    return Tensor(storage: result, shape: [steps + 1] + shape)
  }
}
