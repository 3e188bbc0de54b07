import LessonKit

// %% [markdown]
// # Inverse autoregressive flow
//
// Suppose a law is known by an energy alone, $p(x) = \tilde p(x) / Z$: no data, no way to draw samples, $Z$ unknown. That is also where
// a variational autoencoder stands with its posterior. One can fit a model $q$ that draws samples *and* tells their density, for then
//
// $$\mathbb{E}_q[\log q(x) - \log \tilde p(x)] \;=\; \mathrm{KL}(q\,\|\,p) - \ln Z \;\ge\; -\ln Z$$
//
// can be estimated and minimised. Kingma et al.,
// [Improved Variational Inference with Inverse Autoregressive Flow](https://arxiv.org/abs/1606.04934) (2016), make such a $q$ from steps
//
// $$z_t = \mu_t + \sigma_t \odot z_{t-1}, \qquad \log q(z_T) = \log \mathcal{N}(\varepsilon; 0, I) - \sum_t \sum_i \log \sigma_{t,i}$$
//
// with $z_0 = \varepsilon$, and $\mu_{t,i}, \sigma_{t,i}$ computed by a masked network from the coordinates of $z_{t-1}$ before $i$. As $z_{t-1}$ is
// known when $z_t$ is computed, all coordinates come at once: samples are fast. For a point that comes from elsewhere $\varepsilon$ must
// be found coordinate after coordinate: densities are slow. A masked autoregressive flow (`Lesson03-MAF`) is the same with the
// directions exchanged.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson03-IAF", title: "Inverse autoregressive flow", options: options)

// %% [markdown]
// ## The model
//
// What stands between the marks of an exercise is what a student writes: `swift run course start IAF` empties it.

// %%
notebook.source(of: IAF.self)

// %% [markdown]
// ## Configuration
//
// No data: training draws noise alone. An epoch is 250 batches.

// %%
let hidden = options.choose(quick: [24], standard: [32], full: [32])
let stepCount = options.choose(quick: 8, standard: 12, full: 12)
let epochs = options.epochs ?? options.choose(quick: 4, standard: 16, full: 100)
let batchSize = options.choose(quick: 256, standard: 512, full: 2048)
let batchesPerEpoch = 250
let testCount = options.choose(quick: 5000, standard: 50_000, full: 200_000)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## The target
//
// Two crescents, $\log \tilde p(x) = -\frac12 \left(\frac{\|x\| - 2}{0.2}\right)^2 - \frac12 \left(\frac{|x_1| - 2}{0.3}\right)^2 + \dots$, 22 nats of
// energy apart. By quadrature over the plane $\ln Z = 0.8042$: the bound can fall to $-0.8042$ and no further, which is the strictest
// check there is of a log-determinant. A $q$ that fits one crescent perfectly and ignores the other has
// $-\ln Z + \ln 2 = -0.1111$: the price of a lost mode is only $\ln 2$.

// %%
let law = TwoMoonsEnergy()
let (floor, oneCrescent) = (-law.logNormalizer, -law.logNormalizer + log(2))
notebook.print("−ln Z = \(floor) nats; one crescent alone: \(oneCrescent) nats")

// %% [markdown]
// ## Training
//
// **A tempered start.** $\tilde p^\beta$ takes the place of $\tilde p$, with $\beta$ rising from 0.1: a low barrier first, which $q$ learns to
// straddle, then a high one between two halves that have already parted. A second model has $\beta = 1$ from the beginning.
//
// **Two gradients.** Training begins as in the paper, by the gradient that passes through the samples. How much of $q$
// lies on each side it feels only through the samples *between* the crescents, and they get rarer as $\beta$ rises. From $\beta = 0.5$ on,
// training therefore uses another, of the same mean: $\nabla \log q(x)$ at samples that stay where they are, times how much more too
// likely $q$ makes $x$ than other samples. Now every sample tells which crescent has too many, and the noise vanishes as $q$ nears $p$. The
// price is $\log q$ at given points, the slow direction. As a few samples between the crescents would outweigh all others, weights end
// at ±5 and the gradient is clipped to norm 1. And since this gradient cannot tell a sample that is lost where to go, those
// whose energy is above 30 nats (between the crescents it is 22) are pulled back by `stragglers`.

// %%
func train(
  _ flow: IAF, name: String, epochs: Int, rates: ClosedRange<Float>, clippingToNorm maximum: Float = .infinity,
  loss: (_ noise: Tensor, _ part: Float) -> Tensor
) -> TrainingState {
  var optimizer = Adam(flow.parameters)
  var state = notebook.begin(name, flow, &optimizer, options: options, random: training.split())
  let steps = epochs * batchesPerEpoch
  let schedule = Schedule.cosine(from: rates.upperBound, to: rates.lowerBound, steps: steps)
  while state.epoch < epochs {
    var norms: [Float] = []
    for _ in 0..<batchesPerEpoch {
      let noise = Tensor.normal([batchSize, 2], using: &state.random)  // [512, 2]
      let loss = loss(noise, Float(optimizer.step) / Float(steps))
      notebook.progress(
        optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.learningRate = schedule(optimizer.step)
      norms.append(optimizer.minimize(loss, clippingToNorm: maximum))
    }
    let (bound, left) = measure(flow, .normal([2000, 2], using: &state.random))
    state.append(bound.mean, to: "bound")
    state.append(left.mean, to: "left")
    state.append(norms.max() ?? 0, to: "largest norm")
    state.append(norms.sorted()[batchesPerEpoch / 2], to: "median norm")
    state.epoch += 1
    notebook.save(name, state, flow, optimizer)
  }
  return state
}

/// The bound at β = 1 and the share of samples in the left crescent.
func measure(_ flow: IAF, _ noise: Tensor) -> (bound: Estimate, left: Estimate) {
  let (x, logQ) = withoutGradients { flow.sample(noise) }
  let left = x.sliced(0..<1, axis: 1).reshaped(to: [x.shape[0]]) .< 0
  return (Estimate(logQ - law.unnormalizedLogProbability(of: x)), Estimate(left))
}

func makeFlow() -> IAF { IAF(dimension: 2, steps: stepCount, hidden: hidden, using: &initialization) }

let (flow, other) = (makeFlow(), makeFlow())
notebook.parameters = flow.parameterCount
func divergence(_ flow: IAF, _ noise: Tensor, _ beta: Float) -> Tensor {
  reverseDivergence(flow, from: law.unnormalizedLogProbability, beta: beta, noise: noise)
}

let first = train(flow, name: "tempered", epochs: epochs, rates: 2e-3...4e-3) { noise, part in
  divergence(flow, noise, 0.1 * pow(5, part))
}
let second = train(
  flow, name: "balanced", epochs: (7 * epochs + 7) / 8, rates: 0...1.5e-3, clippingToNorm: 1
) { noise, part in
  let beta = min(1, 0.5 * pow(2, 2 * part))
  return scoreSurrogate(flow, from: law.unnormalizedLogProbability, beta: beta, noise: noise)
    + stragglers(flow, from: law.unnormalizedLogProbability, noise: noise)
}
let third = train(other, name: "untempered", epochs: (epochs + 1) / 2, rates: 2e-3...4e-3) { noise, _ in
  divergence(other, noise, 1)
}

func curves(_ key: String) -> [Series] {
  [("tempered", first, 1), ("balanced", second, 1 + epochs), ("untempered", third, 1)].map { name, state, start in
    Series(name, x: Array(start..<start + state.epoch), y: state.history[key] ?? [])
  }
}
notebook.show(
  Panels(
    [
      LinePlot(
        title: "The bound at β = 1", xLabel: "epoch", yLabel: "E_q[log q − log p̃] (nats)",
        series: curves("bound"),
        references: [ReferenceLine("−ln Z", floor), ReferenceLine("one crescent", oneCrescent)], yRange: -1...2),
      LinePlot(
        title: "Share of the left crescent", xLabel: "epoch", yLabel: "share of samples",
        series: curves("left"),
        references: [ReferenceLine("the law", 0.5)], yRange: 0...1),
    ], columns: 1), named: "training")

for (name, state) in [("tempered", first), ("balanced", second)] {
  let (median, largest) = (state.history["median norm"]?.last ?? 0, state.history["largest norm"]?.last ?? 0)
  notebook.print("norms of the gradient in the last epoch, \(name): median \(median), largest \(largest)")
}

// %% [markdown]
// ## Results
//
// The bound on fresh noise; its distance from the floor is $\mathrm{KL}(q\,\|\,p)$. The law can be sampled here, by rejection, so the
// other divergence can be told too, $\mathrm{KL}(p\,\|\,q)$: it asks whether $q$ covers the law. And $q$ is checked to be a density:
// $\int q = 1$ over a grid, through the inverse.

// %%
let noise = Tensor.normal([testCount, 2], using: &testing)  // [50000, 2]
let (bound, left) = measure(flow, noise)
notebook.measure(
  "E_q[log q − log p̃]", bound, unit: "nats", floor: floor, baseline: oneCrescent, baselineName: "one crescent")
notebook.measure("share of the left crescent", left)
let (otherBound, otherLeft) = measure(other, noise)
notebook.measure("untempered E_q[log q − log p̃]", otherBound, unit: "nats", floor: floor)
notebook.measure("untempered share of the left crescent", otherLeft)

let data = law.samples(testCount / 5, using: &testing)  // [10000, 2]
let logQ = withoutGradients { flow.logProbability(of: data) }
notebook.measure("KL(p‖q)", Estimate(law.logProbability(of: data) - logQ), unit: "nats", floor: 0.0)

let gridSide = options.choose(quick: 100, standard: 320, full: 640)
let half = 4 * (1 - 1 / Double(gridSide))  // middles of the cells of −4…4
let grid = WarpedGrid.points(xRange: -half...half, yRange: -half...half, rows: gridSide, columns: gridSide)
let density = exp(withoutGradients { flow.logProbability(of: grid) }).reshaped(to: [gridSide, gridSide])
let cell = pow(8 / Double(gridSide), 2)
notebook.measure("∫q over the grid", density.scalars.reduce(0) { $0 + Double($1) } * cell)

// %% [markdown]
// ## The same weights, read as a MAF
//
// `MAF(of: flow)` has the very same networks. Its sampling, sequential, must undo the flow's: noise, through the IAF to $x$, through the
// MAF back; and the *law's* samples, the other way round. Single precision keeps seven digits. Between the crescents, where the flow
// draws a thread out of a sliver of the noise, the inverse gives some of them up: there the largest errors are. The picture shows the
// $\varepsilon$ of the law's samples; if $q$ were the law they would be standard normal.

// %%
let maf = MAF(of: flow)
let errors = withoutGradients { abs(maf.sample(flow(noise).x) - noise) }
notebook.measure("largest |ε → x → ε error|", errors.max().scalar)
let above = Int((errors .> 1e-4).sum().scalar)
notebook.print(
  "half of the errors are below \(errors.scalars.sorted()[testCount]); \(above) of \(2 * testCount) above 1e-4")
let recovered = withoutGradients { maf.sample(data) }  // [10000, 2]
notebook.measure("largest |x → ε → x error|", abs(withoutGradients { flow(recovered).x } - data).max().scalar)

func scatter(_ points: Tensor, _ title: String, _ reach: Double, by side: Tensor) -> ScatterPlot {
  let count = min(3000, points.shape[0])
  let classes = (side.sliced(0..<1, axis: 1) .> 0).reshaped(to: [side.shape[0]]).sliced(0..<count, axis: 0)
  return ScatterPlot(
    points.sliced(0..<count, axis: 0), classes: IndexTensor(classes), classNames: ["left", "right"], title: title,
    xRange: -reach...reach, yRange: -reach...reach, equalScales: true)
}

let samples = withoutGradients { flow(.normal([3000, 2], using: &sampling)).x }
notebook.show(
  Panels([
    scatter(data, "The law's samples", 3.5, by: data), scatter(samples, "The flow's samples", 3.5, by: samples),
    scatter(recovered, "ε of the law's samples", 3.5, by: data),
  ]), named: "samples", caption: "Coloured by crescent. On the right, what the MAF reading makes of the law's samples.")

let exact = exp(law.logProbability(of: grid)).reshaped(to: [gridSide, gridSide])
notebook.show(
  Panels(
    [("The law", exact), ("The flow", density)].map { title, values in
      HeatMap(
        sqrt(values), title: title, xLabel: "x₁", yLabel: "x₂", valueLabel: "root of density", xRange: -4...4,
        yRange: -4...4,
        valueRange: 0...0.7)
    }), named: "density",
  caption: "Square root of the density, of q by its inverse. The flow is continuous: a thread joins the crescents.")

// %% [markdown]
// ## One step at a time
//
// Noise on its way, coloured by the crescent in which it ends; below, a square grid of noise and where it goes.

// %%
let fewer = noise.sliced(0..<3000, axis: 0)
let ends = withoutGradients { flow(fewer).x }
let reach = [3.5, 10, 10, 10, 10, 10, 3.5]
let onTheWay = (0...6).map { part in
  let count = part * stepCount / 6
  let title = part == 0 ? "Noise ε" : "After step \(count)" + (part == 6 ? ": x" : "")
  return scatter(withoutGradients { IAF(Array(flow.steps.prefix(count)))(fewer).x }, title, reach[part], by: ends)
}
notebook.show(
  Panels(onTheWay, columns: 4), named: "stages",
  caption: "The cloud is pulled apart, and each half bent into a crescent.")

let side = 201
let plane = WarpedGrid.points(xRange: -2.5...2.5, yRange: -2.5...2.5, rows: side, columns: side)  // [201², 2]
notebook.show(
  WarpedGrid(
    withoutGradients { flow(plane).x }, rows: side, columns: side, title: "The grid of ε in x", xLabel: "x₁",
    yLabel: "x₂",
    xRange: -3.5...3.5, yRange: -3.5...3.5), named: "grid",
  caption:
    "A line that leaps has neighbouring points on different crescents; the flow itself joins them along the thread.")

// %% [markdown]
// ## What each direction costs
//
// The same untrained networks, five steps with hidden layers of 64, read both ways, on a batch of 100. What one has to do once, the
// other has to do once for every dimension. Hence an IAF where one draws and needs the density of what was drawn, as in a
// variational autoencoder; and a MAF where points are given, as in maximum likelihood.

// %%
func milliseconds(_ body: () -> Tensor) -> Double {
  let times = (0..<5).map { _ in ContinuousClock().measure { _ = withoutGradients(body).scalars } / .milliseconds(1) }
  return times.min() ?? .nan
}

let dimensions = options.choose(
  quick: [1, 2, 4, 8, 16], standard: [1, 2, 4, 8, 16, 32, 64], full: [1, 2, 4, 8, 16, 32, 64, 128])
let costs = dimensions.map { dimension in
  let iaf = IAF(dimension: dimension, steps: 5, hidden: [64, 64], using: &initialization)
  let (maf, points) = (MAF(of: iaf), Tensor.normal([100, dimension], using: &sampling))
  return [
    milliseconds { iaf.sample(points).logQ }, milliseconds { iaf.logProbability(of: points) },
    milliseconds { maf.sample(points) }, milliseconds { maf.logProbability(of: points) },
  ]
}
let columns = [
  "IAF: sample and its density", "IAF: density of a given point", "MAF: sample", "MAF: density of a given point",
]
notebook.table(
  headers: ["dimensions"] + columns, rows: zip(dimensions, costs).map { [$0] + $1 },
  caption: "milliseconds for a batch of 100, the least of five times")
notebook.show(
  LinePlot(
    title: "Time for a batch of 100", xLabel: "dimensions", yLabel: "milliseconds",
    series: columns.enumerated().map { index, name in Series(name, x: dimensions, y: costs.map { $0[index] }) },
    logarithmicX: true, logarithmicY: true), named: "cost")

// %% [markdown]
// ## What to try next
//
// - Train on to $\beta = 1$ by `reverseDivergence` alone, then with its gradient clipped to norm 20: follow the shares.
// - Leave `stragglers` out, and try some seeds. Leave the ±1.5 of ln σ out too.
// - Give the flow four steps: the thread between the crescents grows thick. What does it cost, in nats?
// - Replace $\sigma$ by a sigmoid and $z_t$ by $\sigma \odot z_{t-1} + (1 - \sigma) \odot m$, the paper's equation 13: more stable, but
//   no step can then stretch.

// %%
notebook.finish(verdict: "E_q[log q − log p̃]", data: "two-moons-energy", picture: "density")
