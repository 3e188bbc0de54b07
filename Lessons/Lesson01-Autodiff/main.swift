import LessonKit

// %% [markdown]
// # Automatic differentiation, from nothing
//
// Every model of this course is trained the same way: compute one number, the loss, and move each of many parameters a little
// against the derivative of that number. How can one get the derivatives of thousands of parameters, exactly, for about the price
// of computing the loss itself? Run the chain rule backwards: the back-propagation of Rumelhart, Hinton & Williams,
// [Learning representations by back-propagating errors](https://doi.org/10.1038/323533a0) (1986); Baydin et al.,
// [Automatic differentiation in machine learning](https://arxiv.org/abs/1502.05767) (2015), tell the whole story. Write
// $\bar v = \partial y / \partial v$ for the derivative of the result $y$ with respect to a value $v$ on the way to it. Then
//
// $$\bar y = 1, \qquad \bar v \;=\; \sum_{u\,:\,v \text{ is an input of } u} \bar u \, \frac{\partial u}{\partial v}$$
//
// Each value collects from those that *use* it, so one sweep from the end of the computation to its beginning finds all. Here we
// build that in some hundred lines, hold it against two independent witnesses, and train a classifier with it.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson01-Autodiff", title: "Automatic differentiation", options: options)

// %% [markdown]
// ## The engine
//
// A `Value` keeps its number and, so that the way can be walked back, its inputs and the operation that made it. Each operation
// has its rule. The rules are written with values, not with bare numbers: a derivative is a computation like any other, and can
// be differentiated again. What stands between the marks of an exercise is what a student writes:
// `swift run course start Autodiff` empties it, and `swift run course check Autodiff` tells what is right.

// %%
notebook.source(of: Value.self)

// %% [markdown]
// ## One sweep, step by step
//
// The smallest graph with a trap in it is a *diamond*: $p = a\,b$ is used twice in $y = p \tanh p$, and both uses send something
// back to it. $\bar p$ must be complete, both parts added, before $p$ passes anything on to $a$ and $b$. Hence the order: each
// value after everything that uses it. Read the table from the bottom up.

// %%
let (a, b) = (Value(2), Value(-0.5))
let p = a * b
let t = tanh(p)
let y = p * t
let steps = [
  ("a", a, "p̄ · b"), ("b", b, "p̄ · a"), ("p = a · b", p, "ȳ · t + t̄ · (1 − t²): two parts"),
  ("t = tanh p", t, "ȳ · p"), ("y = p · t", y, "1"),
]
notebook.table(
  headers: ["value", "number", "∂y/∂value", "collected from"],
  rows: zip(steps, gradients(of: y, withRespectTo: steps.map(\.1))).map { [$0.0, $0.1.number, $1.number, $0.2] },
  caption: "by hand: ∂y/∂p = tanh(−1) − (1 − tanh²(−1)) = −0.76159 − 0.41997 = −1.1816")

// %% [markdown]
// ## The first witness: central differences
//
// $(f(x+h) - f(x-h)) / 2h$ needs no rules at all. But no step is right: a large one leaves out what lies beyond the parabola, an
// error like $h^2$, and a small one divides the rounding of $f$ by next to nothing, an error like $\varepsilon/h$.
// Differentiating the computation has neither problem: what remains is the last digit.

// %%
func f(_ x: Value) -> Value { exp(x) * tanh(x) }
func f(at x: Double) -> Double { f(Value(x)).number }
func error(_ slope: Double) -> Double { max(abs(slope / (exp(1) * (tanh(1) + 1 - tanh(1) * tanh(1))) - 1), 1e-17) }
let sizes = stride(from: -13.0, through: 0, by: 0.125).map { pow(10, $0) }
let one = Value(1)
notebook.show(
  LinePlot(
    title: "The derivative of exp(x) tanh(x) at x = 1", xLabel: "step h", yLabel: "relative error",
    series: [
      Series("one-sided difference", x: sizes, y: sizes.map { error((f(at: 1 + $0) - f(at: 1)) / $0) }),
      Series("central difference", x: sizes, y: sizes.map { error((f(at: 1 + $0) - f(at: 1 - $0)) / (2 * $0)) }),
    ],
    references: [ReferenceLine("reverse mode", error(gradients(of: f(one), withRespectTo: [one])[0].number))],
    logarithmicX: true, logarithmicY: true), named: "differences",
  caption: "Too large a step and too small a step are both wrong; the chain rule is right to the last digit.")

// %% [markdown]
// ## Model and data
//
// A network with one hidden layer of tanh units tells two classes apart: the logit is $\ln p(1|x) - \ln p(0|x)$, the loss
// $-\ln p(\text{label}|x)$. It is written with values and with the course's `Tensors`, on the same parameters. The data are two
// interleaved half circles with normal noise of 0.1. Their law is known, and with it the best possible classifier, Bayes' rule on
// the exact densities. Our engine makes an object for each number, so the network is small.

// %%
notebook.source(of: Classifier.self)
let units = options.choose(quick: 16, standard: 16, full: 48)
let epochs = options.epochs ?? options.choose(quick: 8, standard: 24, full: 60)
let (batchSize, learningRate) = (10, Float(0.1))
var streams = Random(seed: options.seed)
var (initialization, drawing, training, testing) = (streams.split(), streams.split(), streams.split(), streams.split())
let trainCount = options.choose(quick: 500, standard: 1000, full: 4000)
let (trainX, trainIndices) = TwoMoons().labelledSamples(trainCount, using: &drawing)
let (testX, testIndices) = TwoMoons().labelledSamples(options.size == .quick ? 2000 : 10_000, using: &testing)
let (trainLabels, testLabels) = (Tensor(trainIndices), Tensor(testIndices))  // [count]
let (points, labels) = (rows(trainX), trainLabels.scalars.map(Double.init))
notebook.print("train \(trainX.shape)   test \(testX.shape)")

// %% [markdown]
// ## Both witnesses on a whole network
//
// All derivatives of the loss on 20 points, three ways: our engine in double precision, `Tensors` in single precision, and
// central differences. And what they cost: one sweep adds a fixed multiple of the loss's own operations, however many derivatives
// it yields; differences compute the loss twice for every parameter. At a million parameters that is a second against twelve
// days.

// %%
let model = Classifier(units: units, using: &initialization)
notebook.parameters = model.parameterCount
let (w, some) = (model.values, 0..<20)
func batchLoss(_ w: [Value]) -> Value { loss(model, Array(points[some]), Array(labels[some]), w) }
let ours = gradients(of: batchLoss(w), withRespectTo: w).map(\.number)
let tensorLoss = loss(model, trainX.sliced(some, axis: 0), trainLabels.sliced(some, axis: 0))
let byTensors = Tensors.gradients(of: tensorLoss, withRespectTo: [model.w])[0]
let byDifferences = w.indices.map { index in
  let sides = [1e-5, -1e-5].map { step in
    batchLoss(w.enumerated().map { $0 == index ? Value($1.number + step) : $1 }).number
  }
  return (sides[0] - sides[1]) / 2e-5
}
for (name, others) in [("Tensors", byTensors.scalars.map(Double.init)), ("central differences", byDifferences)] {
  let distance = zip(ours, others).map { abs($0 - $1) }.max()! / ours.map(abs).max()!
  notebook.measure("largest difference from \(name)", distance, unit: "of the largest derivative")
}
let batch = batchLoss(w)
let once = topologicalOrder(of: batch).count
let swept = topologicalOrder(of: sum([batch] + gradients(of: batch, withRespectTo: w))).count - once
notebook.print("operations: loss \(once), one sweep \(swept), central differences \(2 * w.count * once)")

// %% [markdown]
// ## Second derivatives, and tensors
//
// The sweep is made of values, so it leaves a graph of its own, and a second sweep gives $f''$. Some models of the course need
// it: a penalty on the size of a gradient (WGAN-GP), a loss that is itself a derivative (score matching). A tensor library has
// the same rules for whole arrays. One thing is new: in `x + bias`, a bias of shape `[3]` meets an `x` of shape `[4, 3]` and is
// **broadcast**, used once for every row. That is the diamond again: what is used four times collects four parts, and the
// gradient of a broadcast is a sum over the copies.

// %%
let places = (-60...60).map { Double($0) / 20 }
let curvature = Series("f″", x: places, y: places.map { secondDerivative(of: { tanh($0) }, at: $0) })
notebook.show(
  LinePlot(
    title: "Two sweeps", xLabel: "x", yLabel: "f(x) and f″(x)",
    series: [Series("f = tanh", x: places, y: places.map { tanh(Value($0)).number }), curvature]), named: "derivatives")
notebook.table(
  headers: ["shape", "broadcast to", "difference from Tensors"],
  rows: [([3], [4, 3]), ([4, 1], [4, 3]), ([2, 1, 1], [2, 4, 3])].map { shape, full in
    let upstream = Tensor.normal(full, using: &testing)
    let byTensors = gradient(at: .zeros(shape)) { ($0.broadcast(to: full) * upstream).sum() }
    return ["\(shape)", "\(full)", abs(broadcastGradient(upstream, shape: shape) - byTensors).max().scalar]
  })

// %% [markdown]
// ## Training
//
// The loop of every lesson to come, with our own gradient in the middle. After each epoch the state is saved, for `--resume`.

// %%
var optimizer = Adam(model.parameters)
var state = notebook.begin("autodiff", model, &optimizer, options: options, random: training.split())
let stepCount = epochs * ((trainCount + batchSize - 1) / batchSize)
while state.epoch < epochs {
  for batch in (0..<trainCount).batches(ofSize: batchSize, shuffledUsing: &state.random) {
    let w = model.values
    let loss = loss(model, batch.map { points[$0] }, batch.map { labels[$0] }, w)
    notebook.progress(optimizer.step + 1, of: stepCount, loss: Float(loss.number), detail: "epoch \(state.epoch + 1)")
    let gradients = gradients(of: loss, withRespectTo: w)
    optimizer.learningRate = learningRate * (1 - Float(optimizer.step) / Float(stepCount))
    optimizer.update(with: [Tensor(gradients.map { Float($0.number) })])
  }
  state.epoch += 1
  notebook.save("autodiff", state, model, optimizer)
}

// %% [markdown]
// ## Results
//
// The share of test points put on the wrong moon, and the loss. The floor is what Bayes' rule on the exact law gives on the same
// points; the baseline is the best straight line, trained with the same loss by tensors. In the picture, the probability of the
// lower moon over the plane: where there are data, network and law agree. Far from all data the network is just as sure of
// itself: $p(\text{label}|x)$ says nothing about how likely $x$ is. That is what $p(x)$ is for, and the rest of the course.

// %%
let weights = model.values
let logits = Tensor(rows(testX).map { Float(model($0, weights).number) })  // [count]
let line = Linear(2, 1, using: &initialization)
var lineOptimizer = Adam(line.parameters, learningRate: 0.05)
for _ in 0..<500 {
  lineOptimizer.minimize(softplus(line(trainX).reshaped(to: [trainCount]) * (1 - 2 * trainLabels)).mean())
}
func errors(_ logits: Tensor) -> Estimate { Estimate(abs((logits .> 0) - testLabels) * 100) }
func losses(_ logits: Tensor) -> Estimate { Estimate(softplus(logits * (1 - 2 * testLabels))) }
let bayes = TwoMoons.logOdds(of: testX)
let straight = line(testX).reshaped(to: [testX.shape[0]]).detached()
for (name, unit, quantity) in [("test error", "%", errors), ("test loss", "nats/point", losses)] {
  notebook.measure(
    name, quantity(logits), unit: unit, floor: quantity(bayes).mean, baseline: quantity(straight).mean,
    baselineName: "straight line")
}

let (xRange, yRange, cells) = (-1.5...2.5, -1.75...2.25, options.choose(quick: 40, standard: 80, full: 80))
let offsets = (0..<cells).map { 4 * (Double($0) + 0.5) / Double(cells) }
let grid = offsets.flatMap { up in offsets.map { [xRange.lowerBound + $0, yRange.lowerBound + up] } }  // [cells², 2]
let surface = Tensor(grid.map { Float(model($0, weights).number) })
let truth = TwoMoons.logOdds(of: Tensor(grid.map { $0.map(Float.init) }))
func probability(_ logits: Tensor, _ title: String) -> HeatMap {
  HeatMap(
    sigmoid(logits).reshaped(to: [cells, cells]), title: title, xLabel: "x₁", yLabel: "x₂", valueLabel: "p(lower | x)",
    xRange: xRange, yRange: yRange, valueRange: 0...1, colors: .diverging, points: testX.sliced(0..<250, axis: 0))
}
notebook.show(
  Panels([probability(surface, "The network"), probability(truth, "Bayes' rule on the law")]), named: "surface",
  caption: "Trained with nothing but the hundred lines above; test points in white.")

// %% [markdown]
// ## What to try next
//
// - Add `relu` to the engine: an operation, a rule, and a line in the switch. What is its second derivative, and does it matter?
// - Build a chain of 100,000 additions: the recursion runs out of stack. How does `Sources/Tensors/BackwardPath.swift` not?
// - Time `loss` and its gradient on all training points, by values and by tensors. What do tensors save?

// %%
notebook.finish(verdict: "test error", data: "two moons", picture: "surface")
