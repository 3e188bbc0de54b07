import Tensors

/// The numbers of one step of Adam, bias corrections folded in.
struct AdamCoefficients {
  let rate, beta1, beta2, epsilon, rootScale: Float
  /// Multiplies the parameters before the step: 1 without weight decay.
  var retention: Float = 1
}

/// One step of Adam in one pass over memory, in place where nobody else holds the values.
func adamUpdate(
  _ value: inout Tensor, _ gradient: Tensor, _ first: inout Tensor, _ second: inout Tensor,
  _ coefficients: AdamCoefficients
) {
  value.makeUnique()
  first.makeUnique()
  second.makeUnique()
  let (w, g, m, v) = (
    value.storage.pointer, gradient.storage.pointer, first.storage.pointer, second.storage.pointer
  )
  let c = coefficients
  parallel(value.count, work: value.count, alignment: 16) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let gi = Vector(loading: g + i)
      let mi = fma(gi - Vector(loading: m + i), Vector(repeating: 1 - c.beta1), Vector(loading: m + i))
      let vi = fma(gi * gi, Vector(repeating: 1 - c.beta2), Vector(loading: v + i) * c.beta2)
      mi.store(to: m + i)
      vi.store(to: v + i)
      let root = fma(vectorSquareRoot(vi), Vector(repeating: c.rootScale), Vector(repeating: c.epsilon))
      fma(mi / root, Vector(repeating: -c.rate), Vector(loading: w + i) * c.retention).store(to: w + i)
    }
  }
}

/// w ← w − rate · (g + decay · w) in one pass.
func descentUpdate(_ value: inout Tensor, _ gradient: Tensor, rate: Float, decay: Float) {
  value.makeUnique()
  let (w, g) = (value.storage.pointer, gradient.storage.pointer)
  parallel(value.count, work: value.count, alignment: 16) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let wi = Vector(loading: w + i)
      let gi = fma(wi, Vector(repeating: decay), Vector(loading: g + i))
      fma(gi, Vector(repeating: -rate), wi).store(to: w + i)
    }
  }
}

/// v ← momentum · v + g + decay · w, then w ← w − rate · v (or Nesterov's g + decay · w + momentum · v) in one pass.
func momentumUpdate(
  _ value: inout Tensor, _ gradient: Tensor, _ velocity: inout Tensor, rate: Float, momentum: Float, decay: Float,
  nesterov: Bool
) {
  value.makeUnique()
  velocity.makeUnique()
  let (w, g, v) = (value.storage.pointer, gradient.storage.pointer, velocity.storage.pointer)
  parallel(value.count, work: value.count, alignment: 16) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let wi = Vector(loading: w + i)
      let gi = fma(wi, Vector(repeating: decay), Vector(loading: g + i))
      let vi = fma(Vector(loading: v + i), Vector(repeating: momentum), gi)
      vi.store(to: v + i)
      let direction = nesterov ? fma(vi, Vector(repeating: momentum), gi) : vi
      fma(direction, Vector(repeating: -rate), wi).store(to: w + i)
    }
  }
}

/// v ← decay · v + (1 − decay) · g², then w ← w − rate · g / (√v + epsilon) in one pass.
func rootMeanSquareUpdate(
  _ value: inout Tensor, _ gradient: Tensor, _ squares: inout Tensor, rate: Float, decay: Float, epsilon: Float
) {
  value.makeUnique()
  squares.makeUnique()
  let (w, g, v) = (value.storage.pointer, gradient.storage.pointer, squares.storage.pointer)
  parallel(value.count, work: value.count, alignment: 16) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let gi = Vector(loading: g + i)
      let vi = fma(gi * gi, Vector(repeating: 1 - decay), Vector(loading: v + i) * decay)
      vi.store(to: v + i)
      let root = vectorSquareRoot(vi) + Vector(repeating: epsilon)
      fma(gi / root, Vector(repeating: -rate), Vector(loading: w + i)).store(to: w + i)
    }
  }
}

/// a ← a + (w − a) · rate in one pass.
func averageUpdate(_ average: inout Tensor, _ value: Tensor, rate: Float) {
  average.makeUnique()
  let (a, w) = (average.storage.pointer, value.storage.pointer)
  parallel(average.count, work: average.count, alignment: 16) { range in
    for i in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let ai = Vector(loading: a + i)
      fma(Vector(loading: w + i) - ai, Vector(repeating: rate), ai).store(to: a + i)
    }
  }
}
