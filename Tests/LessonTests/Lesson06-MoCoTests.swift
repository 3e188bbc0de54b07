import LessonKit
import Testing

@testable import Lesson06_MoCo

/// A model of 8×8 images with keys of `dimension` numbers.
@MainActor
private func model(
  queue: Int, dimension: Int = 8, channels: Int = 4, momentum: Float = 0.9, temperature: Float = 0.2,
  using random: inout Random
) -> MoCo {
  MoCo(
    { Encoder(side: 8, channels: channels, dimension: dimension, head: .mlp, using: &$0) }, dimension: dimension,
    queue: queue, momentum: momentum, temperature: temperature, using: &random)
}

@MainActor
private func values(_ encoder: Encoder) -> [[Float]] { encoder.parameters.map { $0.parameter.wrappedValue.scalars } }

@MainActor
@Suite("Lesson06-MoCo: identity")
struct MoCoIdentityTests {
  @Test("Loss and gradient for two dimensions, by hand", .solved("MoCo.3"))
  func lossByHand() {
    // Scores 1, 0 and −1 at τ = ½: logits 2, 0, −2, and −log p = ln(1 + e⁻² + e⁻⁴).
    let (q, k, queue) = (Tensor([[1, 0]]), Tensor([[1, 0]]), Tensor([[0, 1], [-1, 0]]))
    let logits = contrastiveLogits(q, k, queue: queue, temperature: 0.5)
    #expect(logits.shape == [1, 3])
    #expect(logits.scalars == [2, 0, -2])
    #expect(abs(infoNCE(logits).scalars[0] - 0.142_931_6) < 1e-6)
    // (Σ pᵢ kᵢ − k₊) / τ with p = .8668133, .1173104, .0158763.
    let slope = gradient(at: q) { infoNCE(contrastiveLogits($0, k, queue: queue, temperature: 0.5)).sum() }
    #expect(zip(slope.scalars, [-0.298_126, 0.234_621]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(
    "Queue, momentum encoder and loss are those of a naive list, bit for bit or within rounding, over 40 steps",
    .solved("MoCo.1", "MoCo.2", "MoCo.3", "MoCo.4"))
  func naiveList() {
    var random = Random(seed: 1)
    let moco = model(queue: 21, using: &random)  // no multiple of the batch, so that the ring wraps within a batch
    var optimizer = SGD(moco.query.parameters, learningRate: 0.05)
    #expect(values(moco.key) == values(moco.query))
    var list = (0..<21).map { moco.queue.scalars[$0 * 8..<$0 * 8 + 8].map { $0 } }  // oldest first
    for _ in 0..<40 {
      let (first, second) = (
        Tensor.uniform([4, 8, 8, 1], using: &random), Tensor.uniform([4, 8, 8, 1], using: &random)
      )
      let (q, k, before) = (rows(moco.query, first), rows(moco.key, second), values(moco.key))
      let losses = (0..<4).map { row in
        let positive = dot(q[row], k[row]) / 0.2
        let all = [positive] + list.map { dot(q[row], $0) / 0.2 }
        return log(all.reduce(0) { $0 + exp($1) }) - positive
      }
      let loss = moco.step(first, second, &optimizer)
      #expect(abs(Double(loss.scalar) - losses.reduce(0, +) / 4) < 1e-4)
      list = Array(list.dropFirst(4)) + k
      #expect(moco.oldestFirst.scalars == list.flatMap { $0 })
      let pairs = zip(zip(before.joined(), values(moco.query).joined()), values(moco.key).joined())
      #expect(pairs.allSatisfy { abs(0.9 * $0.0 + 0.1 * $0.1 - $1) < 1e-6 })
    }
  }

  private func rows(_ encoder: Encoder, _ x: Tensor) -> [[Float]] {
    let z = withoutGradients { encoder(x) }.scalars
    return (0..<x.shape[0]).map { Array(z[$0 * 8..<$0 * 8 + 8]) }
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }

  @Test("Keys and features: keys have length 1, and no gradient of a step reaches the key encoder", .solved("MoCo.3"))
  func unitKeys() {
    var random = Random(seed: 2)
    let moco = model(queue: 6, using: &random)
    let x = Tensor.uniform([5, 8, 8, 1], using: &random)
    #expect(square(moco.query(x)).sum(axis: 1).scalars.allSatisfy { abs($0 - 1) < 1e-5 })
    #expect(moco.query.features(x).shape == [5, 16])
    let loss = infoNCE(contrastiveLogits(moco.query(x), moco.key(x), queue: moco.queue, temperature: 0.2)).mean()
    let slopes = gradients(
      of: loss + moco.key(x).sum() * 0, withRespectTo: moco.key.parameters.map { $0.parameter.wrappedValue })
    #expect(slopes.allSatisfy { $0.scalars.allSatisfy { $0 == 0 } })
  }

  @Test("SimCLR's loss is the sum over all other views, written out")
  func batchContrastByHand() {
    var random = Random(seed: 3)
    let (first, second) = (normalized(.normal([3, 4], using: &random)), normalized(.normal([3, 4], using: &random)))
    let z = concatenate([first, second], axis: 0).scalars.map(Double.init)
    func score(_ i: Int, _ j: Int) -> Double { (0..<4).reduce(0) { $0 + z[i * 4 + $1] * z[j * 4 + $1] } / 0.5 }
    let losses = (0..<6).map { i in
      log((0..<6).filter { $0 != i }.reduce(0) { $0 + exp(score(i, $1)) }) - score(i, (i + 3) % 6)
    }
    let loss = batchContrast(first, second, temperature: 0.5).scalar
    #expect(abs(Double(loss) - losses.reduce(0, +) / 6) < 1e-5)
  }

  @Test("The dot product of both halves is ln p(y|x)/p(y) of correlated Gaussians")
  func exactCritic() {
    var random = Random(seed: 4)
    let law = CorrelatedGaussians(correlation: 0.7, dimension: 3)
    let pairs = law.samples(50, using: &random)
    let x = pairs.sliced(0..<1, axis: 1).reshaped(to: [50, 3])
    let y = pairs.sliced(1..<2, axis: 1).reshaped(to: [50, 3])
    let independent = (-(square(x) + square(y)).sum(axis: 1) * 0.5) - 3 * log(2 * Float.pi)
    let exact = law.logProbability(of: pairs) - independent
    let dots = (law.queries(x) * law.keys(y)).sum(axis: 1)
    #expect(zip(dots.scalars, exact.scalars).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test(
    "ln(1 + K) − L stays below ln(1 + K) and below the information, which it reaches when the queue is long",
    .solved("MoCo.3"))
  func informationBound() {
    var random = Random(seed: 5)
    let law = CorrelatedGaussians(correlation: 0.8, dimension: 4)  // 2.0433 nats
    func estimate(_ length: Int, flipping sign: Float = 1) -> Estimate {
      let (x, y) = law.pairs(4000, using: &random)
      let queue = law.keys(law.pairs(length, using: &random).second)
      let loss = infoNCE(contrastiveLogits(law.queries(x) * sign, law.keys(y), queue: queue, temperature: 1))
      #expect(loss.scalars.allSatisfy { $0 >= 0 })
      return log(1 + Double(length)) + Estimate(-loss)
    }
    let (short, long) = (estimate(3), estimate(4000))
    // ln 4 = 1.386. The queue is shared by the queries: for a queue of 4000 its own noise is below .03.
    #expect(short.mean < log(4) && short.mean > 0.8)
    #expect(abs(Double(long.mean) - law.mutualInformation) < 5 * Double(long.standardError) + 0.05)
    #expect(estimate(100, flipping: -1).mean < 0)
  }
}

@MainActor
@Suite("Lesson06-MoCo: learning and samples")
struct MoCoLearningTests {
  @Test(
    "Six epochs of digits: far better than no knowledge, never below 0, features beat those that were never trained",
    .solved("MoCo.1", "MoCo.2", "MoCo.3", "MoCo.4"))
  func learns() throws {
    let digits = try Digits()
    var random = Random(seed: 6)
    let moco = model(queue: 128, dimension: 32, channels: 32, momentum: 0.95, using: &random)
    let start = moco.query.features
    let test = digits.test.images(at: digits.test.indices)
    let chosen = digits.train.indices(perClass: 10, using: &random)
    func accuracy(_ features: (Tensor) -> Tensor) -> Float {
      let (seen, unseen) = withoutGradients { (features(digits.train.images(at: chosen)), features(test)) }
      return LinearProbe(seen, digits.train.labels(at: chosen), steps: 200).accuracy(unseen, digits.test.labels).mean
    }
    let untrained = accuracy(start)
    let views = Recipe.v2.augmentations(flipping: false)
    var optimizer = Adam(moco.query.parameters)
    let rates = Schedule.constant(1.5e-3).warmedUp(steps: 100)
    var last: [Float] = []
    for _ in 0..<6 {
      last = digits.train.batches(ofSize: 32, droppingLast: true, shuffledUsing: &random).map { batch in
        let x = digits.train.images(at: batch)
        optimizer.learningRate = rates(optimizer.step)
        return moco.step(
          x.augmented(by: views, using: &random), x.augmented(by: views, using: &random), &optimizer
        ).scalar
      }
    }
    let loss = last.reduce(0, +) / Float(last.count)
    // ln 129 = 4.86 where nothing is known; keys that were all alike would give that.
    #expect(loss < 4 && loss > 0)
    let trained = accuracy(moco.query.features)
    #expect(trained > untrained + 0.02, "\(untrained), then \(trained) at a loss of \(loss)")
  }

  @Test("Views differ from each other and stay within 0…1, and blur in v2 takes contrast from a chequerboard")
  func views() {
    var random = Random(seed: 7)
    let board = Tensor((0..<64).map { Float(($0 / 8 + $0 % 8) % 2) }, shape: [1, 8, 8, 1]).repeated(400, axis: 0)
    let contrasts = [Recipe(), .v2].map { recipe in
      let seen = board.augmented(by: recipe.augmentations(flipping: false), using: &random)
      #expect(seen.scalars.allSatisfy { $0 >= 0 && $0 <= 1 })
      #expect(seen.sliced(0..<1, axis: 0).scalars != seen.sliced(1..<2, axis: 0).scalars)
      return seen.variance(axes: [1, 2, 3]).mean().scalar
    }
    #expect(contrasts[1] < 0.9 * contrasts[0])
  }

  @Test("The learning rate falls to a tenth at 60 % and a hundredth at 80 %, or along half a cosine")
  func schedules() {
    let steps = Recipe().learningRates(from: 1, steps: 100)
    #expect([0, 59, 60, 79, 80, 99].map { steps($0) } == [1, 1, 0.1, 0.1, 0.01, 0.01])
    let cosine = Recipe.v2.learningRates(from: 1, steps: 100)
    #expect([0, 25, 50, 75].map { cosine($0) }.elementsEqual([1, 0.853_553, 0.5, 0.146_447]) { abs($0 - $1) < 1e-5 })
  }
}

@Suite("Lesson06-MoCo: the command")
struct MoCoCommandTests {
  @Test(
    "The same seed gives the same numbers, also when resumed; the first version's options give others",
    .solved("MoCo.1", "MoCo.2", "MoCo.3", "MoCo.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson06-MoCo")
    defer { runner.remove() }
    #expect(try runner.run(["--quick", "--out", "first"]).status == 0)
    let first = try runner.measurements(in: "first")
    #expect(first.count >= 3)
    #expect(try runner.run(["--quick", "--out", "first", "--resume"]).status == 0)
    #expect(try runner.measurements(in: "first") == first)
    let older = ["--head", "linear", "--augmentation", "v1", "--schedule", "steps"]
    #expect(try runner.run(["--quick", "--out", "second"] + older).status == 0)
    #expect(try runner.measurements(in: "second") != first)
  }

  @Test(
    "A choice or folder that does not exist is refused in one clear line",
    .solved("MoCo.1", "MoCo.2", "MoCo.3", "MoCo.4"),
    arguments: [("--head=three", "three"), ("--schedule=never", "never"), ("--data=/no", "/no")])
  func badInput(argument: String, named: String) throws {
    let runner = try LessonRunner("Lesson06-MoCo")
    defer { runner.remove() }
    let outcome = try runner.run(["--quick", argument])
    #expect(outcome.status != 0)
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1)
    #expect(outcome.errors.contains(named))
  }
}
