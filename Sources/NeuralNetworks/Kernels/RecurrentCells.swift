import Tensors

/// One time step of sixteen units; nothing passes by value, since a call would cut the vectors into four.
protocol RecurrentCell: SendableMetatype {
  static var gates: Int { get }
  /// Turns `x`, the input's part of the gates' sums, into the gates; `r` and `bias` are h's part. Writes h and c `next` on.
  static func forward(
    _ x: RowLanes, _ r: RowLanes, _ bias: RowLanes, h: RowLanes, c: RowLanes, next: Int, _ hidden: Int)
  /// Turns the gradients of the new h and c into those of the old (h without its part through `dr`) and of the sums' parts.
  static func backward(
    _ gates: RowLanes, h: RowLanes, c: RowLanes, next: Int, dh: RowLanes, dc: RowLanes, dx: RowLanes, dr: RowLanes,
    _ hidden: Int)
}

enum LSTMCell: RecurrentCell {
  static var gates: Int { 4 }

  @inline(always)
  static func forward(
    _ x: RowLanes, _ r: RowLanes, _ bias: RowLanes, h: RowLanes, c: RowLanes, next: Int, _ hidden: Int
  ) {
    let (i, f) = (vectorSigmoid(x[0] + r[0]), vectorSigmoid(x[hidden] + r[hidden]))
    let (g, o) = (vectorTanh(x[2 * hidden] + r[2 * hidden]), vectorSigmoid(x[3 * hidden] + r[3 * hidden]))
    (x[0], x[hidden], x[2 * hidden], x[3 * hidden]) = (i, f, g, o)
    let new = fma(f, c[0], i * g)
    (c[next], h[next]) = (new, o * vectorTanh(new))
  }

  @inline(always)
  static func backward(
    _ gates: RowLanes, h: RowLanes, c: RowLanes, next: Int, dh: RowLanes, dc: RowLanes, dx: RowLanes, dr: RowLanes,
    _ hidden: Int
  ) {
    let (i, f, g, o) = (gates[0], gates[hidden], gates[2 * hidden], gates[3 * hidden])
    let (t, up) = (vectorTanh(c[next]), dh[0])
    let slope = fma(up * o, 1 - t * t, dc[0])
    (dx[0], dx[hidden]) = (slope * g * i * (1 - i), slope * c[0] * f * (1 - f))
    (dx[2 * hidden], dx[3 * hidden]) = (slope * i * (1 - g * g), up * t * o * (1 - o))
    (dh[0], dc[0]) = (Vector(), slope * f)
  }
}

/// Its "cell" is h's part of the candidate's sum, kept for going backward.
enum GRUCell: RecurrentCell {
  static var gates: Int { 3 }

  @inline(always)
  static func forward(
    _ x: RowLanes, _ r: RowLanes, _ bias: RowLanes, h: RowLanes, c: RowLanes, next: Int, _ hidden: Int
  ) {
    let reset = vectorSigmoid(x[0] + (r[0] + bias[0]))
    let z = vectorSigmoid(x[hidden] + (r[hidden] + bias[hidden]))
    let candidate = r[2 * hidden] + bias[2 * hidden]
    let n = vectorTanh(fma(reset, candidate, x[2 * hidden]))
    (x[0], x[hidden], x[2 * hidden]) = (reset, z, n)
    (c[next], h[next]) = (candidate, fma(z, h[0] - n, n))
  }

  @inline(always)
  static func backward(
    _ gates: RowLanes, h: RowLanes, c: RowLanes, next: Int, dh: RowLanes, dc: RowLanes, dx: RowLanes, dr: RowLanes,
    _ hidden: Int
  ) {
    let (r, z, n, up) = (gates[0], gates[hidden], gates[2 * hidden], dh[0])
    let slope = up * (1 - z) * (1 - n * n)
    let (reset, update) = (slope * c[next] * r * (1 - r), up * (h[0] - n) * z * (1 - z))
    (dx[0], dx[hidden], dx[2 * hidden]) = (reset, update, slope)
    (dr[0], dr[hidden], dr[2 * hidden]) = (reset, update, slope * r)
    dh[0] = up * z
  }
}
