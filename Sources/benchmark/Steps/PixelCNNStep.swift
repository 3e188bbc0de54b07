import Distributions
import NeuralNetworks
import Tensors

/// Seven masked 3×3 layers of 32 channels and a 1×1 layer on binary images, 28×28, batch 64, Adam (arXiv:1601.06759).
final class PixelCNNStep: TrainingStep {
  private final class Network: Module {
    let first: MaskedConv2D
    let layers: [MaskedConv2D]
    let logits: Conv2D

    init(using random: inout Random) {
      let past = Tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]])
      let present = Tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0]])
      first = MaskedConv2D(1, 32, mask: past, padding: .same, using: &random)
      layers = (0..<6).map { _ in MaskedConv2D(32, 32, mask: present, padding: .same, using: &random) }
      logits = Conv2D(32, 1, size: 1, using: &random)
    }
  }

  private let network: Network
  private var optimizer: Adam
  let inputs: [String: Tensor]
  var model: any Module { network }

  init() {
    var random = Random(seed: 1)
    network = Network(using: &random)
    optimizer = Adam(network.parameters)
    inputs = ["x": .uniform([64, 28, 28, 1], using: &random) .< 0.3]
  }

  func fixedLoss() -> Tensor {
    let x = inputs["x"]!
    var h = relu(network.first(x))
    for layer in network.layers { h = relu(layer(h)) }
    return -Bernoulli(logits: network.logits(h)).logProbability(of: x).mean()
  }

  func step() { optimizer.minimize(fixedLoss()) }
}
