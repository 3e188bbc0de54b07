import LessonKit

// %% [markdown]
// # The variational autoencoder
//
// How can one train a model with hidden causes, $p(x) = \int p(x|z)\,p(z)\,dz$, when the integral cannot be computed?
// Kingma & Welling, [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114) (2013), train a second network, the
// encoder $q(z|x)$, beside the decoder $p(x|z)$, and maximise a bound that needs only samples of $z$:
//
// $$\log p(x) \;\ge\; \mathbb{E}_{q(z|x)}[\log p(x|z)] \;-\; \mathrm{KL}(q(z|x)\,\|\,p(z))$$
//
// The first part rewards codes from which $x$ can be told; the second makes them look like the prior $\mathcal{N}(0, I)$. What
// the bound loses is $\mathrm{KL}(q(z|x)\,\|\,p(z|x))$: nothing, where the encoder is the true posterior.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson04-VAE", title: "The variational autoencoder", options: options)

// %% [markdown]
// ## The model
//
// Its parts bear the paper's names. What stands between the marks of an exercise is what a student writes:
// `swift run course start VAE` empties it, and `swift run course check VAE` tells what is right.

// %%
notebook.source(of: VAE.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers, so that drawing more for one changes nothing in another.

// %%
let hidden = options.choose(quick: 100, standard: 400, full: 500)
let latents = 20
let epochs = options.epochs ?? options.choose(quick: 6, standard: 40, full: 200)
let (batchSize, learningRate) = (128, Float(1e-3))
let toySteps = options.choose(quick: 3000, standard: 12_000, full: 12_000)
let importanceSamples = options.choose(quick: 10, standard: 100, full: 1000)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A law where the optimum is known
//
// $x = \mu + R\,\mathrm{diag}(5, 1)\,\varepsilon$ in the plane, once with $R$ a turn by 45° and once without. Both have entropy
// $\ln 2\pi e + \ln 5 = 4.4473$ nats, and no model reaches a smaller $-\mathrm{ELBO}$. Encoder and decoder are linear, and the
// noise of $p(x|z)$ is independent on each axis. What must the code then carry?
//
// - *Rotated*: independent noise cannot tilt, so the tilt comes through $z$: at any optimum $\mathrm{KL} \ge \ln 5 = 1.6094$.
// - *Aligned*: independent noise explains everything, and the code need carry nothing. Training starts from the best decoder that
//   ignores $z$ and finds no reason to leave it: $\mathrm{KL} \to 0$. This is **posterior collapse**, and here it is no failure
//   but a best possible model: the bound only pays for a code that tells more about $x$ than the decoder's noise can.

// %%
func fit(_ law: LinearGaussian, name: String) -> VAE {
  let examples = law.samples(1000, using: &training)  // [1000, 2]
  let model = VAE(
    encoder: Encoder(inputs: 2, hidden: nil, latents: 2, using: &initialization),
    decoder: GaussianDecoder(latents: 2, examples: examples, using: &initialization))
  var optimizer = Adam(model.parameters)
  for step in 1...toySteps {
    optimizer.learningRate = 0.02 * (1 - Float(step - 1) / Float(toySteps))
    let x = law.samples(256, using: &training)  // [256, 2]
    let loss = -model.bound(x, using: &training).elbo.mean()
    notebook.progress(step, of: toySteps, loss: loss.scalar, detail: name)
    optimizer.minimize(loss)
  }
  return model
}

for (name, law, leastDivergence) in [("rotated", LinearGaussian.rotated, log(5.0)), ("aligned", .aligned, 0)] {
  let model = fit(law, name: name)
  let x = law.samples(20_000, using: &testing)  // [20000, 2]
  let bound = withoutGradients { model.bound(x, using: &testing) }
  // The exact log p(x) of the same points, whose mean is known to be −entropy, takes out most of the noise.
  let loss = law.entropy + Estimate(law.logProbability(of: x) - bound.elbo)
  notebook.measure("\(name) −ELBO", loss, unit: "nats/point", floor: law.entropy)
  notebook.measure("\(name) KL", Estimate(bound.divergence), unit: "nats/point", floor: leastDivergence)
}

// %% [markdown]
// ## Images
//
// Fashion-MNIST, 28×28 grey pixels in 0…1. A Bernoulli decoder models *binary* pixels, so a grey value is taken as the probability
// of a 1. **Binarisation**: training images are drawn anew each time they are shown, test images once, from a stream of their own.
// The decoder's mean is then a grey image again.
//
// Two values to compare with: the *baseline* is the best model without hidden causes, independent pixels with the training set's
// means; the *floor* is the entropy of the drawing itself, given the grey image, which no model of the binary images can beat.

// %%
let dataset = orStop { try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST() }
let (train, test) = (options.size == .quick ? dataset.train.prefix(2000) : dataset.train, dataset.test)
let pixels = train.height * train.width
func flattened(_ images: Tensor) -> Tensor { images.reshaped(to: [images.shape[0], pixels]) }
func asImages(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0], train.height, train.width, 1]) }

let testGreys = flattened(test.images(at: test.indices))  // [count, 784]
let testImages = Tensor.bernoulli(testGreys, using: &testing)
notebook.print("train [\(train.count), 28, 28, 1]   test [\(test.count), 28, 28, 1]")

let pixelMeans = train.meanImage.reshaped(to: [1, pixels])
let independent = Bernoulli(logits: log((pixelMeans + 1e-4) / (1 - pixelMeans + 1e-4)).broadcast(to: testImages.shape))
let baseline = -independent.logProbability(of: testImages).mean().scalar
let floor = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar

// %% [markdown]
// ## Model and training
//
// One hidden layer of rectifiers on each side, as in the paper's appendix C. The same loop trains a model whose code has 20
// numbers and one with 2, which can be drawn. The state is saved after each epoch; `--resume` goes on from there.

// %%
func makeModel(latents: Int) -> VAE {
  VAE(
    encoder: Encoder(inputs: pixels, hidden: hidden, latents: latents, using: &initialization),
    decoder: BernoulliDecoder(latents: latents, hidden: hidden, outputs: pixels, using: &initialization))
}

func fit(_ model: VAE, name: String) -> TrainingState {
  var optimizer = Adam(model.parameters, learningRate: learningRate)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * ((train.count + batchSize - 1) / batchSize)
  while state.epoch < epochs {
    var total: Float = 0
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let x = Tensor.bernoulli(flattened(train.images(at: batch)), using: &state.random)  // [batch, 784]
      let loss = -model.bound(x, using: &state.random).elbo.mean()
      notebook.progress(
        optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss)
      total += loss.scalar * Float(batch.count)
    }
    let testLoss = withoutGradients { -model.bound(testImages, using: &state.random).elbo.mean() }
    state.append(total / Float(train.count), to: "train")
    state.append(testLoss.scalar, to: "test")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return state
}

let model = makeModel(latents: latents)
notebook.parameters = model.parameterCount
let state = fit(model, name: "vae-\(latents)d")
let planar = makeModel(latents: 2)
let planarState = fit(planar, name: "vae-2d")

notebook.show(
  LinePlot(
    title: "The bound while training", xLabel: "epoch", yLabel: "−ELBO (nats/image)",
    series: [("\(latents)-D", state), ("2-D", planarState)].flatMap { name, state in
      ["train", "test"].map { Series("\(name) \($0)", x: Array(1...state.epoch), y: state.history[$0] ?? []) }
    },
    references: [ReferenceLine("floor", floor)]),
  named: "training")

// %% [markdown]
// ## Results
//
// The bound and both its parts on the test images, and beside it $\log p(x)$ itself by importance sampling,
// $\log \frac{1}{k} \sum_i p(x|z_i)\,p(z_i) / q(z_i|x)$ with $z_i \sim q(z|x)$. The gap between the two is what a Gaussian
// with independent axes cannot follow of the true posterior.

// %%
func evaluate(_ model: VAE, name: String) -> [Any] {
  let bound = withoutGradients { model.bound(testImages, using: &testing) }
  let parts = test.batches(ofSize: 10).map { batch in
    let x = testImages.sliced(batch[0]..<batch[0] + batch.count, axis: 0)
    return model.logLikelihood(x, samples: importanceSamples, using: &testing)
  }
  let logLikelihood = concatenate(parts, axis: 0)
  let (loss, negative, gap) = (Estimate(-bound.elbo), Estimate(-logLikelihood), Estimate(logLikelihood - bound.elbo))
  for (quantity, estimate) in [("−ELBO", loss), ("−log p(x)", negative)] {
    notebook.measure(
      "test \(quantity), \(name) code", estimate, unit: "nats/image", floor: floor, baseline: baseline,
      baselineName: "independent pixels")
  }
  return [
    name, -bound.reconstruction.mean().scalar, bound.divergence.mean().scalar, loss.mean, loss.standardError,
    negative.mean, negative.standardError, gap.mean, gap.standardError,
  ]
}

notebook.table(
  headers: ["code", "−reconstruction", "KL", "−ELBO", "± s.e.", "−log p(x)", "± s.e.", "gap", "± s.e."],
  rows: [evaluate(model, name: "\(latents)-D"), evaluate(planar, name: "2-D")],
  caption: "nats/image; −log p(x) by \(importanceSamples) importance samples an image")

// %% [markdown]
// ## What the code keeps
// Test images, what the encoder sees of them, and the decoder's mean at a sample of $q(z|x)$.

// %%
func reconstructed(_ model: VAE, _ x: Tensor) -> Tensor {
  withoutGradients {
    let (mean, logVariance) = model.encoder(x)
    return model.decoder(Normal(mean: mean, logVariance: logVariance).sample(using: &sampling)).mean
  }
}

let (greys, binary) = (testGreys.sliced(0..<12, axis: 0), testImages.sliced(0..<12, axis: 0))  // [12, 784]
let rows = [greys, binary, reconstructed(model, binary), reconstructed(planar, binary)]
notebook.show(
  ImageGrid(
    asImages(concatenate(rows, axis: 0)), columns: 12,
    rowLabels: ["grey image", "binarised", "\(latents)-D code", "2-D code"]),
  named: "reconstructions", caption: "Test images above, reconstructions below.")

// %% [markdown]
// ## Samples, and a walk between two codes
//
// A sample decodes a draw from the prior. A walk decodes the straight line between the codes of two test images: each step is a
// plausible garment where codes lie close together.

// %%
let draws = Tensor.normal([100, latents], using: &sampling)
notebook.show(
  ImageGrid(asImages(withoutGradients { model.decoder(draws).mean }), columns: 10), named: "samples",
  caption: "Means of p(x|z) for 100 draws of z from the prior.")

let codes = withoutGradients { model.encoder(binary).mean }  // [12, 20]
func code(_ index: Int) -> Tensor { codes.sliced(index..<index + 1, axis: 0).reshaped(to: [latents]) }
let walks = (0..<6).map { row in interpolated(from: code(2 * row), to: code(2 * row + 1), steps: 10) }
notebook.show(
  ImageGrid(asImages(withoutGradients { model.decoder(concatenate(walks, axis: 0)).mean }), columns: 10),
  named: "interpolation", caption: "Each row walks from the code of one test image to that of another.")

// %% [markdown]
// ## The manifold of the 2-D code
// The plane of codes, cut at equal steps of the prior's probability (the paper's figure 4), and where the test images fall in it.

// %%
let side = 16
let quantiles = (0..<side).map { Float(Normal.standardQuantile((Double($0) + 0.5) / Double(side))) }
let plane = Tensor(quantiles.reversed().flatMap { y in quantiles.map { x in [x, y] } })  // [side², 2]
notebook.show(
  ImageGrid(asImages(withoutGradients { planar.decoder(plane).mean }), columns: side), named: "manifold",
  caption: "Means of p(x|z) over the plane of codes.")
notebook.show(
  ScatterPlot(
    withoutGradients { planar.encoder(testImages).mean }, classes: test.labels, classNames: FashionMNIST.classNames,
    title: "Codes of the test images", xLabel: "z₁", yLabel: "z₂", equalScales: true), named: "codes")

// %% [markdown]
// ## Which codes are used
//
// $\mathrm{KL}(q(z_j|x)\,\|\,p(z_j))$ of each of the 20 numbers, averaged over test images. One near zero has collapsed: the decoder
// found nothing in it worth its price, as in the aligned law above.

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
// - Multiply the KL by $\beta = 4$: what becomes of samples, reconstructions and the number of codes in use?
// - Give `rotated` one latent variable in place of two. Does it still reach the floor? And with none?
// - Start the `aligned` encoder and decoder with large weights. Where does the KL end, and why is the bound as good?
// - `swift run Lesson04-VAE --full --data DIR` trains on all 60,000 images in the four files of a folder.

// %%
notebook.finish(verdict: "test −ELBO, \(latents)-D code", data: "fashion-mnist", picture: "manifold")
