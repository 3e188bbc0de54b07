import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct CompositionTests {
  @Test func `a block of layers and functions is applied in order`() {
    var random = Random(seed: 1)
    let network = Sequential {
      Linear(2, 4, using: &random)
      relu
      for width in [3, 5] {
        Linear(width == 3 ? 4 : 3, width, using: &random)
        tanh
      }
      Function { $0 * 2 }
      if random.seed == 0 { Linear(9, 9, using: &random) }
    }
    #expect(
      network.parameters.map(\.name) == [
        "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "layers.4.weight", "layers.4.bias",
      ])
    let values = network.parameters.map(\.parameter.wrappedValue)
    let x = p([3, 2], 1)
    let hidden = relu(linear(x, values[0], values[1]))
    let wanted = tanh(linear(tanh(linear(hidden, values[2], values[3])), values[4], values[5])) * 2
    #expect(network(x).scalars == wanted.scalars)
    #expect(Sequential([])(x).scalars == x.scalars)
  }

  @Test func `a residual block adds what it reads, or its shortcut`() {
    var random = Random(seed: 2)
    let x = p([3, 2], 1)
    let block = Residual {
      Linear(2, 2, using: &random)
      relu
    }
    #expect(block(x).scalars == (x + block.body(x)).scalars)
    #expect(block.parameters.map(\.name) == ["body.layers.0.weight", "body.layers.0.bias"])
    let wider = Residual(shortcut: Linear(2, 5, using: &random)) { Linear(2, 5, using: &random) }
    #expect(wider(x).shape == [3, 5])
    #expect(wider.parameters.count == 4)
  }

  @Test func `a mask cuts connections and their gradients`() {
    var random = Random(seed: 4)
    let layer = MaskedLinear(mask: Tensor([[1, 0, 1], [0, 0, 1]]), using: &random)
    layer.weight = Tensor([[1, 2, 3], [4, 5, 6]])
    layer.bias = Tensor([10, 20, 30])
    let y = layer(Tensor([[1, 10]]))
    #expect(y.scalars == [11, 20, 93])
    let slope = gradients(of: y.sum(), withRespectTo: [layer.weight])[0]
    #expect(slope.scalars == [1, 0, 1, 0, 0, 10])
    layer.mask = Tensor([[0, 0, 0], [1, 1, 1]])
    #expect(layer(Tensor([[1, 10]])).scalars == [50, 70, 90])
  }
}
