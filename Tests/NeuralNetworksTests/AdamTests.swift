import Tensors
import Testing

@testable import NeuralNetworks

private final class Affine: Module {
  @Parameter var weight: Tensor
  @Parameter var bias: Tensor

  init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }
}

@Suite struct AdamTests {
  private let model = Affine(
    weight: Tensor([[0.5, -1, 2], [1.5, 0.25, -0.75]]), bias: Tensor([0.1, -0.2, 0.3]))

  // The constants were made by this Python (PyTorch 2.15, double precision):
  //
  //   w = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], requires_grad=True)
  //   b = torch.tensor([0.1, -0.2, 0.3], requires_grad=True)
  //   x = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.25, -3.0]])
  //   optimizer = torch.optim.Adam([w, b], lr=0.1, betas=(0.9, 0.999), eps=1e-8)
  //   for step in range(5):
  //       optimizer.zero_grad()
  //       loss = (torch.tanh(x @ w + b) ** 2).mean() + (w ** 3).sum() * 0.01
  //       loss.backward()
  //       optimizer.step()
  //       print(loss, w, b)
  @Test func `five steps give PyTorch's numbers`() {
    let losses: [Float] = [0.775_480_3, 0.681_446_96, 0.613_592_96, 0.595_348_55, 0.584_158_92]
    let weights: [[Float]] = [
      [0.599_999_983, -0.900_000_007, 1.9, 1.400_000_01, 0.150_000_026, -0.849_999_994],
      [0.678_866_143, -0.799_864_422, 1.800_457_79, 1.302_311_15, 0.058_547_456_3, -0.949_701_481],
      [0.693_155_609, -0.699_580_544, 1.705_957_82, 1.210_282_29, -0.035_227_615_5, -1.031_866_36],
      [0.663_857_887, -0.599_512_097, 1.622_523_92, 1.124_600_64, -0.048_154_737_8, -1.069_956_58],
      [0.612_667_717, -0.499_784_544, 1.550_235_33, 1.043_792_85, -0.015_041_218_3, -1.072_699_06],
    ]
    let biases: [[Float]] = [
      [1.497_409_19e-08, -0.100_000_015, 0.200_000_014], [-0.087_360_405_2, -0.000_375_257_278, 0.100_639_738],
      [-0.130_610_755, 0.099_108_306_1, 0.030_662_614_4], [-0.131_506_964, 0.178_664_138, 0.020_790_478_7],
      [-0.106_561_476, 0.227_736_278, 0.047_369_079_3],
    ]
    let x = Tensor([[1, 2], [-1, 0.5], [0.25, -3]])
    var optimizer = Adam(model.parameters, learningRate: 0.1)
    for step in 0..<5 {
      let cubes = model.weight * square(model.weight)
      let loss = square(tanh(linear(x, model.weight, model.bias))).mean() + cubes.sum() * 0.01
      #expect(abs(loss.scalar - losses[step]) < 1e-6)
      optimizer.minimize(loss)
      #expect(optimizer.step == step + 1)
      expectClose(model.weight, weights[step], within: 6e-7)
      expectClose(model.bias, biases[step], within: 6e-7)
    }
    let first: [Float] = [
      0.010_745_924_4, -0.062_907_151_1, 0.041_220_307_6, 0.020_339_101_5, -0.019_029_706_2, 0.001_436_658_68,
    ]
    let second: [Float] = [
      1.311_253_43e-05, 0.000_118_397_367, 9.675_095_19e-05, 1.885_078_09e-05, 9.827_109_91e-05, 8.165_724_33e-05,
    ]
    expectClose(optimizer.state["adam.first.weight"], first, within: 1e-7)
    // 1 − β₂ as a difference of Floats is 1.3e-5 too small; the step is not, since its correction is made of the same β₂.
    expectClose(optimizer.state["adam.second.weight"], second, within: 2e-9)
    #expect(
      optimizer.state.keys.sorted() == [
        "adam.first.bias", "adam.first.weight", "adam.second.bias", "adam.second.weight",
      ])
  }

  //   w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
  //   optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.5, 0.9), eps=1e-3)
  //   for step in range(40):
  //       optimizer.param_groups[0]['lr'] = 0.01 * (1 + step % 3)
  //       loss = (w ** 2 * torch.tensor([1.0, 10.0, 0.001])).sum()
  @Test func `other decays, epsilon and a changing rate give PyTorch's numbers`() {
    let model = Affine(weight: Tensor([1, -2, 3]), bias: Tensor(0))
    var optimizer = Adam(
      model.parameters.filter { $0.name == "weight" }, learningRate: 1, beta1: 0.5, beta2: 0.9, epsilon: 1e-3)
    for step in 0..<40 {
      optimizer.learningRate = 0.01 * Float(1 + step % 3)
      optimizer.minimize((square(model.weight) * Tensor([1, 10, 0.001])).sum())
    }
    expectClose(model.weight, [0.317_330_621, -1.253_853_99, 2.350_236_12], within: 3e-6)
    #expect(model.bias.scalar == 0)
  }

  @Test func `an update does not alter what was read before`() {
    let before = model.weight
    let flat = model.weight.reshaped(to: [6])
    let scalars = before.scalars
    var optimizer = Adam(model.parameters, learningRate: 0.1)
    let state = optimizer.state
    optimizer.minimize((square(model.weight)).sum() + model.bias.sum())
    #expect(before.scalars == scalars)
    #expect(flat.scalars == scalars)
    #expect(zip(model.weight.scalars, scalars).allSatisfy { $0 != $1 })
    #expect(state["adam.first.weight"]?.scalars == [0, 0, 0, 0, 0, 0])
    let copy = optimizer
    optimizer.minimize((square(model.weight)).sum())
    #expect(copy.step == 1)
    #expect(copy.state["adam.second.weight"]?.scalars != optimizer.state["adam.second.weight"]?.scalars)
  }

  @Test func `a parameter that the loss does not reach stays`() {
    var optimizer = Adam(model.parameters, learningRate: 0.1)
    let bias = model.bias.scalars
    optimizer.minimize(square(model.weight).sum())
    #expect(model.bias.scalars == bias)
    optimizer.update(with: [nil, Tensor([1, -1, 0])])
    // The second step, the first for the bias: 0.1·(0.1 / 0.19) / √(0.001 / 0.001999).
    expectClose(model.bias, [bias[0] - 0.074_413_7, bias[1] + 0.074_413_7, bias[2]], within: 1e-6)
  }

  @Test func `a loss can be read but not used again after minimize`() {
    var optimizer = Adam(model.parameters)
    let loss = square(model.weight).sum()
    let value = loss.scalar
    optimizer.minimize(loss)
    #expect(loss.scalar == value)
  }

  @Test func `minimizing what depends on no parameter stops`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 1)
      var optimizer = Adam(Linear(2, 3, using: &random).parameters)
      optimizer.minimize(Tensor(1))
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("minimize: the loss depends on none of the optimizer's 2 parameters"), "\(message)")
  }

  private func expectClose(
    _ tensor: Tensor?, _ values: [Float], within tolerance: Float, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = tensor?.scalars ?? []
    #expect(found.count == values.count, sourceLocation: sourceLocation)
    for (a, b) in zip(found, values) { #expect(abs(a - b) <= tolerance, sourceLocation: sourceLocation) }
  }
}
