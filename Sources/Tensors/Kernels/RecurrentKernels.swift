/// Sixteen units' values for each gate; three gates leave the last one empty.
typealias Gates = (Vector, Vector, Vector, Vector)

/// One time step of sixteen units, forward and backward.
protocol RecurrentCell {
  static var gates: Int { get }
  /// From the parts of the gates' sums that come from the input and from h: what going backward needs, h and c.
  static func forward(_ x: Gates, _ r: Gates, h: Vector, c: Vector) -> (saved: Gates, h: Vector, c: Vector)
  /// From the gradients of the new h and c: those of both parts of the sums, and of the old h (without its part in `r`) and c.
  static func backward(
    _ saved: Gates, oldH: Vector, oldC: Vector, c: Vector, dh: Vector, dc: Vector
  ) -> (x: Gates, r: Gates, h: Vector, c: Vector)
}

enum LSTMCell: RecurrentCell {
  static var gates: Int { 4 }

  @inline(always)
  static func forward(_ x: Gates, _ r: Gates, h: Vector, c: Vector) -> (saved: Gates, h: Vector, c: Vector) {
    let (i, f) = (vectorSigmoid(x.0 + r.0), vectorSigmoid(x.1 + r.1))
    let (g, o) = (vectorTanh(x.2 + r.2), vectorSigmoid(x.3 + r.3))
    let new = fma(f, c, i * g)
    return ((i, f, g, o), o * vectorTanh(new), new)
  }

  @inline(always)
  static func backward(
    _ saved: Gates, oldH: Vector, oldC: Vector, c: Vector, dh: Vector, dc: Vector
  ) -> (x: Gates, r: Gates, h: Vector, c: Vector) {
    let (i, f, g, o) = saved
    let t = vectorTanh(c)
    let dc = fma(dh * o, 1 - t * t, dc)
    let sums = (dc * g * i * (1 - i), dc * oldC * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o))
    return (sums, sums, Vector(), dc * f)
  }
}

/// Its "cell" is h's part of the candidate's sum, kept for going backward.
enum GRUCell: RecurrentCell {
  static var gates: Int { 3 }

  @inline(always)
  static func forward(_ x: Gates, _ r: Gates, h: Vector, c: Vector) -> (saved: Gates, h: Vector, c: Vector) {
    let (reset, z) = (vectorSigmoid(x.0 + r.0), vectorSigmoid(x.1 + r.1))
    let n = vectorTanh(fma(reset, r.2, x.2))
    return ((reset, z, n, Vector()), fma(z, h - n, n), r.2)
  }

  @inline(always)
  static func backward(
    _ saved: Gates, oldH: Vector, oldC: Vector, c: Vector, dh: Vector, dc: Vector
  ) -> (x: Gates, r: Gates, h: Vector, c: Vector) {
    let (r, z, n, _) = saved
    let dn = dh * (1 - z) * (1 - n * n)
    let (dr, dz) = (dn * c * r * (1 - r), dh * (oldH - n) * z * (1 - z))
    return ((dr, dz, dn, Vector()), (dr, dz, dn * r, Vector()), dh * z, Vector())
  }
}

/// A whole sequence through one cell; all memory is `[time, batch, …]`, so that each step's rows lie together.
struct RecurrentRun<Cell: RecurrentCell>: Sendable {
  private let layout: RecurrentLayout
  private let x: Tensor
  /// What the cell saved of its gates, `[time, batch, gates·hidden]`.
  private let saved: Tensor
  /// h and c before each step and after the last, `[time + 1, batch, hidden]`.
  private let h, c: Tensor
  private var width: Int { layout.gates * layout.hidden }
  private var rows: Int { layout.batch * layout.hidden }

  /// Inputs are x, h, c, W, U and b.
  init(_ layout: RecurrentLayout, _ inputs: [Tensor], recurrentBias: Tensor) {
    self.layout = layout
    x = inputs[0].detached().permuted([1, 0, 2])
    saved = linear(x, inputs[3].detached(), inputs[5].detached())
    (h, c) = (inputs[1].followed(by: layout.time), inputs[2].followed(by: layout.time))
    forward(inputs[4], recurrentBias.storage.pointer)
  }

  private func forward(_ weight: Tensor, _ bias: Pointer) {
    let (hidden, batch, width) = (layout.hidden, layout.batch, width)
    let panels = Storage(count: panelCount(depth: hidden, columns: width))
    packPanels(MatrixView(pointer: weight.storage.pointer, stride: width, isTransposed: false), depth: hidden, columns: width, into: panels.pointer)
    parallel(batch, work: layout.time * rows * hidden, alignment: 8) { part in
      let sums = Storage(count: part.count * width)
      for t in 0..<layout.time {
        let first = t * batch + part.lowerBound
        multiplyPanels(
          StridedMatrix(pointer: h.storage.pointer + first * hidden, rowStride: hidden), panels.pointer,
          into: StridedMatrix(pointer: sums.pointer, rowStride: width), rows: part.count, columns: width, depth: hidden)
        for row in 0..<part.count {
          forwardRow(
            saved.storage.pointer + (first + row) * width, sums.pointer + row * width, bias,
            h.storage.pointer + (first + row) * hidden, c.storage.pointer + (first + row) * hidden)
        }
      }
    }
  }

  @inline(always)
  private func forwardRow(_ x: Pointer, _ r: Pointer, _ bias: Pointer, _ h: Pointer, _ c: Pointer) {
    for unit in stride(from: 0, to: layout.hidden, by: 16) {
      let count = layout.hidden - unit
      let (recurrent, shift) = (gates(r, unit), gates(bias, unit))
      let step = Cell.forward(
        gates(x, unit), (recurrent.0 + shift.0, recurrent.1 + shift.1, recurrent.2 + shift.2, recurrent.3 + shift.3),
        h: Vector(row: h + unit, count: count), c: Vector(row: c + unit, count: count))
      store(step.saved, x, unit)
      step.h.store(to: h + rows + unit, count: count)
      step.c.store(to: c + rows + unit, count: count)
    }
  }

  @inline(always) private func gates(_ row: Pointer, _ unit: Int) -> Gates {
    let (hidden, count) = (layout.hidden, layout.hidden - unit)
    return (
      Vector(row: row + unit, count: count), Vector(row: row + hidden + unit, count: count),
      Vector(row: row + 2 * hidden + unit, count: count),
      Cell.gates == 4 ? Vector(row: row + 3 * hidden + unit, count: count) : Vector()
    )
  }

  @inline(always) private func store(_ gates: Gates, _ row: Pointer, _ unit: Int) {
    let (hidden, count) = (layout.hidden, layout.hidden - unit)
    gates.0.store(to: row + unit, count: count)
    gates.1.store(to: row + hidden + unit, count: count)
    gates.2.store(to: row + 2 * hidden + unit, count: count)
    if Cell.gates == 4 { gates.3.store(to: row + 3 * hidden + unit, count: count) }
  }

  /// h after each step as `[batch, time, hidden]`, then the last `cells` c, in one vector.
  func result(cells: Int) -> Tensor {
    let (time, hidden, batch) = (layout.time, layout.hidden, layout.batch)
    let result = Storage(count: (time + cells) * rows)
    for row in 0..<batch {
      for t in 0..<time {
        (result.pointer + (row * time + t) * hidden)
          .update(from: h.storage.pointer + ((t + 1) * batch + row) * hidden, count: hidden)
      }
    }
    (result.pointer + time * rows).update(from: c.storage.pointer + time * rows, count: cells * rows)
    return Tensor(storage: result, shape: [(time + cells) * rows])
  }

  /// The gradients of everything that a recurrent operation takes; the weights' in one product over all steps.
  func gradients(
    _ upstream: Tensor, _ inputs: [Tensor]
  ) -> (x: Tensor, hidden: Tensor, cell: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, inputBias: Tensor, recurrentBias: Tensor) {
    let (time, batch, hidden) = (layout.time, layout.batch, layout.hidden)
    let dx = Tensor(storage: Storage(count: time * batch * width), shape: [time * batch, width])
    let dr = Cell.gates == 4 ? dx : Tensor(storage: Storage(count: time * batch * width), shape: dx.shape)
    let dh = Tensor.zeros([batch, hidden])
    let dc = Tensor.zeros([batch, hidden])
    if upstream.count > time * rows { dc.storage.pointer.update(from: upstream.storage.pointer + time * rows, count: rows) }
    backward(upstream.storage.pointer, inputs[4], dx.storage.pointer, dr.storage.pointer, dh.storage.pointer, dc.storage.pointer)
    let before = Tensor(storage: h.storage, shape: [time * batch, hidden])
    let flat = x.reshaped(to: [time * batch, layout.inputs])
    return (
      matmul(dx, inputs[3].detached(), transposingSecond: true).reshaped(to: x.shape).permuted([1, 0, 2]), dh, dc,
      matmul(flat, dx, transposingFirst: true), matmul(before, dr, transposingFirst: true), dx.sum(axis: 0), dr.sum(axis: 0)
    )
  }

  private func backward(_ upstream: Pointer, _ weight: Tensor, _ dx: Pointer, _ dr: Pointer, _ dh: Pointer, _ dc: Pointer) {
    let (hidden, batch, time, width) = (layout.hidden, layout.batch, layout.time, width)
    let panels = Storage(count: panelCount(depth: width, columns: hidden))
    packPanels(MatrixView(pointer: weight.storage.pointer, stride: width, isTransposed: true), depth: width, columns: hidden, into: panels.pointer)
    parallel(batch, work: layout.time * rows * hidden, alignment: 8) { part in
      for t in (0..<time).reversed() {
        for row in part {
          backwardRow(
            t * batch + row, upstream + (row * time + t) * hidden, dx, dr, dh + row * hidden, dc + row * hidden)
        }
        multiplyPanels(
          StridedMatrix(pointer: dr + (t * batch + part.lowerBound) * width, rowStride: width), panels.pointer,
          into: StridedMatrix(pointer: dh + part.lowerBound * hidden, rowStride: hidden), rows: part.count,
          columns: hidden, depth: width, accumulating: true)
      }
    }
  }

  @inline(always)
  private func backwardRow(_ row: Int, _ upstream: Pointer, _ dx: Pointer, _ dr: Pointer, _ dh: Pointer, _ dc: Pointer) {
    let (oldH, oldC) = (h.storage.pointer + row * layout.hidden, c.storage.pointer + row * layout.hidden)
    for unit in stride(from: 0, to: layout.hidden, by: 16) {
      let count = layout.hidden - unit
      let step = Cell.backward(
        gates(saved.storage.pointer + row * width, unit), oldH: Vector(row: oldH + unit, count: count),
        oldC: Vector(row: oldC + unit, count: count), c: Vector(row: oldC + rows + unit, count: count),
        dh: Vector(row: dh + unit, count: count) + Vector(row: upstream + unit, count: count),
        dc: Vector(row: dc + unit, count: count))
      store(step.x, dx + row * width, unit)
      if Cell.gates == 3 { store(step.r, dr + row * width, unit) }
      step.h.store(to: dh + unit, count: count)
      step.c.store(to: dc + unit, count: count)
    }
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
