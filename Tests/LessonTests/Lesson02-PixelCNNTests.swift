import LessonKit
import Testing

@testable import Lesson02_PixelCNN

@MainActor
@Suite("Lesson02-PixelCNN: identity")
struct PixelCNNIdentityTests {
  /// Random weights throughout, so that no connection is zero by chance.
  private func randomized<Model: Module>(_ model: Model, _ size: Float = 0.5, using random: inout Random) -> Model {
    for named in model.parameters {
      named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: -size..<size, using: &random)
    }
    return model
  }

  private func labels(_ count: Int, _ label: Int = 0) -> IndexTensor {
    IndexTensor([Int32](repeating: Int32(label), count: count))
  }

  @Test("The masks are those of figures 2 of both papers, by hand", .solved("PixelCNN.1"))
  func masksByHand() {
    #expect(mask(.a, .plain, size: 3).scalars == [1, 1, 1, 1, 0, 0, 0, 0, 0])
    #expect(mask(.b, .plain, size: 3).scalars == [1, 1, 1, 1, 1, 0, 0, 0, 0])
    #expect(mask(.a, .vertical, size: 3).scalars == [1, 1, 1, 0, 0, 0, 0, 0, 0])
    #expect(mask(.b, .vertical, size: 3).scalars == [1, 1, 1, 1, 1, 1, 0, 0, 0])
    #expect(mask(.a, .horizontal, size: 5).scalars == [1, 1, 0, 0, 0])
    #expect(mask(.b, .horizontal, size: 5).scalars == [1, 1, 1, 0, 0])
    #expect(mask(.b, .horizontal, size: 5).shape == [1, 5])
  }

  @Test("The gated unit is tanh(f + a)·σ(g + b), by hand", .solved("PixelCNN.2"))
  func gateByHand() {
    let y = gated(Tensor([0.5, -1, 0.25, 2], shape: [1, 1, 1, 4]), condition: Tensor([[0.5, 0, -0.25, 1]]))
    // tanh(1)·σ(0) and tanh(−1)·σ(3).
    #expect(zip(y.scalars, [0.380_797, -0.725_474]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(
    "Two gated stacks see exactly the pixels before, from every place of the image", .solved("PixelCNN.1", "PixelCNN.2")
  )
  func receptiveFieldIsCausal() {
    var random = Random(seed: 1)
    let model = randomized(
      PixelCNN(
        height: 5, width: 6, levels: 3, classes: 2, channels: 6, layers: 6, firstSize: 3, using: &random),
      using: &random)
    for place in 0..<30 {
      let field = receptiveField(row: place / 6, column: place % 6, height: 5, width: 6, using: &random) { x in
        model(x, labels(x.shape[0]))
      }
      for (pixel, influence) in field.scalars.enumerated() {
        #expect((influence > 0) == (pixel < place), "pixel \(pixel) acts on \(place) by \(influence)")
      }
    }
  }

  @Test("One masked stack is blind to the wedge beyond the diagonal, and to nothing else", .solved("PixelCNN.1"))
  func blindSpot() {
    var random = Random(seed: 2)
    // Positive weights and inputs keep every rectifier open.
    let model = MaskedStack(channels: 4, layers: 6, firstSize: 3, levels: 2, using: &random)
    for named in model.parameters {
      named.parameter.wrappedValue = .uniform(named.parameter.wrappedValue.shape, in: 0.01..<0.3, using: &random)
    }
    for (row, column) in [(4, 1), (5, 3), (6, 0)] {
      let field = receptiveField(row: row, column: column, height: 7, width: 7, using: &random) { model($0) }
      var blind = 0
      for pixel in 0..<49 {
        // Each of the seven layers may go up one row, and right by one column only where it goes up.
        let (up, right) = (row - pixel / 7, pixel % 7 - column)
        let isSeen = up == 0 ? right < 0 : up > 0 && right <= up
        #expect((field.scalars[pixel] > 0) == isSeen)
        if up > 0 && !isSeen { blind += 1 }
      }
      #expect(blind > 0)
    }
  }

  @Test(
    "p(x|class) sums to 1 over all 512 binary images of 3×3 pixels, for each class and for their mixture",
    .solved("PixelCNN.1", "PixelCNN.2"))
  func probabilitiesSumToOne() {
    var random = Random(seed: 3)
    let model = randomized(
      PixelCNN(height: 3, width: 3, levels: 2, classes: 3, channels: 5, layers: 3, firstSize: 3, using: &random), 1,
      using: &random)
    let joint = withoutGradients { model.logJoint(allImages, prior: [0.2, 0.3, 0.5]) }  // [512, 3]
    let sums = exp(joint).sum(axis: 0).scalars
    #expect(zip(sums, [0.2, 0.3, 0.5]).allSatisfy { abs($0 - $1) < 1e-5 })
    // The law is far from uniform, and the classes differ, so that the sum is no accident.
    #expect(joint.max().scalar - joint.min().scalar > 3)
    // A marginal over the first row alone: 8 upper rows, each 64 times.
    let upper = withoutGradients { model.logJoint(allImages, prior: [0.2, 0.3, 0.5], rows: 1) }
    #expect(abs(exp(upper).sum().scalar - 64) < 1e-3)
  }

  @Test("MADE's p(x|class) sums to 1 too")
  func baselineSumsToOne() {
    var random = Random(seed: 4)
    let made = randomized(
      MADE(pixels: 9, levels: 2, classes: 2, hidden: 40, dropout: 0, using: &random), 1, using: &random)
    let joint = withoutGradients { made.logJoint(allImages, prior: [0.5, 0.5]) }
    #expect(exp(joint).sum(axis: 0).scalars.allSatisfy { abs($0 - 0.5) < 1e-5 })
    #expect(joint.max().scalar - joint.min().scalar > 3)
  }

  @Test(
    "The kept features give the scores of full passes, and the same images, also where pixels are left out",
    .solved("PixelCNN.1", "PixelCNN.2", "PixelCNN.3", "PixelCNN.4"))
  func cacheEqualsFullPass() {
    var random = Random(seed: 5)
    let model = randomized(
      PixelCNN(height: 5, width: 4, levels: 4, classes: 3, channels: 5, layers: 4, firstSize: 5, using: &random),
      using: &random)
    let asked = IndexTensor([0, 1, 2, 1, 0, 2])
    let x = floor(Tensor.uniform([6, 5, 4, 1], using: &random) * 4) / 3
    let full = FullPass(model: model, labels: asked)
    for skipped in [1, 3] {
      var cache = FeatureCache(model, asked)
      for place in stride(from: skipped - 1, to: 20, by: skipped) {
        let exact = full.scores(x, row: place / 4, column: place % 4)
        let kept = cache.scores(x, row: place / 4, column: place % 4)
        #expect(abs(exact - kept).max().scalar < 1e-4)
      }
    }
    let known = Tensor((0..<5).map { row in (0..<4).map { (row + $0) % 3 == 0 ? 1 : 0 } })
    let predictors: [any PixelPredictor] = [full, FeatureCache(model, asked)]
    let images = predictors.map { predictor in
      var (predictor, random) = (predictor, Random(seed: 6))
      return completed(x, known: known, from: &predictor, using: &random)
    }
    #expect(images[0].scalars == images[1].scalars)
    #expect(((images[0] - x) * known.reshaped(to: [1, 5, 4, 1])).scalars.allSatisfy { $0 == 0 })
    let samples = predictors.map { predictor in
      var (predictor, random) = (predictor, Random(seed: 7))
      return sample(6, from: &predictor, using: &random)
    }
    #expect(samples[0].scalars == samples[1].scalars && samples[0].scalars != images[0].scalars)
  }

  /// All binary images of 3×3 pixels, `[512, 3, 3, 1]`.
  private var allImages: Tensor {
    Tensor((0..<512).flatMap { code in (0..<9).map { Float(code >> $0 & 1) } }, shape: [512, 3, 3, 1])
  }
}

@MainActor
@Suite("Lesson02-PixelCNN: learning and samples")
struct PixelCNNLearningTests {
  /// The 14 images of BarsAndStripes(3), rows alike as class 0 and columns alike as class 1; black and white belong to both.
  private let law: (images: Tensor, labels: IndexTensor) = {
    var (images, labels): ([Float], [Int32]) = ([], [])
    for label in 0..<2 {
      for code in 0..<8 {
        images += (0..<9).map { Float(code >> (label == 0 ? $0 / 3 : $0 % 3) & 1) }
        labels.append(Int32(label))
      }
    }
    return (Tensor(images, shape: [16, 3, 3, 1]), IndexTensor(labels))
  }()

  private func fitted(seed: UInt64) -> PixelCNN {
    var random = Random(seed: seed)
    let model = PixelCNN(
      height: 3, width: 3, levels: 2, classes: 2, channels: 12, layers: 3, firstSize: 3, using: &random)
    var optimizer = Adam(model.parameters)
    for step in 0..<400 {
      optimizer.learningRate = 0.02 * (1 - Float(step) / 400)
      optimizer.minimize(-model.pixelLogProbabilities(law.images, law.labels).sum() / 16)
    }
    return model
  }

  @Test(
    "Bars and stripes by class: within 0.02 nats of the floor ln 8, never below it, and samples follow the law",
    .solved("PixelCNN.1", "PixelCNN.2", "PixelCNN.3"))
  func learnsBarsAndStripes() {
    let model = fitted(seed: 1)
    let loss = withoutGradients { -model.pixelLogProbabilities(law.images, law.labels).sum().scalar / 16 }
    // The expectation over the law itself, without sampling error.
    #expect(loss < Float(log(8.0)) + 0.02)
    #expect(loss > Float(log(8.0)) - 1e-4)

    var random = Random(seed: 9)
    var predictor: any PixelPredictor = FeatureCache(model, IndexTensor([Int32](repeating: 1, count: 4000)))
    let codes = sample(4000, from: &predictor, using: &random).reshaped(to: [4000, 9]).scalars
    var counts = [Int](repeating: 0, count: 8)
    var broken = 0
    for start in stride(from: 0, to: codes.count, by: 9) {
      let image = codes[start..<start + 9].map { Int($0) }
      let isStripes = image[3..<6].elementsEqual(image[0..<3]) && image[6..<9].elementsEqual(image[0..<3])
      if isStripes { counts[image[0] + 2 * image[1] + 4 * image[2]] += 1 } else { broken += 1 }
    }
    // A loss 0.02 nats above the floor leaves 2 % for other images; binomial with 4,000 draws, 6 deviations of 0.22 %.
    #expect(broken < 140)
    // χ² with 7 degrees of freedom is above 42 once in two million, of a model that is exact; its own distance adds a little.
    let expected = Double(4000 - broken) / 8
    #expect(counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected } < 42 + 20)
  }

  @Test(
    "Digits: two epochs of a small model beat independent pixels by 0.1 bits/dim",
    .solved("PixelCNN.1", "PixelCNN.2"))
  func learnsDigits() throws {
    let data = try Digits()
    var random = Random(seed: 2)
    let model = PixelCNN(height: 8, width: 8, levels: 17, classes: 10, channels: 12, layers: 3, using: &random)
    var optimizer = Adam(model.parameters, learningRate: 6e-3)
    for _ in 0..<2 {
      for batch in data.train.batches(ofSize: 50, droppingLast: true, shuffledUsing: &random) {
        let x = data.train.images(at: batch)
        optimizer.minimize(-model.pixelLogProbabilities(x, data.train.labels(at: batch)).mean())
      }
    }
    let test = data.test.prefix(150)
    let levels = test.levels(at: test.indices)
    let joint = withoutGradients {
      model.logJoint(test.images(at: test.indices), prior: [Float](repeating: 0.1, count: 10))
    }
    let bits = joint.logSumExp(axis: 1).mean().scalar / (-64 * log(2))
    let frequencies = log(oneHot(data.train.levels(at: data.train.indices), classes: 17).sum(axis: 0) + 1)
    let independent = -Categorical(logits: frequencies).elementwiseLogProbability(of: levels).mean().scalar / log(2)
    #expect(bits < independent - 0.1)
    // Discrete pixels cannot be coded in less than nothing.
    #expect(bits > 0)
  }
}

@Suite("Lesson02-PixelCNN: the command")
struct PixelCNNCommandTests {
  @Test(
    "The same seed gives the same numbers, also when a finished run is resumed to draw one class",
    .solved("PixelCNN.1", "PixelCNN.2", "PixelCNN.3", "PixelCNN.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson02-PixelCNN")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "1"]
    #expect(try runner.run(["--out", "first"] + options).status == 0)
    #expect(try runner.run(["--out", "second"] + options).status == 0)
    let first = try runner.measurements(in: "first")
    #expect(first.count >= 5)
    #expect(try runner.measurements(in: "second") == first)
    #expect(try runner.run(["--out", "first", "--resume", "--class", "3"] + options).status == 0)
    let resumed = try runner.measurements(in: "first")
    for name in ["test −log p(x)", "MADE"] { #expect(resumed[name] == first[name] && first[name] != nil) }
  }

  @Test(
    "A class or folder that does not exist is refused in one clear line",
    .solved("PixelCNN.1", "PixelCNN.2", "PixelCNN.3", "PixelCNN.4"),
    arguments: [
      ("--class=10", "--class 10"), ("--class=-1", "--class -1"), ("--class=cat", "cat"), ("--data=/no", "/no"),
    ])
  func badInput(argument: String, named: String) throws {
    let runner = try LessonRunner("Lesson02-PixelCNN")
    defer { runner.remove() }
    let outcome = try runner.run(["--quick", argument])
    #expect(outcome.status != 0)
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1)
    #expect(outcome.errors.contains(named))
  }
}
