import LessonKit

// %% [markdown]
// # SimCLR
//
// What can a network learn from images that nobody has labelled? Chen, Kornblith, Norouzi & Hinton, [A Simple Framework for
// Contrastive Learning of Visual Representations](https://arxiv.org/abs/2002.05709) (2020): to tell which two of many
// pictures are views of one image. Each of $N$ images is changed at random, twice; an encoder $f$ and a small head $g$ make
// $z = g(f(x))$ of each view, and for every view $i$ with partner $j$
//
// $$\ell_{i,j} = -\log \frac{\exp(\mathrm{sim}(z_i, z_j)/\tau)}{\sum_{k \ne i} \exp(\mathrm{sim}(z_i, z_k)/\tau)}$$
//
// is small where the partner is closer than the other $2N - 2$ views, $\mathrm{sim}$ being the cosine. What the changes alter
// cannot help, so $f$ learns what they leave: what the image shows. The representation is judged by what it is good for, here
// with ten labels of each class.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson06-SimCLR", title: "SimCLR", options: options)

// %% [markdown]
// ## The model
//
// `swift run course start SimCLR` empties what stands between the marks of an exercise, and `swift run course check SimCLR`
// tells what is right.

// %%
notebook.source(of: SimCLR.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers, so that drawing more for one changes nothing in another.

// %%
let isLarge = options.size == .full || options.data != nil  // Fashion-MNIST in place of the digits
let channels = isLarge ? [32, 64, 128] : [32, 32, 64]
let epochs = options.epochs ?? options.choose(quick: 2, standard: 160, full: 50)
let (batchSize, learningRate, temperature) = (60, Float(2e-3), Float(0.5))
let (labelsPerClass, labelDraws) = (10, 5)
let criticSteps = options.choose(quick: 100, standard: 1500, full: 3000)

var streams = Random(seed: options.seed)
var (initialization, training, testing, labelling) = (
  streams.split(), streams.split(), streams.split(), streams.split()
)
var (informing, comparing, showing) = (streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## How much a contrastive loss can know
//
// Finding a partner among $N$ candidates is a measurement of information (van den Oord, Li & Vinyals,
// [1807.03748](https://arxiv.org/abs/1807.03748), 2018). For every critic $f(x, y)$
//
// $$I(x; y) \;\ge\; \mathbb{E}\Big[\frac{1}{N} \sum_i \log \frac{e^{f(x_i, y_i)}}{\frac{1}{N} \sum_k e^{f(x_i, y_k)}}\Big]
//   = \ln N - \text{loss},$$
//
// with the best critic $\ln p(y|x)/p(y)$, and never above $\ln N$: who has seen $N$ candidates can have learnt no more (Poole and
// others, [1905.06922](https://arxiv.org/abs/1905.06922), 2019). Pairs of correlated Gaussians, $\rho = 0.9$, have the known
// information $-\frac{d}{2} \ln(1 - \rho^2)$. A critic of two networks and an inner product learns them from batches of 256 pairs.

// %%
notebook.source(of: SeparableCritic.self)

// %%
func fitCritic(_ law: CorrelatedGaussians) -> SeparableCritic {
  let critic = SeparableCritic(law.dimension, width: 64, outputs: 32, using: &initialization)
  var optimizer = Adam(critic.parameters)
  let rates = Schedule.cosine(from: 5e-3, steps: criticSteps)
  for step in 0..<criticSteps {
    let (x, y) = law.pairs(256, using: &informing)  // [256, d] each
    let estimate = informationEstimate(critic(x, y))
    notebook.progress(step + 1, of: criticSteps, loss: -estimate.scalar, detail: "critic, \(law.dimension)-D")
    optimizer.learningRate = rates(step)
    optimizer.minimize(-estimate)
  }
  return critic
}

/// Both critics on the same fresh batches of `size` pairs: a column each, `[batches, 2]`.
func estimates(_ law: CorrelatedGaussians, _ critic: SeparableCritic, size: Int) -> Tensor {
  let count = options.choose(quick: 20, standard: 40_000, full: 200_000) / size + 20
  return withoutGradients {
    Tensor(
      (0..<count).map { _ in
        let (x, y) = law.pairs(size, using: &testing)
        return [informationEstimate(critic(x, y)), informationEstimate(exactCritic(law, x, y))].map(\.scalar)
      })
  }
}

let batchSizes = [8, 32, 128, 512]
var informationRows: [[Any]] = []
var informationPlots: [LinePlot] = []
for dimension in [1, 2, 10] {
  let law = CorrelatedGaussians(correlation: 0.9, dimension: dimension)
  let critic = fitCritic(law)
  let results = batchSizes.map { size -> (learnt: Estimate, exact: Estimate) in
    let both = estimates(law, critic, size: size).split(sizes: [1, 1], axis: 1).map { Estimate($0) }
    return (both[0], both[1])
  }
  for (size, result) in zip(batchSizes, results) {
    informationRows.append([
      dimension, size, log(Float(size)), law.mutualInformation, result.exact.mean, result.learnt.mean,
      result.learnt.standardError, 100 * (result.learnt.mean / result.exact.mean - 1),
      100 * (Double(result.learnt.mean) / law.mutualInformation - 1),
    ])
  }
  informationPlots.append(
    LinePlot(
      title: "\(dimension)-D pairs", xLabel: "candidates N", yLabel: "estimate (nats)",
      series: [
        Series("learnt critic", x: batchSizes, y: results.map(\.learnt.mean)).withError(
          results.map(\.learnt.standardError)),
        Series("exact critic", x: batchSizes, y: results.map(\.exact.mean)),
        Series("ln N", x: batchSizes, y: batchSizes.map { log(Double($0)) }),
      ], references: [ReferenceLine("information", law.mutualInformation)], logarithmicX: true))
  notebook.measure(
    "InfoNCE, \(dimension)-D, N = 512", results[3].learnt, unit: "nats", floor: nil,
    baseline: law.mutualInformation, baselineName: "the information")
}
notebook.table(
  headers: ["d", "N", "ln N", "information", "exact critic", "learnt critic", "± s.e.", "% of exact", "% of truth"],
  rows: informationRows,
  caption: "nats; the last columns are the learnt critic's distance in per cent, below 0 where it is less")
notebook.show(
  Panels(Array(informationPlots.dropFirst()), columns: 2), named: "information",
  caption: "The estimate rises to the information while that is well below ln N; in ten dimensions ln N is the lid.")

// %% [markdown]
// The exact critic is short of the truth as well: that part of the gap is the bound's own, and only more candidates close it.

// %% [markdown]
// ## Augmentations
//
// They say what does not matter; all else is up to the network. The library's, with their defaults or nearly, on a garment made
// colourful: hue and grey have nothing to change in a grey image.

// %%
let garments = orStop { try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST() }
let garment = garments.test.images(at: [23])  // [1, 28, 28, 1]
let tinted = concatenate([garment, garment * 0.55 + 0.15, 0.5 - garment * 0.35], axis: 3)  // [1, 28, 28, 3]
let gallery: [(String, [Augmentation])] = [
  ("as it is", []), ("crop", [.crop()]), ("flip", [.flip()]), ("shift", [.shift(by: 5)]),
  ("rotation", [.rotation(degrees: -30...30)]), ("cut-out", [.cutout(size: 12)]), ("blur", [.blur()]),
  ("noise", [.noise(0.15)]), ("colour", [.colorJitter(brightness: 0.6, contrast: 0.6, saturation: 0.6, hue: 0.3)]),
  ("grey", [.grayscale(probability: 0.5)]),
  ("crop, flip, colour", [.crop(), .flip(), .colorJitter(), .grayscale()]),
]
notebook.show(
  ImageGrid(
    concatenate(gallery.map { tinted.repeated(10, axis: 0).augmented(by: $0.1, using: &showing) }, axis: 0),
    columns: 10,
    rowLabels: gallery.map(\.0), scale: 3), named: "augmentations",
  caption: "One garment, each augmentation drawn ten times; the last row is the paper's recipe without its blur.")

// %% [markdown]
// ## Data
//
// Handwritten digits of 8×8 pixels (`--full`: Fashion-MNIST). A mirrored 2 is no 2, so digits are not flipped. Labels: of 1,500
// training images 300 are held back as validation images; five draws of ten images a class come from the rest. SimCLR sees all
// training images without their labels. Test images are for the end.

// %%
let (train, test) = orStop { isLarge ? (garments.train, garments.test) : (try Digits().train, try Digits().test) }
let fewLabels = FewLabels(train, test: test, perClass: labelsPerClass, draws: labelDraws, using: &labelling)
let recipe: [Augmentation] =
  isLarge
  ? [.flip(), .crop(area: 0.3...1), .shift(by: 2), .noise(0.05), .sometimes(0.5, [.blur(deviation: 0.1...1)])]
  : [.rotation(degrees: -20...20), .crop(area: 0.5...1, aspectRatio: 0.6...1.6), .shift(by: 1), .noise(0.05)]
notebook.print(
  "train \([train.count, train.height, train.width, 1])   test \([test.count, test.height, test.width, 1])   "
    + "\(labelDraws) draws of \(10 * labelsPerClass) labels   \(fewLabels.validation.count) validation images")
let originals = train.images(at: 0..<12)
let pictures = views(of: originals, using: &showing) { $0.augmented(by: recipe, using: &$1) }  // [24, side, side, 1]
notebook.show(
  ImageGrid(concatenate([originals, pictures], axis: 0), columns: 12, rowLabels: ["image", "view i", "view N + i"]),
  named: "views", caption: "Two views of each image: what stands in a column is to be found as one among all.")

// %% [markdown]
// ## Training
//
// One step: views, encoder, head, loss. Guessing costs $\ln(2N - 1)$, and what the loss falls below that is information between
// two views, by the bound above. Its floor is $\ln(1 + (2N - 2)\, e^{-(1 + 1/(N - 1))/\tau})$, with all images at the corners of a
// simplex: cosines of at most 1 over a temperature cannot say more. The state is saved every ten epochs; `--resume` goes
// on from there.

// %%
let model = SimCLR(side: train.height, channels: channels, using: &initialization)
let untrained = Encoder(side: train.height, channels: channels, using: &initialization)
notebook.parameters = model.parameterCount
var optimizer = Adam(model.parameters)
var state = notebook.begin("simclr", model, &optimizer, options: options, random: training.split())
let stepsPerEpoch = train.count / batchSize
let rates = Schedule.cosine(from: learningRate, steps: epochs * stepsPerEpoch)
while state.epoch < epochs {
  var total: Float = 0
  for batch in train.batches(ofSize: batchSize, droppingLast: true, shuffledUsing: &state.random) {
    let x = train.images(at: batch)  // [60, side, side, 1]
    let loss = model.loss(x, by: recipe, temperature: temperature, using: &state.random)
    notebook.progress(
      optimizer.step + 1, of: epochs * stepsPerEpoch, loss: loss.scalar, detail: "epoch \(state.epoch + 1)")
    optimizer.learningRate = rates(optimizer.step)
    optimizer.minimize(loss)
    total += loss.scalar
  }
  state.append(total / Float(stepsPerEpoch), to: "loss")
  state.epoch += 1
  if state.epoch % 10 == 0 || state.epoch == epochs { notebook.save("simclr", state, model, optimizer) }
}
let guessing = log(Float(2 * batchSize - 1))
let lossFloor = ntXentFloor(images: batchSize, temperature: temperature)
let losses = state.history["loss"] ?? []
notebook.show(
  LinePlot(
    title: "NT-Xent while training", xLabel: "epoch", yLabel: "loss (nats)",
    series: [Series("loss", x: Array(1...losses.count), y: losses)],
    references: [ReferenceLine("guessing", guessing), ReferenceLine("floor", lossFloor)]),
  named: "training")

notebook.measure(
  "NT-Xent, last epoch", losses.last!, unit: "nats", floor: lossFloor, baseline: guessing, baselineName: "guessing")

// %% [markdown]
// ## Results
//
// The representation $h = f(x)$ stays as it is, and a linear classifier learns from 100 labels. Beside it, on the same labels: the
// pixels, the features of an untrained encoder, $z$ behind the head, and the same network trained on the labels alone,
// without augmentations. The validation images choose each one's weight decay, or when to stop.

// %%
let raw = fewLabels.probe { $0 }
let learnt = fewLabels.probe { model.f($0) }
notebook.measure(
  "test accuracy, linear probe on h, 10 labels a class", learnt.estimate, unit: "%",
  baseline: raw.estimate.mean, baselineName: "raw pixels")
let supervisedStops = options.choose(quick: [5, 10], standard: [25, 50, 100], full: [50, 100, 200, 400])
let compared = [
  ("raw pixels", raw), ("random features", fewLabels.probe { untrained($0) }),
  ("z = g(h)", fewLabels.probe { model.g(model.f($0)) }),
  ("supervised", fewLabels.supervised(channels: channels, stops: supervisedStops, using: &comparing)),
]
for (name, result) in compared { notebook.measure("test accuracy, \(name)", result.estimate, unit: "%") }
let differences = compared.map { Estimate(learnt.accuracies - $0.1.accuracies) }
notebook.table(
  headers: [
    "on 10 labels a class", "accuracy (%)", "± s.e.", "SimCLR's lead", "± s.e.", "validation (%)", "chosen there",
  ],
  rows: [["SimCLR, h", learnt.estimate.mean, learnt.estimate.standardError, "", "", learnt.validation, learnt.setting]]
    + zip(compared, differences).map { row, lead in
      [
        row.0, row.1.estimate.mean, row.1.estimate.standardError, lead.mean, lead.standardError, row.1.validation,
        row.1.setting,
      ]
    },
  caption: "\(test.count) test images, mean over \(labelDraws) draws of the labels; leads are draw by draw")
notebook.show(
  BarChart(
    categories: ["SimCLR, h", "pixels", "random f", "z = g(h)", "supervised"],
    bars: [
      Series("test accuracy", ([learnt] + compared.map(\.1)).map(\.estimate.mean)).withError(
        ([learnt] + compared.map(\.1)).map(\.estimate.standardError))
    ], title: "Ten labels a class", xLabel: "representation; or network trained on the labels",
    yLabel: "test accuracy (%)",
    yRange: 50...100),
  named: "accuracy")

// %% [markdown]
// ## Batch size
//
// A larger batch has more to tell a partner from. Is that why it is better, or because more images are seen? Three new models for
// each size, once with the same number of steps and once with about the same time; the steps are fixed, so that a run can be
// repeated, and the time is measured. The standard errors are over the three models, and three are few.

// %%
func trained(batchSize: Int, steps: Int) -> SimCLR {
  let model = SimCLR(side: train.height, channels: channels, using: &comparing)
  var optimizer = Adam(model.parameters)
  let rates = Schedule.cosine(from: learningRate, steps: steps)
  for step in 0..<steps {
    let x = train.images(at: (0..<batchSize).map { _ in Int.random(in: train.indices, using: &comparing) })
    optimizer.learningRate = rates(step)
    optimizer.minimize(model.loss(x, by: recipe, temperature: temperature, using: &comparing))
  }
  return model
}

let curveSteps = options.choose(
  quick: [(16, 2, 4), (256, 2, 2)], standard: [(16, 40, 400), (64, 40, 150), (256, 40, 40)],
  full: [(16, 500, 5000), (64, 500, 1800), (256, 500, 500)])
var curves: [String: [Estimate]] = [:]
var curveRows: [[Any]] = []
for (size, equalSteps, equalTime) in curveSteps {
  for (budget, steps) in [("equal steps", equalSteps), ("equal time", equalTime)] {
    if budget == "equal time", steps == equalSteps, let same = curves["equal steps"]?.last {
      curves[budget, default: []].append(same)
      continue
    }
    var accuracies: [Float] = []
    let time = ContinuousClock().measure {
      accuracies = (0..<3).map { _ in
        let model = trained(batchSize: size, steps: steps)
        return fewLabels.probe(weightDecays: [0.03]) { model.f($0) }.estimate.mean
      }
    }
    curves[budget, default: []].append(Estimate(Tensor(accuracies)))
    let result = Estimate(Tensor(accuracies))
    curveRows.append([
      size, steps, size * steps, result.mean, result.standardError,
      Double((time / 3).components.attoseconds) / 1e18 + Double((time / 3).components.seconds),
    ])
  }
}
notebook.table(
  headers: ["N", "steps", "images seen", "accuracy (%)", "± s.e.", "s a model"], rows: curveRows,
  caption: "linear probe on h, weight decay 0.03; the largest size has the same number of steps in both budgets")
notebook.show(
  LinePlot(
    title: "Accuracy against batch size", xLabel: "images in a batch", yLabel: "test accuracy (%)",
    series: ["equal steps", "equal time"].map { budget in
      Series(budget, x: curveSteps.map(\.0), y: curves[budget]!.map(\.mean)).withError(
        curves[budget]!.map(\.standardError))
    }, references: [ReferenceLine("raw pixels", raw.estimate.mean)], logarithmicX: true),
  named: "batch-size")
for budget in ["equal steps", "equal time"] {
  let (smallest, largest) = (curves[budget]!.first!, curves[budget]!.last!)
  let error = (square(Tensor(smallest.standardError)) + square(Tensor(largest.standardError))).scalar.squareRoot()
  notebook.measure(
    "\(curveSteps.last!.0) against \(curveSteps[0].0) images a batch, \(budget)",
    Estimate(mean: largest.mean - smallest.mean, standardError: error), unit: "points")
}

// %% [markdown]
// A difference below two of its standard errors is none. And all sizes have one learning rate, where the paper scales it with the
// batch.

// %% [markdown]
// ## What to try next
//
// - Leave one augmentation out of `recipe` at a time. Which one costs most? What does `.flip()` do to digits?
// - Set $\tau$ to 0.05 and to 1. What happens to the loss, and to the accuracy?
// - Give `fewLabels.supervised` the augmentations and many more steps. How much of SimCLR's lead is theirs?
// - Leave the head out, so that the loss compares $h$. What do you make of the probe on $z$ above?
// - Give the critic of ten-dimensional pairs 4096 candidates. How many would it need for all 8.3 nats?
// - `swift run Lesson06-SimCLR --full` trains on Fashion-MNIST.

// %%
notebook.finish(
  verdict: "test accuracy, linear probe on h, 10 labels a class", data: isLarge ? "fashion-mnist" : "digits",
  picture: "views")
