import LessonKit

// %% [markdown]
// # The vector-quantised autoencoder
//
// Can hidden causes be *discrete*, symbols in place of numbers, when no gradient passes a choice? Van den Oord, Vinyals & Kavukcuoglu,
// [Neural Discrete Representation Learning](https://arxiv.org/abs/1711.00937) (2017), let an encoder say vectors $z_e(x)$, put the
// nearest entry $e_k$ of a *codebook* in the place of each, and hand the decoder's gradient straight through to the encoder, as if
// nothing had happened in between. With sg for a value that no gradient enters, the loss is (equation 3)
//
// $$-\log p(x|e) \;+\; \|\mathrm{sg}[z_e(x)] - e\|^2 \;+\; \beta\,\|z_e(x) - \mathrm{sg}[e]\|^2 .$$
//
// The first term trains decoder and encoder, the second moves codes to the vectors that chose them, the third keeps the encoder
// close to its choice. Afterwards an autoregressive prior learns which codes go together; its draws, decoded, are new images.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson04-VQVAE", title: "The vector-quantised autoencoder", options: options)

// %% [markdown]
// ## The model

// %%
notebook.source(of: VQVAE.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers.

// %%
let isLarge = options.size == .full || options.data != nil  // 28×28 garments in place of 8×8 digits
let (positions, codeCount, width) = isLarge ? (32, 512, 64) : (8, 64, 16)
let hidden = options.choose(quick: 128, standard: 400, full: 1024)
let epochs = options.epochs ?? options.choose(quick: 20, standard: 80, full: 100)
let trialEpochs = options.epochs ?? options.choose(quick: 10, standard: 20, full: 5)
let priorHidden = options.choose(quick: 128, standard: 512, full: 2048)
let priorEpochs = options.epochs ?? options.choose(quick: 20, standard: 80, full: 40)
let gaussianEpochs = options.epochs ?? options.choose(quick: 30, standard: 80, full: 50)
let (batchSize, learningRate, noise) = (50, Float(2e-3), Float(0.2))

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## Data
//
// Handwritten digits, 8×8 pixels of 17 levels (`--full`: Fashion-MNIST, 28×28). The law is that of the other lessons of this part: a
// pixel's grey value is its probability of a 1. So $\log p(x|z)$ is a sum over binary pixels, and its mean over all drawings of an
// image is the cross-entropy with the grey values: that exact mean is what the decoder is trained on. The encoder sees the grey image,
// with some noise added while it learns, lest codes depend on small differences. Test images are drawn once.

// %%
let dataset = orStop { () -> (train: LabelledImages, test: LabelledImages) in
  guard isLarge else { return (try Digits().train, try Digits().test) }
  let garments = try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST()
  return (garments.train, garments.test)
}
let judge = orStop { try isLarge ? ImageClassifier.fashionMNIST() : ImageClassifier.digits() }
let limit = options.choose(quick: 1000, standard: .max, full: .max)
let (train, test) = (dataset.train.prefix(limit), dataset.test.prefix(1000))
let pixels = train.height * train.width
func flattened(_ images: Tensor) -> Tensor { images.reshaped(to: [images.shape[0], pixels]) }
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], train.height, train.width, 1]) }

let trainGreys = flattened(train.images(at: train.indices))  // [count, pixels], 0…1
let testGreys = flattened(test.images(at: test.indices))
let someGreys = trainGreys.examples(at: 0..<min(train.count, 3000))  // whose codes are counted
let testImages = Tensor.bernoulli(testGreys, using: &testing)
notebook.print("train \(trainGreys.shape)   test \(testGreys.shape)   \(train.levels) levels")

// %% [markdown]
// ## Training
//
// An image becomes 8 codes of 64: 48 bits. The codes are moving averages of the vectors that choose them (appendix A.1), begin at
// vectors which the encoder says of training images, and one that is hardly ever chosen is moved to such a vector after the epoch; the
// last two are later practice, not the paper's. The state is saved after each epoch; `--resume` goes on from there.

// %%
func makeModel(codebook: (Sequential, inout Random) -> any Codebook) -> VQVAE {
  VQVAE(pixels: pixels, hidden: hidden, positions: positions, width: width, using: &initialization, codebook: codebook)
}

func fit(_ model: VQVAE, name: String, epochs: Int, restarts: Bool) -> TrainingState {
  var optimizer = Adam(model.parameters)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * ((train.count + batchSize - 1) / batchSize)
  let rate = Schedule.cosine(from: learningRate, steps: steps)
  while state.epoch < epochs {
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let grey = trainGreys.examples(at: batch)  // [batch, pixels]
      let seen = grey + Tensor.normal(grey.shape, using: &state.random) * noise
      let loss = model.loss(seen, target: grey).mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: name)
      optimizer.learningRate = rate(optimizer.step)
      optimizer.minimize(loss)
    }
    state.append(perplexity(of: model.codes(of: someGreys), codes: codeCount).scalar, to: "perplexity")
    state.epoch += 1
    if restarts, state.epoch < epochs * 3 / 4, let codebook = model.codebook as? AveragedCodebook {
      let some = trainGreys.examples(at: (0..<train.count).batches(ofSize: 100, shuffledUsing: &state.random)[0])
      codebook.restartDeadCodes(at: withoutGradients { model.vectors(some) }, using: &state.random)
    }
    notebook.save(name, state, model, optimizer)
  }
  return state
}

let model = makeModel { encoder, random in
  let some = trainGreys.examples(at: (0..<train.count).batches(ofSize: 200, shuffledUsing: &random)[0])
  let vectors = withoutGradients { encoder(some).reshaped(to: [-1, width]) }
  let chosen = IndexTensor.permutation(vectors.shape[0], using: &random).sliced(0..<codeCount, axis: 0)
  return AveragedCodebook(codes: embedding(vectors, chosen), count: Float(batchSize * positions) / Float(codeCount))
}
notebook.parameters = model.parameterCount
let state = fit(model, name: "vqvae", epochs: epochs, restarts: true)

// %% [markdown]
// ## A codebook that collapses
//
// Now the codes begin far away, at $\mathcal{N}(0, 5^2)$ where the encoder says values near 0, and follow the gradient of equation 3 alone.
// The nearest one or two win every vector, are moved towards them, and win again; no gradient ever reaches the others. The *perplexity*,
// e to the entropy of the codes' shares, tells: it lies between 1 and $K$, and the detector speaks when it is below $K/4$. The same
// far start is mended by moving averages with restarts.

// %%
func farCodes(_ random: inout Random) -> Tensor { .normal([codeCount, width], using: &random) * 5 }
let collapsed = makeModel { TrainedCodebook(codes: farCodes(&$1)) }
let mended = makeModel { AveragedCodebook(codes: farCodes(&$1), count: 1) }
let runs = [
  ("begun at data", model, state),
  ("far, gradient alone", collapsed, fit(collapsed, name: "collapsed", epochs: trialEpochs, restarts: false)),
  ("far, averages and restarts", mended, fit(mended, name: "mended", epochs: trialEpochs, restarts: true)),
]
for (name, model, _) in runs {
  let codes = model.codes(of: testGreys)
  let used = perplexity(of: codes, codes: codeCount).scalar
  notebook.print("\(name): \(collapse(of: codes, codes: codeCount) ?? "the codebook is in good health")")
  notebook.measure("perplexity, \(name)", used, unit: "of \(codeCount)")
}
notebook.show(
  LinePlot(
    title: "Codes in use while training", xLabel: "epoch", yLabel: "perplexity",
    series: runs.map { name, _, state in Series(name, x: Array(1...state.epoch), y: state.history["perplexity"]!) },
    references: [ReferenceLine("all codes", Double(codeCount)), ReferenceLine("detector", Double(codeCount) / 4)],
    xRange: 0...Double(max(2, trialEpochs)), yRange: 0...Double(codeCount) * 1.05),
  named: "perplexity",
  caption: "On the training images after each epoch. The run that began at data is longer and goes on to the right.")

// %% [markdown]
// ## Codes and reconstructions
//
// First equation 1 by a matrix product against all differences written out, on vectors of test images. Then, which codes each position
// uses: that is its own affair, for the decoder knows the positions apart. They divide the codebook among them, so that the sum of their
// entropies is far below $m \ln K$: of the two it is the harder yardstick for a prior.

// %%
let (trainCodes, testCodes) = (model.codes(of: trainGreys), model.codes(of: testGreys))  // [count, positions]
let checked = test.indices.prefix(isLarge ? 20 : 300)
let vectors = withoutGradients { model.vectors(testGreys.examples(at: checked)) }  // [checked · positions, width]
let differences = vectors.reshaped(to: [-1, 1, width]) - model.codebook.codes  // [checked · positions, codes, width]
let byBruteForce = square(differences).sum(axis: 2).argmin(axis: 1).scalars
let agreeing = zip(byBruteForce, testCodes.scalars).count { $0 == $1 }
notebook.measure("nearest codes as by brute force", Double(agreeing), unit: "of \(byBruteForce.count)")

let each = oneHot(model.codes(of: someGreys), classes: codeCount)  // [some, positions, codes]
let dialects = (0..<positions).map { perplexity(of: testCodes.sliced($0..<$0 + 1, axis: 1), codes: codeCount).scalar }
notebook.measure("perplexity at one position, mean", dialects.reduce(0, +) / Float(positions), unit: "of \(codeCount)")
notebook.measure("entropies of the positions, added", dialects.map { log($0) }.reduce(0, +), unit: "nats/image")
notebook.show(
  HeatMap(
    each.mean(axis: 0).repeated(codeCount / positions / 2, axis: 0), title: "Which codes each position uses",
    xLabel: "code", yLabel: "position", valueLabel: "share", yRange: 0.5...Double(positions) + 0.5),
  named: "dialects", caption: "Shares of the codes at each position, training images.")

// %% [markdown]
// The judge is the project's own classifier, trained on the training images alone: a reconstruction should be read as its original's
// label.

// %%
func readings(_ x: Tensor, _ labels: IndexTensor) -> Estimate {
  let share = judge.agreement(asImages(x), labels)
  return Estimate(mean: 100 * share.mean, standardError: 100 * share.standardError)
}

func reconstructed(_ model: VQVAE) -> Tensor { withoutGradients { model.decoded(model.codes(of: testGreys)).mean } }

notebook.measure(
  "reconstructions read as their originals", readings(reconstructed(model), test.labels), unit: "%", baseline: 10,
  baselineName: "chance")
notebook.measure(
  "the same, collapsed codebook", readings(reconstructed(collapsed), test.labels), unit: "%", baseline: 10,
  baselineName: "chance")
let shown = 0..<min(12, test.count)
notebook.show(
  ImageGrid(
    asImages(
      concatenate([testGreys, reconstructed(model), reconstructed(collapsed)].map { $0.examples(at: shown) }, axis: 0)),
    columns: shown.count, rowLabels: ["test image", "\(positions) codes", "collapsed"], scale: isLarge ? 2 : 6),
  named: "reconstructions", caption: "Test images, what their codes keep, and what a collapsed codebook keeps.")

// %% [markdown]
// ## A prior over the codes
//
// While training, all codes were equally likely and cost $m \ln K$ nats an image. Their true law is far from uniform. The prior,
// a masked network that is told the class, is fitted to the training images' codes; after each epoch it is measured on the codes of
// 200 training images that it does not learn from, and the best weights are kept (early stopping).

// %%
notebook.source(of: CodePrior.self)

// %%
let prior = CodePrior(
  codebook: model.codebook.codes, positions: positions, classes: 10, hidden: priorHidden, dropout: 0.4,
  using: &initialization)

func fitPrior() -> TrainingState {
  var optimizer = AdamW(prior.parameters, learningRate: 2e-3, weightDecay: 0.05)
  var best = ExponentialMovingAverage(prior.parameters, decay: 0)  // an average that keeps nothing old is a copy
  var state = notebook.begin("prior", prior, &optimizer, &best, options: options, random: training.split())
  let learning = 0..<train.count - min(200, train.count / 5)
  let held = Array(learning.upperBound..<train.count)
  let steps = priorEpochs * ((learning.count + batchSize - 1) / batchSize)
  func loss(_ batch: [Int]) -> Tensor {
    -prior.logProbability(of: trainCodes.examples(at: batch), train.labels(at: batch)).mean()
  }
  while state.epoch < priorEpochs {
    var total: Float = 0
    for batch in learning.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let loss = loss(batch)
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "prior")
      optimizer.minimize(loss)
      total += loss.scalar * Float(batch.count)
    }
    state.append(total / Float(learning.count), to: "training")
    let validation = withoutGradients { inference { loss(held).scalar } }
    if validation < state.history["validation"]?.min() ?? .infinity { best.update() }
    state.append(validation, to: "validation")
    state.epoch += 1
    notebook.save("prior", state, prior, optimizer, best)
  }
  let kept = best.withAverages { Checkpoint(of: prior) }
  orStop { try kept.restore(prior) }
  return state
}

let priorState = fitPrior()
notebook.show(
  LinePlot(
    title: "The prior while training", xLabel: "epoch", yLabel: "−ln p(z|class) (nats/image)",
    series: ["training", "validation"].map { Series($0, x: Array(1...priorState.epoch), y: priorState.history[$0]!) }),
  named: "prior",
  caption: "The training curve includes dropout; weights are taken where the validation curve is lowest.")

/// −ln p of the test codes, `[count]`, from counts in training codes, one added to each: of all, or by position and class.
func counted(byPlace: Bool) -> Tensor {
  let members = oneHot(train.labels(at: 0..<each.shape[0]), classes: 10)
  var counts = matmul(members, each.reshaped(to: [each.shape[0], -1]), transposingFirst: true)
    .reshaped(to: [10, positions, codeCount])
  if !byPlace { counts = counts.sum(axes: [0, 1], keepingAxes: true).broadcast(to: counts.shape) }
  let logits = embedding(log(counts + 1), test.labels)  // [count, positions, codes]
  return -categoricalLogLikelihood(logits, testCodes).sum(axis: 1)
}

let cost = withoutGradients { inference { -prior.logProbability(of: testCodes, test.labels) } }  // [count]
let unigram = counted(byPlace: false)
let uniform = Float(positions) * log(Float(codeCount))
notebook.measure(
  "test −ln p(z|class)", Estimate(cost), unit: "nats/image", baseline: unigram.mean().scalar,
  baselineName: "unigram codes")
notebook.table(
  headers: ["law of the \(positions) codes", "nats/image", "± s.e.", "share of m ln K"],
  rows: [
    ("all equally likely, m ln K", Estimate(mean: uniform, standardError: 0)),
    ("counted (unigram)", Estimate(unigram)),
    ("counted at each position for each class", Estimate(counted(byPlace: true))),
    ("prior, class told", Estimate(cost)),
  ].map { [$0, $1.mean, $1.standardError, $1.mean / uniform] as [Any] }, caption: "\(test.count) test images")

// %% [markdown]
// ## Samples by class
//
// Codes are drawn from the prior, decoded to the mean of $p(x|z)$, and read by the judge. Its confidence proves nothing, for it finds
// digits in noise too: what counts is whether it reads the class that was asked for.

// %%
let perClass = options.choose(quick: 20, standard: 100, full: 100)
let asked = IndexTensor((0..<10).flatMap { [Int32](repeating: $0, count: perClass) })
let sampledCodes = prior.sample(asked, using: &sampling)  // [10 · perClass, positions]
let samples = withoutGradients { model.decoded(sampledCodes).mean }
notebook.measure(
  "samples read as the class asked for", readings(samples, asked), unit: "%", baseline: 10, baselineName: "chance")

/// How the judge reads images, and how sure it is of what it reads.
func judgement(_ name: String, _ x: Tensor, _ labels: IndexTensor) -> [Any] {
  let reading = readings(x, labels)
  let confidence = exp(judge.logProbabilities(asImages(x)).max(axis: 1)).mean().scalar
  return [name, reading.mean, reading.standardError, 100 * confidence]
}

let pixelMeans = trainGreys.mean(axis: 0, keepingAxes: true)  // [1, pixels]
let independentPixels = Tensor.bernoulli(pixelMeans.broadcast(to: samples.shape), using: &sampling)
notebook.table(
  headers: ["images", "read as the label (%)", "± s.e.", "the judge's confidence (%)"],
  rows: [
    judgement("test images", testGreys, test.labels),
    judgement("their reconstructions", reconstructed(model), test.labels),
    judgement("samples of the prior", samples, asked),
    judgement("independent pixels", independentPixels, asked),
    judgement("uniform noise", .uniform(samples.shape, using: &sampling), asked),
  ], caption: "confidence: the mean probability that the judge gives to the class it reads")

let (classes, scale) = (Array(0..<10), isLarge ? 2 : 5)
let examples = classes.flatMap { label in test.indices.filter { test.labels.scalars[$0] == label }.prefix(10) }
let firsts = samples.examples(at: classes.flatMap { label in Array(label * perClass..<label * perClass + 10) })
let names = classes.map { "\($0)" }
notebook.show(
  Panels([
    ImageGrid(test.images(at: examples), columns: 10, title: "Data", rowLabels: names, scale: scale),
    ImageGrid(asImages(firsts), columns: 10, title: "Samples", scale: scale),
  ]), named: "samples", caption: "Left test images, right the first samples; a row for each class that was asked for.")

// %% [markdown]
// ## Beside a VAE
//
// How good a model of binary images is this? For *any* code, $\log p(x) \ge \log p(x|z) + \log p(z)$, one term of the sum over all
// $64^8$ codes; we take the code of the grey image, and $p(z) = \frac{1}{10} \sum_h p(z|h)$ needs no label. One term pays the full price of
// naming one code, when many would do. The sum over a set of *many* different codes is a bound as well, and a closer one: those of
// training images and of draws from the prior, one set for all test images. The VAE sees the same images, drawn anew each time.

// %%
notebook.source(of: GaussianVAE.self)

// %%
let gaussian = GaussianVAE(pixels: pixels, hidden: hidden, latents: isLarge ? 20 : 8, using: &initialization)

func fitGaussian() {
  var optimizer = Adam(gaussian.parameters)
  var state = notebook.begin("vae", gaussian, &optimizer, options: options, random: training.split())
  let steps = gaussianEpochs * ((train.count + batchSize - 1) / batchSize)
  let rate = Schedule.cosine(from: learningRate, steps: steps)
  while state.epoch < gaussianEpochs {
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let x = Tensor.bernoulli(trainGreys.examples(at: batch), using: &state.random)  // [batch, pixels]
      let bound = gaussian.bound(x, using: &state.random)
      let loss = (bound.divergence - bound.reconstruction).mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "VAE")
      optimizer.learningRate = rate(optimizer.step)
      optimizer.minimize(loss)
    }
    state.epoch += 1
    notebook.save("vae", state, gaussian, optimizer)
  }
}

fitGaussian()

// %%
let drawnCount = options.choose(quick: 1000, standard: 20_000, full: 1000)
let drawnCodes = prior.sample(IndexTensor((0..<drawnCount).map { Int32($0 % 10) }), using: &testing)
let known = distinct([model.codes(of: someGreys), drawnCodes])  // [known, positions]

let logJoint = model.logJoint(testImages, with: known, prior)  // [count, known]
let rate = -prior.logProbability(of: testCodes)  // [count]
let distortion = withoutGradients { -model.decoded(testCodes).logProbability(of: testImages) }
let (best, summed) = (-logJoint.max(axis: 1), -logJoint.logSumExp(axis: 1))  // [count]
let posterior = softmax(logJoint, axis: 1)
let sharing = exp(-(posterior * log(posterior + 1e-30)).sum(axis: 1)).mean().scalar

let bound = withoutGradients { gaussian.bound(testImages, using: &testing) }
let elbo = bound.divergence - bound.reconstruction
let importance = -gaussian.logLikelihood(
  testImages, samples: options.choose(quick: 20, standard: 200, full: 100), using: &testing)
let independent = Bernoulli(logits: log((pixelMeans + 1e-4) / (1 - pixelMeans + 1e-4)).broadcast(to: testImages.shape))
let baseline = -independent.logProbability(of: testImages)
let drawing = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar

for (name, values) in [
  ("VQ-VAE, one code", rate + distortion), ("VQ-VAE, sum over codes", summed), ("VAE, ELBO", elbo),
  ("VAE, importance samples", importance),
] {
  notebook.measure(
    "test −log p(x), \(name)", Estimate(values), unit: "nats/image", floor: drawing, baseline: baseline.mean().scalar,
    baselineName: "independent pixels")
}
func row(_ name: String, _ code: Any, _ image: Any, _ values: Tensor) -> [Any] {
  [name, code, image, Estimate(values).mean, Estimate(values).standardError]
}
notebook.table(
  headers: ["upper bound on −log p(x)", "the code", "the image given it", "in all", "± s.e."],
  rows: [
    row("VQ-VAE, code of the grey image", rate.mean().scalar, distortion.mean().scalar, rate + distortion),
    row("VQ-VAE, best of \(known.shape[0]) known codes", "", "", best),
    row("VQ-VAE, sum over these codes", "", "", summed),
    row("VAE, ELBO", bound.divergence.mean().scalar, -bound.reconstruction.mean().scalar, elbo),
    row("VAE, importance samples", "", "", importance),
    row("independent pixels", 0, baseline.mean().scalar, baseline),
  ], caption: "nats/image on the same \(test.count) images, drawn once; the entropy of the drawing is \(drawing)")
notebook.print(
  "given a binary image, about \(Int(sharing.rounded())) codes share it (e to the entropy of p(z|x), mean)")

// %% [markdown]
// The VAE's loss charges for its code, $\mathrm{KL}(q\,\|\,p)$, so the VAE buys only what pays. The VQ-VAE's loss charges the constant $m \ln K$
// whatever is said, so it says all it can: its code costs more, and the image given the code less. Naming *one* code is dear: at the
// default size that bound is worse than independent pixels, which know nothing of each other. But many codes would do for each binary
// image, and their sum takes most of the loss back: as a law of images the VQ-VAE comes close to the VAE. What it has beyond that are
// short discrete descriptions, which decode to clean images, and which any model of sequences can learn.

// %% [markdown]
// ## What to try next
//
// - $\beta = 0$, and $\beta = 100$: what becomes of the distance between vectors and codes, and of perplexity?
// - 4 positions of 64 codes, or 16 of 32: where do reconstructions, the prior's cost and the bound go?
// - Leave out the noise that the encoder sees. Which of the numbers suffer?
// - Take the class from the prior. How much of its 2.3 nats do the first codes pay back?
// - `swift run Lesson04-VQVAE --full --data DIR` trains on garments with the paper's 512 codes.

// %%
notebook.finish(verdict: "test −ln p(z|class)", data: isLarge ? "28×28 images" : "digits", picture: "samples")
