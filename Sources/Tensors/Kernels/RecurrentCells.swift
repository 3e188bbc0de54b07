/// One time step of one row of the batch; plain loops over pointers, which alone are compiled to whole vectors.
protocol RecurrentCell {
  static var gates: Int { get }
  /// Turns `x`, the input's part of the gates' sums, into the gates; `r` and `bias` are h's part. Writes h and c `next` on.
  static func forward(_ x: Pointer, _ r: Pointer, _ bias: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ hidden: Int)
  /// Turns the gradients of the new h and c into those of the old (h without its part through `dr`) and of the sums' parts.
  static func backward(
    _ gates: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ dh: Pointer, _ dc: Pointer, _ dx: Pointer, _ dr: Pointer,
    _ hidden: Int)
}

enum LSTMCell: RecurrentCell {
  static var gates: Int { 4 }

  static func forward(_ x: Pointer, _ r: Pointer, _ bias: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ hidden: Int)
  {
    for unit in stride(from: 0, to: hidden, by: 16) {
      let (x, r, h, c) = (
        Lanes(x + unit, hidden - unit), Lanes(r + unit, hidden - unit), Lanes(h + unit, hidden - unit),
        Lanes(c + unit, hidden - unit)
      )
      let (i, f) = (vectorSigmoid(x[0] + r[0]), vectorSigmoid(x[hidden] + r[hidden]))
      let (g, o) = (vectorTanh(x[2 * hidden] + r[2 * hidden]), vectorSigmoid(x[3 * hidden] + r[3 * hidden]))
      (x[0], x[hidden], x[2 * hidden], x[3 * hidden]) = (i, f, g, o)
      let new = fma(f, c[0], i * g)
      (c[next], h[next]) = (new, o * vectorTanh(new))
    }
  }

  static func backward(
    _ gates: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ dh: Pointer, _ dc: Pointer, _ dx: Pointer, _ dr: Pointer,
    _ hidden: Int
  ) {
    for unit in stride(from: 0, to: hidden, by: 16) {
      let (gates, c, dx) = (
        Lanes(gates + unit, hidden - unit), Lanes(c + unit, hidden - unit), Lanes(dx + unit, hidden - unit)
      )
      let (dh, dc) = (Lanes(dh + unit, hidden - unit), Lanes(dc + unit, hidden - unit))
      let (i, f, g, o) = (gates[0], gates[hidden], gates[2 * hidden], gates[3 * hidden])
      let (t, up) = (vectorTanh(c[next]), dh[0])
      let slope = fma(up * o, 1 - t * t, dc[0])
      (dx[0], dx[hidden]) = (slope * g * i * (1 - i), slope * c[0] * f * (1 - f))
      (dx[2 * hidden], dx[3 * hidden]) = (slope * i * (1 - g * g), up * t * o * (1 - o))
      (dh[0], dc[0]) = (Vector(), slope * f)
    }
  }
}

/// Its "cell" is h's part of the candidate's sum, kept for going backward.
enum GRUCell: RecurrentCell {
  static var gates: Int { 3 }

  static func forward(_ x: Pointer, _ r: Pointer, _ bias: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ hidden: Int)
  {
    for unit in stride(from: 0, to: hidden, by: 16) {
      let (x, r, bias, h) = (
        Lanes(x + unit, hidden - unit), Lanes(r + unit, hidden - unit), Lanes(bias + unit, hidden - unit),
        Lanes(h + unit, hidden - unit)
      )
      let candidate = r[2 * hidden] + bias[2 * hidden]
      let reset = vectorSigmoid(x[0] + (r[0] + bias[0]))
      let z = vectorSigmoid(x[hidden] + (r[hidden] + bias[hidden]))
      let n = vectorTanh(fma(reset, candidate, x[2 * hidden]))
      (x[0], x[hidden], x[2 * hidden]) = (reset, z, n)
      (Lanes(c + unit, hidden - unit)[next], h[next]) = (candidate, fma(z, h[0] - n, n))
    }
  }

  static func backward(
    _ gates: Pointer, _ h: Pointer, _ c: Pointer, next: Int, _ dh: Pointer, _ dc: Pointer, _ dx: Pointer, _ dr: Pointer,
    _ hidden: Int
  ) {
    for unit in stride(from: 0, to: hidden, by: 16) {
      let (gates, dh, dx, dr) = (
        Lanes(gates + unit, hidden - unit), Lanes(dh + unit, hidden - unit), Lanes(dx + unit, hidden - unit),
        Lanes(dr + unit, hidden - unit)
      )
      let (r, z, n, up) = (gates[0], gates[hidden], gates[2 * hidden], dh[0])
      let slope = up * (1 - z) * (1 - n * n)
      let reset = slope * Lanes(c + unit, hidden - unit)[next] * r * (1 - r)
      let update = up * (Lanes(h + unit, hidden - unit)[0] - n) * z * (1 - z)
      (dx[0], dx[hidden], dx[2 * hidden]) = (reset, update, slope)
      (dr[0], dr[hidden], dr[2 * hidden]) = (reset, update, slope * r)
      dh[0] = up * z
    }
  }
}
