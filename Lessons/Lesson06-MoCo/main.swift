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
// such an encoder would hardly leave its start; $m = 0.95$ looks back over 20. The learning rate rises over the first 100 steps, the
// most fragile ones: without that, or with harder views, some runs ended in **collapse**, all keys alike and the loss at
// $\ln(1 + K)$. Settings were chosen by the validation images.

// %%
let isLarge = options.size == .full || options.data != nil  // 28×28 pixels in place of 8×8
let (channels, dimension) = (32, isLarge ? 128 : 32)
let batchSize = options.choose(quick: 32, standard: 32, full: 128)
let queueLength = options.choose(quick: 32, standard: 128, full: 2048)
let (momentum, temperature, learningRate) = (Float(isLarge ? 0.99 : 0.95), Float(0.2), Float(1.5e-3))
let epochs = options.epochs ?? options.choose(quick: 2, standard: 60, full: 30)
let warmUp = 100  // steps
let shortEpochs = options.epochs ?? options.choose(quick: 1, standard: 8, full: 5)
let lengths = options.choose(quick: [32], standard: [32, 128, 512], full: [128, 512, 2048])
let supervisedSteps = options.choose(quick: 5, standard: 150, full: 500)

var streams = Random(seed: options.seed)
var (initialization, training, picturing, labelling) = (
  streams.split(), streams.split(), streams.split(), streams.split()
)
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
let few = FewLabels(train, test: test, using: &labelling)
let side = train.height
notebook.print(
  "train \([train.count, side, side, 1]), labels for \(few.pool.count)   validation \(few.validation.count)   test \(test.count)"
)

let (grey, hue) = (Tensor([1], shape: [1, 1, 1, 1]), Tensor([1, 0.62, 0.25], shape: [1, 1, 1, 3]))
let shown: [(String, Tensor, [Augmentation])] = [
  ("as it is", grey, []), ("crop and resize", grey, [.crop(area: 0.5...1)]), ("rotation", grey, [.rotation()]),
  ("shift", grey, [.shift(by: side / 8)]), ("flip", grey, [.flip()]), ("blur", grey, [.blur(deviation: 0.1...1)]),
  ("noise", grey, [.noise(0.1)]), ("cut-out", grey, [.cutout(size: side / 3)]), ("colour", hue, [.colorJitter()]),
  ("to grey", hue, [.grayscale(probability: 0.5)]), ("views, v1", grey, Recipe().augmentations(flipping: isLarge)),
  ("views, v2", grey, Recipe.v2.augmentations(flipping: isLarge)),
]
let pictures = shown.map { _, tint, augmentations in
  (train.images(at: [0]) * tint).repeated(8, axis: 0).augmented(by: augmentations, using: &picturing)
    .broadcast(to: [8, side, side, 3])
}
notebook.show(
  ImageGrid(concatenate(pictures, axis: 0), columns: 8, rowLabels: shown.map(\.0), scale: 112 / side),
  named: "augmentations",
  caption:
    "Eight draws of each of the library's augmentations, and below them the views used here. Flips change what a digit shows; colours are for colour images (here a tinted digit)."
)

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
  let q = law.queries(x)
  let (k, queue) = (law.keys(y), law.keys(law.pairs(length, using: &bounding).second))
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
  { Encoder(side: side, channels: channels, dimension: dimension, head: recipe.head, using: &$0) }
}

/// The same loop for both methods: two views of each image in a batch, and a step that returns its loss.
func fit<Model: Module>(
  _ name: String, _ model: Model, _ trained: [NamedParameter], batch size: Int, rate: Float, _ recipe: Recipe,
  epochs: Int, step: (Model, Tensor, Tensor, inout Adam) -> Tensor
) -> [Float] {
  var optimizer = Adam(trained)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let (perEpoch, views) = (train.count / size, recipe.augmentations(flipping: isLarge))
  let steps = epochs * perEpoch
  let rates = recipe.learningRates(from: rate, steps: steps).warmedUp(steps: min(warmUp, steps / 5))
  while state.epoch < epochs {
    var total: Float = 0
    for batch in train.batches(ofSize: size, droppingLast: true, shuffledUsing: &state.random) {
      let x = train.images(at: batch)  // [batch, side, side, 1]
      let first = x.augmented(by: views, using: &state.random)
      let second = x.augmented(by: views, using: &state.random)
      optimizer.learningRate = rates(optimizer.step)
      let loss = step(model, first, second, &optimizer).scalar
      notebook.progress(optimizer.step, of: steps, loss: loss, detail: name)
      total += loss / Float(perEpoch)
    }
    state.append(total, to: "loss")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return state.history["loss"] ?? []
}

func fitMoCo(_ name: String, queue: Int, _ recipe: Recipe, epochs: Int) -> (model: MoCo, losses: [Float]) {
  let model = MoCo(
    makeEncoder(recipe), dimension: dimension, queue: queue, momentum: momentum, temperature: temperature,
    using: &initialization)
  let losses = fit(
    name, model, model.query.parameters, batch: batchSize, rate: learningRate, recipe, epochs: epochs
  ) { $0.step($1, $2, &$3) }
  return (model, losses)
}

let chosen = command.recipe
let name = "moco \(chosen.head) \(chosen.augmentation) \(chosen.schedule)"  // another recipe is another run
let main = fitMoCo(name, queue: queueLength, chosen, epochs: epochs)
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
notebook.source(of: FewLabels.self)

// %%
func supervised(_ draw: [Int]) -> Float {
  let encoder = makeEncoder(.v2)(&supervising)
  let classifier = Linear(encoder.width, 10, using: &supervising)
  var optimizer = Adam(encoder.layers.parameters + classifier.parameters)
  let rates = Schedule.cosine(from: learningRate, steps: supervisedSteps)
  for step in 0..<supervisedSteps {
    let batch = Array(draw.shuffled(using: &supervising).prefix(batchSize))
    let x = train.images(at: batch).augmented(by: Recipe.v2.augmentations(flipping: isLarge), using: &supervising)
    let loss = -categoricalLogLikelihood(classifier(encoder.features(x)), train.labels(at: batch)).mean()
    notebook.progress(step + 1, of: supervisedSteps, loss: loss.scalar, detail: "supervised")
    optimizer.learningRate = rates(step)
    optimizer.minimize(loss)
  }
  let classes = few.outputs(test) { classifier(encoder.features($0)) }.argmax(axis: 1)
  return 100 * Float(zip(classes.scalars, test.labels.scalars).count { $0 == $1 }) / Float(test.count)
}

let learnt = few.probe(main.model.query.features)
let raw = few.probe { $0.reshaped(to: [$0.shape[0], side * side]) }
let untrained = makeEncoder(chosen)(&initialization)
let random = few.probe(untrained.features)
let taught = Estimate(Tensor(few.draws.map(supervised)))
notebook.measure(
  "probe accuracy, 10 labels a class", Estimate(Tensor(learnt.each)), unit: "%", baseline: raw.mean,
  baselineName: "raw pixels")
notebook.measure("gain over raw pixels", Estimate(Tensor(zip(learnt.each, raw.each).map { $0 - $1 })), unit: "points")
notebook.measure(
  "gain over random features", Estimate(Tensor(zip(learnt.each, random.each).map { $0 - $1 })), unit: "points")
func row(_ name: String, _ result: FewLabels.Result) -> [Any] {
  [name, result.validation, result.mean, result.error]
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
// One small batch throughout, and queues of several lengths. Beside them the same encoder with SimCLR's loss, where the negatives
// are the batch: $N = K/2 + 1$ images give $2(N - 1) = K$ of them. All see the same number of images, but for those that fill no
// batch; so a larger batch makes fewer steps, and the queue's length changes nothing in that.
//
// A long queue is not free here: 512 keys are a third of all images, so that a query's own image, seen an epoch ago, may
// stand among its negatives. In the paper 65,536 keys are a twentieth of them.

// %%
let queues = lengths.map { length in
  few.probe(fitMoCo("queue-\(length)", queue: length, .v2, epochs: shortEpochs).model.query.features)
}
let batches = lengths.map { length in
  let (encoder, count) = (makeEncoder(.v2)(&initialization), length / 2 + 1)
  // A larger batch is less noisy and makes fewer steps: Adam's rate grows with its square root.
  let rate = learningRate * (Float(count) / Float(batchSize)).squareRoot()
  _ = fit("batch-\(count)", encoder, encoder.parameters, batch: count, rate: rate, .v2, epochs: shortEpochs) {
    let loss = batchContrast($0($1), $0($2), temperature: temperature)
    $3.minimize(loss)
    return loss
  }
  return few.probe(encoder.features)
}
notebook.table(
  headers: ["negatives", "MoCo, batch \(batchSize) %", "± s.e.", "SimCLR's batch", "%", "± s.e."],
  rows: zip(lengths, zip(queues, batches)).map { length, pair in
    [length, pair.0.mean, pair.0.error, length / 2 + 1, pair.1.mean, pair.1.error]
  },
  caption: "\(shortEpochs) epochs each, test accuracy; standard errors over the five draws of labels, one training each"
)
notebook.show(
  LinePlot(
    title: "Negatives from a queue and from the batch", xLabel: "negatives K", yLabel: "test accuracy (%)",
    series: [("MoCo, batch \(batchSize)", queues), ("SimCLR, batch K/2 + 1", batches)].map { name, accuracies in
      Series(name, x: lengths, y: accuracies.map(\.mean)).withError(accuracies.map(\.error))
    },
    references: [
      ReferenceLine("raw pixels", raw.mean), ReferenceLine("random features", random.mean),
    ],
    logarithmicX: true), named: "negatives")
for (name, results) in [("MoCo", queues), ("SimCLR", batches)] where lengths.count > 1 {
  notebook.measure(
    "\(name) with \(lengths[lengths.count - 1]) negatives less \(lengths[0])",
    Estimate(Tensor(zip(results[results.count - 1].each, results[0].each).map { $0 - $1 })), unit: "points")
}

// %% [markdown]
// The bands tell of the draws of labels alone. What the queue buys is freedom: its length costs no memory for gradients and no
// steps. Whether longer is better is another question, which these curves answer for so many images and epochs and no others.

// %% [markdown]
// ## From v1 to v2
//
// One change at a time, and all three. `--head`, `--augmentation` and `--schedule` set those of the main run.

// %%
let older: [(String, Recipe)] = [
  ("v1", Recipe()), ("v1 + two-layer head", Recipe(head: .mlp)), ("v1 + blur", Recipe(augmentation: .v2)),
  ("v1 + cosine schedule", Recipe(schedule: .cosine)),
]
let measured = older.map { name, recipe in
  (name, few.probe(fitMoCo("recipe " + name, queue: queueLength, recipe, epochs: shortEpochs).model.query.features))
}
let recipes = measured + [("v2", queues[lengths.firstIndex(of: queueLength) ?? 0])]
notebook.table(
  headers: ["recipe", "validation %", "test %", "± s.e.", "over v1", "± s.e."],
  rows: recipes.map { name, accuracy in
    let gain = Estimate(Tensor(zip(accuracy.each, measured[0].1.each).map { $0 - $1 }))
    return row(name, accuracy) + [gain.mean, gain.standardError]
  },
  caption: "K = \(queueLength), \(shortEpochs) epochs; standard errors over the five draws of labels, one training each"
)

// %% [markdown]
// Each row is one training, and its standard error tells of the labels alone: another seed may turn small differences around.
//
// ## What to try next
//
// - Set $m$ to 0, 0.5, 0.9, 0.99 and 0.999. Where does the loss end, where the accuracy?
// - Take the linear layer out of the encoder, so that the head reads the pooled convolutions. Untrained features get better; does MoCo?
// - Put `.shift(by: 1)` among the views. If the loss climbs to $\ln(1 + K)$, what do the keys look like? Which learning rate mends it?
// - Let `enqueue` run before the loss. Why does the loss tell less than $\ln(1 + K)$ now?
// - Probe the output of the head in place of the features. What has it thrown away?
// - `swift run Lesson06-MoCo --full --data DIR` learns from 60,000 garments, a queue of 2,048; its settings are not tuned.

// %%
notebook.finish(
  verdict: "probe accuracy, 10 labels a class", data: isLarge ? "fashion-mnist" : "digits", picture: "negatives")
