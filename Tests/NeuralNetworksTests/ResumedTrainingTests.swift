import Foundation
import Tensors
import Testing

@testable import NeuralNetworks

/// Everything that has a state of its own.
private final class Network: Module {
  let body: Sequential
  let critic: SpectrallyNormalized

  init(using random: inout Random) {
    body = Sequential {
      Linear(5, 8, using: &random)
      BatchNorm(8)
      relu
      Dropout(0.2, using: &random)
      WeightNormalized(Linear(8, 3, using: &random))
    }
    critic = SpectrallyNormalized(Linear(3, 4, using: &random), using: &random)
  }
}

private struct Run {
  var model: Network
  var first: AdamW
  var second: SGD
  var average: ExponentialMovingAverage
  var state: TrainingState

  init(seed: UInt64) {
    var random = Random(seed: seed)
    model = Network(using: &random)
    first = AdamW(model.body.parameters, learningRate: 0.01)
    second = SGD(model.critic.parameters, learningRate: 0.05, momentum: 0.9)
    average = ExponentialMovingAverage(model.parameters, decay: 0.9)
    state = TrainingState(configuration: [:], random: random)
  }

  mutating func train(steps: Int) {
    for _ in 0..<steps {
      let x = Tensor.normal([16, 5], using: &state.random)
      let y = model.body(x)
      second.minimize(square(model.critic(y.detached()) - 1).mean())
      first.minimize(square(model.critic(y)).mean(), clippingToNorm: 0.5)
      average.update()
    }
    state.epoch += 1
  }

  var checkpoint: Checkpoint { state.checkpoint(model, first, second, average) }

  mutating func restore(_ checkpoint: Checkpoint) throws {
    try state.restore(from: checkpoint, model, &first, &second, &average)
  }
}

@Suite struct ResumedTrainingTests {
  @Test func `two optimisers, averages, running statistics and random states continue exactly`() throws {
    try inTemporaryFolder { folder in
      let file = folder.appending(path: "run.safetensors")
      var (whole, first, second) = (Run(seed: 1), Run(seed: 1), Run(seed: 2))
      whole.train(steps: 4)
      whole.train(steps: 4)
      first.train(steps: 4)
      try first.checkpoint.write(to: file)
      try second.restore(Checkpoint(contentsOf: file))
      second.train(steps: 4)
      #expect(try second.checkpoint.encoded() == whole.checkpoint.encoded())
      #expect(second.average.step == 8 && second.first.step == 8 && second.second.step == 8)
      #expect(try first.checkpoint.encoded() != whole.checkpoint.encoded())
    }
  }

  @Test func `names of a checkpoint tell what is what`() {
    let checkpoint = Run(seed: 1).checkpoint
    #expect(checkpoint.tensors["model.body.layers.1.runningVariance"]?.scalars == [1, 1, 1, 1, 1, 1, 1, 1])
    #expect(checkpoint.tensors["model.body.layers.3.generator"]?.shape == [8])
    #expect(checkpoint.tensors["model.critic.leftVector"]?.shape == [3, 1])
    #expect(checkpoint.tensors["optimizer.adam.first.layers.0.weight"]?.shape == [5, 8])
    #expect(checkpoint.tensors["optimizer2.sgd.velocity.layer.bias"]?.shape == [4])
    #expect(checkpoint.tensors["optimizer3.average.critic.layer.bias"]?.shape == [4])
    #expect(checkpoint.metadata["step3"] == "0")
  }

  @Test(arguments: [
    ("lacks model.body.layers.1.runningMean", "model.body.layers.1.runningMean", nil),
    ("model.body.layers.3.generator has shape [7]", "model.body.layers.3.generator", [7]),
    ("lacks optimizer2.sgd.velocity.layer.bias", "optimizer2.sgd.velocity.layer.bias", nil),
    ("optimizer3.average.critic.layer.bias has shape [1]", "optimizer3.average.critic.layer.bias", [1]),
    ("it has optimizer2.adam.first.x, which", "optimizer2.adam.first.x", [1]),
    ("it has optimizer4.average.x, which", "optimizer4.average.x", [1]),
    ("it has model.body.layers.9.bias, which", "model.body.layers.9.bias", [1]),
  ])
  func `what does not fit is refused and nothing is changed`(_ reason: String, _ name: String, _ shape: [Int]?) throws {
    var (run, other) = (Run(seed: 1), Run(seed: 2))
    other.train(steps: 1)
    var checkpoint = other.checkpoint
    checkpoint.tensors[name] = shape.map { .zeros($0) }
    let before = try run.checkpoint.encoded()
    let error = #expect(throws: CheckpointError.self) { try run.restore(checkpoint) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    #expect(try run.checkpoint.encoded() == before)
  }

  @Test func `another optimiser's checkpoint is refused`() throws {
    var run = Run(seed: 1)
    var descent = SGD(run.model.body.parameters, learningRate: 1)
    let checkpoint = run.state.checkpoint(run.model, run.first)
    let error = #expect(throws: CheckpointError.self) {
      try run.state.restore(from: checkpoint, run.model, &descent)
    }
    #expect(error?.description.contains("it has optimizer.adam.first.layers.0.bias, which this run's") == true)
  }

  @Test func `a model alone is kept and restored`() throws {
    let (run, other) = (Run(seed: 1), Run(seed: 2))
    try Checkpoint(of: run.model).restore(other.model)
    #expect(try Checkpoint(of: other.model).encoded() == Checkpoint(of: run.model).encoded())
    var broken = Checkpoint(of: run.model)
    broken.tensors["model.critic.layer.bias"] = nil
    #expect(throws: CheckpointError.self) { try broken.restore(other.model) }
  }
}
