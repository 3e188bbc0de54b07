import LessonKit

// %% [markdown]
// # The variational bound
//
// A model explains $x$ by causes $z$ that we do not see: $p(x) = \int p(x|z)\,p(z)\,dz$. In most models the integral is out of reach, and
// with it $\log p(x)$ and the posterior $p(z|x)$. Variational inference (Jordan, Ghahramani, Jaakkola & Saul,
// [An introduction to variational methods](https://doi.org/10.1023/A:1007665907178), 1999) puts a $q(z)$ of our choice in its place. For *any* $q$
//
// $$\log p(x) \;=\; \underbrace{\mathbb{E}_q[\log p(x, z) - \log q(z)]}_{\mathrm{ELBO}} \;+\; \mathrm{KL}(q(z)\,\|\,p(z|x))$$
//
// The KL is never negative, so the ELBO is a lower bound; to raise it by changing $q$ is to bring $q$ to the posterior. Every later
// lesson of this part trusts this line. Here it is checked, in models where each of its three terms has a closed form.

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions below for values
let options = LessonOptions.fromCommandLine()
options.refuseData()
let notebook = LessonNotebook(lesson: "Lesson04-VariationalBound", title: "The variational bound", options: options)

// %%
notebook.source(of: LinearModel.self)

// %% [markdown]
// ## Configuration

// %%
let draws = options.choose(quick: 10_000, standard: 10_000, full: 1_000_000)
let ascentSteps = options.choose(quick: 300, standard: 2000, full: 2000)
let epochs = options.epochs ?? options.choose(quick: 4, standard: 24, full: 48)
let stepsPerEpoch = 500
let testCount = 20_000

var streams = Random(seed: options.seed)
var (initialization, training, testing, sampling) = (streams.split(), streams.split(), streams.split(), streams.split())

/// A number to four decimals.
func four(_ value: Float) -> String { String(format: "%.4f", abs(value) < 5e-5 ? 0 : value) }

// %% [markdown]
// ## A Gaussian where all is known
//
// $z \sim \mathcal{N}(0, I)$ with two causes, $x = Wz + \varepsilon$ with two values. The columns of $W$ point almost the same way, so
// that both causes explain the same $x$, and the posterior's axes are strongly correlated.

// %%
let model = LinearModel(LinearGaussian(mean: [0, 0], weights: [[1.5, 1.2], [0.6, 1.0]], noise: [0.7, 0.7]))
let x = Tensor([[1.5, -0.5]])  // [1, 2]
let logP = model.law.logProbability(of: x).scalar
let (mean, covariance) = model.posterior(x)  // [1, 2], [2, 2]
let c = covariance.scalars
let correlation = c[1] / sqrt(c[0] * c[3])
notebook.print(
  "x \(x.shape)   log p(x) \(four(logP)) nats   posterior mean \(mean.scalars)   correlation \(four(correlation))")

// %% [markdown]
// ## The gap is a KL
//
// Five choices of $q$. The bound is computed from the model and $q$, the KL from Bayes' rule and $q$: neither knows of the other. The last
// columns estimate the bound from samples, $\log p(x, z) - \log q(z)$ with $z \sim q$. At the exact posterior that difference
// is the same for every $z$: the estimate has no error at all.

// %%
let precision = inverse(covariance).scalars
let diagonal = Tensor([[1 / precision[0], 0], [0, 1 / precision[3]]])
let choices: [(name: String, mean: Tensor, covariance: Tensor)] = [
  ("the prior", .zeros([1, 2]), model.identity),
  ("posterior, moved by 0.5", mean + 0.5, covariance),
  ("its variances, no correlation", mean, covariance * model.identity),
  ("best with independent axes", mean, diagonal),
  ("the posterior", mean, covariance),
]
var (rows, worstIdentity, worstDeviation): ([[Any]], Float, Float) = ([], 0, 0)
for q in choices {
  let bound = model.elbo(x, q.mean, q.covariance).scalar
  let divergence = gaussianKL(q.mean, q.covariance, mean, covariance).scalar
  let law = MultivariateNormal(mean: q.mean.broadcast(to: [draws, 2]), covariance: q.covariance)
  let z = law.sample(using: &sampling)  // [draws, 2]
  let sampled = Estimate(model.logJoint(x, z) - law.logProbability(of: z))
  // At the posterior there is no sampling error to compare with: rounding alone is left.
  if sampled.standardError > 1e-5 {
    worstDeviation = max(worstDeviation, abs(sampled.mean - bound) / sampled.standardError)
  }
  worstIdentity = max(worstIdentity, abs(logP - bound - divergence))
  rows.append([q.name, four(bound), four(logP - bound), four(divergence), four(sampled.mean), sampled.standardError])
}
notebook.table(
  headers: ["q", "ELBO", "log p(x) − ELBO", "KL", "sampled", "± s.e."], rows: rows,
  caption: "nats; \(draws) samples")
notebook.measure("largest |log p(x) − ELBO − KL|, Gaussian", worstIdentity, unit: "nats", floor: 0.0)
notebook.measure("largest deviation of the sampled bound", worstDeviation, unit: "standard errors")

// %% [markdown]
// ## A discrete cause
//
// The same line where $z$ is one of three components of a mixture, and $q$ a list of three probabilities: sums in place of integrals.

// %%
let logWeights = log(Tensor([0.5, 0.3, 0.2]))
let components = Normal(mean: Tensor([[-2], [0], [3]]), logScale: log(Tensor([[1], [0.5], [1.5]])))
let point: Float = 0.8
// ln p(x, z) for each z, [3]
let mixtureJoint = logWeights + components.logProbability(of: Tensor(repeating: point, shape: [3, 1]))
let mixtureLogP = mixtureJoint.logSumExp().scalar
let logResponsibilities = mixtureJoint - mixtureLogP  // ln p(z|x)
let laws: [(String, Tensor)] = [
  ("the prior", logWeights), ("uniform", .zeros([3])), ("nearly one component", Tensor([-4, 4, -4])),
  ("the posterior", logResponsibilities),
]
var worstDiscrete: Float = 0
let mixtureRows = laws.map { name, logits -> [Any] in
  let (bound, logQ) = (discreteBound(logits: logits, logJoint: mixtureJoint).scalar, logSoftmax(logits))
  let divergence = (exp(logQ) * (logQ - logResponsibilities)).sum().scalar
  worstDiscrete = max(worstDiscrete, abs(mixtureLogP - bound - divergence))
  return [name, four(bound), four(mixtureLogP - bound), four(divergence)]
}
notebook.table(
  headers: ["q", "ELBO", "log p(x) − ELBO", "KL(q ‖ posterior)"], rows: mixtureRows,
  caption: "nats; x = \(point), log p(x) = \(four(mixtureLogP))")
notebook.measure("largest |log p(x) − ELBO − KL|, mixture", worstDiscrete, unit: "nats", floor: 0.0)

// %% [markdown]
// ## The best q
//
// We climb the bound by its exact gradient, from the prior. A $q$ with a full covariance must arrive at the posterior. One with
// independent axes must arrive at the closed form: the posterior's mean, and variances $1/\Lambda_{jj}$ with $\Lambda$ the posterior's
// *precision*. They are smaller than the posterior's variances: $\mathrm{KL}(q\,\|\,p)$ punishes mass where the posterior has none. What it
// then leaves is $-\frac{1}{2}\ln(1-\rho^2)$ nats. The third climb has the exact gradient replaced by 16 samples of
// $z = m + L\varepsilon$, as one must where the bound has no closed form.

// %%
let diagonalGap = -0.5 * log(1 - correlation * correlation)

func climb(_ q: GaussianQ, samples: Int? = nil) -> [Float] {
  var gaps: [Float] = []
  var optimizer = Adam(q.parameters)
  for step in 1...ascentSteps {
    optimizer.learningRate = 0.03 * (1 - Float(step - 1) / Float(ascentSteps))
    let exact = model.elbo(x, q.mean, q.covariance).sum()
    var bound = exact
    if let samples {
      let (z, logQ) = q.sample(samples, using: &training)  // [samples, 2]
      bound = (model.logJoint(x, z) - logQ).mean()
    }
    notebook.progress(step, of: ascentSteps, loss: -exact.scalar, detail: "climbing")
    optimizer.minimize(-bound)
    gaps.append(max(1e-7, logP - exact.scalar))
  }
  return gaps
}

let full = GaussianQ(latents: 2, isDiagonal: false)
let (factored, noisy) = (GaussianQ(latents: 2, isDiagonal: true), GaussianQ(latents: 2, isDiagonal: true))
let climbs = [
  ("full covariance", climb(full)), ("independent axes", climb(factored)),
  ("independent axes, 16 samples", climb(noisy, samples: 16)),
]
var mixtureLogits = Tensor.zeros([3])  // one of three, from the uniform law
for _ in 0..<ascentSteps {
  let slope = gradient(at: mixtureLogits) { discreteBound(logits: $0, logJoint: mixtureJoint) }
  mixtureLogits = (mixtureLogits + slope).detached()
}
func error(_ q: GaussianQ, _ target: Tensor) -> Float {
  max(abs(q.mean - mean).max().scalar, abs(q.covariance - target).max().scalar)
}
let mixtureError = abs(softmax(mixtureLogits) - exp(logResponsibilities)).max().scalar
notebook.measure("full q: largest error of mean or covariance", error(full, covariance), floor: 0.0)
notebook.measure("q with independent axes: largest error of mean or variance", error(factored, diagonal), floor: 0.0)
notebook.measure("one of three: largest error of a probability", mixtureError, floor: 0.0)
notebook.measure("q with independent axes: gap", climbs[1].1.last!, unit: "nats", floor: diagonalGap)
notebook.show(
  LinePlot(
    title: "Climbing the bound", xLabel: "step", yLabel: "log p(x) − ELBO (nats)",
    series: climbs.map { Series($0.0, x: Array(1...ascentSteps), y: $0.1) },
    references: [ReferenceLine("least for independent axes", diagonalGap)], xRange: 0...300, yRange: 1e-5...10,
    logarithmicY: true),
  named: "climb",
  caption: "The full q closes the gap until rounding is left; independent axes keep the gap their family must have.")

let cells = 80
let ticks = (0..<cells).map { (Float($0) + 0.5) / Float(cells) * 4 - 2 }
let grid = Tensor(ticks.flatMap { b in ticks.map { a in [a, b] } }) + mean  // [cells², 2], around the posterior's mean
let density = exp(MultivariateNormal(mean: mean, covariance: covariance).logProbability(of: grid))
let ranges = mean.scalars.map { Double($0) - 2...Double($0) + 2 }
notebook.show(
  HeatMap(
    density.reshaped(to: [cells, cells]), title: "Posterior, and draws of the best independent q", xLabel: "z₁",
    yLabel: "z₂", valueLabel: "p(z|x)", xRange: ranges[0], yRange: ranges[1],
    points: withoutGradients { factored.sample(200, using: &sampling).z }), named: "posterior",
  caption: "Independent axes fit inside the posterior's ridge: the mean is right, the spread too small.")

// %% [markdown]
// ## Two ways to a gradient
//
// Where the bound can only be sampled, its gradient is an expectation as well, and there are two ways to write it:
//
// $$\nabla\,\mathbb{E}_q[f] = \mathbb{E}_\varepsilon[\nabla f(m + \sigma\varepsilon)] \qquad \nabla\,\mathbb{E}_q[f] = \mathbb{E}_q[f(z)\,\nabla \log q(z)]$$
//
// with $f = \log p(x, z) - \log q(z)$. The first, *reparameterised*, uses how $f$ changes; the second, the *score function*, its values alone, so
// that $z$ may be discrete. Both are unbiased: same draws, same means. Their variances are not the same. A *baseline* (here the bound)
// subtracted from $f$ leaves the score function's mean alone and takes out part of its variance.

// %%
notebook.source(of: GaussianQ.self)
let start = Tensor([[0.2, -0.3, -0.5, -0.2]])  // (m, ln σ) of a q with independent axes, away from the optimum
let many = start.broadcast(to: [draws, 4])
let noise = Tensor.normal([draws, 2], using: &sampling)
let z = start.sliced(0..<2, axis: 1) + exp(start.sliced(2..<4, axis: 1)) * noise  // [draws, 2]
func exactBound(_ parameters: Tensor) -> Tensor {
  let parts = parameters.split(sizes: [2, 2], axis: 1)
  return model.elbo(x, parts[0], model.identity * exp(parts[1] * 2)).sum()
}
let exact = gradient(at: start, of: exactBound).detached()
let logJoint = model.logJoint(x, z)
let estimators = withoutGradients {
  [
    ("reparameterised", reparameterizedGradients(many, noise: noise) { model.logJoint(x, $0) }),
    ("score function", scoreFunctionGradients(many, logJoint: logJoint, logQ: gaussianLogQ(z))),
    (
      "score function, baseline",
      scoreFunctionGradients(many, logJoint: logJoint, baseline: exactBound(start).scalar, logQ: gaussianLogQ(z))
    ),
  ]
}  // [draws, 4] each
func column(_ gradients: Tensor, _ j: Int) -> Tensor { gradients.sliced(j..<j + 1, axis: 1).reshaped(to: [-1]) }
var worst: Float = 0
let gradientRows = ["m₁", "m₂", "ln σ₁", "ln σ₂"].enumerated().flatMap { j, parameter in
  estimators.map { name, gradients -> [Any] in
    let (estimate, truth) = (Estimate(column(gradients, j)), exact.scalars[j])
    let difference = Estimate(column(gradients, j) - column(estimators[0].1, j))
    let apart = name == "reparameterised" ? 0 : abs(difference.mean) / difference.standardError
    worst = max(worst, apart, abs(estimate.mean - truth) / estimate.standardError)
    return [
      parameter, name, truth, estimate.mean, estimate.standardError, column(gradients, j).variance().scalar,
    ]
  }
}
notebook.table(
  headers: ["parameter", "estimator", "exact", "mean", "± s.e.", "variance of one draw"], rows: gradientRows,
  caption: "The bound's gradient from \(draws) draws, the same for all three")
let variances = estimators.map { $0.1.variance(axes: [0]).sum().scalar }
notebook.measure("largest deviation of means, from each other and the exact gradient", worst, unit: "standard errors")
notebook.measure("variance, score function over reparameterised", variances[1] / variances[0])
notebook.measure("variance, score function with baseline over reparameterised", variances[2] / variances[0])

// %% [markdown]
// For the mixture only the score function is there: a choice of one of three does not move a little when its probabilities do.

// %%
let start3 = Tensor([[0, 0.5, -0.5]])
let picks = IndexTensor.categorical(logits: start3.broadcast(to: [draws, 3]), using: &sampling)  // [draws]
let exact3 = gradient(at: start3) { discreteBound(logits: $0.reshaped(to: [3]), logJoint: mixtureJoint) }.scalars
let score3 = withoutGradients {
  scoreFunctionGradients(
    start3.broadcast(to: [draws, 3]), logJoint: (oneHot(picks, classes: 3) * mixtureJoint).sum(axis: 1),
    logQ: categoricalLogQ(picks))
}
notebook.table(
  headers: ["log-odds of", "exact", "score function", "± s.e."],
  rows: (0..<3).map { j in
    let estimate = Estimate(column(score3, j))
    return ["component \(j + 1)", exact3[j], estimate.mean, estimate.standardError]
  })

// %% [markdown]
// What makes the score function hopeless in practice is dimension. With $k$ independent copies of one cause, the gradient for the first
// copy's mean has the same reparameterised variance for all $k$: the others do not enter. In the score function $f$ sums over all copies,
// and so does its noise.

// %%
let dimensions = [1, 2, 4, 8, 16, 32, 64]
let byDimension = dimensions.map { k -> [Float] in
  func logJoint(_ z: Tensor) -> Tensor { (square(z - 1) * -2 - square(z) * 0.5).sum(axis: 1) }  // x = z + ½ε = 1
  let parameters = Tensor.zeros([draws, 2 * k]) - 0.5  // m = ln σ = −½
  let noise = Tensor.normal([draws, k], using: &sampling)
  let z = noise * exp(-0.5) - 0.5
  let (values, logQ) = (logJoint(z), gaussianLogQ(z))
  let baseline = (values - logQ(parameters)).mean().scalar
  return withoutGradients {
    [
      reparameterizedGradients(parameters, noise: noise, logJoint: logJoint),
      scoreFunctionGradients(parameters, logJoint: values, logQ: logQ),
      scoreFunctionGradients(parameters, logJoint: values, baseline: baseline, logQ: logQ),
    ].map { column($0, 0).variance().scalar }
  }
}
notebook.show(
  LinePlot(
    title: "Noise of a gradient against the number of causes", xLabel: "causes k", yLabel: "variance of one draw",
    series: estimators.indices.map { i in Series(estimators[i].0, x: dimensions, y: byDimension.map { $0[i] }) },
    logarithmicX: true, logarithmicY: true),
  named: "variance",
  caption: "For the mean of one cause: it grows like k², with the baseline like k, and reparameterised not at all.")

// %% [markdown]
// ## One q for all x, and the decoder too
//
// A VAE (`Lesson04-VAE`) does for many $x$ what we did for one: an encoder gives $q(z|x)$, and the model is learnt by the same bound. On the
// rotated law of that lesson, $x = (1, 2) + R_{45°}\,\mathrm{diag}(5, 1)\,\varepsilon$, its entropy 4.4473 nats is the floor. The learnt decoder is a linear
// Gaussian again, so its $\log p(x)$ and its gap are exact, too.

// %%
let law = LinearGaussian.rotated
let vae = LinearVAE(latents: 2, examples: law.samples(1000, using: &training), using: &initialization)
notebook.parameters = vae.parameterCount
var optimizer = Adam(vae.parameters)
var state = notebook.begin("linear-vae", vae, &optimizer, options: options, random: training.split())
let steps = epochs * stepsPerEpoch
while state.epoch < epochs {
  for _ in 0..<stepsPerEpoch {
    optimizer.learningRate = 0.02 * (1 - Float(optimizer.step) / Float(steps))
    let points = law.samples(256, using: &state.random)  // [256, 2]
    let loss = -vae.bound(points, using: &state.random).mean()
    notebook.progress(optimizer.step + 1, of: steps, loss: loss.scalar, detail: "VAE")
    optimizer.minimize(loss)
  }
  state.epoch += 1
  notebook.save("linear-vae", state, vae, optimizer)
}

let test = law.samples(testCount, using: &testing)  // [20000, 2]
let truth = law.logProbability(of: test)
let trueModel = LinearModel(law)
let inferred = trueModel.posterior(test)
let variancesOfX = [law.covariance[0][0], law.covariance[1][1]]
let baseline = variancesOfX.reduce(0) { $0 + 0.5 * log(2 * .pi * M_E * $1) }
let compared: [(String, bound: Tensor, logP: Tensor)] = [
  ("true model, q = prior", trueModel.elbo(test, .zeros([testCount, 1]), trueModel.identity), truth),
  ("true model, q = exact posterior", trueModel.elbo(test, inferred.mean, inferred.covariance), truth),
  ("linear VAE, learnt", vae.exactBound(test), vae.model.law.logProbability(of: test)),
]
// The exact log p(x) of the same points, whose mean is known to be −entropy, takes out most of the noise.
func negative(_ values: Tensor) -> Estimate { law.entropy + Estimate(truth - values) }
notebook.table(
  headers: ["model and q", "−ELBO", "± s.e.", "−log p(x)", "± s.e.", "gap"],
  rows: compared.map { name, bound, logP in
    let (loss, value) = (negative(bound), negative(logP))
    return [
      name, four(loss.mean), loss.standardError, four(value.mean), value.standardError,
      four((logP - bound).mean().scalar),
    ]
  }, caption: "nats/point on \(testCount) test points; floor \(four(Float(law.entropy)))")
notebook.measure(
  "test −ELBO, linear VAE", negative(compared[2].bound), unit: "nats/point", floor: law.entropy, baseline: baseline,
  baselineName: "independent axes, no causes")

// %% [markdown]
// ## What to try next
//
// - Turn the columns of $W$ at right angles. What becomes of the diagonal $q$'s gap, and why?
// - Leave out the path through $\log q$'s parameters in the reparameterised gradient (keep it through $z$; Roeder, Wu & Duvenaud 2017).
//   Evaluate it at the optimum: what is its variance there?
// - Minimise $\mathrm{KL}(p(z|x)\,\|\,q)$ over diagonal $q$ in place of the bound: which variances come out? (`Lesson04-WakeSleep` does this.)

// %%
notebook.finish(verdict: "test −ELBO, linear VAE", data: "linear-gaussian", picture: "climb")
