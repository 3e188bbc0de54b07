import LessonKit

// %% [markdown]
// # PixelCNN
//
// How does one write down a probability for every image there is? Take the pixels in reading order and multiply
//
// $$p(x\,|\,h) = \prod_i p(x_i \,|\, x_1, \dots, x_{i-1}, h),$$
//
// each factor a softmax over the levels of one pixel, $h$ the image's class. Van den Oord, Kalchbrenner & Kavukcuoglu,
// [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759) (2016a), compute all factors at once by convolutions
// whose windows are masked, so that no pixel sees itself or what follows. Van den Oord and others,
// [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328) (2016b), found that such a stack is
// blind to part of what came before, and mended it with two stacks of gated units.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let command = PixelCNNOptions.fromCommandLine()
let options = command.lesson
let notebook = LessonNotebook(lesson: "Lesson02-PixelCNN", title: "PixelCNN", options: options)

// %% [markdown]
// ## The model
//
// Masks, gated unit and the two stacks. In each layer the *vertical* stack reads the rows above, whole; the *horizontal* stack
// reads what stands left in the row, and what the vertical stack tells it. The class enters every gated unit as $V^T h$.

// %%
notebook.source(of: PixelCNN.self)

// %% [markdown]
// ## Configuration
//
// Settings for the digits were chosen on 300 training images held back; `--validate` measures on such a split, with the test
// images left alone. Those of `--full` are not tuned.

// %%
let isLarge = options.size == .full || options.data != nil  // 28×28 pixels in place of 8×8
let channels = options.choose(quick: 16, standard: 32, full: 48)
let epochs = options.epochs ?? options.choose(quick: 6, standard: 22, full: 15)
let madeEpochs = options.epochs ?? options.choose(quick: 10, standard: 60, full: 0)
let (batchSize, learningRate, dropoutRate) = isLarge ? (16, Float(2e-3), Float(0)) : (50, 7e-3, 0.1)

var streams = Random(seed: options.seed)
var (initialization, training, sampling, probing) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## The blind spot
//
// Which pixels can one output see? The gradient of its scores with respect to every pixel tells: where all paths are cut it is
// exactly zero, whatever the weights. Both models here are new, with 3×3 windows. In the one stack of 2016a a step upwards moves
// the view right by at most one column, so a wedge above and to the right stays out of sight however many layers there are.
// The vertical stack of 2016b reads whole rows of its window, also the centre's, and the wedge closes.

// %%
notebook.source(of: MaskedStack.self)

// %%
let (canvas, row, column) = (13, 9, 5)
let oneStack = MaskedStack(channels: 16, layers: 11, firstSize: 3, levels: 4, using: &probing)
let twoStacks = PixelCNN(
  height: canvas, width: canvas, levels: 4, classes: 1, channels: 16, layers: 12, firstSize: 3, using: &probing)
let fields = [
  ("One masked stack (2016a)", { x in oneStack(x) }),
  ("Two gated stacks (2016b)", { x in twoStacks(x, IndexTensor([Int32](repeating: 0, count: x.shape[0]))) }),
].map { name, scores in
  let field = receptiveField(row: row, column: column, height: canvas, width: canvas, using: &probing, of: scores)
  let place = row * canvas + column
  let (seen, ahead) = (field.scalars[..<place].count { $0 > 0 }, field.scalars[place...].count { $0 > 0 })
  notebook.print("\(name): sees \(seen) of the \(place) pixels before it, and \(ahead) of the others")
  return ReceptiveFieldMap(
    power(field / field.max(), 0.25), row: row, column: column, title: name, valueLabel: "gradient, fourth root")
}
notebook.show(
  Panels(fields), named: "blind-spot",
  caption:
    "What the output at the disc sees; nothing grey reaches it. Left, the wedge above it to the right is the blind spot."
)

// %% [markdown]
// ## Data
//
// Handwritten digits, 8×8 pixels of 17 levels (`--full`: Fashion-MNIST, 28×28 of 256). The network reads levels as numbers in
// 0…1 and predicts them as classes.

// %%
let dataset = orStop { () -> (train: LabelledImages, test: LabelledImages) in
  guard isLarge else { return (try Digits().train, try Digits().test) }
  let garments = try options.data.map { try FashionMNIST(folder: $0) } ?? FashionMNIST()
  return (garments.train, garments.test)
}
let judge = orStop { try isLarge ? ImageClassifier.fashionMNIST() : ImageClassifier.digits() }
let limit = options.choose(quick: isLarge ? 48 : 600, standard: isLarge ? 600 : .max, full: .max)
var (train, test) = (dataset.train.prefix(limit), dataset.test.prefix(limit))
if command.validates {
  var splitting = Random(seed: 2016)  // whatever the seed of the run, so that settings are compared on the same images
  let parts = train.partitioned(test: train.count / 5, using: &splitting)
  (train, test) = (parts.training, parts.test)
}
let (height, width, levels) = (train.height, train.width, train.levels)
let measured = command.validates ? "validation" : "test"
let testImages = test.images(at: test.indices)  // [count, height, width, 1]
let prior = (0..<10).map { label in
  Float(train.labels.scalars.count { $0 == label } + 1) / Float(train.count + 10)
}
notebook.print("train \([train.count, height, width, 1])   \(measured) \(testImages.shape)   \(levels) levels")

// %% [markdown]
// ## Training
//
// The loss is $-\log_2 p(x|h)$ per pixel, in bits per dimension. The digits are few, so all is done that keeps a model from
// learning them by heart: dropout, weight decay, a learning rate that falls to zero, and an average of the weights over the last
// steps, which is what is used afterwards. The state is saved after each epoch; `--resume` goes on from there.
//
// The same loop trains the model to compare with, a MADE: the same product and softmax, the same conditioning and averaging.
// Its masked layer joins every pixel to every later one and must learn each place anew; a convolution learns once what a
// stroke looks like. Moving three batches in ten by a pixel helps the MADE, so it has that. (At 28×28 pixels and 256 levels there is
// none: its last layer would have 200 million weights.)

// %%
func fit(
  _ name: String, _ model: some ConditionalModel, epochs: Int, rate: Float, weightDecay: Float, moving: Float = 0
) {
  let name = command.validates ? name + "-validation" : name
  var optimizer = AdamW(model.parameters, learningRate: rate, weightDecay: weightDecay)
  var average = ExponentialMovingAverage(model.parameters)
  var state = notebook.begin(name, model, &optimizer, &average, options: options, random: training.split())
  let steps = epochs * ((train.count + batchSize - 1) / batchSize)
  let schedule = Schedule.cosine(from: rate, steps: steps)
  while state.epoch < epochs {
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      var x = train.images(at: batch)  // [batch, height, width, 1]
      if Float.random(in: 0..<1, using: &state.random) < moving { x = moved(x, using: &state.random) }
      let loss = -model.pixelLogProbabilities(x, train.labels(at: batch)).mean() / log(2)
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), bits/dim")
      optimizer.learningRate = schedule(optimizer.step)
      optimizer.minimize(loss, clippingToNorm: 1)
      average.decay = min(0.99, Float(1 + optimizer.step) / Float(10 + optimizer.step))
      average.update()
    }
    state.epoch += 1
    notebook.save(name, state, model, optimizer, average)
  }
  let averaged = average.withAverages { Checkpoint(of: model) }
  orStop { try averaged.restore(model) }
}

let model = PixelCNN(
  height: height, width: width, levels: levels, classes: 10, channels: channels, layers: isLarge ? 8 : 5,
  size: isLarge ? 5 : 3, dropout: dropoutRate, using: &initialization)
notebook.parameters = model.parameterCount
fit("pixelcnn", model, epochs: epochs, rate: learningRate, weightDecay: 0.01)
let made = isLarge ? nil : MADE(pixels: 64, levels: 17, classes: 10, hidden: 1000, dropout: 0.5, using: &initialization)
if let made { fit("made", made, epochs: madeEpochs, rate: 1e-2, weightDecay: 0.1, moving: 0.3) }

// %% [markdown]
// ## Results
//
// Both models are told the class, and an image comes without it. Yet $p(x) = \sum_h p(h)\,p(x|h)$ is exact: ten passes. Its terms
// also say how likely each class is, so that a model of images classifies them.

// %%
/// ln p(x, class), nats, of all images that are measured: `[count, classes]`.
func evaluated(_ model: some ConditionalModel) -> Tensor {
  let parts = test.batches(ofSize: 50).map { batch in
    withoutGradients { inference { model.logJoint(test.images(at: batch), prior: prior) } }
  }
  return concatenate(parts, axis: 0)
}

// Each pixel by itself: how often each level occurs at its place, one added to every count.
let frequencies = log(oneHot(train.levels(at: train.indices), classes: levels).sum(axis: 0) + 1)
let independent = Categorical(logits: frequencies).elementwiseLogProbability(of: test.levels(at: test.indices))
let pixelBits = independent.mean(axes: [1, 2]) / -log(2)  // [count], bits/dim

let joint = evaluated(model)
let bits = joint.logSumExp(axis: 1) / (-log(2) * Float(height * width))  // [count], bits/dim
let madeBits = made.map { evaluated($0).logSumExp(axis: 1) / (-log(2) * Float(height * width)) }
notebook.measure(
  "\(measured) −log p(x)", Estimate(bits), unit: "bits/dim", baseline: (madeBits ?? pixelBits).mean().scalar,
  baselineName: made == nil ? "independent pixels" : "MADE")
if let madeBits {
  notebook.measure(
    "MADE", Estimate(madeBits), unit: "bits/dim", baseline: pixelBits.mean().scalar, baselineName: "independent pixels")
  notebook.measure("gain over MADE, image by image", Estimate(madeBits - bits), unit: "bits/dim")
}
let isRight = zip(joint.argmax(axis: 1).scalars, test.labels.scalars).map { $0 == $1 ? Float(100) : 0 }
notebook.measure(
  "classified right by p(class|x)", Estimate(Tensor(isRight)), unit: "%", baseline: 10, baselineName: "chance")

// %% [markdown]
// ## What sampling costs
//
// Pixel $i$ is drawn from scores that need the pixels before it, so an image of $n$ pixels takes $n$ steps. Naively each is a
// pass over the whole image, and $n^2$ places are computed: 4,096 for 64 pixels, 614,656 for 784. But a feature never changes once the
// pixels that it reads are drawn. So the vertical stack is computed a row at a time, as soon as the row above is finished, the
// horizontal stack a pixel at a time, and both are kept: $n$ places. Same random numbers, same images. (The windows make a few
// more: for one row or column a convolution also computes the neighbours that it reads. And $n$ small steps are slower than a large one.)

// %%
notebook.source(of: FeatureCache.self)

// %%
let trialCount = isLarge ? 1 : options.choose(quick: 4, standard: 20, full: 20)
let trial = IndexTensor((0..<trialCount).map { Int32($0 % 10) })
let samplers: [(String, any PixelPredictor, Int)] = [
  ("whole image for each pixel", FullPass(model: model, labels: trial), height * width * height * width),
  ("features kept", FeatureCache(model, trial), height * width),
]
let runs = samplers.map { name, predictor, places in
  var (predictor, random, start) = (predictor, sampling, Date())
  let images = sample(trial.count, from: &predictor, using: &random)
  return (images, name, places, seconds: Date().timeIntervalSince(start))
}
let unequal = (runs[0].0 .!= runs[1].0).max(axes: [1, 2, 3]).sum().scalar
notebook.table(
  headers: ["sampler", "places in each layer", "ms/image"],
  rows: runs.map { [$0.1, $0.2, 1000 * $0.seconds / Double(trial.count)] },
  caption: "\(trial.count) images at once, \(Int(unequal)) of them different; "
    + "\(Int((runs[0].seconds / runs[1].seconds).rounded())) times as fast")

// %% [markdown]
// ## Samples by class
//
// The judge is the project's own classifier, trained on the training images alone: how often does it read in a sample the class
// that the sample was asked for? How it reads the test images says whether it knows images like these at all.

// %%
let classes = command.label.map { [$0] } ?? Array(0..<10)
let perClass = options.choose(quick: 50, standard: 1000, full: 100) / classes.count
let asked = IndexTensor(classes.flatMap { [Int32](repeating: Int32($0), count: perClass) })
var predictor: any PixelPredictor = FeatureCache(model, asked)
let samples = sample(asked.count, from: &predictor, using: &sampling)  // [count, height, width, 1]
let judged = judge.agreement(samples, asked)
notebook.measure(
  "samples read as the class asked for", 100 * judged.mean, standardError: 100 * judged.standardError, unit: "%",
  baseline: 10, baselineName: "chance")
notebook.print(
  "of the \(measured) images the judge reads \(100 * judge.agreement(testImages, test.labels).mean) % right")

let shown = min(perClass, classes.count == 1 ? 50 : 10)
let examples = classes.flatMap { label in test.indices.filter { test.labels.scalars[$0] == label }.prefix(shown) }
let drawn = classes.indices.map { samples.sliced($0 * perClass..<$0 * perClass + shown, axis: 0) }
let names = classes.count == 1 ? [] : classes.map(String.init)
notebook.show(
  Panels([
    ImageGrid(
      test.images(at: examples), columns: min(shown, 10), title: "Data", rowLabels: names, scale: isLarge ? 2 : 8),
    ImageGrid(concatenate(drawn, axis: 0), columns: min(shown, 10), title: "Samples", scale: isLarge ? 2 : 8),
  ]), named: "samples",
  caption: "Left \(measured) images, right the first samples; a row for each class that was asked for."
)

// %% [markdown]
// ## Half an image
//
// The upper half of a test image is known, the rest is drawn. The class is not told: $p(h\,|\,\mathrm{upper\ half})$ follows from the
// same product, cut after half the rows, and each completion first draws its class from it. Where the upper half leaves open what it
// is, completions differ.

// %%
let known = Tensor((0..<height).map { row in [Float](repeating: row < height / 2 ? 1 : 0, count: width) })
let isKnown = known.reshaped(to: [1, height, width, 1])
let originals = test.images(at: 0..<min(12, test.count))  // [12, height, width, 1]
let scores = withoutGradients { inference { model.logJoint(originals * isKnown, prior: prior, rows: height / 2) } }
let completions = (0..<4).map { _ in
  var predictor: any PixelPredictor = FeatureCache(model, .categorical(logits: scores, using: &sampling))
  return completed(originals * isKnown, known: known, from: &predictor, using: &sampling)
}
notebook.show(
  ImageGrid(
    concatenate([originals, originals * isKnown + (1 - isKnown) * 0.35] + completions, axis: 0),
    columns: originals.shape[0],
    rowLabels: ["\(measured) image", "what is known"] + (1...4).map { "completion \($0)" },
    scale: isLarge ? 2 : 8),
  named: "completions", caption: "Lower halves of the last four rows are drawn, class included, given the upper halves."
)

// %% [markdown]
// ## What to try next
//
// - Divide the scores by a temperature of 0.8 while sampling. What becomes of the judge's reading, and of the variety?
// - Train `MaskedStack` in place of the two stacks. How many bits does its blind spot cost?
// - Turn `known` round, so that the lower half is given. Why can this model not make use of it?
// - `--class 3 --resume` draws one class with the weights of the last run; `--full` trains on garments of 28×28 pixels.

// %%
notebook.finish(verdict: "\(measured) −log p(x)", data: isLarge ? "28×28 images" : "digits", picture: "samples")
