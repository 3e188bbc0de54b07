import LessonKit

// %% [markdown]
// # The importance weighted autoencoder
//
// A VAE pays for every code that its encoder draws badly, so it learns models whose posteriors are *simple*, and leaves
// part of the code unused. Burda, Grosse & Salakhutdinov,
// [Importance Weighted Autoencoders](https://arxiv.org/abs/1509.00519) (2015), keep both networks and change the
// objective alone: draw $k$ codes, and average the importance weights *before* taking the logarithm.
//
// $$\mathcal{L}_k = \mathbb{E}\Big[\log \frac{1}{k} \sum_{i=1}^{k} w_i\Big] \le \log p(x), \qquad w_i = \frac{p(x, z_i)}{q(z_i|x)}, \quad z_i \sim q(z|x)$$
//
// $\mathcal{L}_1$ is the VAE's bound; $\mathcal{L}_k$ never falls as $k$ grows, and reaches $\log p(x)$. One good code
// among $k$ is now enough. What does that buy, what does it cost, and is a tighter bound always the better teacher?

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson04-IWAE", title: "The importance weighted autoencoder", options: options)

// %% [markdown]
// ## Model
//
// What stands between the marks of an exercise is what a student writes: `swift run course start IWAE` empties it.

// %%
notebook.source(of: IWAE.self)

// %% [markdown]
// ## Configuration
//
// The paper's networks (with `--full`) have two layers of 200 tanh units on each side and a code of 50 numbers; 8×8
// images need less.

// %%
let hidden = options.choose(quick: [50], standard: [100], full: [200, 200])
let latents = options.choose(quick: 10, standard: 20, full: 50)
let epochs = options.epochs ?? options.choose(quick: 20, standard: 160, full: 300)
let (batchSize, learningRate) = (100, options.choose(quick: Float(4e-3), standard: 4e-3, full: 1e-3))
let importanceSamples = options.choose(quick: 50, standard: 1000, full: 1000)
let timeRatio = 10  // how many times fewer steps k = 50 is given at equal time; the real ratio is measured below
let usesDigits = options.size != .full && options.data == nil

var streams = Random(seed: options.seed)
var (splitting, binarising) = (streams.split(), streams.split())
let (initialization, training, evaluation) = (streams.split(), streams.split(), streams.split())
var (playing, sampling) = (streams.split(), streams.split())

// %% [markdown]
// ## Where everything is known
//
// $z \sim \mathcal{N}(0, 1)$ and $x|z \sim \mathcal{N}(z, 1)$, so $p(x) = \mathcal{N}(0, 2)$ and the posterior is
// $\mathcal{N}(x/2, \tfrac12)$. The encoder $q(z|x) = \mathcal{N}(x/2, 1)$ has the right mean and twice the variance.
// The numbers follow: $\mathbb{E}\log p(x) = -\tfrac12 \ln 4\pi e$; $\mathcal{L}_1$, which is below it by
// $\mathrm{KL}(q\,\|\,\text{posterior}) = \tfrac12(1 - \ln 2)$; and the other $\mathcal{L}_k$ by an integral over
// one variable. The functions below are the ones that train the networks further down.

// %%
let toy = gaussianToy()
let toyLaw = LinearGaussian(mean: [0], weights: [[1]], noise: [1])
let toyCount = options.choose(quick: 5000, standard: 50_000, full: 50_000)
let toyX = toyLaw.samples(toyCount, using: &playing)  // [50000, 1]
let toyLogP = toyLaw.logProbability(of: toyX)
// −entropy is the mean of the exact log p(x): its deviation on these points is taken off.
let toyCounts = [1, 2, 5, 10, 20, 50]
let toyLosses = toyCounts.map { k in
  toyLaw.entropy + Estimate(toyLogP - bound(toy.logWeights(toyX, samples: k, using: &playing)))
}
let exactLosses = toyCounts.map { toyLaw.entropy + exactToyGap(samples: $0) }
let toyRows =
  [("−E log p(x)", Estimate(-toyLogP), toyLaw.entropy)]
  + toyCounts.indices.map { ("−L, k = \(toyCounts[$0])", toyLosses[$0], exactLosses[$0]) }
  + [("KL(q ‖ posterior)", -toyLaw.entropy + toyLosses[0], 0.5 * (1 - log(2.0)))]
let toyErrors = toyRows.map { abs(Double($0.1.mean) - $0.2) / Double($0.1.standardError) }
notebook.table(
  headers: ["toy", "measured", "± s.e.", "exact", "apart (s.e.)"],
  rows: zip(toyRows, toyErrors).map { row, apart in
    [row.0, String(format: "%.5f", row.1.mean), row.1.standardError, String(format: "%.5f", row.2), apart]
  }, caption: "nats/point, \(toyCount) points")
notebook.measure("toy: largest of \(toyRows.count) deviations", toyErrors.max()!, unit: "standard errors", floor: 0.0)
notebook.show(
  LinePlot(
    title: "The toy's bound", xLabel: "samples k", yLabel: "bound (nats/point)",
    series: [
      Series("exact", x: toyCounts, y: exactLosses.map { -$0 }),
      Series("measured, ± 2 s.e.", x: toyCounts, y: toyLosses.map { -$0.mean })
        .withError(toyLosses.map { 2 * $0.standardError }),
    ], references: [ReferenceLine("E log p(x)", -toyLaw.entropy)], logarithmicX: true), named: "toy")

// %% [markdown]
// ## Digits
//
// 8×8 digits with 17 grey levels; level/16 is taken as the probability of a 1. **Binarisation**: training images are
// drawn anew each time they are shown, the others once, from a stream of their own. 300 training images are set aside
// for **validation**, by which settings are chosen. Test images are looked at once, at the end. *Baseline*: independent
// pixels. *Floor*: the entropy of the drawing itself, given the grey image.

// %%
let (trainImages, testImages) = orStop {
  if usesDigits { return try { ($0.train, $0.test) }(Digits()) }
  return try { ($0.train, $0.test) }(options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST())
}
let (side, pixels) = (testImages.height, testImages.height * testImages.width)
func greys(_ set: LabelledImages) -> Tensor { set.images(at: set.indices).reshaped(to: [-1, pixels]) }
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], side, side, 1]) }
let parts = trainImages.partitioned(validation: 300, test: 0, using: &splitting)
let (train, testGreys) = (greys(parts.training), greys(testImages))
let validation = Tensor.bernoulli(greys(parts.validation), using: &binarising)
let test = Tensor.bernoulli(testGreys, using: &binarising)
notebook.print("training \(train.shape)   validation \(validation.shape)   test \(test.shape)")

let pixelMeans = (train.sum(axis: 0) + 0.5) / Float(train.shape[0] + 1)
let independent = Bernoulli(logits: log(pixelMeans / (1 - pixelMeans)).broadcast(to: test.shape))
let baseline = -independent.logProbability(of: test).mean().scalar
let floor = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar

// %% [markdown]
// ## Training
//
// One loop, five runs: a VAE with the KL in closed form, the same with its bound averaged over five samples of $z$ for
// each image, then $k$ = 1, 5, 50. All begin with the same weights and see
// the same images in the same order with the same binarisation. The time of the steps alone is kept; validation images
// are judged by $\mathcal{L}_{50}$, whatever $k$ was trained.

// %%
typealias Run = (name: String, model: IWAE, state: TrainingState)

func untrained() -> IWAE {
  var random = initialization  // a copy: all begin with the same weights
  return IWAE(
    encoder: Encoder(inputs: pixels, hidden: hidden, latents: latents, using: &random),
    decoder: BernoulliDecoder(latents: latents, hidden: hidden, pixelMeans: pixelMeans, using: &random))
}

func fit(_ name: String, epochs: Int, objective: (IWAE, Tensor, inout Random) -> Tensor) -> Run {
  let (model, file, interval) = (untrained(), String(name.filter { $0.isLetter || $0.isNumber }), max(1, epochs / 25))
  var optimizer = Adam(model.parameters)
  var state = notebook.begin(file, model, &optimizer, options: options, random: training)
  let steps = epochs * (train.shape[0] / batchSize)
  let rate = Schedule.linear(from: learningRate, to: 0, steps: steps)
  var seconds = state.history["seconds"]?.last ?? 0
  while state.epoch < epochs {
    var noise = state.random.split()  // of its own, so that more samples change nothing in the images
    let began = ContinuousClock.now
    for greys in train.batches(ofSize: batchSize, droppingLast: true, shuffledUsing: &state.random) {
      optimizer.learningRate = rate(optimizer.step)
      let x = Tensor.bernoulli(greys, using: &state.random)  // [batch, pixels]
      let loss = -objective(model, x, &noise).mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss)
    }
    seconds += Float((ContinuousClock.now - began) / .seconds(1))
    state.epoch += 1
    if state.epoch % interval == 0 || state.epoch == epochs {
      let logWeights = withoutGradients { model.logWeights(validation, samples: 50, using: &noise) }
      state.append(-bound(logWeights).mean().scalar, to: "validation")
      state.append(Float(optimizer.step), to: "steps")
      state.append(seconds, to: "seconds")
      notebook.save(file, state, model, optimizer)
    }
  }
  return (name, model, state)
}

func boundOf(samples k: Int) -> (IWAE, Tensor, inout Random) -> Tensor {
  { bound($0.logWeights($1, samples: k, using: &$2)) }
}
let vae = fit("VAE", epochs: epochs) { $0.elbo($1, using: &$2) }
let averaged = fit("VAE, 5 samples", epochs: epochs) { $0.elbo($1.repeated(5, axis: 0), using: &$2) }
let one = fit("k = 1", epochs: epochs, objective: boundOf(samples: 1))
let five = fit("k = 5", epochs: epochs, objective: boundOf(samples: 5))
let fifty = fit("k = 50", epochs: epochs, objective: boundOf(samples: 50))
notebook.parameters = fifty.model.parameterCount

// %% [markdown]
// A step with $k = 50$ decodes 50 codes for each image. **Equal time**: one more run, $k = 50$ again, is given about
// the time that $k = 1$ took, with a learning rate that falls to zero within it. Its number of steps is fixed, so that
// its result can be repeated; the table says how fair that is on this machine.

// %%
let short = fit("k = 50, short", epochs: max(1, epochs / timeRatio), objective: boundOf(samples: 50))
let runs = [vae, one, five, fifty, short, averaged]
func steps(_ run: Run) -> Float { run.state.history["steps"]!.last! }
func seconds(_ run: Run) -> Float { run.state.history["seconds"]!.last! }
notebook.table(
  headers: ["run", "steps", "seconds", "ms/step", "× time of k = 1"],
  rows: runs.map { run in
    let (count, time) = (steps(run), seconds(run))
    return [run.name, Int(count), time, 1000 * time / count, time / seconds(one)]
  }, caption: "Training alone, measured in this run.")
let height = one.state.history["validation"]!.last!
let passing = fifty.state.history["validation"]!.firstIndex { $0 < height }.map { fifty.state.history["seconds"]![$0] }
notebook.print(
  "k = 50 passes the height at which k = 1 ends "
    + (passing.map { String(format: "after %.1f times the time that k = 1 took", $0 / seconds(one)) } ?? "not at all"))
let axes = [("equal steps", "steps", [one, five, fifty]), ("equal time", "seconds", [one, five, fifty, short])]
notebook.show(
  Panels(
    axes.map { title, axis, shown in
      LinePlot(
        title: title, xLabel: axis, yLabel: "−bound, 50 samples (nats/image)",
        series: shown.map { Series($0.name, x: $0.state.history[axis]!, y: $0.state.history["validation"]!) },
        logarithmicX: axis == "seconds")
    }, columns: 2), named: "training", caption: "Validation images, all judged by 50 samples.")

// %% [markdown]
// ## Results
//
// Every model is judged alike: 1,000 log-weights for each test image, the same $\varepsilon$ for all models. From them
// follow all bounds: $\mathcal{L}_k$ is the mean over groups of $k$ of them, $\log \hat p(x)$ all together. *Lead* is
// over $k = 1$, image by image, so that the difficulty of an image cancels. *Of 50 in effect* is
// $1 / \sum_i \tilde w_i^2$ with the normalised weights $\tilde w$ of 50 samples: so many of them take part. The VAE
// and $k = 1$ have the same bound; the VAE's estimate of it has less noise, and an average of five has less again.

// %%
func testLogWeights(_ run: Run) -> Tensor {
  var random = evaluation
  return withoutGradients {
    let parts = (0..<test.shape[0]).batches(ofSize: 20).map { batch in
      run.model.logWeights(test.examples(at: batch), samples: importanceSamples, using: &random)
    }
    return concatenate(parts, axis: 0)
  }
}
func bounds(_ logWeights: Tensor, samples k: Int) -> Tensor {
  bound(logWeights.reshaped(to: [-1, k])).reshaped(to: [test.shape[0], -1]).mean(axis: 1)  // [test]
}
let logWeights = runs.map(testLogWeights)  // [test, 1000] each
let logP = logWeights.map { bound($0) }  // [test] each
let activities = withoutGradients { runs.map { $0.model.activity(train .>= 0.5) } }  // [latents] each
let active = activities.map { $0.scalars.count { $0 > 0.01 } }

for (run, values) in zip(runs, logP) {
  notebook.measure(
    "test −log p(x), \(run.name)", Estimate(-values), unit: "nats/image", floor: floor, baseline: baseline,
    baselineName: "independent pixels")
}
func effectiveSamples(_ logWeights: Tensor) -> Float {
  let weights = normalizedWeights(logWeights.sliced(0..<50, axis: 1))  // [test, 50]
  return (1 / square(weights).sum(axis: 1)).mean().scalar
}
notebook.table(
  headers: [
    "run", "−L, k = 1", "−L, k = 50", "−log p(x)", "± s.e.", "lead over k = 1", "± s.e.", "active units",
    "of 50 in effect",
  ],
  rows: runs.indices.map { i in
    let (value, lead) = (Estimate(-logP[i]), Estimate(logP[i] - logP[1]))
    let losses = [1, 50].map { -bounds(logWeights[i], samples: $0).mean().scalar }
    return [runs[i].name] + losses
      + [value.mean, value.standardError, lead.mean, lead.standardError, active[i], effectiveSamples(logWeights[i])]
  },
  caption: "nats/image on \(test.shape[0]) test images; −log p(x) by \(importanceSamples) samples; units of \(latents)")

func compare(_ i: Int, _ what: String) {
  let lead = Estimate(logP[i] - logP[1])
  let errors = lead.mean / lead.standardError
  notebook.measure("lead of k = 50 over k = 1, \(what)", lead, unit: "nats/image")
  notebook.print("\(what): k = 50 \(lead.mean > 0 ? "wins" : "loses") by \(Int(abs(errors))) standard errors")
}
compare(3, "equal steps")
compare(4, "equal time")
notebook.measure("lead of k = 5 over the VAE with 5 samples", Estimate(logP[2] - logP[5]), unit: "nats/image")

// %% [markdown]
// Both are true. Per step $k = 50$ learns more: in part by less noise, which averaging buys a VAE as well (the table's
// last row), and beyond that by the tighter bound, with more units in use. Per second, in the time that $k = 1$ takes,
// $k = 50$ has hardly begun; given more, its curve goes on falling below the height at which that of $k = 1$ has
// flattened. Which of the comparisons is printed decides who wins.
//
// ## The bound never falls with k
//
// On one model: a mean over groups of $k$ log-means is below the log-mean of the groups taken together (Jensen), so the
// measured curve cannot fall either, on any image. The model trained with $k = 1$ gains least: its posteriors had to
// become what its encoder can say.

// %%
let counts = [1, 2, 5, 10, 50, 100, 500, 1000].filter { importanceSamples % $0 == 0 }
let curves = logWeights.map { weights in counts.map { bounds(weights, samples: $0).mean().scalar } }
notebook.show(
  LinePlot(
    title: "One model, more samples", xLabel: "samples k", yLabel: "bound (nats/image)",
    series: [1, 2, 3].map { Series("trained with \(runs[$0].name)", x: counts, y: curves[$0]) }, logarithmicX: true),
  named: "bounds", caption: "Test images.")
let rises = curves.flatMap { zip($0.dropFirst(), $0).map { $0 - $1 } }
notebook.measure("least rise of the bound from one k to the next", rises.min()!, unit: "nats/image", floor: 0.0)

// %% [markdown]
// ## Active units
//
// A unit of the code that says the same for every $x$ is not used. The paper calls a unit *active* where the
// posterior's mean moves: $\mathrm{Var}_x(\mathbb{E}_q[z|x]) > 0.01$.

// %%
for i in [1, 2, 3] { notebook.measure("active units, \(runs[i].name)", Double(active[i]), unit: "of \(latents)") }
notebook.show(
  LinePlot(
    title: "Activity of each unit", xLabel: "unit, by rank", yLabel: "variance of the posterior mean",
    series: [1, 2, 3].map { Series(runs[$0].name, x: Array(1...latents), y: activities[$0].scalars.sorted(by: >)) },
    references: [ReferenceLine("active above", 0.01)], logarithmicY: true), named: "activity")

// %% [markdown]
// ## Is a tighter bound a better teacher?
//
// The bound's gradient is $\sum_i \tilde w_i \nabla \log w_i$ (equation 14). For large $k$ the bound hardly depends on
// the encoder any more: its gradient fades like $1/k$, its noise only like $1/\sqrt{k}$ (Rainforth et al.,
// [Tighter Variational Bounds are Not Necessarily Better](https://arxiv.org/abs/1802.04537), 2018). So the
// **signal-to-noise ratio** of the encoder's gradient *falls* like $1/\sqrt{k}$, while the decoder's *rises* like
// $\sqrt{k}$. Measured on the toy with a decoder that is off by ½, and on 100 digits for the model of $k = 1$. Where
// that has come to rest, its encoder has no signal left to lose at $k = 1$; so each parameter is first moved by a
// little, as in that paper, here by 0.02.

// %%
let nearby = untrained()
for (copy, original) in zip(nearby.parameters, one.model.parameters) {
  let value = original.parameter.wrappedValue.detached()
  copy.parameter.wrappedValue = value + .normal(value.shape, using: &sampling) * 0.02
}
let ratioCounts = options.choose(quick: [1, 4, 16], standard: [1, 4, 16, 64], full: [1, 4, 16, 64, 256])
let draws = options.choose(quick: 30, standard: 250, full: 400)
let subjects = [
  ("toy", gaussianToy(offset: 0.5), toyLaw.samples(1000, using: &sampling)),
  ("digits", nearby, validation.sliced(0..<100, axis: 0)),
]
let ratios = subjects.map { _, model, x in
  ratioCounts.map { signalToNoise(model, x, samples: $0, draws: draws, using: &sampling) }
}
notebook.show(
  Panels(
    zip(subjects, ratios).map { subject, ratios in
      LinePlot(
        title: subject.0, xLabel: "samples k", yLabel: "signal-to-noise ratio",
        series: [
          Series("decoder", x: ratioCounts, y: ratios.map(\.decoder)),
          Series("encoder", x: ratioCounts, y: ratios.map(\.encoder)),
        ], logarithmicX: true, logarithmicY: true)
    }, columns: 2), named: "signal-to-noise",
  caption: "‖mean‖ of the gradient over its standard deviation, from \(draws) draws.")
for (subject, ratios) in zip(subjects, ratios) {
  for (network, values) in [("encoder", ratios.map(\.encoder)), ("decoder", ratios.map(\.decoder))] {
    notebook.measure(
      "\(subject.0), \(network): signal-to-noise grows like k to the", logarithmicSlope(ratioCounts, values))
  }
}

// %% [markdown]
// On the toy both exponents are near the theory's $\mp\tfrac12$, which holds for large $k$. For 20 dimensions of code
// 64 samples are few, but the signs are the same: what makes the bound tight takes the encoder's teacher away, and
// gives the decoder a better one.
//
// ## Samples
//
// Draws from the prior, decoded. A classifier, trained beforehand on grey training images, says how sure it is of them.

// %%
func drawn(_ run: Run, _ count: Int) -> Tensor {
  var random = sampling  // the same codes for all
  return withoutGradients { run.model.decoder(.normal([count, latents], using: &random)).mean }
}
let judge = orStop { try usesDigits ? ImageClassifier.digits() : .fashionMNIST() }
func sureness(_ x: Tensor) -> Estimate { Estimate(exp(judge.logProbabilities(asImages(x)).max(axis: 1))) }
notebook.measure("classifier's certainty, test images", sureness(testGreys), unit: "probability")
for run in [one, five, fifty] {
  notebook.measure("classifier's certainty, samples of \(run.name)", sureness(drawn(run, 500)), unit: "probability")
}
notebook.show(
  ImageGrid(
    asImages(concatenate([testGreys.sliced(0..<16, axis: 0)] + [one, five, fifty].map { drawn($0, 16) }, axis: 0)),
    columns: 16, rowLabels: ["test images", "k = 1", "k = 5", "k = 50"]), named: "samples",
  caption: "Means of p(x|z) for draws of z from the prior, the same for all models.")

// %% [markdown]
// ## What to try next
//
// - Give the VAE 50 samples as well: how much of the lead of $k = 50$ is left, and how many of the units?
// - Set `epochs` to 40, then to 640. Who wins at equal time, and which $k$ would you choose for a budget in seconds?
// - Train the decoder by $k = 50$ and the encoder by $k = 1$ (two optimisers): what becomes of $\log \hat p(x)$ and of
// the active units?
// - Measure the signal-to-noise ratios of `one.model` itself, of `fifty.model`, and of an untrained one. Which rule do
// they follow, and why?
// - Take the weights' square $\tilde w_i^2$ for the encoder's gradient, through $z$ alone (Tucker et al., doubly
// reparameterised gradients, arXiv 1810.04152). How does the ratio change with $k$ now?
// - `--full`: the paper's two layers and 50 codes on 28×28 images; `--data` names a folder with MNIST's four files.

// %%
notebook.finish(
  verdict: "test −log p(x), k = 50", data: usesDigits ? "binary digits" : "binary images", picture: "training")
