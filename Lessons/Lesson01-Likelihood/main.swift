import LessonKit

// %% [markdown]
// # Maximum likelihood
//
// What does it mean to learn a law from examples? Given draws $x_1, \dots, x_N$ of an unknown $p$, choose among the laws
// $p_\theta$ of a model the one under which these draws are likeliest. The mean of $-\log p_\theta(x)$ is the loss:
//
// $$\frac{1}{N} \sum_{n=1}^{N} -\log p_\theta(x_n) \;\approx\; \mathbb{E}_p[-\log p_\theta(x)] \;=\; H(p) + \mathrm{KL}(p\,\|\,p_\theta)$$
//
// The right side is why one does it. The entropy $H(p)$ belongs to the data, and no model gets below it; what is left is a
// distance between law and model, zero only where they are equal. Read every likelihood in this course in that way: how far above
// the floor?
//
// Here all of it can be seen: one dimension, 100 bins, a law that is known exactly. Two models face each other. A **histogram**
// has a free number for every bin. A **mixture of discretised logistics** has a few smooth humps; it is the output layer of
// [PixelCNN++](https://arxiv.org/abs/1701.05517) (Salimans 2017), and will return when pixels have 256 values.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson01-Likelihood", title: "Maximum likelihood", options: options)

// %% [markdown]
// ## The models
//
// What stands between the marks of an exercise is what a student writes: `swift run course start Likelihood` empties it, and
// `swift run course check Likelihood` tells what is right.

// %%
notebook.source(of: Histogram.self)

// %% [markdown]
// ## Configuration and data
//
// The law is $\frac12 \mathcal{N}(0.3, 0.1^2) + \frac12 \mathcal{N}(0.8, 0.05^2)$, cut into 100 bins of $[0, 1]$ whose outer ones
// take the tails. Its entropy is a sum of 100 terms. We train on many draws, and on the first 200 of them. Each purpose has its
// own stream of random numbers, so that drawing more for one changes nothing in another.

// %%
let (manyPoints, fewPoints) = (options.choose(quick: 8000, standard: 8000, full: 100_000), 200)
let histogramPasses = options.epochs ?? options.choose(quick: 1000, standard: 10_000, full: 50_000)
let mixturePasses = options.epochs ?? options.choose(quick: 400, standard: 1500, full: 5000)
let shortPasses = max(1, mixturePasses / 3)  // where many mixtures are fitted
let repetitions = options.choose(quick: 2, standard: 10, full: 40)

var streams = Random(seed: options.seed)
var (drawing, training, testing, repeating) = (streams.split(), streams.split(), streams.split(), streams.split())
let law = DigitisedMixture.twoPeaks
let many = law.samples(manyPoints, using: &drawing)
let few = many.sliced(0..<fewPoints, axis: 0)
let test = law.samples(20_000, using: &testing)
notebook.print("train \(many.shape) and \(few.shape)   test \(test.shape)   entropy \(law.entropy) nats")

// %% [markdown]
// ## The objective
//
// The training points enter through `crossEntropy`, all at once: a step is a pass over the data. Beside it we watch what one
// never has outside a course: its expectation under the true law, $H(p) + \mathrm{KL}$, by a sum over all bins.

// %%
let exactProbabilities = Tensor(law.probabilities.map { Float($0) })  // [bins]

func fit(
  _ name: String, _ model: some Model, to samples: IndexTensor, _ optimizer: inout some Optimizer, _ rate: Schedule,
  passes: Int
) -> TrainingState {
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  while state.epoch < passes {
    let logProbabilities = model.logProbabilities  // [bins]
    let loss = crossEntropy(logProbabilities, samples)
    notebook.progress(state.epoch + 1, of: passes, loss: loss.scalar, detail: name)
    state.append(loss.scalar, to: "train")
    state.append(-(exactProbabilities * logProbabilities.detached()).sum().scalar, to: "expected")
    optimizer.learningRate = rate(state.epoch)
    optimizer.minimize(loss)
    state.epoch += 1
    if state.epoch % 500 == 0 || state.epoch == passes { notebook.save(name, state, model, optimizer) }
  }
  return state
}

// %% [markdown]
// ## A histogram by gradient descent
//
// The gradient of the loss with respect to the logit of bin $i$ is $p_\theta(i) - n_i/N$, model less count. It vanishes at the
// **counts**, and the loss is convex, so descent must end there. That can be checked bin by bin. A bin without points has its own
// probability as its gradient, which is the weaker the closer it comes to the optimum, 0: after $t$ steps of size $\eta$ about
// $1/\eta t$ is left. Descent never quite arrives. That is luck, as the next picture shows.

// %%
func fitHistogram(to samples: IndexTensor) -> (model: Histogram, history: [String: [Float]]) {
  let model = Histogram(bins: law.bins)
  var optimizer = SGD(model.parameters, learningRate: 20)
  let state = fit("histogram-\(samples.count)", model, to: samples, &optimizer, .constant(20), passes: histogramPasses)
  return (model, state.history)
}
let (histogram, smallHistogram) = (fitHistogram(to: many).model, fitHistogram(to: few))
for (model, samples) in [(histogram, many), (smallHistogram.model, few)] {
  let counts = exp(countedLogProbabilities(samples, bins: law.bins))
  let distance = abs(exp(model.logProbabilities.detached()) - counts).max().scalar
  notebook.measure("largest |p − n/N|, \(samples.count) points", distance, unit: "probability")
}

// %% [markdown]
// On its own points the loss falls to the end. On new points it is least after some twenty steps, and then rises without bound:
// each bin that was empty by chance costs $p_i \log t$. At the optimum, the **raw counts**, the price is infinite, because one
// draw from an empty bin was declared impossible.

// %%
notebook.show(
  LinePlot(
    title: "A histogram of 200 points by gradient descent", xLabel: "step", yLabel: "nats",
    series: [
      Series("on new points, exactly", x: Array(1...histogramPasses), y: smallHistogram.history["expected"] ?? []),
      Series("on its own 200 points", x: Array(1...histogramPasses), y: smallHistogram.history["train"] ?? []),
    ],
    references: [ReferenceLine("entropy", law.entropy)], logarithmicX: true),
  named: "descent", caption: "Learning by heart: what the model gains on its own points it loses on all others.")

// %% [markdown]
// ## Discretised logistics
//
// A logistic variable has the distribution function $F(x) = \sigma((x-\mu)/s)$, so a bin has the probability $F(b) - F(a)$, and
// the outer bins take the tails. The sum over all bins is 1. But not on a computer: far from $\mu$ both sigmoids round to 1, the
// logarithm of their difference is $-\infty$, and one such point ends a training. The product
// $F(b)\,(1 - F(a))\,(1 - e^{-(b-a)/s})$ is the same number and never cancels.

// %%
let middles = (0..<law.bins).map { (Double($0) + 0.5) / Double(law.bins) }
let edges = Tensor((1..<law.bins).map { Float($0) / Float(law.bins) })  // [bins − 1]
let cumulative = concatenate([.zeros([1]), sigmoid((edges - 0.2) / 0.01), .ones([1])], axis: 0)  // [bins + 1]
let difference = cumulative.sliced(1..<law.bins + 1, axis: 0) - cumulative.sliced(0..<law.bins, axis: 0)
let product = discretizedLogistic(location: Tensor([0.2]), logScale: Tensor([log(0.01)]), bins: law.bins)
notebook.show(
  LinePlot(
    title: "One logistic, location 0.2, scale 0.01", xLabel: "x", yLabel: "ln p (nats)",
    series: [
      Series("the product", x: middles, y: product.scalars),
      Series("ln of the difference", x: middles, y: log(difference).scalars),
    ]), named: "tails", caption: "The plain difference is lost in rounding from ln p = −16 on, and then −∞.")

notebook.table(
  headers: ["location", "ln scale", "Σp − 1", "least ln p"],
  rows: [(0.5, -20), (0.5, 20), (1e4, 0), (-1e4, -9), (0.37, -30), (1e4, 9)].map { (location: Float, logScale: Float) in
    let logs = discretizedLogistic(location: Tensor([location]), logScale: Tensor([logScale]), bins: law.bins)
    return [location, logScale, probabilities(logs).reduce(-1, +), logs.min().scalar] as [Any]
  }, caption: "The probabilities sum to 1 and no logarithm is infinite, wherever the parameters stray.")

// %% [markdown]
// ## How many humps?
//
// A mixture of $K$ humps is trained from locations spread over the sorted data. More humps follow the law more closely, and the
// noise too. The training points themselves must not judge: cross-validation trains on four fifths and asks the rest, in nats.

// %%
func fitMixture(_ components: Int, to samples: IndexTensor) -> LogisticMixture {
  let model = LogisticMixture(components: components, spreadOver: samples, bins: law.bins)
  var optimizer = Adam(model.parameters)
  for pass in 0..<shortPasses {
    optimizer.learningRate = 0.03 * (1 - Float(pass) / Float(shortPasses))
    optimizer.minimize(crossEntropy(model.logProbabilities, samples))
  }
  return model
}

func crossValidated(_ components: Int, _ samples: IndexTensor) -> Float {
  let x = samples.scalars
  let folds = (0..<5).map { fold in
    let kept = IndexTensor(x.indices.filter { $0 % 5 != fold }.map { x[$0] })
    let held = IndexTensor(x.indices.filter { $0 % 5 == fold }.map { x[$0] })
    return crossEntropy(fitMixture(components, to: kept).logProbabilities, held).scalar
  }
  return folds.reduce(0, +) / 5
}

func bestMixture(for samples: IndexTensor) -> (model: LogisticMixture, row: [Any]) {
  let losses = (2...4).map { crossValidated($0, samples) }  // of 2, 3 and 4 humps
  let components = 2 + losses.indices.min { losses[$0] < losses[$1] }!
  let model = LogisticMixture(components: components, spreadOver: samples, bins: law.bins)
  var optimizer = Adam(model.parameters)
  let rate = Schedule.linear(from: 0.03, to: 0, steps: mixturePasses)
  _ = fit("mixture-\(samples.count)", model, to: samples, &optimizer, rate, passes: mixturePasses)
  return (model, [samples.count] + losses + [components])
}

let ((smooth, row), (smallSmooth, smallRow)) = (bestMixture(for: many), bestMixture(for: few))
notebook.parameters = smooth.parameterCount
notebook.table(headers: ["points", "2 humps", "3 humps", "4 humps", "chosen"], rows: [row, smallRow])

// %% [markdown]
// ## Results
//
// Negative log-likelihood of 20,000 test points. Their exact $\log p(x)$, whose mean is known to be $-H$, takes out most of the
// noise of the draw. The floor is the entropy, the baseline the uniform law, $\ln 100$. `add one` is the old remedy for empty
// bins: begin every count at 1, as if each bin had been seen once before. With 200 points that is a third of a uniform law.

// %%
let exactLogs = law.logProbability(of: test)  // [20000]
func onTest(_ logProbabilities: Tensor) -> Estimate {
  let logs = logProbabilities.detached().gathered(at: test, axis: 0)
  if logs.min().scalar == -.infinity { return Estimate(mean: .infinity, standardError: .infinity) }
  return law.entropy + Estimate(exactLogs - logs)
}
func results(_ samples: IndexTensor, _ histogram: Histogram, _ mixture: LogisticMixture) -> [[Any]] {
  let models = [
    ("raw counts", countedLogProbabilities(samples, bins: law.bins)), ("histogram", histogram.logProbabilities),
    ("add one", countedLogProbabilities(samples, bins: law.bins, adding: 1)), ("mixture", mixture.logProbabilities),
  ]
  return models.map { name, logs in
    let loss = onTest(logs)
    if loss.mean.isFinite {
      notebook.measure(
        "test NLL, \(name), \(samples.count) points", loss, unit: "nats", floor: law.entropy,
        baseline: log(Double(law.bins)), baselineName: "uniform")
    }
    let (p, q) = (law.probabilities, probabilities(logs))
    return [samples.count, name, loss.mean, loss.standardError, divergence(p, q), divergence(q, p)]
  }
}

notebook.table(
  headers: ["points", "model", "test NLL", "± s.e.", "KL(law‖model)", "KL(model‖law)"],
  rows: results(many, histogram, smooth) + results(few, smallHistogram.model, smallSmooth),
  caption: "nats; both KL by a sum over all bins; inf is ∞")

// %% [markdown]
// Raw counts lie at a finite distance in the one direction and at an infinite one in the other. $\mathrm{KL}(p\,\|\,q)$, which
// maximum likelihood makes small, demands that the model allow all that happens; $\mathrm{KL}(q\,\|\,p)$, that whatever the model
// produces be plausible. This difference will separate likelihood models from adversarial ones.

// %%
func picture(_ samples: IndexTensor, _ model: LogisticMixture) -> BarChart {
  BarChart(
    range: 0...1,
    bars: [Series("share of points", probabilities(countedLogProbabilities(samples, bins: law.bins)))],
    lines: [
      Series("law", x: middles, y: law.probabilities),
      Series("mixture", x: middles, y: probabilities(model.logProbabilities)),
    ], title: "\(samples.count) points", xLabel: "x", yLabel: "probability of a bin", yRange: 0...0.08)
}
notebook.show(
  picture(few, smallSmooth), named: "fit-few",
  caption: "The histogram learns gaps that are not there; the mixture bridges them.")
notebook.show(picture(many, smooth), named: "fit-many", caption: "With many points both are near the law.")

// %% [markdown]
// ## What a parameter costs
//
// The same for many sizes of the training set, each several times with fresh points. Where a model contains the law, theory says
// what to expect: each free parameter costs half a nat, spread over all $N$ points, so
// $\mathrm{KL} \approx \text{parameters}/2N$. The histogram pays for 99 parameters, a mixture of two humps for 5. But the
// mixtures' curves flatten: logistics are not Gaussians, and no amount of data mends that; more humps do. Few parameters for few
// data, many for many: **bias** against **variance**.

// %%
let sizes = [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600]
let sets = sizes.map { size in (0..<repetitions).map { _ in law.samples(size, using: &repeating) } }
func distances(_ name: String, _ fitted: (IndexTensor) -> Tensor) -> Series {
  let found = sets.map { Estimate(Tensor($0.map { Float(divergence(law.probabilities, probabilities(fitted($0)))) })) }
  return Series(name, x: sizes, y: found.map(\.mean)).withError(found.map(\.standardError))
}

let series = [
  distances("histogram, add one") { countedLogProbabilities($0, bins: law.bins, adding: 1) },
  distances("mixture of 2") { fitMixture(2, to: $0).logProbabilities },
  distances("mixture of 4") { fitMixture(4, to: $0).logProbabilities },
  Series("99 / 2N", x: sizes, y: sizes.map { 99 / Double(2 * $0) }),
  Series("5 / 2N", x: sizes, y: sizes.map { 5 / Double(2 * $0) }),
]
notebook.show(
  LinePlot(
    title: "Distance from the law", xLabel: "training points N", yLabel: "KL(law‖model), nats", series: series,
    logarithmicX: true, logarithmicY: true), named: "price",
  caption: "Means of \(repetitions) training sets with standard errors, and what counting parameters predicts.")

// %% [markdown]
// ## Units
//
// Natural logarithms give **nats**, those to base 2 **bits**: divide by $\ln 2 = 0.6931$. Bits mean something: a coder that
// believes the model needs that many, on average, to write down a draw, and the KL is what it wastes. Images are quoted in **bits
// per dimension**: the bits of an image over its number of pixels and channels, so that sizes can be compared. A *density* on
// $[0, 1]$ is another thing: in bins of width $1/100$, $-\log$ density is $-\log p - \log 100$, and may be negative. The two can
// be compared only with that term in place: $d \log 256$ for an image of $d$ bytes.

// %%
let best = onTest(smooth.logProbabilities).mean
notebook.table(
  headers: ["", "nats", "bits (per dimension: 1)", "as a density on 0…1, nats"],
  rows: [("entropy", law.entropy), ("mixture", Double(best)), ("uniform", log(100.0))].map { name, nats in
    [name, nats, nats / log(2), nats - log(100.0)] as [Any]
  })

// %% [markdown]
// ## What to try next
//
// - Start the mixture with all its locations equal. What is each hump's gradient, and why do they never part?
// - Replace `adding: 1` by 0.5 and 0.1. Which is best with 200 points, and which with 8,000?
// - Stop the histogram of 200 points where its expected loss is least: is that better than adding one? And without the law?

// %%
notebook.finish(verdict: "test NLL, mixture, \(manyPoints) points", data: "two peaks in 100 bins", picture: "fit-few")
