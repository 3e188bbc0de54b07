import Distributions
import NeuralNetworks
import Tensors

/// A variational autoencoder 784-400-20 on binary images, batch 128, Adam.
final class VAEStep: TrainingStep {
  private final class Network: Module {
    let hidden, mean, logVariance, decoderHidden, logits: Linear

    init(using random: inout Random) {
      hidden = Linear(784, 400, using: &random)
      mean = Linear(400, 20, using: &random)
      logVariance = Linear(400, 20, using: &random)
      decoderHidden = Linear(20, 400, using: &random)
      logits = Linear(400, 784, using: &random)
    }
  }

  private let network: Network
  private var random = Random(seed: 1)
  private var optimizer: Adam
  let inputs: [String: Tensor]
  var model: any Module { network }

  init() {
    network = Network(using: &random)
    optimizer = Adam(network.parameters)
    inputs = [
      "x": .uniform([128, 784], using: &random) .< 0.3,
      "noise": .normal([128, 20], using: &random),
    ]
  }

  func fixedLoss() -> Tensor { loss(noise: inputs["noise"]!) }

  func step() { optimizer.minimize(loss(noise: .normal([128, 20], using: &random))) }

  /// −ELBO in nats, averaged over the batch.
  private func loss(noise: Tensor) -> Tensor {
    let x = inputs["x"]!
    let h = relu(network.hidden(x))  // [128, 400]
    let q = Normal(mean: network.mean(h), logVariance: network.logVariance(h))
    let z = q.mean + q.scale * noise  // [128, 20]
    let p = Bernoulli(logits: network.logits(relu(network.decoderHidden(z))))
    return (klDivergence(q, .standard(z.shape)) - p.logProbability(of: x)).mean()
  }
}
