import ArgumentParser
import LessonKit

// %% [markdown]
// # WaveNet
//
// A second of sound is thousands of numbers, and what comes next may depend on what was long ago. Van den Oord and others,
// [WaveNet: A Generative Model for Raw Audio](https://arxiv.org/abs/1609.03499) (2016), model the samples one by one,
//
// $$p(x\,|\,h) = \prod_t p(x_t \,|\, x_1, \dots, x_{t-1}, h),$$
//
// each factor a softmax over 256 levels. Convolutions that read only the past make all factors of a known sound at once, and
// *dilated* ones, whose taps lie 1, 2, 4, … 512 samples apart, reach back 1,024 samples with 10 layers of two taps.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values

struct WaveNetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The fundamental of the tone to play: 220 to 880 Hz.", valueName: "HZ"))
  var pitch: Float = 440
  @OptionGroup var lesson: LessonOptions

  func validate() throws {
    guard !(220...880).contains(pitch) else { return }
    throw ValidationError("--pitch \(pitch): the model is trained for tones of 220 to 880 Hz.")
  }
}

let command = WaveNetOptions.fromCommandLine()
let options = command.lesson
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson02-WaveNet", title: "WaveNet", options: options)

// %% [markdown]
// ## The model
//
// A block convolves, gates, $z = \tanh(W_f * x + V_f h) \odot \sigma(W_g * x + V_g h)$, and adds a linear map of $z$ to its input.
// What all blocks found goes by skip connections to the softmax.

// %%
notebook.source(of: WaveNet.self)

// %% [markdown]
// ## Configuration
//
// Two models: a small one for a law that needs little memory and whose floor is known, and one for tones with a long memory.
// Both laws can be sampled without end, so no sound is ever shown twice, and the loss while training is a test loss.

// %%
let levels = 256
let epochs = options.epochs ?? options.choose(quick: 2, standard: 20, full: 40)
let noiseSteps = options.choose(quick: 100, standard: 64, full: 200)  // in an epoch
let toneSteps = options.choose(quick: 40, standard: 25, full: 200)
let (stacks, doublings) = options.choose(quick: (1, 7), standard: (1, 10), full: (3, 10))
let (channels, skips) = options.choose(quick: (16, 32), standard: (32, 64), full: (64, 128))

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## μ-law
//
// 16-bit sound has 65,536 levels, too many for a softmax. The ear judges loudness by ratios, so the paper keeps 256 levels that lie
// close together near 0 and far apart at ±1: equally far apart after companding. Here is what 16 would do.

// %%
let ramp = Tensor((-100...100).map { Float($0) / 100 })
notebook.show(
  LinePlot(
    title: "μ-law companding", xLabel: "amplitude", yLabel: "value",
    series: [
      Series("companded, 256 levels", x: ramp.scalars, y: companded(ramp, levels: 256).scalars),
      Series("16 levels", x: ramp.scalars, y: decoded(encoded(ramp, levels: 16), levels: 16).scalars),
    ]),
  named: "mu-law")

// %% [markdown]
// ## A law whose floor is known
//
// A resonance, rung by noise: $x_t = a_1 x_{t-1} + a_2 x_{t-2} + \sigma\varepsilon_t$, with a period of 16 samples. The entropy of a sample
// given the past is $\tfrac12\ln 2\pi e\sigma^2$, and of its level, for narrow cells, that less $\mathbb{E}\ln\Delta$, $\Delta$ being the cell's
// width. Where cells are wide the formula is too low, for two reasons: the density bends within a cell, and levels do not tell where
// in its cell each value before lay. The exact rate counts both, by quadrature: it is the floor, and a sample's own entropy the baseline.

// %%
let length = 512
func process(_ length: Int) -> AutoregressiveProcess {
  AutoregressiveProcess(period: 16, damping: 0.9, standardDeviation: 0.25, length: length)
}
func law(_ length: Int, levels: Int = levels) -> QuantizedProcess {
  QuantizedProcess(process(length), quantizer: .muLaw(levels: levels))
}

notebook.table(
  headers: ["levels", "formula", "and the density bends", "and places are unknown: exact", "± s.e."],
  rows: [16, 32, 64, 256].map { levels in
    let law = law(length, levels: levels)
    let (formula, error) = (law.smallCellEntropyRate, law.entropyRateStandardError)
    return [levels, formula, law.entropyRateLowerBound, law.entropyRate, error]
  },
  caption: "Entropy of a sample's level given all before it, in nats; σ = \(Float(process(1).deviation))")
let entropyRate = law(length).entropyRate

// %% [markdown]
// ## Training
//
// One loop for both models: draw a batch, take the mean of $-\log p(x_t|\ldots)$ over all its samples, go one step down. The rate
// follows half a cosine to 0. The state is saved after each epoch; `--resume` goes on from there.

// %%
func fit(
  _ model: WaveNet, name: String, steps: Int, rate: Float, draw: (inout Random) -> (x: IndexTensor, h: Tensor?)
) -> TrainingState {
  var optimizer = Adam(model.parameters, beta2: 0.99)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let schedule = Schedule.cosine(from: rate, steps: epochs * steps - 30).warmedUp(steps: 30)
  while state.epoch < epochs {
    var total: Float = 0
    for _ in 0..<steps {
      let (x, h) = draw(&state.random)  // [batch, time]
      let loss = -categoricalLogLikelihood(model(x, h: h), x).mean()
      notebook.progress(optimizer.step + 1, of: epochs * steps, loss: loss.scalar, detail: name)
      optimizer.learningRate = schedule(optimizer.step)
      optimizer.minimize(loss, clippingToNorm: 1)
      total += loss.scalar
    }
    state.append(total / Float(steps), to: "loss")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return state
}

let noiseModel = WaveNet(levels: levels, channels: 16, skips: 32, dilations: [1, 2, 4, 8], using: &initialization)
let noiseLaw = law(256)
let noiseState = fit(noiseModel, name: "resonance", steps: noiseSteps, rate: 8e-3) { random in
  (noiseLaw.samples(4, using: &random), nil)
}

// %% [markdown]
// ## How near the floor
//
// On fresh sounds the model is compared with the law's own exact log-probability of the same samples. The difference, which has little
// noise, is what the model still loses; floor plus difference is its loss. The first 32 samples, where the past is short, do not count.

// %%
let skipped = 32
func logProbability(_ model: WaveNet, _ x: IndexTensor, h: Tensor? = nil, from start: Int) -> Tensor {
  let each = withoutGradients { categoricalLogLikelihood(model(x, h: h), x) }
  return each.sliced(start..<x.shape[1], axis: 1).mean(axis: 1)  // [batch]
}
let tests = (0..<options.choose(quick: 1, standard: 8, full: 32)).map { _ in law(length).samples(32, using: &testing) }
let losses = tests.map { x -> Tensor in
  let start = law(skipped).logProbability(of: x.sliced(0..<skipped, axis: 1))
  let exact = (law(length).logProbability(of: x) - start) / Float(length - skipped)
  return exact - logProbability(noiseModel, x, from: skipped)
}
let excess = Estimate(concatenate(losses, axis: 0))
let error = hypot(excess.standardError, Float(law(length).entropyRateStandardError))
notebook.measure(
  "test loss", Float(entropyRate) + excess.mean, standardError: error, unit: "nats/sample", floor: entropyRate,
  baseline: law(1).entropy, baselineName: "samples alone")
notebook.measure("resonance: loss above the floor", excess, unit: "nats/sample", floor: 0)

// %% [markdown]
// The softmax is not told that levels have an order, nor that the noise is Gaussian. Beside the exact law, for the next sample of two sounds:

// %%
let prefixes = tests[0].sliced(0..<2, axis: 0).sliced(0..<skipped + 1, axis: 1)  // [2, 33]
let predicted = withoutGradients { softmax(noiseModel(prefixes)) }
let panels = (0..<2).map { row -> LinePlot in
  let past = prefixes.scalars[row * (skipped + 1)..<row * (skipped + 1) + skipped]
  let every = IndexTensor((0..<Int32(levels)).flatMap { past + [$0] }, shape: [levels, skipped + 1])
  let model = predicted.sliced([row..<row + 1, skipped..<skipped + 1, 0..<levels]).scalars
  return LinePlot(
    title: "Next sample of sound \(row + 1)", xLabel: "level", yLabel: "probability",
    series: [Series("exact", softmax(law(skipped + 1).logProbability(of: every)).scalars), Series("WaveNet", model)])
}
notebook.show(Panels(panels), named: "predictions")

// %% [markdown]
// ## Tones with a given pitch
//
// Three harmonics of random phase in a little noise, 8,000 samples a second. The logarithm of the fundamental, and a few waves of it, are
// the condition $h$ of *every* block and all times: **global conditioning**. The model trains on tones from 196 to 988 Hz, one whole
// tone further at each end than it is asked to play. Its floor is the entropy of the noise alone, for one who knows the tone.

// %%
let tones = Tones(sampleRate: 8000, range: 196...988, amplitudes: [0.4, 0.2, 0.1], noise: 0.02)
let dilations = (0..<stacks).flatMap { _ in (0..<doublings).map { 1 << $0 } }
let model = WaveNet(
  levels: levels, channels: channels, skips: skips, dilations: dilations, conditions: Tones.conditions,
  using: &initialization)
notebook.parameters = model.parameterCount
let span = options.choose(quick: 256, standard: 1024, full: 4096)
func drawTones(_ count: Int, length: Int, using random: inout Random) -> (x: IndexTensor, h: Tensor?) {
  let pitches = tones.pitches(count, using: &random)
  let x = encoded(tones.samples(pitches, length: length, using: &random), levels: levels)
  return (x, tones.conditions(pitches))
}
let toneState = fit(model, name: "tones", steps: toneSteps, rate: 8e-3) { random in
  drawTones(3, length: span, using: &random)
}
let toneLosses = (0..<8).map { _ -> Tensor in
  let (x, h) = drawTones(3, length: 2 * span, using: &testing)
  return -logProbability(model, x, h: h, from: span)
}
notebook.measure(
  "tones: test loss", Estimate(concatenate(toneLosses, axis: 0)), unit: "nats/sample",
  floor: tones.noiseEntropy(.muLaw(levels: levels), using: &testing))
notebook.show(
  LinePlot(
    title: "Loss while training", xLabel: "epoch", yLabel: "nats/sample",
    series: [("resonance", noiseState), ("tones", toneState)].map { name, state in
      Series(name, x: Array(1...state.epoch), y: state.history["loss"] ?? [])
    },
    references: [ReferenceLine("floor, resonance", entropyRate)]), named: "training")

// %% [markdown]
// ## What a prediction reads
//
// The receptive field is $1 + \sum d$, by the formula. By gradient: how much each earlier sample moves the scores of the next one.

// %%
let reach = model.receptiveField
let (heard, heardCondition) = drawTones(1, length: reach + 100, using: &testing)
let slopes = gradient(at: model.embedded(heard)) { x in
  square(model.scores(x, h: heardCondition).sliced(reach + 99..<reach + 100, axis: 1)).sum()
}
let influence = Array(sqrt(square(slopes).sum(axis: 2)).scalars.reversed())  // by distance, 0 is the sample itself
notebook.print(
  "by formula \(reach) samples; by gradient from \(influence.firstIndex { $0 > 0 } ?? 0) to "
    + "\(influence.lastIndex { $0 > 0 } ?? 0) samples before")
notebook.show(
  LinePlot(
    title: "Influence of earlier samples", xLabel: "samples before", yLabel: "norm of the gradient",
    series: [Series("gradient", x: Array(1...reach), y: Array(influence[1...reach]))], logarithmicY: true),
  named: "receptive-field",
  caption: "It jumps where a new dilation reaches: the fewer steps back lead to a sample, the more it counts.")

// %% [markdown]
// ## Sampling with queues
//
// A pass over the receptive field for each sample costs a thousand times what is new in it: in each layer only the newest column.
// Queues keep what each layer will read again (Paine and others 2016). Both ways draw from the same random numbers.

// %%
let count = options.choose(quick: 200, standard: 2000, full: 2000)
let pitch = tones.conditions(Tensor([command.pitch]))
let start = sampling
func timed(_ body: (inout Random) -> IndexTensor) -> (samples: IndexTensor, seconds: Double) {
  var random = start
  let clock = Date()
  return (body(&random), Date().timeIntervalSince(clock))
}
let cached = timed { model.sample(count, batch: 1, h: pitch, using: &$0) }
let naive = timed { model.naiveSample(count, batch: 1, h: pitch, using: &$0) }
let same = zip(cached.samples.scalars, naive.samples.scalars).count { $0 == $1 }

var cache = model.cache(batch: 1, h: pitch)
let stepped = (0..<count).map { time -> Tensor in
  let last = time == 0 ? nil : IndexTensor([cached.samples.scalars[time - 1]])
  return withoutGradients { model.step(after: last, &cache) }
}
let whole = withoutGradients { model(cached.samples, h: pitch) }  // [1, count, levels]
let difference = abs(stack(stepped, axis: 1) - whole).max().scalar
notebook.table(
  headers: ["sampling", "samples", "seconds", "samples a second", "times as fast"],
  rows: [("naive", naive.seconds), ("cached", cached.seconds)].map {
    [$0, count, $1, Double(count) / $1, naive.seconds / $1]
  }, caption: "The same level \(same) times of \(count); both times are measured, none is extrapolated.")
notebook.measure("samples equal to naive sampling's", Double(same) / Double(count))
notebook.measure("largest difference of scores from one pass over the whole", difference)

// %% [markdown]
// ## Does it keep the pitch?
//
// Half a second of each note, from silence; no training tone had just these pitches. The strongest frequency by Fourier transform is to
// lie within 1 % of the condition, a sixth of a semitone. Listen: real notes, generated ones, and the note of `--pitch`.

// %%
let notes: [Float] = [0, 4, 7, 12, 16, 19, 24].map { 220 * exp2($0 / 12) } + [command.pitch]
let noteLength = options.choose(quick: 1000, standard: 4000, full: 8000)
let real = tones.samples(Tensor(notes), length: noteLength, using: &sampling)
let played = decoded(
  model.sample(noteLength, batch: notes.count, h: tones.conditions(Tensor(notes)), using: &sampling), levels: levels)
let frequencies = tones.strongestFrequencies(of: played)
let errors = zip(frequencies, notes).map { abs($0 / $1 - 1) * 100 }
notebook.table(
  headers: ["condition (Hz)", "real (Hz)", "generated (Hz)", "error (%)"],
  rows: zip(zip(notes, tones.strongestFrequencies(of: real)), zip(frequencies, errors)).map {
    [$0.0, $0.1, $1.0, $1.1]
  })
notebook.measure("largest error of pitch", errors.max() ?? 0, unit: "%")

func melody(_ sounds: Tensor) -> Tensor { sounds.sliced(0..<notes.count - 1, axis: 0).reshaped(to: [-1]) }
func lastNote(_ sounds: Tensor) -> Tensor { sounds.sliced(notes.count - 1..<notes.count, axis: 0).reshaped(to: [-1]) }
notebook.audio(melody(real).scalars, sampleRate: 8000, named: "real", caption: "Real tones.")
notebook.audio(melody(played).scalars, sampleRate: 8000, named: "generated", caption: "WaveNet, the same notes.")
notebook.audio(lastNote(played).scalars, sampleRate: 8000, named: "pitch", caption: "WaveNet at \(command.pitch) Hz.")
notebook.show(
  Panels([(real, "Real"), (played, "WaveNet")].map { Spectrogram(melody($0), sampleRate: 8000, title: $1) }),
  named: "spectrograms", caption: "The same seven notes, real and generated.")

// %% [markdown]
// ## What to try next
//
// - `--pitch 660 --resume` plays another note with the trained model. What happens if the condition changes in the middle of a sound?
// - Give the resonance's model the single dilation 1, so that it reads 2 samples. How far above the floor does it end, and why not at it?
// - Leave out the condition: the model must then hear the pitch it has begun. Does it keep it?
// - `swift run Lesson02-WaveNet --full` trains three stacks of ten blocks: a receptive field of 3,070 samples.

// %%
notebook.finish(verdict: "test loss", data: "AR(2), 256 levels", picture: "spectrograms")
