extension Tensor {
  /// The largest value over the given axes (all when nil); NaN if there is one among them.
  ///
  /// The gradient is shared equally among equal maxima.
  ///
  /// - Precondition: there are values to compare.
  public func max(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extreme(axes, keepingAxes, MaximumReduction.self, named: "max")
  }

  /// The largest value over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func max(axis: Int, keepingAxes: Bool = false) -> Tensor { max(axes: [axis], keepingAxes: keepingAxes) }

  /// The smallest value over the given axes (all when nil); NaN if there is one among them.
  ///
  /// The gradient is shared equally among equal minima.
  ///
  /// - Precondition: there are values to compare.
  public func min(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extreme(axes, keepingAxes, MinimumReduction.self, named: "min")
  }

  /// The smallest value over one axis; it disappears, or stays with extent 1 when `keepingAxes`.
  public func min(axis: Int, keepingAxes: Bool = false) -> Tensor { min(axes: [axis], keepingAxes: keepingAxes) }

  private func extreme<Kernel: ReductionKernel>(
    _ axes: [Int]?, _ keepingAxes: Bool, _ kernel: Kernel.Type, named operation: String
  ) -> Tensor {
    let folding = ReductionAxes(axes, of: self, in: operation)
    let value = reduced(over: folding, keepingAxes, kernel)
    guard count > 0 || value.count == 0 else {
      fail(operation, "there are no values to compare in shape \(shape) over the axes \(folding.axes)")
    }
    return value.recorded(self) { upstream, inputs, output in
      let isChosen = inputs[0] .== folding.kept(output)
      return isChosen * (folding.kept(upstream) / isChosen.sum(axes: folding.axes, keepingAxes: true))
    }
  }

  /// Where the largest value along an axis stands, the first if there are equals, or the first NaN; the axis disappears.
  ///
  /// - Precondition: the axis has values.
  public func argmax(axis: Int) -> IndexTensor { position(axis, MaximumReduction.self, named: "argmax") }

  /// Where the smallest value along an axis stands, the first if there are equals, or the first NaN; the axis disappears.
  ///
  /// - Precondition: the axis has values.
  public func argmin(axis: Int) -> IndexTensor { position(axis, MinimumReduction.self, named: "argmin") }

  private func position<Kernel: ReductionKernel>(
    _ axis: Int, _ kernel: Kernel.Type, named operation: String
  ) -> IndexTensor {
    let axis = checkedAxis(axis, in: operation)
    let folding = ReductionAxes([axis], of: self, in: operation)
    let newShape = folding.shape(keeping: false)
    guard shape[axis] > 0 || newShape.contains(0) else {
      fail(operation, "there are no values to compare along axis \(axis) of shape \(shape)")
    }
    let (middle, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let values = reduced(over: folding, false, kernel)
    return IndexTensor(newShape) { target in
      let (x, y) = (storage.pointer, values.storage.pointer)
      parallel(values.count, work: count) { places in
        for place in places {
          let from = x + place / inner * middle * inner + place % inner
          target[place] = firstPosition(of: y[place], in: from, middle, stride: inner)
        }
      }
    }
  }
}

/// Where `value`, or NaN if it is that, stands first among values that hold it.
private func firstPosition(of value: Float, in x: Pointer, _ count: Int, stride: Int) -> Int32 {
  var position = 0
  while position < count - 1, x[position * stride] != value, !x[position * stride].isNaN { position += 1 }
  return Int32(position)
}
