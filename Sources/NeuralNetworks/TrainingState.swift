import Tensors

/// All that a training run needs to go on exactly where it was: model, optimiser, random state and what was measured so far.
public struct TrainingState: Sendable {
  /// What the run was started with, such as its seed; a checkpoint of another run is refused.
  public var configuration: [String: String]
  /// The number of epochs done.
  public var epoch: Int
  /// The generator that drives the training.
  public var random: Random
  /// Curves measured so far, by name.
  public var history: [String: [Float]]

  /// The state before the first epoch.
  public init(configuration: [String: String], random: Random) {
    self.configuration = configuration
    self.random = random
    epoch = 0
    history = [:]
  }

  /// Adds a value to a curve.
  public mutating func append(_ value: Float, to curve: String) { history[curve, default: []].append(value) }

  /// The checkpoint that holds this state with a model and its optimiser.
  public func checkpoint(_ model: some Module, _ optimizer: some Optimizer) -> Checkpoint {
    var result = Checkpoint()
    for named in model.parameters { result.tensors["model." + named.name] = named.parameter.wrappedValue.detached() }
    for (name, tensor) in optimizer.state { result.tensors["optimizer." + name] = tensor }
    for (name, curve) in history { result.tensors["history." + name] = Tensor(curve) }
    result.metadata = [
      "epoch": String(epoch), "step": String(optimizer.step), "random.seed": String(random.seed),
      "random.gamma": String(random.gamma),
    ]
    for (name, value) in configuration { result.metadata["configuration." + name] = value }
    return result
  }

  /// Takes up the state of a checkpoint, together with a model and its optimiser.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint is of another model or another configuration; then nothing is changed.
  public mutating func restore(
    from checkpoint: Checkpoint, _ model: some Module, _ optimizer: inout some Optimizer
  ) throws {
    let parameters = model.parameters
    try requireSameConfiguration(checkpoint)
    let values = try parameters.map { named in
      try checkpoint.tensor("model." + named.name, shape: named.parameter.wrappedValue.shape)
    }
    let known = Set(parameters.map { "model." + $0.name })
    if let extra = checkpoint.tensors.keys.sorted().first(where: { $0.hasPrefix("model.") && !known.contains($0) }) {
      throw CheckpointError("it has \(extra), which this model does not")
    }
    var optimizerState: [String: Tensor] = [:]
    for (name, tensor) in optimizer.state {
      optimizerState[name] = try checkpoint.tensor("optimizer." + name, shape: tensor.shape)
    }
    let step: Int = try checkpoint.number("step")
    let savedEpoch: Int = try checkpoint.number("epoch")
    let savedRandom = Random(
      seed: try checkpoint.number("random.seed"), gamma: try checkpoint.number("random.gamma"))
    (epoch, random) = (savedEpoch, savedRandom)
    for (named, value) in zip(parameters, values) { named.parameter.wrappedValue = value }
    optimizer.restore(state: optimizerState, step: step)
    history = [:]
    for (name, curve) in checkpoint.tensors where name.hasPrefix("history.") {
      history[String(name.dropFirst("history.".count))] = curve.scalars
    }
  }

  private func requireSameConfiguration(_ checkpoint: Checkpoint) throws {
    for (name, value) in configuration.sorted(by: { $0.key < $1.key }) {
      let other = checkpoint.metadata["configuration." + name]
      guard other == value else {
        throw CheckpointError("it was made with \(name) \(other ?? "unknown"), this run has \(name) \(value)")
      }
    }
  }
}

extension Checkpoint {
  fileprivate func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    guard let tensor = tensors[name] else { throw CheckpointError("it lacks \(name)") }
    guard tensor.shape == shape else {
      throw CheckpointError("\(name) has shape \(tensor.shape) in it and \(shape) in this model")
    }
    return tensor
  }

  fileprivate func number<Number: FixedWidthInteger>(_ name: String) throws -> Number {
    guard let text = metadata[name], let number = Number(text), number >= 0 else {
      throw CheckpointError("it lacks a sound \(name) (\(metadata[name] ?? "none"))")
    }
    return number
  }
}
