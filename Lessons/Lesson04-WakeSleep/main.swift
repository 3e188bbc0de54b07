import LessonKit

// %% [markdown]
// # Wake and sleep
//
// How can a network with layers of hidden causes learn, when nobody tells it the causes and Bayes' rule is too expensive? Hinton,
// Dayan, Frey & Neal, [The "wake-sleep" algorithm for unsupervised neural networks](https://doi.org/10.1126/science.7761831)
// (Science 268, 1995), give the *generative* model $p(x, h)$ a *recognition* model $q(h|x)$ that runs the other way:
//
// - **Wake**: images are interpreted, $h \sim q(h|x)$, and the generative weights learn to make what was found: they climb
//   $\mathbb{E}_{p_\mathrm{data}(x)\,q(h|x)}[\log p(x, h)]$.
// - **Sleep**: images are dreamt, $x, h \sim p(x, h)$, and the recognition weights learn to find the causes, which are known this
//   once: they climb $\mathbb{E}_{p(x, h)}[\log q(h|x)]$.
//
// No gradient runs through a sample. The wake phase follows the bound $\log p(x) - \mathrm{KL}(q(h|x)\,\|\,p(h|x))$. The sleep phase does
// not: it turns the KL round, $\mathrm{KL}(p\,\|\,q)$, and takes it on dreams in place of data. Here we can see what that costs.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson04-WakeSleep", title: "Wake and sleep", options: options)

// %% [markdown]
// ## The model
//
// A Helmholtz machine of binary units: from the top, $p(h_2)\,p(h_1|h_2)\,p(x|h_1)$; from the bottom, $q(h_1|x)\,q(h_2|h_1)$. Within a
// layer all units are independent given the layer that they are drawn from.

// %%
notebook.source(of: HelmholtzMachine.self)

// %% [markdown]
// ## Configuration and data
//
// BarsAndStripes: images whose rows are all equal or whose columns are, 14 of them at 3×3, equally likely. No model can spend less
// than $\ln 14 = 2.6391$ nats an image. Initialisation, training and evaluation have their own streams of random numbers.

// %%
let side = options.choose(quick: 3, standard: 3, full: 4)
let units = options.choose(quick: [9, 8, 4], standard: [9, 8, 4], full: [16, 12, 5])
let stepsPerEpoch = 250
let epochs = options.epochs ?? options.choose(quick: 3, standard: 40, full: 200)
let copies = 32  // of each image in a wake batch: as many interpretations of it
let dreams = options.choose(quick: 256, standard: 512, full: 2048)
let learningRate: Float = 0.1
let shallowCount = options.choose(quick: 1, standard: 5, full: 5)

var streams = Random(seed: options.seed)
var (initialization, training, sampling) = (streams.split(), streams.split(), streams.split())

let law = BarsAndStripes(side)
let data = law.allImages.reshaped(to: [law.imageCount, side * side])
let batch = data.repeated(copies, axis: 0)  // every image equally often: the law itself, with no sampling error
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], side, side, 1]) }
notebook.print("images \(data.shape)   wake batch \(batch.shape)   dreams [\(dreams), \(side * side)]")

/// KL(data ‖ model) in nats/image, from ln p(x) or a bound on it for each image.
func divergence(_ logProbability: Tensor) -> Float { -Float(law.entropy) - logProbability.mean().scalar }

// %% [markdown]
// ## Training: both phases
//
// Each step wakes and sleeps once, each phase with its own optimiser for its own half of the weights. The learning rate falls
// to zero on a straight line, since a machine of samples stops only when its steps do. What is recorded is exact: $\log p(x)$ by
// summing over all causes, the bound likewise.

// %%
func fit(_ machine: HelmholtzMachine, name: String) -> TrainingState {
  var waking = Adam(machine.generative.parameters)
  var sleeping = Adam(machine.recognition.parameters)
  var state = notebook.begin(name, machine, &waking, &sleeping, options: options, random: training.split())
  let steps = epochs * stepsPerEpoch
  let rate = Schedule.linear(from: learningRate, to: 0, steps: steps)
  while state.epoch < epochs {
    if side == 3 { state.append(machine.angle(data), to: "angle") }
    for _ in 0..<stepsPerEpoch {
      (waking.learningRate, sleeping.learningRate) = (rate(waking.step), rate(waking.step))

      let wakeLoss = machine.wakeLoss(batch, using: &state.random)
      waking.minimize(wakeLoss)

      let sleepLoss = machine.sleepLoss(dreams: dreams, using: &state.random)
      sleeping.minimize(sleepLoss)

      notebook.progress(waking.step, of: steps, loss: wakeLoss.scalar, detail: name)
      notebook.check(sleepLoss.scalar, step: waking.step, quantity: "sleep loss")
    }
    withoutGradients {
      state.append(divergence(machine.generative.logProbability(of: data)), to: "KL")
      state.append(divergence(machine.bound(data)), to: "bound")
    }
    state.epoch += 1
    notebook.save(name, state, machine, waking, sleeping)
  }
  return state
}

let deep = HelmholtzMachine(units: units, using: &initialization)
notebook.parameters = deep.parameterCount
let deepState = fit(deep, name: "two-layers")

// %% [markdown]
// ## One hidden layer
//
// The same with the topmost layer taken away, from several starting points, since where one layer ends depends on where it begins:
// there are a few places to come to rest, and the better ones are found less often.

// %%
let shallow = (0..<shallowCount).map { _ in HelmholtzMachine(units: Array(units.dropLast()), using: &initialization) }
let shallowStates = shallow.enumerated().map { fit($1, name: "one-layer-\($0 + 1)") }

let epochSteps = (1...epochs).map { $0 * stepsPerEpoch }
func curve(_ name: String, _ state: TrainingState, _ quantity: String) -> Series {
  Series(name, x: epochSteps, y: state.history[quantity] ?? [])
}
notebook.show(
  LinePlot(
    title: "Two hidden layers against one", xLabel: "step (one wake and one sleep phase)",
    yLabel: "KL from the data (nats/image)",
    series: [curve("two layers", deepState, "KL"), curve("two layers, bound", deepState, "bound")]
      + shallowStates.enumerated().map { curve("one layer, start \($0 + 1)", $1, "KL") },
    references: [ReferenceLine("aim", 0.02)], logarithmicY: true),
  named: "learning",
  caption: "Exact, by enumeration. Machines with one layer come to rest, at one of a few heights; two layers go on.")

func finalKL(_ state: TrainingState) -> Float { state.history["KL"]!.last! }
let ranking = shallow.indices.sorted { finalKL(shallowStates[$0]) < finalKL(shallowStates[$1]) }
let (median, medianState) = (shallow[ranking[shallowCount / 2]], shallowStates[ranking[shallowCount / 2]])
notebook.measure(
  "KL(data ‖ machine), two hidden layers", finalKL(deepState), unit: "nats/image", floor: 0.0,
  baseline: finalKL(medianState),
  baselineName: "one hidden layer, median of \(shallowCount)")
notebook.measure(
  "−log p(x), two hidden layers", Float(law.entropy) + finalKL(deepState), unit: "nats/image", floor: law.entropy,
  baseline: Double(side * side) * log(2.0), baselineName: "independent pixels")
notebook.table(
  headers: ["one hidden layer, from start", "KL (nats/image)"],
  rows: ranking.map { [$0 + 1, finalKL(shallowStates[$0])] })

// %% [markdown]
// Is it the learning that stalls, or the model? We take the median machine and climb the exact gradient of $\log p(x)$, with no
// recognition model. What that gains, better inference could have gained; the rest of the KL is the model's own.

// %%
let climber = Generative(units: Array(units.dropLast()), using: &initialization)
for (copy, original) in zip(climber.parameters, median.generative.parameters) {
  copy.parameter.wrappedValue = original.parameter.wrappedValue
}
var ascent = Adam(climber.parameters, learningRate: 0.02)
for _ in 0..<options.choose(quick: 50, standard: 1000, full: 1000) {
  ascent.minimize(-climber.logProbability(of: data).mean())
}
let polished = withoutGradients { divergence(climber.logProbability(of: data)) }
notebook.measure("the same one layer after exact ascent of log p(x)", polished, unit: "nats/image", floor: 0.0)

// %% [markdown]
// ## Why the second layer removes it
//
// A pixel's log-odds are a *sum* over the units that are on. Sums draw bars well, and stripes well, but an image must be one or the
// other: a unit that draws a column has to be silent whenever a row's unit speaks. The units below must therefore *depend* on each other.
// In a machine of one hidden layer they are independent by construction, $p(h_1) = \prod_j p(h_{1j})$; the second layer is what
// couples them. How much coupling the machine has learnt is the *total correlation* $\sum_j H(h_{1j}) - H(h_1)$, 0 for one layer;
// what it is worth shows when we cut it, and give every unit of $h_1$ its marginal probability alone.

// %%
let generative = deep.generative
let (coupling, cut, correlations) = withoutGradients {
  (generative.totalCorrelation, divergence(generative.uncoupled.logProbability(of: data)), generative.correlations)
}
notebook.measure("total correlation of h₁", coupling, unit: "nats", baseline: 0.0, baselineName: "one hidden layer")
notebook.measure("KL with the units of h₁ made independent", cut, unit: "nats/image", floor: 0.0)
notebook.show(
  HeatMap(
    correlations, title: "What the second layer adds", xLabel: "unit of h₁", yLabel: "unit of h₁",
    valueLabel: "correlation under p(h₁)", valueRange: -1...1),
  named: "correlation", caption: "A machine with one hidden layer has zeros everywhere off the diagonal.")
let given = withoutGradients { [generative, median.generative].map { exp($0.logProbability(of: data)).scalars } }
notebook.show(
  BarChart(
    categories: (1...law.imageCount).map(String.init),
    bars: zip(["two layers", "one layer"], given).map { Series($0, $1) },
    references: [ReferenceLine("data", 1 / Double(law.imageCount))], title: "Probability of each image",
    xLabel: "image",
    yLabel: "p(x)"), named: "probabilities",
  caption: "Independent units make products, often near 1/8, 1/16 and 1/32: some images get too much.")
let shown = 16
let dreamt = [generative, median.generative].map { $0.dream(shown, using: &sampling)[0] }
let examples = data.tiled(times: 2, axis: 0).sliced(0..<shown, axis: 0)
notebook.show(
  ImageGrid(
    asImages(concatenate([examples] + dreamt, axis: 0)), columns: shown, rowLabels: ["data", "two layers", "one layer"]),
  named: "dreams", caption: "Dreams: draws of x from the top down.")

// %% [markdown]
// ## How good is the recognition model?
//
// For each image the gap between $\log p(x)$ and the bound is $\mathrm{KL}(q(h|x)\,\|\,p(h|x))$, over all $2^{12}$ states of the causes. Bayes' rule
// also gives the exact $p(h_1|x) \propto p(x|h_1)\,p(h_1)$: beside it, for every image and unit, what recognition believes.

// %%
let (logP, bound) = withoutGradients { (generative.logProbability(of: data), deep.bound(data)) }
let gap = logP - bound
notebook.measure("KL(q(h|x) ‖ p(h|x)), mean over images", gap.mean().scalar, unit: "nats/image", floor: 0.0)
let exactMeans = withoutGradients { generative.posteriorMeans(data) }  // [14, 8]
let believed = withoutGradients { sigmoid(deep.recognition.layers[0](data)) }  // [14, 8]
notebook.measure("largest error of a unit's posterior probability", abs(exactMeans - believed).max().scalar, floor: 0.0)
notebook.show(
  ScatterPlot(
    stack([exactMeans.reshaped(to: [-1]), believed.reshaped(to: [-1])], axis: 1),
    title: "Posterior probability of each unit, each image", xLabel: "exact p(unit = 1 | x)",
    yLabel: "recognition q(unit = 1 | x)", equalScales: true),
  named: "posterior", caption: "On the diagonal recognition is right.")

// %% [markdown]
// ## The angle
//
// Two gradients for the recognition weights, both exact: down the sleep phase's loss, and up the bound on the data. Below 90° a small
// step of sleep raises the bound too; at 0° they would be one algorithm.

// %%
if let angles = deepState.history["angle"] {
  notebook.show(
    LinePlot(
      title: "Sleep's gradient and the bound's", xLabel: "step", yLabel: "angle (degrees)",
      series: [("two layers", deepState), ("one layer (median)", medianState)].map {
        Series($0, x: epochSteps.map { $0 - stepsPerEpoch }, y: $1.history["angle"] ?? [])
      }, references: [ReferenceLine("at right angles", 90)], yRange: 0...100),
    named: "angle", caption: "Exact gradients of the recognition weights, at the beginning of each epoch.")
  notebook.measure("angle before training", angles[0], unit: "degrees")
  notebook.measure("angle, mean over training", angles.reduce(0, +) / Float(angles.count), unit: "degrees")
  notebook.measure("angle, largest", angles.max()!, unit: "degrees")
}

// %% [markdown]
// ## Beside a VAE
//
// The same images for a variational autoencoder with two real numbers as its code (`Lesson04-VAE`), as many steps; a grid over the
// plane of codes gives its $\log p(x)$. A smooth map from a plane finds it hard to keep 14 images apart with nothing in between.

// %%
let planar = PlanarVAE(pixels: side * side, hidden: 32, using: &initialization)
let planarSteps = epochs * stepsPerEpoch
var adam = Adam(planar.parameters)
for step in 1...planarSteps {
  adam.learningRate = 0.01 * (1 - Float(step - 1) / Float(planarSteps))
  let loss = -planar.bound(batch, using: &training).mean()
  notebook.progress(step, of: planarSteps, loss: loss.scalar, detail: "VAE")
  adam.minimize(loss)
}
let planarBound = Estimate(-withoutGradients { planar.bound(data.repeated(2000, axis: 0), using: &sampling) })
func row(_ name: String, _ model: some Module, _ logP: Tensor, _ bound: Float, _ error: Any) -> [Any] {
  [name, model.parameterCount, bound, error, -logP.mean().scalar, divergence(logP)]
}
notebook.table(
  headers: ["model", "parameters", "−bound", "± s.e.", "−log p(x)", "KL from the data"],
  rows: [
    row("wake-sleep, two hidden layers", deep, logP, -bound.mean().scalar, "exact"),
    row(
      "wake-sleep, one hidden layer (median)", median, withoutGradients { median.generative.logProbability(of: data) },
      -withoutGradients { median.bound(data) }.mean().scalar, "exact"),
    row("VAE, two real codes", planar, planar.logProbability(of: data), planarBound.mean, planarBound.standardError),
  ],
  caption: "nats/image, all \(law.imageCount) images; the floor of −log p(x) is \(String(format: "%.4f", law.entropy))")

// %% [markdown]
// ## What to try next
//
// - Fewer dreams a step, or a learning rate that does not fall: which of the two phases suffers first?
// - Start the weights at a standard deviation of 1. How often does one hidden layer find a better place?
// - Let recognition follow the bound's gradient (`angle` computes it). Is that faster here, where it costs an enumeration?
// - `--full`: 4×4 images, 30 of them, a 16-12-5 machine.

// %%
notebook.finish(verdict: "KL(data ‖ machine), two hidden layers", data: "bars-and-stripes-\(side)", picture: "learning")
