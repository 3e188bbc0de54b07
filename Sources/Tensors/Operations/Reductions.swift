extension Tensor {
  /// The sum over the given axes (all when nil); each disappears, or stays with extent 1 when `keepingAxes`.
  ///
  /// - Precondition: axes are in range (negative ones count from the end) and distinct.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let folding = ReductionAxes(axes, of: self, in: "sum")
    return reduced(over: folding, keepingAxes, SumReduction.self).recorded(self) { upstream, inputs, _ in
      folding.kept(upstream).broadcast(to: inputs[0].shape)
    }
  }

  /// The sum over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func sum(axis: Int, keepingAxes: Bool = false) -> Tensor { sum(axes: [axis], keepingAxes: keepingAxes) }

  /// The mean over the given axes (all when nil); each disappears, or stays with extent 1 when `keepingAxes`.
  ///
  /// - Precondition: there are values to average.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    average(axes, keepingAxes, in: "mean")
  }

  private func average(_ axes: [Int]?, _ keepingAxes: Bool, in operation: String) -> Tensor {
    let axes = ReductionAxes(axes, of: self, in: operation).axes
    let total = sum(axes: axes, keepingAxes: keepingAxes)
    if total.count == 0 { return total }
    guard count > 0 else { fail(operation, "there is nothing to average in shape \(shape)") }
    return total / (Float(count) / Float(total.count))
  }

  /// The mean over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func mean(axis: Int, keepingAxes: Bool = false) -> Tensor { mean(axes: [axis], keepingAxes: keepingAxes) }

  /// The mean squared distance from the mean over the given axes (all when nil), divided by the count (not the count less one).
  public func variance(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    square(self - average(axes, true, in: "variance")).average(axes, keepingAxes, in: "variance")
  }

  /// ln Σ eˣ over the given axes (all when nil), without overflow; −∞ where there are no values.
  public func logSumExp(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let folding = ReductionAxes(axes, of: self, in: "logSumExp")
    let shift = reduced(over: folding, true, MaximumReduction.self).map(FiniteOrZero.self)
    let value = log(expOfDifference(detached(), shift).reduced(over: folding, true, SumReduction.self)) + shift
    return value.reshaped(to: folding.shape(keeping: keepingAxes)).recorded(self) { upstream, inputs, _ in
      // A softmax. From the output, which is rounded where it is large, it would be less accurate.
      let terms = expOfDifference(inputs[0], shift)
      return terms * (folding.kept(upstream) / terms.sum(axes: folding.axes, keepingAxes: true))
    }
  }

  /// ln Σ eˣ over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func logSumExp(axis: Int, keepingAxes: Bool = false) -> Tensor {
    logSumExp(axes: [axis], keepingAxes: keepingAxes)
  }

  /// Summed over the axes along which `newShape` was broadcast to this shape: what broadcasting sends back.
  func summed(to newShape: [Int]) -> Tensor {
    if newShape == shape { return self }
    let added = rank - newShape.count
    let axes = shape.indices.filter { $0 < added || (newShape[$0 - added] == 1 && shape[$0] != 1) }
    return sum(axes: axes, keepingAxes: true).reshaped(to: newShape)
  }

  func reduced<Kernel: ReductionKernel>(
    over axes: ReductionAxes, _ keepingAxes: Bool, _ kernel: Kernel.Type
  ) -> Tensor {
    var current = detached()
    // Neighbouring axes fold in one pass; from the back, so that earlier axes keep their numbers.
    for run in axes.runs.reversed() {
      let outer = current.shape[..<run.lowerBound].reduce(1, *)
      let middle = current.shape[run].reduce(1, *)
      let inner = current.shape[run.upperBound...].reduce(1, *)
      let newShape = current.shape.enumerated().map { run.contains($0) ? 1 : $1 }
      current = current.reduced(outer: outer, middle: middle, inner: inner, to: newShape, kernel)
    }
    return Tensor(storage: current.storage, shape: axes.shape(keeping: keepingAxes))
  }
}

/// The axes that a reduction folds, checked.
struct ReductionAxes {
  let axes: [Int]
  let shape: [Int]

  init(_ axes: [Int]?, of tensor: Tensor, in operation: String) {
    shape = tensor.shape
    self.axes = axes.map { $0.map { tensor.checkedAxis($0, in: operation) }.sorted() } ?? Array(tensor.shape.indices)
    for (one, next) in zip(self.axes, self.axes.dropFirst()) where one == next {
      fail(operation, "axis \(one) is named twice for shape \(tensor.shape)")
    }
  }

  /// Maximal runs of neighbouring axes.
  var runs: [Range<Int>] {
    var result: [Range<Int>] = []
    for axis in axes {
      if let last = result.last, last.upperBound == axis {
        result[result.count - 1] = last.lowerBound..<axis + 1
      } else {
        result.append(axis..<axis + 1)
      }
    }
    return result
  }

  func shape(keeping: Bool) -> [Int] {
    shape.indices.compactMap { axes.contains($0) ? (keeping ? 1 : nil) : shape[$0] }
  }

  /// A reduced value with its axes back, each of extent 1.
  func kept(_ reduced: Tensor) -> Tensor { reduced.reshaped(to: shape(keeping: true)) }
}

/// Where everything is −∞ a shift must stay finite, or ∞ − ∞ would give NaN.
private enum FiniteOrZero: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.replacing(with: 0, where: x.magnitude .== .infinity) }
}
private enum ExpOfDifference: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { vectorExp(a - b) }
}

/// e^(x − shift), in one pass; the shift is a constant that broadcasts.
private func expOfDifference(_ x: Tensor, _ shift: Tensor) -> Tensor {
  Tensor.broadcasting(x, shift, ExpOfDifference.self, named: "logSumExp").recorded(x) { upstream, _, output in
    upstream * output
  }
}
