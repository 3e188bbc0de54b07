import ArgumentParser
import LessonKit

// %% [markdown]
// # PixelCNN
//
// How does one write down a probability for every image there is? Take the pixels in reading order and multiply
//
// $$p(x\,|\,h) = \prod_i p(x_i \,|\, x_1, \dots, x_{i-1}, h),$$
//
// each factor a softmax over the levels of one pixel, $h$ the image's class. Van den Oord, Kalchbrenner & Kavukcuoglu,
// [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759) (2016a), compute all factors at once by convolutions whose
// windows are masked, so that no pixel sees itself or what follows. Van den Oord and others,
// [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328) (2016b), found that such a stack is blind
// to part of what came before, and mended it with two stacks of gated units.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values

struct PixelCNNOptions: ParsableArguments {
  @Option(name: .customLong("class"), help: ArgumentHelp("Sample this class alone: 0 to 9.", valueName: "N"))
  var label: Int?
  @Flag(
    name: .customLong("validate"),
    help: "Measure on a fifth of the training images, held back, and leave the test images alone: for choosing settings.")
  var validates = false
  @OptionGroup var lesson: LessonOptions

  func validate() throws {
    guard let label, !(0...9).contains(label) else { return }
    throw ValidationError("--class \(label): there is no such class; the labels are 0 to 9.")
  }
}

let command = PixelCNNOptions.fromCommandLine()
let options = command.lesson
let notebook = LessonNotebook(lesson: "Lesson02-PixelCNN", title: "PixelCNN", options: options)

// %% [markdown]
// ## The model
//
// Masks, gated unit and the two stacks. In each layer the *vertical* stack reads the rows above, whole; the *horizontal* stack reads
// what stands left in the row, and what the vertical stack tells it. The class enters every gated unit as a bias, $V^T h$.

// %%
notebook.source(of: PixelCNN.self)

// %% [markdown]
// ## Configuration
//
// Settings of both models were chosen with `--validate`, which never looks at the test images.

// %%
let isLarge = options.size == .full || options.data != nil  // 28×28 pixels in place of 8×8
let (channels, layerCount) = (options.choose(quick: 16, standard: 40, full: 48), options.choose(quick: 5, standard: 5, full: 8))
let epochs = options.epochs ?? options.choose(quick: 3, standard: 22, full: 15)
let (batchSize, learningRate, dropoutRate) = (isLarge ? 16 : 50, Float(isLarge ? 2e-3 : 5e-3), Float(isLarge ? 0 : 0.2))
let madeEpochs = options.epochs ?? options.choose(quick: 10, standard: 80, full: 0)

var streams = Random(seed: options.seed)
var (initialization, training, sampling, probing) = (streams.split(), streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## The blind spot
//
// Which pixels can one output see? The gradient of its scores with respect to every pixel of the image tells: where the path is cut
// it is exactly zero, whatever the weights. Here both models are new, with 3×3 windows and random weights. In the one stack of
// 2016a a step upwards moves the view right by at most one column, so that a wedge above and to the right stays out of sight however
// many layers there are. The vertical stack of 2016b widens by a whole window with each row.

// %%
let (canvas, eye) = (13, (row: 9, column: 5))
let plain = MaskedStack(channels: 16, layers: 11, firstSize: 3, levels: 4, using: &probing)
let twoStacks = PixelCNN(
  height: canvas, width: canvas, levels: 4, classes: 1, channels: 16, layers: 12, firstSize: 3, using: &probing)
let fields = [
  receptiveField(row: eye.row, column: eye.column, height: canvas, width: canvas, using: &probing) { plain($0) },
  receptiveField(row: eye.row, column: eye.column, height: canvas, width: canvas, using: &probing) { x in
    twoStacks(x, IndexTensor([Int32](repeating: 0, count: x.shape[0])))
  },
]
let before = eye.row * canvas + eye.column
for (name, field) in zip(["one masked stack", "two gated stacks"], fields) {
  let (seen, ahead) = (field.scalars[..<before].count { $0 > 0 }, field.scalars[before...].count { $0 > 0 })
  notebook.print("\(name): sees \(seen) of the \(before) pixels before it, and \(ahead) of the others")
}
notebook.show(
  Panels(
    zip(["One masked stack (2016a)", "Two gated stacks (2016b)"], fields).map { title, field in
      // The fourth root shows far pixels beside near ones.
      ReceptiveFieldMap(
        power(field / field.max(), 0.25), row: eye.row, column: eye.column, title: title,
        valueLabel: "(gradient / largest)^¼")
    }), named: "blind-spot",
  caption: "What the output at the disc sees. Grey: nothing reaches it. Left, the wedge above right is the blind spot.")

// %% [markdown]
// ## Data
//
// Handwritten digits, 8×8 pixels of 17 levels (`--full`: Fashion-MNIST, 28×28 of 256). The network reads levels as numbers in 0…1
// and predicts them as classes.

// %%
let (allTrain, allTest) = orStop { () -> (LabelledImages, LabelledImages) in
  if let folder = options.data {
    let data = try FashionMNIST(folder: folder)
    return (data.train, data.test)
  }
  if isLarge {
    let data = try FashionMNIST()
    return (data.train, data.test)
  }
  let data = try Digits()
  return (data.train, data.test)
}
let limit = options.choose(quick: isLarge ? 64 : 300, standard: isLarge ? 600 : .max, full: .max)
var (train, test) = (allTrain.prefix(limit), allTest.prefix(limit))
if command.validates {
  var splitting = Random(seed: 2016)  // the same whatever --seed, so that settings are compared on the same images
  let parts = train.partitioned(test: train.count / 5, using: &splitting)
  (train, test) = (parts.training, parts.test)
}
let (height, width, levels) = (train.height, train.width, train.levels)
let (measured, bits) = (command.validates ? "validation" : "test", 1 / (Float(height * width) * log(2)))
let testImages = test.images(at: test.indices)  // [count, height, width, 1]
let counts = (0..<10).map { label in Float(train.labels.scalars.count { $0 == label }) }
let prior = counts.map { ($0 + 1) / Float(train.count + 10) }
notebook.print(
  "train [\(train.count), \(height), \(width), 1]   \(measured) [\(test.count), \(height), \(width), 1]   \(levels) levels")

// %% [markdown]
// ## Training
//
// The loss is $-\log_2 p(x|h)$ per pixel, in bits per dimension. Digits are few, so all is done that keeps a model from learning them
// by heart: dropout, weight decay, a learning rate that falls to zero, and an average of the weights over the last steps, which is
// what is used afterwards. The state is saved after each epoch; `--resume` goes on from there.

// %%
func fit(_ name: String, _ model: some ConditionalModel, epochs: Int, rate: Float, weightDecay: Float) -> [Float] {
  var optimizer = AdamW(model.parameters, learningRate: rate, weightDecay: weightDecay)
  var average = ExponentialMovingAverage(model.parameters)
  let name = command.validates ? name + "-validation" : name
  var state = notebook.begin(name, model, &optimizer, &average, options: options, random: training.split())
  let steps = epochs * ((train.count + batchSize - 1) / batchSize)
  let schedule = Schedule.cosine(from: rate, steps: steps)
  while state.epoch < epochs {
    var total: Float = 0
    for batch in train.batches(ofSize: batchSize, shuffledUsing: &state.random) {
      let (x, labels) = (train.images(at: batch), train.labels(at: batch))
      let loss = -model.pixelLogProbabilities(x, labels).mean() / log(2)
      notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "\(name), bits/dim")
      optimizer.learningRate = schedule(optimizer.step)
      optimizer.minimize(loss, clippingToNorm: 1)
      average.decay = min(0.99, Float(1 + optimizer.step) / Float(10 + optimizer.step))
      average.update()
      total += loss.scalar * Float(batch.count)
    }
    state.append(total / Float(train.count), to: "train")
    state.epoch += 1
    notebook.save(name, state, model, optimizer, average)
  }
  let averaged = average.withAverages { Checkpoint(of: model) }
  orStop { try averaged.restore(model) }
  return state.history["train"] ?? []
}

let model = PixelCNN(
  height: height, width: width, levels: levels, classes: 10, channels: channels, layers: layerCount,
  size: isLarge ? 5 : 3, dropout: dropoutRate, using: &initialization)
notebook.parameters = model.parameterCount
let losses = fit("pixelcnn", model, epochs: epochs, rate: learningRate, weightDecay: 0.01)

// %% [markdown]
// ## Results
//
// Both models know the class while they learn, but an image comes without it. The measured $p(x)$ is exact all the same: the sum of
// $p(h)\,p(x|h)$ over the ten classes, whose terms also say how likely each class is, so that the model classifies.
//
// The model to compare with is a MADE: the same equation, the same softmax, the same conditioning, dropout and averaging, on the same
// images. Its masked layers connect every pixel with every later one and must learn each place anew; a convolution learns once
// what a stroke looks like, for all places. (There is no MADE of 28×28 pixels at 256 levels: its last layer would not fit.)

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
let independent =
  Categorical(logits: frequencies).elementwiseLogProbability(of: test.levels(at: test.indices)).sum(axes: [1, 2]) * -bits

let joint = evaluated(model)
let bitsPerDimension = joint.logSumExp(axis: 1) * -bits
let accuracy = Estimate(Tensor(zip(joint.argmax(axis: 1).scalars, test.labels.scalars).map { $0 == $1 ? 1 : 0 }))
if isLarge {
  notebook.measure(
    "\(measured) −log p(x)", Estimate(bitsPerDimension), unit: "bits/dim", baseline: independent.mean().scalar,
    baselineName: "independent pixels")
} else {
  let made = MADE(pixels: height * width, levels: levels, classes: 10, hidden: 500, dropout: 0.5, using: &initialization)
  _ = fit("made", made, epochs: madeEpochs, rate: 2e-3, weightDecay: 0.1)
  let madeBits = evaluated(made).logSumExp(axis: 1) * -bits
  notebook.measure(
    "\(measured) −log p(x)", Estimate(bitsPerDimension), unit: "bits/dim", baseline: madeBits.mean().scalar,
    baselineName: "MADE")
  notebook.measure("MADE", Estimate(madeBits), unit: "bits/dim", baseline: independent.mean().scalar, baselineName: "independent pixels")
  notebook.measure("gain over MADE, image by image", Estimate(madeBits - bitsPerDimension), unit: "bits/dim")
}
notebook.measure("classified by p(class|x)", 100 * accuracy.mean, standardError: 100 * accuracy.standardError, unit: "%")
notebook.measure("last training loss, with dropout", losses.last ?? .nan, unit: "bits/dim")

// %% [markdown]
// ## What sampling costs
//
// Pixel $i$ is drawn from scores that need pixels $1 \dots i-1$, so an image of $n$ pixels takes $n$ steps one after the other. Naively each step is
// a pass over the whole image: $n^2$ places are computed, 4,096 for 64 pixels and 614,656 for 784, though only $n$ are ever new. A feature
// never changes once the pixels that it reads are drawn. So the vertical stack is computed a row at a time, when the row above is
// finished, and the horizontal stack a pixel at a time, and both are kept: $n$ places. Same random numbers, same images.

// %%
notebook.source(of: FeatureCache.self)

// %%
func timed<Value>(_ body: () -> Value) -> (Value, seconds: Double) {
  let start = Date()
  let value = body()
  return (value, Date().timeIntervalSince(start))
}

let trial = options.choose(quick: 4, standard: 30, full: 1)
let trialLabels = IndexTensor((0..<trial).map { Int32($0 % 10) })
var full: any PixelPredictor = FullPass(model: model, labels: trialLabels)
var cache: any PixelPredictor = FeatureCache(model, trialLabels)
var (first, second) = (sampling, sampling)
let (slow, slowSeconds) = timed { sample(trial, from: &full, using: &first) }
let (fast, fastSeconds) = timed { sample(trial, from: &cache, using: &second) }
let unequal = abs(slow - fast).max(axes: [1, 2, 3]).scalars.count { $0 > 0 }
notebook.table(
  headers: ["sampler", "passes over places", "ms/image"],
  rows: [
    ["whole image for each pixel", height * width * height * width, 1000 * slowSeconds / Double(trial)],
    ["features kept", height * width, 1000 * fastSeconds / Double(trial)],
  ], caption: "\(trial) images at once; \(unequal) of them differ between the two")
notebook.print("keeping features is \(Int((slowSeconds / fastSeconds).rounded())) times as fast")

// %% [markdown]
// ## Samples by class
//
// The judge is the project's own classifier, trained on the training images alone: how often does it read in a sample the
// class that the sample was asked for? By chance, 10 %.

// %%
let classes = command.label.map { [$0] } ?? Array(0..<10)
let perClass = options.choose(quick: 5, standard: 1000 / classes.count, full: 10)
let asked = IndexTensor(classes.flatMap { [Int32](repeating: Int32($0), count: perClass) })
var predictor: any PixelPredictor = FeatureCache(model, asked)
let samples = sample(asked.count, from: &predictor, using: &sampling)  // [count, height, width, 1]
let judge = orStop { try isLarge ? ImageClassifier.fashionMNIST() : ImageClassifier.digits() }
let (judged, reading) = (judge.agreement(samples, asked), judge.agreement(testImages, test.labels))
notebook.measure(
  "samples read as the class asked for", 100 * judged.mean, standardError: 100 * judged.standardError, unit: "%",
  baseline: 10, baselineName: "chance")
notebook.print("the judge reads \(100 * reading.mean) % of the \(measured) images right")

let shown = min(perClass, classes.count == 1 ? 64 : 10)
let examples = classes.flatMap { label in
  test.indices.filter { test.labels.scalars[$0] == label }.prefix(shown)
}
let drawn = (0..<classes.count).map { $0 * perClass }
notebook.show(
  Panels([
    ImageGrid(
      test.images(at: examples), columns: classes.count == 1 ? 8 : shown, title: "Images of the data",
      rowLabels: classes.count == 1 ? [] : classes.map(String.init), scale: isLarge ? 2 : 8),
    ImageGrid(
      concatenate(drawn.map { samples.sliced($0..<$0 + shown, axis: 0) }, axis: 0), columns: classes.count == 1 ? 8 : shown,
      title: "Samples of the model", scale: isLarge ? 2 : 8),
  ]), named: "samples", caption: "Left \(measured) images, right samples, not chosen; a row asks for one class.")

// %% [markdown]
// ## Half an image
//
// The upper half of a test image is known, the rest is drawn. The class is not told: $p(h\,|\,\mathrm{upper\ half})$ follows from the same
// products, cut after half the rows, and each completion first draws its class from it. Where the upper half leaves open what
// it is, completions differ.

// %%
let (half, tries) = (height / 2, 4)
let known = Tensor((0..<height).map { row in [Float](repeating: row < half ? 1 : 0, count: width) })
let originals = test.images(at: 0..<min(12, test.count))  // [12, height, width, 1]
let given = originals * known.reshaped(to: [1, height, width, 1])
let readings = withoutGradients { inference { model.logJoint(given, prior: prior, rows: half) } }  // [12, classes]
var rows = [originals, originals * known.reshaped(to: [1, height, width, 1]) + 0.35 * (1 - known.reshaped(to: [1, height, width, 1]))]
for _ in 0..<tries {
  var predictor: any PixelPredictor = FeatureCache(model, .categorical(logits: readings, using: &sampling))
  rows.append(completed(given, known: known, from: &predictor, using: &sampling))
}
notebook.show(
  ImageGrid(
    concatenate(rows, axis: 0), columns: originals.shape[0],
    rowLabels: ["\(measured) image", "what is known"] + (1...tries).map { "completion \($0)" }, scale: isLarge ? 2 : 8),
  named: "completions", caption: "The lower halves of rows 3 to 6 are drawn, class included, given the upper halves.")

// %% [markdown]
// ## What to try next
//
// - Sample with scores divided by a temperature of 0.8. What do the judge's reading and the variety of the samples do?
// - Train `MaskedStack` in place of the two stacks. How many bits does its blind spot cost?
// - Let completions begin at the lower half, with `known` turned round. Why can this model not use what lies below?
// - `--class 3 --resume` draws one class from the weights of the last run; `--full` trains on garments of 28×28 pixels.

// %%
notebook.finish(verdict: "\(measured) −log p(x)", data: isLarge ? "28×28 images" : "digits", picture: "samples")
