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
// ## The model and its configuration
// Parts bear the paper's names. What stands between the marks of an exercise is what a student writes: `swift run course start VAE`
// empties it, and `swift run course check VAE` tells what is right. Each purpose has its own stream of random numbers, so that
// drawing more for one changes nothing in another.

// %%
notebook.source(of: VAE.self)
let (batchSize, learningRate): (Int, Float) = (100, 2e-3)
let toySteps = options.choose(quick: 2000, standard: 6000, full: 12_000)
let importanceSamples = options.choose(quick: 10, standard: 500, full: 5000)
let (latents, width) = (20, options.choose(quick: 100, standard: 400, full: 500))
var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A law where the optimum is known
// $x = \mu + R\,\mathrm{diag}(5, 1)\,\varepsilon$ in the plane, once with $R$ a turn by 45° and once without. Both have entropy
// $\ln 2\pi e + \ln 5 = 4.4473$ nats, and no model reaches a smaller $-\mathrm{ELBO}$. Encoder and decoder are linear, the noise of
// $p(x|z)$ is independent on each axis, and training starts from the best decoder that ignores $z$. What must the two codes then carry?
//
// - *Rotated*: independent noise cannot tilt, so the tilt comes through $z$: at any optimum $\mathrm{KL} \ge \ln 5 = 1.6094$.
// - *Aligned*: independent noise explains everything, and training finds no reason to leave its start: $\mathrm{KL} \to 0$. This is
//   **posterior collapse**, and here it is no failure but a best possible model: the bound only pays for a code that tells more
//   about $x$ than the decoder's noise can.
// - *Aligned, from little noise*: the same law and model, begun with a fifth of the noise, so that $x$ must first be told through $z$.
//   A code stays in use, and the bound is as good: between these optima it is flat, and where training begins decides.

// %%
func study(_ name: String, _ law: LinearGaussian, noise: Float = 1, leastKL: Double = 0) -> [Any] {
  let examples = law.samples(1000, using: &training)  // [1000, 2]
  let model = VAE(
    encoder: Encoder(inputs: 2, hidden: [], latents: 2, using: &initialization),
    decoder: GaussianDecoder(latents: 2, examples: examples, noise: noise, using: &initialization))
  var optimizer = Adam(model.parameters)
  let rate = Schedule.linear(from: 0.01, to: 0, steps: toySteps)
  for step in 1...toySteps {
    optimizer.learningRate = rate(optimizer.step)
    let x = law.samples(256, using: &training)  // [256, 2]
    let loss = -model.bound(x, using: &training).elbo.mean()
    notebook.progress(step, of: toySteps, loss: loss.scalar, detail: name)
    optimizer.minimize(loss)
  }
  let x = law.samples(500_000, using: &testing)  // [500000, 2]
  // One importance sample is the ELBO on average, and at an optimum log p(x) itself, whatever z is drawn.
  let gap = Estimate(law.logProbability(of: x) - model.logLikelihood(x, samples: 1, using: &testing))
  let divergence = Estimate(withoutGradients { model.bound(x, using: &testing).divergence })
  notebook.measure("\(name) −ELBO", law.entropy + gap, unit: "nats/point", floor: law.entropy)
  notebook.measure("\(name) KL", divergence, unit: "nats/point", floor: leastKL)
  return [name, Float(law.entropy) + gap.mean] + model.divergencePerCode(x).scalars.sorted(by: >)
}
notebook.table(
  headers: ["law", "−ELBO", "KL of one code", "of the other"],
  rows: [
    study("rotated", .rotated, leastKL: log(5)), study("aligned", .aligned),
    study("aligned, from little noise", .aligned, noise: 0.2),
  ], caption: "nats/point, on 500,000 points")

// %% [markdown]
// ## Images
// Fashion-MNIST, 28×28 grey pixels, and handwritten digits, 8×8. A Bernoulli decoder models *binary* pixels, so a grey value is
// taken as the probability of a 1. **Binarisation**: training images are drawn anew each time they are shown, test images once, from a
// stream of their own. The decoder's mean is then a grey image again.
//
// Two values to compare with: the *baseline* is the best model without hidden causes, independent pixels with the training set's
// means; the *floor* is the entropy of the drawing itself, given the grey image, which no model of the binary images can beat.

// %%
struct Images {
  let side: Int
  let greys, testGreys, test: Tensor  // [count, pixels]; `test` is binary
  let floor, baseline: Float  // nats/image

  init(_ train: LabelledImages, _ held: LabelledImages, using random: inout Random) {
    side = train.height
    greys = train.images(at: train.indices).reshaped(to: [train.count, -1])
    testGreys = held.images(at: held.indices).reshaped(to: [held.count, -1])
    test = .bernoulli(testGreys, using: &random)
    let means = (greys.sum(axis: 0) + 0.5) / Float(train.count + 1)
    let independent = Bernoulli(logits: log(means / (1 - means)).broadcast(to: test.shape))
    baseline = -independent.logProbability(of: test).mean().scalar
    floor = Bernoulli(logits: log(testGreys + 1e-7) - log(1 - testGreys + 1e-7)).entropy.mean().scalar
  }

  func grid(_ rows: [Tensor], columns: Int, rowLabels: [String] = []) -> ImageGrid {
    ImageGrid(
      concatenate(rows, axis: 0).reshaped(to: [-1, side, side, 1]), columns: columns, rowLabels: rowLabels)
  }
}

let dataset = orStop { try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST() }
let shown = options.size == .quick ? dataset.train.prefix(2000) : dataset.train
let garments = Images(shown, dataset.test, using: &testing)
let digits = orStop { try Images(Digits().train, Digits().test, using: &testing) }
for images in [garments, digits] { notebook.print("train \(images.greys.shape)   test \(images.test.shape)") }

// %% [markdown]
// ## Model and training
// One hidden layer of rectifiers on each side, as in the paper's appendix C; a plane, which can be drawn, has to be bent more to pass
// through the images, and gets two layers. One loop trains all. The state is saved after each epoch; `--resume` goes on from there.

// %%
func fit(_ name: String, to images: Images, latents: Int, hidden: [Int], epochs standard: Int) -> (VAE, TrainingState) {
  let (epochs, (count, pixels)) = (options.epochs ?? standard, (images.greys.shape[0], images.greys.shape[1]))
  let model = VAE(
    encoder: Encoder(inputs: pixels, hidden: hidden, latents: latents, using: &initialization),
    decoder: BernoulliDecoder(latents: latents, hidden: hidden.reversed(), outputs: pixels, using: &initialization))
  var optimizer = Adam(model.parameters)
  var state = notebook.begin(name, model, &optimizer, options: options, random: training.split())
  let steps = epochs * ((count + batchSize - 1) / batchSize)
  let rate = Schedule.cosine(from: learningRate, steps: steps)
  while state.epoch < epochs {
    var total: Float = 0
    for greys in images.greys.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      optimizer.learningRate = rate(optimizer.step)
      let x = Tensor.bernoulli(greys, using: &state.random)  // [batch, pixels]
      let loss = -model.bound(x, using: &state.random).elbo.mean()
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), epoch \(state.epoch + 1)")
      optimizer.minimize(loss)
      total += loss.scalar * Float(greys.shape[0])
    }
    state.append(total / Float(count), to: "train")
    state.append(withoutGradients { -model.bound(images.test, using: &state.random).elbo.mean().scalar }, to: "test")
    state.epoch += 1
    notebook.save(name, state, model, optimizer)
  }
  return (model, state)
}
let (epochs, planarEpochs) = options.choose(quick: (4, 4), standard: (25, 30), full: (200, 200))
let digitEpochs = options.choose(quick: 10, standard: 200, full: 1000)
let (model, state) = fit("vae-\(latents)d", to: garments, latents: latents, hidden: [width], epochs: epochs)
let (planar, planarState) = fit("vae-2d", to: garments, latents: 2, hidden: [300, 100], epochs: planarEpochs)
let (digitModel, digitState) = fit("vae-digits", to: digits, latents: latents, hidden: [200], epochs: digitEpochs)
notebook.parameters = model.parameterCount
func curves(_ name: String, _ images: Images, _ state: TrainingState) -> [Series] {
  let percent = (1...state.epoch).map { 100 * Float($0) / Float(state.epoch) }
  return ["train", "test"].map { Series("\(name) \($0)", x: percent, y: state.history[$0]!.map { $0 - images.floor }) }
}
notebook.show(
  LinePlot(
    title: "The bound while training", xLabel: "% of the epochs", yLabel: "−ELBO above the floor (nats/image)",
    series: curves("\(latents)-D", garments, state) + curves("2-D", garments, planarState)
      + curves("digits", digits, digitState), logarithmicY: true), named: "training")

// %% [markdown]
// ## Reconstructions, samples, and a walk between two codes
// A reconstruction decodes the mean of $q(z|x)$, a sample a draw from the prior. A walk decodes the straight line between the codes of
// two test images: each step is a plausible garment where codes lie close together.

// %%
func decoded(_ model: VAE, _ z: Tensor) -> Tensor { withoutGradients { model.decoder(z).mean } }
func encoded(_ model: VAE, _ x: Tensor) -> Tensor { withoutGradients { model.encoder(x).mean } }
let (greys, binary) = (garments.testGreys.sliced(0..<12, axis: 0), garments.test.sliced(0..<12, axis: 0))  // [12, 784]
let reconstructions = [model, planar].map { decoded($0, encoded($0, binary)) }
notebook.show(
  garments.grid(
    [greys, binary] + reconstructions, columns: 12,
    rowLabels: ["grey image", "binarised", "\(latents)-D code", "2-D code"]),
  named: "reconstructions", caption: "Test images above, reconstructions below.")
let drawn = [model, digitModel].map { decoded($0, .normal([60, latents], using: &sampling)) }
notebook.show(
  Panels([garments.grid([drawn[0]], columns: 10), digits.grid([drawn[1]], columns: 10)]), named: "samples",
  caption: "Means of p(x|z) for 60 draws of z from the prior: garments and digits.")
let codes = (0..<12).map { encoded(model, binary).examples(at: [$0]).reshaped(to: [latents]) }
let walks = (0..<6).map { interpolated(from: codes[2 * $0], to: codes[2 * $0 + 1], steps: 10) }
notebook.show(
  garments.grid(walks.map { decoded(model, $0) }, columns: 10), named: "interpolation",
  caption: "Each row walks from the code of one test image to that of another.")

// %% [markdown]
// ## The manifold of the 2-D code
// The plane of codes, cut at equal steps of the prior's probability (the paper's figure 4), and where the test images fall in it.
// How much of the data's variety is there? The project's own classifier, trained on real garments, reads each cell; a class is on the
// manifold if at least 1 % of the cells are read as it. (With `--data` of other things than garments its answers mean nothing.)

// %%
let side = 16
let quantiles = (0..<side).map { Float(Normal.standardQuantile((Double($0) + 0.5) / Double(side))) }
let plane = Tensor(quantiles.reversed().flatMap { y in quantiles.map { x in [x, y] } })  // [side², 2]
let cells = decoded(planar, plane)
notebook.show(
  garments.grid([cells], columns: side), named: "manifold", caption: "Means of p(x|z) over the plane of codes.")
notebook.show(
  ScatterPlot(
    encoded(planar, garments.test), classes: dataset.test.labels, classNames: FashionMNIST.classNames,
    title: "Codes of the test images", xLabel: "z₁", yLabel: "z₂", equalScales: true), named: "codes")
let judge = orStop { try ImageClassifier.fashionMNIST() }
func shares(_ images: Tensor) -> [Float] {
  oneHot(judge.classes(of: images.reshaped(to: [-1, 28, 28, 1])), classes: 10).mean(axis: 0).scalars
}
let (ofPlane, ofNoise) = (shares(cells), shares(.uniform(cells.shape, using: &sampling)))
notebook.measure(
  "classes with 1 % of the plane", Double(ofPlane.count { $0 >= 0.01 }), unit: "of 10",
  baseline: Double(ofNoise.count { $0 >= 0.01 }), baselineName: "noise")
notebook.table(headers: FashionMNIST.classNames, rows: [ofPlane.map { 100 * $0 }], caption: "% of the cells read as")

// %% [markdown]
// ## Which codes are used
// $\mathrm{KL}(q(z_j|x)\,\|\,p(z_j))$ of each of the 20 numbers, averaged over test images: how far, in nats, the encoder
// moves it from the prior. One near zero has collapsed: the decoder found nothing in it worth its price, as in the aligned law
// above. Where there is less to tell, fewer numbers tell it.

// %%
let perCode = [("garments", model, garments), ("digits", digitModel, digits)].map { name, model, images in
  let values = model.divergencePerCode(images.test).scalars.sorted(by: >)
  notebook.measure(
    "\(name): codes with KL above 0.05 nats", Double(values.count { $0 > 0.05 }), unit: "of \(latents)")
  return Series(name, values)
}
notebook.show(
  BarChart(
    categories: (1...latents).map(String.init), bars: perCode, title: "Information in each code",
    xLabel: "code, by rank", yLabel: "KL (nats)"), named: "information")

// %% [markdown]
// ## Comparison
// The bound with its two parts, and $\log p(x)$ itself by importance sampling, $\log \frac{1}{k} \sum_i p(x|z_i)\,p(z_i) / q(z_i|x)$ with
// $z_i \sim q(z|x)$: on average still a lower bound, which rises to $\log p(x)$ with $k$. The ELBO lies below by what a Gaussian with
// independent axes misses of the true posterior. Other models compare only on the same data, split and binarisation.

// %%
func compare(_ model: VAE, _ images: Images, _ name: String) -> [Any] {
  let bound = withoutGradients { model.bound(images.test, using: &testing) }
  let parts = (0..<images.test.shape[0]).batches(ofSize: 2).map {
    model.logLikelihood(images.test.examples(at: $0), samples: importanceSamples, using: &testing)
  }
  let (loss, negative) = (Estimate(-bound.elbo), Estimate(-concatenate(parts, axis: 0)))
  for (quantity, estimate) in [("−ELBO", loss), ("−log p(x)", negative)] {
    notebook.measure(
      "test \(quantity), \(name)", estimate, unit: "nats/image", floor: images.floor, baseline: images.baseline,
      baselineName: "independent pixels")
  }
  return [
    name, -bound.reconstruction.mean().scalar, bound.divergence.mean().scalar, loss.mean, loss.standardError,
    negative.mean, negative.standardError, images.floor, images.baseline,
  ]
}
notebook.table(
  headers: ["model", "−reconstruction", "KL", "−ELBO", "± s.e.", "−log p(x)", "± s.e.", "floor", "independent pixels"],
  rows: [
    compare(model, garments, "\(latents)-D code"), compare(planar, garments, "2-D code"),
    compare(digitModel, digits, "digits, \(latents)-D code"),
  ], caption: "nats/image; −log p(x) by \(importanceSamples) importance samples for each test image")

// %% [markdown]
// ## What to try next
// - Multiply the KL by $\beta = 4$: what becomes of samples, reconstructions and the number of codes in use?
// - Give `rotated` one latent variable in place of two. Does it still reach the floor? And with none?
// - `swift run Lesson04-VAE --full --data DIR` trains on all 60,000 images in the four files of a folder.

// %%
notebook.finish(verdict: "test −ELBO, \(latents)-D code", data: "fashion-mnist", picture: "manifold")
