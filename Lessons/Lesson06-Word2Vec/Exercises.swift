import LessonKit

// What a student writes in Word2Vec.swift: for each exercise its cases, which return values and never verdicts.

/// Word2Vec.1 to Word2Vec.4.
let exercises: [any ExerciseSpecification] = [pairExercise, lossExercise, optimumExercise, neighbourExercise]

let pairExercise = Exercise(
  "Word2Vec.1", "Pairs of a word and its context", points: 3, implementation: skipGrams,
  hints: [
    "Place i has in its context the places i − window … i + window that exist, without i itself.",
    "Take one distance at a time: `text.dropLast(distance)` and `text.dropFirst(distance)` stand side by side, the earlier word and the later.",
    "Each such couple gives two pairs: the earlier word as centre, and the later one. Distances go from 1 to `window`, as long as they are "
      + "less than `text.count`.",
  ],
  cases: [
    pairCase("five different words, a window of 1", places: 5, vocabulary: 5, window: 1, different: true),
    pairCase("a sentence with words that come twice", places: 12, vocabulary: 6, window: 2),
    pairCase("a long text, a window of 5", places: 200, vocabulary: 15, window: 5),
    pairCase("a text shorter than the window", places: 4, vocabulary: 6, window: 7, different: true),
  ])

private func pairCase(
  _ title: String, places: Int, vocabulary: Int, window: Int, different: Bool = false
) -> ExerciseCase<@MainActor ([Int32], Int) -> SkipGrams> {
  ExerciseCase(title) { skipGrams, random in
    let text =
      different
      ? Array(IndexTensor.permutation(vocabulary, using: &random).scalars.prefix(places))
      : (0..<places).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
    let bag = skipGrams(text, window)
    // Counts, since the order of the pairs is free; one more place takes up what is no word.
    var counts = [Float](repeating: 0, count: (vocabulary + 1) * (vocabulary + 1))
    func place(_ word: Int32) -> Int { (0..<vocabulary).contains(Int(word)) ? Int(word) : vocabulary }
    for (centre, context) in zip(bag.centres, bag.contexts) {
      counts[place(centre) * (vocabulary + 1) + place(context)] += 1
    }
    return [
      "how often each pair occurs": Tensor(counts, shape: [vocabulary + 1, vocabulary + 1]),
      "the number of centres and of contexts": Tensor([Float(bag.centres.count), Float(bag.contexts.count)]),
    ]
  }
}

let lossExercise = Exercise(
  "Word2Vec.2", "The loss of negative sampling", points: 3, implementation: negativeSamplingLoss,
  hints: [
    "The observed pair's score is w·c, a sum over axis 1: `[batch]`. A loss is −ln of a probability, so that it is positive.",
    "With w as `[batch, 1, dimensions]`, `w * negatives` broadcasts; its sum over axis 2 has the k scores of each pair.",
    "`logSigmoid` is stable where log(sigmoid(…)) overflows. A negative's score enters with a minus, and the k terms are summed.",
  ],
  cases: [
    lossCase("one pair and two negatives", batch: 1, negatives: 2, dimensions: 3, spread: 1),
    lossCase("a batch", batch: 6, negatives: 5, dimensions: 4, spread: 1),
    lossCase("large scores", batch: 5, negatives: 3, dimensions: 8, spread: 9),
  ])

private func lossCase(
  _ title: String, batch: Int, negatives: Int, dimensions: Int, spread: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor) -> Tensor> {
  ExerciseCase(title) { loss, random in
    let word = Tensor.normal([batch, dimensions], using: &random) * spread
    let context = Tensor.normal([batch, dimensions], using: &random) * spread
    let drawn = Tensor.normal([batch, negatives, dimensions], using: &random) * spread
    return [
      "the loss": loss(word, context, drawn),
      "the gradient of its sum with respect to the word": gradient(at: word) { loss($0, context, drawn).sum() },
    ]
  }
}

let optimumExercise = Exercise(
  "Word2Vec.3", "The optimum, from counts", points: 3, implementation: optimum,
  hints: [
    "p(w, c) is `counts / counts.sum()`; p(w) is its sum over the contexts (axis 1), p(c) over the words (axis 0).",
    "With `keepingAxes: true` the sums are a column and a row, which broadcast against `[words, contexts]`.",
    "PMI is ln p(w, c) − ln p(w) − ln p(c). There are k negatives for a positive, so ln k is subtracted.",
  ],
  cases: [
    optimumCase("two words and three contexts", words: 2, contexts: 3, negatives: 2),
    optimumCase("five negatives", words: 4, contexts: 4, negatives: 5),
    optimumCase("more words, fifteen negatives", words: 9, contexts: 7, negatives: 15),
  ])

private func optimumCase(
  _ title: String, words: Int, contexts: Int, negatives: Int
) -> ExerciseCase<@MainActor (Tensor, Int) -> Tensor> {
  ExerciseCase(title) { optimum, random in
    let counts = floor(exp(.uniform([words, contexts], in: 1..<6, using: &random)))
    return ["PMI − ln k": optimum(counts, negatives)]
  }
}

let neighbourExercise = Exercise(
  "Word2Vec.4", "Nearest neighbours", points: 3, implementation: nearest(to:in:count:),
  hints: [
    "The cosine is the dot product of vectors of length 1: divide each row by the root of its sum of squares.",
    "One `matmul` of all rows with the word's own, as a column, gives all cosines.",
    "`(-cosines).sorted(axis: 0)` has the largest first. The word's own cosine is 1: put −2 in its place before that.",
  ],
  cases: [
    neighbourCase("two of six words", words: 6, dimensions: 3, count: 2, word: 4),
    neighbourCase("the first word", words: 12, dimensions: 4, count: 5, word: 0),
    neighbourCase("ten of a hundred", words: 100, dimensions: 8, count: 10, word: 57),
  ])

private func neighbourCase(
  _ title: String, words: Int, dimensions: Int, count: Int, word: Int
) -> ExerciseCase<@MainActor (Int, Tensor, Int) -> Neighbours> {
  ExerciseCase(title) { nearest, random in
    // Lengths differ much, as those of frequent and rare words do.
    let lengths = exp(Tensor.uniform([words, 1], in: -1.5..<1.5, using: &random))
    let table = Tensor.normal([words, dimensions], using: &random) * lengths
    let result = nearest(word, table, count)
    return ["the words": Tensor(result.words), "the cosines": result.cosines]
  }
}
