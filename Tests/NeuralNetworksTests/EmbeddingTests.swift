import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct EmbeddingTests {
  //   t = p((5, 3), 1).requires_grad_(); y = torch.nn.functional.embedding(torch.tensor([[4, 0], [4, 2]]), t)
  //   torch.autograd.grad((y * p(y.shape, 4)).sum(), t)
  @Test func `an embedding gives PyTorch's numbers`() {
    var random = Random(seed: 1)
    let layer = Embedding(5, 3, using: &random)
    layer.table = p([5, 3], 1)
    let y = layer(IndexTensor([4, 0, 4, 2], shape: [2, 2]))
    #expect(y.shape == [2, 2, 3])
    expect(y, [0.14, 0.88, -0.4, -0.66, 0.08, 0.82, 0.14, 0.88, -0.4, -0.26, 0.48, -0.8])
    expect(
      slopes(of: y, [layer.table])[0], [0.56, -0.72, 0.02, 0, 0, 0, 0.96, -0.32, 0.42, 0, 0, 0, 1.12, -1.44, 0.04])
  }
}
