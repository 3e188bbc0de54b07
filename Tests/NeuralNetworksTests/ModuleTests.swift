import Tensors
import Testing

@testable import NeuralNetworks

private class Base: Module {
  @Parameter var shift = Tensor([1, 2])
  let hidden: Linear

  init(using random: inout Random) { hidden = Linear(2, 3, using: &random) }
}

private final class Model: Base {
  let layers: [Linear]
  let absent: Linear?
  let present: (any Module)?
  let blocks: [[Linear]]
  let again: Linear
  @Parameter var scale: Tensor
  let name = "a constant"
  let size = 3

  override init(using random: inout Random) {
    layers = [Linear(3, 2, using: &random), Linear(2, 1, using: &random)]
    absent = nil
    present = Linear(1, 1, using: &random)
    blocks = [[Linear(1, 2, using: &random)]]
    again = layers[0]
    scale = .ones([2, 2])
    super.init(using: &random)
  }
}

@Suite struct ModuleTests {
  @Test func `parameters are named in the order of declaration, shared ones once`() {
    var random = Random(seed: 1)
    let model = Model(using: &random)
    #expect(
      model.parameters.map(\.name) == [
        "shift", "hidden.weight", "hidden.bias", "layers.0.weight", "layers.0.bias", "layers.1.weight",
        "layers.1.bias", "present.weight", "present.bias", "blocks.0.0.weight", "blocks.0.0.bias", "scale",
      ])
    #expect(model.parameters[3].parameter === model.again.$weight)
    #expect(model.parameterCount == 2 + 9 + 8 + 3 + 2 + 4 + 4)
    #expect(model.hidden.parameters.map(\.name) == ["weight", "bias"])
  }

  @Test func `a shared parameter receives the gradients of both uses`() {
    var random = Random(seed: 2)
    let model = Model(using: &random)
    let x = Tensor([[1, 2, 3]])
    let loss = model.layers[0](x).sum() + model.again(x * 10).sum()
    let slope = gradients(of: loss, withRespectTo: [model.layers[0].weight])[0]
    #expect(slope.scalars == [11, 11, 22, 22, 33, 33])
  }

  @Test func `a parameter shared by two layers is listed once`() {
    final class Tied: Module {
      let first: Scaling
      let second: Scaling
      init() {
        first = Scaling(Parameter(wrappedValue: Tensor([1, 2])))
        second = Scaling(first.$factor)
      }
    }
    final class Scaling: Module {
      @Parameter var factor: Tensor
      init(_ parameter: Parameter) { _factor = parameter }
    }
    let model = Tied()
    #expect(model.parameters.map(\.name) == ["first.factor"])
    #expect(model.parameterCount == 2)
    model.second.factor = Tensor([3, 4])
    #expect(model.first.factor.scalars == [3, 4])
  }

  @Test func `a linear layer by hand`() {
    var random = Random(seed: 3)
    let layer = Linear(2, 3, using: &random)
    #expect(layer.bias.scalars == [0, 0, 0])
    layer.weight = Tensor([[1, 2, 3], [4, 5, 6]])
    layer.bias = Tensor([10, 20, 30])
    let y = layer(Tensor([[1, 1], [2, -1]]))
    #expect(y.shape == [2, 3])
    #expect(y.scalars == [15, 27, 39, 8, 19, 30])
    let slopes = gradients(
      of: (y * Tensor([[1, 0, 0], [0, 0, 1]])).sum(), withRespectTo: [layer.weight, layer.bias])
    #expect(slopes[0].scalars == [1, 0, 2, 1, 0, -1])
    #expect(slopes[1].scalars == [1, 0, 1])
  }

  @Test func `a parameter keeps constants: assigning an expression cuts its history`() {
    var random = Random(seed: 4)
    let layer = Linear(1, 1, using: &random)
    let old = layer.weight
    layer.weight = old * 2
    let slope = gradients(of: layer.weight * 3, withRespectTo: [layer.weight])[0]
    #expect(slope.scalars == [3])
    #expect(layer.weight.scalar == old.scalar * 2)
  }

  @Test func `layers use their initialisation and their own numbers`() {
    var random = Random(seed: 6)
    let first = Linear(300, 200, using: &random)
    let second = Linear(300, 200, initialization: .zeros, using: &random)
    let third = Linear(300, 200, using: &random)
    #expect(abs(first.weight.variance().scalar * 150 - 1) < 0.05)
    #expect(second.weight.scalars.allSatisfy { $0 == 0 })
    #expect(first.weight.scalars != third.weight.scalars)
  }

  @Test func `mistakes stop with a message`() async {
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 7)
      Linear(2, 3, using: &random).weight = .zeros([3, 2])
    }
    let shapeMessage = String(decoding: shape?.standardErrorContent ?? [], as: UTF8.self)
    #expect(shapeMessage.contains("Parameter: cannot change shape from [2, 3] to [3, 2]"), "\(shapeMessage)")
  }
}
