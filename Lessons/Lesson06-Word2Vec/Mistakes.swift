import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  pairExercise.knownMistakes([
    Mistake("Each place is paired with itself: leave out distance 0.") { text, window in
      pairs(text) { abs($1 - $0) <= window }
    },
    Mistake("Only what comes after a word is taken: the context has both sides.") { text, window in
      pairs(text) { $1 > $0 && $1 - $0 <= window }
    },
    Mistake("Only what comes before a word is taken: the context has both sides.") { text, window in
      pairs(text) { $1 < $0 && $0 - $1 <= window }
    },
    Mistake("The window is one too wide: `window` places on each side.") { text, window in
      // Where there is no place so far away, the ends must still meet for the answer to differ.
      text.count > window + 1
        ? pairs(text) { $1 != $0 && abs($1 - $0) <= window + 1 }
        : pairs(text) { $1 != $0 } + pairs(text) { $1 == ($0 + 1) % text.count }
    },
    Mistake("The text is closed to a ring: at the ends a context is shorter.") { text, window in
      var bag = SkipGrams()
      for place in text.indices {
        for step in (-window...window) where step != 0 {
          bag.append(text[place], text[((place + step) % text.count + text.count) % text.count])
        }
      }
      return bag
    },
  ]),
  lossExercise.knownMistakes([
    Mistake("This is the objective, which is maximised: the loss is minus that.") { exactLoss($0, $1, $2) * -1 },
    Mistake("The negatives have the sign of the observed pair: their scores enter as −w·c′.") { word, context, drawn in
      -logSigmoid(dot(word, context)) - logSigmoid(dots(word, drawn)).sum(axis: 1)
    },
    Mistake("The k negatives are averaged: the formula has their sum.") { word, context, drawn in
      -logSigmoid(dot(word, context)) - logSigmoid(-dots(word, drawn)).mean(axis: 1)
    },
    Mistake("The negatives are missing: without them all scores grow for ever.") { word, context, _ in
      -logSigmoid(dot(word, context))
    },
    Mistake("The scores of the negatives are added up before the sigmoid: each has a term of its own.") {
      word, context, drawn in
      -logSigmoid(dot(word, context)) - logSigmoid(-dots(word, drawn).sum(axis: 1))
    },
    Mistake("The negatives are compared with the context word: it is the centre word that all scores share.") {
      word, context, drawn in
      -logSigmoid(dot(word, context)) - logSigmoid(-dots(context, drawn)).sum(axis: 1)
    },
    Mistake("These are scores without logSigmoid: the loss of a pair is −ln σ of its score.") { word, context, drawn in
      dots(word, drawn).sum(axis: 1) - dot(word, context)
    },
  ]),
  optimumExercise.knownMistakes([
    Mistake("This is the PMI: ln k must be subtracted.") { pmi($0) + Float(0 * $1) },
    Mistake("ln k is added: more negatives push every score down.") { pmi($0) + log(Float($1)) },
    Mistake("k itself is subtracted: it is ln k.") { pmi($0) - Float($1) },
    Mistake("The words' frequencies are taken for the contexts', and the other way round.") { counts, k in
      let turned = counts / counts.sum()
      let (first, second) = (turned.sum(axis: 0), turned.sum(axis: 1))
      // Where the numbers of words and contexts differ, only one of the two can take part.
      guard counts.shape[0] == counts.shape[1] else { return log(turned) - log(first) * 2 - log(Float(k)) }
      return log(turned) - log(first.reshaped(to: [-1, 1])) - log(second) - log(Float(k))
    },
    Mistake("The number of pairs is forgotten: counts must become probabilities, or |D| stand in the numerator.") {
      counts, k in pmi(counts) - log(counts.sum()) - log(Float(k))
    },
    Mistake("The contexts' frequency is missing: this is ln p(c|w) − ln k.") { counts, k in
      log(counts / counts.sum(axis: 1, keepingAxes: true)) - log(Float(k))
    },
  ]),
  neighbourExercise.knownMistakes([
    Mistake("The word is its own nearest neighbour: leave it out.") { word, table, count in
      ranked(cosines(word, table), count)
    },
    Mistake("These are dot products: divide by both lengths, or long vectors win.") { word, table, count in
      ranked(without(word, dot(table, table.sliced(word..<word + 1, axis: 0)), -1e6), count)
    },
    Mistake("These are the farthest words: the largest cosines come first.") { word, table, count in
      let farthest = ranked(without(word, cosines(word, table), 2) * -1, count)
      return Neighbours(words: farthest.words, cosines: -farthest.cosines)
    },
    Mistake("The cosines have the wrong sign: sorting by −cosine is right, but what is returned is the cosine.") {
      word, table, count in
      let nearest = ranked(without(word, cosines(word, table), -2), count)
      return Neighbours(words: nearest.words, cosines: nearest.cosines * -1)
    },
    Mistake("The first neighbour is missing: once the word itself is left out, nothing else may be.") {
      word, table, count in
      let more = ranked(without(word, cosines(word, table), -2), count + 1)
      return Neighbours(
        words: more.words.sliced(1..<count + 1, axis: 0), cosines: more.cosines.sliced(1..<count + 1, axis: 0))
    },
    Mistake("Only the word's own length is divided by: each other vector has a length of its own.") {
      word, table, count in
      let own = table.sliced(word..<word + 1, axis: 0)
      return ranked(without(word, dot(table, own) / sqrt(square(own).sum()), -1e6), count)
    },
  ]),
]

extension SkipGrams {
  fileprivate mutating func append(_ centre: Int32, _ context: Int32) {
    centres.append(centre)
    contexts.append(context)
  }

  fileprivate static func + (one: SkipGrams, other: SkipGrams) -> SkipGrams {
    SkipGrams(centres: one.centres + other.centres, contexts: one.contexts + other.contexts)
  }
}

/// The pairs of places (i, j) that a rule allows.
private func pairs(_ text: [Int32], _ isPair: (Int, Int) -> Bool) -> SkipGrams {
  var bag = SkipGrams()
  for i in text.indices {
    for j in text.indices where isPair(i, j) { bag.append(text[i], text[j]) }
  }
  return bag
}

private func dot(_ a: Tensor, _ b: Tensor) -> Tensor { (a * b).sum(axis: 1) }
private func dots(_ word: Tensor, _ drawn: Tensor) -> Tensor {
  matmul(drawn, word.reshaped(to: word.shape + [1])).sum(axis: 2)
}

/// The loss as it should be, which no student's function takes part in.
private func exactLoss(_ word: Tensor, _ context: Tensor, _ drawn: Tensor) -> Tensor {
  -logSigmoid(dot(word, context)) - logSigmoid(-dots(word, drawn)).sum(axis: 1)
}

private func pmi(_ counts: Tensor) -> Tensor {
  log(counts * counts.sum() / counts.sum(axis: 1, keepingAxes: true) / counts.sum(axis: 0, keepingAxes: true))
}

private func cosines(_ word: Int, _ table: Tensor) -> Tensor {
  let unit = table / sqrt(square(table).sum(axis: 1, keepingAxes: true))
  return dot(unit, unit.sliced(word..<word + 1, axis: 0))
}

private func without(_ word: Int, _ values: Tensor, _ value: Float) -> Tensor {
  values.replacing(word..<word + 1, axis: 0, with: Tensor([value]))
}

/// The largest values and where they stand.
private func ranked(_ values: Tensor, _ count: Int) -> Neighbours {
  let (sorted, places) = (values * -1).sorted(axis: 0)
  return Neighbours(
    words: places.sliced(0..<count, axis: 0), cosines: sorted.sliced(0..<count, axis: 0) * -1)
}
