import Tensors
import Testing

@testable import Distributions

/// Values against PyTorch 2.15 in double precision; the Python stands above each test. All of them use
///
///     m = T([[0.5, -1, 2], [0, 3, -0.25]]); s = T([[-0.5, 0, 1], [0.3, -2, 0.7]])
///     m2 = T([[0, 1, -1], [0.5, 2.5, 0.25]]); s2 = T([[0.2, -0.3, 0.5], [0, -1, 1.5]])
///     x = T([[1, 0.5, -1], [-2, 3.1, 0]]); w = T([[0.5, -1, 2]])
@Suite struct PyTorchTests {
  let m = Tensor([[0.5, -1, 2], [0, 3, -0.25]])
  let s = Tensor([[-0.5, 0, 1], [0.3, -2, 0.7]])
  let m2 = Tensor([[0, 1, -1], [0.5, 2.5, 0.25]])
  let s2 = Tensor([[0.2, -0.3, 0.5], [0, -1, 1.5]])
  let x = Tensor([[1, 0.5, -1], [-2, 3.1, 0]])
  let w = Tensor([[0.5, -1, 2]])
  let factor = Tensor([0.8, 0, 0, -0.5, 1.5, 0, 0.3, 0.7, 0.4], shape: [1, 3, 3])
  let otherFactor = Tensor([1.2, 0, 0, 0.4, 0.9, 0, -0.6, 0.2, 2], shape: [1, 3, 3])

  // q = Laplace(m, s.exp()); q.log_prob(x); q.entropy().sum(1); q.variance
  // kl_divergence(q, Laplace(m2, s2.exp())).sum(1); kl_divergence(q, Normal(m2, s2.exp())).sum(1)
  @Test func `Laplace agrees with PyTorch`() {
    let q = Laplace(mean: m, logScale: s)
    expect(
      q.elementwiseLogProbability(of: x), shape: [2, 3],
      [-1.017_507_82, -2.193_147_18, -2.796_785_5, -2.474_783_62, 0.567_947_21, -1.517_293_51], tolerance: 2e-6)
    expect(q.entropy, shape: [2], [5.579_441_54, 4.079_441_54])
    expect(q.variance, shape: [2, 3], [0.735_758_882, 2, 14.778_112_2, 3.644_237_6, 0.036_631_277_8, 8.110_399_93])
    expect(klDivergence(q, Laplace(mean: m2, logScale: s2)), shape: [2], [2.775_937_25, 1.762_399_35])
    expect(klDivergence(q, Normal(mean: m2, logScale: s2)), shape: [2], [7.747_856_74, 2.391_580_06])
  }

  // TransformedDistribution(Uniform(0, 1), [SigmoidTransform().inv, AffineTransform(m, s.exp())]).log_prob(x)
  @Test func `Logistic agrees with PyTorch`() {
    expect(
      Logistic(mean: m, logScale: s).elementwiseLogProbability(of: x), shape: [2, 3],
      [-1.051_583_68, -1.902_826_56, -2.676_494_18, -2.191_213_45, 0.480_206_889, -2.090_144_97], tolerance: 2e-6)
    expect(Logistic.standard([2, 2]).logProbability(of: .zeros([2, 2])), shape: [2], [-2.772_588_72, -2.772_588_72])
  }

  // u = Uniform(T([[0, -1]]), T([[2, 0.5]])); u.log_prob(T([[0.5, 0.25]])); u.entropy().sum(1)
  // kl_divergence(u, Uniform(T([[-1, -1]]), T([[3, 4]]))).sum(1); kl_divergence(u, Normal(m[:1, :2], s[:1, :2].exp())).sum(1)
  @Test func `Uniform agrees with PyTorch`() {
    let u = Uniform(lower: Tensor([[0, -1]]), upper: Tensor([[2, 0.5]]))
    expect(u.elementwiseLogProbability(of: Tensor([[0.5, 0.25]])), shape: [1, 2], [-0.693_147_181, -0.405_465_108])
    expect(
      u.logProbability(of: Tensor([[2.01, 0], [2, 0.5], [0, -1], [1, -1.01]])).sliced(1..<3, axis: 0), shape: [2],
      [-1.098_612_29, -1.098_612_29])
    expect(u.logProbability(of: Tensor([[2.01, 0], [1, -1.01]])), shape: [2], [-.infinity, -.infinity])
    expect(u.entropy, shape: [1], [1.098_612_29])
    expect(klDivergence(u, Uniform(lower: Tensor([[-1, -1]]), upper: Tensor([[3, 4]]))), shape: [1], [1.897_119_98])
    let normal = Normal(mean: Tensor([[0.5, -1]]), logScale: Tensor([[-0.5, 0]]))
    expect(klDivergence(u, normal), shape: [1], [1.407_096_98])
  }

  // l = T([[[0.5, -1, 2], [0, 0.25, -3]]]); c = Categorical(logits=l); c.log_prob(T([[2, 1]])); c.entropy().sum(1)
  // kl_divergence(c, Categorical(logits=T([[[0, 1, -1], [0.5, -0.5, 0.25]]]))).sum(1)
  // b = Bernoulli(logits=T([[0, 1.5, -3]])); kl_divergence(b, Bernoulli(logits=T([[1, -2, 0.25]]))).sum(1); b.variance
  @Test func `Categorical and Bernoulli agree with PyTorch`() {
    let c = Categorical(logits: Tensor([0.5, -1, 2, 0, 0.25, -3], shape: [1, 2, 3]))
    let labels = IndexTensor([2, 1], shape: [1, 2])
    expect(c.elementwiseLogProbability(of: labels), shape: [1, 2], [-0.241_311_297, -0.597_503_19])
    expect(c.logProbability(of: labels), shape: [1], [-0.838_814_487])
    expect(c.entropy, shape: [1], [1.395_540_69])
    let other = Categorical(logits: Tensor([0, 1, -1, 0.5, -0.5, 0.25], shape: [1, 2, 3]))
    expect(klDivergence(c, other), shape: [1], [2.077_989_16])
    let b = Bernoulli(logits: Tensor([[0, 1.5, -3]]))
    expect(klDivergence(b, Bernoulli(logits: Tensor([[1, -2, 0.25]]))), shape: [1], [2.030_357_89])
    expect(b.variance, shape: [1, 3], [0.25, 0.149_146_452, 0.045_176_659_7])
  }

  // L = T([[[0.8, 0, 0], [-0.5, 1.5, 0], [0.3, 0.7, 0.4]]]); L2 = T([[[1.2, 0, 0], [0.4, 0.9, 0], [-0.6, 0.2, 2]]])
  // q = MultivariateNormal(m[:1], scale_tril=L); p = MultivariateNormal(m2[:1], scale_tril=L2)
  // q.log_prob(x[:1]); q.entropy(); q.variance; q.covariance_matrix; kl_divergence(q, p)
  // kl_divergence(q, MultivariateNormal(m2[:1], scale_tril=torch.diag_embed(s2[:1].exp())))
  @Test func `MultivariateNormal agrees with PyTorch`() {
    let (first, second) = (Tensor([[0.5, -1, 2]]), Tensor([[0, 1, -1]]))
    let q = MultivariateNormal(mean: first, scale: factor)
    expect(q.logProbability(of: Tensor([[1, 0.5, -1]])), shape: [1], [-53.784_999_2])
    expect(q.entropy, shape: [1], [3.522_846_42])
    expect(q.variance, shape: [1, 3], [0.64, 2.5, 0.74])
    expect(q.covariance, shape: [1, 3, 3], [0.64, -0.4, 0.24, -0.4, 2.5, 0.9, 0.24, 0.9, 0.74])
    expect(klDivergence(q, MultivariateNormal(mean: second, scale: otherFactor)), shape: [1], [6.834_617_95])
    expect(klDivergence(q, Normal(mean: second, logScale: Tensor([[0.2, -0.3, 0.5]]))), shape: [1], [7.645_720_58])
    expect(MultivariateNormal(mean: first, covariance: q.covariance).scale, shape: [1, 3, 3], factor.scalars)
    // One law for a whole batch of values, and one factor for a batch of means.
    let values = Tensor([[1, 0.5, -1], [0.5, -1, 2]])
    expect(q.logProbability(of: values), shape: [2], [-53.784_999_2, -2.022_846_42])
    let shared = MultivariateNormal(mean: concatenate([first, first], axis: 0), scale: factor.reshaped(to: [3, 3]))
    expect(shared.logProbability(of: values), shape: [2], [-53.784_999_2, -2.022_846_42])
  }

  // MixtureSameFamily(Categorical(logits=w), Normal(m[:1], s[:1].exp())): .log_prob(T([0.7])), .mean, .variance
  // j = MixtureSameFamily(Categorical(logits=T([[0.3, -0.6]])), Independent(Normal(m[None], s[None].exp()), 1))
  // j.log_prob(T([[0.7, -0.2, 0.9]])); j.mean; j.variance
  // the same logits with MultivariateNormal(m[None], scale_tril=torch.stack([L[0], L2[0]])[None])
  @Test func `Mixture agrees with PyTorch`() {
    let mixture = Mixture(
      logits: w, components: Normal(mean: Tensor([[0.5, -1, 2]]), logScale: Tensor([[-0.5, 0, 1]])))
    expect(mixture.logProbability(of: Tensor([0.7])), shape: [1], [-1.533_814_83])
    expect(mixture.mean, shape: [1], [1.619_726_69])
    expect(mixture.variance, shape: [1], [6.510_227_62])
    let logits = Tensor([[0.3, -0.6]])
    let joint = Mixture(logits: logits, components: Normal(mean: m.insertingAxis(0), logScale: s.insertingAxis(0)))
    let value = Tensor([[0.7, -0.2, 0.9]])
    expect(joint.logProbability(of: value), shape: [1], [-4.054_212_96])
    expect(joint.mean, shape: [1, 3], [0.355_474_751, 0.156_201_989, 1.349_636_38])
    expect(joint.variance, shape: [1, 3], [0.839_603_128, 4.004_248_56, 7.465_748_63])
    let factors = concatenate([factor, otherFactor], axis: 0).insertingAxis(0)
    let gaussians = Mixture(
      logits: logits, components: MultivariateNormal(mean: m.insertingAxis(0), scale: factors))
    expect(gaussians.logProbability(of: value), shape: [1], [-10.547_365_8])
  }

  // RelaxedOneHotCategorical(T(0.7), logits=w).log_prob(z), z = T([[0.2, 0.5, 0.3]]); logits T([[100, -100, 0]]) too
  // ExpRelaxedCategorical(T(0.7), logits=w).log_prob(z.log())
  @Test func `GumbelSoftmax agrees with PyTorch`() {
    let law = GumbelSoftmax(logits: w, temperature: 0.7)
    let z = Tensor([[0.2, 0.5, 0.3]])
    expect(law.elementwiseLogProbability(of: z), shape: [1], [-1.945_597_28])
    expect(law.elementwiseLogProbability(ofLogarithms: log(z)), shape: [1], [-5.452_155_18])
    let sharp = GumbelSoftmax(logits: Tensor([[100, -100, 0]]), temperature: 0.7)
    expect(sharp.elementwiseLogProbability(of: z), shape: [1], [-297.438_874])
  }

  @Test func `a straight-through sample is one-hot, with the relaxed sample's gradient`() {
    let logits = Tensor((0..<40).map { Float($0 % 7) * 0.3 }, shape: [5, 2, 4])
    let weights = Tensor((0..<40).map { Float($0 % 5) }, shape: [5, 2, 4])
    func slope(_ sample: @escaping (GumbelSoftmax, inout Random) -> Tensor) -> Tensor {
      gradient(at: logits) {
        var random = Random(seed: 3)
        return (sample(GumbelSoftmax(logits: $0, temperature: 0.5), &random) * weights).sum()
      }
    }
    expect(
      slope { $0.straightThroughSample(using: &$1) }, shape: [5, 2, 4], slope { $0.sample(using: &$1) }.scalars,
      tolerance: 0)
    var (one, other, third) = (Random(seed: 3), Random(seed: 3), Random(seed: 3))
    let law = GumbelSoftmax(logits: logits, temperature: 0.5)
    let (hard, soft) = (law.straightThroughSample(using: &one), law.sample(using: &other))
    expect(hard.sum(axis: -1), shape: [5, 2], Array(repeating: 1, count: 10), tolerance: 0)
    expect((hard * soft).sum(axis: -1), shape: [5, 2], soft.max(axis: -1).scalars, tolerance: 0)
    expect(exp(law.logarithmsOfSample(using: &third)), shape: [5, 2, 4], soft.scalars)
  }
}
