import LessonKit

// %% [markdown]
// # NICE: non-linear independent components
//
// Can a network turn data into independent variables *and* give the exact likelihood? Dinh, Krueger & Bengio,
// [NICE](https://arxiv.org/abs/1410.8516) (2014), build it from layers that are trivially invertible. Let $h = f(x)$ be
// invertible and the $h_i$ independent, each with a simple density. Then, by the change of variables,
//
// $$\log p(x) = \sum_i \log p_H(h_i) + \log\left|\det\frac{\partial f(x)}{\partial x}\right|$$
//
// An **additive coupling** lets some places of $x$ stay and adds to the others a function of those that stay:
//
// $$y_1 = x_1, \qquad y_2 = x_2 + m(x_1) \qquad\Leftrightarrow\qquad x_1 = y_1, \qquad x_2 = y_2 - m(y_1)$$
//
// Whatever network $m$ is, the Jacobian is triangular with ones on its diagonal: determinant 1. A last layer of scales,
// $h_i = e^{s_i} f_i(x)$, is all that changes volume, with log-determinant $\sum_i s_i$.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson03-NICE", title: "NICE", options: options)

// %% [markdown]
// ## The model
// `swift run course start NICE` empties what stands between the marks; `swift run course check NICE` tells what is right.

// %%
notebook.source(of: NICE.self)

// %% [markdown]
// ## Configuration
//
// In the plane a coupling moves one coordinate by a function of the other (a shear), so many shears are needed. The paper's four
// couplings of five layers with 1,000 units come with `--full`.

// %%
let planarCouplings = options.choose(quick: 12, standard: 20, full: 24)
let planarSteps = options.choose(quick: 250, standard: 4000, full: 20_000)
let (planarBatch, planarRate) = (128, Float(1e-2))
let couplings = options.choose(quick: 4, standard: 8, full: 4)
let hidden = options.choose(quick: [64, 64], standard: [256, 256], full: [1000, 1000, 1000, 1000, 1000])
let epochs = options.epochs ?? options.choose(quick: 12, standard: 90, full: 60)
let (batchSize, learningRate, dropout, weightDecay) = (100, Float(2e-3), Float(0.15), Float(0.1))

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## How good can it be? A floor for every map that preserves volume
//
// Two laws of the plane have a known entropy, which no model beats. NICE has a second, higher floor. A map with determinant 1
// moves density about without thinning it out: the area where $p(x) > t$ is the same whatever $m$ learns, and it is set by the
// prior. The logistic prior has a peak and long, gentle slopes; *Smiley* and *TwoMoons* have plateaus with steep sides. At best
// the densest area of the law falls on the densest area of the prior, and so on in order. That is the rearrangement inequality,
// and gives a number: with $p^*$ and $\pi^*$ the densities sorted by area $v$ and $S = e^{\sum s_i}$ the one free scale,
//
// $$\mathbb{E}[-\log p(x)] \;\ge\; \min_S \int p^*(v)\, [-\log S\,\pi^*(S v)]\; dv$$
//
// A Gaussian prior loses less on TwoMoons and more on Smiley. **Additive coupling finds Smiley hard** for a further reason,
// which this bound leaves out: the level sets of the prior are in one piece, and Smiley's are three. A shear cannot tear; it
// draws out thin, steep bridges from piece to piece, and $m$ has to learn nearly vertical steps. RealNVP's scales pay less for
// such bridges.

// %%
let tasks = PlanarTask.all
let floors = tasks.map { volumePreservingFloor(of: $0.law, prior: $0.prior) }

// %% [markdown]
// ## Training in the plane
// Maximum likelihood on points that are drawn anew at each step, so that nothing can be learnt by heart.

// %%
func fit(_ task: PlanarTask) -> NICE {
  let model = NICE(
    centre: Tensor(task.law.mean.map { Float($0) }), unit: .ones([2]), couplings: planarCouplings, hidden: [32, 32],
    prior: task.prior, using: &initialization)
  var optimizer = Adam(model.parameters)
  let schedule = Schedule.cosine(from: planarRate, steps: planarSteps).warmedUp(steps: 50)
  for step in 1...planarSteps {
    optimizer.learningRate = schedule(step - 1)
    let x = task.law.samples(planarBatch, using: &training)  // [128, 2]
    let loss = -model.logProbability(of: x).mean()
    notebook.progress(step, of: planarSteps, loss: loss.scalar, detail: task.name)
    optimizer.minimize(loss, clippingToNorm: 5)
  }
  return model
}

var models: [NICE] = []
var (rows, codes): ([[Any]], [[Any]]) = ([], [])
for (task, floor) in zip(tasks, floors) {
  let (law, model) = (task.law, fit(task))
  models.append(model)
  let x = law.samples(20_000, using: &testing)  // [20000, 2]
  let h = withoutGradients { model.encode(x) }
  // The exact log p(x) of the same points, whose mean is known to be −entropy, takes out most of the noise.
  let loss = law.entropy + Estimate(law.logProbability(of: x) - withoutGradients { model.logProbability(of: x) })
  notebook.measure(
    "test −log p, \(task.name)", loss, unit: "nats/point", floor: law.entropy, baseline: law.gaussianEntropy,
    baselineName: "one Gaussian")
  rows.append([task.name, law.gaussianEntropy, loss.mean, loss.standardError, floor, law.entropy])
  codes.append([task.name] + moments(h, task.prior))
}
notebook.table(
  headers: ["law", "one Gaussian", "NICE", "± s.e.", "volume floor", "entropy"], rows: rows,
  caption: "nats/point on 20,000 test points; no map that preserves volume is below its floor")
notebook.table(
  headers: ["law", "mean h₁", "mean h₂", "var h₁", "cov", "var h₂"], rows: codes,
  caption:
    "h of the test points in units of the prior's deviation: 0, 0, 1, 0, 1 where p(h) is the prior. The floor excludes "
    + "that, but the best scales make the variances 1 under a Gaussian prior all the same; under a logistic one, not."
)

// %% [markdown]
// ## What was learnt
// Densities, and samples of the model beside the law's. Look for the bridges.

// %%
for (task, model) in zip(tasks, models).prefix(2) {
  let samples = withoutGradients { model.samples(2000, using: &sampling) }
  notebook.show(
    Panels(
      [
        task.map("\(task.name): the law") { task.law.logProbability(of: $0) },
        task.map("NICE") { model.logProbability(of: $0) },
        task.points(task.law.samples(2000, using: &sampling), "points of the law"),
        task.points(samples, "samples of NICE"),
      ], columns: 2),
    named: "\(task.name)-density", caption: "Density and 2,000 points: the law's left, the model's right.")
}

// %% [markdown]
// ## One layer at a time, and back
//
// Points of Smiley on their way to $h$, coloured by the piece they come from; then a regular grid of $h$ pulled back to $x$.
// Each shear keeps all areas: what is dense in $x$ stays dense until the prior's centre takes it up. Only the last step, the
// scales, blows everything up alike.

// %%
let (pieces, labels) = tasks[0].law.mixture.labelledSamples(2000, using: &sampling)
let pieceNames = ["left eye", "right eye", "mouth"]
func stage(_ points: Tensor, _ title: String) -> ScatterPlot {
  ScatterPlot(points, classes: labels, classNames: pieceNames, title: title, equalScales: true)
}
var stages = [stage(pieces, "x")]
for end in stride(from: planarCouplings / 4, through: planarCouplings, by: planarCouplings / 4) {
  let moved = withoutGradients { models[0].couplings[..<end].reduce(pieces - models[0].centre) { $1($0, .forward) } }
  stages.append(stage(moved, "after \(end) couplings"))
}
stages.append(stage(withoutGradients { models[0].encode(pieces) }, "h, after the scales"))
notebook.show(Panels(stages, columns: 3), named: "smiley-layers", caption: "Smiley through the layers of NICE.")
notebook.show(
  Panels(zip(tasks, models).prefix(2).map { task, model in task.grid(reach: 5, task.name) { model.decode($0) } }),
  named: "grids", caption: "The square −5…5 of h, decoded.")

// %% [markdown]
// ## Images: dequantisation
//
// A pixel of the digits has 17 levels. A density on them could rise without limit, so noise $u$, uniform on 0…1, is added and
// the result scaled to 0…1: $x = (\ell + u)/17$. Then $P(\ell) = \int p(x)$ over a cell of volume $17^{-D}$, and by Jensen's
// inequality
//
// $$-\log_2 P(\ell)/D \;\le\; \mathbb{E}_u\left[-\log p(x)/D + \ln 17\right]/\ln 2 \quad\text{bits/dim}$$
//
// Forget $\ln 17$, and the number is off by 4.09 bits; divide by 16, the largest level, and the cells no longer fit.
// Two baselines on the same split: a Gaussian with full covariance on the same noisy pixels (its ridge chosen on the validation
// images) and a histogram of each pixel, which sees exact levels, needs no noise, and so is no fair game for densities.

// %%
notebook.source(of: QuantizedImages.self)
let images = orStop { try QuantizedImages(for: options, using: &training, noise: &testing) }
let (dimension, levelCount) = (images.dimension, images.levelCount)
notebook.print(
  "train \(images.train.shape)   validation \(images.validation.shape)   test \(images.test.shape)   \(levelCount) levels"
)
let (mean, covariance) = images.moments(using: &training)  // [1, 64], [64, 64]
let gaussian = images.gaussian(mean: mean, covariance: covariance)
let gaussianBits = images.testBits { gaussian.logProbability(of: $0) }  // [297]

// %% [markdown]
// ## Training on images
//
// Some 1,250 images and 800,000 weights: with a third of the dropout and no weight decay the training loss falls to 2.1
// bits/dim while the validation loss turns and climbs back to 2.9. Hence fresh noise at every step, dropout in the networks
// $m$, weight decay, and of all epochs the one that is best on the validation images. Pixels are brought to similar units
// first, constant ones not blown up to the size of others.

// %%
let variance = gaussian.variance.reshaped(to: [dimension])  // [64]
let unit = sqrt(variance + (levelCount == 17 ? 0.014 : 1e-3))
let model = NICE(
  centre: mean.reshaped(to: [dimension]), unit: unit, couplings: couplings, hidden: hidden, dropout: dropout,
  using: &initialization)
model.s = log(1.8 * unit / sqrt(variance))  // h begins with the prior's deviation
notebook.parameters = model.parameterCount

func fit(_ model: NICE, name: String) -> TrainingState {
  let bestFile = notebook.folder.appending(path: "\(name)-best.safetensors")
  var optimizer = AdamW(model.parameters, learningRate: learningRate, weightDecay: weightDecay)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * (images.train.shape[0] / batchSize)
  let schedule = Schedule.cosine(from: learningRate, steps: steps).warmedUp(steps: 30)
  while state.epoch < epochs {
    var total: Float = 0
    for levels in images.train.batches(ofSize: batchSize, droppingLast: true, shuffledUsing: &state.random) {
      optimizer.learningRate = schedule(optimizer.step)
      let noise = Tensor.uniform(levels.shape, using: &state.random)  // [100, 64]
      let loss = bitsPerDimension(levels: levels, noise: noise, levelCount: levelCount) {
        model.logProbability(of: $0)
      }.mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss, clippingToNorm: 1)
      total += loss.scalar
    }
    let reached = images.validationBits { model.logProbability(of: $0) }
    if reached < state.history["validation"]?.min() ?? .infinity {
      orStop { try Checkpoint(of: model).write(to: bestFile) }
    }
    state.append(total / Float(images.train.shape[0] / batchSize), to: "train")
    state.append(reached, to: "validation")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  orStop { try Checkpoint(contentsOf: bestFile).restore(model) }
  return state
}

let state = fit(model, name: "digits")
notebook.show(
  LinePlot(
    title: "Training on images", xLabel: "epoch", yLabel: "bits/dim",
    series: ["train", "validation"].map { Series($0, x: Array(1...state.epoch), y: state.history[$0] ?? []) },
    references: [ReferenceLine("full-covariance Gaussian, test", gaussianBits.mean().scalar)]), named: "training")

// %% [markdown]
// ## Results on images

// %%
let reached = images.testBits { model.logProbability(of: $0) }  // [297]
notebook.measure(
  "images test", Estimate(reached), unit: "bits/dim", baseline: gaussianBits.mean().scalar,
  baselineName: "full-covariance Gaussian")
notebook.measure("images, Gaussian − NICE, image by image", Estimate(gaussianBits - reached), unit: "bits/dim")
notebook.measure("images, histogram of each pixel", Estimate(images.histogramBits()), unit: "bits/dim")
let drawn = withoutGradients { inference { model.samples(40, using: &sampling) } }
let real = images.test.sliced(0..<40, axis: 0) / Float(levelCount)
notebook.show(
  ImageGrid(images.pictures(concatenate([real, drawn], axis: 0)), columns: 20), named: "samples",
  caption: "Two rows of test images, two rows of samples.")

// %% [markdown]
// ## Inpainting half a digit
//
// The density is there in closed form, so its gradient is too. The hidden half begins as noise and climbs $\log p(x)$, a little
// shaken, in steps $\alpha_i \propto 1/(100 + i)$ (the paper's section 5.2); nothing was trained for this. The project's own
// classifier says how many of the completed images it still takes for the digit they were.

// %%
let halves: [(name: String, hidden: Tensor)] = [
  ("lower half", Tensor((0..<dimension).map { $0 >= dimension / 2 ? 1 : 0 })),
  ("right half", Tensor((0..<dimension).map { $0 % images.testImages.width >= images.testImages.width / 2 ? 1 : 0 })),
]
let judged = images.testImages.prefix(300)
let whole = ((images.test + images.testNoise) / Float(levelCount)).sliced(0..<judged.count, axis: 0)  // [297, 64]
let judge = orStop { try levelCount == 17 ? ImageClassifier.digits() : .fashionMNIST() }
var shown = [real.sliced(0..<12, axis: 0)]
for (name, hidden) in halves {
  let start = select(hidden, .uniform(whole.shape, using: &sampling), whole)
  var x = start
  for step in 0..<options.choose(quick: 60, standard: 300, full: 500) {
    let (noise, rate) = (Tensor.normal(x.shape, using: &sampling), square(unit) * (2 / (100 + Float(step))))
    x = withoutGradients {
      inference { inpainted(x, hidden: hidden, rate: rate, noise: noise) { model.logProbability(of: $0) } }
    }
  }
  for (what, pictures) in [("noise", start), ("inpainted", x)] {
    let agreement = judge.agreement(images.pictures(pictures), judged.labels)
    notebook.measure("\(name) \(what), recognised", agreement, unit: "of the images")
    shown.append(pictures.sliced(0..<12, axis: 0))
  }
}
notebook.show(
  ImageGrid(
    images.pictures(concatenate(shown, axis: 0)), columns: 12,
    rowLabels: ["test image", "lower half hidden", "inpainted", "right half hidden", "inpainted"]),
  named: "inpainting", caption: "Half of each test image is replaced by noise and found again by climbing log p(x).")

// %% [markdown]
// ## What to try next
//
// - Two couplings in place of twenty in the plane: which shapes can two shears make at all?
// - Give all couplings the same mask. The Jacobian is still right, $p(x)$ still sums to 1. What is lost?
// - Put the Gaussian prior on Smiley: its volume floor is higher. Does training notice?
// - Set `dropout` and `weightDecay` to 0 and look at the training curve.
// - `swift run Lesson03-NICE --full` trains the paper's network on Fashion-MNIST, 256 levels.

// %%
notebook.finish(verdict: "test −log p, smiley", data: "smiley", picture: "smiley-density")
