import NeuralNetworks
import Tensors
import Testing

@Suite("Steps in place")
struct InPlaceTests {
  private func address(_ tensor: Tensor) -> UnsafePointer<Float>? { tensor.withUnsafeScalars { $0.baseAddress } }

  private func addresses(_ optimizer: some Optimizer) -> [String: UnsafePointer<Float>?] {
    optimizer.parameters.reduce(into: optimizer.state.mapValues(address)) {
      $0[$1.name] = address($1.parameter.wrappedValue)
    }
  }

  private func expectSteps(_ make: (Linear) -> some Optimizer) {
    var random = Random(seed: 1)
    let layer = Linear(20, 30, using: &random)
    let x = Tensor.normal([5, 20], using: &random)
    var optimizer = make(layer)
    optimizer.minimize(square(layer(x)).mean())
    let before = addresses(optimizer)
    for _ in 0..<3 { optimizer.minimize(square(layer(x)).mean()) }
    #expect(addresses(optimizer) == before)
  }

  @Test func `an optimizer writes to its parameters and its state without copying them`() {
    expectSteps { Adam($0.parameters) }
    expectSteps { AdamW($0.parameters) }
    expectSteps { SGD($0.parameters, learningRate: 0.1, momentum: 0.9) }
    expectSteps { RMSprop($0.parameters) }
  }
}
