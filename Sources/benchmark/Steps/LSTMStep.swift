import NeuralNetworks
import Tensors

/// One layer of 128 units over 64 steps of 65 symbols, batch 64, Adam.
final class LSTMStep: TrainingStep {
  private final class Network: Module {
    let tokens: Embedding
    let recurrent: LSTM
    let logits: Linear

    init(using random: inout Random) {
      tokens = Embedding(65, 128, using: &random)
      recurrent = LSTM(128, 128, using: &random)
      logits = Linear(128, 65, using: &random)
    }
  }

  private let network: Network
  private var optimizer: Adam
  let inputs: [String: Tensor]
  private let x, y: IndexTensor
  var model: any Module { network }

  init() {
    var random = Random(seed: 1)
    network = Network(using: &random)
    optimizer = Adam(network.parameters)
    inputs = [
      "x": floor(.uniform([64, 64], in: 0..<65, using: &random)),
      "y": floor(.uniform([64, 64], in: 0..<65, using: &random)),
    ]
    (x, y) = (IndexTensor(inputs["x"]!), IndexTensor(inputs["y"]!))
  }

  func fixedLoss() -> Tensor {
    let h = network.recurrent(network.tokens(x))  // [batch, time, hidden]
    return -categoricalLogLikelihood(network.logits(h), y).mean()
  }

  func step() { optimizer.minimize(fixedLoss()) }
}
