import LessonKit
import Testing

@testable import Lesson04_VQVAE

@MainActor
@Suite("Lesson04-VQVAE: identity")
struct VQVAEIdentityTests {
  private func close(_ a: Tensor, _ b: Tensor, _ tolerance: Float = 1e-5) -> Bool {
    a.shape == b.shape && zip(a.scalars, b.scalars).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  @Test("The nearest code is the one that brute force finds, vector by vector", .solved("VQVAE.1"))
  func nearestIsBruteForce() {
    var random = Random(seed: 1)
    for (count, codes, width) in [(1, 1, 1), (50, 3, 2), (500, 64, 16)] {
      let e = Tensor.normal([codes, width], using: &random) * 2 + 1
      let z = Tensor.normal([count, width], using: &random) + 1
      let (vectors, table) = (z.scalars.map(Double.init), e.scalars.map(Double.init))
      for (row, chosen) in nearestCodes(to: z, among: e).scalars.enumerated() {
        let distances = (0..<codes).map { code in
          (0..<width).reduce(0) {
            let difference = vectors[row * width + $1] - table[code * width + $1]
            return $0 + difference * difference
          }
        }
        // Within Float32 the product may prefer a code that is as near as the nearest but for rounding.
        #expect(distances[Int(chosen)] <= distances.min()! + 1e-4)
      }
    }
  }

  @Test(
    "The decoder reads the code, and its gradient arrives at z unchanged and at the code not at all", .solved("VQVAE.2")
  )
  func straightThrough() {
    var random = Random(seed: 2)
    let model = makeModel(using: &random)
    let z = Tensor.normal([3, 4, 2], using: &random)
    let e = Tensor.normal([3, 4, 2], using: &random)
    let target = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [3, 6]), using: &random)
    func task(_ x: Tensor) -> Tensor { Bernoulli(logits: model.decoder(x)).logProbability(of: target).sum() }
    #expect(close(quantized(z, to: e, beta: 1).straightThrough, e))
    let atCode = gradient(at: e) { task($0) }
    #expect(atCode.scalars.contains { abs($0) > 0.01 })
    #expect(close(gradient(at: z) { task(quantized($0, to: e, beta: 1).straightThrough) }, atCode))
    #expect(gradient(at: e) { task(quantized(z, to: $0, beta: 1).straightThrough) }.scalars.allSatisfy { $0 == 0 })
  }

  // import torch
  // z = torch.tensor([[[1., -2.], [0.5, 3.]]], requires_grad=True)
  // e = torch.tensor([[[0., 1.], [2.5, 3.5]]], requires_grad=True)
  // loss = ((z.detach() - e)**2).sum((1, 2)) + 0.25 * ((z - e.detach())**2).sum((1, 2))
  // loss.sum().backward(); print(loss, z.grad, e.grad)
  @Test("The two terms of the loss: PyTorch's value, and each moves its own side", .solved("VQVAE.2"))
  func lossGradients() {
    let (z, e) = (Tensor([1, -2, 0.5, 3], shape: [1, 2, 2]), Tensor([0, 1, 2.5, 3.5], shape: [1, 2, 2]))
    #expect(quantized(z, to: e, beta: 0.25).loss.scalars == [17.8125])
    #expect(gradient(at: z) { quantized($0, to: e, beta: 0.25).loss.sum() }.scalars == [0.5, -1.5, -1, -0.25])
    #expect(gradient(at: e) { quantized(z, to: $0, beta: 0.25).loss.sum() }.scalars == [-2, 6, 4, 1])
  }

  @Test(
    "The whole loss moves the encoder by the decoder's gradient at the code, and moves codes by the codebook term alone",
    .solved("VQVAE.1", "VQVAE.2"))
  func wholeGradient() {
    var random = Random(seed: 3)
    let model = makeModel(using: &random)
    let x = Tensor.bernoulli(Tensor(repeating: 0.5, shape: [5, 6]), using: &random)
    let codebook = model.codebook as! TrainedCodebook
    let e = embedding(codebook.codes, model.codes(of: x)).detached()  // [5, 4, 2]
    let z = model.encoder(x).detached()
    let upstream =
      gradient(at: e) { -Bernoulli(logits: model.decoder($0)).logProbability(of: x).sum() }
      + (z - e) * (2 * model.beta)
    let weight = model.encoder.parameters[0].parameter.wrappedValue
    let expected = gradients(of: (model.encoder(x) * upstream).sum(), withRespectTo: [weight])[0]
    let found = gradients(of: model.loss(x, target: x).sum(), withRespectTo: [weight, codebook.codes])
    #expect(close(found[0], expected, 1e-4))
    let pulls = Tensor.zeros([20, 2]) + (e - z).reshaped(to: [20, 2]) * 2
    let members = oneHot(model.codes(of: x).reshaped(to: [20]), classes: 5)
    #expect(close(found[1], matmul(members, pulls, transposingFirst: true), 1e-4))
  }

  @Test("Moving averages at rest are the means of the clusters, as in k-means", .solved("VQVAE.1", "VQVAE.3"))
  func fixedPointIsKMeans() {
    var random = Random(seed: 4)
    let centres = Tensor([[4, 0], [0, 4], [-4, -4]])
    let labels = IndexTensor((0..<300).map { Int32($0 % 3) })
    let z = embedding(centres, labels) + Tensor.normal([300, 2], using: &random)
    let codebook = AveragedCodebook(codes: Tensor([[3, 1], [1, 3], [-1, -1]]), count: 1)
    for _ in 0..<1000 { codebook.update(z, nearestCodes(to: z, among: codebook.codes)) }
    let members = oneHot(nearestCodes(to: z, among: codebook.codes), classes: 3)
    let sizes = members.sum(axis: 0)
    let means = matmul(members, z, transposingFirst: true) / sizes.reshaped(to: [-1, 1])
    #expect(close(codebook.codes, means, 1e-4))
    #expect(close(codebook.counts, sizes, 1e-4))
    #expect(sizes.scalars.allSatisfy { $0 > 90 })
  }

  @Test("One step of the moving averages, by hand, and smoothing leaves the total as it is", .solved("VQVAE.3"))
  func averageByHand() {
    let old = CodeStatistics(counts: Tensor([2, 4]), sums: Tensor([[2, 0], [0, 8]]))
    let (new, codes) = movingAverage(
      old, Tensor([[1, 1], [3, 1], [5, 7]]), IndexTensor([0, 0, 1]), decay: 0.5, epsilon: 1)
    #expect(new.counts.scalars == [2, 2.5])
    #expect(new.sums.scalars == [3, 1, 2.5, 7.5])
    // Ñ = 4.5 · (3, 3.5) / 6.5.
    let smoothed: [Float] = [4.5 * 3 / 6.5, 4.5 * 3.5 / 6.5]
    #expect(close(codes, Tensor([[3 / smoothed[0], 1 / smoothed[0]], [2.5 / smoothed[1], 7.5 / smoothed[1]]])))
    // A code that nobody has chosen for long stays finite.
    let dead = movingAverage(
      CodeStatistics(counts: Tensor([0, 5]), sums: Tensor([[0], [5]])), Tensor([[1]]), IndexTensor([1]), decay: 0.9,
      epsilon: 1e-5)
    #expect(dead.codes.scalars[0] == 0 && abs(dead.codes.scalars[1] - 1) < 1e-4)
  }

  @Test("Perplexity is K for equal shares, 1 for one code, and e to the entropy between", .solved("VQVAE.4"))
  func perplexityByHand() {
    #expect(abs(perplexity(of: IndexTensor((0..<32).map { $0 % 8 }), codes: 8).scalar - 8) < 1e-4)
    #expect(abs(perplexity(of: IndexTensor([3, 3, 3, 3], shape: [2, 2]), codes: 8).scalar - 1) < 1e-5)
    // Shares ½, ¼, ¼: entropy 1.5 ln 2.
    #expect(abs(perplexity(of: IndexTensor([0, 0, 5, 7]), codes: 9).scalar - 2.828_427) < 1e-4)
  }

  @Test("The detector names a collapse with its numbers, and keeps silent on a codebook in use", .solved("VQVAE.4"))
  func detector() throws {
    #expect(collapse(of: IndexTensor((0..<64).map { $0 % 16 }), codes: 16) == nil)
    #expect(collapse(of: IndexTensor((0..<64).map { $0 % 5 }), codes: 16) == nil)
    let sentence = try #require(collapse(of: IndexTensor([2, 2, 9, 9], shape: [2, 2]), codes: 16))
    for part in ["collapsed", "2 of 16 codes", "perplexity 2.0", "1.0 of 4 bits"] { #expect(sentence.contains(part)) }
  }

  @Test("Dead codes move to vectors of the batch, living ones stay, and the averages agree with both")
  func restarts() {
    var random = Random(seed: 5)
    let codebook = AveragedCodebook(codes: Tensor([[1, 1], [9, 9], [2, 2]]), count: 10)
    codebook.counts = Tensor([10, 0.1, 20])
    codebook.sums = codebook.codes * codebook.counts.reshaped(to: [-1, 1])
    let z = Tensor.normal([7, 2], using: &random)
    codebook.restartDeadCodes(at: z, using: &random)
    let rows = codebook.codes.scalars
    #expect(Array(rows[0..<2]) == [1, 1] && Array(rows[4..<6]) == [2, 2])
    #expect((0..<7).contains { Array(z.scalars[2 * $0..<2 * $0 + 2]) == Array(rows[2..<4]) })
    #expect(close(codebook.counts, Tensor([10, 30.1 / 3, 20])))
    #expect(close(codebook.sums, codebook.codes * codebook.counts.reshaped(to: [-1, 1])))
  }

  /// A small model of 6 pixels: 4 positions of 5 codes in the plane.
  private func makeModel(using random: inout Random) -> VQVAE {
    VQVAE(pixels: 6, hidden: 8, positions: 4, width: 2, using: &random) { _, random in
      TrainedCodebook(codes: .normal([5, 2], using: &random))
    }
  }

  /// A prior whose weights are all random, over 4 positions of 3 codes and 2 classes.
  private func makePrior(using random: inout Random) -> CodePrior {
    let prior = CodePrior(
      codebook: .normal([3, 2], using: &random), positions: 4, classes: 2, hidden: 60, dropout: 0, using: &random)
    for named in prior.parameters {
      named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -1.5..<1.5, using: &random)
    }
    return prior
  }

  private let everything = IndexTensor(
    (0..<81).flatMap { code in [27, 9, 3, 1].map { Int32(code / $0 % 3) } }, shape: [81, 4])

  @Test("The prior sums to 1 over all 81 lists of codes, for each class and without one")
  func priorSumsToOne() {
    var random = Random(seed: 6)
    let prior = makePrior(using: &random)
    for label in 0..<2 {
      let total = exp(prior.logProbability(of: everything, sameLabel(label, 81))).sum().scalar
      #expect(abs(total - 1) < 1e-5)
    }
    let mixed = exp(prior.logProbability(of: everything))
    #expect(abs(mixed.sum().scalar - 1) < 1e-5)
    let parts = (0..<2).map { exp(prior.logProbability(of: everything, sameLabel($0, 81))) }
    #expect(close(mixed, (parts[0] + parts[1]) / 2))
  }

  @Test("Each position of the prior depends on every one before it, on no other, and on the class")
  func priorIsCausal() {
    var random = Random(seed: 7)
    let prior = makePrior(using: &random)
    let start = prior(IndexTensor([0, 0, 0, 0], shape: [1, 4]), IndexTensor([0]))  // [1, 4, 3]
    for changed in 0..<4 {
      var z: [Int32] = [0, 0, 0, 0]
      z[changed] = 2
      let moved = abs(prior(IndexTensor(z, shape: [1, 4]), IndexTensor([0])) - start).sum(axis: 2).scalars
      for place in 0..<4 { #expect((moved[place] > 0) == (place > changed), "\(changed) acts on \(place)") }
    }
    let other = abs(prior(IndexTensor([0, 0, 0, 0], shape: [1, 4]), IndexTensor([1])) - start).sum(axis: 2).scalars
    #expect(other.allSatisfy { $0 > 0 })
  }

  @Test("A sum over some codes is a lower bound on log p(x), and over all of them p(x), which sums to 1")
  func boundsByEnumeration() {
    var random = Random(seed: 8)
    let model = VQVAE(pixels: 5, hidden: 7, positions: 4, width: 2, using: &random) { _, random in
      TrainedCodebook(codes: .normal([3, 2], using: &random))
    }
    let prior = makePrior(using: &random)
    let images = Tensor((0..<32).map { code in (0..<5).map { Float(code >> $0 & 1) } })  // [32, 5]
    let joint = model.logJoint(images, with: everything, prior)
    #expect(abs(exp(joint).sum().scalar - 1) < 1e-4)
    let byHand = stack(
      (0..<81).map { row in
        let z = everything.sliced(row..<row + 1, axis: 0)
        return model.decoded(z).logProbability(of: images) + prior.logProbability(of: z)
      }, axis: 1)
    #expect(close(joint, byHand, 1e-4))
    let some = distinct([everything.sliced(0..<20, axis: 0), everything.sliced(10..<30, axis: 0)])
    #expect(some.shape == [30, 4])
    let (part, whole) = (model.logJoint(images, with: some, prior).logSumExp(axis: 1), joint.logSumExp(axis: 1))
    #expect(zip(part.scalars, whole.scalars).allSatisfy { $0 < $1 })
  }
}

@MainActor
@Suite("Lesson04-VQVAE: learning and samples")
struct VQVAELearningTests {
  /// 3×3 images, all rows or all columns equal, and a model with 2 positions of 8 codes: room for the 14 images.
  private func fitted(steps: Int, seed: UInt64, codebook: (Sequential, inout Random) -> any Codebook) -> VQVAE {
    var random = Random(seed: seed)
    let model = VQVAE(pixels: 9, hidden: 64, positions: 2, width: 4, using: &random, codebook: codebook)
    let law = BarsAndStripes(3)
    var optimizer = Adam(model.parameters)
    for step in 0..<steps {
      optimizer.learningRate = 0.01 * (1 - Float(step) / Float(steps))
      let x = law.samples(64, using: &random).reshaped(to: [64, 9])
      optimizer.minimize(model.loss(x, target: x).mean())
      if step % 20 == 19, step < steps / 2 {
        (model.codebook as? AveragedCodebook)?
          .restartDeadCodes(at: withoutGradients { model.vectors(x) }, using: &random)
      }
    }
    return model
  }

  private let images = BarsAndStripes(3).allImages.reshaped(to: [14, 9])

  @Test(
    "Bars and stripes: the exact −log p(x) ends within 0.15 nats of the floor ln 14, never below it, and samples follow the law",
    .solved("VQVAE.1", "VQVAE.2", "VQVAE.3"))
  func learnsBarsAndStripes() {
    let model = fitted(steps: 600, seed: 1) { encoder, _ in
      AveragedCodebook(
        codes: withoutGradients { encoder(images).reshaped(to: [-1, 4]).sliced(0..<8, axis: 0) }, count: 16)
    }
    var random = Random(seed: 2)
    let codes = model.codes(of: images)  // [14, 2]
    #expect(distinct([codes]).shape == [14, 2])
    let prior = CodePrior(
      codebook: model.codebook.codes, positions: 2, classes: 1, hidden: 64, dropout: 0, using: &random)
    var optimizer = Adam(prior.parameters, learningRate: 0.02)
    for step in 0..<300 {
      optimizer.learningRate = 0.02 * (1 - Float(step) / 300)
      optimizer.minimize(-prior.logProbability(of: codes, sameLabel(0, 14)).mean())
    }
    let all = IndexTensor((0..<64).flatMap { [Int32($0 / 8), Int32($0 % 8)] }, shape: [64, 2])
    // Exact: a sum over all 64 lists of codes, in expectation over the law itself.
    let loss = -model.logJoint(images, with: all, prior).logSumExp(axis: 1).mean().scalar
    let floor = Float(log(14.0))
    #expect(loss > floor - 1e-4)
    #expect(loss < floor + 0.15)
    #expect(loss < 9 * log(2) - 3)  // independent pixels
    // One code for each image is a bound, and nothing is lost by it where every image has its own.
    let oneCode = -(model.decoded(codes).logProbability(of: images) + prior.logProbability(of: codes)).mean().scalar
    #expect(oneCode >= loss - 1e-5)

    let drawn = model.decoded(prior.sample(sameLabel(0, 4000), using: &random)).sample(using: &random)  // [4000, 9]
    let isImage = (square(drawn.reshaped(to: [-1, 1, 9]) - images).sum(axis: 2) .== 0).sum(axis: 0).scalars
    // 0.15 nats above the floor leave at most 14 % for other images; 4,000 draws add 6 deviations of 0.55 %.
    let good = isImage.reduce(0, +)
    #expect(good > 4000 * (0.86 - 0.033))
    // χ² with 13 degrees of freedom is above 54 once in a million; the model's own distance adds to it.
    let expected = good / 14
    #expect(isImage.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected } < 54 + 60)
  }

  @Test(
    "Codes that begin far away and follow the gradient alone collapse, and the detector says so; with restarts it is silent",
    .solved("VQVAE.1", "VQVAE.2", "VQVAE.3", "VQVAE.4"))
  func collapseIsFound() {
    let collapsed = fitted(steps: 200, seed: 3) { TrainedCodebook(codes: .normal([16, 4], using: &$1) * 20) }
    #expect(collapse(of: collapsed.codes(of: images), codes: 16) != nil)
    let mended = fitted(steps: 400, seed: 3) { AveragedCodebook(codes: .normal([16, 4], using: &$1) * 20, count: 1) }
    #expect(collapse(of: mended.codes(of: images), codes: 16) == nil)
  }

  @Test(
    "Digits: in ten epochs half the codes are in use, reconstructions are read as their originals, and the prior beats counting",
    .solved("VQVAE.1", "VQVAE.2", "VQVAE.3", "VQVAE.4"))
  func learnsDigits() throws {
    let (data, judge) = (try Digits(), try ImageClassifier.digits())
    var random = Random(seed: 4)
    let greys = data.train.images(at: data.train.indices).reshaped(to: [-1, 64])
    let testGreys = data.test.images(at: data.test.indices).reshaped(to: [-1, 64])
    let model = VQVAE(pixels: 64, hidden: 128, positions: 8, width: 16, using: &random) { encoder, _ in
      let vectors = withoutGradients { encoder(greys.examples(at: 0..<8)).reshaped(to: [64, 16]) }
      return AveragedCodebook(codes: vectors, count: 6)
    }
    var optimizer = Adam(model.parameters, learningRate: 3e-3)
    for _ in 0..<12 {
      for batch in (0..<1500).batches(ofSize: 50, shuffledUsing: &random) {
        let x = greys.examples(at: batch)
        optimizer.minimize(model.loss(x, target: x).mean())
      }
      let codebook = model.codebook as? AveragedCodebook
      codebook?.restartDeadCodes(at: withoutGradients { model.vectors(greys.examples(at: 0..<50)) }, using: &random)
    }
    let (codes, testCodes) = (model.codes(of: greys), model.codes(of: testGreys))
    #expect(perplexity(of: testCodes, codes: 64).scalar > 32)
    let read = judge.agreement(model.decoded(testCodes).mean.reshaped(to: [-1, 8, 8, 1]), data.test.labels)
    #expect(read.mean > 0.8)

    let prior = CodePrior(
      codebook: model.codebook.codes, positions: 8, classes: 10, hidden: 128, dropout: 0.2, using: &random)
    var adam = Adam(prior.parameters, learningRate: 4e-3)
    for _ in 0..<10 {
      for batch in (0..<1500).batches(ofSize: 50, shuffledUsing: &random) {
        adam.minimize(-prior.logProbability(of: codes.examples(at: batch), data.train.labels(at: batch)).mean())
      }
    }
    let cost = withoutGradients { inference { -prior.logProbability(of: testCodes, data.test.labels).mean().scalar } }
    let shares = (oneHot(codes.reshaped(to: [-1]), classes: 64).sum(axis: 0) + 1) / Float(codes.count + 64)
    let unigram = -log(embedding(shares, testCodes)).sum(axis: 1).mean().scalar
    #expect(cost < 0.6 * 8 * log(64))
    #expect(cost < unigram - 5)
    #expect(cost > 0)  // codes are discrete
    let labels = IndexTensor((0..<500).map { Int32($0 % 10) })
    let samples = model.decoded(prior.sample(labels, using: &random)).mean.reshaped(to: [-1, 8, 8, 1])
    #expect(judge.agreement(samples, labels).mean > 0.6)
  }
}

@Suite("Lesson04-VQVAE: the command")
struct VQVAECommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others",
    .solved("VQVAE.1", "VQVAE.2", "VQVAE.3", "VQVAE.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson04-VQVAE")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "4"]
    #expect(try runner.run(["--out", "whole"] + options).status == 0)
    #expect(try runner.run(["--out", "other", "--seed", "2"] + options).status == 0)
    // Killed in the middle of the prior, as soon as its first checkpoint is there.
    let process = try runner.start(["--out", "parts"] + options)
    let checkpoint = runner.folder.appending(path: "parts/prior.safetensors").path
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(1000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(FileManager.default.fileExists(atPath: checkpoint))
    #expect(try runner.run(["--out", "parts", "--resume"] + options).status == 0)
    let whole = try runner.measurements(in: "whole")
    #expect(whole.count >= 10)
    #expect(try runner.measurements(in: "parts") == whole)
    #expect(try runner.measurements(in: "other") != whole)
  }

  @Test(
    "A folder that does not exist and a damaged checkpoint are refused by name, in one line",
    .solved("VQVAE.1", "VQVAE.2", "VQVAE.3", "VQVAE.4"))
  func badInput() throws {
    let runner = try LessonRunner("Lesson04-VQVAE")
    defer { runner.remove() }
    let nowhere = try runner.run(["--quick", "--data", "/nowhere"])
    #expect(nowhere.status != 0 && nowhere.errors.hasPrefix("error: ") && nowhere.errors.contains("/nowhere"))
    #expect(try runner.run(["--out", "run", "--quick", "--epochs", "1"]).status == 0)
    let file = runner.folder.appending(path: "run/prior.safetensors")
    let half = try Data(contentsOf: file).prefix(1000)
    try half.write(to: file)
    let damaged = try runner.run(["--out", "run", "--quick", "--resume", "--epochs", "1"])
    #expect(damaged.status != 0 && damaged.errors.contains("prior.safetensors"))
    #expect(try Data(contentsOf: file) == half)
  }
}
