import Distributions
import NeuralNetworks
import Tensors

/// A masked autoencoder 784-500-784 on binary images, batch 100, Adam (arXiv:1502.03509).
final class MADEStep: TrainingStep {
  private final class Network: Module {
    let hidden, logits: MaskedLinear

    init(using random: inout Random) {
      let pixel = Tensor((0..<784).map { Float($0) })
      let unit = Tensor((0..<500).map { Float($0 % 783) })
      hidden = MaskedLinear(mask: pixel.reshaped(to: [784, 1]) .<= unit, using: &random)  // [784, 500]
      logits = MaskedLinear(mask: unit.reshaped(to: [500, 1]) .< pixel, using: &random)  // [500, 784]
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
    inputs = ["x": .uniform([100, 784], using: &random) .< 0.3]
  }

  func fixedLoss() -> Tensor {
    let x = inputs["x"]!
    return -Bernoulli(logits: network.logits(relu(network.hidden(x)))).logProbability(of: x).mean()
  }

  func step() { optimizer.minimize(fixedLoss()) }
}
