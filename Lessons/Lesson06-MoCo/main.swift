import LessonKit

// %% [markdown]
// # MoCo: momentum contrast
//
// What can be learnt from images without labels? Make two random views of an image, and let an encoder tell the second, the *key*
// $k_+$, from the keys of $K$ other images by the first, the *query* $q$:
//
// $$L = -\log \frac{\exp(q \cdot k_+ / \tau)}{\exp(q \cdot k_+ / \tau) + \sum_{i=1}^{K} \exp(q \cdot k_i / \tau)}$$
//
// Many negatives are wanted, and a batch holds few. He and others, [Momentum Contrast](https://arxiv.org/abs/1911.05722) (2019), keep
// the keys of earlier batches in a **queue**: $K$ no longer depends on the batch. Old keys must stay comparable with new ones, so
// keys come from a second encoder that changes slowly, $\theta_k \leftarrow m\,\theta_k + (1 - m)\,\theta_q$. Chen and others
// [improved the recipe](https://arxiv.org/abs/2003.04297) (2020). What is learnt is judged by what it is good for: a linear classifier
// on the encoder's features, with ten labels a class.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let command = MoCoOptions.fromCommandLine()
let options = command.lesson
let notebook = LessonNotebook(lesson: "Lesson06-MoCo", title: "MoCo: momentum contrast", options: options)

// %%
notebook.source(of: MoCo.self)

// %% [markdown]
// ## Configuration
//
// The paper has $m = 0.999$: its keys look back over a thousand steps of a million. A run here has some hundreds of steps, in which
// such an encoder would hardly leave its start; $m = 0.95$ looks back over 20. Settings were chosen by the validation images.

// %%
let isLarge = options.size == .full || options.data != nil  // 28×28 pixels in place of 8×8
let (width, dimension) = (isLarge ? 256 : 128, isLarge ? 128 : 32)
let (batchSize, queueLength) = (isLarge ? 128 : 32, options.choose(quick: 128, standard: 512, full: 4096))
let (momentum, temperature, learningRate) = (Float(isLarge ? 0.99 : 0.95), Float(0.2), Float(2e-3))
let epochs = options.epochs ?? options.choose(quick: 2, standard: 20, full: 30)
let shortEpochs = options.epochs ?? options.choose(quick: 1, standard: 7, full: 5)
let lengths = options.choose(quick: [32], standard: [32, 128, 512], full: [256, 1024, 4096])
let supervisedSteps = options.choose(quick: 5, standard: 150, full: 500)

var streams = Random(seed: options.seed)
var (initialization, training, picturing, labelling) = (streams.split(), streams.split(), streams.split(), streams.split())
var (supervising, bounding) = (streams.split(), streams.split())

// %% [markdown]
// ## Data and views
//
// Handwritten digits of 8×8 pixels (`--full`: Fashion-MNIST, 28×28). All training images are used, without labels. The probe's labels
// are drawn from the training images but the last fifth, whose labels choose its weight decay.

// %%
let dataset = orStop { () -> (train: LabelledImages, test: LabelledImages) in
  guard isLarge else { return (try Digits().train, try Digits().test) }
  let garments = try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST()
  return (garments.train, garments.test)
}
let (train, test) = (options.size == .quick ? dataset.train.prefix(600) : dataset.train, dataset.test)
let labelled = train.prefix(train.count * 4 / 5)
let validation = train.subset(at: Array(labelled.count..<train.count))
let side = train.height
notebook.print(
  "train \([train.count, side, side, 1]), labels for \(labelled.count)   validation \(validation.count)   test \(test.count)")

let original = train.images(at: [0])
let hue = Tensor([1, 0.62, 0.25], shape: [1, 1, 1, 3])  // a grey image in one colour, for what only colours show
let shown: [(String, [Augmentation])] = [
  ("as it is", []), ("crop and resize", [.crop(area: 0.5...1)]), ("rotation", [.rotation()]), ("shift", [.shift(by: side / 8)]),
  ("flip", [.flip()]), ("blur", [.blur(deviation: 0.1...1)]), ("noise", [.noise(0.1)]), ("cut-out", [.cutout(size: side / 3)]),
  ("colour jitter", [.colorJitter()]), ("to grey", [.grayscale(probability: 0.5)]),
  ("MoCo v1 here", Recipe().augmentations(flipping: isLarge)), ("MoCo v2 here", Recipe.v2.augmentations(flipping: isLarge)),
]
let views = shown.map { ($0.0.contains("colo") || $0.0.contains("grey") ? original * hue : original * Tensor.ones([1, 1, 1, 3]))
  .repeated(10, axis: 0).augmented(by: $0.1, using: &picturing) }
notebook.show(
  ImageGrid(concatenate(views, axis: 0), columns: 10, rowLabels: shown.map(\.0)), named: "augmentations",
  caption: "Ten draws of each of the library's augmentations. Flips change what a digit shows, so they are for garments alone.")

// %% [markdown]
// ## A bound that can be known
//
// With fresh negatives $\ln(1 + K) - L$ is a lower bound of the mutual information of the two views
// ([van den Oord and others, 2018](https://arxiv.org/abs/1807.03748)), and as $L \ge 0$ it never says more than $\ln(1 + K)$. Here on
// Gaussian pairs whose information is known, with the best scores there are, the logarithm of $p(y|x)/p(y)$ written as
// $q \cdot k$. A short queue cannot see what a long one sees.

// %%
let law = CorrelatedGaussians(correlation: 0.8, dimension: 10)
let bounds = [8, 32, 128, 512, 2048].map { length -> (Int, Estimate) in
  let (x, y) = law.pairs(1000, using: &bounding)
  let q = law.queries(x), (k, queue) = (law.keys(y), law.keys(law.pairs(length, using: &bounding).second))
  let loss = infoNCE(contrastiveLogits(q, k, queue: queue, temperature: 1))
  return (length, log(1 + Double(length)) + Estimate(-loss))
}
notebook.table(
  headers: ["K", "ln(1 + K)", "ln(1 + K) − L", "± s.e.", "mutual information"],
  rows: bounds.map { [$0, log(1 + Double($0)), $1.mean, $1.standardError, law.mutualInformation] }, caption: "nats")

// %% [markdown]
// ## Training
//
// Algorithm 1 in an epoch's loop; `step` stands in the source above. The state, with queue and both encoders, is saved after each epoch.

// %%
func makeEncoder(_ recipe: Recipe) -> (inout Random) -> Encoder {
  { Encoder(side: side, width: width, dimension: dimension, head: recipe.head, using: &$0) }
}

func fit(_ name: String, queue length: Int, _ recipe: Recipe, epochs: Int) -> (model: MoCo, losses: [Float]) {
  let model = MoCo(
    makeEncoder(recipe), dimension: dimension, queue: length, momentum: momentum, temperature: temperature,
    using: &initialization)
  var optimizer = Adam(model.query.parameters)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let (perEpoch, views) = (train.count / batchSize, recipe.augmentations(flipping: isLarge))
  let rates = recipe.learningRates(from: learningRate, steps: epochs * perEpoch)
  while state.epoch < epochs {
    var total: Float = 0
    for batch in train.batches(ofSize: batchSize, droppingLast: true, shuffledUsing: &state.random) {
      let x = train.images(at: batch)  // [batch, side, side, 1]
      let first = x.augmented(by: views, using: &state.random), second = x.augmented(by: views, using: &state.random)
      optimizer.learningRate = rates(optimizer.step)
      let loss = model.step(first, second, &optimizer)
      notebook.progress(optimizer.step, of: epochs * perEpoch, loss: loss.scalar, detail: name)
      total += loss.scalar / Float(perEpoch)
    }
    state.append(total, to: "loss")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return (model, state.history["loss"] ?? [])
}

let main = fit("moco", queue: queueLength, command.recipe, epochs: epochs)
notebook.parameters = main.model.query.parameterCount
let most = log(1 + Float(queueLength))
notebook.show(
  LinePlot(
    title: "InfoNCE while training", xLabel: "epoch", yLabel: "L (nats)",
    series: [Series("training, K = \(queueLength)", x: Array(1...epochs), y: main.losses)],
    references: [ReferenceLine("ln(1 + K): nothing known", most)]), named: "training")

// %% [markdown]
// ## What the features are good for
//
// A linear classifier reads features that stay as they are: ten labelled images a class, drawn five times, the same draws for all;
// means and standard errors over the draws, for each one training. *Supervised* trains encoder and classifier together on the same
// labels and views, five times.

// %%
let draws = (0..<6).map { _ in labelled.indices(perClass: 10, using: &labelling) }  // the last is for choosing the decay

func inBatches(_ images: LabelledImages, _ features: (Tensor) -> Tensor) -> Tensor {
  let parts = images.batches(ofSize: 500).map { batch in withoutGradients { features(images.images(at: batch)) } }
  return concatenate(parts, axis: 0)
}

struct Accuracy {
  let validation: Float
  let each: [Float]  // %, one for each draw
  /// Standard errors over few draws divide by one less than their number.
  var estimate: Estimate { overDraws(each) }
}

func overDraws(_ values: [Float]) -> Estimate {
  let tensor = Tensor(values)
  return Estimate(
    mean: tensor.mean().scalar, standardError: (tensor.variance().scalar / Float(values.count - 1)).squareRoot())
}

func probe(_ features: (Tensor) -> Tensor) -> Accuracy {
  let (pool, held, unseen) = (inBatches(labelled, features), inBatches(validation, features), inBatches(test, features))
  func fitted(_ draw: [Int], _ decay: Float) -> LinearProbe {
    LinearProbe(pool.examples(at: draw), labelled.labels(at: draw), weightDecay: decay, steps: 200)
  }
  let tried = [Float(1e-3), 1e-2, 1e-1].map { decay in
    (decay, score: 100 * fitted(draws[5], decay).accuracy(held, validation.labels).mean)
  }
  let best = tried.max { $0.score < $1.score } ?? tried[0]
  let each = draws.prefix(5).map { 100 * fitted($0, best.0).accuracy(unseen, test.labels).mean }
  return Accuracy(validation: best.score, each: each)
}

func supervised(_ draw: [Int]) -> Float {
  let encoder = makeEncoder(.v2)(&supervising), classifier = Linear(width, 10, using: &supervising)
  var optimizer = Adam((encoder.layers.parameters + classifier.parameters))
  let rates = Schedule.cosine(from: learningRate, steps: supervisedSteps)
  for step in 0..<supervisedSteps {
    let batch = Array(draw.shuffled(using: &supervising).prefix(batchSize))
    let x = train.images(at: batch).augmented(by: Recipe.v2.augmentations(flipping: isLarge), using: &supervising)
    let loss = -categoricalLogLikelihood(classifier(encoder.features(x)), train.labels(at: batch)).mean()
    notebook.progress(step + 1, of: supervisedSteps, loss: loss.scalar, detail: "supervised")
    optimizer.learningRate = rates(step)
    optimizer.minimize(loss)
  }
  let classes = inBatches(test) { classifier(encoder.features($0)) }.argmax(axis: 1)
  return 100 * Float(zip(classes.scalars, test.labels.scalars).count { $0 == $1 }) / Float(test.count)
}

let learnt = probe(main.model.query.features)
let raw = probe { $0.reshaped(to: [$0.shape[0], side * side]) }
let untrained = makeEncoder(command.recipe)(&initialization)
let random = probe(untrained.features)
let taught = overDraws(draws.prefix(5).map(supervised))
notebook.measure(
  "probe accuracy, 10 labels a class", learnt.estimate, unit: "%", baseline: raw.estimate.mean, baselineName: "raw pixels")
notebook.measure("gain over raw pixels", overDraws(zip(learnt.each, raw.each).map { $0 - $1 }), unit: "points")
notebook.measure("gain over random features", overDraws(zip(learnt.each, random.each).map { $0 - $1 }), unit: "points")
func row(_ name: String, _ accuracy: Accuracy) -> [Any] {
  [name, accuracy.validation, accuracy.estimate.mean, accuracy.estimate.standardError]
}
notebook.table(
  headers: ["features", "validation %", "test %", "± s.e."],
  rows: [
    row("MoCo, K = \(queueLength)", learnt), row("raw pixels", raw), row("random features", random),
    ["supervised", "", taught.mean, taught.standardError],
  ])

// %% [markdown]
// ## How long a queue?
//
// A batch of \(32) throughout, and queues of several lengths. Beside them the same encoder with SimCLR's loss, where the negatives are the
// batch: $N = K/2 + 1$ images give $2(N - 1) = K$ of them. All see the same number of images.

// %%
func fitBatchContrast(_ name: String, images count: Int) -> Encoder {
  let encoder = makeEncoder(.v2)(&initialization)
  var optimizer = Adam(encoder.parameters)
  var state = notebook.begin(name, encoder, &optimizer, options: options, random: training.split())
  let (steps, views) = (shortEpochs * (train.count / count), Recipe.v2.augmentations(flipping: isLarge))
  // A larger batch is less noisy and makes fewer steps: Adam's rate grows with its square root.
  let rates = Schedule.cosine(from: learningRate * (Float(count) / Float(batchSize)).squareRoot(), steps: steps)
  while state.epoch < shortEpochs {
    for batch in train.batches(ofSize: count, droppingLast: true, shuffledUsing: &state.random) {
      let x = train.images(at: batch)
      let first = x.augmented(by: views, using: &state.random), second = x.augmented(by: views, using: &state.random)
      let loss = batchContrast(encoder(first), encoder(second), temperature: temperature)
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: name)
      optimizer.learningRate = rates(optimizer.step)
      optimizer.minimize(loss)
    }
    state.epoch += 1
    notebook.save(name, state, encoder, optimizer)
  }
  return encoder
}

let queues = lengths.map { probe(fit("queue-\($0)", queue: $0, .v2, epochs: shortEpochs).model.query.features) }
let batches = lengths.map { probe(fitBatchContrast("batch-\($0 / 2 + 1)", images: $0 / 2 + 1).features) }
notebook.table(
  headers: ["negatives", "MoCo, batch \(batchSize) %", "± s.e.", "SimCLR's batch", "%", "± s.e."],
  rows: zip(lengths, zip(queues, batches)).map { length, pair in
    let (a, b) = (pair.0.estimate, pair.1.estimate)
    return [length, a.mean, a.standardError, length / 2 + 1, b.mean, b.standardError]
  }, caption: "\(shortEpochs) epochs each, test accuracy; standard errors over the five draws of labels, one training each")
notebook.show(
  LinePlot(
    title: "Negatives from a queue and from the batch", xLabel: "negatives K", yLabel: "test accuracy (%)",
    series: [("MoCo, batch \(batchSize)", queues), ("SimCLR, batch K/2 + 1", batches)].map { name, accuracies in
      Series(name, x: lengths, y: accuracies.map(\.estimate.mean)).withError(accuracies.map(\.estimate.standardError))
    },
    references: [ReferenceLine("raw pixels", raw.estimate.mean), ReferenceLine("random features", random.estimate.mean)],
    logarithmicX: true), named: "negatives")

// %% [markdown]
// ## From v1 to v2
//
// One change at a time, and all three. `--head`, `--augmentation` and `--schedule` set those of the main run.

// %%
let recipes: [(String, Recipe)] = [
  ("v1", Recipe()), ("v1 + two-layer head", Recipe(head: .mlp)), ("v1 + blur", Recipe(augmentation: .v2)),
  ("v1 + cosine schedule", Recipe(schedule: .cosine)), ("v2", .v2),
]
let ablation = recipes.map { name, recipe in
  (name, probe(fit("recipe " + name, queue: lengths.last ?? queueLength, recipe, epochs: shortEpochs).model.query.features))
}
notebook.table(headers: ["recipe", "validation %", "test %", "± s.e.", "over v1", "± s.e."], rows: ablation.map { name, accuracy in
  let gain = overDraws(zip(accuracy.each, ablation[0].1.each).map { $0 - $1 })
  return row(name, accuracy) + [gain.mean, gain.standardError]
})

// %%
notebook.finish(verdict: "probe accuracy, 10 labels a class", data: "digits", picture: "negatives")
