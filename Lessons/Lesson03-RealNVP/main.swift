import LessonKit

// %% [markdown]
// # RealNVP: flows that change volume
//
// Lesson03-NICE adds a function of some places to the others, and so keeps all volume. What does one gain by **scaling** them
// too, and does the exact likelihood stay cheap? Dinh, Sohl-Dickstein & Bengio, [Density estimation using Real
// NVP](https://arxiv.org/abs/1605.08803) (2016), take the affine coupling
//
// $$y_{1:d} = x_{1:d}, \qquad y_{d+1:D} = x_{d+1:D} \odot \exp(s(x_{1:d})) + t(x_{1:d})$$
//
// Its Jacobian is triangular with $\exp(s)$ on the diagonal, so $\log|\det| = \sum_j s_j$, whatever networks $s$ and $t$ are,
// and neither is ever inverted. With $z = f(x)$ standard normal,
//
// $$\log p(x) = \log \mathcal{N}(f(x); 0, I) + \log\left|\det\frac{\partial f(x)}{\partial x}\right|$$

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson03-RealNVP", title: "RealNVP", options: options)

// %% [markdown]
// ## The model
// Couplings with a mask, layers around them, and the flow that sets half of the values aside on its way.
// `swift run course start RealNVP` empties what stands between the marks.

// %%
notebook.source(of: RealNVP.self)
notebook.source(of: FlowBatchNorm.self)

// %% [markdown]
// ## Configuration

// %%
let planarCouplings = options.choose(quick: 8, standard: 8, full: 16)
let planarSteps = options.choose(quick: 300, standard: 4000, full: 20_000)
let (planarBatch, planarRate) = (256, Float(5e-3))
let counts = (3, 3, 4)  // couplings: checkerboards, halves of channels, checkerboards on the second scale
let network = options.choose(
  quick: NetworkKind.dense([64, 64]), standard: .dense([256, 256]), full: .convolutional(channels: 64, layers: 4))
let epochs = options.epochs ?? options.choose(quick: 5, standard: 40, full: 60)
let (batchSize, learningRate, dropout, weightDecay) = (100, Float(2e-3), Float(0.15), Float(0.1))

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## In the plane, and a bad mask
//
// Points are drawn anew at each step, so that nothing can be learnt by heart. Batch normalisation is a layer of the flow like any
// other: it scales, so it has a log-determinant, $-\frac{1}{2}\sum \log(\sigma^2 + \varepsilon)$ for each place. Its mean and variance are
// running averages, which in use stand still, or a point's likelihood would depend on its neighbours in the batch.
//
// A third model has the same layers but **one mask for all couplings**: $x_1$ always stays. Each layer is
// still invertible, and $p(x)$ still integrates to 1. But all layers together are then one affine map of $x_2$ for each $x_1$, so
// $p(x_1)$ and every $p(x_2|x_1)$ are Gaussian, whatever the networks learn. The loss cannot fall below
//
// $$\tfrac{1}{2} \ln(2\pi e\, \sigma_1^2) + \mathbb{E}_{x_1}\left[\tfrac{1}{2} \ln(2\pi e\, \mathrm{Var}[x_2|x_1])\right]$$

// %%
func fit(_ task: PlanarTask, alternates: Bool = true, steps: Int = planarSteps) -> RealNVP {
  let layers = planarLayers(
    dimension: 2, couplings: planarCouplings, hidden: [32, 32], alternates: alternates, using: &initialization)
  let model = RealNVP(scales: [layers], shapes: [[2]])
  var optimizer = Adam(model.parameters)
  let schedule = Schedule.cosine(from: planarRate, steps: steps).warmedUp(steps: 50)
  for step in 1...steps {
    optimizer.learningRate = schedule(step - 1)
    let loss = -model.logProbability(of: task.law.samples(planarBatch, using: &training)).mean()
    notebook.progress(step, of: steps, loss: loss.scalar, detail: task.name)
    optimizer.minimize(loss, clippingToNorm: 5)
  }
  return model
}

let (smiley, twoMoons) = (PlanarTask.smiley, PlanarTask.twoMoons)
let (good, moons, bad) = (fit(smiley), fit(twoMoons), fit(smiley, alternates: false, steps: planarSteps / 2))
var (rows, codes): ([[Any]], [[Any]]) = ([], [])
for (name, task, model) in [
  ("smiley", smiley, good), ("two-moons", twoMoons, moons), ("smiley, one mask", smiley, bad),
] {
  let law = task.law
  let x = law.samples(20_000, using: &testing)  // [20000, 2]
  let (logProbability, z) = withoutGradients { inference { (model.logProbability(of: x), model.encode(x).z) } }
  // The exact log p(x) of the same points, whose mean is known to be −entropy, takes out most of the noise.
  let loss = law.entropy + Estimate(law.logProbability(of: x) - logProbability)
  let floor = name == "smiley, one mask" ? oneMaskFloor(of: law) : law.entropy
  notebook.measure(
    "test −log p, \(name)", loss, unit: "nats/point", floor: floor, baseline: law.gaussianEntropy,
    baselineName: "one Gaussian")
  rows.append([name, law.gaussianEntropy, loss.mean, loss.standardError, floor])
  codes.append([name] + moments(z))
}
notebook.table(
  headers: ["law", "one Gaussian", "RealNVP", "± s.e.", "floor"], rows: rows,
  caption: "nats/point on 20,000 test points; the floor is the entropy, and with one mask what that allows")
notebook.table(
  headers: ["law", "mean z₁", "mean z₂", "var z₁", "cov", "var z₂"], rows: codes,
  caption:
    "z of the test points: 0, 0, 1, 0, 1 where all is learnt; with one mask these moments are right too, and prove little"
)

// %% [markdown]
// ## What was learnt
//
// Scales let the flow thin density out between the pieces, where NICE can only draw narrow bridges. With one mask $x_1$ keeps the
// bell shape that it began with, and one Gaussian has to cover eye and mouth above each $x_1$.

// %%
func samples(_ model: RealNVP, _ count: Int) -> Tensor {
  withoutGradients { inference { model.decode(.normal([count, model.dimension], using: &sampling)) } }
}
for (task, model) in [(smiley, good), (twoMoons, moons)] {
  notebook.show(
    Panels(
      [
        task.map("\(task.name): the law") { task.law.logProbability(of: $0) },
        task.map("RealNVP") { model.logProbability(of: $0) },
        task.points(task.law.samples(2000, using: &sampling), "points of the law"),
        task.points(samples(model, 2000), "samples of RealNVP"),
      ], columns: 2),
    named: "\(task.name)-density", caption: "Density and 2,000 points: the law's left, the model's right.")
}

notebook.show(
  Panels([
    smiley.map("one mask for all couplings") { bad.logProbability(of: $0) },
    firstCoordinates(of: smiley.law, [("one mask", samples(bad, 20_000)), ("alternating", samples(good, 20_000))]),
  ]), named: "bad-mask", caption: "With one mask p(x₁) is a Gaussian; the law has three peaks.")

// %% [markdown]
// ## One layer at a time, and back
// Test points on their way to $z$, coloured by the piece they come from; then a square of $z$ pulled back.

// %%
let (pieces, labels) = smiley.law.mixture.labelledSamples(2000, using: &sampling)
let stages = stride(from: 0, through: planarCouplings, by: planarCouplings / 4).map { end in
  let part = Chain(Array(good.scales[0].layers[..<(2 * end)]))
  let y = withoutGradients { inference { part(pieces, .forward).y } }
  return ScatterPlot(
    y, classes: labels, classNames: ["left eye", "right eye", "mouth"],
    title: end == 0 ? "x" : end == planarCouplings ? "z" : "after \(end) couplings", equalScales: true)
}
notebook.show(
  Panels(stages + [smiley.grid("−3…3 of z, decoded") { good.decode($0) }] as [any DrawnFigure], columns: 3),
  named: "smiley-layers", caption: "Smiley through the layers of RealNVP, and the grid of z pulled back to x.")

// %% [markdown]
// ## Images
//
// Digits of 8 × 8 pixels and 17 levels, dequantised as in Lesson03-NICE, then $\mathrm{logit}(\alpha + (1 - 2\alpha) x)$, so
// that no density is spent outside of 0…1. First couplings with **checkerboards**; then a **squeeze** turns blocks of 2 × 2
// pixels into 4 channels, and couplings keep half of the channels; half of the values are then done and set aside
// (**multi-scale**), and couplings go on with the rest.
//
// Two models on the same split: RealNVP, and its twin with $s = 0$, whose additive couplings make it a NICE. 1,250 images
// overfit either in seconds: hence fresh noise at each step, dropout, weight decay, and the epoch that is best on validation
// images.

// %%
let images = orStop { try QuantizedImages(for: options, using: &training, noise: &testing) }
notebook.print("train \(images.train.shape)   validation \(images.validation.shape)   test \(images.test.shape)")
let gaussian = images.gaussian(using: &training)
let gaussianBits = images.testBits { x in gaussian.logProbability(of: x.reshaped(to: [x.shape[0], images.dimension])) }

func fit(_ model: RealNVP, name: String) -> TrainingState {
  let bestFile = notebook.folder.appending(path: "\(name)-best.safetensors")
  var optimizer = AdamW(model.parameters, learningRate: learningRate, weightDecay: weightDecay)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let batches = images.train.shape[0] / batchSize
  let schedule = Schedule.cosine(from: learningRate, steps: epochs * batches).warmedUp(steps: 30)
  while state.epoch < epochs {
    var total: Float = 0
    for levels in images.train.batches(ofSize: batchSize, droppingLast: true, shuffledUsing: &state.random) {
      optimizer.learningRate = schedule(optimizer.step)
      let noise = Tensor.uniform(levels.shape, using: &state.random)  // [100, 8, 8, 1]
      let loss = images.bits(levels, noise) { model.logProbability(of: $0) }.mean()
      notebook.progress(
        optimizer.step + 1, of: epochs * batches, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss, clippingToNorm: 1)
      total += loss.scalar
    }
    let reached = images.validationBits { model.logProbability(of: $0) }
    if reached < state.history["validation"]?.min() ?? .infinity {
      orStop { try Checkpoint(of: model).write(to: bestFile) }
    }
    state.append(total / Float(batches), to: "train")
    state.append(reached, to: "validation")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  orStop { try Checkpoint(contentsOf: bestFile).restore(model) }
  return state
}

func makeModel(isAffine: Bool) -> RealNVP {
  imageFlow(
    side: images.testImages.width, channels: 1, counts: counts, network: network, isAffine: isAffine, dropout: dropout,
    using: &initialization)
}
let (model, twin) = (makeModel(isAffine: true), makeModel(isAffine: false))
notebook.parameters = model.parameterCount
let states = [("RealNVP", fit(model, name: "realnvp")), ("additive", fit(twin, name: "additive"))]

// %% [markdown]
// ## Results on images
// A histogram of each pixel is a hard baseline for a density: it sees exact levels and pays for no noise.

// %%
let (bits, twinBits) = (images.testBits(model.logProbability), images.testBits(twin.logProbability))  // [297] each
let histogram = images.histogramBits().mean().scalar
notebook.measure(
  "images test, RealNVP", Estimate(bits), unit: "bits/dim", baseline: histogram, baselineName: "histogram of each pixel"
)
notebook.measure(
  "images test, additive twin", Estimate(twinBits), unit: "bits/dim", baseline: gaussianBits.mean().scalar,
  baselineName: "full-covariance Gaussian")
notebook.measure("images, additive − affine, image by image", Estimate(twinBits - bits), unit: "bits/dim")
notebook.show(
  LinePlot(
    title: "Training on images", xLabel: "epoch", yLabel: "bits/dim",
    series: states.flatMap { name, state in
      ["train", "validation"].map { Series("\(name) \($0)", x: Array(1...state.epoch), y: state.history[$0] ?? []) }
    },
    references: [.init("histogram, test", histogram), .init("Gaussian, test", gaussianBits.mean().scalar)]),
  named: "training")

let real = (images.test.sliced(0..<40, axis: 0) + 0.5) / Float(images.levelCount)
notebook.show(
  ImageGrid(images.pictures(concatenate([real, samples(model, 40)], axis: 0)), columns: 20), named: "samples",
  caption: "Two rows of test images, two rows of samples.")

// %% [markdown]
// ## What each scale holds
//
// Six test images, and what becomes of them when one part of $z$ is kept and the other drawn anew. The 32 values set aside after
// the first scale hold detail: the digit stays. The 32 of the second scale, which went through everything, hold the digit.

// %%
let (shown, half) = (images.test.sliced(0..<6, axis: 0), model.dimension / 2)
let original = (shown + 0.5) / Float(images.levelCount)
let z = withoutGradients { inference { model.encode(original).z } }  // [6, 64]
func redrawn(_ range: Range<Int>, _ title: String) -> ImageGrid {
  let noise = Tensor.normal([9 * z.shape[0], range.count], using: &sampling)
  let x = withoutGradients {
    inference { model.decode(z.repeated(9, axis: 0).replacing(range, axis: 1, with: noise)) }
  }
  let rows = (0..<6).flatMap { [original.sliced($0..<$0 + 1, axis: 0), x.sliced(9 * $0..<9 * $0 + 9, axis: 0)] }
  return ImageGrid(images.pictures(concatenate(rows, axis: 0)), columns: 10, title: title, scale: 8)
}
notebook.show(
  Panels([redrawn(0..<half, "first scale anew"), redrawn(half..<2 * half, "second scale anew")]), named: "scales",
  caption: "First column: the test image. The other nine: part of its z drawn anew.")

// %% [markdown]
// ## A walk between four images
//
// $z = \cos\phi\,(\cos\phi' z_1 + \sin\phi' z_2) + \sin\phi\,(\cos\phi' z_3 + \sin\phi' z_4)$ (equation 19) keeps $z$ at the
// length that a Gaussian has, so that each step is an image the model believes in. The corners are test images; $\phi$ and
// $\phi'$ go from 0 to 90°.

// %%
func walk(_ corners: Tensor, steps: Int) -> Tensor {
  let angles = (0..<steps).map { Float($0) / Float(steps - 1) * .pi / 2 }
  let weights = angles.flatMap { down in
    angles.map { [cos(down) * cos($0), cos(down) * sin($0), sin(down) * cos($0), sin(down) * sin($0)] }
  }
  return matmul(Tensor(weights), corners)  // [steps², dimension]
}
let walks = [0, 2].map { first in
  let x = withoutGradients { inference { model.decode(walk(z.sliced(first..<first + 4, axis: 0), steps: 8)) } }
  return ImageGrid(images.pictures(x), columns: 8, scale: 8)
}
notebook.show(
  Panels(walks), named: "interpolation", caption: "Walks in latent space between the four test images at the corners.")

// %% [markdown]
// ## What to try next
//
// - Take out batch normalisation in `planarLayers`. How large may the learning rate be then?
// - `isAffine: false` in the plane: the loss cannot fall below the floor that Lesson03-NICE computes for maps that keep volume.
// - Give `Logit` $\alpha = 10^{-6}$: where do the bits go?
// - Convolutional networks, as with `--full`: 2.05 bits/dim on the validation images after 40 epochs, in twice the time.
// - Set nothing aside: one scale, all couplings on all values.

// %%
notebook.finish(verdict: "test −log p, smiley", data: "smiley", picture: "smiley-density")
