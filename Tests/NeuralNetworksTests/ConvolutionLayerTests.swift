import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct ConvolutionLayerTests {
  private let bias = p([2], 3)

  //   x = p((2, 5, 4, 3), 1).requires_grad_(); w = p((3, 2, 3, 2), 2)
  //   l = torch.nn.Conv2d(3, 2, (3, 2), stride=2, padding=1); l.weight.data = w.permute(3, 2, 0, 1); l.bias.data = p((2,), 3)
  //   y = l(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
  //   g = torch.autograd.grad((y * p(y.shape, 4)).sum(), [x, l.weight]); g[0][0, 0]; g[1].permute(2, 3, 1, 0)[0]
  @Test func `a convolution of images gives PyTorch's numbers`() {
    var random = Random(seed: 1)
    let layer = Conv2D(3, 2, height: 3, width: 2, stride: 2, padding: 1, using: &random)
    #expect(layer.weight.shape == [3, 2, 3, 2])
    (layer.weight, layer.bias) = (p([3, 2, 3, 2], 2), bias)
    let x = variable(p([2, 5, 4, 3], 1))
    let y = layer(x)
    #expect(y.shape == [2, 3, 3, 2])
    expect(
      y,
      [
        -1.7596, 1.5964, -0.0428, 1.0384, -0.5968, 1.666, -0.1436, 1.766, -1.1588, 1.9976, -1.4656, 2.016, 0.8092,
        1.368,
        0.01, 0.7488, -0.1636, 1.8472, -1.7756, 1.6452, -1.2716, 1.3532, -0.5976, 1.6492, -0.1044, 1.7812, -1.098,
        2.0104,
        -1.444, 2.0136, 0.8236, 1.3664, 0.054, 0.7608, -0.134, 1.8608,
      ])
    let found = slopes(of: y, [x, layer.weight])
    expect(
      Tensor(Array(found[0].scalars.prefix(12))),
      [0.6848, 0.9872, -0.5688, -0.5344, 0.3916, 0.1864, -0.3824, -0.5876, 0.3384, -0.3616, 0.0568, 0.4348])
    expect(
      Tensor(Array(found[1].scalars.prefix(12))),
      [0.0668, 0.6496, 0.992, -1.9224, 0.0992, -0.3332, 0.1096, 0.882, 1.04, -1.2808, -0.0092, 0.8388])
  }

  //   x = p((1, 3, 3, 3), 1); w = p((3, 3, 3, 2), 2); full = (p((3, 3, 3, 2), 9) > 0).double()
  //   a = torch.tensor([[1., 1, 1], [1, 0, 0], [0, 0, 0]])[:, :, None, None]
  //   torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), (w * mask).permute(3, 2, 0, 1), b, padding=1).permute(0, 2, 3, 1)
  @Test func `masked convolutions of images give PyTorch's numbers`() {
    var random = Random(seed: 1)
    let full = MaskedConv2D(3, 2, mask: p([3, 3, 3, 2], 9) .> 0, using: &random)
    let before = MaskedConv2D(3, 2, mask: Tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]), using: &random)
    for layer in [full, before] { (layer.weight, layer.bias) = (p([3, 3, 3, 2], 2), bias) }
    let x = p([1, 3, 3, 3], 1)
    expect(
      full(x),
      [
        0.028, 0.2568, -0.9748, 1.2244, 0.3952, 0.5368, -0.5872, 0.466, 0.804, 0.6828, 0.3696, 0.5112, -0.102, 1.422,
        -0.3932, 1.3992, -0.3892, 0.61,
      ])
    expect(
      before(x),
      [
        0.02, 0.76, -0.6976, 1.3916, -0.0896, 0.1408, -0.5272, 0.4464, 2.13, -0.6236, 0.3672, 0.2232, 0.5568, 1.4876,
        -0.348, 1.0548, 0.0576, 1.3644,
      ])
    let slope = gradients(of: before(x).sum(), withRespectTo: [before.weight])[0]
    #expect(slope.sliced(2..<3, axis: 0).scalars.allSatisfy { $0 == 0 })
    expectSoundGradients(of: before, at: x) { before($0) }
  }

  //   x = p((2, 5, 3), 1); w = p((2, 3, 2), 2); x = torch.nn.functional.pad(x.permute(0, 2, 1), (2, 0))
  //   torch.nn.functional.conv1d(x, w.permute(2, 1, 0), b, dilation=2).permute(0, 2, 1); the second with w[1] = 0
  @Test func `causal and masked convolutions of sequences give PyTorch's numbers`() {
    var random = Random(seed: 1)
    let layer = Conv1D(3, 2, taps: 2, padding: .causal, dilation: 2, using: &random)
    let masked = MaskedConv1D(3, 2, mask: Tensor([1, 0]), padding: .causal, dilation: 2, using: &random)
    (layer.weight, layer.bias) = (p([2, 3, 2], 2), bias)
    (masked.weight, masked.bias) = (layer.weight, bias)
    let x = p([2, 5, 3], 1)
    expect(
      layer(x),
      [
        -0.8896, 0.028, 0.8544, 0.7212, 1.2292, 0.0612, -0.4112, 1.4904, -0.7992, 1.5864, 0.6796, 0.8276, 0.4036,
        0.9956,
        0.7032, 1.5512, 0.3152, 1.6472, -0.2344, 0.0868,
      ])
    expect(
      masked(x),
      [
        0.02, 0.76, 0.02, 0.76, 0.6708, -0.068, -0.6936, 1.1932, -0.8056, 1.1212, 0.02, 0.76, 0.02, 0.76, 0.5956,
        1.1476,
        0.4836, 1.0756, 0.3716, 1.0036,
      ])
    expectSoundGradients(of: masked, at: x) { masked($0) }
  }

  //   x = p((1, 2, 3, 3), 1).requires_grad_(); l = torch.nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1, output_padding=1)
  //   l.weight.data = p((4, 4, 3, 2), 2).permute(2, 3, 0, 1); l.bias.data = p((2,), 3)
  //   y = l(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1); torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  @Test func `a transposed convolution gives PyTorch's numbers`() {
    var random = Random(seed: 1)
    let layer = ConvTranspose2D(3, 2, size: 4, stride: 2, padding: 1, outputPadding: 1, using: &random)
    (layer.weight, layer.bias) = (p([4, 4, 3, 2], 2), bias)
    let x = variable(p([1, 2, 3, 3], 1))
    let y = layer(x)
    #expect(y.shape == [1, 5, 7, 2])
    expect(
      y,
      [
        0.666, -0.0728, 1.1096, -1.068, -1.4884, 1.9092, -0.7544, -0.2664, -0.408, 1.5748, -1.026, 0.9008, 0.358, 1.194,
        1.0092, 1.78, -0.184, -0.0296, 1.4332, -1.5232, 0.2896, 1.2908, 0.4428, -1.2628, -0.4428, 0.2052, -0.9948,
        1.552,
        -1.6452, 1.6708, 0.6692, 1.3892, -0.178, -0.0236, -1.0368, 0.934, 0.3284, 1.3296, 0.7024, -0.1444, -0.4152,
        0.2328, 0.4472, -0.1716, -0.4284, -0.0632, -0.4552, 0.1928, -1.0188, 1.608, -1.7776, 1.536, 0.6276, 1.1796,
        0.3076, 0.8596, 0.3176, -0.18, 0.6764, 0.2336, -0.4412, -0.076, 0.8344, -1.0232, -1.0152, 1.6116, -0.9352,
        1.1116, 0.6436, 1.1956,
      ])
    expect(
      slopes(of: y, [x])[0],
      [
        0.582, 2.5508, -2.308, -0.3104, -2.7552, 2.5164, -0.3548, 2.4304, -2.0564, -4.2228, -1.4944, 2.648, 4.4412,
        2.9128, -2.898, -3.8856, 0.9264, 0.6076,
      ])
  }

  //   x = p((1, 3, 3, 2), 1); l = torch.nn.Conv2d(2, 3, 2, bias=False); l.weight.data = p((2, 2, 2, 3), 2).permute(3, 2, 0, 1)
  //   weight_norm(l) with original0 = p((3, 1, 1, 1), 5); spectral_norm(l, n_power_iterations=500)
  @Test func `weight and spectral normalisation of a convolution give PyTorch's numbers`() {
    var random = Random(seed: 1)
    let inner = Conv2D(2, 3, size: 2, using: &random)
    inner.weight = p([2, 2, 2, 3], 2)
    let x = p([1, 3, 3, 2], 1)
    let weightNormalized = WeightNormalized(inner)
    weightNormalized.magnitude = p([3], 5)
    expect(
      weightNormalized(x),
      [
        -0.1347752, -0.3621068, 0.004148942, 0.1195276, -0.567451, -0.03771341, -0.02681483, 0.2991263, 0.05277081,
        -0.1973431, -0.4120656, 0.0250335,
      ])
    let spectral = SpectrallyNormalized(inner, using: &random)
    for _ in 0..<100 { _ = spectral.normalizedWeight() }
    expect(
      spectral(x),
      [
        -0.1404004, 0.5280078, 0.0162492, 0.1245164, 0.8274314, -0.1477034, -0.02793402, -0.4361724, 0.2066753,
        -0.2055798, 0.6008554, 0.09804295,
      ])
  }

  //   W = p((3, 3, 5, 8), 2); B = p((8,), 3); P = p((3, 2, 3, 2), 5); x = p((1, 2, 3, 3), 1)
  //   H = p((1, 2, 3, 2), 6); C = p((1, 2, 3, 2), 7)
  //   for t in range(2):
  //       z = conv2d(torch.cat([x * (t + 1), H], 3).permute(0, 3, 1, 2), W.permute(3, 2, 0, 1), B, padding=1)
  //       i, f, g, o = z.permute(0, 2, 3, 1).split(2, 3)
  //       i = (i + P[0] * C).sigmoid(); f = (f + P[1] * C).sigmoid(); C = f * C + i * g.tanh()
  //       H = (o + P[2] * C).sigmoid() * C.tanh()
  // The first without P.
  @Test func `a convolutional memory gives PyTorch's numbers, with and without peepholes`() {
    let wanted: [[Float]] = [
      [
        -0.01200343, 0.001945563, -0.04578848, -0.0231935, 0.4699016, -0.2603967, -0.1795343, 0.1017438, 0.002836009,
        -0.6074534, 0.417415, -0.1698124,
      ],
      [
        -0.01244581, 0.002249084, -0.03785805, -0.1302585, 0.4575504, -0.3024295, -0.1271639, 0.08654482, -0.05745442,
        -0.5434438, 0.4413473, -0.1329729,
      ],
    ]
    for (hasPeepholes, hidden) in zip([false, true], wanted) {
      var random = Random(seed: 1)
      let cell = ConvLSTMCell(3, 2, size: 3, peepholes: hasPeepholes ? (height: 2, width: 3) : nil, using: &random)
      #expect(
        cell.parameters.map(\.name) == ["gates.weight", "gates.bias"] + (hasPeepholes ? ["peepholes"] : []))
      (cell.gates.weight, cell.gates.bias) = (p([3, 3, 5, 8], 2), p([8], 3))
      cell.peepholes?.wrappedValue = p([3, 2, 3, 2], 5)
      var state = ConvLSTMCell.State(hidden: p([1, 2, 3, 2], 6), cell: p([1, 2, 3, 2], 7))
      for t in 1...2 { state = cell(p([1, 2, 3, 3], 1) * Float(t), from: state) }
      expect(state.hidden, hidden)
      let zeros = Tensor.zeros([1, 2, 3, 2])
      let x = p([1, 2, 3, 3], 1)
      #expect(cell(x).cell.scalars == cell(x, from: ConvLSTMCell.State(hidden: zeros, cell: zeros)).cell.scalars)
    }
  }

  @Test func `fans of convolutions count the window`() {
    var random = Random(seed: 2)
    let layer = Conv2D(30, 40, size: 3, using: &random)
    let count = layer.weight.count
    expectMean(Double(layer.weight.variance().scalar) * 270 / 2, 1, variance: 2, count: count)
    let upward = ConvTranspose2D(30, 40, size: 4, stride: 2, using: &random)
    expectMean(Double(upward.weight.variance().scalar) * 120 / 2, 1, variance: 2, count: upward.weight.count)
    // Half the inputs of the next layer are zero after a rectifier, so that its outputs keep the mean square of 2.
    let x = Tensor.normal([8, 8, 8, 30], using: &random)
    let y = layer(x)
    #expect(abs(y.variance().scalar - 2) < 0.1)
    #expect(abs(upward(x).sliced(4..<12, axis: 1).sliced(4..<12, axis: 2).variance().scalar - 2) < 0.15)
  }
}
