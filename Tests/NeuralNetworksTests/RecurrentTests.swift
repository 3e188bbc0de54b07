import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct RecurrentTests {
  private func lstm() -> LSTM {
    var random = Random(seed: 1)
    let layer = LSTM(3, 2, using: &random)
    (layer.inputWeight, layer.recurrentWeight, layer.bias) = (p([3, 8], 2), p([2, 8], 3), p([8], 5))
    return layer
  }

  private func gru() -> GRU {
    var random = Random(seed: 1)
    let layer = GRU(3, 2, using: &random)
    (layer.inputWeight, layer.recurrentWeight) = (p([3, 6], 2), p([2, 6], 3))
    (layer.inputBias, layer.recurrentBias) = (p([6], 5), p([6], 8))
    return layer
  }

  //   l = torch.nn.LSTM(3, 2, batch_first=True); l.weight_ih_l0.data = p((3, 8), 2).T.clone()
  //   l.weight_hh_l0.data = p((2, 8), 3).T.clone(); l.bias_ih_l0.data = p((8,), 5); l.bias_hh_l0.data.zero_()
  //   x = p((2, 4, 3), 1).requires_grad_(); y, (h, c) = l(x); torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  //   y, (h, c) = l(x, (p((1, 2, 2), 6), p((1, 2, 2), 7)))
  @Test func `a long short-term memory gives PyTorch's numbers`() {
    let layer = lstm()
    let x = variable(p([2, 4, 3], 1))
    let (y, state) = layer(x, from: nil)
    expect(
      y,
      [
        -0.06187402, -0.005697969, -0.1817462, 0.07307854, -0.1711753, 0.1572119, -0.1098672, 0.1973863, -0.001235013,
        -0.01458986, -0.1337533, 0.08087409, -0.1559452, 0.15605, -0.1129898, 0.1520461,
      ])
    expect(state.cell, [-0.3919304, 0.4424907, -0.4096678, 0.2914646])
    #expect(state.hidden.scalars == y.sliced(3..<4, axis: 1).scalars)
    expect(
      slopes(of: y, [x])[0],
      [
        0.09715129, 0.1120098, 0.1268682, 0.007864424, -0.0009071353, -0.002210027, -0.004377624, -0.01057191,
        0.001279038, 0.08657194, 0.1052888, 0.07380798, -0.1606357, -0.1850972, -0.2095586, -0.02170257, -0.02193388,
        -0.02192387, 0.003093834, 0.006965686, 0.02555136, 0.1227284, 0.1489661, 0.1304176,
      ])
    let (z, last) = layer(x, from: LSTM.State(hidden: p([2, 2], 6), cell: p([2, 2], 7)))
    expect(
      z,
      [
        -0.1331947, 0.08436879, -0.2315446, 0.09933324, -0.1895881, 0.1830391, -0.1162806, 0.2159379, 0.03767082,
        -0.1651475, -0.119044, 0.02122552, -0.1534158, 0.1053821, -0.1181605, 0.1126228,
      ])
    expect(last.cell, [-0.4176368, 0.4937353, -0.4353194, 0.2083337])
    expectSoundGradients(of: layer, at: p([1, 2, 3], 1)) { layer($0) }
  }

  //   l = torch.nn.GRU(3, 2, batch_first=True); l.weight_ih_l0.data = p((3, 6), 2).T.clone()
  //   l.weight_hh_l0.data = p((2, 6), 3).T.clone(); l.bias_ih_l0.data = p((6,), 5); l.bias_hh_l0.data = p((6,), 8)
  //   y, h = l(x); torch.autograd.grad((y * p(y.shape, 4)).sum(), x); y, h = l(x, p((1, 2, 2), 6))
  @Test func `a gated recurrent unit gives PyTorch's numbers`() {
    let layer = gru()
    let x = variable(p([2, 4, 3], 1))
    let y = layer(x)
    expect(
      y,
      [
        -0.3913862, 0.1161594, -0.309774, 0.1351113, -0.354567, 0.0716173, -0.4766815, -0.02306013, -0.3976914,
        -0.1424391, 0.2857783, 0.006671494, 0.6789755, -0.0358827, 0.8102116, -0.1446856,
      ])
    expect(
      slopes(of: y, [x])[0],
      [
        0.05155727, 0.00916712, 0.007686537, -0.1801379, 0.09976208, 0.1101384, 0.0632244, 0.1959523, 0.01607549,
        0.3271685, -0.3208176, -0.2748505, -0.2179174, 0.02052438, 0.1635202, -0.1880353, 0.05168014, 0.05310317,
        0.04577232, 0.1947829, -0.01717734, 0.2225303, -0.07456997, -0.1507954,
      ])
    let (z, last) = layer(x, from: p([2, 2], 6))
    expect(
      z,
      [
        -0.945934, -0.009371919, -0.7137211, 0.1303242, -0.6184365, 0.1098878, -0.6298854, 0.02780463, -0.01512991,
        -0.7279153, 0.5300519, -0.3445621, 0.791579, -0.3090027, 0.8568237, -0.3651011,
      ])
    #expect(last.scalars == z.sliced(3..<4, axis: 1).scalars)
    expectSoundGradients(of: layer, at: p([1, 2, 3], 1)) { layer($0) }
  }

  @Test func `one time after another gives what the whole sequence gives`() {
    let (x, long, gated) = (p([2, 5, 3], 9), lstm(), gru())
    var (state, hidden): (LSTM.State?, Tensor?) = (nil, nil)
    var (first, second): ([Tensor], [Tensor]) = ([], [])
    for time in 0..<5 {
      let step = x.sliced(time..<time + 1, axis: 1)
      let (y, next) = long(step, from: state)
      let (z, after) = gated(step, from: hidden)
      (state, hidden) = (next, after)
      first.append(y)
      second.append(z)
    }
    expect(concatenate(first, axis: 1), long(x).scalars, tolerance: 1e-6)
    expect(concatenate(second, axis: 1), gated(x).scalars, tolerance: 1e-6)
  }

  @Test func `recurrent weights begin orthogonal and the forget gate open`() {
    var random = Random(seed: 4)
    let layer = LSTM(5, 6, using: &random)
    let forget = layer.recurrentWeight.sliced(6..<12, axis: 1)
    let gram = matmul(forget, forget, transposingFirst: true)
    expect(gram, (0..<36).map { $0 % 7 == 0 ? 1 : 0 }, tolerance: 1e-6)
    expect(layer.bias, (0..<24).map { (6..<12).contains($0) ? 1 : 0 })
  }
}
