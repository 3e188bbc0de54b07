import Tensors

/// All that a training run needs to go on exactly where it was: model, optimiser, random state and what was measured so
/// far.
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

  /// The checkpoint that holds this state with a model and what trains it: optimisers and averages.
  ///
  /// The first of these is kept under `optimizer`, the second under `optimizer2`, and so on.
  public func checkpoint(_ model: some Module, _ parts: any Resumable...) -> Checkpoint { checkpoint(model, parts) }

  /// The same with the parts in an array.
  public func checkpoint(_ model: some Module, _ parts: [any Resumable]) -> Checkpoint {
    var result = Checkpoint(of: model)
    for (index, part) in parts.enumerated() {
      let name = Self.partName(index)
      for (key, tensor) in part.state { result.tensors[name.tensors + key] = tensor }
      result.metadata[name.step] = String(part.step)
    }
    for (name, curve) in history { result.tensors["history." + name] = Tensor(curve) }
    result.metadata["epoch"] = String(epoch)
    result.metadata["random.seed"] = String(random.seed)
    result.metadata["random.gamma"] = String(random.gamma)
    for (name, value) in configuration { result.metadata["configuration." + name] = value }
    return result
  }

  /// Takes up the state of a checkpoint, together with a model and its optimiser.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint is of another model or another configuration; then nothing is
  ///   changed.
  public mutating func restore(
    from checkpoint: Checkpoint, _ model: some Module, _ optimizer: inout some Resumable
  ) throws {
    let read = try reading(checkpoint, model, [optimizer])
    take(read)
    optimizer.restore(state: read.parts[0].state, step: read.parts[0].step)
  }

  /// Takes up the state of a checkpoint, together with a model and the two optimisers or averages that it was made
  /// with, in that order.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint is of another model or another configuration; then nothing is
  ///   changed.
  public mutating func restore(
    from checkpoint: Checkpoint, _ model: some Module, _ first: inout some Resumable, _ second: inout some Resumable
  ) throws {
    let read = try reading(checkpoint, model, [first, second])
    take(read)
    first.restore(state: read.parts[0].state, step: read.parts[0].step)
    second.restore(state: read.parts[1].state, step: read.parts[1].step)
  }

  /// Takes up the state of a checkpoint, together with a model and the three optimisers or averages that it was made
  /// with, in that order.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint is of another model or another configuration; then nothing is
  ///   changed.
  public mutating func restore(
    from checkpoint: Checkpoint, _ model: some Module, _ first: inout some Resumable,
    _ second: inout some Resumable, _ third: inout some Resumable
  ) throws {
    let read = try reading(checkpoint, model, [first, second, third])
    take(read)
    first.restore(state: read.parts[0].state, step: read.parts[0].step)
    second.restore(state: read.parts[1].state, step: read.parts[1].step)
    third.restore(state: read.parts[2].state, step: read.parts[2].step)
  }

  /// All that a checkpoint holds, found to fit.
  private struct Reading {
    let values: ModelValues
    let parts: [(state: [String: Tensor], step: Int)]
    let epoch: Int
    let random: Random
    let history: [String: [Float]]
  }

  private func reading(
    _ checkpoint: Checkpoint, _ model: some Module, _ parts: [any Resumable]
  ) throws -> Reading {
    try requireSameConfiguration(checkpoint)
    let values = try checkpoint.values(for: model)
    let states = try parts.enumerated().map { index, part in
      let name = Self.partName(index)
      var state: [String: Tensor] = [:]
      for (key, tensor) in part.state.sorted(by: { $0.key < $1.key }) {
        state[key] = try checkpoint.tensor(name.tensors + key, shape: tensor.shape)
      }
      return (state: state, step: try checkpoint.number(name.step) as Int)
    }
    try requireNothingMore(checkpoint, states.map(\.state))
    var history: [String: [Float]] = [:]
    for (name, curve) in checkpoint.tensors where name.hasPrefix("history.") {
      history[String(name.dropFirst("history.".count))] = curve.scalars
    }
    return Reading(
      values: values, parts: states, epoch: try checkpoint.number("epoch"),
      random: Random(seed: try checkpoint.number("random.seed"), gamma: try checkpoint.number("random.gamma")),
      history: history)
  }

  private mutating func take(_ read: Reading) {
    read.values.take()
    (epoch, random, history) = (read.epoch, read.random, read.history)
  }

  /// The names under which a part's tensors and steps are kept.
  private static func partName(_ index: Int) -> (tensors: String, step: String) {
    index == 0 ? ("optimizer.", "step") : ("optimizer\(index + 1).", "step\(index + 1)")
  }

  /// A checkpoint made with another optimiser, or with more of them, is refused.
  private func requireNothingMore(_ checkpoint: Checkpoint, _ states: [[String: Tensor]]) throws {
    var known: Set<String> = []
    for (index, state) in states.enumerated() { known.formUnion(state.keys.map { Self.partName(index).tensors + $0 }) }
    let kept = checkpoint.tensors.keys.filter { $0.hasPrefix("optimizer") }
    if let extra = kept.sorted().first(where: { !known.contains($0) }) {
      throw CheckpointError("it has \(extra), which this run's optimizer does not")
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
