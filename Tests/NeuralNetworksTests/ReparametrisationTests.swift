import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct ReparametrisationTests {
  private func linear(_ inputs: Int, _ outputs: Int) -> Linear {
    var random = Random(seed: 1)
    let layer = Linear(inputs, outputs, using: &random)
    (layer.weight, layer.bias) = (p([inputs, outputs], 2), p([outputs], 3))
    return layer
  }

  //   l = torch.nn.Linear(3, 2); l.weight.data = p((3, 2), 2).T.clone(); l.bias.data = p((2,), 3)
  //   l = torch.nn.utils.parametrizations.weight_norm(l); l.parametrizations.weight.original0.data = p((2, 1), 5)
  //   x = p((2, 3), 1).requires_grad_(); y = l(x)
  //   torch.autograd.grad((y * p(y.shape, 4)).sum(), [x, original0, original1])
  @Test func `weight normalisation gives PyTorch's numbers`() {
    let inner = linear(3, 2)
    let layer = WeightNormalized(inner)
    let x = variable(p([2, 3], 1))
    #expect(layer.parameters.map(\.name) == ["layer.weight", "layer.bias", "magnitude"])
    expect(layer(x), inner(x).scalars, tolerance: 1e-6)
    layer.magnitude = p([2], 5)
    let y = layer(x)
    expect(y, [0.4313671, 1.366782, -0.4310626, 0.4425389])
    let found = slopes(of: y, [x, layer.magnitude, inner.weight])
    expect(found[0], [0.2103475, -0.2766007, -0.3038897, -0.1359525, 0.1470943, 0.2003115])
    expect(found[1], [0.3275477, 1.268995])
    expect(found[2], [-0.03802215, 0.2373015, 0.1471293, -0.2019708, 0.1844583, 0.187732])
    expectSoundGradients(of: layer, at: p([2, 3], 1)) { layer($0) }
  }

  @Test func `weights adapted to a batch give outputs of mean 0 and variance 1`() {
    let layer = WeightNormalized(linear(3, 2))
    let x = p([50, 3], 7) * 5 + 2
    layer.adapt(to: x)
    expect(layer(x).mean(axis: 0), [0, 0], tolerance: 1e-5)
    expect(layer(x).variance(axes: [0]), [1, 1], tolerance: 1e-4)
  }

  @Test func `an output without connections stays finite under weight normalisation`() {
    var random = Random(seed: 2)
    let layer = WeightNormalized(MaskedLinear(mask: Tensor([[1, 0], [1, 0]]), using: &random))
    let y = layer(Tensor([[1, 2]]))
    #expect(y.scalars[1] == 0)
    let found = gradients(of: y.sum(), withRespectTo: layer.parameters.map(\.parameter.wrappedValue))
    #expect(found.allSatisfy { $0.scalars.allSatisfy(\.isFinite) })
  }

  //   l = torch.nn.Linear(4, 3); l.weight.data = p((4, 3), 2).T.clone(); l.bias.data = p((3,), 3)
  //   torch.linalg.svdvals(l.weight)  # 1.7033, …
  //   l = torch.nn.utils.parametrizations.spectral_norm(l, n_power_iterations=300)
  //   x = p((2, 4), 1).requires_grad_(); y = l(x)
  //   torch.autograd.grad((y * p(y.shape, 4)).sum(), [x, l.parametrizations.weight.original])
  @Test func `spectral normalisation gives PyTorch's numbers`() {
    var random = Random(seed: 3)
    let inner = linear(4, 3)
    let layer = SpectrallyNormalized(inner, using: &random)
    let x = variable(p([2, 4], 1))
    for _ in 0..<100 { _ = layer.normalizedWeight() }
    let y = layer(x)
    expect(y, [0.1012524, 1.291193, -0.369002, 0.1045401, 0.05808258, -0.2769473])
    let found = slopes(of: y, [x, inner.weight])
    expect(
      found[0],
      [-0.2036007, -0.2904891, -0.3773775, 0.6267707, -0.2928374, -0.3092758, -0.3257141, 0.5117023])
    expect(
      found[1],
      [
        -0.04367311, 0.2206734, 0.08437291, -0.3079991, 0.3615957, -0.008565151, 0.09178405, -0.3513368, -0.07778503,
        0.05738592, 0.06039925, 0.04460073,
      ])
  }

  @Test func `the power method finds the largest singular value, and follows a weight that changes`() {
    var random = Random(seed: 4)
    let inner = linear(2, 2)
    let layer = SpectrallyNormalized(inner, using: &random)
    // A rotation of diag(3, 1): singular values 3 and 1; then diag(1, 5).
    inner.weight = Tensor([[0, -1], [3, 0]])
    for _ in 0..<30 { _ = layer.normalizedWeight() }
    expect(inference { layer.normalizedWeight() }, [0, -1.0 / 3, 1, 0], tolerance: 1e-6)
    inner.weight = Tensor([[1, 0], [0, 5]])
    for _ in 0..<60 { _ = layer.normalizedWeight() }
    expect(inference { layer.normalizedWeight() }, [0.2, 0, 0, 1], tolerance: 1e-6)
  }

  @Test func `inference leaves the vectors of the power method; each call in training moves them`() {
    var random = Random(seed: 5)
    let inner = linear(4, 3)
    let layer = SpectrallyNormalized(inner, using: &random)
    inner.weight = p([4, 3], 9)
    #expect(layer.untrained.map(\.name) == ["rightVector", "leftVector"])
    let before = layer.untrained.map(\.cell.wrappedValue.scalars)
    _ = inference { layer(p([2, 4], 1)) }
    #expect(layer.untrained.map(\.cell.wrappedValue.scalars) == before)
    _ = layer(p([2, 4], 1))
    #expect(layer.untrained.map(\.cell.wrappedValue.scalars) != before)
    expectSoundGradients(of: layer, at: p([2, 4], 1)) { x in inference { layer(x) } }
  }
}
