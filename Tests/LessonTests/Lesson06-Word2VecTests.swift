import LessonKit
import Testing

@testable import Lesson06_Word2Vec

@MainActor
@Suite("Lesson06-Word2Vec: identity")
struct Word2VecIdentityTests {
  @Test("The pairs of a text of four words are those written down by hand", .solved("Word2Vec.1"))
  func pairsByHand() {
    // a b c a: neighbours ab bc ca, and at two places ac ba, each both ways.
    let bag = skipGrams([0, 1, 2, 0], window: 2)
    #expect(bag.centres.count == 10)
    #expect(bag.counts(vocabulary: 3).scalars == [0, 2, 2, 2, 0, 1, 2, 1, 0])
    #expect(skipGrams([4], window: 3).centres.isEmpty && skipGrams([], window: 3).centres.isEmpty)
    // A word is in its own context where it comes twice.
    #expect(skipGrams([1, 1], window: 1).counts(vocabulary: 2).scalars == [0, 0, 0, 2])
  }

  @Test("Counts agree with a search of all couples of places, and are symmetric", .solved("Word2Vec.1"))
  func pairsByBruteForce() {
    var random = Random(seed: 1)
    let text = (0..<60).map { _ in Int32.random(in: 0..<5, using: &random) }
    var expected = [Float](repeating: 0, count: 25)
    for centre in text.indices {
      for other in text.indices where centre != other && abs(centre - other) <= 4 {
        expected[Int(text[centre]) * 5 + Int(text[other])] += 1
      }
    }
    let counts = skipGrams(text, window: 4).counts(vocabulary: 5)
    #expect(counts.scalars == expected)
    #expect(counts.scalars == counts.transposed().scalars)
  }

  @Test("The loss is PyTorch's, stays finite at scores of 10,000, and has the right gradient", .solved("Word2Vec.2"))
  func lossByHand() {
    // w = torch.tensor([[.5, -1], [2, 1]]); c = torch.tensor([[1, .5], [-1, 0]]); ls = torch.nn.functional.logsigmoid
    // n = torch.tensor([[[1., 1], [0, -2], [3, 0]], [[.5, .5], [-1, 1], [0, 0]]])
    // -ls((w * c).sum(1)) - ls(-(w[:, None] * n).sum(2)).sum(1)  →  4.9956, 4.8348
    let word = Tensor([[0.5, -1], [2, 1]])
    let context = Tensor([[1, 0.5], [-1, 0]])
    let drawn = Tensor([1, 1, 0, -2, 3, 0, 0.5, 0.5, -1, 1, 0, 0], shape: [2, 3, 2])
    let loss = negativeSamplingLoss(word: word, context: context, negatives: drawn)
    #expect(zip(loss.scalars, [4.9956, 4.8348]).allSatisfy { abs($0 - $1) < 1e-4 })
    let huge = negativeSamplingLoss(
      word: Tensor([[100]]), context: Tensor([[-100]]), negatives: Tensor([100], shape: [1, 1, 1]))
    #expect(huge.scalars == [20_000])
    // d/dw of −ln σ(w·c) − Σ ln σ(−w·c′) is −(1 − σ(w·c)) c + Σ σ(w·c′) c′.
    let slope = gradient(at: word) { negativeSamplingLoss(word: $0, context: context, negatives: drawn).sum() }
    func sigma(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    let first = [
      -0.5 + sigma(-0.5) + 3 * sigma(1.5),  // w·c is 0: half of c = (1, ½), then c′ = (1, 1), (0, −2), (3, 0)
      -0.25 + sigma(-0.5) - 2 * sigma(2),
    ]
    #expect(zip(slope.scalars, first).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }

  @Test(
    "The expected loss is the mean of the sampled loss over all pairs and all draws of a negative",
    .solved("Word2Vec.2"))
  func expectedLossByEnumeration() {
    var random = Random(seed: 2)
    let model = Word2Vec(vocabulary: 3, dimensions: 2, spread: 1, using: &random)
    let counts = Tensor([[2, 5, 1], [5, 4, 3], [1, 3, 8]])
    let noise = counts.sum(axis: 0).scalars.map { $0 / 32 }
    var mean: Float = 0
    for (w, row) in [[2, 5, 1], [5, 4, 3], [1, 3, 8]].enumerated() {
      for (c, count) in row.enumerated() {
        for first in 0..<3 {
          for second in 0..<3 {
            let loss = model.loss(
              IndexTensor([Int32(w)]), IndexTensor([Int32(c)]),
              negatives: IndexTensor([Int32(first), Int32(second)], shape: [1, 2]))
            mean += loss.scalars[0] * Float(count) / 32 * noise[first] * noise[second]
          }
        }
      }
    }
    #expect(abs(expectedLoss(scores: model.scores, counts: counts, negatives: 2).scalar - mean) < 1e-4)
  }

  @Test("The optimum by hand: independent words have PMI 0, and a pair that never occurs −∞", .solved("Word2Vec.3"))
  func optimumByHand() {
    let independent = optimum(counts: Tensor([[2, 4], [6, 12], [1, 2]]), negatives: 3)
    #expect(independent.scalars.allSatisfy { abs($0 + log(3)) < 1e-5 })
    let counts = Tensor([[0, 1], [1, 2]])  // p(w) = p(c) = ¼, ¾
    let values = optimum(counts: counts, negatives: 1).scalars
    #expect(values[0] == -.infinity)
    #expect(abs(values[1] - log(4.0 / 3)) < 1e-6 && abs(values[3] - log(8.0 / 9)) < 1e-6)
  }

  @Test("At PMI − ln k the expected loss has no slope, and is smaller than beside it", .solved("Word2Vec.3"))
  func optimumIsStationary() {
    let counts = Tensor([[40, 10, 7], [3, 25, 30], [9, 1, 50]])
    for k in [1, 5, 15] {
      let best = optimum(counts: counts, negatives: k)
      func loss(_ scores: Tensor) -> Tensor { expectedLoss(scores: scores, counts: counts, negatives: k) }
      #expect(gradient(at: best, of: loss).scalars.allSatisfy { abs($0) < 1e-6 })
      for cell in 0..<9 {
        let aside = oneHot(IndexTensor([Int32(cell)]), classes: 9).reshaped(to: [3, 3])
        for step: Float in [-1, 1] { #expect(loss(best + aside * step).scalar > loss(best).scalar + 1e-4) }
      }
    }
  }

  @Test("Neighbours are ranked by angle, whatever the lengths, without the word itself", .solved("Word2Vec.4"))
  func neighboursByHand() {
    let table = Tensor([[1, 0], [0.3, 0.4], [-50, 1], [20, 99], [3, 4]])
    let near = nearest(to: 1, in: table, count: 3)
    #expect(near.words.scalars == [4, 3, 0])
    let second: Float = (0.6 * 20 + 0.8 * 99) / Float(20 * 20 + 99 * 99).squareRoot()
    let expected: [Float] = [1, second, 0.6]
    #expect(zip(near.cosines.scalars, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("Words are counted, ranked and numbered; others are left out")
  func vocabulary() {
    let texts = ["In the beginning; the END,", "the end's beginning"].map(Words.split)
    #expect(texts == [["in", "the", "beginning", "the", "end"], ["the", "end", "beginning"]])
    let words = Words(of: texts, most: 3)
    #expect(words.list == ["the", "beginning", "end"] && words.counts == [3, 2, 2])
    #expect(words.tokens(texts[1]) == [0, 2, 1] && words["end"] == 2 && words["in"] == nil)
  }

  @Test("Vectors are written as word2vec does and read back bit for bit; a damaged text is refused")
  func textFormat() throws {
    #expect(
      WordVectors(["god", "sea"], Tensor([[0.5, -1], [2, 1e-6]])).text == "2 2\ngod 0.5 -1.0\nsea 2.0 1e-06\n")
    var random = Random(seed: 3)
    let vectors = WordVectors(["a", "b", "c"], .normal([3, 7], using: &random))
    let again = try #require(WordVectors(text: vectors.text))
    #expect(again.words == vectors.words && again.table.shape == [3, 7])
    #expect(again.table.scalars == vectors.table.scalars)
    for damaged in ["", "2 2\na 1 2\n", "1 2\na 1\n", "1 2\na 1 x\n", "one 2\na 1 2\n"] {
      #expect(WordVectors(text: damaged) == nil, "\(damaged)")
    }
  }
}

@MainActor
@Suite("Lesson06-Word2Vec: learning and samples")
struct Word2VecLearningTests {
  /// A text of eight words, each drawn by the one before, whose pairs all occur.
  private func smallBag() -> SkipGrams {
    var random = Random(seed: 11)
    let law = MarkovText(letters: "abcdefgh", order: 1, length: 20_000, sharpness: 0.8, using: &random)
    return skipGrams(law.samples(1, using: &random).scalars, window: 1)
  }

  private func fit(_ counts: Tensor, dimensions: Int, steps: Int) -> Tensor {
    var random = Random(seed: 12)
    let model = Word2Vec(vocabulary: counts.shape[0], dimensions: dimensions, spread: 0.3, using: &random)
    var optimizer = Adam(model.parameters)
    let rate = Schedule.cosine(from: 0.05, steps: steps)
    for step in 0..<steps {
      optimizer.learningRate = rate(step)
      optimizer.minimize(expectedLoss(scores: model.scores, counts: counts, negatives: 5))
    }
    return model.scores.detached()
  }

  @Test("In full rank every w·c reaches PMI − ln k within 0.01", .solved("Word2Vec.1", "Word2Vec.3"))
  func fullRank() {
    let counts = smallBag().counts(vocabulary: 8)
    let best = optimum(counts: counts, negatives: 5)
    let scores = fit(counts, dimensions: 8, steps: 3000)
    #expect(abs(scores - best).max().scalar < 0.01)
    // Never below the least loss, but for rounding; far below that of scores of 0.
    func loss(_ scores: Tensor) -> Float { expectedLoss(scores: scores, counts: counts, negatives: 5).scalar }
    #expect(loss(scores) > loss(best) - 1e-5 && loss(scores) < loss(best) + 1e-4)
    #expect(loss(scores) < 6 * log(2) - 0.5)
  }

  @Test(
    "Half the rank stalls above the Eckart–Young bound and beats the truncated SVD", .solved("Word2Vec.1", "Word2Vec.3")
  )
  func halfRank() {
    let counts = smallBag().counts(vocabulary: 8)
    let best = optimum(counts: counts, negatives: 5)
    let svd = singularValueDecomposition(best)
    let bound = square(svd.values.sliced(4..<8, axis: 0)).sum().scalar.squareRoot() / 8
    let truncated = matmul(
      svd.left.sliced(0..<4, axis: 1) * svd.values.sliced(0..<4, axis: 0), svd.right.sliced(0..<4, axis: 0))
    #expect(abs(square(truncated - best).mean().scalar.squareRoot() - bound) < 1e-4)
    let scores = fit(counts, dimensions: 4, steps: 3000)
    #expect(bound > 0.05)
    #expect(square(scores - best).mean().scalar.squareRoot() > bound)
    func loss(_ scores: Tensor) -> Float { expectedLoss(scores: scores, counts: counts, negatives: 5).scalar }
    #expect(loss(scores) < loss(truncated))
  }

  @Test("The score of a pair that never occurs falls for ever", .solved("Word2Vec.1", "Word2Vec.3"))
  func neverSeen() {
    let first = oneHot(IndexTensor([0]), classes: 64).reshaped(to: [8, 8])
    let counts = smallBag().counts(vocabulary: 8) * (1 - first)
    let scores = [500, 2000].map { fit(counts, dimensions: 8, steps: $0).scalars[0] }
    #expect(scores[0] < -3.5 && scores[1] < scores[0] - 1)
  }

  @Test(
    "By sampling, the mean error is at most 0.05 and the largest 0.2",
    .solved("Word2Vec.1", "Word2Vec.2", "Word2Vec.3"))
  func sampled() {
    let bag = smallBag()
    let counts = bag.counts(vocabulary: 8)
    let (centres, contexts) = (IndexTensor(bag.centres), IndexTensor(bag.contexts))
    let noise = Noise(counts.sum(axis: 0).scalars, power: 1)
    var random = Random(seed: 13)
    let model = Word2Vec(vocabulary: 8, dimensions: 8, spread: 0.3, using: &random)
    var optimizer = Adam(model.parameters)
    var average = ExponentialMovingAverage(model.parameters, decay: 0.99)
    let rate = Schedule.cosine(from: 0.03, steps: 1000)
    for step in 0..<1000 {
      let places = IndexTensor(floor(Tensor.uniform([1024], using: &random) * Float(bag.centres.count)))
      optimizer.learningRate = rate(step)
      optimizer.minimize(
        model.loss(
          centres.gathered(rows: places), contexts.gathered(rows: places),
          negatives: noise.draw([1024, 5], using: &random)
        ).mean())
      average.update()
    }
    let errors = average.withAverages { abs(model.scores.detached() - optimum(counts: counts, negatives: 5)) }
    #expect(errors.mean().scalar < 0.05)
    #expect(errors.max().scalar < 0.2)
  }

  @Test(
    "Vectors of a part of the Bible know pairs of words that random vectors do not",
    .solved("Word2Vec.1", "Word2Vec.2", "Word2Vec.4"))
  func realText() throws {
    let chapters = try TextCorpus.kingJames().train.components(separatedBy: "\n\n").prefix(200).map(Words.split)
    let words = Words(of: chapters, most: 500)
    var random = Random(seed: 14)
    let thinning = Subsampling(words.counts, threshold: 1e-4)
    let noise = Noise(words.counts, power: 0.75)
    let model = Word2Vec(vocabulary: 500, dimensions: 32, spread: 0.1, using: &random)
    var optimizer = Adam(model.parameters)
    var bag = SkipGrams()
    for chapter in chapters { bag += skipGrams(thinning(words.tokens(chapter), using: &random), window: 4) }
    let (centres, contexts) = (IndexTensor(bag.centres), IndexTensor(bag.contexts))
    for step in 0..<300 {
      let places = IndexTensor(floor(Tensor.uniform([1024], using: &random) * Float(bag.centres.count)))
      optimizer.learningRate = 0.02 * (1 - Float(step) / 300)
      optimizer.minimize(
        model.loss(
          centres.gathered(rows: places), contexts.gathered(rows: places),
          negatives: noise.draw([1024, 5], using: &random)
        ).mean())
    }
    func found(_ table: Tensor) -> Int {
      wordPairs.count { first, second in
        guard let one = words[first], let two = words[second] else { return false }
        return nearest(to: one, in: table, count: 10).words.scalars.contains(Int32(two))
      }
    }
    // By chance a pair is found with probability 10/499: of 30, six or more at a rate below 1e-4.
    #expect(found(model.words) >= 8)
    #expect(found(.normal([500, 32], using: &random)) < 6)
  }

  @Test("Noise is drawn in proportion to count^0.75")
  func noise() {
    let counts: [Float] = [1000, 200, 50, 7, 1]
    let weights = counts.map { pow(Double($0), 0.75) }
    var random = Random(seed: 15)
    let drawn = Noise(counts, power: 0.75).draw([500, 400], using: &random)
    #expect(drawn.shape == [500, 400])
    let statistic = weights.enumerated().reduce(0.0) { sum, entry in
      let expected = 200_000 * entry.element / weights.reduce(0, +)
      let seen = Double(drawn.scalars.count { Int($0) == entry.offset })
      return sum + (seen - expected) * (seen - expected) / expected
    }
    #expect(statistic < 33.4)  // χ² of 4 degrees: exceeded with probability 1e-6
  }

  @Test("A word of frequency f stays in the text with probability √(t/f)")
  func subsampling() {
    let thinning = Subsampling([9000, 900, 100], threshold: 0.01)  // frequencies 0.9, 0.09, 0.01
    var random = Random(seed: 16)
    let text = (0..<90_000).map { Int32($0 % 3) }
    let kept = thinning(text, using: &random)
    for (word, probability) in [(0, (0.01 / 0.9).squareRoot()), (1, 1 / 3.0), (2, 1)] {
      let share = Double(kept.count { Int($0) == word }) / 30_000
      // Five standard errors: a false alarm at a rate of 6e-7.
      #expect(abs(share - probability) <= 5 * (probability * (1 - probability) / 30_000).squareRoot() + 1e-9)
    }
  }
}

@Suite("Lesson06-Word2Vec: the command")
struct Word2VecCommandTests {
  @Test(
    "The command gives the same numbers again, also from the checkpoint of its last pass, and writes vectors to be read",
    .solved("Word2Vec.1", "Word2Vec.2", "Word2Vec.3", "Word2Vec.4"))
  func command() async throws {
    let runner = try LessonRunner("Lesson06-Word2Vec")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "1"]
    #expect(try runner.run(["--out", "one"] + options).status == 0)
    let first = try runner.measurements(in: "one")
    #expect(first.count >= 8)
    #expect(try runner.run(["--out", "one", "--resume"] + options).status == 0)
    #expect(try runner.measurements(in: "one") == first)
    let text = try String(contentsOf: runner.folder.appending(path: "one/vectors.txt"), encoding: .utf8)
    let vectors = try #require(await WordVectors(text: text))
    #expect(await vectors.words.first == "the")
    #expect(await vectors.table.shape == [500, 32])
  }
}
