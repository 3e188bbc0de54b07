import Tensors

/// A single operation that is timed here and in `pytorch/operations.py`, where it has the same name.
struct TimedOperation: Sendable {
  /// What bounds the operation's speed.
  enum Work: Sendable {
    /// Floating-point operations.
    case arithmetic(Double)
    /// Values read and written.
    case traffic(Int)

    var tripled: Work {
      switch self {
      case .arithmetic(let count): .arithmetic(3 * count)
      case .traffic(let values): .traffic(3 * values)
      }
    }
  }

  private(set) var name: String
  private(set) var work: Work
  let shapes: [[Int]]
  /// The bounds of each input's values; inputs of whole numbers become indices.
  let bounds: [ClosedRange<Float>]
  let body: @Sendable (Operands) -> Tensor

  init(
    _ name: String, _ work: Work, _ shapes: [Int]..., bounds: [ClosedRange<Float>] = [],
    body: @escaping @Sendable (Operands) -> Tensor
  ) {
    (self.name, self.work, self.shapes, self.body) = (name, work, shapes, body)
    self.bounds = shapes.indices.map { $0 < bounds.count ? bounds[$0] : -1...1 }
  }

  var workerName: String { "operation:\(name)" }
  var readsImages: Bool {
    ["convolution", "depthwise", "transposed", "bilinear", "pool"].contains { name.contains($0) }
  }

  /// The same operation, timed together with the gradients of its inputs; three times the arithmetic.
  var differentiated: TimedOperation {
    var copy = self
    copy.name = name + " ∇"
    copy.work = work.tripled
    return copy
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

/// The inputs of an operation; whole numbers also as indices.
struct Operands {
  let tensors: [Tensor]
  let indices: IndexTensor

  subscript(_ index: Int) -> Tensor { tensors[index] }
}

/// The worker's view of an operation: `… ∇` takes the gradients of the result's sum too.
private struct OperationWork: Timed {
  let operation: TimedOperation
  let operands: Operands
  let isDifferentiated: Bool

  init(_ operation: TimedOperation) {
    self.operation = operation
    isDifferentiated = operation.name.hasSuffix(" ∇")
    var random = Random(seed: 3)
    let inputs = zip(operation.shapes, operation.bounds).map { shape, bounds in
      let values = Tensor.uniform(shape, in: bounds.lowerBound..<bounds.upperBound, using: &random)
      return bounds.upperBound > 8 ? floor(values) : values
    }
    operands = Operands(tensors: inputs, indices: IndexTensor(floor(inputs[inputs.count - 1])))
  }

  var start: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: operands.tensors.enumerated().map { ("input\($0)", $1) })
  }

  var outcome: [String: Tensor] { ["result": operation.body(operands)] }

  func run() {
    if isDifferentiated {
      let variables = operands.tensors.map { $0.asVariable() }
      let result = operation.body(Operands(tensors: variables, indices: operands.indices)).sum()
      _ = gradientsConsumingGraph(of: result, withRespectTo: variables)
    } else {
      _ = operation.body(operands)
    }
  }
}

func timedOperation(_ name: String) -> (any Timed)? {
  timedOperations.first { $0.workerName == name }.map(OperationWork.init)
}
