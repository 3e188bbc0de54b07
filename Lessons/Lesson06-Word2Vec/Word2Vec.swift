import LessonKit

// Skip-gram with negative sampling: Mikolov and others (2013), arXiv 1301.3781 and 1310.4546; its optimum: Levy & Goldberg (2014).

/// A bag of pairs (w, c): a word of a text, and a word of its context.
struct SkipGrams {
  var centres: [Int32] = []
  var contexts: [Int32] = []

  static func += (bag: inout SkipGrams, more: SkipGrams) {
    bag.centres += more.centres
    bag.contexts += more.contexts
  }

  /// #(w, c): how often each pair is in the bag, `[vocabulary, vocabulary]`.
  func counts(vocabulary: Int) -> Tensor {
    let cells = Tensor(IndexTensor(centres)) * Float(vocabulary) + Tensor(IndexTensor(contexts))  // [pairs]
    return Tensor.zeros([vocabulary * vocabulary])
      .scatterAdded(.ones([centres.count]), at: IndexTensor(cells), axis: 0).reshaped(to: [vocabulary, vocabulary])
  }
}

/// Every word of a text with each word at most `window` places before or after it; pairs come in any order.
///
/// A place is in no context of its own, but a word is in its own context where it comes twice. Both ends have shorter contexts.
func skipGrams(_ text: [Int32], window: Int) -> SkipGrams {
  // BEGIN SOLUTION Word2Vec.1
  var bag = SkipGrams()
  for distance in 1...window where distance < text.count {
    let (earlier, later) = (text.dropLast(distance), text.dropFirst(distance))
    bag += SkipGrams(centres: Array(earlier + later), contexts: Array(later + earlier))
  }
  return bag
  // END SOLUTION
}

/// −ln σ(w·c) − Σ ln σ(−w·c′) over the k negatives c′, in nats for each pair: equation 4 of 1310.4546 with its sign turned.
///
/// `word` and `context` are `[batch, dimensions]`, `negatives` is `[batch, k, dimensions]`; the result is `[batch]`.
func negativeSamplingLoss(word: Tensor, context: Tensor, negatives: Tensor) -> Tensor {
  // BEGIN SOLUTION Word2Vec.2
  let observed = (word * context).sum(axis: 1)  // [batch]
  let drawn = (word.reshaped(to: [word.shape[0], 1, -1]) * negatives).sum(axis: 2)  // [batch, k]
  return -logSigmoid(observed) - logSigmoid(-drawn).sum(axis: 1)
  // END SOLUTION
}

/// PMI(w, c) − ln k = ln(#(w, c)·|D| / (#(w)·#(c))) − ln k from the counts of pairs, `[words, contexts]` (Levy & Goldberg, section 3.1).
///
/// It is −∞ for a pair that never occurs.
func optimum(counts: Tensor, negatives k: Int) -> Tensor {
  // BEGIN SOLUTION Word2Vec.3
  let joint = counts / counts.sum()
  let (ofWord, ofContext) = (joint.sum(axis: 1, keepingAxes: true), joint.sum(axis: 0, keepingAxes: true))
  return log(joint) - log(ofWord) - log(ofContext) - log(Float(k))
  // END SOLUTION
}

/// The words nearest to one, and the cosines of the angles to them, the largest first.
struct Neighbours {
  let words: IndexTensor
  let cosines: Tensor
}

/// The `count` words whose vectors, rows of `table`, have the largest cosine with that of `word`, which itself is none of them.
func nearest(to word: Int, in table: Tensor, count: Int) -> Neighbours {
  // BEGIN SOLUTION Word2Vec.4
  let directions = table / sqrt(square(table).sum(axis: 1, keepingAxes: true))  // [words, dimensions]
  let own = directions.sliced(word..<word + 1, axis: 0).transposed()  // [dimensions, 1]
  let cosines = matmul(directions, own).reshaped(to: [-1]).replacing(word..<word + 1, axis: 0, with: Tensor([-2]))
  let ranking = (-cosines).sorted(axis: 0)
  return Neighbours(
    words: ranking.indices.sliced(0..<count, axis: 0), cosines: -ranking.values.sliced(0..<count, axis: 0))
  // END SOLUTION
}

/// The expected loss of one pair, in nats, over all words, contexts and negatives from the contexts' own frequencies.
func expectedLoss(scores: Tensor, counts: Tensor, negatives k: Int) -> Tensor {
  let observed = counts / counts.sum()
  let drawn = observed.sum(axis: 1, keepingAxes: true) * observed.sum(axis: 0, keepingAxes: true) * Float(k)
  return -(observed * logSigmoid(scores) + drawn * logSigmoid(-scores)).sum()
}

/// Draws of words in proportion to count^power, from a table where each has its share of the places, as in the paper's program.
struct Noise {
  private let table: Tensor

  init(_ counts: [Float], power exponent: Float) {
    let size = 1 << 20
    let shares = power(Tensor(counts) / Tensor(counts).sum(), exponent)
    let ends = (shares.cumulativeSum(axis: 0) / shares.sum()).scalars.map { Int(($0 * Float(size)).rounded()) }
    let places = zip(ends, [0] + ends).enumerated().flatMap { word, ends in
      [Float](repeating: Float(word), count: ends.0 - ends.1)
    }
    table = Tensor(places)
  }

  func draw(_ shape: [Int], using random: inout Random) -> IndexTensor {
    let places = IndexTensor(floor(Tensor.uniform(shape, using: &random) * Float(table.count)))
    return IndexTensor(table.gathered(at: places.reshaped(to: [-1]), axis: 0).reshaped(to: shape))
  }
}

/// A vector for each word as a centre, and another for it as a context.
final class Word2Vec: Module {
  @Parameter var words: Tensor
  @Parameter var contexts: Tensor

  init(vocabulary: Int, dimensions: Int, spread: Float, using random: inout Random) {
    words = .normal([vocabulary, dimensions], using: &random) * spread
    contexts = .normal([vocabulary, dimensions], using: &random) * spread
  }

  /// w·c for all words and contexts, `[vocabulary, vocabulary]`.
  var scores: Tensor { matmul(words, contexts, transposingSecond: true) }

  /// The loss of pairs `[batch]` with their negatives `[batch, k]`.
  func loss(_ centres: IndexTensor, _ others: IndexTensor, negatives: IndexTensor) -> Tensor {
    negativeSamplingLoss(
      word: embedding(words, centres), context: embedding(contexts, others), negatives: embedding(contexts, negatives))
  }
}
