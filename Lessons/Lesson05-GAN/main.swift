import LessonKit

// %% [markdown]
// # Generative adversarial nets
//
// How can one train a network that only makes samples, when nobody can say how probable a sample is? Goodfellow et al.,
// [Generative Adversarial Nets](https://arxiv.org/abs/1406.2661) (2014), train a second network against it. The discriminator $D$
// tells data from samples; the generator $G$ turns noise $z$ into samples that $D$ takes for data:
//
// $$\min_G \max_D V(D, G) \;=\; \mathbb{E}_{p(x)}[\ln D(x)] \;+\; \mathbb{E}_{p(z)}[\ln(1 - D(G(z)))]$$
//
// There is no likelihood to check. On laws that are known everything else can be checked: the best discriminator, what the game is
// worth, how large each gradient is, which modes the samples reach and how wide they are there.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson05-GAN", title: "Generative adversarial nets", options: options)

// %% [markdown]
// ## The model
//
// Both losses are written on *logits*: $D = \sigma(l)$, and $-\ln \sigma(l) = \ln(1 + e^{-l})$ stays finite where $\ln D$ does not.

// %%
notebook.source(of: GAN.self)

// %% [markdown]
// ## Configuration and data
//
// EightGaussians: eight normal modes on a ring of radius 2, each of standard deviation $\sigma = 0.2551$. No loss has to fall in this
// game, and where it ends differs from start to start: it is played from several, and results are medians over them.

// %%
let hidden = options.choose(quick: 64, standard: 128, full: 256)
let (latents, batchSize) = (8, options.choose(quick: 128, standard: 256, full: 1024))
let stepsPerEpoch = options.choose(quick: 200, standard: 250, full: 500)
let learningRate: Float = options.choose(quick: 3e-3, standard: 1e-3, full: 5e-4)
let epochs = options.epochs ?? options.choose(quick: 6, standard: 12, full: 12)
let runs = options.choose(quick: 1, standard: 5, full: 5)
let fixedSteps = options.choose(quick: 200, standard: 2000, full: 10_000)

var streams = Random(seed: options.seed)
var (initialization, training, testing) = (streams.split(), streams.split(), streams.split())

let law = EightGaussians()
let (modes, deviation) = (law.modes, law.mixture.noise)
let data = law.samples(500, using: &testing)  // [500, 2]
notebook.print("batch [\(batchSize), 2]   noise [\(batchSize), \(latents)]   modes \(modes.shape)")

// %% [markdown]
// ## The best discriminator
//
// Against a generator with density $q$ the best answer is $D^*(x) = p(x) / (p(x) + q(x))$, and then the game is worth
// $V(D^*) = -2 \ln 2 + 2\,\mathrm{JSD}(p, q)$ (proposition 1 and theorem 1). We fix $q$ and train $D$ alone, with fresh samples at each step.
// The error $|D - D^*|$ is the mean over other fresh points, half of them from $p$ and half from $q$; $V(D^*)$ comes by quadrature.

// %%
func fit(_ d: Discriminator, real: (Int) -> Tensor, fake: (Int) -> Tensor, name: String) {
  var optimizer = Adam(d.parameters)
  let rate = Schedule.cosine(from: 5e-3, steps: fixedSteps)
  for step in 1...fixedSteps {
    optimizer.learningRate = rate(step - 1)
    let loss = discriminatorLoss(real: d(real(512)), fake: d(fake(512)))
    notebook.progress(step, of: fixedSteps, loss: loss.scalar, detail: "D \(name)")
    optimizer.minimize(loss)
  }
}

/// D against D*, whose logit is ln p − ln q; of V only the difference from V(D*) is sampled, which has little noise.
func judge(_ d: Discriminator, _ x: Tensor, _ samples: Tensor, logit: (Tensor) -> Tensor, exact: Tensor, name: String) {
  let best = (sigmoid(logit(x)), sigmoid(logit(samples)))
  let trained = (d.probability(x), d.probability(samples))
  notebook.measure(
    "mean |D − D*|, \(name)",
    Estimate(concatenate([abs(trained.0 - best.0), abs(trained.1 - best.1)], axis: 0)), floor: 0.0,
    baseline: concatenate([abs(best.0 - 0.5), abs(best.1 - 0.5)], axis: 0).mean().scalar, baselineName: "D = ½")
  let gain = withoutGradients {
    logSigmoid(d(x)) - logSigmoid(logit(x)) + logSigmoid(-d(samples)) - logSigmoid(-logit(samples))
  }
  notebook.measure(
    "V(D), \(name)", Double(exact.scalar) + Estimate(gain), unit: "nats", baseline: exact.scalar, baselineName: "V(D*)")
}

// %% [markdown]
// ### On the line
//
// $p$ has two peaks, and the generator only moves and stretches its noise, $G(z) = 0.3 + 1.2 z$. A second discriminator is given $p$ on both
// sides: where nothing can be told apart $D^* = \tfrac12$ and $V = -2 \ln 2 = -1.3863$.

// %%
let (peaks, stretched) = (Peaks([(-1.5, 0.4), (1, 0.7)]), Peaks([(0.3, 1.2)]))
let line = Tensor((0..<1600).map { [-8 + (Float($0) + 0.5) * 0.01] })  // [1600, 1]
let (lineP, lineQ) = (peaks.logProbability(of: line), stretched.logProbability(of: line))
let lineOptimum = optimum(logP: lineP, logQ: lineQ, cell: 0.01)
let lineD = (0..<2).map { _ in Discriminator(inputs: 1, hidden: 64, using: &initialization) }
fit(
  lineD[0], real: { peaks.samples($0, using: &training) }, fake: { stretched.samples($0, using: &training) },
  name: "on the line")
fit(
  lineD[1], real: { peaks.samples($0, using: &training) }, fake: { peaks.samples($0, using: &training) },
  name: "where p = q")
let (x, y) = (peaks.samples(10_000, using: &testing), stretched.samples(10_000, using: &testing))  // [10000, 1]
judge(
  lineD[0], x, y, logit: { peaks.logProbability(of: $0) - stretched.logProbability(of: $0) }, exact: lineOptimum.value,
  name: "on the line")
judge(
  lineD[1], x, peaks.samples(10_000, using: &testing), logit: { .zeros([$0.shape[0]]) }, exact: Tensor(-2 * log(2)),
  name: "where p = q")
let curves = [
  ("p, data", exp(lineP)), ("q, generator", exp(lineQ)), ("D* = p/(p + q)", lineOptimum.discriminator),
  ("D, trained", lineD[0].probability(line)), ("D where p = q", lineD[1].probability(line)),
]
notebook.show(
  LinePlot(
    title: "Discriminator and densities", xLabel: "x", yLabel: "density, or probability",
    series: curves.map { Series($0, x: line.scalars, y: $1.scalars) }, xRange: -4...4, yRange: 0...1),
  named: "line", caption: "D follows D* where there are samples to learn from.")

// %% [markdown]
// ### In the plane
//
// $p$ is EightGaussians, $q$ the one normal law with the same variances.

// %%
let gaussian = PlanarMixture([.point(0, 0, weight: 1)], noise: law.covariance[0][0].squareRoot())
func grid(_ side: Int, reach: Float) -> Tensor {  // [side², 2]
  let ticks = (0..<side).map { reach * (2 * (Float($0) + 0.5) / Float(side) - 1) }
  return Tensor(ticks.flatMap { y in ticks.map { x in [x, y] } })
}
func best(_ points: Tensor, cell: Float = 0) -> Optimum {
  optimum(logP: law.logProbability(of: points), logQ: gaussian.logProbability(of: points), cell: cell)
}
let planeD = Discriminator(inputs: 2, hidden: 128, using: &initialization)
fit(
  planeD, real: { law.samples($0, using: &training) }, fake: { gaussian.samples($0, using: &training) },
  name: "in the plane")
let planeOptimum = best(grid(160, reach: 8), cell: 0.01)
judge(
  planeD, law.samples(5000, using: &testing), gaussian.samples(5000, using: &testing),
  logit: { law.logProbability(of: $0) - gaussian.logProbability(of: $0) }, exact: planeOptimum.value,
  name: "in the plane")

let plane = grid(60, reach: 3)
func surface(_ values: Tensor, _ title: String, points: Tensor? = nil) -> HeatMap {
  HeatMap(
    values.reshaped(to: [60, 60]), title: title, xLabel: "x₁", yLabel: "x₂", valueLabel: "D", xRange: -3...3,
    yRange: -3...3, valueRange: 0...1, points: points)
}
notebook.show(
  Panels([surface(planeD.probability(plane), "D, trained"), surface(best(plane).discriminator, "D* = p/(p + q)")]),
  named: "surface", caption: "EightGaussians against one normal law.")

// %% [markdown]
// ## Two gradients for the generator
//
// $\min_G \ln(1 - D(G(z)))$ is the game as written; the paper advises $\max_G \ln D(G(z))$ in its place. For one sample their gradients
// are $-D\,\nabla l$ and $-(1 - D)\,\nabla l$: one direction, but the first vanishes where $D$ is sure of a sample. Here an untrained generator stands
// still while $D$ learns to reject it; then each loss moves it by 50 plain gradient steps. (Adam divides a gradient by its own
// size, which hides much of this.)

// %%
let still = GAN(latents: latents, hidden: hidden, using: &initialization)
var learner = Adam(still.discriminator.parameters, beta1: 0.5)
func belief() -> Float { still.discriminator.probability(still.generator.samples(2000, using: &testing)).mean().scalar }
let checks: [Float] = [0, 5, 10, 20, 40, 80, 160, 320]
var (means, norms): ([Float], [[Float]]) = ([], [[], []])
for step in 0...320 {
  if checks.contains(Float(step)) {
    means.append(belief())
    let z = still.generator.noise(2000, using: &testing)
    norms[0].append(gradientNorm(of: still.lossOfGenerator(noise: z, .saturating), still.generator))
    norms[1].append(gradientNorm(of: still.lossOfGenerator(noise: z, .nonSaturating), still.generator))
  }
  let z = still.generator.noise(batchSize, using: &training)
  learner.minimize(still.lossOfDiscriminator(law.samples(batchSize, using: &training), noise: z))
}
notebook.table(
  headers: ["D's steps", "mean D(G(z))", "‖∇ ln(1 − D)‖", "‖∇ −ln D‖", "ratio"],
  rows: checks.indices.map { [Int(checks[$0]), means[$0], norms[0][$0], norms[1][$0], norms[0][$0] / norms[1][$0]] },
  caption: "Norms over all the generator's weights.")
let curvesOfNorms = [("ln(1 − D), saturating", norms[0]), ("−ln D, non-saturating", norms[1]), ("mean D(G(z))", means)]
notebook.show(
  LinePlot(
    title: "The generator's gradient while D learns", xLabel: "steps of D", yLabel: "gradient norm, or D",
    series: curvesOfNorms.map { Series($0, x: checks, y: $1) }, logarithmicY: true),
  named: "saturation", caption: "For an untrained generator, which stands still.")
notebook.measure(
  "saturating gradient over the other", norms[0][7] / norms[1][7], baseline: norms[0][0] / norms[1][0],
  baselineName: "before D learns")
let (start, before) = (Checkpoint(of: still.generator), belief())
for kind in [GeneratorLoss.saturating, .nonSaturating] {
  orStop { try start.restore(still.generator) }
  var descent = SGD(still.generator.parameters, learningRate: 0.02)
  for _ in 0..<50 {
    descent.minimize(still.lossOfGenerator(noise: still.generator.noise(batchSize, using: &training), kind))
  }
  notebook.measure(
    "mean D(G(z)) after 50 plain steps, \(kind.rawValue)", belief(), baseline: before, baselineName: "before")
}

// %% [markdown]
// ## Training
//
// Algorithm 1: one step of each player in turn, the non-saturating loss, and Adam at rates that fall to zero together, so that the
// players come to rest. Beside the weights the loop keeps a few pictures of the samples and of $D$'s surface.

// %%
func fit(_ gan: GAN, name: String, epochs: Int, of length: Int, generatorSteps: Int = 1) -> TrainingState {
  var first = Adam(gan.discriminator.parameters, beta1: 0.5, beta2: 0.99)
  var second = Adam(gan.generator.parameters, beta1: 0.5, beta2: 0.99)
  var state = notebook.begin(name, gan, &first, &second, options: options, random: training.split())
  let steps = epochs * length
  let rate = Schedule.cosine(from: learningRate, steps: steps)
  func keepPicture() {
    state.history["samples \(state.epoch)"] = gan.generator.samples(500, using: &state.random).scalars
    state.history["surface \(state.epoch)"] = gan.discriminator.probability(plane).scalars
  }
  if state.epoch == 0 { keepPicture() }
  while state.epoch < epochs {
    var total: Float = 0
    for _ in 0..<length {
      (first.learningRate, second.learningRate) = (rate(first.step), rate(first.step))
      let x = law.samples(batchSize, using: &state.random)  // [batch, 2]
      let loss = gan.lossOfDiscriminator(x, noise: gan.generator.noise(batchSize, using: &state.random))
      first.minimize(loss)
      for _ in 0..<generatorSteps {
        let z = gan.generator.noise(batchSize, using: &state.random)  // [batch, latents]
        second.minimize(gan.lossOfGenerator(noise: z))
      }
      notebook.progress(first.step, of: steps, loss: loss.scalar, detail: name)
      total -= loss.scalar
    }
    state.append(total / Float(length), to: "V")
    state.epoch += 1
    keepPicture()
    notebook.save(name, state, gan, first, second)
  }
  return state
}

let gans = (0..<runs).map { _ in GAN(latents: latents, hidden: hidden, using: &initialization) }
notebook.parameters = gans[0].parameterCount
let states = gans.enumerated().map { fit($1, name: "run-\($0 + 1)", epochs: epochs, of: stepsPerEpoch) }

// %% [markdown]
// ## Results
//
// Each of 10,000 samples belongs to the mode nearest to it, and is *good* within $2\sigma$ of that. The law itself has $1 - e^{-2} = 86.5\,\%$ good
// samples, and more is not better: modes that are too narrow have only good ones. *Out of place* counts both ways. It is the total
// variation distance from the law over 16 cells, mode × good or not: the share of samples that one would have to move.

// %%
let goodShare = 1 - exp(-2.0)
func judge(_ samples: Tensor) -> ModeCoverage { ModeCoverage(of: samples, modes: modes, radius: 2 * deviation) }
/// The median in per cent; its standard error for normal values is 1.25 times the mean's.
func median(_ shares: [Double]) -> Estimate {
  let error = 1.25 * Estimate(Tensor(shares.map { Float(100 * $0) })).standardError
  return Estimate(mean: Float(100 * shares.sorted()[shares.count / 2]), standardError: error)
}

let ring = PlanarMixture([.curve(weight: 1) { SIMD2(2 * cos(2 * .pi * $0), 2 * sin(2 * .pi * $0)) }], noise: deviation)
let found = gans.map { judge($0.generator.samples(10_000, using: &testing)) }
let known: [any PlanarLaw] = [law, ring, gaussian]
let compared = known.map { judge($0.samples(10_000, using: &testing)) }
notebook.measure(
  "samples out of place, median of \(runs)", median(found.map { $0.outOfPlace(goodShare: goodShare) }), unit: "%",
  floor: 0.0, baseline: 100 * compared[1].outOfPlace(goodShare: goodShare), baselineName: "plain ring")
notebook.measure(
  "samples within 2σ, median of \(runs)", median(found.map(\.goodShare)), unit: "%",
  baseline: 100 * compared[1].goodShare, baselineName: "plain ring")
notebook.table(
  headers: ["samples of", "modes", "shares from %", "to %", "within 2σ %", "spreads from", "to", "out of place %"],
  rows: zip((1...runs).map { "run \($0)" } + ["the law itself", "a plain ring", "one normal law"], found + compared).map
  {
    [$0, $1.coveredModes(), 100 * $1.shares.min()!, 100 * $1.shares.max()!, 100 * $1.goodShare]
      + [$1.spreads.min()!, $1.spreads.max()!, 100 * $1.outOfPlace(goodShare: goodShare)]
  },
  caption: "Shares by nearest mode, 12.5 % each for the law; spread: standard deviation inside a mode, σ = 0.2551.")

// %%
func shot(_ state: TrainingState, _ epoch: Int) -> Tensor {
  Tensor(state.history["samples \(epoch)"]!, shape: [500, 2])
}
func portrait(_ samples: Tensor, _ name: String) -> ScatterPlot {
  let judged = PrecisionAndRecall(of: samples, against: data)
  return ScatterPlot(
    samples, title: String(format: "%@: precision %.2f, recall %.2f", name, judged.precision.mean, judged.recall.mean),
    xLabel: "x₁", yLabel: "x₂", xRange: -3...3, yRange: -3...3, equalScales: true)
}
let pictured = [0, 1, 2, 4].filter { $0 < epochs } + [epochs]
notebook.show(
  Panels(
    pictured.map { portrait(shot(states[0], $0), "step \($0 * stepsPerEpoch)") }
      + [portrait(law.samples(500, using: &testing), "data")], columns: 3), named: "samples",
  caption:
    "Run 1. Precision: samples that look like data; recall: data that samples reach; at the end data against data.")
notebook.show(
  Panels(
    pictured.suffix(4).map {
      surface(
        Tensor(states[0].history["surface \($0)"]!), "D after step \($0 * stepsPerEpoch)",
        points: shot(states[0], $0).sliced(0..<100, axis: 0))
    }, columns: 2), named: "surfaces", caption: "What D shows the generator, and 100 samples (white), run 1.")
notebook.show(
  LinePlot(
    title: "The value of the game", xLabel: "step", yLabel: "V (nats), mean over an epoch",
    series: states.enumerated().map { run, state in
      Series("run \(run + 1)", x: (1...state.epoch).map { $0 * stepsPerEpoch }, y: state.history["V"]!)
    }, references: [ReferenceLine("−2 ln 2:", -2 * log(2.0))]),
  named: "value", caption: "At −2 ln 2 this discriminator can tell nothing apart, which a better one might.")
let test = TwoSampleTest(shot(states[0], epochs), law.samples(500, using: &testing), using: &testing)
notebook.measure("energy distance of 500 samples from data, run 1", test.distance, floor: 0.0)
notebook.print("Samples and data as two sets: p-value \(test.pValue), by 999 random deals")

// %% [markdown]
// ## Collapse, provoked
//
// The same networks, but the generator takes ten steps for each of the discriminator's. It runs to wherever $D$ is highest at the moment,
// with all its samples, before $D$ can answer.

// %%
let collapsed = GAN(latents: latents, hidden: hidden, using: &initialization)
let rounds = stepsPerEpoch / 5
let collapse = fit(collapsed, name: "collapse", epochs: 5, of: rounds, generatorSteps: 10)
let gathered = judge(collapsed.generator.samples(10_000, using: &testing))
notebook.measure(
  "modes covered after collapse", Double(gathered.coveredModes()), unit: "of 8",
  baseline: Double(found[0].coveredModes()), baselineName: "run 1")
notebook.measure("greatest share of one mode after collapse", 100 * gathered.shares.max()!, unit: "%", floor: 12.5)
notebook.show(
  Panels((0...5).map { portrait(shot(collapse, $0), "step \($0 * rounds)") }, columns: 3), named: "collapse",
  caption: "The samples move about together. A mode counts as covered with 1 % of the samples within 2σ.")

// %% [markdown]
// ## What to try next
//
// - Give the generator `.saturating` in the training loop. Adam forgives much: what becomes of the runs?
// - Start all biases at zero (`layer` in the model file). Which of the results above suffers, and why?
// - Raise `learningRate` to 3e-3. More samples are good, and more out of place: look at the spreads.
// - `GridGaussians()` has 25 narrow modes: how many does this generator find?
// - `--full`: networks of 256 units, batches of 1024, 6000 steps each run.

// %%
notebook.finish(verdict: "samples out of place, median of \(runs)", data: "eight-gaussians", picture: "samples")
