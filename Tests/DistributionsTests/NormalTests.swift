import Foundation
import GradientChecking
import Tensors
import Testing

@testable import Distributions

@Suite struct NormalTests {
  // The constants were made by this Python (PyTorch 2.15, double precision):
  //
  //   m = torch.tensor([[0.5, -1.0, 2.0], [0.0, 3.0, -0.25]]); s = torch.tensor([[-0.5, 0.0, 1.0], [0.3, -2.0, 0.7]])
  //   m2 = torch.tensor([[0.0, 1.0, -1.0], [0.5, 2.5, 0.25]]); s2 = torch.tensor([[0.2, -0.3, 0.5], [0.0, -1.0, 1.5]])
  //   x = torch.tensor([[1.0, 0.5, -1.0], [-2.0, 3.1, 0.0]])
  //   q, p = Normal(m, s.exp()), Normal(m2, s2.exp())
  //   q.log_prob(x); q.log_prob(x).sum(1); q.entropy().sum(1)
  //   kl_divergence(q, p).sum(1); kl_divergence(q, Normal(0., 1.)).sum(1)
  //   and the gradients by backward() of the sums
  static let mean = Tensor([[0.5, -1, 2], [0, 3, -0.25]])
  static let logScale = Tensor([[-0.5, 0, 1], [0.3, -2, 0.7]])
  static let q = Normal(mean: mean, logScale: logScale)
  static let p = Normal(
    mean: Tensor([[0, 1, -1], [0.5, 2.5, 0.25]]), logScale: Tensor([[0.2, -0.3, 0.5], [0, -1, 1.5]]))
  static let x = Tensor([[1, 0.5, -1], [-2, 3.1, 0]])

  @Test func `log-probability and entropy are PyTorch's`() {
    let q = Self.q
    expect(
      q.elementwiseLogProbability(of: Self.x), shape: [2, 3],
      [-0.758_723_762, -2.043_938_53, -2.527_947_31, -2.316_561_81, 0.808_070_717, -1.626_644_69])
    expect(q.logProbability(of: Self.x), shape: [2], [-5.330_609_6, -3.135_135_78])
    expect(q.entropy, shape: [2], [4.756_815_6, 3.256_815_6])
    let gradients = [0, 1, 2].map { position in
      gradient(at: [Self.mean, Self.logScale, Self.x][position]) { v in
        let values = [Self.mean, Self.logScale, Self.x].enumerated().map { $0 == position ? v : $1 }
        return Normal(mean: values[0], logScale: values[1]).logProbability(of: values[2]).sum()
      }
    }
    let slope: [Float] = [1.359_140_91, 1.5, -0.406_005_85, -1.097_623_27, 5.459_815, 0.061_649_241]
    expect(gradients[0], shape: [2, 3], slope)
    expect(
      gradients[1], shape: [2, 3],
      [-0.320_429_543, 1.25, 0.218_017_549, 1.195_246_54, -0.454_018_5, -0.984_587_69], tolerance: 2e-6)
    expect(gradients[2], shape: [2, 3], slope.map { -$0 })
  }

  @Test func `the divergence and its gradients are PyTorch's, in formula order`() {
    expect(klDivergence(Self.q, Self.p), shape: [2], [6.176_983_89, 2.134_530_7])
    expect(klDivergence(Self.q, .standard([2, 3])), shape: [2], [5.003_467_77, 6.979_067_2])
    expect(klDivergence(Self.q, Self.q), shape: [2], [0, 0])
    expect(
      gradient(at: Self.mean) { klDivergence(Normal(mean: $0, logScale: Self.logScale), Self.p).sum() }, shape: [2, 3],
      [0.335_160_023, -3.644_237_6, 1.103_638_32, -0.5, 3.694_528_05, -0.024_893_534_2])
    expect(
      gradient(at: Self.logScale) { klDivergence(Normal(mean: Self.mean, logScale: $0), Self.p).sum() }, shape: [2, 3],
      [-0.753_403_036, 0.822_118_8, 1.718_281_83, 0.822_118_8, -0.864_664_717, -0.798_103_482])
  }

  @Test func `a log-variance is twice a log-scale, and shapes broadcast`() {
    let byVariance = Normal(mean: Self.mean, logVariance: Self.logScale * 2)
    expect(byVariance.logScale, shape: [2, 3], Self.logScale.scalars)
    expect(byVariance.scale, shape: [2, 3], Self.logScale.scalars.map { exp($0) })
    let wide = Normal(mean: Tensor([[1], [2]]), logScale: Tensor([0, 0.5, 1]))
    expect(wide.mean, shape: [2, 3], [1, 1, 1, 2, 2, 2])
    expect(wide.logScale, shape: [2, 3], [0, 0.5, 1, 0, 0.5, 1])
    // The batch is axis 0 and all else is summed, at any rank.
    let image = Normal.standard([2, 2, 2, 1])
    expect(image.logProbability(of: .ones([2, 2, 2, 1])), shape: [2], [-5.675_754, -5.675_754])
    expect(Normal.standard([2]).logProbability(of: Tensor([0, 1])), shape: [2], [-0.918_938_5, -1.418_938_5])
  }

  @Test(arguments: [(0, 0), (0.5, -0.5), (-1, 1), (3, -2)] as [(Float, Float)])
  func `density, moments, entropy and divergence by quadrature`(mean: Float, logScale: Float) {
    let scale = exp(logScale)
    // Midpoints over ±10 scales.
    let count = 20_001
    let width = 20 * scale / Float(count)
    let points = Tensor((0..<count).map { mean + 10 * scale * (2 * (Float($0) + 0.5) / Float(count) - 1) })
    let law = Normal(
      mean: Tensor(repeating: mean, shape: [count]), logScale: Tensor(repeating: logScale, shape: [count]))
    let other = Normal(mean: Tensor(repeating: 0.3, shape: [count]), logScale: Tensor(repeating: 0.2, shape: [count]))
    let logs = law.logProbability(of: points)
    let mass = exp(logs) * width
    #expect(abs(mass.sum().scalar - 1) < 1e-5)
    #expect(abs((mass * points).sum().scalar - mean) < 1e-5 * (1 + scale))
    #expect(abs((mass * square(points - mean)).sum().scalar / (scale * scale) - 1) < 1e-5)
    #expect(abs(-(mass * logs).sum().scalar - law.entropy.scalars[0]) < 2e-5)
    let divergence = (mass * (logs - other.logProbability(of: points))).sum().scalar
    let closed = klDivergence(law, other).scalars[0]
    #expect(abs(divergence - closed) < 3e-5 * max(1, closed))
  }

  @Test func `samples have the law's moments, entropy and divergence within the standard error`() {
    let count = 60_000
    var random = Random(seed: 1)
    let (mean, logScale) = (Tensor([0.5, -2]), Tensor([-0.5, 1]))
    let law = Normal(mean: mean.broadcast(to: [count, 2]), logScale: logScale)
    let other = Normal(mean: Tensor([0, -1]).broadcast(to: [count, 2]), logScale: Tensor([0, 1.2]))
    let x = law.sample(using: &random)
    #expect(x.shape == [count, 2])
    for axis in 0..<2 {
      let column = x.sliced(axis..<axis + 1, axis: 1)
      let (m, s) = (Double(mean.scalars[axis]), Foundation.exp(Double(logScale.scalars[axis])))
      #expect(Estimate(column.scalars).agrees(with: m))
      #expect(Estimate(square(column - Float(m)).scalars).agrees(with: s * s))
    }
    let logs = law.logProbability(of: x)
    #expect(Estimate((-logs).scalars).agrees(with: Double(law.entropy.scalars[0])))
    let divergence = Estimate((logs - other.logProbability(of: x)).scalars)
    #expect(divergence.agrees(with: Double(klDivergence(law, other).scalars[0])))
    #expect(!divergence.agrees(with: Double(klDivergence(other, law).scalars[0])))
    #expect(divergence.standardError < 0.01)
  }

  @Test func `gradients pass through samples`() {
    // E[x²] = μ² + σ², so its derivatives are 2μ and, for ln σ, 2σ².
    let count = 60_000
    let (mean, logScale) = (Tensor(0.7), Tensor(-0.3))
    let samples = { (mean: Tensor, logScale: Tensor) -> Tensor in
      var random = Random(seed: 2)
      let law = Normal(mean: mean.broadcast(to: [count]), logScale: logScale.broadcast(to: [count]))
      return square(law.sample(using: &random))
    }
    let toMean = gradient(at: mean) { samples($0, logScale).mean() }.scalar
    let toScale = gradient(at: logScale) { samples(mean, $0).mean() }.scalar
    let variance = exp(-0.6 as Float)
    // Standard errors: 2σ/√n for the first; √(Var[2μσε + 2σ²ε²])/√n for the second.
    let first = 2 * variance.squareRoot() / Float(count).squareRoot()
    let second = (4 * 0.49 * variance + 8 * variance * variance).squareRoot() / Float(count).squareRoot()
    #expect(abs(toMean - 1.4) < 4.9 * first)
    #expect(abs(toScale - 2 * variance) < 4.9 * second)
    // For each draw: dx/dμ = 1 and dx/dlnσ = x − μ.
    var random = Random(seed: 3)
    let x = Normal(mean: Tensor([1, 2]), logScale: Tensor([0, 1])).sample(using: &random)
    let slope = gradient(at: Tensor([0, 1])) { logScale in
      var random = Random(seed: 3)
      return Normal(mean: Tensor([1, 2]), logScale: logScale).sample(using: &random).sum()
    }
    expect(slope, shape: [2], (x - Tensor([1, 2])).scalars, tolerance: 1e-6)
  }

  @Test func `gradients agree with differences to the second order`() {
    let (mean, logScale, x) = (Self.mean, Self.logScale * 0.5, Self.x)
    let functions: [(String, ([Tensor]) -> Tensor)] = [
      ("log-probability", { Normal(mean: $0[0], logScale: $0[1]).logProbability(of: $0[2]) }),
      ("entropy", { Normal(mean: $0[0], logScale: $0[1]).entropy }),
      (
        "divergence",
        { klDivergence(Normal(mean: $0[0], logScale: $0[1]), Normal(mean: $0[2], logScale: $0[1] * -0.5)) }
      ),
      ("log-variance", { klDivergence(Normal(mean: $0[0], logVariance: $0[1]), .standard([2, 3])) }),
      (
        "sample",
        { inputs in
          var random = Random(seed: 4)
          return exp(Normal(mean: inputs[0] * 0.3, logScale: inputs[1]).sample(using: &random) * 0.3)
        }
      ),
      ("broadcast", { Normal(mean: $0[0], logScale: $0[1].sliced(0..<1, axis: 0)).logProbability(of: $0[2]) }),
    ]
    for (name, function) in functions {
      let report = gradientCheck(of: function, at: [mean, logScale, x])
      #expect(report.passes, "\(name): \(report)")
    }
  }
}
