extension Tensor {
  /// The product over the given axes (all when nil); 1 where there are no values.
  ///
  /// Its gradient is right where values are 0.
  public func product(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let folding = ReductionAxes(axes, of: self, in: "product")
    return folding.axes.reversed().reduce(self) { $0.product(along: $1) }
      .reshaped(to: folding.shape(keeping: keepingAxes))
  }

  /// The product over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func product(axis: Int, keepingAxes: Bool = false) -> Tensor {
    product(axes: [axis], keepingAxes: keepingAxes)
  }

  /// The product along one axis, which stays with extent 1.
  private func product(along axis: Int) -> Tensor {
    let folding = ReductionAxes([axis], of: self, in: "product")
    return reduced(over: folding, true, ProductReduction.self).recorded(self) { upstream, inputs, output in
      // A quotient would be 0/0 where a value, or an underflowing product, is 0.
      let hasZero = (output .== 0).sum().scalar > 0
      return upstream * (hasZero ? inputs[0].productsOfOthers(along: axis) : output / inputs[0])
    }
  }

  /// For each value the product of all others along an axis, by halves.
  private func productsOfOthers(along axis: Int) -> Tensor {
    let extent = shape[axis]
    if extent <= 1 { return .ones(shape) }
    let (front, back) = (sliced(0..<extent / 2, axis: axis), sliced(extent / 2..<extent, axis: axis))
    return concatenate(
      [
        front.productsOfOthers(along: axis) * back.product(along: axis),
        back.productsOfOthers(along: axis) * front.product(along: axis),
      ], axis: axis)
  }

  /// The sum of each value and all before it along an axis.
  public func cumulativeSum(axis: Int) -> Tensor {
    runningSum(axis: checkedAxis(axis, in: "cumulativeSum"), isReversed: false)
  }

  private func runningSum(axis: Int, isReversed: Bool) -> Tensor {
    let (extent, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let outer = shape[..<axis].reduce(1, *)
    let result = Storage(count: count)
    let (x, y) = (storage.pointer, result.pointer)
    let strips = (inner + 63) / 64
    parallel(outer * strips, work: count) { units in
      for unit in units {
        let (slab, column) = (unit / strips, unit % strips * 64)
        let start = slab * extent * inner + column
        let width = Swift.min(64, inner - column)
        let first = isReversed ? start + (extent - 1) * inner : start
        sumUp(x + first, y + first, extent, width, isReversed ? -inner : inner)
      }
    }
    return Tensor(storage: result, shape: shape).recorded(self) { upstream, _, _ in
      upstream.runningSum(axis: axis, isReversed: !isReversed)
    }
  }
}

/// Running sums down up to 64 columns, in double precision.
private func sumUp(_ x: Pointer, _ y: Pointer, _ rows: Int, _ width: Int, _ stride: Int) {
  if width == 1 {
    var sum = 0.0
    for row in 0..<rows {
      sum += Double(x[row * stride])
      y[row * stride] = Float(sum)
    }
    return
  }
  withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { sums in
    sums.initialize(repeating: 0)
    for row in 0..<rows {
      for column in 0..<width {
        sums[column] += Double(x[row * stride + column])
        y[row * stride + column] = Float(sums[column])
      }
    }
  }
}
