import Foundation
import Tensors
import Testing

@testable import NeuralNetworks

private final class Network: Module {
  let hidden: Linear
  let output: Linear

  init(hidden size: Int = 17, using random: inout Random) {
    hidden = Linear(5, size, using: &random)
    output = Linear(size, 3, using: &random)
  }
}

private struct Run {
  var model: Network
  var optimizer: Adam
  var state: TrainingState

  init(seed: UInt64 = 1, hidden: Int = 17, configuration: [String: String] = ["seed": "1"]) {
    var random = Random(seed: seed)
    model = Network(hidden: hidden, using: &random)
    optimizer = Adam(model.parameters, learningRate: 0.01)
    state = TrainingState(configuration: configuration, random: random)
  }

  mutating func train(epochs: Int) {
    for _ in 0..<epochs {
      for _ in 0..<3 {
        let x = Tensor.normal([33, 5], using: &state.random)
        let loss = square(model.output(tanh(model.hidden(x))) - x.sliced(0..<3, axis: 1)).mean()
        state.append(loss.scalar, to: "loss")
        optimizer.minimize(loss)
      }
      state.epoch += 1
    }
  }

  var checkpoint: Checkpoint { state.checkpoint(model, optimizer) }

  mutating func restore(_ checkpoint: Checkpoint) throws {
    try state.restore(from: checkpoint, model, &optimizer)
  }

  func bytes() throws -> Data { try checkpoint.encoded() }
}

@Suite struct TrainingStateTests {
  @Test func `an interrupted run continues to the bits of an uninterrupted one`() throws {
    var whole = Run()
    whole.train(epochs: 4)
    var first = Run()
    first.train(epochs: 2)
    try inTemporaryFolder { folder in
      let file = folder.appending(path: "run.safetensors")
      try first.checkpoint.write(to: file)
      // Another seed: everything must come from the file.
      var second = Run(seed: 99)
      try second.restore(Checkpoint(contentsOf: file))
      #expect(second.state.epoch == 2)
      #expect(second.optimizer.step == 6)
      #expect(second.state.history["loss"]?.count == 6)
      #expect(second.state.random == first.state.random)
      second.train(epochs: 2)
      #expect(try second.bytes() == whole.bytes())
      #expect(second.state.history == whole.state.history)
    }
    #expect(try first.bytes() != whole.bytes())
  }

  @Test func `a checkpoint is not altered by training on`() throws {
    var run = Run()
    run.train(epochs: 1)
    let checkpoint = run.checkpoint
    let bytes = try checkpoint.encoded()
    run.train(epochs: 1)
    #expect(try checkpoint.encoded() == bytes)
    try run.restore(checkpoint)
    run.train(epochs: 1)
    #expect(try checkpoint.encoded() == bytes)
  }

  @Test func `the same seed gives the same bytes twice`() throws {
    var (a, b) = (Run(), Run())
    a.train(epochs: 2)
    b.train(epochs: 2)
    #expect(try a.bytes() == b.bytes())
  }

  @Test func `names of a checkpoint tell what is what`() {
    let checkpoint = Run().checkpoint
    #expect(checkpoint.tensors["model.hidden.weight"]?.shape == [5, 17])
    #expect(checkpoint.tensors["optimizer.adam.first.output.bias"]?.shape == [3])
    #expect(checkpoint.metadata["configuration.seed"] == "1")
    #expect(checkpoint.metadata["epoch"] == "0")
  }

  struct Mismatch: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    let change: @Sendable (inout Checkpoint) -> Void

    init(_ name: String, _ reason: String, change: @escaping @Sendable (inout Checkpoint) -> Void) {
      testDescription = name
      self.reason = reason
      self.change = change
    }
  }

  static let mismatches: [Mismatch] = [
    Mismatch("another configuration", "made with seed 2, this run has seed 1") {
      $0.metadata["configuration.seed"] = "2"
    },
    Mismatch("no configuration", "seed unknown") { $0.metadata["configuration.seed"] = nil },
    Mismatch("a missing parameter", "lacks model.output.bias") { $0.tensors["model.output.bias"] = nil },
    Mismatch("another shape", "model.output.bias has shape [4] in it and [3]") {
      $0.tensors["model.output.bias"] = .zeros([4])
    },
    Mismatch("a transposed weight", "has shape [17, 5]") { $0.tensors["model.hidden.weight"] = .zeros([17, 5]) },
    Mismatch("a parameter too many", "it has model.third.weight") { $0.tensors["model.third.weight"] = Tensor(1) },
    Mismatch("a missing moment", "lacks optimizer.adam.second.hidden.bias") {
      $0.tensors["optimizer.adam.second.hidden.bias"] = nil
    },
    Mismatch("a moment of another shape", "optimizer.adam.first.hidden.bias has shape []") {
      $0.tensors["optimizer.adam.first.hidden.bias"] = Tensor(1)
    },
    Mismatch("no step", "sound step (none)") { $0.metadata["step"] = nil },
    Mismatch("a negative step", "sound step (-1)") { $0.metadata["step"] = "-1" },
    Mismatch("a step that is text", "sound step (many)") { $0.metadata["step"] = "many" },
    Mismatch("an epoch beyond 64 bits", "sound epoch") { $0.metadata["epoch"] = "99999999999999999999" },
    Mismatch("no random state", "sound random.seed") { $0.metadata["random.seed"] = nil },
    Mismatch("a damaged random state", "sound random.gamma") { $0.metadata["random.gamma"] = "0x12" },
    Mismatch("nothing at all", "seed unknown") { $0 = Checkpoint() },
  ]

  @Test(arguments: mismatches)
  func `what does not fit is refused and nothing is changed`(_ mismatch: Mismatch) throws {
    var run = Run()
    run.train(epochs: 1)
    var other = Run(seed: 3)
    other.train(epochs: 2)
    var checkpoint = other.checkpoint
    mismatch.change(&checkpoint)
    let before = try run.bytes()
    let error = #expect(throws: CheckpointError.self) { try run.restore(checkpoint) }
    #expect(error?.description.contains(mismatch.reason) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("without --resume") == true)
    #expect(try run.bytes() == before)
  }

  @Test func `another model's checkpoint is refused`() throws {
    var run = Run()
    let before = try run.bytes()
    #expect(throws: CheckpointError.self) { try run.restore(Run(hidden: 16).checkpoint) }
    #expect(try run.bytes() == before)
  }
}
