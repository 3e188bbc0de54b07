/// Whether layers that behave differently in training and in use are in use here: a scoped mode, separate for each
/// thread and task.
public enum Inference {
  /// False unless inside ``inference(_:)``.
  @TaskLocal public static var isOn = false
}

/// Runs `body` with layers as they are used after training: ``BatchNorm`` takes its running averages, ``Dropout`` keeps
/// everything.
///
/// Gradients are still recorded; put ``Tensors/withoutGradients(_:)`` around it where none are needed. PyTorch's
/// `eval()`.
public func inference<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Inference.$isOn.withValue(true, operation: body)
}
