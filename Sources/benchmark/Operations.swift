import Tensors

/// A single operation that is timed here and in `pytorch/operations.py`, where it has the same name.
struct TimedOperation: Sendable {
  /// What bounds the operation's speed.
  enum Work: Sendable {
    /// Floating-point operations.
    case arithmetic(Double)
    /// Values read and written.
    case traffic(Int)
  }

  let name: String
  let work: Work
  let shapes: [[Int]]
  /// The bounds of each input's values; inputs of whole numbers become indices.
  let bounds: [ClosedRange<Float>]
  let body: @Sendable ([Tensor]) -> Tensor

  init(
    _ name: String, _ work: Work, _ shapes: [Int]..., bounds: [ClosedRange<Float>] = [],
    body: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    (self.name, self.work, self.shapes, self.body) = (name, work, shapes, body)
    self.bounds = shapes.indices.map { $0 < bounds.count ? bounds[$0] : -1...1 }
  }

  var workerName: String { "operation:\(name)" }
  var readsImages: Bool {
    ["convolution", "depthwise", "transposed", "pool"].contains { name.contains($0) }
  }

  /// The same figures under this operation's name, with the rate reached.
  func row(from measured: Row) -> Row {
    let (amount, unit) =
      switch work {
      case .arithmetic(let count): (count, "GFLOP/s")
      case .traffic(let values): (Double(values) * 4, "GB/s")
      }
    var row = Row(step: name, threads: measured.threads, milliseconds: measured.milliseconds)
    (row.pytorchMilliseconds, row.pytorchVariant) = (measured.pytorchMilliseconds, measured.pytorchVariant)
    (row.ratio, row.ratioLow, row.ratioHigh) = (measured.ratio, measured.ratioLow, measured.ratioHigh)
    (row.rate, row.rateUnit) = (amount / measured.milliseconds / 1e6, unit)
    return row
  }
}

/// The worker's view of an operation: `… ∇` takes the gradients of the result's sum too.
private struct OperationWork: Timed {
  let operation: TimedOperation
  let inputs: [Tensor]
  let isDifferentiated: Bool

  init(_ operation: TimedOperation) {
    self.operation = operation
    isDifferentiated = operation.name.hasSuffix(" ∇")
    var random = Random(seed: 3)
    inputs = zip(operation.shapes, operation.bounds).map { shape, bounds in
      .uniform(shape, in: bounds.lowerBound..<bounds.upperBound, using: &random)
    }
  }

  var start: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ("input\($0)", $1) })
  }

  var outcome: [String: Tensor] { ["result": operation.body(inputs)] }

  func run() {
    if isDifferentiated {
      _ = gradients(at: inputs) { operation.body($0).sum() }
    } else {
      _ = operation.body(inputs)
    }
  }
}

func timedOperation(_ name: String) -> (any Timed)? {
  timedOperations.first { $0.workerName == name }.map(OperationWork.init)
}
