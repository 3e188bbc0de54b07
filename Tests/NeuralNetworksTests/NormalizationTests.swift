import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct NormalizationTests {
  //   x = p((4, 2, 3), 1).requires_grad_()
  //   m = torch.nn.BatchNorm1d(3); m.weight.data = p((3,), 2); m.bias.data = p((3,), 3)
  //   for k in range(3): y = m((x * (k + 1)).permute(0, 2, 1)).permute(0, 2, 1)
  //   torch.autograd.grad((y * p(y.shape, 4)).sum(), [x, m.weight, m.bias])
  //   m.eval(); m(x.permute(0, 2, 1)).permute(0, 2, 1)
  @Test func `batch normalisation in training and inference gives PyTorch's numbers`() {
    let layer = BatchNorm(3)
    (layer.scale, layer.offset) = (p([3], 2), p([3], 3))
    let x = variable(p([4, 2, 3], 1))
    var y = x
    for k in 1...3 { y = layer(x * Float(k)) }
    expect(
      y,
      [
        0.5088068, 0.7977692, -2.188369, 0.3691477, 0.9291404, 0.6560633, 0.2294886, 1.060512, 0.3434884, 0.08982954,
        1.191883, 0.03091338, -0.04982954, 1.323254, -0.2816616, -0.1894886, 0.1277763, -0.5942366, -0.3291477,
        0.2591475, -0.9068115, -0.4688068, 0.3905186, -1.219386,
      ])
    expect(layer.runningMean, [0.02244, 0.0126225, -0.1388475])
    expect(layer.runningVariance, [1.05084, 1.355582, 1.193053])
    let found = slopes(of: y, [x, layer.scale, layer.offset])
    expect(
      found[0],
      [
        0.2350904, -0.4442099, -0.4789536, -0.03358639, -0.2586155, 0.5446399, -0.3022632, -0.07302113, 0.08523321,
        -0.57094, 0.1125732, -0.3741735, 0.57094, 0.2981676, -0.8335801, 0.3022632, -0.06389248, -1.292987, 0.03358639,
        0.1217019, 1.404614, -0.2350904, 0.3072963, 0.9452071,
      ])
    expect(found[1], [-3.386733, -2.111322, -2.067901])
    expect(found[2], [0.4, -1.76, 0.12])
    let kept = layer.runningMean.scalars
    expect(
      inference { layer(x) },
      [
        0.2330316, 0.7843052, -1.274947, 0.1705993, 0.8564516, 0.1580267, 0.1081669, 0.9285981, 0.0005571284,
        0.04573461, 1.000744, -0.1569125, -0.01669773, 1.072891, -0.3143821, -0.07913007, 0.4163585, -0.4718517,
        -0.1415624, 0.4885049, -0.6293213, -0.2039947, 0.5606513, -0.7867909,
      ])
    #expect(layer.runningMean.scalars == kept)
  }

  @Test func `running averages are kept beside the parameters and not among them`() {
    let model = Sequential([BatchNorm(2), BatchNorm(3)])
    #expect(model.parameters.map(\.name) == ["layers.0.scale", "layers.0.offset", "layers.1.scale", "layers.1.offset"])
    #expect(
      model.untrained.map(\.name) == [
        "layers.0.runningMean", "layers.0.runningVariance", "layers.1.runningMean", "layers.1.runningVariance",
      ])
  }

  //   x = p((2, 5), 1).requires_grad_(); m = torch.nn.LayerNorm(5); m.weight.data = p((5,), 2); m.bias.data = p((5,), 3)
  //   y = m(x); torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  @Test func `layer normalisation gives PyTorch's numbers`() {
    let layer = LayerNorm(5)
    (layer.scale, layer.offset) = (p([5], 2), p([5], 3))
    let x = variable(p([2, 5], 1))
    let y = layer(x)
    let row: [Float] = [0.4258471, 0.8139016, -1.831454, 0.3268972, 1.273595]
    expect(y, row + row)
    expect(
      slopes(of: y, [x])[0],
      [
        0.1871301, -0.4125612, 0.520998, 0.2539769, -0.5495438, -0.008305212, 0.04972173, -0.2651838, -0.1964517,
        0.4202189,
      ])
  }

  //   x = p((2, 3, 4), 1).requires_grad_(); m = torch.nn.GroupNorm(2, 4); m.weight.data = p((4,), 2); m.bias.data = p((4,), 3)
  //   y = m(x.permute(0, 2, 1)).permute(0, 2, 1); torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  @Test func `group normalisation gives PyTorch's numbers`() {
    let layer = GroupNorm(groups: 2, 4)
    (layer.scale, layer.offset) = (p([4], 2), p([4], 3))
    let x = variable(p([2, 3, 4], 1))
    let y = layer(x)
    expect(
      y,
      [
        0.219707, 1.144436, -1.59608, 0.3405435, -0.4060415, 0.2008205, 0.04077414, 0.1417524, 0.3129035, 1.022115,
        -1.383895, 0.3701507, 0.0006282909, 1.298556, 0.01671244, 0.1101612, 0.5712132, 0.5496629, -1.664987, 0.3797656,
        0.074593, 1.201477, 0.2671782, 0.1451099,
      ])
    expect(
      slopes(of: y, [x])[0],
      [
        -0.192546, -0.9327698, -0.03766189, 0.2784547, 0.3027659, 0.1454653, -0.8655011, -0.01261038, -0.06604238,
        0.743127, 0.2518898, 0.3854288, 0.2525281, -0.1688111, -0.6614147, -0.1423853, -0.4137188, 0.3133761, 0.3117792,
        0.7247553, 0.3045041, -0.2878784, -0.2681235, 0.0353889,
      ])
  }

  //   x = p((2, 2, 2, 3), 1).requires_grad_(); m = torch.nn.InstanceNorm2d(3, affine=True)
  //   m.weight.data = p((3,), 2); m.bias.data = p((3,), 3)
  //   y = m(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1); torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  @Test func `instance normalisation gives PyTorch's numbers`() {
    let layer = InstanceNorm(3)
    (layer.scale, layer.offset) = (p([3], 2), p([3], 3))
    let x = variable(p([2, 2, 2, 3], 1))
    let y = layer(x)
    expect(
      y,
      [
        0.4492821, 0.1965672, -1.980171, 0.163094, 0.5721891, 0.207081, -0.123094, 0.9478109, -0.03327635, -0.4092821,
        1.323433, -0.2736337, 0.4492821, 1.473107, 0.6336957, 0.163094, 0.4049139, -0.1354348, -0.123094, 0.5222978,
        -0.9045652, -0.4092821, 0.6396816, -1.673696,
      ])
    expect(
      slopes(of: y, [x])[0],
      [
        8.583926e-05, -0.000112664, 0.0711166, 2.861309e-05, -3.755468e-05, 0.2642929, -2.861309e-05, 3.755468e-05,
        -0.02370553, -8.583926e-05, 0.000112664, -0.3117039, 8.583926e-05, -0.03473136, 0.7761205, 2.861309e-05,
        -0.1290733, -2.330699, -2.861309e-05, 0.01157712, 2.330699, -8.583926e-05, 0.1522275, -0.7761205,
      ])
  }

  @Test func `gradients of normalisations are right to the second order`() {
    let x = p([3, 2, 4], 6)
    let batch = BatchNorm(4)
    expectSoundGradients(of: batch, at: x) { batch($0) }
    expectSoundGradients(of: batch, at: x) { x in inference { batch(x) } }
    let layer = LayerNorm(4)
    expectSoundGradients(of: layer, at: x) { layer($0) }
    let group = GroupNorm(groups: 2, 4)
    expectSoundGradients(of: group, at: x) { group($0) }
    let instance = InstanceNorm(4)
    expectSoundGradients(of: instance, at: p([2, 3, 2, 4], 6), order: 1) { instance($0) }
  }

  @Test func `inference is scoped, also beside tasks that train`() async {
    #expect(!Inference.isOn)
    inference {
      #expect(Inference.isOn)
      inference { #expect(Inference.isOn) }
      #expect(Inference.isOn)
    }
    #expect(!Inference.isOn)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try inference { throw Stop() } }
    #expect(!Inference.isOn)
    let x = p([8, 2], 1)
    await withTaskGroup(of: Bool.self) { group in
      for index in 0..<40 {
        group.addTask {
          let layer = BatchNorm(2)
          if index % 2 == 0 { return inference { layer(x) }.scalars[0] == x.scalars[0] / Float(1.00001).squareRoot() }
          return layer(x).mean().scalar.magnitude < 1e-6 && layer.runningMean.scalars[0] != 0
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
