extension Tensor {
  /// The sum over the given axes (all when nil); each disappears, or stays with extent 1 when `keepingAxes`.
  ///
  /// - Precondition: axes are in range (negative ones count from the end) and distinct.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(over: axes, keepingAxes, SumReduction.self, in: "sum")
      .recorded(self, ReductionAxes.stretchRule(axes, rank: rank))
  }

  /// The sum over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func sum(axis: Int, keepingAxes: Bool = false) -> Tensor { sum(axes: [axis], keepingAxes: keepingAxes) }

  /// The mean over the given axes (all when nil); each disappears, or stays with extent 1 when `keepingAxes`.
  ///
  /// - Precondition: there are values to average.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let total = sum(axes: axes, keepingAxes: keepingAxes)
    guard count > 0 else { fail("mean", "there is nothing to average in shape \(shape)") }
    return total / (Float(count) / Float(total.count))
  }

  /// The mean over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func mean(axis: Int, keepingAxes: Bool = false) -> Tensor { mean(axes: [axis], keepingAxes: keepingAxes) }

  /// The mean squared distance from the mean over the given axes (all when nil), divided by the count (not the count less one).
  public func variance(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    square(self - mean(axes: axes, keepingAxes: true)).mean(axes: axes, keepingAxes: keepingAxes)
  }

  /// The largest value over the given axes (all when nil); NaN if there is one among them.
  ///
  /// The gradient is shared equally among equal maxima.
  ///
  /// - Precondition: there are values to compare.
  public func max(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    guard count > 0 else { fail("max", "there is no largest of no values, in shape \(shape)") }
    let stretch = ReductionAxes.stretchRule(axes, rank: rank)
    return reduced(over: axes, keepingAxes, MaximumReduction.self, in: "max").recorded(self) {
      upstream, inputs, output in
      let isLargest = inputs[0] .== stretch(output.detached(), inputs, output)
      let ties = stretch(isLargest.sum(axes: axes, keepingAxes: keepingAxes), inputs, output)
      return stretch(upstream, inputs, output) * (isLargest / ties)
    }
  }

  /// The largest value over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func max(axis: Int, keepingAxes: Bool = false) -> Tensor { max(axes: [axis], keepingAxes: keepingAxes) }

  /// ln Σ eˣ over the given axes (all when nil), without overflow.
  public func logSumExp(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let largest = detached().max(axes: axes, keepingAxes: true)
    // Where everything is −∞ the shift must stay finite, or ∞ − ∞ would give NaN.
    let shift = largest.replacingInfinities(with: 0)
    let sums = log(exp(self - shift).sum(axes: axes, keepingAxes: true)) + shift
    return keepingAxes ? sums : sums.reshaped(to: ReductionAxes(axes, of: self, in: "logSumExp").shape(keeping: false))
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

  private func reduced<Kernel: ReductionKernel>(
    over axes: [Int]?, _ keepingAxes: Bool, _ kernel: Kernel.Type, in operation: String
  ) -> Tensor {
    let axes = ReductionAxes(axes, of: self, in: operation)
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
private struct ReductionAxes {
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

  /// Gives a reduced value its axes back and stretches it to the input's shape.
  static func stretchRule(_ axes: [Int]?, rank: Int) -> Rule {
    let folded = axes.map { $0.map { $0 < 0 ? $0 + rank : $0 } }
    return { upstream, inputs, _ in
      let shape = inputs[0].shape
      let kept = shape.indices.map { folded?.contains($0) ?? true ? 1 : shape[$0] }
      return upstream.reshaped(to: kept).broadcast(to: shape)
    }
  }
}

private enum FiniteOrZero: UnaryKernel {
  @inline(always) static func apply(_ x: Vector) -> Vector { x.replacing(with: 0, where: x.magnitude .== .infinity) }
}

extension Tensor {
  /// Infinities replaced by zero; a constant.
  fileprivate func replacingInfinities(with: Float) -> Tensor { map(FiniteOrZero.self) }
}
