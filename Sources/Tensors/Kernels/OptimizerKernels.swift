/// The numbers of one step of Adam, bias corrections folded in.
package struct AdamCoefficients {
  let rate, beta1, beta2, epsilon, rootScale: Float

  package init(rate: Float, beta1: Float, beta2: Float, epsilon: Float, rootScale: Float) {
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.rootScale = rootScale
  }
}

/// One step of Adam in one pass over memory, in place where nobody else holds the values.
package func adamUpdate(
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
      fma(mi / root, Vector(repeating: -c.rate), Vector(loading: w + i)).store(to: w + i)
    }
  }
}

extension Tensor {
  /// Gives this variable storage of its own, so that it may be written.
  mutating func makeUnique() {
    if isKnownUniquelyReferenced(&storage) { return }
    let copy = Storage(count: count)
    copy.pointer.update(from: storage.pointer, count: count)
    storage = copy
  }
}
