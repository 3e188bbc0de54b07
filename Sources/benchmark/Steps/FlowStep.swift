import Foundation
import LinearAlgebra
import NeuralNetworks
import Tensors

/// Four steps of Glow on squeezed images, 14×14×4, batch 64, Adam (arXiv:1807.03039).
final class FlowStep: TrainingStep {
  /// Actnorm, an invertible 1×1 convolution and an affine coupling.
  private final class Step: Module {
    @Parameter var logScale: Tensor
    @Parameter var shift: Tensor
    @Parameter var mixing: Tensor
    let first, second, last: Conv2D

    init(using random: inout Random) {
      logScale = .zeros([4])
      shift = .zeros([4])
      mixing = Initialization.orthogonal().sample([4, 4], using: &random)
      first = Conv2D(2, 64, size: 3, padding: .same, using: &random)
      second = Conv2D(64, 64, size: 1, using: &random)
      last = Conv2D(
        64, 4, size: 3, padding: .same, initialization: .normal(standardDeviation: 0.01), using: &random)
    }

    func callAsFunction(_ x: Tensor) -> (z: Tensor, logDeterminant: Tensor) {
      let y = matmul((x * exp(logScale) + shift).reshaped(to: [-1, 4]), mixing).reshaped(to: x.shape)
      let pixels = Float(x.shape[1] * x.shape[2])
      let constant = pixels * (logScale.sum() + logDeterminant(mixing).logMagnitude)
      let (a, b) = (y.sliced(0..<2, axis: 3), y.sliced(2..<4, axis: 3))
      let h = last(relu(second(relu(first(a)))))  // [batch, 14, 14, 4]
      let scale = tanh(h.sliced(0..<2, axis: 3))
      let z = concatenate([a, b * exp(scale) + h.sliced(2..<4, axis: 3)], axis: 3)
      return (z, constant + scale.sum(axes: [1, 2, 3]))
    }
  }

  private final class Network: Module {
    let steps: [Step]
    init(using random: inout Random) { steps = (0..<4).map { _ in Step(using: &random) } }
  }

  private let network: Network
  private var optimizer: Adam
  let inputs: [String: Tensor]
  var model: any Module { network }

  init() {
    var random = Random(seed: 1)
    network = Network(using: &random)
    optimizer = Adam(network.parameters)
    inputs = ["x": .normal([64, 14, 14, 4], using: &random)]
  }

  func fixedLoss() -> Tensor {
    var (z, total) = (inputs["x"]!, Tensor(0))
    for step in network.steps {
      let (next, change) = step(z)
      (z, total) = (next, total + change)
    }
    let logDensity = (square(z) + logf(2 * .pi)).sum(axes: [1, 2, 3]) * -0.5  // [batch]
    return -(logDensity + total).mean()
  }

  func step() { optimizer.minimize(fixedLoss()) }
}
