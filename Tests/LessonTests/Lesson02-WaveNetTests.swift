import LessonKit
import Testing

@testable import Lesson02_WaveNet

@MainActor
@Suite("Lesson02-WaveNet: identity")
struct WaveNetIdentityTests {
  private func network(
    levels: Int = 8, channels: Int = 6, dilations: [Int], conditions: Int = 0, seed: UInt64 = 1
  ) -> WaveNet {
    var random = Random(seed: seed)
    return WaveNet(
      levels: levels, channels: channels, skips: 8, dilations: dilations, conditions: conditions, using: &random)
  }

  @Test("Companding is G.711's curve by hand, and expanding undoes it", .solved("WaveNet.1", "WaveNet.2"))
  func muLaw() {
    // ln(1 + 255 · 0.5) / ln 256 and ln(1 + 2.55) / ln 256.
    let y = companded(Tensor([-1, -0.5, 0, 0.01, 1]), levels: 256)
    #expect(zip(y.scalars, [-1, -0.875_703, 0, 0.228_477, 1]).allSatisfy { abs($0 - $1) < 1e-5 })
    var random = Random(seed: 1)
    let x = Tensor.uniform([1000], in: -1..<1, using: &random)
    for levels in [2, 16, 256] {
      #expect(abs(expanded(companded(x, levels: levels), levels: levels) - x).max().scalar < 1e-5)
    }
  }

  @Test(
    "Levels are those of the shipped quantiser, and each is the level of its own amplitude",
    .solved("WaveNet.1", "WaveNet.2"))
  func quantizing() {
    var random = Random(seed: 2)
    let x = Tensor.uniform([4000], in: -1.2..<1.2, using: &random)
    for levels in [16, 256] {
      let quantizer = Quantizer.muLaw(levels: levels)
      // Rounding may put a value on the other side of an edge, one in some ten thousand.
      let different = zip(encoded(x, levels: levels).scalars, quantizer.indices(of: x).scalars).count { $0 != $1 }
      #expect(different <= 3)
      let every = IndexTensor(Array(0..<Int32(levels)))
      #expect(encoded(decoded(every, levels: levels), levels: levels) == every)
      #expect(abs(decoded(every, levels: levels) - quantizer.values(of: every)).max().scalar < 1e-6)
    }
  }

  @Test(
    "The dilated convolution is W₀ x_{t−d} + W₁ x_t + b, by the sum itself", .solved("WaveNet.3"), arguments: [1, 3, 8])
  func convolution(dilation: Int) {
    var random = Random(seed: 3)
    let (x, w) = (Tensor.normal([2, 7, 3], using: &random), Tensor.normal([2, 3, 4], using: &random))
    let b = Tensor.normal([4], using: &random)
    let y = dilatedCausalConvolution(x, weight: w, bias: b, dilation: dilation)
    #expect(y.shape == [2, 7, 4])
    let (xs, ws, bs, ys) = (x.scalars, w.scalars, b.scalars, y.scalars)
    for n in 0..<2 {
      for t in 0..<7 {
        for o in 0..<4 {
          let sum = (0..<3).reduce(bs[o]) { sum, i in
            let past = t < dilation ? 0 : xs[(n * 7 + t - dilation) * 3 + i]
            return sum + ws[i * 4 + o] * past + ws[(3 + i) * 4 + o] * xs[(n * 7 + t) * 3 + i]
          }
          #expect(abs(ys[(n * 7 + t) * 4 + o] - sum) < 1e-4)
        }
      }
    }
  }

  @Test("Probabilities of all 4⁴ sounds sum to 1", .solved("WaveNet.2", "WaveNet.3"))
  func sumsToOne() {
    let every = IndexTensor((0..<256).flatMap { code in (0..<4).map { Int32(code >> (2 * $0) & 3) } }, shape: [256, 4])
    for (conditions, h) in [(0, nil), (2, Tensor([[0.3, -1]]).broadcast(to: [256, 2]))] {
      let model = network(levels: 4, dilations: [1, 2], conditions: conditions)
      let logarithms = categoricalLogLikelihood(model(every, h: h), every).sum(axis: 1)
      #expect(abs(exp(logarithms).sum().scalar - 1) < 1e-5)
    }
  }

  @Test(
    "A prediction reads exactly the receptive field: nothing at or after its own time, each sample of the 1 + Σ d before",
    .solved("WaveNet.2", "WaveNet.3"), arguments: [[1], [2, 1], [1, 2, 4], [1, 2, 4, 1, 2, 4]])
  func receptiveField(dilations: [Int]) {
    let model = network(dilations: dilations)
    let reach = 1 + dilations.reduce(0, +)
    #expect(model.receptiveField == reach)
    var random = Random(seed: 4)
    let length = reach + 6
    let codes = IndexTensor.categorical(logits: .zeros([1, length, 8]), using: &random)
    let weight = Tensor.normal([8], using: &random)
    for time in [length - 3, length - 1] {
      let slopes = gradient(at: model.embedded(codes)) { x in
        (model.scores(x).sliced(time..<time + 1, axis: 1) * weight).sum()
      }
      let influence = abs(slopes).sum(axis: 2).scalars
      for other in 0..<length {
        let isRead = (1...reach).contains(time - other)
        // The least of these is the product of a few random weights, never so small as this by chance.
        #expect(isRead ? influence[other] > 1e-9 : influence[other] == 0, "\(other) on \(time)")
      }
    }
    // The sum over levels of gradients could cancel for the sample itself alone: values too.
    var scalars = codes.scalars
    scalars[length - 3] = (scalars[length - 3] + 1) % 8
    let moved = abs(model(IndexTensor(scalars, shape: [1, length])) - model(codes)).sum(axis: 2).scalars
    #expect(moved[..<(length - 2)].allSatisfy { $0 == 0 } && moved[length - 2] > 1e-4)
  }

  @Test(
    "Queues give the scores of the whole pass, and the same samples as the naive way, beyond the receptive field",
    .solved("WaveNet.2", "WaveNet.3", "WaveNet.4"))
  func cacheEqualsPass() {
    let model = network(levels: 16, dilations: [1, 2, 4, 1, 3], conditions: 3)
    var random = Random(seed: 5)
    let h = Tensor.normal([3, 3], using: &random)
    let codes = IndexTensor.categorical(logits: .zeros([3, 40, 16]), using: &random)
    let whole = model(codes, h: h)
    var cache = model.cache(batch: 3, h: h)
    for time in 0..<40 {
      let last = time == 0 ? nil : codes.sliced(time - 1..<time, axis: 1).reshaped(to: [3])
      let scores = model.step(after: last, &cache)
      let expected = whole.sliced(time..<time + 1, axis: 1).reshaped(to: [3, 16])
      #expect(abs(scores - expected).max().scalar < 1e-4, "time \(time)")
    }
    var (first, second, other) = (Random(seed: 6), Random(seed: 6), Random(seed: 7))
    let samples = model.sample(40, batch: 3, h: h, using: &first)
    #expect(samples == model.naiveSample(40, batch: 3, h: h, using: &second))
    #expect(samples != model.sample(40, batch: 3, h: h, using: &other))
  }

  @Test("The condition moves every prediction, and each sound has its own", .solved("WaveNet.2", "WaveNet.3"))
  func conditioning() {
    let model = network(dilations: [1, 2], conditions: 2)
    let codes = IndexTensor([Int32](repeating: 3, count: 10), shape: [2, 5])
    let h = Tensor([[1, 0], [0, 1]])
    let scores = model(codes, h: h)
    let apart = abs(scores.sliced(0..<1, axis: 0) - scores.sliced(1..<2, axis: 0)).sum(axis: 2).scalars
    #expect(apart.allSatisfy { $0 > 1e-3 })
    let alone = model(codes.sliced(1..<2, axis: 0), h: h.sliced(1..<2, axis: 0))
    #expect(abs(scores.sliced(1..<2, axis: 0) - alone).max().scalar < 1e-5)
  }
}

@MainActor
@Suite("Lesson02-WaveNet: learning and samples")
struct WaveNetLearningTests {
  private let process = AutoregressiveProcess(period: 8, damping: 0.7, standardDeviation: 0.3, length: 128)

  private func fit(_ law: QuantizedProcess, steps: Int, seed: UInt64) -> WaveNet {
    var random = Random(seed: seed)
    let model = WaveNet(
      levels: law.quantizer.levels, channels: 12, skips: 24, dilations: [1, 2, 4], using: &random)
    var optimizer = Adam(model.parameters, beta2: 0.99)
    let schedule = Schedule.cosine(from: 1e-2, steps: steps).warmedUp(steps: 20)
    for step in 0..<steps {
      let x = law.samples(8, using: &random)
      optimizer.learningRate = schedule(step)
      optimizer.minimize(-categoricalLogLikelihood(model(x), x).mean(), clippingToNorm: 1)
    }
    return model
  }

  @Test(
    "AR(2) at 32 levels: within 0.03 nats of the exact floor, never below it, and samples have the law's moments",
    .solved("WaveNet.2", "WaveNet.3", "WaveNet.4"))
  func autoregressive() {
    let law = QuantizedProcess(process, quantizer: .muLaw(levels: 32))
    let model = fit(law, steps: 220, seed: 1)
    var random = Random(seed: 2)
    let x = law.samples(100, using: &random)
    let ours = withoutGradients { categoricalLogLikelihood(model(x), x).sum(axis: 1) }
    let gap = Estimate((law.logProbability(of: x) - ours) / 128)
    #expect(gap.mean < 0.03)
    #expect(gap.mean > -3 * gap.standardError)
    // What levels alone would cost is far more.
    let alone = QuantizedProcess(
      AutoregressiveProcess(coefficients: process.coefficients, deviation: process.deviation, length: 1),
      quantizer: law.quantizer)
    #expect(law.entropyRate + Double(gap.mean) < alone.entropy - 0.3)

    // 200 sounds of the model and of the law: the law's exact log-probability, in nats/sample, and the products at lags 0, 1, 4
    // over the variance. Five standard errors are a false alarm at 6e-7 each; 0.05 more is left for what is not learnt.
    let drawn = [model.sample(128, batch: 200, using: &random), law.samples(200, using: &random)]
    func difference(_ values: (IndexTensor) -> Tensor) -> (Float, error: Float) {
      let (ours, exact) = (Estimate(values(drawn[0])), Estimate(values(drawn[1])))
      return (abs(ours.mean - exact.mean), hypot(ours.standardError, exact.standardError))
    }
    let (surprise, error) = difference { law.logProbability(of: $0) / 128 }
    #expect(surprise < 5 * error + 0.05)
    for lag in [0, 1, 4] {
      let (product, error) = difference { codes in
        let x = decoded(codes, levels: 32)
        return (x.sliced(lag..<128, axis: 1) * x.sliced(0..<128 - lag, axis: 1)).mean(axis: 1) / 0.09
      }
      #expect(product < 5 * error + 0.05, "lag \(lag)")
    }
  }

  @Test("The corrected floor: the exact rate is above the formula for narrow cells, the more the fewer levels")
  func correctedFloor() {
    let rates = [8, 16, 64].map { levels in
      let law = QuantizedProcess(process, quantizer: .muLaw(levels: levels))
      return (law.entropyRate - law.smallCellEntropyRate, law.entropyRateStandardError)
    }
    #expect(rates[..<2].allSatisfy { $0.0 > 5 * $0.1 } && rates[2].0 > -3 * rates[2].1)
    #expect(rates[0].0 > rates[1].0 + 0.01 && rates[1].0 > rates[2].0)
  }

  @Test("Tones have the pitch they are given, by the transform and by counting their turns, and noise its entropy")
  func tones() {
    let tones = Tones(sampleRate: 8000, range: 196...988, amplitudes: [0.4, 0.2, 0.1], noise: 0.02)
    var random = Random(seed: 3)
    let pitches = Tensor([220, 313.7, 440, 700.2, 880])
    let found = tones.strongestFrequencies(of: tones.samples(pitches, length: 4000, using: &random))
    #expect(zip(found, pitches.scalars).allSatisfy { abs($0 - $1) < 0.3 })
    let pure = Tones(sampleRate: 8000, range: 196...988, amplitudes: [0.5], noise: 0)
    let wave = pure.clean(Tensor([440]), length: 8000, using: &random).scalars
    let rising = zip(wave, wave.dropFirst()).count { $0 < 0 && $1 >= 0 }
    #expect(abs(rising - 440) <= 1)
    // Noise much wider than the cells around 0, and no tone: the density's entropy less E ln Δ, by an integral of ours.
    let quantizer = Quantizer.uniform(levels: 200)
    let noise = Tones(sampleRate: 8000, range: 196...988, amplitudes: [0], noise: 0.1)
    #expect(abs(noise.noiseEntropy(quantizer, using: &random) - (1.418_939 + log(0.1) - log(0.01))) < 1e-3)
  }

  @Test(
    "The same seed gives the same numbers after a little training, and another seed gives others",
    .solved("WaveNet.2", "WaveNet.3", "WaveNet.4"))
  func reproducible() {
    let law = QuantizedProcess(process, quantizer: .muLaw(levels: 16))
    let samples = [UInt64(1), 1, 2].map { seed -> [Int32] in
      var random = Random(seed: 9)
      return fit(law, steps: 5, seed: seed).sample(50, batch: 1, using: &random).scalars
    }
    #expect(samples[0] == samples[1] && samples[0] != samples[2])
  }
}

@Suite("Lesson02-WaveNet: the command")
struct WaveNetCommandTests {
  @Test(
    "A pitch that was not trained gets one clear line and a status that is not 0",
    .solved("WaveNet.1", "WaveNet.2", "WaveNet.3", "WaveNet.4"), arguments: ["100", "880.5", "high", "nan"])
  func badPitch(pitch: String) throws {
    let runner = try LessonRunner("Lesson02-WaveNet")
    defer { runner.remove() }
    let outcome = try runner.run(["--quick", "--pitch", pitch])
    #expect(outcome.status != 0)
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.filter(\.isNewline).count == 1)
    #expect(outcome.errors.contains("--pitch"))
  }
}
