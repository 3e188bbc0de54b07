import LessonKit

// %% [markdown]
// # Energy-based models
//
// Give every $x$ a number, its energy, and let low energies be likely: $p(x) = e^{-E(x)} / Z$. Any network will do for
// $E$, since $Z$ makes the probabilities sum to 1. But $Z$ is a sum over everything there is. How can one learn without
// it? Its gradient is an average over the model's own samples, so that
//
// $$-\nabla_\theta\, \mathbb{E}_\mathrm{data}[\log p(x)] \;=\; \mathbb{E}_\mathrm{data}[\nabla_\theta E(x)] \;-\; \mathbb{E}_{p}[\nabla_\theta E(x)]$$
//
// The energy goes down where the data are and up where the model believes they are. Samples of $p$ come from Markov
// chains. Hinton (2002),
// [Training products of experts by minimizing contrastive divergence](https://doi.org/10.1162/089976602760128018),
// starts them at the data and stops after $k$ steps; Tieleman (2008) lets them run on from update to update; Du &
// Mordatch (2019),
// [Implicit generation and modeling with energy-based models](https://arxiv.org/abs/1903.08689), move them by Langevin
// dynamics; and Hyvärinen (2005), [score matching](https://jmlr.org/papers/v6/hyvarinen05a.html), needs no chains.
//
// Such models are seldom checked, since $Z$ is out of reach. Here it is not: 512 images can be counted and a plane
// integrated.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson05-EnergyBased", title: "Energy-based models", options: options)

// %%
notebook.source(of: RBM.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers.

// %%
let side = options.choose(quick: 3, standard: 3, full: 4)
let units = options.choose(quick: 8, standard: 8, full: 16)  // hidden
let copies = 32  // chains for each image
let epochs = options.epochs ?? options.choose(quick: 6, standard: 80, full: 300)
let updates = options.choose(quick: 50, standard: 100, full: 500)  // an epoch
let planarEpochs = options.epochs ?? options.choose(quick: 4, standard: 50, full: 200)
let planarUpdates = options.choose(quick: 20, standard: 50, full: 200)
let (batchSize, chainSteps, stepSize) = (256, 15, Float(0.02))

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A machine whose Z can be counted
//
// BarsAndStripes: images whose rows are all equal or whose columns are, equally likely, 14 of them at 3×3. No model
// needs fewer than $\ln 14 = 2.6391$ nats an image. The restricted Boltzmann machine sums its hidden units out, and the
// 512 images give $\ln Z$.

// %%
let law = BarsAndStripes(side)
let data = law.allImages.reshaped(to: [law.imageCount, side * side])
let batch = data.repeated(copies, axis: 0)  // every image equally often: the law itself, with no sampling error
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], side, side, 1]) }
notebook.print("images \(data.shape)   batch \(batch.shape)")

// %% [markdown]
// The same machine learns in four ways, which differ in where the model's samples come from:
//
// - the **exact gradient**, by enumeration;
// - **CD-1** and **CD-10**: 1 or 10 steps of Gibbs sampling from the data;
// - **PCD-5**: 5 steps from where the chains were left.
//
// Every 100 updates the exact $-\log p(x)$ is written down, and for CD the angle between its *expected* gradient (the
// chains' law is known exactly, too) and the true one.

// %%
func fit(_ name: String, steps: Int, persistent: Bool = false) -> (RBM, TrainingState) {
  let machine = RBM(visible: side * side, hidden: units, chains: batch.shape[0], using: &initialization)
  let first: Float = persistent ? 0.3 : 1  // chains that are kept must keep up with the weights
  var optimizer = SGD(machine.parameters, learningRate: first)
  var state = notebook.begin("rbm-\(name)", machine, &optimizer, options: options, random: training.split())
  while state.epoch < epochs {
    for _ in 0..<updates {
      optimizer.learningRate = first * (1 - Float(optimizer.step) / Float(epochs * updates))
      if steps == 0 {
        optimizer.minimize(-machine.logProbability(of: data).mean())
      } else {
        let start = persistent ? machine.chains : batch
        let (loss, ends) = machine.contrast(batch, from: start, steps: steps, using: &state.random)
        machine.chains = ends
        optimizer.minimize(loss)
      }
      notebook.progress(optimizer.step, of: epochs * updates, detail: name)
    }
    let loss = withoutGradients { -machine.logProbability(of: data).mean().scalar }
    notebook.check(loss, step: optimizer.step)
    state.append(loss - Float(law.entropy), to: "KL")
    if side == 3, steps > 0, !persistent { state.append(machine.angle(data, steps: steps), to: "angle") }
    state.epoch += 1
    notebook.save("rbm-\(name)", state, machine, optimizer)
  }
  return (machine, state)
}

let once = [fit("exact", steps: 0), fit("CD-10", steps: 10), fit("PCD-5", steps: 5, persistent: true)]
let starts = (1...5).map { fit("CD-1-\($0)", steps: 1) }

// %% [markdown]
// Where CD-1 ends depends on where it begins and on its draws, so it is trained five times, and the median is shown.
// The others are trained once: `--seed 2` shows how close together they end.

// %%
func curve(_ run: (RBM, TrainingState)) -> [Float] { run.1.history["KL"]! }
let ranked = starts.sorted { curve($0).last! < curve($1).last! }
let names = ["exact", "CD-1", "CD-10", "PCD-5"]
let runs = [once[0], ranked[2], once[1], once[2]]
let steps = (1...epochs).map { $0 * updates }
notebook.show(
  LinePlot(
    title: "Four ways to learn one machine", xLabel: "update", yLabel: "−log p(x) above the floor (nats/image)",
    series: zip(names, runs).map { Series($0, x: steps, y: curve($1)) }, logarithmicY: true),
  named: "rbm-learning", caption: "Exact, by enumeration; of CD-1 the median of five.")
for (name, run) in zip(names, runs) {
  notebook.measure(
    "RBM −log p(x), \(name)", Float(law.entropy) + curve(run).last!, unit: "nats/image", floor: law.entropy,
    baseline: Double(side * side) * log(2.0), baselineName: "independent pixels")
}
notebook.table(
  headers: ["CD-1, from start", "least", "after update", "in the end", "risen by"],
  rows: starts.enumerated().map { index, run in
    let (least, last) = (curve(run).min()!, curve(run).last!)
    return [index + 1, least, steps[curve(run).firstIndex(of: least)!], last, last - least]
  }, caption: "−log p(x) above the floor, nats/image")
notebook.measure(
  "CD-1 in the end, above the floor, least of five", curve(ranked[0]).last!, unit: "nats/image", floor: 0.0)

// %% [markdown]
// CD-1 comes down, and then it rises as it trains. One step from the data the chains have hardly left them. They still
// tell images from noise; but of two images many steps apart nothing learns which is too likely, and how the
// probability is shared among the images of the law drifts. As the weights grow the chains move less, and the bias
// grows. The angle tells the same: below 90° the expected step improves the machine, above 90° it makes it worse.

// %%
if side == 3 {
  notebook.show(
    LinePlot(
      title: "Contrastive divergence against the exact gradient", xLabel: "update", yLabel: "angle (degrees)",
      series: [1, 2].map { Series(names[$0], x: steps, y: runs[$0].1.history["angle"]!) },
      references: [ReferenceLine("at right angles", 90)], yRange: 0...180), named: "rbm-angle")
  notebook.table(
    headers: ["steps of Gibbs sampling", "angle for the CD-1 machine", "angle for the CD-10 machine"],
    rows: [1, 2, 5, 10, 20, 50, 100].map { k in [k, runs[1].0.angle(data, steps: k), runs[2].0.angle(data, steps: k)] },
    caption: "degrees between the expected gradient of CD-k and the exact one, at the weights in the end")
}

// %% [markdown]
// Samples, drawn by enumeration, so that no chain is to blame. *Precision* is the machine's probability of all the
// images of the law, *recall* the share of these images that have at least half the probability they should. Both are
// exact.

// %%
let shown = 16
let fantasies = runs.map { machine, _ in
  let logP = withoutGradients { machine.logProbability(of: machine.images) }.reshaped(to: [1, -1])
  return embedding(machine.images, .categorical(logits: logP.repeated(shown, axis: 0), using: &sampling))
}
let probabilities = runs.map { machine, _ in withoutGradients { exp(machine.logProbability(of: data)).scalars } }
let judged = probabilities.map { p in
  let recall = Float(p.count { $0 >= 0.5 / Float(p.count) }) / Float(p.count)
  return String(format: "precision %.2f, recall %.2f", p.reduce(0, +), recall)
}
notebook.show(
  ImageGrid(
    asImages(concatenate([data.tiled(times: 2, axis: 0).sliced(0..<shown, axis: 0)] + fantasies, axis: 0)),
    columns: shown, rowLabels: ["data"] + names), named: "rbm-samples",
  caption: zip(names, judged).map { "\($0): \($1)" }.joined(separator: "; ") + ".")
notebook.show(
  BarChart(
    categories: (1...law.imageCount).map(String.init), bars: zip(names, probabilities).map { Series($0, $1) },
    references: [ReferenceLine("data", 1 / Double(law.imageCount))], title: "Probability of each image",
    xLabel: "image", yLabel: "p(x)"), named: "rbm-probabilities")

// %% [markdown]
// ## A network as energy
//
// EightGaussians, entropy 2.1776 nats. The chains move by Langevin dynamics,
//
// $$x' = x - \frac{\eta}{2} \nabla E(x) + \sqrt{\eta}\,\varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I)$$
//
// with $\eta = 0.02$, fifteen steps an update, and are kept from update to update. The steps are finite, so that the
// chains' law is a little wider than $e^{-E}/Z$: around a mode of variance $\sigma^2 = 0.065$ by a factor $1 / (1 -
// \eta / 4\sigma^2) = 1.08$. Learning fits the *chains* to the data, hence an energy that is a little too narrow. For
// the results a running average of the weights is taken, and chains with the correction of Metropolis and Hastings,
// which have no such bias.
//
// The loss says nothing about progress: it compares two energies and hovers about 0. Quadrature does:
// $\mathrm{KL}(p_\mathrm{data} \,\|\, p) = \mathbb{E}_\mathrm{data}[E(x)] + \ln Z - H$.

// %%
let eight = EightGaussians()
let plane = Plane(reach: 5, cells: 100)
let network = NeuralEnergy(waves: 32, hidden: 64, chains: batchSize, using: &initialization)
notebook.parameters = network.parameterCount
var optimizer = Adam(network.parameters)
var average = ExponentialMovingAverage(network.parameters, decay: 0.99)
var state = notebook.begin("network", network, &optimizer, &average, options: options, random: training.split())
let rate = Schedule.cosine(from: 1e-3, steps: planarEpochs * planarUpdates)
let (judges, view) = (eight.samples(batchSize, using: &testing), -3.5...3.5)
var (pictures, surfaces) = ([any DrawnFigure](), [any DrawnFigure]())

func judgement(_ samples: Tensor) -> String {
  let figures = PrecisionAndRecall(of: samples, against: judges)
  return String(format: "precision %.2f, recall %.2f", figures.precision.mean, figures.recall.mean)
}
func picture(_ title: String, _ points: Tensor) -> ScatterPlot {
  ScatterPlot(points, title: title, xLabel: "x₁", yLabel: "x₂", xRange: view, yRange: view, equalScales: true)
}
func surface(_ title: String) -> HeatMap {
  let fine = Plane(reach: view.upperBound, cells: 100)
  let energy = withoutGradients { network.energy(fine.points) }
  return HeatMap(
    (energy - energy.min()).reshaped(to: [100, 100]), title: title, xLabel: "x₁", yLabel: "x₂",
    valueLabel: "energy above the least (nats)", xRange: view, yRange: view, valueRange: 0...12)
}

while state.epoch < planarEpochs {
  if [0, planarEpochs / 25, planarEpochs / 5].contains(state.epoch) {
    pictures.append(picture("Update \(optimizer.step): \(judgement(network.chains))", network.chains))
    surfaces.append(surface("Update \(optimizer.step)"))
  }
  for _ in 0..<planarUpdates {
    let x = eight.samples(batchSize, using: &state.random)  // [256, 2]
    network.chains = network.langevin(network.chains, step: stepSize, count: chainSteps, using: &state.random)
    let loss = network.energy(x).mean() - network.energy(network.chains).mean()
    optimizer.learningRate = rate(optimizer.step)
    optimizer.minimize(loss, clippingToNorm: 5)
    average.update()
    notebook.progress(optimizer.step, of: planarEpochs * planarUpdates, loss: loss.scalar, detail: "network")
  }
  state.append(plane.divergence(eight, network), to: "last weights")
  state.append(average.withAverages { plane.divergence(eight, network) }, to: "averaged weights")
  state.epoch += 1
  notebook.save("network", state, network, optimizer, average)
}
for named in network.parameters { named.parameter.wrappedValue = average.state["average.\(named.name)"]! }

notebook.show(
  LinePlot(
    title: "KL from the data, by quadrature", xLabel: "update", yLabel: "nats/point",
    series: ["last weights", "averaged weights"].map { name in
      Series(name, x: (1...planarEpochs).map { $0 * planarUpdates }, y: state.history[name]!)
    }, references: [ReferenceLine("aim", 0.12)], logarithmicY: true), named: "network-learning")

// %%
let finest = Plane(reach: 8, cells: 320)
let divergence = finest.divergence(eight, network)
notebook.measure(
  "neural energy −log p(x)", Float(eight.entropy) + divergence, unit: "nats/point", floor: eight.entropy,
  baseline: eight.gaussianEntropy, baselineName: "one Gaussian")
notebook.measure("KL(data ‖ neural energy)", divergence, unit: "nats/point", floor: 0.0)
notebook.measure("ln Z of the neural energy", finest.logZ(network), unit: "nats")
notebook.print("ln Z on a grid of fewer, wider cells: \(plane.logZ(network))")

// %% [markdown]
// ## Are the samples samples?
//
// Two questions, two comparisons, both by the energy distance, with 999 random deals: 256 samples *against 1000 exact
// draws* of the same model, which the grid provides: does the chain sample its model? And *against 1000 fresh data*: is
// the model the law? A p-value of 0.01 or less rejects; where the laws are equal that happens once in a hundred times.
// The chains go on from where learning left them, with correction: from a new beginning far out they would need many
// thousands of steps, since a chain seldom changes from one mode to another. The plain ones go on from there without
// correction.
//
// Below stand two laws to be told from the data, with the same mean and covariance: one Gaussian, and a ring as thick
// as the modes. The distance finds the first far off and the ring hardly: a test that passes only says what this test
// can see. Precision and the spread of the samples around their mode look closer; the spread also tells how narrow the
// energy is without the plain chains' finite steps, and how wide with them.

// %%
let (count, walk) = (batchSize, options.choose(quick: 50, standard: 2000, full: 10_000))
let (adjusted, accepted) = network.adjustedLangevin(network.chains, step: 0.1, count: walk, using: &sampling)
let plain = network.langevin(adjusted, step: stepSize, count: walk / 10, using: &sampling)
notebook.print(String(format: "corrected chains: step 0.1, %.0f %% accepted", 100 * accepted))
let angles = Tensor.uniform([count, 1], in: 0..<(2 * .pi), using: &sampling)
let blur = Tensor.normal([count, 2], using: &sampling)
let deviation = Float(eight.mixture.noise)
let ring = concatenate([cos(angles), sin(angles)], axis: 1) * 2 + blur * deviation
let gaussian = blur * Float(eight.covariance[0][0].squareRoot())
let (exactDraws, fresh) = (finest.samples(network, 1000, using: &testing), eight.samples(1000, using: &testing))

let sets = [
  ("corrected Langevin", adjusted), ("plain Langevin", plain),
  ("draws from the grid", finest.samples(network, count, using: &sampling)),
  ("data", eight.samples(count, using: &sampling)), ("a ring", ring), ("one Gaussian", gaussian),
]
let tests = sets.map { _, samples in [exactDraws, fresh].map { TwoSampleTest(samples, $0, using: &testing) } }
notebook.table(
  headers: ["samples", "to exact draws", "p", "to data", "p", "precision", "recall", "spread"],
  rows: zip(sets, tests).map { set, tests in
    let figures = PrecisionAndRecall(of: set.1, against: judges)
    let spreads = ModeCoverage(of: set.1, modes: eight.modes, radius: 0.5).spreads
    return [set.0] + tests.flatMap { [$0.distance, $0.pValue] }
      + [figures.precision.mean, figures.recall.mean, spreads.reduce(0, +) / 8]
  }, caption: String(format: "energy distances; the law's own spread around a mode is %.4f", deviation))
for index in [0, 5] {
  notebook.measure("p-value, \(sets[index].0) against exact draws", tests[index][0].pValue)
  notebook.measure("p-value, \(sets[index].0) against data", tests[index][1].pValue)
}
pictures.append(picture("Corrected chains: \(judgement(adjusted))", adjusted))
surfaces.append(surface("Averaged weights"))
notebook.show(
  Panels(pictures, columns: 2), named: "network-samples",
  caption: "The chains while learning; data against data: \(judgement(eight.samples(count, using: &testing))).")
notebook.show(
  Panels(surfaces, columns: 2), named: "network-energy", caption: "The energy; above 12 nats all is one colour.")

// %% [markdown]
// ## No chains and no Z: score matching
//
// $\psi(x) = \nabla \log p(x)$ does not depend on $Z$. Hyvärinen showed that the distance of $\psi$ from the data's own
// score is, up to a constant,
//
// $$J = \mathbb{E}_\mathrm{data}\left[\sum_i \frac{\partial \psi_i}{\partial x_i} + \frac{1}{2}\|\psi(x)\|^2\right]$$
//
// which asks for second derivatives of the energy and nothing else. For a normal law, $E = \frac{1}{2} x^T \Lambda x -
// \theta^T x$, $J$ is a quadratic function of $\Lambda$ and $\theta$, and its minimum is the sample mean and
// covariance: the maximum of the likelihood, found without one.

// %%
let normal = LinearGaussian.rotated
let points = normal.samples(4000, using: &training)  // [4000, 2]
let matched = GaussianEnergy(dimensions: 2)
var descent = SGD(matched.parameters, learningRate: 0.02, momentum: 0.9)
let matchingSteps = options.choose(quick: 300, standard: 1500, full: 1500)
for step in 1...matchingSteps {
  let loss = matched.scoreMatchingLoss(points)
  notebook.progress(step, of: matchingSteps, loss: loss.scalar, detail: "score matching")
  descent.minimize(loss)
}
let (centred, n) = (points - points.mean(axis: 0), Float(4000))
let sampleCovariance = matmul(centred, centred, transposingFirst: true) / n
func parameters(_ mean: Tensor, _ covariance: Tensor) -> [Float] {
  mean.scalars + [covariance.scalars[0], covariance.scalars[1], covariance.scalars[3]]
}
let truth: [Float] = [1, 2, 13, 12, 13]
let errors: [Float] = [13, 13, 2 * 13 * 13, 13 * 13 + 12 * 12, 2 * 13 * 13].map { ($0 / n).squareRoot() }
let found = parameters(matched.mean, matched.covariance)
let likeliest = parameters(points.mean(axis: 0), sampleCovariance)
notebook.table(
  headers: ["", "truth", "score matching", "sample moments", "standard error", "error in these"],
  rows: ["mean 1", "mean 2", "variance 1", "covariance", "variance 2"].enumerated().map { i, name in
    [name, truth[i], found[i], likeliest[i], errors[i], (found[i] - truth[i]) / errors[i]]
  })
notebook.measure(
  "score matching, largest error", zip(zip(found, truth), errors).map { abs($0.0 - $0.1) / $1 }.max()!,
  unit: "standard errors", floor: 0.0)

// %% [markdown]
// ## What to try next
//
// - Give CD-1 weight decay. Does it still rise? And PCD a learning rate that does not fall: why do its chains lose track?
// - $\eta = 0.1$ in training: how much too narrow does the energy become? Correct the chains there, too.
// - Score matching for the network: `network.scoreMatchingLoss`. It sees the modes' shapes. Does it see their weights?
// - `--full`: images of 4×4 (65,536 states), and more of everything.

// %%
notebook.finish(verdict: "neural energy −log p(x)", data: "eight-gaussians", picture: "network-samples")
