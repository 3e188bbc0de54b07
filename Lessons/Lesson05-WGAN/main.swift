import LessonKit

// %% [markdown]
// # Wasserstein GANs
//
// Where data and samples do not overlap, the discriminator of a GAN is certain, and its gradient tells the samples nothing. Arjovsky,
// Chintala & Bottou, [Wasserstein GAN](https://arxiv.org/abs/1701.07875) (2017), ask in its place how far the samples' mass must be carried
// to become the data's. That is also how high a *critic* $f$ whose slope is at most 1 can lift the data above the samples:
//
// $$W_1(p, q) \;=\; \max_{\|\nabla f\| \le 1} \; \mathbb{E}_{p}[f(x)] - \mathbb{E}_{q}[f(x)]$$
//
// How is a network kept from being too steep? By *clipping* its weights (the same paper), by a *gradient penalty* (Gulrajani et al.,
// [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028), 2017), or by dividing weights by their *spectral norm* (Miyato et
// al., [Spectral Normalization](https://arxiv.org/abs/1802.05957), 2018). None has a likelihood to check. But on the line $W_1$ is known,
// by sorting, and so are the best critic and the error that each answer makes.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson05-WGAN", title: "Wasserstein GANs", options: options)

// %%
notebook.source(of: WGAN.self)

// %% [markdown]
// ## Configuration

// %%
let lineSteps = options.choose(quick: 40, standard: 1500, full: 5000)
let lineCount = options.choose(quick: 2000, standard: 20_000, full: 20_000)
let hidden = options.choose(quick: [32, 32, 32], standard: [128, 128, 128], full: [512, 512, 512])
let (batchSize, latents) = (options.choose(quick: 64, standard: 256, full: 256), 2)
let criticSteps = options.choose(quick: 1, standard: 1, full: 5)
let stepsPerEpoch = options.choose(quick: 10, standard: 350, full: 1000)
let epochs = options.epochs ?? options.choose(quick: 6, standard: 12, full: 60)
let learningRate = options.choose(quick: Float(4e-3), standard: 4e-3, full: 1e-3)

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())
var (lineInitialization, lineTraining) = (streams.split(), streams.split())

// %% [markdown]
// ## What the penalty does to the estimate
//
// With distribution functions $F$, the critic's lead on the line is $\mathbb{E}_p f - \mathbb{E}_q f = \int f'\,g\,dx$, where $g = F_q - F_p$ is the
// mass that must cross $x$; slopes $\pm 1$ with the sign of $g$ make it $W_1 = \int |g|\,dx$. The penalty costs $\lambda \int r\,(|f'| - 1)^2 dx$, where
// $r$ is the density of its points $\hat x$. No $x$ minds another: the best slope at each, and the lead with it, are
//
// $$|f'| = 1 + \frac{|g|}{2\lambda r} \qquad\qquad \mathbb{E}_p f - \mathbb{E}_q f \;=\; W_1 + \frac{1}{2\lambda}\int \frac{g^2}{r}\,dx \;\ge\; W_1 + \frac{W_1^2}{2\lambda}$$
//
// by Cauchy and Schwarz, with equality where $r$ is proportional to $|g|$. A narrow bump *shifted* over a gap $W$ is such a case: all mass crosses the
// gap, $g = 1$, and points between are uniform on it, $r = 1/W$. So the slope is $1 + W/(2\lambda)$, and the bias $W^2/(2\lambda)$. In *every*
// case the mean slope over $\hat x$ is $\int r\,|f'|\,dx = 1 + W_1/(2\lambda)$: divided by it, the lead of a shift is exact.
//
// Two pairs of laws, of bumps of width 0.1: the *shift* from −1 to 1, and the *zigzag* from {−1, 1} to {−2, 0, 2}, where the slope changes its
// sign three times. $\lambda$ rises from 1 to its value in the middle third of training: the penalty has a hill at slope 0, and a large $\lambda$ from the start
// would freeze each sign as it was drawn.

// %%
let shift = LinePair(real: Bumps(centres: [1]), fake: Bumps(centres: [-1]))
let zigzag = LinePair(real: Bumps(centres: [-2, 0, 2]), fake: Bumps(centres: [-1, 1]))

func fit(to pair: LinePair, _ constraint: Constraint) -> Critic {
  let critic = Critic(inputs: 1, hidden: [64, 64], constraint, using: &lineInitialization)
  var optimizer = Adam(critic.parameters, beta1: 0.5, beta2: 0.9)
  let rate = Schedule.cosine(from: 3e-3, steps: lineSteps)
  for step in 0..<lineSteps {
    optimizer.learningRate = rate(step)
    let (real, fake) = (pair.real.samples(256, using: &lineTraining), pair.fake.samples(256, using: &lineTraining))
    let share = max(0, 3 * Float(step) / Float(lineSteps) - 1)
    let loss = critic.loss(.wasserstein, real: real, fake: fake, share: share, using: &lineTraining).loss
    notebook.progress(step + 1, of: lineSteps, loss: loss.scalar, detail: "\(constraint)")
    optimizer.minimize(loss)
    critic.clip()
  }
  return critic
}

/// f along the line, and the share of points between data and samples where its slope has the wrong sign, in percent.
func profile(_ critic: Critic, _ pair: LinePair) -> (values: [Float], wrong: Double) {
  let f = critic.judge(Tensor(pair.x.map { [Float($0)] })).score.scalars
  let wrong = (1..<f.count).filter { Double(f[$0] - f[$0 - 1]) * pair.crossing[$0] < 0 }
  return (f, 100 * wrong.reduce(0) { $0 + pair.between[$1] } * pair.cell)
}

/// How far a value is from what it should be, in percent.
func error(_ value: Float, _ truth: some BinaryFloatingPoint) -> Double { 100 * (Double(value) / Double(truth) - 1) }

let constraints: [Constraint] = [
  .penalty(1), .penalty(10), .penalty(100), .clipping(0.03), .clipping(0.1), .spectralNorm,
]
var (lineRows, critics): ([[Any]], [String: [Critic]]) = ([], [:])
for (law, pair) in [("shift", shift), ("zigzag", zigzag)] {
  let (x, y) = (pair.real.samples(lineCount, using: &testing), pair.fake.samples(lineCount, using: &testing))
  let between = y + Tensor.uniform([lineCount, 1], using: &testing) * (x - y)
  let truth = wasserstein1D(x.reshaped(to: [-1]), y.reshaped(to: [-1])).scalar
  for constraint in constraints {
    let critic = fit(to: pair, constraint)
    critics[law, default: []].append(critic)
    let lead = critic.judge(x).score.mean().scalar - critic.judge(y).score.mean().scalar
    let slope = critic.judge(between).steepness.mean().scalar
    var derived = [Double.nan, .nan]
    if case .penalty(let lambda) = constraint {
      derived = [pair.value(lambda: Double(lambda)), 1 + pair.distance / Double(2 * lambda)]
      notebook.measure("\(law), \(constraint): estimate off the derived value", error(lead, derived[0]), unit: "%")
    }
    if law == "shift", constraint == .penalty(100) {
      notebook.measure("shift, λ = 100: estimate off W1", error(lead, truth), unit: "%")
    }
    if law == "shift", constraint == .penalty(10) {
      notebook.measure("shift, λ = 10: estimate / mean slope off W1", error(lead / slope, truth), unit: "%")
    }
    let numbers = [truth, lead, Float(derived[0]), slope, Float(derived[1]), lead / slope]
    let wrong = String(format: "%.1f", profile(critic, pair).wrong)
    lineRows.append([law, "\(constraint)"] + numbers.map { $0.isNaN ? "" : String(format: "%.4f", $0) } + [wrong])
  }
}
notebook.table(
  headers: [
    "laws", "critic", "W1 by sorting", "estimate", "derived", "mean slope", "derived", "estimate / slope",
    "wrong sign (%)",
  ],
  rows: lineRows, caption: "\(lineCount) fresh points of each law; the penalty's values can be derived")

// %% [markdown]
// The penalty's bias on the shift is there as derived. On the zigzag it is, too, where training finds the best critic; a piece of slope with
// the wrong sign (last column) costs as much as it should have brought in, and the larger $\lambda$ is, the harder it is to turn. Clipping
// bounds the slope by a number that has nothing to do with 1: the estimate is $W_1$ times a factor that $c$, width and depth make. On the shift
// a division repairs that; on the zigzag it does not, since weights of $\pm c$ do not bend as they should. The spectral norm keeps to
// the bound, so that its estimate does not exceed $W_1$ by more than the power method's error; but a critic that turns needs several units, and
// the norm of their matrix is larger than the slope that they make together.

// %%
func steepness(_ pair: LinePair, _ critic: Critic) -> [Float] {
  critic.judge(Tensor(pair.x.map { [Float($0)] })).steepness.scalars
}
func centred(_ name: String, _ y: [Float]) -> Series {
  Series(name, x: zigzag.x, y: y.map { $0 - y[zigzag.x.count / 2] })
}
let best = zigzag.slopes(lambda: .infinity).reduce(into: [Float]()) {
  $0.append(($0.last ?? 0) + Float($1 * zigzag.cell))
}
notebook.show(
  Panels([
    LinePlot(
      title: "Shift: the slope under the penalty", xLabel: "x", yLabel: "slope of f",
      series: [1.0, 10].enumerated().flatMap { index, lambda in
        [
          Series("λ = \(Int(lambda)), derived", x: shift.x, y: shift.slopes(lambda: lambda)),
          Series("λ = \(Int(lambda)), learnt", x: shift.x, y: steepness(shift, critics["shift"]![index])),
        ]
      }, xRange: -0.9...0.9, yRange: 0.9...2.3),
    LinePlot(
      title: "Zigzag: critics", xLabel: "x", yLabel: "f(x) − f(0)",
      series: [centred("best of slope 1", best)]
        + [1, 4, 5].map { centred("\(constraints[$0])", profile(critics["zigzag"]![$0], zigzag).values) },
      xRange: -2.5...2.5),
  ]), named: "line",
  caption: "Left: between the bumps at −1 and 1. Right: data lie at −2, 0 and 2, samples at −1 and 1.")

// %% [markdown]
// ## 25 modes
//
// GridGaussians: 25 modes 2 apart, of standard deviation 0.05. A sample is *good* within 0.2 of a mode (of the data 99.97 % are), and a mode is
// *covered* by 1 % of all samples. Noise hangs together and the modes do not: samples on the way between two are the price. The first
// layer of the generator and of its critic is waves, $\sin(x\Omega + b)$, from which sharp functions are soon learnt. A small $\lambda = 0.25$ lets
// the critic change fast; that its slopes are above 1 is nothing to the generator, which goes where they point.
//
// Two games: Wasserstein with the penalty, and the hinge with spectral norms. The hinge compares $f$ with $\pm 1$, so that the critic's
// Lipschitz constant is no unit of measure any more but a size to choose: 3, by which points are multiplied first. That critic has no waves.

// %%
let law = GridGaussians()
let data = law.samples(1000, using: &testing)  // [1000, 2], to compare with
notebook.print("data [\(batchSize), 2]   noise [\(batchSize), \(latents)]   modes \(law.modes.shape)")

func coverage(_ samples: Tensor) -> ModeCoverage { ModeCoverage(of: samples, modes: law.modes, radius: 0.2) }
func judged(_ samples: Tensor) -> PrecisionAndRecall {
  PrecisionAndRecall(of: samples.sliced(0..<1000, axis: 0), against: data)
}
let plane = WarpedGrid.points(xRange: -5...5, yRange: -5...5, rows: 80, columns: 80)  // [6400, 2]

func train(_ objective: Objective, _ constraint: Constraint, frequency: Float?, scale: Float) -> (WGAN, TrainingState) {
  let model = WGAN(
    generator: Generator(latents: latents, hidden: hidden, frequency: 3, using: &initialization),
    critic: Critic(inputs: 2, hidden: hidden, frequency: frequency, constraint, scale: scale, using: &initialization))
  let (name, steps) = (objective.rawValue, epochs * stepsPerEpoch)
  var critic = Adam(model.critic.parameters, beta1: 0.5, beta2: 0.9)
  var generator = Adam(model.generator.parameters, beta1: 0.5, beta2: 0.9)
  var state = notebook.begin(name, model, &critic, &generator, options: options, random: training.split())
  let rate = Schedule.cosine(from: learningRate, steps: steps)
  while state.epoch < epochs {
    var total: Float = 0
    for _ in 0..<stepsPerEpoch {
      (critic.learningRate, generator.learningRate) = (rate(generator.step), rate(generator.step))
      for _ in 0..<criticSteps {
        let real = law.samples(batchSize, using: &state.random)  // [256, 2]
        let fake = model.generator.constants(batchSize, using: &state.random)
        let (loss, lead) = model.critic.loss(objective, real: real, fake: fake, using: &state.random)
        critic.minimize(loss)
        total += lead
      }
      let scores = model.critic(model.generator.samples(batchSize, using: &state.random))  // [256]
      let loss = objective(real: scores, fake: scores).generator
      notebook.progress(generator.step + 1, of: steps, loss: loss.scalar, detail: name)
      generator.minimize(loss)
    }
    let points = model.generator.constants(1000, using: &state.random)
    state.append(total / Float(criticSteps * stepsPerEpoch), to: "lead")
    state.append(Float(coverage(points).goodShare), to: "good")
    state.epoch += 1
    (state.history["points \(state.epoch)"], state.history["critic \(state.epoch)"]) = (
      points.scalars, model.critic.judge(plane).score.scalars
    )
    notebook.save(name, state, model, critic, generator)
  }
  return (model, state)
}

func show(_ state: TrainingState, _ epochs: [Int], named name: String, _ caption: String) {
  let panels = epochs.map { epoch in
    let points = Tensor(state.history["points \(epoch)"] ?? [], shape: [1000, 2])
    let (precision, recall) = (judged(points).precision.mean, judged(points).recall.mean)
    return HeatMap(
      Tensor(state.history["critic \(epoch)"] ?? [], shape: [80, 80]),
      title: String(format: "step %d: precision %.2f, recall %.2f", epoch * stepsPerEpoch, precision, recall),
      valueLabel: "f(x)",
      xRange: -5...5, yRange: -5...5, points: points.sliced(0..<300, axis: 0))
  }
  notebook.show(Panels(panels, columns: 3), named: name, caption: caption)
}

let (model, state) = train(.wasserstein, .penalty(0.25), frequency: 1.5, scale: 1)
notebook.parameters = model.parameterCount
show(
  state, Set((1...6).map { max(1, $0 * epochs / 6) }).sorted(), named: "training",
  "300 samples (white) over the critic's surface: they climb it to the modes.")
let (hinge, hingeState) = train(.hinge, .spectralNorm, frequency: nil, scale: 3)
show(
  hingeState, Set([1, (epochs + 1) / 2, epochs]).sorted(), named: "hinge",
  "The same under hinge and spectral norms, whose surface can bend less.")

// %% [markdown]
// The first paper's promise is a loss that means something: an estimate of how far the samples still are from the data. Here it is beside the
// share of samples that are not good.

// %%
let steps = (1...state.epoch).map { $0 * stepsPerEpoch }
notebook.show(
  LinePlot(
    title: "The critic's lead and the samples' quality", xLabel: "step", yLabel: "",
    series: [
      Series("lead, E f(data) − E f(samples)", x: steps, y: state.history["lead"] ?? []),
      Series("samples not good (share)", x: steps, y: (state.history["good"] ?? []).map { 1 - $0 }),
    ]), named: "lead",
  caption: "Wasserstein with the penalty; the lead is the mean over the steps of an epoch.")

// %% [markdown]
// Did the spectral norms keep what they promise? Training takes one step of the power method each time the critic is called. The singular
// value decomposition tells the norm that is left after division, and how good 100 steps from a random vector are.

// %%
var (worstStretch, worstNorm): (Float, Float) = (0, 0)
for layer in hinge.critic.network.layers.compactMap({ $0 as? SpectrallyNormalized }) {
  let (weight, used) = withoutGradients { inference { (layer.layer.weight, layer.normalizedWeight()) } }
  let sigma = singularValueDecomposition(weight).values.scalars[0]
  let start = unit(.normal([weight.shape[1], 1], using: &sampling))
  worstStretch = max(worstStretch, abs(singularValueDecomposition(used).values.scalars[0] - 1))
  worstNorm = max(worstNorm, abs(spectralNorm(of: weight.detached(), start: start, iterations: 100).scalar / sigma - 1))
}
let slopes = hinge.critic.judge(plane).steepness
notebook.measure(
  "steepest slope of the hinge's critic, of the \(Int(hinge.critic.scale)) it may have", slopes.max().scalar)
notebook.measure("largest error of 100 power iterations, against the SVD", 100 * worstNorm, unit: "%")
notebook.measure("largest error of a trained layer's norm, against 1", 100 * worstStretch, unit: "%")

// %% [markdown]
// They do; but a product of norms of 1 only *bounds* the slope. Above stands the slope that the layers make together: this critic is much
// flatter than it may be, as it was on the zigzag, and bends less.
//
// ## Results
//
// A game has no floor to fall to, and its end depends on the seed. Medians over seeds 1 to 5 at default size, with the range: the penalty covers
// 25 modes (23 to 25), and 74 % of its samples are good (72 to 76). In the pictures the others lie on the way between two modes: noise is
// in one piece. The hinge with spectral norms covers 1 (0 to 5) and has 3 % (1 to 15), hardly more than one Gaussian: in as many steps so flat a
// critic teaches next to nothing.

// %%
let gaussian = MultivariateNormal(
  mean: Tensor(law.mean.map(Float.init)).broadcast(to: [10_000, 2]),
  covariance: Tensor(law.covariance.map { $0.map(Float.init) }))
let sets = [
  ("penalty", model.generator.constants(10_000, using: &sampling)),
  ("hinge, spectral norm", hinge.generator.constants(10_000, using: &sampling)),
  ("one Gaussian", gaussian.sample(using: &sampling)), ("data", law.samples(10_000, using: &sampling)),
]
let baseline = coverage(sets[2].1).goodShare
for (name, samples) in sets.prefix(2) {
  let good = coverage(samples).goodShare
  notebook.measure(
    "good samples, \(name)", 100 * good, standardError: (good * (1 - good)).squareRoot(), unit: "%",
    floor: 100 - 100 * exp(-8.0), baseline: 100 * baseline, baselineName: "one Gaussian")
  notebook.measure("modes covered, \(name)", Double(coverage(samples).coveredModes()), unit: "of 25")
}
notebook.table(
  headers: ["samples of", "modes of 25", "good", "spread in a mode", "precision", "± s.e.", "recall", "± s.e."],
  rows: sets.map { name, samples in
    let (coverage, judgement) = (coverage(samples), judged(samples))
    return [
      name, coverage.coveredModes(), coverage.goodShare, coverage.spreads.sorted()[12], judgement.precision.mean,
      judgement.precision.standardError, judgement.recall.mean, judgement.recall.standardError,
    ]
  },
  caption:
    "10 000 samples; precision and recall of 1000 by 3 neighbours; the spread is the modes' median, with samples on the way"
)

// %% [markdown]
// ## What to try next
//
// - Start with the whole $\lambda = 100$ (`share: 1` in `fit`), and let the zigzag's critic begin several times: how often does each slope come out right?
// - Take the penalty only where the slope is above 1. What becomes of the bias, and what of slopes that have the wrong sign?
// - Pair data and samples by sorting both before they are mixed. Then $r$ is $|g|/W$ for every shift, however wide its bumps. Why?
// - Leave the generator's waves out, or the critic's: which of the two does it miss more? Give the hinge's critic a scale of 10, or 1.
// - `swift run Lesson05-WGAN --full` trains networks of the second paper's size, with five critic steps to each of the generator's.

// %%
notebook.finish(verdict: "good samples, penalty", data: "grid-gaussians", picture: "training")
