import LessonKit
import Testing

@testable import Lesson05_MomentMatching

@MainActor
@Suite("Lesson05-MomentMatching: identity")
struct MomentMatchingIdentityTests {
  @Test("The kernel of points 5 apart with σ = 5 is e^−½, also for two classes at once", .solved("MomentMatching.1"))
  func kernelByHand() {
    let kernel = gaussianKernel(Tensor([[0, 0], [3, 4]]), Tensor([[0, 0], [3, 4], [6, 8]]), bandwidth: 5)
    let expected: [Float] = [1, exp(-0.5), exp(-2), exp(-0.5), 1, exp(-0.5)]
    #expect(kernel.shape == [2, 3])
    #expect(zip(kernel.scalars, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    let classes = Tensor([0, 1, 2, 4], shape: [2, 2, 1])
    let both = gaussianKernel(classes, classes, bandwidth: 0.5).scalars
    let doubled: [Float] = [1, exp(-2), exp(-2), 1, 1, exp(-8), exp(-8), 1]
    #expect(zip(both, doubled).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("Both estimates of two and three points, by hand", .solved("MomentMatching.2"))
  func estimatesByHand() {
    let (kxx, kxy) = (Tensor([[5, 1], [1, 9]]), Tensor([[1, 2, 3], [4, 5, 9]]))
    let kyy = Tensor([[7, 1, 2], [1, 8, 3], [2, 3, 9]])
    // 1 + 2 − 2·4; and 16/4 + 36/9 − 2·4.
    #expect(abs(unbiasedMMD(kxx, kxy, kyy).scalar + 5) < 1e-6)
    #expect(abs(biasedMMD(kxx, kxy, kyy).scalar) < 1e-6)
    let two = unbiasedMMD(stack([kxx, 2 * kxx], axis: 0), stack([kxy, kxy], axis: 0), stack([kyy, kyy], axis: 0))
    #expect(zip(two.scalars, [-5, -4]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("MMD² under (1 + xy)² is 2(difference of means)² + (difference of second moments)²: it sees two moments")
  func quadraticKernel() {
    let (x, y) = (Tensor([[0], [1], [4]]), Tensor([[2], [-3]]))
    let kernels = [(x, x), (x, y), (y, y)].map { polynomialKernel($0, $1, degree: 2) }
    let (mean, square) = (5.0 / 3 + 0.5, 17.0 / 3 - 6.5)
    let found = Double(biasedMMD(kernels[0], kernels[1], kernels[2]).scalar)
    #expect(abs(found - (2 * mean * mean + square * square)) < 1e-4)
  }

  /// MMD² and the variance of the witness under p by the midpoint rule: no closed form takes part.
  private func quadrature(_ truth: GaussianTruth) -> (squared: Double, witnesses: [Double]) {
    func density(_ law: GaussianLaw, _ x: Double) -> Double {
      exp(-(x - law.mean) * (x - law.mean) / (2 * law.variance)) / (2 * Double.pi * law.variance).squareRoot()
    }
    let (count, step) = (500, 0.04)
    let x = (0..<count).map { -10 + (Double($0) + 0.5) * step }
    let difference = x.map { density(truth.p, $0) - density(truth.q, $0) }
    let width = 2 * truth.bandwidth * truth.bandwidth
    let kernel = (0..<count).map { exp(-Double($0 * $0) * step * step / width) }
    let witnesses = x.indices.map { i in
      x.indices.reduce(0.0) { $0 + kernel[Swift.abs($1 - i)] * difference[$1] } * step
    }
    return (zip(difference, witnesses).reduce(0) { $0 + $1.0 * $1.1 } * step, witnesses)
  }

  @Test("MMD² of N(0,1) and N(1,1) at σ = 1 is .17727 = 2(1 − e^−⅙)/√3, and quadrature agrees for other laws too")
  func exactByQuadrature() {
    let (standard, shifted) = (GaussianLaw(mean: 0, variance: 1), GaussianLaw(mean: 1, variance: 1))
    let issue = GaussianTruth(p: standard, q: shifted, bandwidth: 1)
    #expect(abs(issue.squaredMMD - 0.17727) < 5e-6)
    #expect(abs(issue.squaredMMD - 2 * (1 - exp(-1.0 / 6)) / 3.0.squareRoot()) < 1e-12)
    let wide = GaussianTruth(p: GaussianLaw(mean: 0.5, variance: 2), q: standard, bandwidth: 0.7)
    for truth in [issue, wide] {
      let (squared, witnesses) = quadrature(truth)
      #expect(abs(squared - truth.squaredMMD) < 1e-8)
      for index in [200, 250, 290] {
        #expect(abs(witnesses[index] - truth.witness(-10 + (Double(index) + 0.5) * 0.04)) < 1e-8)
      }
    }
    #expect(abs(GaussianTruth(p: standard, q: standard, bandwidth: 2).squaredMMD) < 1e-12)
  }

  /// All ways to choose 3 of 6 points.
  private var allDeals: Tensor {
    Tensor((0..<64).filter { $0.nonzeroBitCount == 3 }.map { code in (0..<6).map { Float(code >> $0 & 1) } })
  }

  @Test(
    "The test of all 20 deals agrees with taking the sets apart, deal by deal",
    .solved("MomentMatching.2", "MomentMatching.3"))
  func permutationByHand() {
    let points: [Float] = [0, 0.5, 2, 2.5, 3.1, 1.2]
    let kernel = Tensor(points.flatMap { x in points.map { exp(-abs(x - $0)) } }, shape: [6, 6])
    func rows(_ k: Tensor, _ indices: [Int]) -> Tensor { embedding(k, IndexTensor(indices.map { Int32($0) })) }
    func apart(_ first: [Int]) -> Float {
      let second = (0..<6).filter { !first.contains($0) }
      func part(_ a: [Int], _ b: [Int]) -> Tensor { rows(rows(kernel, a).transposed(), b).transposed() }
      return unbiasedMMD(part(first, first), part(first, second), part(second, second)).scalar
    }
    let deals = allDeals
    let dealt = (0..<20).map { row in apart((0..<6).filter { deals.scalars[row * 6 + $0] == 1 }) }
    let (test, observed) = (permutationTest(kernel, first: 3, deals: deals), apart([0, 1, 2]))
    #expect(abs(test.statistic - Double(observed)) < 1e-6)
    #expect(abs(test.pValue - Double(1 + dealt.count { $0 >= observed - 1e-5 }) / 21) < 1e-9)
    // Sets of 2 and 4 points, whose divisors differ; no deals but one.
    let unequal = permutationTest(kernel, first: 2, deals: Tensor([[0, 0, 1, 1, 0, 0]]))
    #expect(abs(unequal.statistic - Double(apart([0, 1]))) < 1e-6)
    #expect(unequal.pValue == (apart([2, 3]) >= apart([0, 1]) ? 1 : 0.5))
  }

  @Test("With 1 + xy the test is that of the difference of means", .solved("MomentMatching.3"))
  func linearKernelComparesMeans() {
    let points: [Float] = [0, 0.5, 2, 2.5, 3.2, 1.3]
    let (x, deals) = (Tensor(points, shape: [6, 1]), allDeals)
    let first = matmul(deals, x).scalars
    let gaps = first.map { abs(2 * $0 - points.reduce(0, +)) }
    let actual = abs(2 * 2.5 - points.reduce(0, +))
    let test = permutationTest(polynomialKernel(x, x, degree: 1), first: 3, deals: deals)
    #expect(abs(test.pValue - Double(1 + gaps.count { $0 >= actual - 1e-4 }) / 21) < 1e-9)
  }

  @Test("Random deals give each point to the first set equally often, n at a time")
  func deals() {
    var random = Random(seed: 1)
    let deals = randomDeals(20_000, first: 3, of: 8, using: &random)
    #expect(deals.sum(axis: 1).scalars.allSatisfy { $0 == 3 })
    // Shares of 3/8 with a standard error of .0034: 5 of them are a chance of 6e-7. So for pairs, 3/28 and .0022.
    #expect(deals.mean(axis: 0).scalars.allSatisfy { abs($0 - 0.375) < 5 * 0.0034 })
    let pairs = matmul(deals, deals, transposingFirst: true) / 20_000 * differentPairs(8)
    #expect(pairs.scalars.allSatisfy { $0 == 0 || abs($0 - 3.0 / 28) < 5 * 0.0022 })
  }

  @Test(
    "The loss is the sum over bandwidths of each class's estimate, averaged, and its gradient that of differences",
    .solved("MomentMatching.1", "MomentMatching.2", "MomentMatching.4"))
  func lossByLoops() {
    var random = Random(seed: 2)
    let (samples, images) = (Tensor.normal([2, 3, 2], using: &random), Tensor.normal([2, 4, 2], using: &random) + 0.5)
    let widths: [Float] = [0.5, 2]
    func kernel(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
      let square = Double(zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
      return widths.reduce(0) { $0 + exp(-square / (2 * Double($1 * $1))) }
    }
    func points(_ x: Tensor, _ index: Int, _ count: Int) -> [ArraySlice<Float>] {
      (0..<count).map { x.scalars[(index * count + $0) * 2..<(index * count + $0) * 2 + 2] }
    }
    var expected = 0.0
    for index in 0..<2 {
      let (x, y) = (points(samples, index, 3), points(images, index, 4))
      for i in 0..<3 { for j in 0..<3 where i != j { expected += kernel(x[i], x[j]) / 6 } }
      for i in 0..<4 { for j in 0..<4 where i != j { expected += kernel(y[i], y[j]) / 12 } }
      for i in 0..<3 { for j in 0..<4 { expected -= 2 * kernel(x[i], y[j]) / 12 } }
    }
    #expect(abs(Double(conditionalMMD(samples, images, bandwidths: widths).scalar) - expected / 2) < 1e-5)
    let report = gradientCheck(of: { conditionalMMD($0[0], images, bandwidths: widths) }, at: [samples])
    #expect(report.passes, "\(report)")
  }

  @Test("A sample is a function of its noise and its class alone, within 0…1")
  func generatorIsConditional() {
    var random = Random(seed: 3)
    let model = GMMN(noise: 4, classes: 3, hidden: [8], pixels: 5, using: &random)
    let z = Tensor.uniform([1, 4], in: -1..<1, using: &random).repeated(3, axis: 0)
    let images = model(z, IndexTensor([0, 1, 0]))
    let rows = (0..<3).map { Array(images.scalars[$0 * 5..<$0 * 5 + 5]) }
    #expect(rows[0] == rows[2] && zip(rows[0], rows[1]).allSatisfy { abs($0 - $1) > 1e-4 })
    let drawn = model.sample(IndexTensor([2, 2]), using: &random).scalars
    #expect(drawn.allSatisfy { $0 > 0 && $0 < 1 } && drawn[0] != drawn[5])
  }
}

@MainActor
@Suite("Lesson05-MomentMatching: samples and learning")
struct MomentMatchingLearningTests {
  private func kernels(_ x: Tensor, _ y: Tensor, _ bandwidth: Double) -> [Tensor] {
    [(x, x), (x, y), (y, y)].map { gaussianKernel($0, $1, bandwidth: Float(bandwidth)) }
  }

  @Test(
    "Over 8,000 pairs of sets the estimates have the exact means and the exact variance, for equal laws too",
    .solved("MomentMatching.1", "MomentMatching.2"),
    arguments: [(1.0, 1.0, 1.0), (0, 1, 1), (0.5, 4, 0.7)])
  func meansAndVariance(mean: Double, variance: Double, bandwidth: Double) {
    var random = Random(seed: 4)
    let (n, m, count) = (8, 12, 8000)
    let truth = GaussianTruth(
      p: GaussianLaw(mean: 0, variance: 1), q: GaussianLaw(mean: mean, variance: variance), bandwidth: bandwidth)
    let x = truth.p.samples([count, n, 1], using: &random)
    let k = kernels(x, truth.q.samples([count, m, 1], using: &random), bandwidth)
    // 5 standard errors each: 6e-7.
    func isNear(_ values: Tensor, _ exact: Double) -> Bool {
      let estimate = Estimate(values)
      return abs(Double(estimate.mean) - exact) < 5 * Double(estimate.standardError)
    }
    let unbiased = unbiasedMMD(k[0], k[1], k[2])
    #expect(isNear(unbiased, truth.squaredMMD))
    #expect(isNear(biasedMMD(k[0], k[1], k[2]), truth.squaredMMD + truth.bias(n, m)))
    #expect(isNear(square(unbiased - Float(truth.squaredMMD)), truth.variance(n, m)))
  }

  @Test("Under equal laws p-values are uniform on 1/100 … 1", .solved("MomentMatching.3"))
  func level() {
    var random = Random(seed: 5)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<500 {
      let both = Tensor.normal([25, 1], using: &random)
      let deals = randomDeals(99, first: 10, of: 25, using: &random)
      let p = permutationTest(exp(-square(both - both.transposed())), first: 10, deals: deals).pValue
      counts[Int((100 * p).rounded() - 1) / 10] += 1
    }
    // χ² with 9 degrees of freedom is above 46 with probability 6e-7.
    #expect(counts.reduce(0) { $0 + Double(($1 - 50) * ($1 - 50)) / 50 } < 46)
  }

  @Test(
    "The Gaussian kernel sees a shift and a spread; 1 + xy sees the shift alone",
    .solved("MomentMatching.1", "MomentMatching.3"))
  func power() {
    var random = Random(seed: 6)
    func rejections(_ change: (Tensor) -> Tensor) -> (gaussian: Int, linear: Int) {
      let values = (0..<50).map { _ -> (Double, Double) in
        let x = Tensor.normal([50, 1], using: &random)
        let both = concatenate([x, change(.normal([50, 1], using: &random))], axis: 0)
        let deals = randomDeals(99, first: 50, of: 100, using: &random)
        let test = { (kernel: Tensor) in permutationTest(kernel, first: 50, deals: deals).pValue }
        return (test(gaussianKernel(both, both, bandwidth: 1)), test(polynomialKernel(both, both, degree: 1)))
      }
      return (values.count { $0.0 <= 0.05 }, values.count { $0.1 <= 0.05 })
    }
    // Power above .97: fewer than 40 of 50 has a probability below 1e-6; so has more than 14 of 50 at level .05.
    let (shift, spread) = (rejections { $0 + 1 }, rejections { $0 * 2.5 })
    #expect(shift.gaussian >= 40 && shift.linear >= 40)
    #expect(spread.gaussian >= 40 && spread.linear <= 14)
  }

  @Test(
    "Digits: below independent pixels of each class, never below 0, and read as the class asked for",
    .solved("MomentMatching.1", "MomentMatching.2", "MomentMatching.4"))
  func digits() throws {
    let train = try Digits().train
    let byClass = (0..<10).map { label in
      let own = train.indices.filter { train.labels.scalars[$0] == label }
      return train.images(at: own.prefix(140)).reshaped(to: [140, 64])
    }
    let images = stack(byClass.map { $0.sliced(0..<90, axis: 0) }, axis: 0)  // [10, 90, 64]
    var random = Random(seed: 7)
    let model = GMMN(noise: 16, classes: 10, hidden: [128, 128], pixels: 64, using: &random)
    let labels = IndexTensor((0..<500).map { Int32($0 / 50) })
    var optimizer = Adam(model.parameters)
    let widths: [Float] = [0.6, 1.2, 2.4]
    for step in 0..<300 {
      optimizer.learningRate = 5e-3 * (1 - Float(step) / 300)
      let samples = model.sample(labels, using: &random).reshaped(to: [10, 50, 64])
      optimizer.minimize(conditionalMMD(samples, images, bandwidths: widths))
    }
    let samples = withoutGradients { model.sample(labels, using: &random) }
    let judged = try ImageClassifier.digits().agreement(samples.reshaped(to: [500, 8, 8, 1]), labels)
    #expect(judged.mean > 0.7)

    // Against images that training did not see; MMD² is 0 for equal laws, and its estimate scatters by batch.
    let others = stack(byClass.map { $0.sliced(90..<140, axis: 0) }, axis: 0)
    let estimates = Tensor(
      (0..<10).map { _ -> Float in
        let drawn = withoutGradients { model.sample(labels, using: &random).reshaped(to: [10, 50, 64]) }
        return conditionalMMD(drawn, others, bandwidths: widths).scalar
      })
    let pixels = IndexTensor(floor(Tensor.uniform([50, 64], using: &random) * 90))
    let mixed = stack(byClass.map { $0.gathered(at: pixels, axis: 0) }, axis: 0)  // each pixel from another image
    let loss = Estimate(estimates)
    #expect(loss.mean < conditionalMMD(mixed, others, bandwidths: widths).scalar)
    #expect(loss.mean > -3 * loss.standardError)
  }
}

@Suite("Lesson05-MomentMatching: the command")
struct MomentMatchingCommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others",
    .solved("MomentMatching.1", "MomentMatching.2", "MomentMatching.3", "MomentMatching.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson05-MomentMatching")
    defer { runner.remove() }
    #expect(try runner.run(["--out", "whole", "--quick"]).status == 0)
    #expect(try runner.run(["--out", "other", "--quick", "--seed", "2"]).status == 0)
    // Killed as soon as a first checkpoint is there.
    let process = try runner.start(["--out", "parts", "--quick"])
    let checkpoint = runner.folder.appending(path: "parts/gmmn.safetensors").path
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(FileManager.default.fileExists(atPath: checkpoint))
    #expect(try runner.run(["--out", "parts", "--quick", "--resume"]).status == 0)
    let whole = try runner.measurements(in: "whole")
    #expect(whole.count >= 9)
    #expect(try runner.measurements(in: "parts") == whole)
    #expect(try runner.measurements(in: "other") != whole)
  }

  @Test(
    "A folder that does not exist is refused in one clear line",
    .solved("MomentMatching.1", "MomentMatching.2", "MomentMatching.3", "MomentMatching.4"))
  func badInput() throws {
    let runner = try LessonRunner("Lesson05-MomentMatching")
    defer { runner.remove() }
    let outcome = try runner.run(["--quick", "--data", "/nowhere"])
    #expect(outcome.status != 0 && outcome.errors.contains("/nowhere"))
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1)
  }
}
