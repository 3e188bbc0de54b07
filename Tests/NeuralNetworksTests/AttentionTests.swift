import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct AttentionTests {
  private func layer(causal: Bool = false) -> MultiHeadAttention {
    var random = Random(seed: 1)
    let layer = MultiHeadAttention(4, heads: 2, causal: causal, using: &random)
    for (index, map) in [layer.queries, layer.keys, layer.values, layer.output].enumerated() {
      map.weight = p([4, 4], 10 + index) * 1.5
      map.bias = p([4], 20 + index)
    }
    return layer
  }

  //   m = torch.nn.MultiheadAttention(4, 2, batch_first=True)
  //   W = [p((4, 4), 10 + i) * 1.5 for i in range(4)]; b = [p((4,), 20 + i) for i in range(4)]
  //   m.in_proj_weight.data = torch.cat([w.T for w in W[:3]]); m.in_proj_bias.data = torch.cat(b[:3])
  //   m.out_proj.weight.data = W[3].T.clone(); m.out_proj.bias.data = b[3]
  //   x = (p((2, 3, 4), 1) * 2).requires_grad_(); y, _ = m(x, x, x)
  //   torch.autograd.grad((y * p(y.shape, 4)).sum(), x)
  @Test func `self-attention gives PyTorch's numbers`() {
    let layer = layer()
    #expect(
      layer.parameters.map(\.name) == [
        "queries.weight", "queries.bias", "keys.weight", "keys.bias", "values.weight", "values.bias", "output.weight",
        "output.bias",
      ])
    let x = variable(p([2, 3, 4], 1) * 2)
    let y = layer(x)
    expect(
      y,
      [
        -3.72586, 3.318986, 5.349464, -3.020217, -3.592728, 3.216005, 5.184112, -2.902869, -3.71167, 3.316572, 5.329831,
        -3.008533, 5.881399, 0.01111312, -5.512696, 6.235796, 3.044385, -1.374638, -2.620419, 3.838145, 5.701564,
        0.135174, -5.302158, 6.073518,
      ])
    expect(
      slopes(of: y, [x])[0],
      [
        3.098363, -2.70954, 4.659203, -1.850852, -9.227038, 6.159786, -11.25583, 3.950754, 5.89101, -3.423377, 6.428656,
        -2.172071, 2.595062, -2.965338, 4.889208, -5.96805, -5.391213, -0.8756143, -4.676866, 7.185175, 5.876337,
        -4.020227, 7.110287, -9.808257,
      ])
    // What is added to all keys alike changes nothing, and there is nothing to compare that derivative of 0 with.
    expectSoundGradients(of: layer, at: p([1, 2, 4], 1), order: 1, except: ["keys.bias"]) { layer($0) }
  }

  //   m(x, x, x, attn_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1))
  //   m(x, x, x, attn_mask=torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 1]]) == 0)
  //   memory = p((2, 5, 4), 7); m(x, memory, memory)
  @Test func `causal, masked and cross attention give PyTorch's numbers`() {
    let (x, free) = (p([2, 3, 4], 1) * 2, layer())
    let causal: [Float] = [
      -5.364524, 2.975984, 7.7722, -4.151124, -2.81788, 2.576141, 4.216563, -2.457372, -3.71167, 3.316572, 5.329831,
      -3.008533, 6.337672, -0.900172, -5.89016, 6.542352, 2.737146, -1.884604, -2.278344, 3.631969, 5.701564, 0.135174,
      -5.302158, 6.073518,
    ]
    expect(layer(causal: true)(x), causal)
    expect(free(x, mask: Tensor([[1, 0, 0], [1, 1, 0], [1, 1, 1]])), causal)
    var masked = causal
    masked.replaceSubrange(8..<12, with: [-3.266821, 3.723662, 4.605498, -2.61609])
    masked.replaceSubrange(20..<24, with: [5.251247, 0.8075042, -4.855439, 5.700159])
    expect(free(x, mask: Tensor([[1, 0, 0], [1, 1, 0], [0, 1, 1]])), masked)
    expect(
      free(x, to: p([2, 5, 4], 7)),
      [
        1.234664, -0.2742131, -0.4472862, 1.689104, -1.464394, 2.661193, 2.688412, -0.9586181, 1.112473, -0.1818466,
        -0.3080399, 1.574022, 3.041515, 1.672572, -2.586075, 3.424203, -0.1460493, -1.236016, 1.024607, 0.2987993,
        3.032168, 1.697082, -2.579257, 3.410864,
      ])
  }

  @Test(arguments: [[1, 1, 1, 1, 1, 1, 1], [3, 1, 2, 1], [7], [1, 6]])
  func `steps with a cache give what the full pass gives`(_ steps: [Int]) {
    let layer = layer(causal: true)
    let x = p([2, 7, 4], 3) * 2
    var cache = AttentionCache()
    var parts: [Tensor] = []
    for count in steps {
      parts.append(layer(x.sliced(cache.time..<cache.time + count, axis: 1), cache: &cache))
    }
    #expect(cache.time == 7)
    expect(concatenate(parts, axis: 1), layer(x).scalars, tolerance: 2e-6)
  }

  @Test func `an earlier time does not depend on a later one`() {
    let layer = layer(causal: true)
    let x = variable(p([1, 5, 4], 3))
    let slope = gradients(of: layer(x).sliced(2..<3, axis: 1).sum(), withRespectTo: [x])[0]
    let reach = abs(slope).sum(axes: [0, 2]).scalars
    #expect(reach[0] > 0 && reach[1] > 0 && reach[2] > 0 && reach[3] == 0 && reach[4] == 0)
  }
}
