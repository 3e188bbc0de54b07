import NeuralNetworks
import Tensors

/// Four pre-norm layers, width 64, four heads, 64 positions, 65 symbols, batch 32, Adam.
final class TransformerStep: TrainingStep {
  private final class Block: Module {
    let firstNorm, secondNorm: LayerNorm
    let attention: MultiHeadAttention
    let expand, contract: Linear

    init(using random: inout Random) {
      firstNorm = LayerNorm(64)
      attention = MultiHeadAttention(64, heads: 4, causal: true, using: &random)
      secondNorm = LayerNorm(64)
      expand = Linear(64, 256, using: &random)
      contract = Linear(256, 64, using: &random)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let mixed = x + attention(firstNorm(x))
      return mixed + contract(gelu(expand(secondNorm(mixed))))
    }
  }

  private final class Network: Module {
    let tokens: Embedding
    @Parameter var positions: Tensor
    let blocks: [Block]
    let norm: LayerNorm
    let logits: Linear

    init(using random: inout Random) {
      tokens = Embedding(65, 64, using: &random)
      positions = .normal([64, 64], using: &random) * 0.02
      blocks = (0..<4).map { _ in Block(using: &random) }
      norm = LayerNorm(64)
      logits = Linear(64, 65, using: &random)
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
      "x": floor(.uniform([32, 64], in: 0..<65, using: &random)),
      "y": floor(.uniform([32, 64], in: 0..<65, using: &random)),
    ]
    (x, y) = (IndexTensor(inputs["x"]!), IndexTensor(inputs["y"]!))
  }

  func fixedLoss() -> Tensor {
    var h = network.tokens(x) + network.positions  // [batch, time, width]
    for block in network.blocks { h = block(h) }
    return -categoricalLogLikelihood(network.logits(network.norm(h)), y).mean()
  }

  func step() { optimizer.minimize(fixedLoss()) }
}
