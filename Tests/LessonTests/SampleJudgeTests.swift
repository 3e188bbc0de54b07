import Foundation
import LessonKit
import Testing

@Suite("Judges of samples")
struct SampleJudgeTests {
  @Test("The mean of 1, 2 and 6 is 3, its standard error √(14/3/2) = 1.5275; one value has none")
  func estimateByHand() {
    let estimate = Estimate(Tensor([1, 2, 6]))
    #expect(estimate.mean == 3)
    #expect(abs(estimate.standardError - (14.0 / 3 / 2).squareRoot()) < 1e-6)
    #expect(Estimate(Tensor([4])).standardError == 0)
  }

  @Test("Samples count for the nearest mode: shares, good shares and spread of five points, by hand")
  func coverageByHand() {
    let modes = Tensor([[0, 0], [10, 0], [0, 10]])
    let samples = Tensor([[0, 1], [0, -1], [9, 0], [12, 0], [13, 0]])
    let coverage = ModeCoverage(of: samples, modes: modes, radius: 2)
    #expect(coverage.shares == [0.4, 0.6, 0])
    #expect(coverage.goodShares == [0.4, 0.4, 0])
    #expect(abs(coverage.goodShare - 0.8) < 1e-12)
    #expect(coverage.coveredModes(holding: 0.4) == 2 && coverage.coveredModes(holding: 0.41) == 0)
    // Deviations of y: ±1 about 0; variances over both axes 0 and 1. Of x: 9, 12, 13 about 34/3.
    #expect(abs(coverage.spreads[0] - 0.5.squareRoot()) < 1e-6)
    #expect(abs(coverage.spreads[1] - (26.0 / 9 / 2).squareRoot()) < 1e-5)
    #expect(coverage.spreads[2].isNaN)
  }

  @Test("Samples of the law itself cover its modes as its formula says")
  func coverageOfTheLaw() {
    var random = Random(seed: 1)
    let law = GridGaussians()
    let coverage = ModeCoverage(of: law.samples(20_000, using: &random), modes: law.modes, radius: 0.1)
    // Within two standard deviations: 1 − e⁻² = .8647, standard error .0024; 5 of them are a chance of 6e-7.
    #expect(abs(coverage.goodShare - (1 - exp(-2))) < 5 * 0.0024)
    #expect(coverage.coveredModes() == 25)
    // A spread of .05 with a standard error of .05/√(4·800) = .0009.
    #expect(coverage.spreads.allSatisfy { abs($0 - 0.05) < 6 * 0.0009 })
  }

  @Test("Precision and recall of points on a line, by hand")
  func precisionByHand() {
    // The first neighbours of 0, 1, 3 are at 1, 1, 2; those of 2.5, 9, 9.5 at 6.5, .5, .5.
    let data = Tensor([[0], [1], [3]])
    let samples = Tensor([[2.5], [9], [9.5]])
    let figures = PrecisionAndRecall(of: samples, against: data, neighbours: 1)
    #expect(abs(figures.precision.mean - 1.0 / 3) < 1e-6)
    #expect(figures.recall.mean == 1)
    let swapped = PrecisionAndRecall(of: data, against: samples, neighbours: 1)
    #expect(swapped.precision.mean == figures.recall.mean && swapped.recall.mean == figures.precision.mean)
  }

  @Test("A dropped mode costs recall, samples between the modes cost precision")
  func precisionAndRecallTellApart() {
    var random = Random(seed: 2)
    let law = EightGaussians()
    let data = law.samples(1000, using: &random)
    let same = PrecisionAndRecall(of: law.samples(1000, using: &random), against: data)
    #expect(same.precision.mean > 0.85 && same.recall.mean > 0.85)
    let half = law.labelledSamples(2000, using: &random)
    let kept = half.labels.scalars.indices.filter { half.labels.scalars[$0] < 4 }
    let dropped = PrecisionAndRecall(
      of: half.points.examples(at: kept), against: data)
    #expect(dropped.precision.mean > 0.85 && dropped.recall.mean < 0.6)
    let spread = PrecisionAndRecall(of: .uniform([1000, 2], in: -3..<3, using: &random), against: data)
    #expect(spread.precision.mean < 0.6 && spread.recall.mean > 0.85)
  }

  @Test("The energy distance of 0, 2 and 1: 2·1 − (0+2+2+0)/4 − 0 = 1, and every deal is counted")
  func energyByHand() {
    var random = Random(seed: 3)
    let test = TwoSampleTest(Tensor([[0], [2]]), Tensor([[1]]), deals: 3000, using: &random)
    #expect(abs(test.distance - 1) < 1e-6)
    // The lone point is 0, 1 or 2 with equal chances: distances 2·1.5 − .5 = 2.5, 1, 2.5, so that no deal has less than 1.
    #expect(test.pValue == 1)
    let far = TwoSampleTest(Tensor([[0], [1]]), Tensor([[2]]), deals: 3000, using: &random)
    // 2.5 is reached by two deals in three: standard error .0086, 5 of them are a chance of 6e-7.
    #expect(abs(far.pValue - 2.0 / 3) < 5 * 0.0086)
  }

  @Test("Under equal laws a p-value of 5 % comes 5 times in a hundred; under different laws always")
  func level() {
    var random = Random(seed: 4)
    let law = EightGaussians()
    let rejections = (0..<400).count { _ in
      let (first, second) = (law.samples(30, using: &random), law.samples(20, using: &random))
      return TwoSampleTest(first, second, deals: 99, using: &random).pValue <= 0.05
    }
    // 400 · .05 = 20 with a standard deviation of 4.4; 5 of them are a chance of 6e-7.
    #expect(rejections >= 1 && rejections <= 42)
    let moved = law.samples(300, using: &random) + Tensor([1, 0])
    #expect(TwoSampleTest(law.samples(300, using: &random), moved, using: &random).pValue == 0.001)
  }
}
