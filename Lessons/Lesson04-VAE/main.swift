import LessonKit

// %% [markdown]
// # The variational autoencoder
//
// How can one train a model with hidden causes, $p(x) = \int p(x|z)\,p(z)\,dz$, when the integral cannot be computed?
// Kingma & Welling, [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114) (2013), train a second network,
// the encoder $q(z|x)$, beside the decoder $p(x|z)$, and maximise a bound that needs only samples of $z$:
//
// $$\log p(x) \;\ge\; \mathbb{E}_{q(z|x)}[\log p(x|z)] \;-\; \mathrm{KL}(q(z|x)\,\|\,p(z))$$
//
// The first part rewards codes from which $x$ can be told; the second makes them look like the prior $\mathcal{N}(0, I)$.
// The gap between the two sides is $\mathrm{KL}(q(z|x)\,\|\,p(z|x))$: nothing is lost where the encoder is the true posterior.
//
// This lesson first meets a law where the best bound is known exactly, and then images of clothes.

// %%
let options = LessonOptions.fromCommandLine()
let notebook = Notebook(lesson: "Lesson04-VAE", title: "The variational autoencoder", options: options)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers, so that more of one changes nothing in another.

// %%
let hidden = options.choose(quick: 100, standard: 400, full: 500)
let latents = 20
let epochs = options.epochs ?? options.choose(quick: 2, standard: 40, full: 200)
let batchSize = 128
let learningRate: Float = 1e-3
let toySteps = options.choose(quick: 1500, standard: 12000, full: 10_000)
let importanceSamples = options.choose(quick: 10, standard: 100, full: 1000)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A law where the optimum is known
//
// $x = \mu + R\,\mathrm{diag}(5, 1)\,\varepsilon$ in the plane, once with $R$ a turn by 45° and once without. Both have entropy
// $\ln 2\pi e + \ln 5 = 4.4473$ nats, and no model can have a smaller $-\mathrm{ELBO}$. Encoder and decoder are linear and the noise of
// $p(x|z)$ is independent on each axis, so the bound can become exact, and we know what the code must then carry:
//
// - *rotated*: independent noise cannot tilt, so the tilt must come through $z$: at the optimum $\mathrm{KL} \ge \ln 5 = 1.6094$;
// - *aligned*: independent noise is all there is to explain. The optimum has $\mathrm{KL} = 0$: the encoder says nothing and the
//   decoder does not listen. This is **posterior collapse**, and here it is no failure but the best possible model.

// %%
func fit(_ law: LinearGaussian, name: String) -> VAE {
  let model = VAE(
    encoder: Encoder(inputs: 2, hidden: nil, latents: 2, using: &initialization),
    decoder: GaussianDecoder(latents: 2, examples: law.samples(1000, using: &training), using: &initialization))
  var optimizer = Adam(model.parameters, learningRate: 0.02)
  for step in 1...toySteps {
    optimizer.learningRate = 0.02 * (1 - Float(step - 1) / Float(toySteps))
    let x = law.samples(256, using: &training)  // [256, 2]
    let loss = -model.bound(x, using: &training).elbo.mean()
    notebook.progress(step, of: toySteps, loss: loss.scalar, detail: name)
    optimizer.minimize(loss)
  }
  return model
}

/// The mean over examples and its standard error.
func meanAndError(_ values: Tensor) -> (mean: Float, error: Float) {
  (values.mean().scalar, (values.variance().scalar / Float(values.count)).squareRoot())
}

/// −ELBO on fresh points. log p(x) of the same points, whose mean is known to be −entropy, takes out most of the noise.
func evaluate(_ law: LinearGaussian, name: String, leastDivergence: Double) -> [Any] {
  let model = fit(law, name: name)
  let x = law.samples(20_000, using: &testing)
  let bound = withoutGradients { model.bound(x, using: &testing) }
  let gap = meanAndError(law.logProbability(of: x) - bound.elbo)
  let divergence = meanAndError(bound.divergence)
  let loss = Float(law.entropy) + gap.mean
  notebook.measure("\(name) −ELBO", loss, standardError: gap.error, unit: "nats/point", floor: law.entropy)
  notebook.measure(
    "\(name) KL", divergence.mean, standardError: divergence.error, unit: "nats/point", floor: leastDivergence)
  return [name, loss, gap.error, law.entropy, divergence.mean, leastDivergence]
}

notebook.table(
  headers: ["law", "−ELBO", "± s.e.", "entropy (floor)", "KL", "KL at the optimum ≥"],
  rows: [
    evaluate(.rotated, name: "rotated", leastDivergence: log(5)),
    evaluate(.aligned, name: "aligned", leastDivergence: 0),
  ])

// %% [markdown]
// ## Images
//
// Fashion-MNIST, 28×28 grey pixels in 0…1. A Bernoulli decoder models *binary* pixels, so each grey value is taken as the
// probability of a 1. **Binarisation**: training images are drawn anew each time they are shown, test images once, from a stream of
// their own. The decoder's mean is then a grey image again.
//
// Two reference values: the *baseline* is the best model without hidden causes, independent pixels with the training set's means.
// The *floor* is the mean entropy of the drawing itself, $H(x\,|\,\text{grey image})$: no model of the binary images can do better.

// %%
let dataset = orStop { try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST() }
let train = options.size == .quick ? dataset.train.prefix(2000) : dataset.train
let test = dataset.test
let pixels = train.height * train.width
func flattened(_ images: Tensor) -> Tensor { images.reshaped(to: [images.shape[0], pixels]) }
let testGreys = flattened(test.images(at: test.indices))  // [2000, 784]
let testImages = Tensor.bernoulli(testGreys, using: &testing)
notebook.print(
  "train [\(train.count), 28, 28, 1]   test [\(test.count), 28, 28, 1]   classes \(FashionMNIST.classNames.count)")

let pixelMeans = flattened(train.images(at: train.indices)).mean(axis: 0, keepingAxes: true)  // [1, 784]
let independent = Bernoulli(logits: log((pixelMeans + 1e-4) / (1 - pixelMeans + 1e-4)).broadcast(to: testImages.shape))
let baseline = -independent.logProbability(of: testImages).mean().scalar
let drawing = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar
notebook.print("independent pixels: \(baseline) nats/image; floor, the entropy of drawing: \(drawing) nats/image")

// %% [markdown]
// ## Model and training
//
// One hidden layer of rectifiers on each side, as in the paper's appendix C. The same loop trains a model with a code of
// 20 numbers and one with 2, which can be drawn. The state is saved after each epoch, and `--resume` goes on from there.

// %%
func makeModel(latents: Int) -> VAE {
  VAE(
    encoder: Encoder(inputs: pixels, hidden: hidden, latents: latents, using: &initialization),
    decoder: BernoulliDecoder(latents: latents, hidden: hidden, outputs: pixels, using: &initialization))
}

func fit(_ model: VAE, name: String) -> TrainingState {
  let file = notebook.folder.appending(path: "\(name).safetensors")
  var optimizer = Adam(model.parameters, learningRate: learningRate)
  var state = TrainingState(
    configuration: ["seed": "\(options.seed)", "size": "\(options.size)", "data": options.data ?? "shipped"],
    random: training.split())
  if options.resumes, FileManager.default.fileExists(atPath: file.path) {
    orStop { try state.restore(from: Checkpoint(contentsOf: file), model, &optimizer) }
    notebook.print("\(name): resumed after epoch \(state.epoch)")
  }
  let batchesPerEpoch = (train.count + batchSize - 1) / batchSize
  while state.epoch < epochs {
    var sum = (elbo: Float(0), divergence: Float(0))
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let greys = flattened(train.images(at: batch))  // [batch, 784]
      let x = Tensor.bernoulli(greys, using: &state.random)
      let bound = model.bound(x, using: &state.random)
      let loss = -bound.elbo.mean()
      notebook.progress(
        optimizer.step + 1, of: epochs * batchesPerEpoch, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)"
      )
      optimizer.minimize(loss)
      sum.elbo += bound.elbo.sum().scalar
      sum.divergence += bound.divergence.sum().scalar
    }
    state.append(-sum.elbo / Float(train.count), to: "train")
    state.append(sum.divergence / Float(train.count), to: "KL")
    state.append(testLoss(model), to: "test")
    state.epoch += 1
    orStop { try state.checkpoint(model, optimizer).write(to: file) }
  }
  return state
}

/// −ELBO of the test images, with the same noise each time.
func testLoss(_ model: VAE) -> Float {
  var noise = Random(seed: options.seed)
  return withoutGradients { -model.bound(testImages, using: &noise).elbo.mean().scalar }
}

let model = makeModel(latents: latents)
notebook.parameters = model.parameterCount
let state = fit(model, name: "vae-\(latents)d")
let planar = makeModel(latents: 2)
let planarState = fit(planar, name: "vae-2d")

// %% [markdown]
// ## Results
//
// The bound and both its parts on the test images, and beside it $\log p(x)$ itself by importance sampling:
// $\log p(x) \approx \log \frac{1}{k} \sum_i p(x|z_i)\,p(z_i) / q(z_i|x)$ with $z_i \sim q(z|x)$. The bound lies below it, and the distance is what the
// diagonal Gaussian $q$ cannot follow of the true posterior.

// %%
func evaluate(_ model: VAE, name: String) -> [Any] {
  let bound = withoutGradients { model.bound(testImages, using: &testing) }
  let parts = test.batches(ofSize: 10).map { batch in
    let x = testImages.sliced(batch[0]..<batch[0] + batch.count, axis: 0)
    return model.logLikelihood(x, samples: importanceSamples, using: &testing)
  }
  let logLikelihood = concatenate(parts, axis: 0)
  let (loss, negative) = (meanAndError(-bound.elbo), meanAndError(-logLikelihood))
  let gap = meanAndError(logLikelihood - bound.elbo)
  for (quantity, value) in [("−ELBO", loss), ("−log p(x)", negative)] {
    notebook.measure(
      "test \(quantity), \(name) code", value.mean, standardError: value.error, unit: "nats/image", floor: drawing,
      baseline: baseline, baselineName: "independent pixels")
  }
  return [
    name, -bound.reconstruction.mean().scalar, bound.divergence.mean().scalar, loss.mean, loss.error, negative.mean,
    negative.error, gap.mean, gap.error,
  ]
}

notebook.table(
  headers: ["code", "−reconstruction", "KL", "−ELBO", "± s.e.", "−log p(x)", "± s.e.", "gap", "± s.e."],
  rows: [evaluate(model, name: "\(latents)-D"), evaluate(planar, name: "2-D")],
  caption: "nats/image; −log p(x) by \(importanceSamples) importance samples an image")

let steps = Array(1...state.epoch)
notebook.show(
  LinePlot(
    title: "The bound while training", xLabel: "epoch", yLabel: "−ELBO (nats/image)",
    series: [("20-D", state), ("2-D", planarState)].flatMap { name, state in
      ["train", "test"].map { Series("\(name) \($0)", x: steps, y: state.history[$0] ?? []) }
    },
    references: [ReferenceLine("floor", drawing)]),
  named: "training", caption: "Training images are drawn anew each epoch.")

// %% [markdown]
// ## What the code keeps: reconstructions
//
// The upper row shows test images as the encoder saw them, the others the decoder's mean at a sample of $q(z|x)$.

// %%
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], train.height, train.width, 1]) }

func reconstructed(_ model: VAE, _ x: Tensor) -> Tensor {
  withoutGradients {
    let (mean, logVariance) = model.encoder(x)
    let noise = Tensor.normal(mean.shape, using: &sampling)
    return model.decoder(reparameterized(mean: mean, logVariance: logVariance, noise: noise)).mean
  }
}

let shown = testImages.sliced(0..<12, axis: 0)  // [12, 784]
notebook.show(
  ImageGrid(
    asImages(
      concatenate(
        [testGreys.sliced(0..<12, axis: 0), shown, reconstructed(model, shown), reconstructed(planar, shown)], axis: 0)),
    columns: 12, rowLabels: ["grey image", "binarised", "\(latents)-D code", "2-D code"]),
  named: "reconstructions", caption: "Test images, what the encoder sees of them, and what comes back.")

// %% [markdown]
// ## Samples, and a walk between two codes
//
// A sample decodes a draw from the prior. A walk decodes the points of a straight line between the codes of two test images: each
// step is a plausible garment if the codes lie close together.

// %%
let prior = Normal.standard([100, latents])
let samples = withoutGradients { model.decoder(prior.sample(using: &sampling)).mean }
notebook.show(
  ImageGrid(asImages(samples), columns: 10), named: "samples", caption: "100 means p(x|z) for z drawn from the prior.")

let codes = withoutGradients { model.encoder(testImages.sliced(0..<12, axis: 0)).mean }  // [12, latents]
let walks = (0..<6).map { row in
  let (start, end) = (codes.sliced(2 * row..<2 * row + 1, axis: 0), codes.sliced(2 * row + 1..<2 * row + 2, axis: 0))
  return withoutGradients {
    model.decoder(interpolated(from: start.reshaped(to: [latents]), to: end.reshaped(to: [latents]), steps: 10)).mean
  }
}
notebook.show(
  ImageGrid(asImages(concatenate(walks, axis: 0)), columns: 10), named: "interpolation",
  caption: "Each row walks from the code of one test image to that of another.")

// %% [markdown]
// ## The manifold of the 2-D code
//
// The plane of codes, cut at equal steps of the prior's probability (the paper's figure 4), and where the test images fall in it.

// %%
let side = 16
let quantiles = (0..<side).map { Float(Normal.standardQuantile((Double($0) + 0.5) / Double(side))) }
let plane = Tensor(quantiles.reversed().flatMap { y in quantiles.map { x in [x, y] } })  // [side², 2]
notebook.show(
  ImageGrid(asImages(withoutGradients { planar.decoder(plane).mean }), columns: side), named: "manifold",
  caption: "p(x|z) over the plane of codes.")
notebook.show(
  ScatterPlot(
    withoutGradients { planar.encoder(testImages).mean }, classes: test.labels, classNames: FashionMNIST.classNames,
    title: "Codes of the test images", xLabel: "z₁", yLabel: "z₂", equalScales: true), named: "codes")

// %% [markdown]
// ## Which codes are used
//
// $\mathrm{KL}(q(z_j|x)\,\|\,p(z_j))$ for each of the 20 numbers, averaged over test images. Those near zero have collapsed: the decoder found nothing
// in them worth their price, exactly as in the aligned law above.

// %%
let (mean, logVariance) = withoutGradients { model.encoder(testImages) }
let perCode = ((exp(logVariance) + square(mean) - 1 - logVariance) * 0.5).mean(axis: 0).scalars
notebook.measure("codes with KL above 0.05 nats", Double(perCode.count { $0 > 0.05 }), unit: "of \(latents)")
notebook.show(
  BarChart(
    categories: (1...latents).map(String.init), bars: [Series("KL", perCode.sorted(by: >))],
    title: "Information in each code", xLabel: "code, by rank", yLabel: "KL (nats)"),
  named: "information")

// %% [markdown]
// ## What to try next
//
// - Multiply the KL by $\beta = 4$: what happens to samples, reconstructions and the number of codes in use?
// - Train `rotated` with one latent variable in place of two. Does it still reach the floor? And with none?
// - Let the decoder be a Gaussian on grey pixels. What becomes of the scale, and of the bound's sign?
// - `swift run Lesson04-VAE --full --data /usr/share/datasets/fashion-mnist` trains on all 60,000 images.

// %%
notebook.finish(verdict: "test −ELBO, \(latents)-D code", data: "fashion-mnist")
