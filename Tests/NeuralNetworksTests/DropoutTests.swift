import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct DropoutTests {
  @Test func `a share of the values is dropped, and the mean stays`() {
    var random = Random(seed: 1)
    let layer = Dropout(0.3, using: &random)
    let y = layer(.ones([100_000]))
    let kept = y.scalars.filter { $0 != 0 }
    #expect(kept.allSatisfy { abs($0 - 1 / 0.7) < 1e-6 })
    expectMean(Double(kept.count) / 100_000, 0.7, variance: 0.21, count: 100_000)
    expectMean(Double(y.mean().scalar), 1, variance: 0.3 / 0.7, count: 100_000)
    #expect(layer(.ones([100_000])).scalars != y.scalars)
    #expect(layer.parameters.isEmpty)
  }

  @Test func `gradients reach what is kept`() {
    var random = Random(seed: 2)
    let x = variable(p([5, 7], 1))
    let y = dropout(x, rate: 0.5, using: &random)
    let slope = gradients(of: y.sum(), withRespectTo: [x])[0]
    #expect(slope.scalars == zip(y.scalars, x.scalars).map { $0 == 0 && $1 != 0 ? 0 : 2 })
  }

  @Test func `inference keeps everything and draws nothing`() {
    var random = Random(seed: 3)
    let layer = Dropout(0.9, using: &random)
    let (x, before) = (p([50], 1), random)
    #expect(inference { layer(x) }.scalars == x.scalars)
    #expect(inference { dropout(x, rate: 0.9, using: &random) }.scalars == x.scalars)
    #expect(random == before)
    #expect(dropout(x, rate: 0, using: &random).scalars == x.scalars)
  }

  @Test func `the random state is kept exactly, and nonsense in its place is no crash`() {
    var random = Random(seed: 4)
    let (a, b) = (Dropout(0.5, using: &random), Dropout(0.5, using: &random))
    let x = Tensor.ones([1000])
    var expected = Random(seed: 4)
    expected = expected.split()
    for _ in 0..<3 { #expect(a(x).scalars == dropout(x, rate: 0.5, using: &expected).scalars) }
    #expect(a(x).scalars != b(x).scalars)
    b.generator = a.generator
    for _ in 0..<3 { #expect(a(x).scalars == b(x).scalars) }
    b.generator = Tensor([.nan, -1, 1e30, .infinity, -.infinity, 65536, 0.5, 70000])
    #expect(b(x).count == 1000)
  }
}
