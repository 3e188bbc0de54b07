import LessonKit

// %% [markdown]
// # Masked autoregressive flow
//
// Every density factorises, $p(x) = \prod_i p(x_i \,|\, x_1, \dots, x_{i-1})$. With normal conditionals of mean $\mu_i$ and log-scale
// $\alpha_i$, computed by a masked network from the coordinates before, that is a simple model, and in the wrong order of the
// coordinates a poor one. Papamakarios, Pavlakou & Murray,
// [Masked Autoregressive Flow for Density Estimation](https://arxiv.org/abs/1705.07057) (2017), look at the numbers from which such a
// model draws its samples,
//
// $$u_i = (x_i - \mu_i)\, e^{-\alpha_i}, \qquad \mu_i, \alpha_i = f_i(x_1, \dots, x_{i-1})$$
//
// If the model were right, $u$ would be standard normal on data. It is not; so let a second such model explain $u$, in another
// order, and a third explain what that leaves. The stack is invertible, and its density is exact:
//
// $$\log p(x) \;=\; \log \mathcal{N}(u; 0, I) \;+\; \log\left|\det \frac{\partial u}{\partial x}\right|
//   \;=\; \log \mathcal{N}(u; 0, I) \;-\; \sum_{\text{steps}} \sum_i \alpha_i$$
//
// A density takes one run of each network. A sample takes one run **for every coordinate**: what that costs is measured below.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson03-MAF", title: "Masked autoregressive flow", options: options)

// %% [markdown]
// ## The model
//
// What stands between the marks of an exercise is what a student writes: `swift run course start MAF` empties it.

// %%
notebook.source(of: MAF.self)

// %% [markdown]
// ## Configuration
//
// All data come from laws that are known exactly, so every batch is new, nothing can be overfitted, and the entropy of the law is
// a floor below which no model can come. An epoch is 250 batches.

// %%
let hidden = options.choose(quick: [32, 32], standard: [64, 64], full: [512, 512])
let stepCount = options.choose(quick: 6, standard: 8, full: 10)
let epochs = options.epochs ?? options.choose(quick: 2, standard: 24, full: 200)
// With `--full` in 42 dimensions, as many as the paper's MINIBOONE has but one.
let pairs = options.choose(quick: 3, standard: 3, full: 21)
let (batchSize, batchesPerEpoch, learningRate) = (256, 250, Float(4e-3))
let testCount = options.choose(quick: 4000, standard: 20_000, full: 100_000)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## Training
//
// Maximum likelihood, as the paper does it: the mean of $-\log p(x)$ falls, by Adam with a step size that falls to 0. After
// each epoch 1000 fresh points tell how far the model is above the floor: the mean of $\log p_{law}(x) - \log p(x)$ is their
// Kullback–Leibler divergence, and has far less noise than $-\log p(x)$ alone.

// %%
func gap(_ model: MAF, _ law: any Law<Tensor>, _ x: Tensor) -> Estimate {
  Estimate(law.logProbability(of: x) - withoutGradients { model.logProbability(of: x) })
}

func fit(_ law: any Law<Tensor>, name: String, steps: Int, hidden: [Int], epochs: Int) -> (MAF, TrainingState) {
  let dimension = law.samples(1, using: &training).shape[1]
  let model = MAF(dimension: dimension, steps: steps, hidden: hidden, using: &initialization)
  var optimizer = Adam(model.parameters)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let schedule = Schedule.cosine(from: learningRate, steps: epochs * batchesPerEpoch)
  while state.epoch < epochs {
    for _ in 0..<batchesPerEpoch {
      let x = law.samples(batchSize, using: &state.random)  // [256, dimension]
      let loss = -model.logProbability(of: x).mean()
      notebook.progress(
        optimizer.step + 1, of: epochs * batchesPerEpoch, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)"
      )
      optimizer.learningRate = schedule(optimizer.step)
      optimizer.minimize(loss, clippingToNorm: 5)
    }
    state.append(gap(model, law, law.samples(1000, using: &state.random)).mean, to: "gap")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return (model, state)
}

// %% [markdown]
// ## Why one step is not enough
//
// The paper's figure 1. The law is $b \sim \mathcal{N}(0, 4)$, $a \sim \mathcal{N}(b^2/4, 1)$; the model must explain $a$ first and then $b$
// from $a$, which has two answers, one on each branch. A normal conditional cannot have two. Its $u$ shows that: it should be a
// round cloud, and is none. Five steps, in alternating orders, make it one.

// %%
let pair = Parabolas.pair
let pairTest = pair.samples(testCount, using: &testing)  // [20000, 2]
var clouds: [any DrawnFigure] = [
  ScatterPlot(
    pairTest.sliced(0..<2000, axis: 0), title: "Data", xLabel: "a", yLabel: "b", xRange: -4...12, yRange: -8...8,
    equalScales: true)
]
for steps in [1, 5] {
  let name = steps == 1 ? "one step" : "\(steps) steps"
  let (model, _) = fit(pair, name: "pair-\(steps)", steps: steps, hidden: [32, 32], epochs: (epochs + 3) / 4)
  notebook.measure(
    "\(name), wrong order", pair.entropy + gap(model, pair, pairTest), unit: "nats/point", floor: pair.entropy,
    baseline: pair.gaussianEntropy, baselineName: "one Gaussian")
  clouds.append(
    ScatterPlot(
      withoutGradients { model(pairTest.sliced(0..<2000, axis: 0)).u }, title: "u of the data, \(name)", xLabel: "u₁",
      yLabel: "u₂", xRange: -4...4, yRange: -4...4, equalScales: true))
}
notebook.show(
  Panels(clouds), named: "orders",
  caption:
    "What one step in the wrong order leaves of the data is far from normal; five steps leave nothing to explain.")

// %% [markdown]
// ## Three laws
//
// - **Smiley**: two eyes and a mouth that do not touch. A flow is continuous: it can make the bridges between them thin, not cut them.
// - **TwoMoons**: two arcs in each other's way.
// - **Turned parabolas**, 6 dimensions: three of the pairs above, turned by a fixed rotation, so that no order of the coordinates is
//   right. Turning changes no volume, and the entropy stays $3\,(\ln 2\pi e + \ln 2) = 10.593$ nats.

// %%
let (smiley, moons, turned) = (Smiley(), TwoMoons(), Parabolas.turned(pairs: pairs))
let smileyTest = smiley.labelledSamples(testCount, using: &testing)
let (moonsTest, turnedTest) = (moons.samples(testCount, using: &testing), turned.samples(testCount, using: &testing))
notebook.print("test points: smiley \(smileyTest.points.shape)  moons \(moonsTest.shape)  turned \(turnedTest.shape)")

let (model, smileyState) = fit(smiley, name: "smiley", steps: stepCount, hidden: hidden, epochs: epochs)
let (moonsModel, moonsState) = fit(moons, name: "moons", steps: stepCount, hidden: hidden, epochs: epochs)
let (turnedModel, turnedState) = fit(turned, name: "turned", steps: 6, hidden: hidden, epochs: (3 * epochs + 3) / 4)
notebook.parameters = model.parameterCount

notebook.show(
  LinePlot(
    title: "Distance from the floor while training", xLabel: "epoch", yLabel: "nats/point above the floor",
    series: [("smiley", smileyState), ("two moons", moonsState), ("turned parabolas", turnedState)].map { name, state in
      Series(name, x: Array(1...state.epoch), y: state.history["gap"] ?? [])
    }, logarithmicY: true),
  named: "training")

// %% [markdown]
// ## Results
//
// The mean of $-\log p(x)$ on fresh test points, and a second test: the $u$ of test points must have mean 0 and covariance $I$.

// %%
func evaluate(_ name: String, _ model: MAF, _ law: any Law<Tensor>, _ x: Tensor, baseline: Double) -> [Any] {
  let distance = gap(model, law, x)
  notebook.measure(
    "\(name) −log p(x)", law.entropy + distance, unit: "nats/point", floor: law.entropy, baseline: baseline,
    baselineName: "one Gaussian")
  let u = withoutGradients { model(x).u }
  let (mean, count) = (u.mean(axis: 0), Float(u.shape[0]))
  let covariance = matmul(u - mean, u - mean, transposingFirst: true) / count  // [dimension, dimension]
  let identity = oneHot(IndexTensor((0..<u.shape[1]).map { Int32($0) }), classes: u.shape[1])
  let (offCentre, offIdentity) = (abs(mean).max().scalar, abs(covariance - identity).max().scalar)
  return [name, u.shape[1], distance.mean, distance.standardError, offCentre, offIdentity]
}

notebook.table(
  headers: ["law", "dimensions", "above floor", "± s.e.", "largest |mean of u|", "largest |cov(u) − I|"],
  rows: [
    evaluate("smiley", model, smiley, smileyTest.points, baseline: smiley.gaussianEntropy),
    evaluate("two moons", moonsModel, moons, moonsTest, baseline: moons.gaussianEntropy),
    evaluate("turned parabolas", turnedModel, turned, turnedTest, baseline: turned.gaussianEntropy),
  ],
  caption: "nats/point on \(testCount) test points; a mean of u has standard error \(1 / Float(testCount).squareRoot())"
)

// %% [markdown]
// ## Density and samples
//
// The model's density beside the law's, with the same colours (of its square root, so that the mouth shows beside the eyes), and samples of both. Between the parts of the law the thin bridges
// show: the flow maps the plane to the plane, and what hangs together stays together.

// %%
func density(_ log: (Tensor) -> Tensor, _ title: String, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>) -> HeatMap
{
  let grid = WarpedGrid.points(xRange: x, yRange: y, rows: 160, columns: 160)  // [25600, 2]
  return HeatMap(
    exp(withoutGradients { log(grid) } * 0.5).reshaped(to: [160, 160]), title: title, xLabel: "x₁", yLabel: "x₂",
    valueLabel: "root of density", xRange: x, yRange: y, valueRange: 0...(title.hasPrefix("S") ? 1.2 : 0.9))
}

let (smileyX, smileyY) = (-3.0...3.0, -2.2...3.8)
let (moonsX, moonsY) = (-1.6...2.6, -1.85...2.35)
notebook.show(
  Panels(
    [
      density(smiley.logProbability, "Smiley: the law", smileyX, smileyY),
      density(model.logProbability, "Smiley: the flow", smileyX, smileyY),
      density(moons.logProbability, "Two moons: the law", moonsX, moonsY),
      density(moonsModel.logProbability, "Two moons: the flow", moonsX, moonsY),
    ], columns: 2), named: "density", caption: "Square root of the density of the law and of the flow.")

func scatter(
  _ points: Tensor, _ title: String, classes: IndexTensor? = nil, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>
)
  -> ScatterPlot
{
  let shown = points.sliced(0..<min(3000, points.shape[0]), axis: 0)
  let classes = classes.map { $0.sliced(0..<shown.shape[0], axis: 0) } ?? IndexTensor(.zeros([shown.shape[0]]))
  return ScatterPlot(
    shown, classes: classes, classNames: ["left eye", "right eye", "mouth"], title: title, xRange: x, yRange: y,
    equalScales: true)
}

notebook.show(
  Panels([
    scatter(smileyTest.points, "Smiley: data", smileyX, smileyY),
    scatter(model.samples(3000, using: &sampling), "Smiley: samples", smileyX, smileyY),
    scatter(moonsTest, "Two moons: data", moonsX, moonsY),
    scatter(moonsModel.samples(3000, using: &sampling), "Two moons: samples", moonsX, moonsY),
  ]), named: "samples", caption: "3000 points of the data and 3000 samples.")

// %% [markdown]
// ## One step at a time
//
// Test points of Smiley on their way through the steps, coloured by the part of the face that they come from. At the end they
// are a round normal cloud in which each part has its own region. Below, a regular grid of $u$ sent the other way, to $x$.

// %%
let onTheWay = stride(from: 0, through: stepCount, by: 2).map { count in
  let u = withoutGradients { MAF(Array(model.steps.prefix(count)))(smileyTest.points.sliced(0..<3000, axis: 0)).u }
  let title = count == 0 ? "Test points" : "After step \(count)" + (count == stepCount ? ": u" : "")
  return scatter(u, title, classes: smileyTest.labels, -4...4, -4...4)
}
notebook.show(
  Panels(onTheWay, columns: 3), named: "stages", caption: "Each pair of steps makes the data a little more normal.")

let side = options.choose(quick: 61, standard: 241, full: 241)
let grid = WarpedGrid.points(xRange: -2.5...2.5, yRange: -2.5...2.5, rows: side, columns: side)  // [side², 2]
notebook.show(
  Panels(
    [("Smiley", model, smileyX, smileyY), ("Two moons", moonsModel, moonsX, moonsY)].map { name, model, x, y in
      WarpedGrid(
        withoutGradients { model.inverse(grid) }, rows: side, columns: side, title: "\(name): the grid of u in x",
        xLabel: "x₁", yLabel: "x₂", xRange: x, yRange: y)
    }), named: "grid",
  caption: "The square −2.5…2.5 of u holds 97.5 % of the probability; its lines crowd where the data are.")

// %% [markdown]
// ## What a sample costs
//
// A batch of 100 through an untrained flow of five steps with hidden layers of 64, in ever more dimensions. A density runs each
// network once, and grows with the size of its first and last layer alone. A sample runs each network once **per dimension**,
// one after the other, since each coordinate needs the one before: no number of processors helps.

// %%
func milliseconds(_ body: () -> Tensor) -> Double {
  let times = (0..<5).map { _ in ContinuousClock().measure { _ = withoutGradients(body).scalars } / .milliseconds(1) }
  return times.min() ?? .nan
}

let dimensions = options.choose(
  quick: [1, 2, 4, 8, 16], standard: [1, 2, 4, 8, 16, 32, 64], full: [1, 2, 4, 8, 16, 32, 64, 128])
let costs = dimensions.map { dimension in
  let flow = MAF(dimension: dimension, steps: 5, hidden: [64, 64], using: &initialization)
  let points = Tensor.normal([100, dimension], using: &sampling)
  return (density: milliseconds { flow.logProbability(of: points) }, sampling: milliseconds { flow.inverse(points) })
}
notebook.table(
  headers: ["dimensions", "density (ms)", "sampling (ms)", "ratio"],
  rows: zip(dimensions, costs).map { [$0, $1.density, $1.sampling, $1.sampling / $1.density] },
  caption: "a batch of 100, the least of five times")
notebook.show(
  LinePlot(
    title: "Time for a batch of 100", xLabel: "dimensions", yLabel: "milliseconds",
    series: [
      Series("density of a given point", x: dimensions, y: costs.map(\.density)),
      Series("sampling", x: dimensions, y: costs.map(\.sampling)),
    ], logarithmicX: true, logarithmicY: true), named: "cost",
  caption: "The ratio of the two is about the number of dimensions.")

// %% [markdown]
// The inverse autoregressive flow (Kingma et al. 2016) is the same mathematics read the other way: fast samples, slow densities.
//
// ## What to try next
//
// - Leave out `flipped(axis: 1)`: which coordinate can then never be anything but normal, and what does Smiley cost?
// - Give `pair` the right order, by `flipped(axis: 1)` on its data: how good is one step now, and why?
// - Make the steps two, four, sixteen. Where do the bridges in Smiley's density go, and the distance from the floor?
// - `swift run Lesson03-MAF --full` learns 21 turned pairs, 42 dimensions, with the paper's ten steps of 512 units.

// %%
notebook.finish(verdict: "smiley −log p(x)", data: "smiley", picture: "density")
