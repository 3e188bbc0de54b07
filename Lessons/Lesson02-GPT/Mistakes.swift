import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  attentionExercise.knownMistakes([
    Mistake("There is no mask: every time sees the later ones, whose tokens it is to predict.") {
      attended($0, $1, $2, ahead: .infinity)
    },
    Mistake("The mask is off by one: each time also sees the next, which is what it is to predict.") {
      attended($0, $1, $2, ahead: 1)
    },
    Mistake("The mask is off by one: each time must see itself too.") { attended($0, $1, $2, ahead: -1) },
    Mistake("The scores are not divided by √depth.") { attended($0, $1, $2, scale: 1) },
    Mistake("The scores are divided by depth: divide by its square root.") {
      attended($0, $1, $2, scale: 1 / Float($0.shape[3]))
    },
    Mistake("The weights are masked after the softmax: their rows no longer sum to 1.") { queries, keys, values in
      let weights = attended(queries, keys, values, ahead: .infinity).weights * allowed(queries, keys)
      return (matmul(weights, values), weights)
    },
    Mistake("Later scores are set to 0: e⁰ is not 0, so those times still count. Take away a huge number.") {
      queries, keys, values in
      let weights = softmax(scores(queries, keys) * allowed(queries, keys))
      return (matmul(weights, values), weights)
    },
    Mistake("The mask is turned round: each time sees itself and the later ones.") { queries, keys, values in
      let places = place(keys.shape[2])
      let own = ownPlaces(queries, keys)
      let weights = softmax(scores(queries, keys) - (places .< own) * 1e9)
      return (matmul(weights, values), weights)
    },
    Mistake("The softmax runs over the queries: it runs over the keys, the last axis.") { queries, keys, values in
      let weights = softmax(scores(queries, keys) - (1 - allowed(queries, keys)) * 1e9, axis: 2)
      return (matmul(weights, values), weights)
    },
  ]),
  mergeExercise.knownMistakes([
    Mistake("Only the first pair is merged: go on to the end of the tokens.") { tokens, first, second, token in
      replaced(tokens, first, second, token, most: 1)
    },
    Mistake("After a merge the second token is still there: go on by 2.") { tokens, first, second, token in
      tokens.indices.map { isPair(tokens, $0, first, second) ? token : tokens[$0] }
    },
    Mistake("Pairs are merged in either order: `first` must stand before `second`.") { tokens, first, second, token in
      replaced(tokens, first, second, token, orTurned: true)
    },
    Mistake("Pairs are merged from right to left: in a a a the first two belong together.") {
      Array(replaced($0.reversed(), $2, $1, $3).reversed())
    },
    Mistake("The last token is lost when it is not part of a pair.") { tokens, first, second, token in
      let result = replaced(tokens, first, second, token)
      return result.last == token ? result : result.dropLast()
    },
    Mistake("The pair is taken out, and nothing is put in its place.") { tokens, first, second, token in
      replaced(tokens, first, second, token).filter { $0 != token }
    },
  ]),
  surpriseExercise.knownMistakes([
    Mistake("Nothing is shifted: this asks how well the model knows the token that it has just read.") {
      -categoricalLogLikelihood($0, $1)
    },
    Mistake("The shift goes the wrong way: logits at time t are about the token at t + 1, not t − 1.") {
      -categoricalLogLikelihood(later($0), earlier($1))
    },
    Mistake("Both are cut at the same end, so nothing is shifted: leave out the last logits and the *first* token.") {
      -categoricalLogLikelihood(later($0), later($1))
    },
    Mistake("This is ln p: a surprise is −ln p.") { categoricalLogLikelihood(earlier($0), later($1)) },
    Mistake("The surprises are averaged: give one for each token but the first.") {
      -categoricalLogLikelihood(earlier($0), later($1)).mean(axis: 1)
    },
    Mistake("These are bits: nats need the natural logarithm.") {
      categoricalLogLikelihood(earlier($0), later($1)) / -log(Float(2))
    },
    Mistake("These are the logits with a minus sign: a logit is not yet a log-probability.") { logits, tokens in
      let chosen = oneHot(later(tokens), classes: logits.shape[2])
      return -(earlier(logits) * chosen).sum(axis: 2)
    },
  ]),
  cacheExercise.knownMistakes([
    Mistake("The cache is not kept: assign the longer keys and values to `cache`.") { layer, x, cache in
      var copy = cache
      return step(layer, x, &copy)
    },
    Mistake("The cache holds the newest times alone: earlier keys and values belong before them.") { layer, x, cache in
      let (_, keys, values) = layer.projected(x)
      defer { cache = KeyValueCache(keys: keys, values: values) }
      return step(layer, x, &cache)
    },
    Mistake("The cache is kept but not used: attend to all keys and values, not to the new ones alone.") {
      layer, x, cache in
      _ = step(layer, x, &cache)
      var empty = KeyValueCache()
      return step(layer, x, &empty)
    },
    Mistake("New keys and values stand before the earlier ones: they come after them.") { layer, x, cache in
      let (queries, keys, values) = layer.projected(x)
      cache.keys = cache.keys.map { concatenate([keys, $0], axis: 2) } ?? keys
      cache.values = cache.values.map { concatenate([values, $0], axis: 2) } ?? values
      return layer.joined(attended(queries, cache.keys ?? keys, cache.values ?? values).output)
    },
    Mistake("Keys are kept as values too: keep `values` in `cache.values`.") { layer, x, cache in
      let (queries, keys, _) = layer.projected(x)
      cache.keys = cache.keys.map { concatenate([$0, keys], axis: 2) } ?? keys
      cache.values = cache.keys
      return layer.joined(attended(queries, cache.keys ?? keys, cache.keys ?? keys).output)
    },
  ]),
]

private func place(_ count: Int) -> Tensor { Tensor((0..<count).map { Float($0) }) }

/// The queries' places among the keys, `[time, 1]`.
private func ownPlaces(_ queries: Tensor, _ keys: Tensor) -> Tensor {
  (place(queries.shape[2]) + Float(keys.shape[2] - queries.shape[2])).reshaped(to: [queries.shape[2], 1])
}

/// 1 where a query may see a key, `[time, keyTime]`.
private func allowed(_ queries: Tensor, _ keys: Tensor, ahead: Float = 0) -> Tensor {
  place(keys.shape[2]) .<= ownPlaces(queries, keys) + ahead
}

private func scores(_ queries: Tensor, _ keys: Tensor) -> Tensor {
  matmul(queries, keys.permuted([0, 1, 3, 2])) * (1 / Float(queries.shape[3]).squareRoot())
}

/// Attention as it should be but for how far ahead a query sees and how its scores are scaled.
private func attended(
  _ queries: Tensor, _ keys: Tensor, _ values: Tensor, ahead: Float = 0, scale: Float? = nil
) -> (output: Tensor, weights: Tensor) {
  var logits = scores(queries, keys)
  if let scale { logits = logits * Float(queries.shape[3]).squareRoot() * scale }
  let weights = softmax(logits + (allowed(queries, keys, ahead: ahead) - 1) * 1e9)
  return (matmul(weights, values), weights)
}

private func isPair(_ tokens: [Int32], _ index: Int, _ first: Int32, _ second: Int32) -> Bool {
  index + 1 < tokens.count && tokens[index] == first && tokens[index + 1] == second
}

/// The merge as it should be but for how many pairs are merged and in which orders.
private func replaced(
  _ tokens: [Int32], _ first: Int32, _ second: Int32, _ token: Int32, most: Int = .max, orTurned: Bool = false
) -> [Int32] {
  var rest = tokens[...]
  var result: [Int32] = []
  var merges = 0
  while let next = rest.first {
    let pair = Array(rest.prefix(2))
    let isPair = merges < most && (pair == [first, second] || orTurned && pair == [second, first])
    result.append(isPair ? token : next)
    rest = rest.dropFirst(isPair ? 2 : 1)
    merges += isPair ? 1 : 0
  }
  return result
}

private func earlier(_ x: Tensor) -> Tensor { x.sliced(0..<x.shape[1] - 1, axis: 1) }
private func later(_ x: Tensor) -> Tensor { x.sliced(1..<x.shape[1], axis: 1) }
private func earlier(_ x: IndexTensor) -> IndexTensor { x.sliced(0..<x.shape[1] - 1, axis: 1) }
private func later(_ x: IndexTensor) -> IndexTensor { x.sliced(1..<x.shape[1], axis: 1) }

/// The cached step as it should be, which no student's function takes part in.
private func step(_ layer: SelfAttention, _ x: Tensor, _ cache: inout KeyValueCache) -> Tensor {
  let (queries, keys, values) = layer.projected(x)
  cache.keys = cache.keys.map { concatenate([$0, keys], axis: 2) } ?? keys
  cache.values = cache.values.map { concatenate([$0, values], axis: 2) } ?? values
  return layer.joined(attended(queries, cache.keys ?? keys, cache.values ?? values).output)
}
