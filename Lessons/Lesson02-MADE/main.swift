import LessonKit

// %% [markdown]
// # The masked autoencoder
//
// Any law is a product of conditionals, $p(x) = \prod_d p(x_d \mid x_{<d})$, in whatever order the inputs are taken. Can one pass of one
// network give all $D$ of them? Germain, Gregor, Murray & Larochelle, [MADE](https://arxiv.org/abs/1502.03509) (2015), take an
// autoencoder and cut connections until output $d$ depends on the inputs before $d$ alone. Then its outputs *are* conditionals:
//
// $$\log p(x) = \sum_{d=1}^{D} x_d \log \hat x_d + (1 - x_d) \log (1 - \hat x_d), \qquad \hat x_d = p(x_d = 1 \mid x_{<d})$$
//
// Probabilities are exact and cost one pass; a sample costs $D$ passes. And since the masks alone hold the ordering, one network can
// learn many orderings at once, and average what they say.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson02-MADE", title: "The masked autoencoder", options: options)

// %% [markdown]
// ## Model and configuration
//
// What stands between the marks of an exercise is what a student writes: `swift run course start MADE` empties it.

// %%
notebook.source(of: MADE.self)
let direct = true  // connections from inputs straight to outputs
let units = options.choose(quick: 100, standard: 500, full: 8000)  // of one hidden layer, with `--full` as in the paper
let epochs = options.epochs ?? options.choose(quick: 15, standard: 300, full: 100)
let (batchSize, learningRate): (Int, Float) = options.size == .full ? (100, 0.001) : (50, 0.006)
let lawSteps = options.choose(quick: 1500, standard: 6000, full: 20_000)
let usesDigits = options.size != .full && options.data == nil
let (trainImages, testImages) = orStop {
  if usesDigits { return try { ($0.train, $0.test) }(Digits()) }
  return try { ($0.train, $0.test) }(options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST())
}
var streams = Random(seed: options.seed)
var (initialization, training, sampling) = (streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## Masks
//
// Every unit has a number $m$. An input's is its place in the ordering; a hidden unit may look at inputs up to the place $m(k)$, an
// output only at inputs *before* its own. So a connection from $k'$ to a hidden unit $k$ stands where $m(k') \le m(k)$, and one to an
// output $d$ where $m(k) < m(d)$. The product of the masks counts the paths from each input to each output: none on the diagonal, none
// from later inputs. Hidden units are drawn sorted by $m$.

// %%
let panels = [false, true].flatMap { isShuffled in
  let drawn = Degrees(inputs: 9, hidden: [16], shuffled: isShuffled, using: &sampling)
  let cut = masks(of: Degrees(inputs: drawn.inputs, hidden: [drawn.hidden[0].sorted(axis: 0).values]))
  let (paths, order) = (matmul(cut.hidden[0], cut.output), drawn.order.map(String.init).joined(separator: " "))
  return [
    HeatMap(cut.hidden[0], title: "input to hidden", xLabel: "hidden unit", yLabel: "input", colors: .grey),
    HeatMap(cut.output, title: "hidden to output", xLabel: "output", yLabel: "hidden unit", colors: .grey),
    HeatMap(paths, title: "order " + order, xLabel: "output", yLabel: "input", valueLabel: "paths"),
  ]
}
notebook.show(
  Panels(panels, columns: 3), named: "masks",
  caption: "9 inputs, 16 hidden units; white is connected. The natural order above, another below.")

// %% [markdown]
// ## Bars and stripes: every pattern's exact probability
//
// 4×4 images whose rows are all equal or whose columns are: 30 of 65,536, equally likely, so no model is below $\ln 30 = 3.4012$ nats.
// Images are drawn anew for each step. A pass over all 65,536 then gives the probability of each, exactly.

// %%
func fit(_ law: any Law<Tensor>, orderings count: Int, name: String) -> (model: MADE, orderings: [Degrees]) {
  let model = MADE(inputs: 16, hidden: [200], direct: direct, manyMasks: count > 1, using: &initialization)
  let orderings = (0..<count).map { _ in
    Degrees(inputs: 16, hidden: [200], shuffled: count > 1, using: &initialization)
  }
  var optimizer = Adam(model.parameters)
  for step in 1...lawSteps {
    optimizer.learningRate = 0.005 * (1 - Float(step - 1) / Float(lawSteps))
    let x = law.samples(128, using: &training).reshaped(to: [128, 16])
    let loss = -model.logProbability(of: x, masks(of: orderings[step % count])).mean()
    notebook.progress(step, of: lawSteps, loss: loss.scalar, detail: name)
    optimizer.minimize(loss)
  }
  return (model, orderings)
}
func asImages(_ rows: [Tensor], side: Int) -> Tensor { concatenate(rows, axis: 0).reshaped(to: [-1, side, side, 1]) }
let states = allBinaryImages(height: 4, width: 4).reshaped(to: [65_536, 16])
let law = BarsAndStripes(4)
let bars = fit(law, orderings: 1, name: "bars and stripes")
let patternLogs = bars.model.logProbabilities(of: law.allImages.reshaped(to: [30, 16]), in: bars.orderings)
notebook.measure(
  "bars and stripes −log p(x)", -patternLogs.mean().scalar, unit: "nats/image (exact)", floor: law.entropy,
  baseline: 16 * log(2.0), baselineName: "independent pixels")
notebook.measure("Σ p(x), all images", exp(bars.model.logProbabilities(of: states, in: bars.orderings)).sum().scalar)
notebook.show(
  BarChart(
    categories: (1...30).map(String.init), bars: [Series("model", exp(patternLogs).scalars)],
    references: [ReferenceLine("1/30 =", 1.0 / 30)], title: "Exact probabilities", xLabel: "pattern", yLabel: "p(x)"),
  named: "bars-probabilities")
let drawnBars = bars.model.samples(40, bars.orderings[0], using: &sampling)
notebook.show(
  ImageGrid(
    asImages([law.samples(20, using: &sampling).reshaped(to: [20, 16]), drawnBars], side: 4), columns: 20,
    rowLabels: ["data", "samples", "samples"]), named: "bars-samples")

// %% [markdown]
// ## Ising: the exact divergence, and what averaging does to it
//
// 4×4 spins that like to agree with their neighbours. All 65,536 probabilities are known on both sides, so $\mathrm{KL}(p\,\|\,\text{model})$
// is a sum. One model learns the natural ordering; another learns eight in turn with one set of weights, which is harder. Their average
// is again a law, a mixture: its KL is never above the mean of theirs, and where orderings err in different places far below. Samples of
// the first must have the law's correlations $\langle s\,s' \rangle$ of each pair of spins.

// %%
let ising = Ising(4, beta: 0.4)
let spins = fit(ising, orderings: 1, name: "Ising")
let spinsInEight = fit(ising, orderings: 8, name: "Ising, 8 orderings")
func divergence(_ logs: Tensor) -> Tensor {
  (exp(ising.logProbabilities) * (ising.logProbabilities - logs)).sum(axis: -1)
}
let logs = spins.model.logProbabilities(of: states, in: spins.orderings)  // [1, 65536]
let eightLogs = spinsInEight.model.logProbabilities(of: states, in: spinsInEight.orderings)  // [8, 65536]
notebook.measure(
  "Ising KL(p‖model)", divergence(logs).min().scalar, unit: "nats/image (exact)", floor: 0,
  baseline: 16 * log(2.0) - ising.entropy, baselineName: "independent pixels")
notebook.measure("Ising KL, best of 8 orderings", divergence(eightLogs).min().scalar, unit: "nats/image", floor: 0)
notebook.measure("Ising KL, average of 8", divergence(averaged(eightLogs)).scalar, unit: "nats/image", floor: 0)

func correlations(_ images: Tensor, weights: Tensor) -> Tensor {
  let spins = images * 2 - 1  // [count, 16]
  return matmul(spins * weights.reshaped(to: [-1, 1]), spins, transposingFirst: true).reshaped(to: [256])
}
let exact = correlations(states, weights: exp(ising.logProbabilities))
let isingSamples = spins.model.samples(20_000, spins.orderings[0], using: &sampling)
let sampled = correlations(isingSamples, weights: .ones([20_000]) / 20_000)
let errors = (sampled - exact) / sqrt((1 - square(exact)) / 20_000 + 1e-9)  // the mean of ±1 has variance (1 − mean²)/n
notebook.measure("Ising, largest error of 120 correlations", abs(errors).max().scalar, unit: "standard errors")
notebook.show(
  ScatterPlot(
    stack([exact, sampled], axis: 1), title: "Correlations of two spins", xLabel: "exact", yLabel: "of 20,000 samples",
    xRange: 0...0.6, yRange: 0...0.6, equalScales: true), named: "ising-correlations")

// %% [markdown]
// ## Digits
//
// 8×8 handwritten digits (with `--full`, or the four files of a folder after `--data`, 28×28 images), a pixel 1 where it is at least half
// white. A network that follows one ordering learns them by heart within seconds. So a fifth of the training images is set aside for
// **validation**, and the weights of the epoch that does best on these are kept (early stopping; the network of one ordering has dropout
// too). Test images are looked at once, at the end.
//
// The same loop trains three networks. One follows a single random ordering. One takes eight orderings in turn, each with its own hidden
// degrees: the paper's order-agnostic and connectivity-agnostic training. The third draws new degrees for each batch, and so must serve
// *every* ordering. The latter two have the weights $U$ that tell a unit what it may see.

// %%
let (side, pixels) = (testImages.height, testImages.height * testImages.width)
func binarised(_ set: LabelledImages) -> Tensor { set.images(at: set.indices).reshaped(to: [-1, pixels]) .>= 0.5 }
let parts = trainImages.partitioned(validation: trainImages.count / 5, test: 0, using: &training)
let (train, validation, test) = (binarised(parts.training), binarised(parts.validation), binarised(testImages))
let steps = epochs * ((train.shape[0] + batchSize - 1) / batchSize)
notebook.print("training \(train.shape)   validation \(validation.shape)   test \(test.shape)")

func randomDegrees(using random: inout Random) -> Degrees {
  Degrees(inputs: pixels, hidden: [units], shuffled: true, using: &random)
}
typealias Run = (name: String, model: MADE, orderings: [Degrees], state: TrainingState)
func fit(_ name: String, orderings count: Int, renewed: Bool = false) -> Run {
  let model = MADE(
    inputs: pixels, hidden: [units], direct: direct, manyMasks: count > 1, dropout: count > 1 ? 0 : 0.5,
    using: &initialization)
  let orderings = (0..<count).map { _ in randomDegrees(using: &initialization) }
  var optimizer = Adam(model.parameters)
  var best = ExponentialMovingAverage(model.parameters, decay: 0)  // decay 0: a copy, which checkpoints keep
  var state = notebook.begin(name, model, &optimizer, &best, options: options, random: training.split())
  while state.epoch < epochs {
    optimizer.learningRate = learningRate * (1 - Float(state.epoch) / Float(epochs))
    for x in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let degrees = renewed ? randomDegrees(using: &state.random) : orderings[optimizer.step % count]
      let loss = -model.logProbability(of: x, masks(of: degrees)).mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss)
    }
    let loss = -model.logProbabilities(of: validation, in: orderings).mean().scalar
    if loss < state.history["validation"]?.min() ?? .infinity { best.update() }
    state.append(loss, to: "validation")
    state.epoch += 1
    notebook.save(name, state, model, optimizer, best)
  }
  orStop { try best.withAverages { Checkpoint(of: model) }.restore(model) }
  return (name, model, orderings, state)
}

let one = fit("one-ordering", orderings: 1)
let eight = fit("eight-orderings", orderings: 8)
let every = fit("every-ordering", orderings: 8, renewed: true)
notebook.parameters = eight.model.parameterCount
notebook.show(
  LinePlot(
    title: "Validation", xLabel: "epoch", yLabel: "−log p(x) in one ordering (nats/image)",
    series: [one, eight, every].map {
      Series($0.name, x: Array(1...$0.state.epoch), y: $0.state.history["validation"] ?? [])
    },
    logarithmicY: true), named: "training")

// %% [markdown]
// ## Results
//
// For each network the best of its orderings (chosen on the test images themselves, which favours it), the mean over its orderings, and
// the average of the *probabilities* of all, $\log \frac18 \sum_k p_k(x)$. Image by image, the average's *gain* is over that best ordering,
// its *lead* over the network of one ordering, whose whole capacity serves that one.

// %%
let means = (train.sum(axis: 0) + 0.5) / Float(train.shape[0] + 1)
let independent = Bernoulli(logits: log(means / (1 - means)).broadcast(to: test.shape))
let baseline = -independent.logProbability(of: test).mean().scalar
let oneLogs = one.model.logProbabilities(of: test, in: one.orderings).reshaped(to: [-1])
var rows: [[Any]] = []
for run in [one, eight, every] {
  let logs = run.model.logProbabilities(of: test, in: run.orderings)  // [orderings, test]
  let (losses, average) = (-logs.mean(axis: 1), averaged(logs))
  let bestLogs = logs.examples(at: [Int(losses.argmin(axis: 0).scalars[0])]).reshaped(to: [-1])
  let (loss, gain, lead) = (Estimate(-average), Estimate(average - bestLogs), Estimate(average - oneLogs))
  let label = "test −log p(x), \(run.name)\(logs.shape[0] > 1 ? " averaged" : "")"
  notebook.measure(label, loss, unit: "nats/image", baseline: baseline, baselineName: "independent pixels")
  if logs.shape[0] > 1 { notebook.measure("gain by averaging, \(run.name)", gain, unit: "nats/image") }
  let (best, mean) = (losses.min().scalar, losses.mean().scalar)
  rows.append([run.name, best, mean] + [loss, gain, lead].flatMap { [$0.mean, $0.standardError] })
}
notebook.table(
  headers: ["network", "best single", "mean single", "average", "± s.e.", "gain", "±", "lead", "±"], rows: rows,
  caption: "−log p(x) of \(test.shape[0]) test images, nats/image")

// %% [markdown]
// ## Samples, and filling in whatever is missing
//
// The average is a mixture, so a sample of it follows an ordering drawn by chance; here each row of samples has one of the eight. The
// network of every ordering can also put known pixels *first*, whichever they are, and draw the rest from $p(\text{rest} \mid \text{known})$.

// %%
let drawn = eight.orderings.prefix(4).map { eight.model.samples(16, $0, using: &sampling) }
notebook.show(
  ImageGrid(
    asImages([test.sliced(0..<32, axis: 0)] + drawn, side: side), columns: 16,
    rowLabels: ["data", "data"] + (1...4).map { "ordering \($0)" }), named: "samples")

func completions(of x: Tensor, knowing known: [Int]) -> [Tensor] {
  let isKnown = Tensor((0..<pixels).map { known.contains($0) ? 1 : 0 })
  let drawn = (0..<3).map { _ in
    let degrees = randomDegrees(using: &sampling).beginning(with: known)
    return withoutGradients { every.model.completed(x * isKnown, keeping: known.count, degrees, using: &sampling) }
  }
  return [x * isKnown + (1 - isKnown) * 0.4] + drawn
}
let images = test.sliced(0..<16, axis: 0)
let scattered = IndexTensor.permutation(pixels, using: &sampling).scalars.prefix(pixels / 4).map(Int.init)
let tasks = [Array(0..<pixels / 2), scattered].flatMap { completions(of: images, knowing: $0) }
notebook.show(
  ImageGrid(
    asImages([images] + tasks, side: side), columns: 16,
    rowLabels: ["test image", "upper half", "drawn", "drawn", "drawn", "a quarter", "drawn", "drawn", "drawn"]),
  named: "completions", caption: "Grey pixels are hidden from the network, which draws them from p(hidden | shown).")

// %% [markdown]
// ## What to try next
//
// - Set `direct` to false, or take two hidden layers, `[units, units]`. Which of the laws needs them, and what becomes of the gain?
// - Train on 2, 4, 16, 32 orderings: where is a single ordering best, where the average?

// %%
notebook.finish(
  verdict: "test −log p(x), eight-orderings averaged", data: usesDigits ? "binary digits" : "binary images",
  picture: "completions")
