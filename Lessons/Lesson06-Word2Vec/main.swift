import LessonKit

// %% [markdown]
// # Word2Vec
//
// Can the meaning of words be learnt from their company alone? Mikolov and others,
// [Efficient Estimation of Word Representations](https://arxiv.org/abs/1301.3781) and
// [Distributed Representations of Words and Phrases](https://arxiv.org/abs/1310.4546) (2013), give each word a vector $w$ and each
// context word a vector $c$, and train them to tell a pair that occurred in a text from a word with one drawn at random:
//
// $$\log \sigma(w \cdot c) + \sum_{i=1}^{k} \mathbb{E}_{c'_i \sim p_{\mathrm{noise}}}[\log \sigma(-w \cdot c'_i)]$$
//
// What does that learn? Levy & Goldberg, *Neural Word Embedding as Implicit Matrix Factorization* (2014), answer exactly. Each pair has
// one number $w \cdot c$; it sees $\#(w,c)$ positives and $k\,\#(w)\,\#(c)/|D|$ negatives, and is best at the logarithm of their ratio:
//
// $$w \cdot c \;=\; \ln\frac{\#(w,c)\,|D|}{\#(w)\,\#(c)} - \ln k \;=\; \mathrm{PMI}(w,c) - \ln k$$

// %%
answerProbes(exercises, mistakes)  // `swift run course check` asks the functions of the model for values
let options = LessonOptions.fromCommandLine()
let notebook = LessonNotebook(lesson: "Lesson06-Word2Vec", title: "Word2Vec", options: options)

// %% [markdown]
// ## The model
//
// Two tables, and no layers. `swift run course start Word2Vec` empties what stands between the marks of an exercise.

// %%
notebook.source(of: Word2Vec.self)

// %% [markdown]
// ## Configuration
//
// Each purpose has its own stream of random numbers. The noise of the exact part is the contexts' own frequency, under which the optimum
// above holds; for the whole text it is the paper's, frequency to the power 0.75.

// %%
let negatives = 5
let fullSteps = options.choose(quick: 3000, standard: 6000, full: 12_000)
let rankSteps = options.choose(quick: 300, standard: 3000, full: 6000)
let sampledSteps = options.choose(quick: 300, standard: 6000, full: 20_000)
let (vocabulary, dimensions) = options.choose(quick: (500, 32), standard: (1500, 64), full: (4000, 100))
let passes = options.epochs ?? options.choose(quick: 4, standard: 12, full: 30)
let (window, batchSize, threshold) = (5, 4096, Float(1e-4))

var streams = Random(seed: options.seed)
var (initialization, training, sampling) = (streams.split(), streams.split(), streams.split())

// %% [markdown]
// ## A corpus where the optimum is known
//
// The King James Bible with all but its 24 commonest words struck out. Contexts reach two words to each side, within a chapter. Every one
// of the $24^2$ pairs occurs, so every PMI is finite.

// %%
func chapters(_ corpus: TextCorpus) -> [[String]] {
  corpus.train.components(separatedBy: "\n\n").map(Words.split)
}
let shipped = chapters(orStop { try .kingJames() })
let common = Words(of: shipped, most: 24)
var bag = SkipGrams()
for chapter in shipped { bag += skipGrams(common.tokens(chapter), window: 2) }
let counts = bag.counts(vocabulary: 24)  // [24, 24]
let exact = optimum(counts: counts, negatives: negatives)
let leastLoss = expectedLoss(scores: exact, counts: counts, negatives: negatives).scalar
notebook.print("the words: \(common.list.joined(separator: " "))")
notebook.print(
  "|D| = \(bag.centres.count) pairs, the rarest \(Int(counts.min().scalar)) times; PMI − ln k in "
    + "\(exact.min().scalar)…\(exact.max().scalar) nats; least loss \(leastLoss) nats/pair")

// %% [markdown]
// ## The expected loss, in full rank
//
// The counts give the loss over all pairs and all negatives without a draw. With as many dimensions as words, $W C^\top$ can be any matrix.

// %%
func fit(_ counts: Tensor, dimensions: Int, steps: Int) -> Word2Vec {
  let model = Word2Vec(vocabulary: 24, dimensions: dimensions, spread: 0.3, using: &initialization)
  var optimizer = Adam(model.parameters)
  let rate = Schedule.cosine(from: 0.05, steps: steps)
  for step in 1...steps {
    optimizer.learningRate = rate(step - 1)
    let loss = expectedLoss(scores: model.scores, counts: counts, negatives: negatives)
    notebook.progress(step, of: steps, loss: loss.scalar, detail: "\(dimensions) dimensions")
    optimizer.minimize(loss)
  }
  return model
}

let full = abs(fit(counts, dimensions: 24, steps: fullSteps).scores.detached() - exact)
notebook.measure("largest |w·c − (PMI − ln k)|, expected loss", full.max().scalar, unit: "nats", floor: 0)

// %% [markdown]
// ## By sampling, as in practice
//
// Pairs are drawn from the bag and negatives from the noise; the rate falls, and the parameters are averaged. What is left is the noise of
// the draws: a pair's error has a variance near 1/positives + 1/negatives, so that rare pairs err most.

// %%
let (centres, contexts) = (Tensor(IndexTensor(bag.centres)), Tensor(IndexTensor(bag.contexts)))
let unigram = Noise(counts.sum(axis: 0).scalars, power: 1)
let sampled = Word2Vec(vocabulary: 24, dimensions: 24, spread: 0.3, using: &initialization)
var sampledOptimizer = Adam(sampled.parameters)
var average = ExponentialMovingAverage(sampled.parameters, decay: 0.99)
let sampledRate = Schedule.cosine(from: 0.03, steps: sampledSteps)
for step in 1...sampledSteps {
  let places = IndexTensor(floor(Tensor.uniform([batchSize], using: &training) * Float(bag.centres.count)))
  let (w, c) = (centres.gathered(at: places, axis: 0), contexts.gathered(at: places, axis: 0))  // [batch]
  let noise = unigram.draw([batchSize, negatives], using: &training)  // [batch, k]
  let loss = sampled.loss(IndexTensor(w), IndexTensor(c), negatives: noise).mean()
  notebook.progress(step, of: sampledSteps, loss: loss.scalar, detail: "by sampling")
  sampledOptimizer.learningRate = sampledRate(step - 1)
  sampledOptimizer.minimize(loss)
  average.update()
}
let sampledScores = average.withAverages { sampled.scores.detached() }
let sampledErrors = abs(sampledScores - exact)
notebook.measure("mean |w·c − (PMI − ln k)|, by sampling", sampledErrors.mean().scalar, unit: "nats", floor: 0)
notebook.measure("largest |w·c − (PMI − ln k)|, by sampling", sampledErrors.max().scalar, unit: "nats", floor: 0)
notebook.show(
  ScatterPlot(
    stack([exact.reshaped(to: [-1]), sampledScores.reshaped(to: [-1])], axis: 1),
    values: log(counts.reshaped(to: [-1])), valueLabel: "ln #(w, c)",
    title: "Every pair: learnt by sampling, and exact",
    xLabel: "PMI − ln k (nats)", yLabel: "w·c (nats)", equalScales: true),
  named: "optimum", caption: "576 pairs of the 24 commonest words.")

// %% [markdown]
// ## Less than full rank
//
// In practice there are far fewer dimensions than words, and $W C^\top$ has their number as its rank. No matrix of rank $d$ can come nearer,
// in root mean square, than the singular values beyond the $d$-th allow (Eckart & Young, 1936): training stalls above that bound however
// long it goes on. The truncated SVD reaches the bound, but it weighs all pairs alike. What the *loss* asks for is another matrix of the
// same rank, near the optimum for frequent pairs.

// %%
let svd = singularValueDecomposition(exact)
let ranks = [2, 4, 8, 12, 16, 20, 24]
let table = ranks.map { rank -> [Double] in
  let scores = fit(counts, dimensions: rank, steps: rankSteps).scores.detached()
  let left = svd.left.sliced(0..<rank, axis: 1) * svd.values.sliced(0..<rank, axis: 0)  // [24, rank]
  let truncated = matmul(left, svd.right.sliced(0..<rank, axis: 0))
  let tail = square(svd.values).sum() - square(svd.values.sliced(0..<rank, axis: 0)).sum()
  let errors = abs(scores - exact)
  let losses = [scores, truncated].map { expectedLoss(scores: $0, counts: counts, negatives: negatives) - leastLoss }
  let row = [sqrt(square(errors).mean()), sqrt(relu(tail)) / 24, errors.mean(), errors.max()] + losses
  return row.map { Double($0.scalar) }
}
notebook.table(
  headers: ["rank", "root mean square", "its bound", "mean", "largest", "loss over the least", "the same, SVD"],
  rows: zip(ranks, table).map { [$0] + $1 }, caption: "errors in nats, losses in nats/pair")
notebook.measure("root mean square error at half the rank", table[3][0], unit: "nats", floor: table[3][1])
notebook.show(
  LinePlot(
    title: "How near a rank can come", xLabel: "dimensions", yLabel: "root mean square error (nats)",
    series: [
      Series("trained on the loss", x: ranks, y: table.map { $0[0] }),
      Series("Eckart–Young bound", x: ranks, y: table.map { $0[1] }),
    ]),
  named: "ranks")

// %% [markdown]
// ## Pairs that never occur
//
// Their best $w \cdot c$ is $-\infty$: nothing pulls it up, and every negative pushes it down, ever more weakly. Here the rarest pair is struck
// from the counts. Large vocabularies consist mostly of such pairs; few dimensions, few steps and the other pairs keep them finite.

// %%
let rarest = Int(counts.reshaped(to: [-1]).argmin(axis: 0).scalars[0])
let struck = counts * (counts .> counts.min())
notebook.table(
  headers: ["steps", "w·c of “\(common.list[rarest / 24])” and “\(common.list[rarest % 24])”"],
  rows: [1, 2, 4].map { times in
    [times * fullSteps / 4, fit(struck, dimensions: 24, steps: times * fullSteps / 4).scores.scalars[rarest]]
  }, caption: "with the pair, the optimum is \(exact.scalars[rarest])")

// %% [markdown]
// ## A real text
//
// Now the commonest words of the same text. What they are worth is judged by pairs of words that belong together, chosen before any
// training: how many have each other among the ten nearest, by the angle between their vectors? The text is read as the papers do: frequent words
// are thinned anew in each pass, and each chapter draws how far its contexts reach, from 1 to 5 words.

// %%
let texts = orStop { try options.data.map { chapters(try TextCorpus(folder: $0)) } ?? shipped }
let read = options.size == .quick ? Array(texts.prefix(200)) : texts
let words = Words(of: read, most: vocabulary)
let chapterTokens = read.map(words.tokens)
let subsampling = Subsampling(words.counts, threshold: threshold)

func onePass(using random: inout Random) -> SkipGrams {
  var bag = SkipGrams()
  for chapter in chapterTokens {
    let reach = Int.random(in: 1...window, using: &random)
    bag += skipGrams(subsampling(chapter, using: &random), window: reach)
  }
  return bag
}

let judged = wordPairs.filter { words[$0.0] != nil && words[$0.1] != nil }
struct TextError: Error, CustomStringConvertible { let description: String }
orStop {
  guard words.list.count > dimensions, judged.count >= 10 else {
    throw TextError(description: "--data: the text has \(words.list.count) words; give a longer English one")
  }
}
notebook.print(
  "\(chapterTokens.map(\.count).reduce(0, +)) running words of \(words.list.count), \(judged.count) pairs to judge by")

// %% [markdown]
// ## Training
//
// Batches of pairs in random order, each with its own negatives. The state is saved after each pass; `--resume` goes on from there.

// %%
let model = Word2Vec(vocabulary: words.list.count, dimensions: dimensions, spread: 0.1, using: &initialization)
let noise = Noise(words.counts, power: 0.75)
var optimizer = Adam(model.parameters)
var state = notebook.begin("vectors", model, &optimizer, options: options, random: training.split())
while state.epoch < passes {
  let bag = onePass(using: &state.random)
  let order = IndexTensor.permutation(bag.centres.count, using: &state.random)
  let (w, c) = (IndexTensor(bag.centres).gathered(rows: order), IndexTensor(bag.contexts).gathered(rows: order))
  let batches = bag.centres.count / batchSize
  for batch in 0..<batches {
    let range = batch * batchSize..<(batch + 1) * batchSize
    let drawn = noise.draw([batchSize, negatives], using: &state.random)  // [batch, k]
    let loss = model.loss(w.sliced(range, axis: 0), c.sliced(range, axis: 0), negatives: drawn).mean()
    notebook.progress(batch + 1, of: batches, loss: loss.scalar, detail: "pass \(state.epoch + 1) of \(passes)")
    let done = (Float(state.epoch) + Float(batch) / Float(batches)) / Float(passes)
    optimizer.learningRate = 0.01 * (1 - done)
    optimizer.minimize(loss)
  }
  state.epoch += 1
  notebook.save("vectors", state, model, optimizer)
}
let learnt = model.words.detached()  // [vocabulary, dimensions]

// %% [markdown]
// ## What the vectors are worth
//
// To compare with: chance, and counting. Levy & Goldberg's count-based vectors are the truncated eigenvectors of the positive PMI matrix,
// $\max(\mathrm{PMI}, 0)$, scaled by the roots of the eigenvalues: of the same rank, and from as many passes. Errors are over pairs.

// %%
func found(_ table: Tensor) -> Estimate {
  let hits = judged.flatMap { first, second -> [Float] in
    let (one, two) = (words[first]!, words[second]!)
    return [(one, two), (two, one)].map { from, to in
      nearest(to: from, in: table, count: 10).words.scalars.contains(Int32(to)) ? 1 : 0
    }
  }
  // The two directions of a pair are not independent, so that a pair is one observation.
  return Estimate(Tensor(hits, shape: [judged.count, 2]).mean(axis: 1) * 100)
}

var passCounts = Tensor.zeros([words.list.count, words.list.count])
for _ in 1...passes { passCounts += onePass(using: &sampling).counts(vocabulary: words.list.count) }
let positive = relu(optimum(counts: passCounts + 1e-6, negatives: 1))
let eigen = symmetricEigenvectors(positive)  // values ascending
let top = words.list.count - dimensions..<words.list.count
let counted = eigen.vectors.sliced(top, axis: 1) * sqrt(relu(eigen.values.sliced(top, axis: 0)))
notebook.measure(
  "word pairs among the ten nearest", found(learnt), unit: "%", baseline: 1000 / Float(words.list.count - 1),
  baselineName: "chance")
notebook.measure("the same by PPMI and eigenvectors", found(counted), unit: "%")

// %% [markdown]
// ## Nearest neighbours
//
// The last row is a warning: a word that stands nearly everywhere tells little of its company, and is thinned besides.

// %%
let named = ["king", "moses", "bread", "gold", "father", "seven", "sea", "sheep", "jerusalem", "eyes", "god"]
notebook.table(
  headers: ["word", "its nearest"],
  rows: named.filter { words[$0] != nil }.map { name in
    let near = nearest(to: words[name]!, in: learnt, count: 8).words.scalars
    return [name, near.map { words.list[Int($0)] }.joined(separator: ", ")]
  })

// %% [markdown]
// ## A map
//
// The first two principal components of the directions of words from six groups, listed before training. How often is the nearest other word of
// these one of its own group, in all dimensions and on the map?

// %%
let members = wordGroups.enumerated().flatMap { group, entry in
  entry.words.compactMap { word in words[word].map { (group: group, word: $0) } }
}
let rows = embedding(learnt, IndexTensor(members.map { Int32($0.word) }))  // [members, dimensions]
let directions = rows / sqrt(square(rows).sum(axis: 1, keepingAxes: true))
let centred = directions - directions.mean(axis: 0)
// [members, 2]
let map = matmul(centred, singularValueDecomposition(centred).right.sliced(0..<2, axis: 0), transposingSecond: true)

func ownGroup(_ points: Tensor) -> Estimate {
  let distances = square(points.reshaped(to: [members.count, 1, -1]) - points).sum(axis: 2)
  let itself = oneHot(IndexTensor(members.indices.map { Int32($0) }), classes: members.count) * 1e6
  let near = (distances + itself).argmin(axis: 1).scalars
  return Estimate(Tensor(zip(members, near).map { $0.group == members[Int($1)].group ? 100 : 0 }))
}

let inGroups = wordGroups.indices.map { group in members.filter { $0.group == group }.map { words.list[$0.word] } }
let couples = inGroups.map { $0.count * ($0.count - 1) }.reduce(0, +)
let chance = 100 * Float(couples) / Float(members.count * (members.count - 1))
for (name, points) in [("in all dimensions", directions), ("on the map", map)] {
  notebook.measure(
    "nearest of its own group, \(name)", ownGroup(points), unit: "%", baseline: chance, baselineName: "chance")
}
notebook.show(
  ScatterPlot(
    map, classes: members.map(\.group), classNames: wordGroups.map(\.name), title: "Words on a plane",
    xLabel: "first principal component", yLabel: "second principal component", equalScales: true
  ).named(members.map { words.list[$0.word] }),
  named: "map", caption: "By group: \(inGroups.map { $0.joined(separator: ", ") }.joined(separator: "; ")).")

// %% [markdown]
// ## For other programs
//
// `vectors.txt` is word2vec's text format, which gensim reads by `KeyedVectors.load_word2vec_format`.

// %%
let vectors = WordVectors(words.list, learnt)
let file = notebook.folder.appending(path: "vectors.txt")
orStop { try vectors.text.write(to: file, atomically: true, encoding: .utf8) }
let readBack = orStop { try WordVectors(text: String(contentsOf: file, encoding: .utf8)) }
notebook.print("vectors.txt: \(learnt.shape), the same when read: \(readBack?.table.scalars == learnt.scalars)")

// %% [markdown]
// ## What to try next
//
// - Train with $k = 1$ and $k = 15$ on the 24 words. Which is nearer its optimum after as many draws, and why?
// - Take the contexts' frequency for the noise of the large text (power 1). Which words change their neighbours?
// - Judge by $w + c$ in place of $w$, as others do. And by $w$ against $c$: what are a word's nearest *contexts*?
// - `swift run Lesson06-Word2Vec --full --data DIR` learns 100 dimensions for 4,000 words of your own texts.

// %%
notebook.finish(verdict: "word pairs among the ten nearest", data: "king-james", picture: "map")
