import LessonKit
import Testing

@testable import Lesson02_GPT

@MainActor
private func smallModel(
  vocabulary: Int = 7, context: Int = 12, width: Int = 8, heads: Int = 2, layers: Int = 2, seed: UInt64 = 1
) -> GPT {
  var random = Random(seed: seed)
  let model = GPT(
    vocabulary: vocabulary, context: context, width: width, heads: heads, layers: layers, using: &random)
  // Large weights, so that everything depends on everything that it may depend on.
  model.tokens.table = .normal([vocabulary, width], using: &random)
  return model
}

@MainActor
@Suite("Lesson02-GPT: identity")
struct GPTIdentityTests {
  @Test(
    "Attention by hand: two times, weights ½ and ½ where scores are equal, e : 1 where they differ by 1",
    .solved("GPT.1"))
  func attentionByHand() {
    let keys = Tensor([1, 0, 0, 0, 0, 0, 0, 0], shape: [1, 1, 2, 4])
    let queries = Tensor([5, 0, 0, 0, 2, 0, 0, 0], shape: [1, 1, 2, 4])  // the second scores 2/√4 = 1 and 0
    let (output, weights) = causalAttention(queries, keys, Tensor([10, 30], shape: [1, 1, 2, 1]))
    let share = exp(Float(1)) / (exp(Float(1)) + 1)
    #expect(zip(weights.scalars, [1, 0, share, 1 - share]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(zip(output.scalars, [10, 10 * share + 30 * (1 - share)]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(
    "It is the library's attention, also for keys of more times; weights sum to 1 and later ones are 0",
    .solved("GPT.1"))
  func attentionAgainstLibrary() {
    var random = Random(seed: 2)
    for (time, keyTime) in [(6, 6), (2, 5), (1, 4)] {
      let queries = Tensor.normal([2, 3, time, 4], using: &random) * 3
      let keys = Tensor.normal([2, 3, keyTime, 4], using: &random)
      let values = Tensor.normal([2, 3, keyTime, 4], using: &random)
      let (output, weights) = causalAttention(queries, keys, values)
      func flat(_ x: Tensor) -> Tensor { x.permuted([0, 2, 1, 3]).reshaped(to: [2, x.shape[2], 12]) }
      let library = attention(flat(queries), flat(keys), flat(values), heads: 3, causal: true)
      #expect(abs(flat(output) - library).max().scalar < 1e-5)
      #expect(abs(weights.sum(axis: 3) - 1).max().scalar < 1e-5)
      for t in 0..<time {
        let later = keyTime - time + t + 1..<keyTime
        if later.isEmpty { continue }
        #expect(abs(weights.sliced([0..<2, 0..<3, t..<t + 1, later])).max().scalar == 0)
      }
    }
  }

  @Test("Logits depend on every token so far and on none that comes later, by gradient", .solved("GPT.1"))
  func causality() {
    let model = smallModel()
    var random = Random(seed: 3)
    let sequence = Tensor.categorical(random: &random, count: 9, classes: 7)
    let embedded = model.tokens(sequence)  // [1, 9, 8]
    for time in 0..<9 {
      let slope = gradient(at: embedded) { x in
        var x = x + model.positions.table.sliced(0..<9, axis: 0)
        for block in model.blocks { x = block(x) { $0($1).output } }
        return square(matmul(model.norm(x), model.tokens.table, transposingSecond: true))
          .sliced(time..<time + 1, axis: 1).sum()
      }
      let size = abs(slope).sum(axis: 2).scalars
      #expect(size[...time].allSatisfy { $0 > 1e-5 })
      #expect(size[(time + 1)...].allSatisfy { $0 == 0 })
    }
  }

  @Test("The probabilities of all 64 sequences of three tokens sum to 1", .solved("GPT.1", "GPT.3"))
  func sumsToOne() {
    let model = smallModel(vocabulary: 4)
    var all: [Int32] = []
    for code in Int32(0)..<64 { all += [0, code / 16, code / 4 % 4, code % 4] }
    let sequences = IndexTensor(all, shape: [64, 4])
    let logProbabilities = -surprise(model(sequences), sequences).sum(axis: 1)
    #expect(abs(exp(logProbabilities).sum().scalar - 1) < 1e-5)
    #expect(logProbabilities.variance().scalar > 0.1)
  }

  @Test("A surprise is −ln of the probability that the time before gives", .solved("GPT.3"))
  func shiftByHand() {
    // Softmax of ln 1, ln 2, ln 5 is 1/8, 2/8, 5/8; of equal logits, a third.
    let logits = Tensor([0, log(2), log(5), 0, 0, 0, 9, 9, 9], shape: [1, 3, 3])
    let values = surprise(logits, IndexTensor([0, 2, 1], shape: [1, 3]))
    #expect(values.shape == [1, 2])
    #expect(zip(values.scalars, [log(Float(8) / 5), log(3)]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(
    "Reading with caches, in one piece or many, gives the full pass, wherever the pieces are cut",
    .solved("GPT.1", "GPT.4"), arguments: [[12], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [5, 1, 4, 2]])
  func caching(pieces: [Int]) {
    let model = smallModel()
    var random = Random(seed: 4)
    let sequence = Tensor.categorical(random: &random, count: 12, classes: 7)
    var caches = model.blocks.map { _ in KeyValueCache() }
    var start = 0
    var parts: [Tensor] = []
    for piece in pieces {
      parts.append(model(sequence.sliced(start..<start + piece, axis: 1), caches: &caches))
      start += piece
      #expect(caches.allSatisfy { $0.time == start })
    }
    #expect(abs(concatenate(parts, axis: 1) - model(sequence)).max().scalar < 1e-4)
  }

  @Test("The embedding is tied: gradients reach a token's row from below and as a logit from above", .solved("GPT.1"))
  func tied() {
    let model = smallModel()
    #expect(!model.parameters.contains { $0.parameter.wrappedValue.shape == [8, 7] })
    let logits = model(IndexTensor([2, 2], shape: [1, 2]))
    let rows = abs(gradients(of: logits.sum(), withRespectTo: [model.tokens.table])[0]).sum(axis: 1).scalars
    #expect(rows.allSatisfy { $0 > 1e-3 })
  }
}

extension Tensor {
  /// A random sequence, `[1, count]`.
  fileprivate static func categorical(random: inout Random, count: Int, classes: Int) -> IndexTensor {
    IndexTensor.categorical(logits: .zeros([1, count, classes]), using: &random)
  }
}

@MainActor
@Suite("Lesson02-GPT: byte pairs")
struct BytePairsTests {
  @Test("Merging by hand: a run of three is a pair and one, and a turned pair stays", .solved("GPT.2"))
  func mergeByHand() {
    #expect(merged([1, 1, 1, 2, 1], 1, 1, into: 9) == [9, 1, 2, 1])
    #expect(merged([2, 1, 1, 2, 1, 2, 1], 1, 2, into: 9) == [2, 1, 9, 9, 1])
    #expect(merged([], 1, 2, into: 9) == [] && merged([1], 1, 1, into: 9) == [1])
  }

  @Test(
    "The words of Sennrich and others: first e s, then es t; among equally frequent pairs the first by their tokens",
    .solved("GPT.2"))
  func paperExample() {
    let text = [("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)]
      .map { String(repeating: "." + $0.0, count: $0.1) }.joined()
    let pairs = BytePairs(Array(text.utf8), count: 260)
    // es 9, est 9; then .l, lo and ow are all in 7 words, and after .l the pairs ow and .lo.
    #expect(pairs.bytes.suffix(4).map { String(decoding: $0, as: UTF8.self) } == ["es", "est", ".l", "ow"])
  }

  @Test(
    "Any bytes come back from their tokens: 2,000 random strings, all bytes, no bytes, other scripts", .solved("GPT.2"))
  func roundTrip() throws {
    let text = Array(try TextCorpus.kingJames().validation.utf8.prefix(20_000))
    var pairs = BytePairs(text, count: 320)
    var random = Random(seed: 5)
    var strings: [[UInt8]] = [[], Array(0...255), Array("naïve 日本 🙂\r\n the the".utf8), [0xff, 0xfe, 0x80, 0x20]]
    for _ in 0..<2000 {
      let letters: [UInt8] = Bool.random(using: &random) ? Array(0...255) : Array(" the\n,".utf8)
      strings.append(
        (0..<Int.random(in: 0...20, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 })
    }
    for string in strings { #expect(pairs.bytes(of: pairs.tokens(of: string)) == string) }
    let tokens = pairs.tokens(of: text)
    #expect(pairs.bytes(of: tokens) == text && Double(tokens.count) < 0.65 * Double(text.count))
    #expect(tokens.allSatisfy { $0 >= 0 && $0 < 320 })
  }
}

@MainActor
@Suite("Lesson02-GPT: learning and samples")
struct GPTLearningTests {
  @Test(
    "Markov text of order 2: near its entropy rate, never below, and far below the pairs; samples follow its table",
    .solved("GPT.1", "GPT.3", "GPT.4"))
  func markov() {
    var random = Random(seed: 6)
    let law = MarkovText(letters: "abc", order: 2, length: 24, using: &random)
    let model = GPT(vocabulary: 3, context: 24, width: 24, heads: 2, layers: 2, using: &random)
    var optimizer = AdamW(model.parameters, beta2: 0.99)
    let schedule = Schedule.cosine(from: 1e-2, steps: 380).warmedUp(steps: 20)
    for step in 0..<400 {
      optimizer.learningRate = schedule(step)
      let x = law.samples(16, using: &random)
      optimizer.minimize(surprise(model(x), x).mean(), clippingToNorm: 1)
    }
    let test = law.samples(1000, using: &random)
    let losses = withoutGradients { surprise(model(test), test).sliced(7..<23, axis: 1).mean(axis: 1) }
    let estimate = Estimate(losses)
    #expect(Double(estimate.mean) < law.entropyRate + 0.03 + 3 * Double(estimate.standardError))
    #expect(Double(estimate.mean) > law.entropyRate - 3 * Double(estimate.standardError))

    // 150 samples of 24 letters against the table: χ² of 9 contexts with 2 degrees of freedom each. At 18 degrees a value above
    // 70 has a probability of 1e-7; the model's own distance adds a few.
    var counts = [[Double]](repeating: [0, 0, 0], count: 9)
    for _ in 0..<150 {
      let text = model.continuation(of: [0, 1], count: 22, using: &random).map { Int($0) }
      for t in 2..<24 { counts[text[t - 2] * 3 + text[t - 1]][text[t]] += 1 }
    }
    var statistic = 0.0
    for (row, law) in zip(counts, law.transitions) {
      let total = row.reduce(0, +)
      for (count, probability) in zip(row, law) {
        let expected = total * probability
        statistic += (count - expected) * (count - expected) / max(expected, 1e-9)
      }
    }
    #expect(statistic < 90)
  }

  @Test("Temperature and top-k: exact laws on four logits, and draws that keep to them")
  func sharpening() {
    let logits = log(Tensor([[1, 2, 4, 1]]))
    let law = softmax(sharpened(logits, temperature: 0.5, topK: nil)).scalars  // squares: 1, 4, 16, 1
    let squares: [Float] = [1, 4, 16, 1]
    #expect(zip(law, squares).allSatisfy { abs($0 - $1 / 22) < 1e-6 })
    let two = softmax(sharpened(logits, temperature: 1, topK: 2)).scalars
    let kept: [Float] = [0, 2, 4, 0]
    #expect(zip(two, kept).allSatisfy { abs($0 - $1 / 6) < 1e-6 })
    #expect(sharpened(logits, temperature: 1, topK: 4).scalars == logits.scalars)
  }

  @Test("Temperature 0 takes the likeliest token, and the cache changes no sample", .solved("GPT.1", "GPT.4"))
  func sampling() {
    let model = smallModel(context: 40)
    for temperature in [Float(0), 1] {
      var (one, other) = (Random(seed: 7), Random(seed: 7))
      let cached = model.continuation(of: [3, 1], count: 38, temperature: temperature, using: &one)
      let full = model.continuation(of: [3, 1], count: 38, temperature: temperature, isCaching: false, using: &other)
      #expect(cached == full && cached.count == 40)
      guard temperature == 0 else { continue }
      let logits = model(IndexTensor(cached, shape: [1, 40])).argmax(axis: 2).scalars
      #expect((2..<40).allSatisfy { cached[$0] == logits[$0 - 1] })
    }
  }

  @Test("The ratio of sums is exact on constant rates, and its standard error is that of independent windows")
  func ratioOfSums() {
    let counts = Tensor([1, 2, 3, 4])
    #expect(ratio(counts * 1.5, counts).mean == 1.5 && ratio(counts * 1.5, counts).standardError < 1e-6)
    let estimate = ratio(Tensor([1, 3]), Tensor([2, 2]))  // residuals −½ and ½
    #expect(estimate.mean == 1 && abs(estimate.standardError - Estimate(Tensor([-0.5, 0.5])).standardError) < 1e-6)
  }
}

@MainActor
@Suite("Lesson02-GPT: the command")
struct GPTCommandTests {
  @Test(
    "What the prompt, the temperature or top-k cannot be is said in one line",
    .solved("GPT.1", "GPT.2", "GPT.3", "GPT.4"),
    arguments: [
      (["--prompt", "日"], "\"日\""), (["--prompt", ""], "--prompt"), (["--temperature=-1"], "--temperature -1.0"),
      (["--temperature", "nan"], "--temperature nan"), (["--top-k", "0"], "--top-k 0"),
      (["--top-k", "900"], "only 95 characters"), (["--prompt", String(repeating: "a", count: 300)], "300 characters"),
    ])
  func badOptions(arguments: [String], named: String) throws {
    var options = try? GPTOptions.parse(arguments)
    options?.lesson = LessonOptions()
    guard let options else {
      let message = #expect(throws: (any Error).self) { try GPTOptions.parse(arguments) }
      #expect(GPTOptions.message(for: try #require(message)).contains(named))
      return
    }
    let vocabulary = Vocabulary(of: String(String.UnicodeScalarView((32..<127).compactMap(Unicode.Scalar.init))))
    let error = try #require(throws: Refusal.self) {
      try options.tokens(in: vocabulary, context: 256, 9999, 9999)
    }
    #expect(error.description.contains(named) && !error.description.contains("\n"))
  }

  @Test("The same seed gives the same numbers, and another seed others", .solved("GPT.1", "GPT.2", "GPT.3", "GPT.4"))
  func reproducible() {
    func losses(seed: UInt64) -> [Float] {
      var random = Random(seed: seed)
      let model = GPT(vocabulary: 5, context: 8, width: 8, heads: 2, layers: 1, using: &random)
      var optimizer = AdamW(model.parameters)
      return (0..<5).map { _ in
        let x = IndexTensor.categorical(logits: .zeros([4, 8, 5]), using: &random)
        let loss = surprise(model(x), x).mean()
        optimizer.minimize(loss)
        return loss.scalar
      }
    }
    #expect(losses(seed: 1) == losses(seed: 1) && losses(seed: 1) != losses(seed: 2))
  }
}
