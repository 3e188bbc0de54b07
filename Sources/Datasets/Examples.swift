import Tensors

extension Tensor {
  /// The chosen examples along axis 0, `[indices, …]`, as a constant.
  ///
  /// - Precondition: there is an axis, and every index is below its extent.
  public func examples(at indices: some Collection<Int>) -> Tensor {
    let size = exampleSize(of: shape, "examples")
    let chosen = Array(indices)
    checkExamples(chosen, below: shape[0])
    let values = withUnsafeScalars { source in
      [Float](unsafeUninitializedCapacity: chosen.count * size) { target, filled in
        if let from = source.baseAddress, let to = target.baseAddress {
          for (place, index) in chosen.enumerated() {
            (to + place * size).update(from: from + index * size, count: size)
          }
        }
        filled = chosen.count * size
      }
    }
    return Tensor(values, shape: [chosen.count] + shape.dropFirst())
  }

  /// One epoch of batches of these examples, `[size, …]` each, in a new random order; each is made when it is reached.
  ///
  /// - Parameters:
  ///   - size: the examples in a batch.
  ///   - droppingLast: leaves out the last batch if it is smaller than the rest.
  ///   - random: where the order comes from.
  /// - Precondition: there is an axis, `size` is 1 or more.
  public func batches(
    ofSize size: Int, droppingLast: Bool = false, shuffledUsing random: inout Random
  ) -> some Collection<Tensor> {
    _ = exampleSize(of: shape, "batches")
    return (0..<shape[0]).batches(ofSize: size, droppingLast: droppingLast, shuffledUsing: &random).lazy.map {
      examples(at: $0)
    }
  }
}

extension IndexTensor {
  /// The chosen examples along axis 0, `[indices, …]`.
  ///
  /// - Precondition: there is an axis, and every index is below its extent.
  public func examples(at indices: some Collection<Int>) -> IndexTensor {
    let size = exampleSize(of: shape, "examples")
    let chosen = Array(indices)
    checkExamples(chosen, below: shape[0])
    var values: [Int32] = []
    values.reserveCapacity(chosen.count * size)
    for index in chosen { values += scalars[index * size..<(index + 1) * size] }
    return IndexTensor(values, shape: [chosen.count] + shape.dropFirst())
  }

  /// One epoch of batches of these examples, `[size, …]` each, in a new random order; each is made when it is reached.
  ///
  /// - Parameters:
  ///   - size: the examples in a batch.
  ///   - droppingLast: leaves out the last batch if it is smaller than the rest.
  ///   - random: where the order comes from.
  /// - Precondition: there is an axis, `size` is 1 or more.
  public func batches(
    ofSize size: Int, droppingLast: Bool = false, shuffledUsing random: inout Random
  ) -> some Collection<IndexTensor> {
    _ = exampleSize(of: shape, "batches")
    return (0..<shape[0]).batches(ofSize: size, droppingLast: droppingLast, shuffledUsing: &random).lazy.map {
      examples(at: $0)
    }
  }
}

/// The number of values of an example along axis 0.
func exampleSize(of shape: [Int], _ operation: String) -> Int {
  guard !shape.isEmpty else { fail(operation, "a scalar has no examples; give a tensor of shape [count, …]") }
  return shape.dropFirst().reduce(1, *)
}

private func checkExamples(_ indices: [Int], below count: Int) {
  for index in indices where index < 0 || index >= count {
    fail("examples", "there is no example \(index); the \(count) examples are numbered from 0")
  }
}
