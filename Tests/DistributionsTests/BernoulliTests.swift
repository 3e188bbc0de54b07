import Foundation
import GradientChecking
import Tensors
import Testing

@testable import Distributions

@Suite struct BernoulliTests {
  // The constants were made by this Python (PyTorch 2.15, double precision):
  //
  //   l = torch.tensor([[0.0, 1.5, -3.0], [8.0, -0.25, 0.7]], requires_grad=True)
  //   y = torch.tensor([[1.0, 0, 1], [1, 1, 0]])
  //   b = Bernoulli(logits=l)
  //   b.log_prob(y); b.log_prob(y).sum(1); b.entropy().sum(1); b.mean; b.entropy().sum().backward(); l.grad
  let logits = Tensor([[0, 1.5, -3], [8, -0.25, 0.7]])
  let x = Tensor([[1, 0, 1], [1, 1, 0]])

  @Test func `log-probability, mean and entropy are PyTorch's`() {
    let law = Bernoulli(logits: logits)
    let logs = law.elementwiseLogProbability(of: x)
    expect(
      logs, shape: [2, 3],
      [-0.693_147_181, -1.701_413_28, -3.048_587_35, -0.000_335_406_373, -0.825_939_42, -1.103_186_05])
    #expect(abs(logs.scalars[3] / -0.000_335_406_373 - 1) < 1e-6)
    expect(law.logProbability(of: x), shape: [2], [-5.443_147_81, -1.929_460_88])
    expect(law.mean, shape: [2, 3], [0.5, 0.817_574_476, 0.047_425_873_2, 0.999_664_65, 0.437_823_499, 0.668_187_772])
    expect(law.entropy, shape: [2], [1.359_063_72, 1.323_868_11])
    expect(
      gradient(at: logits) { Bernoulli(logits: $0).entropy.sum() }, shape: [2, 3],
      [0, -0.223_719_678, 0.135_529_979, -0.002_681_901_37, 0.061_533_520_7, -0.155_199_011])
    // d ln p / d logit = x − p.
    expect(
      gradient(at: logits) { Bernoulli(logits: $0).logProbability(of: x).sum() }, shape: [2, 3],
      (x - law.mean).scalars)
  }

  @Test func `probabilities of all events sum to one`() {
    // All 2⁵ binary vectors, as a batch.
    let events = Tensor((0..<32 * 5).map { Float(($0 / 5) >> ($0 % 5) & 1) }, shape: [32, 5])
    let law = Bernoulli(logits: Tensor([-2, 0, 0.3, 1.7, 6]).broadcast(to: [32, 5]))
    let logs = law.logProbability(of: events)
    #expect(logs.shape == [32])
    #expect(abs(logs.logSumExp().scalar) < 1e-6)
    #expect(abs(-(exp(logs) * logs).sum().scalar - law.entropy.scalars[0]) < 2e-6)
    let mean = (events * exp(logs).reshaped(to: [32, 1])).sum(axis: 0)
    expect(mean, shape: [5], law.mean.sliced(0..<1, axis: 0).scalars, tolerance: 2e-6)
  }

  @Test func `extreme log-odds stay finite and exact`() {
    let logits = Tensor([100, -100, 1e4, -1e4, 100, -100, 1e4, -1e4])
    let law = Bernoulli(logits: logits)
    let x = Tensor([0, 1, 0, 1, 1, 0, 1, 0])
    #expect(law.elementwiseLogProbability(of: x).scalars[0..<4] == [-100, -100, -1e4, -1e4])
    for value in law.elementwiseLogProbability(of: x).scalars[4...] {
      #expect(value <= 0 && value > -.leastNormalMagnitude)
    }
    expect(law.mean, shape: [8], [1, 0, 1, 0, 1, 0, 1, 0])
    for value in law.entropy.scalars { #expect(value >= 0 && value < .leastNormalMagnitude) }
    expect(
      gradient(at: logits) { Bernoulli(logits: $0).logProbability(of: x).sum() }, shape: [8],
      [-1, 1, -1, 1, 0, 0, 0, 0], tolerance: 0)
    for value in gradient(at: logits, of: { Bernoulli(logits: $0).entropy.sum() }).scalars {
      #expect(value.magnitude < .leastNormalMagnitude)
    }
    var random = Random(seed: 1)
    expect(law.sample(using: &random), shape: [8], [1, 0, 1, 0, 1, 0, 1, 0])
  }

  @Test func `samples have the law's mean and entropy within the standard error`() {
    let count = 60_000
    var random = Random(seed: 2)
    let logits: [Float] = [-3, -0.5, 1]
    let law = Bernoulli(logits: Tensor(logits).broadcast(to: [count, 3]))
    let x = law.sample(using: &random)
    #expect(x.shape == [count, 3])
    #expect((x * (1 - x)).max().scalar == 0)
    for axis in 0..<3 {
      let p = 1 / (1 + Foundation.exp(-Double(logits[axis])))
      #expect(Estimate(x.sliced(axis..<axis + 1, axis: 1).scalars).agrees(with: p))
    }
    let entropy = Estimate((-law.logProbability(of: x)).scalars)
    #expect(entropy.agrees(with: Double(law.entropy.scalars[0])))
    #expect(entropy.standardError < 0.01)
  }

  @Test func `no gradient flows through samples`() {
    let slope = gradient(at: logits) { logits in
      var random = Random(seed: 3)
      return Bernoulli(logits: logits).sample(using: &random).sum()
    }
    expect(slope, shape: [2, 3], [0, 0, 0, 0, 0, 0])
  }

  @Test func `gradients agree with differences to the second order`() {
    let x = self.x
    let logits = Tensor([[0, 1.5, -2], [2, -0.25, 0.7]])
    let functions: [(String, ([Tensor]) -> Tensor)] = [
      ("log-probability", { Bernoulli(logits: $0[0]).logProbability(of: x) }),
      ("cross-entropy of grey values", { Bernoulli(logits: $0[0]).logProbability(of: sigmoid($0[0] * 0.5 + 1)) }),
      ("entropy", { Bernoulli(logits: $0[0]).entropy }), ("mean", { Bernoulli(logits: $0[0]).mean }),
    ]
    for (name, function) in functions {
      let report = gradientCheck(of: function, at: [logits])
      #expect(report.passes, "\(name): \(report)")
    }
  }
}
