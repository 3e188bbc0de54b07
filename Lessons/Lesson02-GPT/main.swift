import LessonKit

// %% [markdown]
// # GPT: text, one token after another
//
// Any law of a sequence is a product of conditionals, $p(x) = \prod_t p(x_t | x_1 \dots x_{t-1})$. A table of counts can look two or
// three letters back. How does one look back at *everything*, and still train at all times at once? Radford and others,
// [Language Models are Unsupervised Multitask Learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
// (GPT-2, 2019), stack blocks of attention, in which each time asks all earlier times for what it needs:
//
// $$\mathrm{attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d}} + M\right) V, \qquad M_{ts} = -\infty \text{ where } s > t$$
//
// The mask $M$ makes every time a prediction from the past alone, so that one pass over a text gives as many lessons as it has letters.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions of the model for values

let chosen = GPTOptions.fromCommandLine()
let options = chosen.lesson
let notebook = LessonNotebook(lesson: "Lesson02-GPT", title: "GPT", options: options)

// %% [markdown]
// ## The model
//
// Two blocks at the default size. `swift run course start GPT` empties what stands between the marks of an exercise.

// %%
notebook.source(of: GPT.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers. An epoch is a fixed number of steps.

// %%
let context = 256
let (width, heads, layers) = options.choose(quick: (48, 4, 2), standard: (96, 4, 2), full: (384, 6, 6))
let epochs = options.epochs ?? options.choose(quick: 2, standard: 12, full: 60)
let pairEpochs = options.epochs ?? options.choose(quick: 2, standard: 8, full: 60)
let stepsPerEpoch = options.choose(quick: 30, standard: 150, full: 500)
let tokensPerStep = options.choose(quick: 512, standard: 512, full: 8192)
let pairTokens = options.choose(quick: 300, standard: 512, full: 2048)
let learningRate: Float = options.choose(quick: 5e-3, standard: 5e-3, full: 1e-3)
let testWindows = options.choose(quick: 20, standard: 400, full: 1500)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A text whose entropy is known
//
// Ten letters, each drawn by the two before it, from a table of $100 \times 10$ probabilities. No model can be surprised less, on
// average, than the entropy rate; a table of pairs, which looks one letter back, is surprised more. What is counted are the letters from
// the 17th on. The difference from the true law's own surprise at the same letters has far less noise than the surprise itself.

// %%
var lawStream = Random(seed: 10)
let law = MarkovText(letters: "abcdefghij", order: 2, length: 64, using: &lawStream)
let chain = GPT(vocabulary: 10, context: 64, width: 48, heads: 2, layers: 2, using: &initialization)
let chainSteps = options.choose(quick: 60, standard: 500, full: 3000)
var chainOptimizer = AdamW(chain.parameters, beta2: 0.99)
let chainSchedule = Schedule.cosine(from: 1e-2, steps: chainSteps - 30).warmedUp(steps: 30)
for step in 0..<chainSteps {
  chainOptimizer.learningRate = chainSchedule(step)
  let x = law.samples(16, using: &training)  // [16, 64]
  let loss = surprise(chain(x), x).mean()
  notebook.progress(step + 1, of: chainSteps, loss: loss.scalar, detail: "Markov text")
  chainOptimizer.minimize(loss, clippingToNorm: 1)
}

let chains = law.samples(500, using: &testing)  // [500, 64]
let found = withoutGradients { surprise(chain(chains), chains) }.sliced(15..<63, axis: 1)  // of letters 17 to 64
// The law's own surprise at the same letters, from the row of the table that each letter and the two before it name.
let table = Tensor(law.transitions.flatMap { $0.map { Float(-log($0)) } }, shape: [1000, 1])
let digits = Tensor(chains)
let row = digits.sliced(14..<62, axis: 1) * 100 + digits.sliced(15..<63, axis: 1) * 10 + digits.sliced(16..<64, axis: 1)
let exact = embedding(table, IndexTensor(row)).reshaped(to: [500, 48])
let pairs = NGram(law.samples(5000, using: &training).reshaped(to: [320_000]), vocabulary: 10, order: 2)
let pairsLoss = -pairs.logProbabilities(of: chains.reshaped(to: [32_000])).mean().scalar
notebook.measure(
  "Markov text", law.entropyRate + Estimate((found - exact).mean(axis: 1)), unit: "nats/token", floor: law.entropyRate,
  baseline: pairsLoss, baselineName: "2-gram")

// %% [markdown]
// ## A real text
//
// The King James Version of the Bible (`--data DIR` takes other text files), whole chapters held out. The measure is nats per
// *character*, in which models of characters and of byte pairs are comparable. The baselines are exact counts on the same training
// text, smoothed by the rule of Witten and Bell: an $n$-gram looks $n - 1$ tokens back.

// %%
let corpus = orStop { try options.data.map { try TextCorpus(folder: $0) } ?? .kingJames() }
let trainingText = options.size == .quick ? String(corpus.train.unicodeScalars.prefix(300_000)) : corpus.train
let vocabulary = Vocabulary(of: trainingText + corpus.validation + corpus.test)
func characters(_ text: String) -> [Int32] { vocabulary.tokens(of: text)?.scalars ?? [] }
let (train, validation, test) = (
  characters(trainingText), characters(corpus.validation), characters(corpus.test)
)
let prompt = orStop { try chosen.tokens(in: vocabulary, context: context, validation.count, test.count) }
notebook.print("characters: train \(train.count), validation \(validation.count), test \(test.count)")
notebook.print(
  "\(vocabulary.count) different ones: \(vocabulary.text(of: IndexTensor((0..<vocabulary.count).map(Int32.init))).debugDescription)"
)

// %% [markdown]
// ## Training
//
// A step sees 512 tokens: first eight windows of 64 at random positions, since short windows are cheap and teach spelling; in the last
// fifth, windows as long as the context ([Press and others](https://arxiv.org/abs/2012.15832) measure what this saves). The loss of a
// window counts every token but its first. The state is saved after each epoch; `--resume` goes on from there.

// %%
func fit(_ model: GPT, name: String, epochs: Int, _ tokens: [Int32], validation: [Int32]) -> TrainingState {
  var optimizer = AdamW(model.parameters, beta2: 0.99)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * stepsPerEpoch
  let schedule = Schedule.cosine(from: learningRate, to: learningRate / 20, steps: steps - steps / 20)
    .warmedUp(steps: steps / 20)
  while state.epoch < epochs {
    var total: Float = 0
    for _ in 0..<stepsPerEpoch {
      let length = optimizer.step < steps * 4 / 5 ? 64 : model.context
      let starts = (0..<tokensPerStep / length).map { _ in
        Int.random(in: 0...tokens.count - length, using: &state.random)
      }
      let x = windows(tokens, at: starts, length: length)  // [batch, length]
      let offset = Int.random(in: 0...model.context - length, using: &state.random)
      optimizer.learningRate = schedule(optimizer.step)
      let loss = surprise(model(x, from: offset), x).mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss, clippingToNorm: 1)
      total += loss.scalar
    }
    state.append(total / Float(stepsPerEpoch), to: "train")
    let held = surprises(model, validation, at: spread(30, over: validation, length: model.context))
    state.append(held.mean().scalar, to: "validation")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return state
}

func makeModel(vocabulary: Int, context: Int) -> GPT {
  GPT(vocabulary: vocabulary, context: context, width: width, heads: heads, layers: layers, using: &initialization)
}
let model = makeModel(vocabulary: vocabulary.count, context: context)
notebook.parameters = model.parameterCount
let state = fit(model, name: "gpt-characters", epochs: epochs, train, validation: validation)

// %% [markdown]
// ## Byte pairs
//
// A token need not be a character. Byte-pair encoding starts from the 256 bytes and again and again makes the most frequent pair of
// neighbours a new token: `t` `h`, then `th` `e`, then ` the`. Since every byte is a token, *any* text can be written, known or not.

// %%
notebook.source(of: BytePairs.self)
let learned = Array(trainingText.utf8.prefix(options.choose(quick: 40_000, standard: 150_000, full: 1_000_000)))
var bytePairs = BytePairs(learned, count: pairTokens)
let (pairTrain, pairValidation, pairTest) = (
  bytePairs.tokens(of: Array(trainingText.utf8)), bytePairs.tokens(of: Array(corpus.validation.utf8)),
  bytePairs.tokens(of: Array(corpus.test.utf8))
)
func text(_ tokens: [Int32]) -> String { String(decoding: bytePairs.bytes(of: tokens), as: UTF8.self) }
notebook.print("the first pairs:", (256..<276).map { text([Int32($0)]).debugDescription }.joined(separator: " "))
notebook.print(
  "train: \(pairTrain.count) tokens of \(bytePairs.count), \(Float(train.count) / Float(pairTrain.count)) characters each"
)
let strange = bytePairs.tokens(of: Array("naïve 日本 🙂".utf8))
notebook.print("\(text(strange)) is \(strange.count) tokens, and comes back")
let pairModel = makeModel(vocabulary: bytePairs.count, context: context / 2)
let pairState = fit(pairModel, name: "gpt-byte-pairs", epochs: pairEpochs, pairTrain, validation: pairValidation)

// %% [markdown]
// ## Results
//
// All models are measured on windows spread over the held-out chapters, each on its second half. A standard error takes windows as
// independent; the gain over the 3-gram is measured on the same characters, so its own is smaller.

// %%
let starts = spread(testWindows, over: test, length: context)
let orders = vocabulary.count <= 75 ? [2, 3, 4] : [2, 3]  // 75⁴ is about as many as can be counted
let grams = orders.map { order in
  surprises(ofOrder: order, train, vocabulary: vocabulary.count, test, at: starts, length: context).mean(axis: 1)
}
let losses = surprises(model, test, at: starts).mean(axis: 1)  // nats/character of each window

let pairStarts = spread(testWindows, over: pairTest, length: pairModel.context)
// Characters that begin in each window's second half: all bytes but the later ones of a character in UTF-8.
let lengths = Tensor(
  pairStarts.map { start in
    let tokens = Array(pairTest[start + pairModel.context / 2..<start + pairModel.context])
    return Float(bytePairs.bytes(of: tokens).count { $0 & 0xc0 != 0x80 })
  })
let pairGram = surprises(
  ofOrder: 2, pairTrain, vocabulary: bytePairs.count, pairTest, at: pairStarts, length: pairModel.context)
let pairGramLoss = ratio(pairGram.sum(axis: 1), lengths)
let pairLoss = ratio(surprises(pairModel, pairTest, at: pairStarts).sum(axis: 1), lengths)

notebook.measure(
  "test, by characters", Estimate(losses), unit: "nats/character", baseline: grams[1].mean().scalar,
  baselineName: "3-gram")
notebook.measure("gain over the 3-gram", Estimate(grams[1] - losses), unit: "nats/character")
notebook.measure(
  "test, by byte pairs", pairLoss, unit: "nats/character", baseline: pairGramLoss.mean,
  baselineName: "2-gram of byte pairs")
let rows =
  zip(orders, grams).map { ("\($0)-gram of characters", Estimate($1)) } + [
    ("GPT by characters", Estimate(losses)), ("2-gram of byte pairs", pairGramLoss), ("GPT by byte pairs", pairLoss),
  ]
notebook.table(
  headers: ["model", "nats/character", "± s.e.", "bits/character"],
  rows: rows.map { [$0, $1.mean, $1.standardError, $1.mean / log(2)] },
  caption: "\(testWindows) windows of held-out text")

let perToken = Float(pairTrain.count) / Float(train.count)
notebook.show(
  LinePlot(
    title: "Training, and what counting reaches", xLabel: "epoch", yLabel: "nats/character",
    series: [("characters", state, Float(1)), ("byte pairs", pairState, perToken)].flatMap { name, state, scale in
      ["train", "validation"].map { curve in
        Series("\(name), \(curve)", x: Array(1...state.epoch), y: (state.history[curve] ?? []).map { $0 * scale })
      }
    },
    references: zip(orders, grams).map { ReferenceLine("\($0)-gram", $1.mean().scalar) }),
  named: "training")

// %% [markdown]
// ## What the heads look at
//
// One row of a map for each character, which looks at the characters before it; a bright cell is a large weight. Its rows sum to 1.
// Some heads of the first block look at the characters just before, as a table of pairs or triples would; others spread over all
// that came.

// %%
let sample = windows(test, at: [0], length: 48)  // [1, 48]
let weights = withoutGradients { model.attentionWeights(sample) }  // each [1, heads, 48, 48]
notebook.show(
  ImageGrid(
    sqrt(concatenate(weights, axis: 1)).reshaped(to: [layers * heads, 48, 48, 1]), columns: heads,
    rowLabels: (1...layers).map { "layer \($0)" }, columnLabels: (1...heads).map { "head \($0)" }),
  named: "attention", caption: "Weights (their square roots) over \(vocabulary.text(of: sample).debugDescription)")

// %% [markdown]
// ## Sampling with a cache
//
// Each new token needs the keys and values of all earlier ones, which never change: kept, one pass over one token gives the next.
// Without a cache, $n$ tokens cost $n(n+1)/2$ token passes in place of $n$. Both must give the same logits.

// %%
/// A text of 256 characters, and the best time of three that it took, in seconds.
func timed(isCaching: Bool) -> (text: [Int32], seconds: Double) {
  var best: (text: [Int32], seconds: Double) = ([], .infinity)
  for _ in 0..<3 {
    var random = sampling
    let start = Date()
    let text = model.continuation(of: [prompt[0]], count: context - 1, isCaching: isCaching, using: &random)
    best = (text, min(best.seconds, Date().timeIntervalSince(start)))
  }
  return best
}
let (withCache, withoutCache) = (timed(isCaching: true), timed(isCaching: false))
let drawn = IndexTensor(withCache.text, shape: [1, context])
let difference = withoutGradients {
  var caches = model.blocks.map { _ in KeyValueCache() }
  let steps = (0..<context).map { model(drawn.sliced($0..<$0 + 1, axis: 1), caches: &caches) }
  return abs(concatenate(steps, axis: 1) - model(drawn)).max().scalar
}
notebook.measure("largest difference of a logit, cached and full", difference, unit: "nats")
notebook.measure("speed-up by the cache at \(context) tokens", withoutCache.seconds / withCache.seconds, unit: "times")
notebook.print(
  "\(withCache.seconds) s and \(withoutCache.seconds) s; the same text: \(withCache.text == withoutCache.text)")

// %% [markdown]
// ## Completions
//
// `--prompt`, `--temperature` and `--top-k` are options. A low temperature repeats what is safe; at 1 the text is the model's own law, with
// its invented words; $k$ cuts off the long tail of unlikely characters, from which one bad draw would lead astray.

// %%
func complete(_ temperature: Float, _ topK: Int?, byPairs: Bool) -> [Any] {
  let (model, start) = byPairs ? (pairModel, bytePairs.tokens(of: Array(chosen.prompt.utf8))) : (model, prompt)
  let count = min(byPairs ? 80 : 200, model.context - start.count)
  let tokens = model.continuation(of: start, count: count, temperature: temperature, topK: topK, using: &sampling)
  let completion = byPairs ? text(tokens) : vocabulary.text(of: IndexTensor(tokens))
  return [
    byPairs ? "byte pairs" : "characters", "\(temperature)", topK.map { "\($0)" } ?? "all",
    completion.replacing("\n", with: " / "),
  ]
}
let settings: [(Float, Int?)] = [(chosen.temperature, chosen.topK), (0, nil), (1, nil), (1, 5)]
notebook.table(
  headers: ["model", "temperature", "top-k", "completion"],
  rows: [false, true].flatMap { byPairs in settings.map { complete($0.0, $0.1, byPairs: byPairs) } },
  caption: "Completions of \"\(chosen.prompt)\"; a stroke is the end of a verse")

// %% [markdown]
// ## What to try next
//
// - Set the start of the learned positions to small noise, as the paper does. How many steps later does the loss leave the 2-gram behind?
// - Take the second block away. Can one layer of attention still reach the entropy rate of the Markov text? And why not?
// - Which $n$-gram does the byte-pair model catch up with if it is given 2,048 tokens in place of 512?
// - `swift run Lesson02-GPT --full` trains six blocks of width 384 on the whole text, for hours; `--resume` goes on.

// %%
notebook.finish(verdict: "test, by characters", data: options.data ?? "king-james", picture: "attention")
