import LessonKit

// What a student writes: for each exercise its cases, which return values and never verdicts.

/// GPT.1 to GPT.4.
let exercises: [any ExerciseSpecification] = [attentionExercise, mergeExercise, surpriseExercise, cacheExercise]

let attentionExercise = Exercise(
  "GPT.1", "Causal attention", points: 4, implementation: causalAttention,
  hints: [
    "Three steps: scores = Q Kᵀ / √depth, `[batch, heads, time, keyTime]`; weights = softmax over the keys; output = weights · V.",
    "`matmul(queries, keys, transposingSecond: true)` multiplies the last two axes; depth is `queries.shape[3]`.",
    "Before the softmax take a huge number, such as 1e9, away from the scores of later keys: their weights become exactly 0.",
    "Queries are the last of the keys' times: query t stands at place keyTime − time + t, and sees its own place too.",
  ],
  cases: [
    attentionCase("one head", batch: 1, heads: 1, time: 4, keyTime: 4, depth: 2),
    attentionCase("several heads", batch: 2, heads: 3, time: 5, keyTime: 5, depth: 4),
    attentionCase("three times after two earlier ones", batch: 2, heads: 2, time: 3, keyTime: 5, depth: 3),
  ])

private func attentionCase(
  _ title: String, batch: Int, heads: Int, time: Int, keyTime: Int, depth: Int
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> (output: Tensor, weights: Tensor)> {
  ExerciseCase(title) { causalAttention, random in
    let queries = Tensor.normal([batch, heads, time, depth], using: &random) * 2
    let keys = Tensor.normal([batch, heads, keyTime, depth], using: &random)
    let values = Tensor.normal([batch, heads, keyTime, depth], using: &random)
    let result = causalAttention(queries, keys, values)
    let toKeys = gradient(at: keys) { square(causalAttention(queries, $0, values).output).sum() }
    return [
      "the output": result.output, "the weights": result.weights,
      "the gradient of Σ output² with respect to the keys": toKeys,
    ]
  }
}

let mergeExercise = Exercise(
  "GPT.2", "Merging a pair", points: 2, implementation: merged,
  hints: [
    "Walk from left to right with an index into `tokens`, and append to a result.",
    "If the token at the index is `first` and there is a next one that is `second`, append `token` and go on by 2, else by 1.",
    "In a a a the first two are merged and the third stays: pairs do not overlap.",
  ],
  cases: [
    mergeCase("short", pieces: 3), mergeCase("longer", pieces: 12), mergeCase("a long word", pieces: 40),
  ])

private func mergeCase(
  _ title: String, pieces: Int
) -> ExerciseCase<@MainActor ([Int32], Int32, Int32, Int32) -> [Int32]> {
  ExerciseCase(title) { merged, random in
    // All that can go wrong stands at the beginning: pairs, turned pairs, runs; what follows is drawn.
    var word: [Int32] = [1, 2, 3, 2, 1, 3, 1, 2, 1, 2, 2, 3]
    for _ in 0..<pieces { word += [[1, 2], [1], [2, 1], [3], [1, 1, 2]].randomElement(using: &random) ?? [] }
    let run: [Int32] = [3, 1, 1, 1, 3] + [Int32](repeating: 1, count: 2 * pieces + 1) + [2]
    func tensor(_ tokens: [Int32]) -> Tensor { Tensor(tokens.map { Float($0) }) }
    return [
      "1 2 merged into 300": tensor(merged(word + [1, 2, 3], 1, 2, 300)),
      "1 1 merged into 400": tensor(merged(run, 1, 1, 400)),
    ]
  }
}

let surpriseExercise = Exercise(
  "GPT.3", "Cross-entropy over a shifted sequence", points: 2, implementation: surprise,
  hints: [
    "The logits at time t are about the token at t + 1: leave out the last logits and the first token.",
    "`sliced(1..<time, axis: 1)` takes all times but the first, of tensors and of tokens.",
    "`categoricalLogLikelihood(logits, labels)` is ln p for each; a surprise is −ln p, `[batch, time − 1]`, not averaged.",
  ],
  cases: [
    surpriseCase("two tokens", batch: 1, time: 2, vocabulary: 4),
    surpriseCase("a batch", batch: 3, time: 6, vocabulary: 5),
    surpriseCase("a larger vocabulary", batch: 2, time: 9, vocabulary: 30),
  ])

private func surpriseCase(
  _ title: String, batch: Int, time: Int, vocabulary: Int
) -> ExerciseCase<@MainActor (Tensor, IndexTensor) -> Tensor> {
  ExerciseCase(title) { surprise, random in
    let logits = Tensor.normal([batch, time, vocabulary], using: &random) * 2
    // Each token differs from the one before, so that a missing shift shows.
    let steps = IndexTensor.categorical(logits: .zeros([batch, time, vocabulary - 1]), using: &random)
    var tokens: [Int32] = []
    for (index, step) in steps.scalars.enumerated() {
      tokens.append(index % time == 0 ? step : (tokens[index - 1] + 1 + step) % Int32(vocabulary))
    }
    let sequence = IndexTensor(tokens, shape: [batch, time])
    return [
      "the surprises": surprise(logits, sequence),
      "the gradient of their sum with respect to the logits": gradient(at: logits) { surprise($0, sequence).sum() },
    ]
  }
}

let cacheExercise = Exercise(
  "GPT.4", "One step with a cache", points: 3, implementation: cached, dependencies: ["GPT.1"],
  hints: [
    "`projected(x)` gives queries, keys and values of the new times alone; the earlier keys and values are in `cache`.",
    "Put the new keys after the earlier ones: `concatenate([earlier, new], axis: 2)`. Before the first time `cache.keys` is nil.",
    "Keep both in `cache`, then `joined(causalAttention(queries, keys, values).output)`: the queries are the new times' alone.",
  ],
  cases: [
    cacheCase("one step at a time", batch: 1, pieces: [1, 1, 1], width: 4, heads: 1),
    cacheCase("a prompt, then steps", batch: 2, pieces: [4, 1, 1], width: 6, heads: 2),
    cacheCase("pieces of several times", batch: 2, pieces: [3, 2, 4], width: 12, heads: 3),
  ])

private func cached(_ layer: SelfAttention, _ x: Tensor, cache: inout KeyValueCache) -> Tensor {
  layer(x, cache: &cache)
}

private func cacheCase(
  _ title: String, batch: Int, pieces: [Int], width: Int, heads: Int
) -> ExerciseCase<@MainActor (SelfAttention, Tensor, inout KeyValueCache) -> Tensor> {
  ExerciseCase(title) { cached, random in
    let layer = SelfAttention(width, heads: heads, scale: 1, using: &random)
    layer.projection.bias = .normal([3 * width], using: &random)
    let x = Tensor.normal([batch, pieces.reduce(0, +), width], using: &random) * 2
    var cache = KeyValueCache()
    let outputs = x.split(sizes: pieces, axis: 1).map { cached(layer, $0, &cache) }
    let nothing = Tensor.zeros([0])
    return [
      "the outputs of all pieces": concatenate(outputs, axis: 1), "the keys kept": cache.keys ?? nothing,
      "the values kept": cache.values ?? nothing,
    ]
  }
}
