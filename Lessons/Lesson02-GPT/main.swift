import ArgumentParser
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

struct GPTOptions: ParsableArguments {
  @OptionGroup var lesson: LessonOptions
  @Option(help: "The text that the model is to go on from.") var prompt = "And the LORD said unto "
  @Option(help: "Divides the logits: 0 takes the likeliest character, 1 draws from the model's law.")
  var temperature: Float = 0.7
  @Option(help: ArgumentHelp("Draws from the K likeliest characters alone.", valueName: "K")) var topK: Int?

  func validate() throws {
    if prompt.isEmpty { throw ValidationError("--prompt needs at least one character.") }
    if !temperature.isFinite || temperature < 0 {
      throw ValidationError("--temperature \(temperature): it must be a number from 0 up.")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k \(topK): at least 1 character must be left to draw from.") }
  }
}

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
let epochs = options.epochs ?? options.choose(quick: 2, standard: 10, full: 60)
let stepsPerEpoch = options.choose(quick: 30, standard: 150, full: 500)
let tokensPerStep = options.choose(quick: 512, standard: 512, full: 8192)
let learningRate: Float = options.choose(quick: 5e-3, standard: 5e-3, full: 1e-3)
let testWindows = options.choose(quick: 20, standard: 700, full: 1500)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())
struct Refusal: Error, CustomStringConvertible { let description: String }

// %% [markdown]
// ## A text whose entropy is known
//
// Ten letters, each drawn by the two before it, from a table of $100 \times 10$ probabilities. No model can be surprised less, on
// average, than the entropy rate; a table of pairs, which looks one letter back, is surprised more. What is counted are the letters from
// the 17th on. The difference from the true law's own surprise at the same letters has far less noise than the surprise itself.

// %%
var lawStream = Random(seed: 10)
let law = MarkovText(letters: "abcdefghij", order: 2, length: 64, using: &lawStream)
let chain = GPT(vocabulary: 10, context: 64, width: 48, heads: 4, layers: 2, using: &initialization)
let chainSteps = options.choose(quick: 60, standard: 700, full: 3000)
var chainOptimizer = AdamW(chain.parameters, beta2: 0.99)
let chainSchedule = Schedule.cosine(from: 6e-3, steps: chainSteps - 30).warmedUp(steps: 30)
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
let pairLoss = -pairs.logProbabilities(of: chains.reshaped(to: [32_000])).mean().scalar
notebook.measure(
  "Markov text", law.entropyRate + Estimate((found - exact).mean(axis: 1)), unit: "nats/token", floor: law.entropyRate,
  baseline: pairLoss, baselineName: "2-gram")

// %% [markdown]
// ## A real text
//
// The King James Version of the Bible (`--data DIR` takes other text files). The measure is nats per *character*, which makes models
// of characters and of byte pairs comparable. The baselines are exact counts on the same training text, smoothed by Witten and Bell's rule:
// the $n$-gram looks $n - 1$ characters back.

// %%
let corpus = orStop { try options.data.map { try TextCorpus(folder: $0) } ?? .kingJames() }
let vocabulary = Vocabulary(of: corpus.train + corpus.validation + corpus.test)
func characters(_ text: String) -> [Int32] { vocabulary.tokens(of: text)?.scalars ?? [] }
let text = (
  training: characters(corpus.train), validation: characters(corpus.validation), test: characters(corpus.test)
)
let prompt: [Int32] = orStop {
  if let odd = chosen.prompt.unicodeScalars.first(where: { !vocabulary.characters.contains($0) }) {
    throw Refusal(description: "--prompt: the text that the model learns from does not hold \"\(odd)\"")
  }
  if let topK = chosen.topK, topK > vocabulary.count {
    throw Refusal(description: "--top-k \(topK): there are only \(vocabulary.count) characters")
  }
  let prompt = characters(chosen.prompt)
  if prompt.count >= context {
    throw Refusal(description: "--prompt: has \(prompt.count) characters; the model reads at most \(context - 1)")
  }
  return prompt
}
if min(text.validation.count, text.test.count) <= 2 * context {
  orStop { throw Refusal(description: "\(options.data ?? "the text") is too short: give 20,000 characters or more") }
}
notebook.print("characters: train \(text.training.count), validation \(text.validation.count), test \(text.test.count)")
notebook.print("vocabulary: \(vocabulary.count) characters")

// %% [markdown]
// ## Training
//
// A step sees 512 tokens: first eight short windows of 64, put at random positions, since short windows are cheap and teach spelling; in the
// last fifth two windows of 256, the whole context. (Press and others, [arXiv 2012.15832](https://arxiv.org/abs/2012.15832), measure what this saves.)

// %%
/// Windows of a text that begin at `starts`, `[starts, length]`.
func windows(_ tokens: [Int32], at starts: [Int], length: Int) -> IndexTensor {
  IndexTensor(starts.flatMap { tokens[$0..<$0 + length] }, shape: [starts.count, length])
}

/// −ln p over windows spread over a text, of the second half of each window, so that all have half a context: `[windows, half]`.
func surprises(_ model: GPT, _ tokens: [Int32], windows count: Int) -> (losses: Tensor, starts: [Int]) {
  let length = model.context
  let starts = (0..<count).map { $0 * (tokens.count - length) / count }
  let parts = starts.indices.batches(ofSize: 20).map { batch in
    let x = windows(tokens, at: batch.map { starts[$0] }, length: length)
    return withoutGradients { surprise(model(x), x) }.sliced(length / 2 - 1..<length - 1, axis: 1)
  }
  return (concatenate(parts, axis: 0), starts)
}

func fit(_ model: GPT, name: String, _ tokens: [Int32], validation: [Int32]) -> TrainingState {
  var optimizer = AdamW(model.parameters, beta2: 0.99)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * stepsPerEpoch
  let schedule = Schedule.cosine(from: learningRate, to: learningRate / 20, steps: steps - steps / 20).warmedUp(
    steps: steps / 20)
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
    state.append(surprises(model, validation, windows: 40).losses.mean().scalar, to: "validation")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return state
}

let clock = Date()
let model = GPT(
  vocabulary: vocabulary.count, context: context, width: width, heads: heads, layers: layers, using: &initialization)
notebook.parameters = model.parameterCount
let state = fit(model, name: "gpt-characters", text.training, validation: text.validation)
print("chars", Date().timeIntervalSince(clock), state.history)

let grams = [2, 3, 4].map { NGram(IndexTensor(text.training), vocabulary: vocabulary.count, order: $0) }
print("grams", Date().timeIntervalSince(clock))
let t = surprises(model, text.test, windows: testWindows)
print("test", Date().timeIntervalSince(clock), Estimate(t.losses.mean(axis: 1)))
let gramLosses = grams.map { g in
  let l = -g.logProbabilities(of: IndexTensor(text.test))
  return concatenate(
    t.starts.map { l.sliced($0 + context / 2..<$0 + context, axis: 0).reshaped(to: [1, context / 2]) }, axis: 0)
}
print(gramLosses.map { Estimate($0.mean(axis: 1)) }, Date().timeIntervalSince(clock))
var bpe = BytePairs(Array(corpus.train.utf8.prefix(300_000)), count: 512)
print("bpe", Date().timeIntervalSince(clock))
let bt = bpe.tokens(of: Array(corpus.train.utf8))
print("bpe", bt.count, Double(text.training.count) / Double(bt.count), Date().timeIntervalSince(clock))
print(String(decoding: bpe.bytes(of: Array(400..<512)), as: UTF8.self))
for caching in [true, false] {
  let a = Date()
  var r = Random(seed: 1)
  let s = model.continuation(of: [0], count: 255, isCaching: caching, using: &r)
  print(vocabulary.text(of: IndexTensor(s)), Date().timeIntervalSince(a))
}
print(
  vocabulary.text(
    of: IndexTensor(
      model.continuation(of: prompt, count: 200, temperature: chosen.temperature, topK: chosen.topK, using: &sampling)))
)
