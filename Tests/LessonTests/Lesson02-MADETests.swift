import LessonKit
import Testing

@testable import Lesson02_MADE

/// A network whose weights matter, all of them drawn from `range`.
@MainActor
private func network(
  _ inputs: Int, _ hidden: [Int], direct: Bool = true, in range: Range<Float> = -1..<1, using random: inout Random
) -> MADE {
  let model = MADE(inputs: inputs, hidden: hidden, direct: direct, manyMasks: true, using: &random)
  for named in model.parameters {
    named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: range, using: &random)
  }
  return model
}

@MainActor
extension MADE {
  fileprivate func degrees(shuffled: Bool, using random: inout Random) -> Degrees {
    Degrees(inputs: inputs, hidden: layers.dropLast().map(\.bias.count), shuffled: shuffled, using: &random)
  }
}

/// All binary rows of `count` values, `[2^count, count]`; row i has the bits of i.
private func allStates(_ count: Int) -> Tensor {
  allBinaryImages(height: 1, width: count).reshaped(to: [1 << count, count])
}

@MainActor
@Suite("Lesson02-MADE: identity")
struct MADEIdentityTests {
  @Test("The masks of a small network are those worked out by hand", .solved("MADE.1"))
  func masksByHand() {
    // Input 1 comes first, then 0, then 2; two hidden layers.
    let masks = masks(of: Degrees(inputs: Tensor([2, 1, 3]), hidden: [Tensor([1, 2]), Tensor([2, 1, 2])]))
    #expect(masks.hidden.map(\.scalars) == [[0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 1]])
    #expect(masks.hidden.map(\.shape) == [[3, 2], [2, 3]])
    #expect(masks.output.scalars == [0, 0, 1, 1, 0, 1, 0, 0, 1])
    #expect(masks.direct.scalars == [0, 0, 1, 1, 0, 1, 0, 0, 0])
  }

  @Test(
    "In every ordering the product of the masks joins output d with the inputs before d, and with no other",
    .solved("MADE.1"), arguments: [[], [8], [20], [9, 15], [8, 30, 11]])
  func productOfMasks(hidden: [Int]) {
    var random = Random(seed: 1)
    for trial in 0..<20 {
      let degrees = Degrees(inputs: 9, hidden: hidden, shuffled: trial > 0, using: &random)
      let masks = masks(of: degrees)
      let paths = masks.hidden.dropFirst().reduce(masks.hidden.first) { product, mask in
        product.map { matmul($0, mask) }
      }
      let product = paths.map { matmul($0, masks.output) } ?? masks.output
      let place = degrees.inputs.scalars
      #expect(place.sorted() == (1...9).map(Float.init))
      let allowed = place.flatMap { from in place.map { to in from < to } }
      #expect(product.scalars.map { $0 > 0 } == allowed)
      #expect(masks.direct.scalars.map { $0 == 1 } == allowed)
    }
  }

  @Test(
    "By gradient too: what is forbidden is zero and what is allowed is not, with direct connections and without",
    .solved("MADE.1"), arguments: [[10], [8, 12]], [true, false])
  func gradients(hidden: [Int], direct: Bool) {
    var random = Random(seed: 2)
    // Positive weights and inputs: no rectifier is off and no two paths cancel.
    let model = network(6, hidden, direct: direct, in: 0.5..<1, using: &random)
    for trial in 0..<6 {
      let degrees = model.degrees(shuffled: trial > 0, using: &random)
      let (masks, place) = (masks(of: degrees), degrees.inputs.scalars)
      for output in 0..<6 {
        let slope = gradient(at: Tensor.uniform([1, 6], in: 0.5..<1, using: &random)) {
          model.logits($0, masks).sliced(output..<output + 1, axis: 1).sum()
        }
        #expect(slope.scalars.map { $0 != 0 } == place.map { $0 < place[output] })
      }
    }
  }

  @Test(
    "Σp = 1 over all 4,096 states in every ordering, and for their average",
    .solved("MADE.1", "MADE.2", "MADE.4"), arguments: [[24], [16, 20]])
  func probabilitiesSumToOne(hidden: [Int]) {
    var random = Random(seed: 3)
    let model = network(12, hidden, using: &random)
    let orderings = (0..<6).map { model.degrees(shuffled: $0 > 0, using: &random) }
    let logs = model.logProbabilities(of: allStates(12), in: orderings)  // [6, 4096]
    for sum in exp(logs).sum(axis: 1).scalars { #expect(abs(sum - 1) < 2e-5) }
    #expect(abs(exp(averaged(logs)).sum().scalar - 1) < 2e-5)
    // The orderings give different laws, or the average would be no average.
    #expect(abs(logs.sliced(0..<1, axis: 0) - logs.sliced(1..<2, axis: 0)).max().scalar > 0.5)
  }

  @Test(
    "Each output is the exact conditional of the joint law, whose marginals are sums over all states",
    .solved("MADE.1", "MADE.2"))
  func outputsAreConditionals() {
    var random = Random(seed: 4)
    let model = network(7, [18], using: &random)
    let degrees = model.degrees(shuffled: true, using: &random)
    let states = allStates(7)
    let joint = model.logProbabilities(of: states, in: [degrees]).scalars.map { exp(Double($0)) }
    let logits = withoutGradients { model.logits(states, masks(of: degrees)) }.scalars
    for (step, input) in degrees.order.enumerated() {
      let before = degrees.order.prefix(step).reduce(0) { $0 | 1 << $1 }
      for state in [0, 37, 85, 127] {
        let same = (0..<128).filter { $0 & before == state & before }
        let ones = same.filter { $0 >> input & 1 == 1 }.reduce(0) { $0 + joint[$1] }
        let conditional = ones / same.reduce(0) { $0 + joint[$1] }
        #expect(abs(conditional - 1 / (1 + exp(-Double(logits[7 * state + input])))) < 1e-5)
      }
    }
  }

  @Test("log p(x) is the sum over inputs in double precision, also where the network is very sure", .solved("MADE.2"))
  func logProbabilityByHand() {
    var random = Random(seed: 5)
    let model = MADE(inputs: 4, hidden: [5], direct: false, manyMasks: false, using: &random)
    let logits: [Float] = [0.5, -300, 2, 90]
    model.layers[1].weight = .zeros([5, 4])
    model.layers[1].bias = Tensor(logits)
    let masks = masks(of: model.degrees(shuffled: false, using: &random))
    let x: [[Float]] = [[1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 1]]
    for (row, value) in zip(x, model.logProbability(of: Tensor(x), masks).scalars) {
      let exact = zip(row, logits).reduce(0.0) { sum, pair in
        let logit = Double(pair.0 == 1 ? pair.1 : -pair.1)
        return sum + min(logit, 0) - log1p(exp(-abs(logit)))
      }
      #expect(abs(Double(value) - exact) < 1e-6 * (1 + abs(exact)))
    }
  }

  @Test(
    "The average is of probabilities: ln ½(0.2 + 0.4), also where they are far below what Float32 holds",
    .solved("MADE.4"))
  func averageByHand() {
    let logs = Tensor([[log(0.2), log(0.2) - 900], [log(0.4), log(0.4) - 900]])
    let average = averaged(logs).scalars
    #expect(abs(average[0] - log(0.3)) < 1e-6 && abs(average[1] - (log(0.3) - 900)) < 1e-4)
  }

  @Test("An ordering that begins with what is known keeps all else in order")
  func beginningWithKnown() {
    let degrees = Degrees(inputs: Tensor([3, 1, 5, 2, 4]), hidden: [])
    #expect(degrees.order == [1, 3, 0, 4, 2])
    let begun = degrees.beginning(with: [2, 0])
    #expect(begun.order == [0, 2, 1, 3, 4] && begun.inputs.scalars == [1, 3, 2, 4, 5])
  }
}

@MainActor
@Suite("Lesson02-MADE: samples")
struct MADESampleTests {
  /// Pearson's χ² over outcomes, those expected fewer than 8 times put together; degrees of freedom too.
  private func chiSquare(_ x: Tensor, _ expected: [Double]) -> (value: Double, freedom: Int) {
    var counts = [Double](repeating: 0, count: expected.count)
    let (values, width) = (x.scalars, x.shape[1])
    for row in 0..<x.shape[0] {
      counts[(0..<width).reduce(0) { $0 | Int(values[row * width + $1]) << $1 }] += 1
    }
    let total = Double(x.shape[0])
    var (value, freedom, rare) = (0.0, -1, (count: 0.0, expected: 0.0))
    for (count, probability) in zip(counts, expected) {
      if probability * total < 8 {
        rare = (rare.count + count, rare.expected + probability * total)
      } else {
        value += (count - probability * total) * (count - probability * total) / (probability * total)
        freedom += 1
      }
    }
    if rare.expected > 0 {
      value += (rare.count - rare.expected) * (rare.count - rare.expected) / rare.expected
      freedom += 1
    }
    return (value, freedom)
  }

  /// What χ² exceeds with a probability of 1e-6 (Wilson & Hilferty, 1931).
  private func limit(_ freedom: Int) -> Double {
    let ninth = 2 / (9 * Double(freedom))
    return Double(freedom) * pow(1 - ninth + 4.753 * ninth.squareRoot(), 3)
  }

  @Test(
    "Samples in any ordering have the exact probabilities of all 64 states (χ² at 1e-6)",
    .solved("MADE.1", "MADE.2", "MADE.3"), arguments: [1, 2, 3])
  func ancestralSamples(seed: UInt64) {
    var random = Random(seed: seed)
    let model = network(6, [14], using: &random)
    let degrees = model.degrees(shuffled: true, using: &random)
    let exact = exp(model.logProbabilities(of: allStates(6), in: [degrees])).scalars.map(Double.init)
    let (value, freedom) = chiSquare(model.samples(20_000, degrees, using: &random), exact)
    #expect(freedom > 5 && value < limit(freedom))
  }

  @Test(
    "Completions keep what is known and have the exact conditional law of the rest (χ² at 1e-6)",
    .solved("MADE.1", "MADE.2", "MADE.3"))
  func completions() {
    var random = Random(seed: 4)
    let model = network(7, [16], using: &random)
    let degrees = model.degrees(shuffled: true, using: &random).beginning(with: [2, 5, 6])
    let start = Tensor([[0, 0, 1, 0, 0, 0, 1]]).broadcast(to: [20_000, 7])
    let drawn = withoutGradients { model.completed(start, keeping: 3, degrees, using: &random) }
    let states = allStates(7)
    let agrees = (0..<128).map { $0 >> 2 & 1 == 1 && $0 >> 5 & 1 == 0 && $0 >> 6 & 1 == 1 }
    let joint = exp(model.logProbabilities(of: states, in: [degrees])).scalars
    let total = zip(joint, agrees).reduce(0.0) { $0 + ($1.1 ? Double($1.0) : 0) }
    let (value, freedom) = chiSquare(drawn, zip(joint, agrees).map { $1 ? Double($0) / total : 0 })
    #expect(freedom > 8 && value < limit(freedom))
    #expect(drawn.mean(axis: 0).scalars[2] == 1 && drawn.mean(axis: 0).scalars[5] == 0)
  }
}

@MainActor
@Suite("Lesson02-MADE: learning")
struct MADELearningTests {
  private func fit(_ law: any Law<Tensor>, orderings count: Int, steps: Int, seed: UInt64) -> (MADE, [Degrees]) {
    var random = Random(seed: seed)
    let model = MADE(inputs: 16, hidden: [150], manyMasks: count > 1, using: &random)
    let orderings = (0..<count).map { _ in model.degrees(shuffled: count > 1, using: &random) }
    let listed = orderings.map { masks(of: $0) }
    var optimizer = Adam(model.parameters)
    for step in 0..<steps {
      optimizer.learningRate = 0.005 * (1 - Float(step) / Float(steps))
      let x = law.samples(128, using: &random).reshaped(to: [128, 16])
      optimizer.minimize(-model.logProbability(of: x, listed[step % count]).mean())
    }
    return (model, orderings)
  }

  @Test(
    "BarsAndStripes(4): within 0.1 nats of ln 30, never below it, and samples are its patterns",
    .solved("MADE.1", "MADE.2", "MADE.3"))
  func barsAndStripes() {
    let law = BarsAndStripes(4)
    let (model, orderings) = fit(law, orderings: 1, steps: 1500, seed: 1)
    let patterns = model.logProbabilities(of: law.allImages.reshaped(to: [30, 16]), in: orderings)
    let loss = -patterns.mean().scalar
    #expect(loss < 3.4012 + 0.1)
    // Exact, so there is no standard error: by Gibbs' inequality never below ln 30.
    #expect(loss > 3.4012 - 1e-4)
    #expect(abs(exp(model.logProbabilities(of: allStates(16), in: orderings)).sum().scalar - 1) < 1e-3)
    // 2,000 samples, 9 in 10 of which are patterns: the chance of fewer than 80 in 100 is below 1e-6.
    var random = Random(seed: 2)
    let drawn = law.logProbability(of: model.samples(2000, orderings[0], using: &random))
    #expect((drawn .> -.infinity).mean().scalar > 0.8)
  }

  @Test(
    "Ising(4, 0.4): exact KL at most 0.04, and averaging eight orderings is far below the best of them",
    .solved("MADE.1", "MADE.2", "MADE.4"))
  func ising() {
    let law = Ising(4, beta: 0.4)
    func divergence(_ logs: Tensor) -> Tensor {
      (exp(law.logProbabilities) * (law.logProbabilities - logs)).sum(axis: -1)
    }
    let (model, orderings) = fit(law, orderings: 1, steps: 1500, seed: 3)
    let single = divergence(model.logProbabilities(of: allStates(16), in: orderings)).scalars[0]
    #expect(single < 0.04 && single > 0)
    let (other, eight) = fit(law, orderings: 8, steps: 1500, seed: 4)
    let logs = other.logProbabilities(of: allStates(16), in: eight)
    let (each, average) = (divergence(logs), divergence(averaged(logs)).scalar)
    #expect(average > 0 && average < 0.7 * each.min().scalar)
    #expect(each.max().scalar < 16 * log(2) - Float(law.entropy))
  }

  @Test(
    "Binary digits: an average of 8 orderings is at least 0.3 nats below the best, and far below independent pixels",
    .solved("MADE.1", "MADE.2", "MADE.4"))
  func digits() throws {
    let data = try Digits()
    func binarised(_ set: LabelledImages) -> Tensor { set.images(at: set.indices).reshaped(to: [-1, 64]) .>= 0.5 }
    let (train, test) = (binarised(data.train), binarised(data.test))
    var random = Random(seed: 5)
    let model = MADE(inputs: 64, hidden: [200], manyMasks: true, using: &random)
    let orderings = (0..<8).map { _ in model.degrees(shuffled: true, using: &random) }
    let listed = orderings.map { masks(of: $0) }
    var optimizer = Adam(model.parameters)
    for epoch in 0..<100 {
      optimizer.learningRate = 0.01 * (1 - Float(epoch) / 100)
      for x in train.batches(ofSize: 50, shuffledUsing: &random) {
        optimizer.minimize(-model.logProbability(of: x, listed[optimizer.step % 8]).mean())
      }
    }
    let logs = model.logProbabilities(of: test, in: orderings)
    let (best, average) = (-logs.mean(axis: 1).max().scalar, -averaged(logs).mean().scalar)
    #expect(average < best - 0.3, "average \(average), best \(best)")
    #expect(average < 24.98 - 5)
  }

  @Test("The same seed gives the same numbers, another seed others", .solved("MADE.1", "MADE.2"))
  func reproducible() {
    func values(_ seed: UInt64) -> [Float] {
      let (model, orderings) = fit(BarsAndStripes(4), orderings: 2, steps: 40, seed: seed)
      return model.logProbabilities(of: BarsAndStripes(4).allImages.reshaped(to: [30, 16]), in: orderings).scalars
    }
    #expect(values(1) == values(1))
    #expect(values(1) != values(2))
  }
}
