import LessonKit

// GPT-2: Radford and others, "Language Models are Unsupervised Multitask Learners" (2019): the decoder of Vaswani and others
// (arXiv 1706.03762) with layer normalisation before each part and a last one at the end.

/// softmax(Q Kᵀ / √depth) V, where no time sees a later one: `[batch, heads, time, depth]` each (arXiv 1706.03762, equation 1).
///
/// Keys and values may be of more times than queries, which are then the last of them. The weights are
/// `[batch, heads, time, keyTime]`.
func causalAttention(_ queries: Tensor, _ keys: Tensor, _ values: Tensor) -> (output: Tensor, weights: Tensor) {
  // BEGIN SOLUTION GPT.1
  let (time, keyTime) = (queries.shape[2], keys.shape[2])
  let place = Tensor.ones([keyTime]).cumulativeSum(axis: 0)  // 1, 2, 3, …
  let isLater = place .> place.sliced(keyTime - time..<keyTime, axis: 0).reshaped(to: [time, 1])  // [time, keyTime]
  let scores = matmul(queries, keys, transposingSecond: true) / Float(queries.shape[3]).squareRoot()
  let weights = softmax(scores - isLater * 1e9)  // [batch, heads, time, keyTime]
  return (matmul(weights, values), weights)
  // END SOLUTION
}

/// −ln p of every token but the first given those before it, in nats: logits `[batch, time, vocabulary]`, tokens `[batch, time]`
/// give `[batch, time − 1]`.
func surprise(_ logits: Tensor, _ tokens: IndexTensor) -> Tensor {
  // BEGIN SOLUTION GPT.3
  let time = tokens.shape[1]
  // What stands at time t is said about the token at t + 1.
  return -categoricalLogLikelihood(logits.sliced(0..<time - 1, axis: 1), tokens.sliced(1..<time, axis: 1))
  // END SOLUTION
}

/// What a layer keeps of the times it has read, `[batch, heads, time, depth]` each; nil before the first.
struct KeyValueCache {
  var keys, values: Tensor?
  var time: Int { keys?.shape[2] ?? 0 }
}

/// Attention of several heads to all times so far, between linear maps: `[batch, time, width] → [batch, time, width]`.
final class SelfAttention: Module {
  let projection, output: Linear
  let heads: Int

  init(_ width: Int, heads: Int, scale: Float, using random: inout Random) {
    self.heads = heads
    projection = Linear(width, 3 * width, initialization: .glorotUniform, using: &random)
    output = Linear(width, width, initialization: .glorotUniform, using: &random)
    output.weight = output.weight * scale
  }

  /// Queries, keys and values, `[batch, heads, time, depth]` each.
  func projected(_ x: Tensor) -> (queries: Tensor, keys: Tensor, values: Tensor) {
    let (batch, time, depth) = (x.shape[0], x.shape[1], x.shape[2] / heads)
    let all = projection(x).reshaped(to: [batch, time, 3, heads, depth]).permuted([2, 0, 3, 1, 4])
    let parts = (0..<3).map { all.sliced($0..<$0 + 1, axis: 0).reshaped(to: [batch, heads, time, depth]) }
    return (parts[0], parts[1], parts[2])
  }

  /// The heads' results side by side, through the last map: `[batch, heads, time, depth] → [batch, time, width]`.
  func joined(_ x: Tensor) -> Tensor {
    output(x.permuted([0, 2, 1, 3]).reshaped(to: [x.shape[0], x.shape[2], heads * x.shape[3]]))
  }

  func callAsFunction(_ x: Tensor) -> (output: Tensor, weights: Tensor) {
    let (queries, keys, values) = projected(x)
    let (output, weights) = causalAttention(queries, keys, values)
    return (joined(output), weights)
  }

  /// The same for the times that follow those of the cache, which takes up their keys and values.
  func callAsFunction(_ x: Tensor, cache: inout KeyValueCache) -> Tensor {
    // BEGIN SOLUTION GPT.4
    let (queries, newKeys, newValues) = projected(x)  // of the new times alone
    let keys = cache.keys.map { concatenate([$0, newKeys], axis: 2) } ?? newKeys
    let values = cache.values.map { concatenate([$0, newValues], axis: 2) } ?? newValues
    cache = KeyValueCache(keys: keys, values: values)
    return joined(causalAttention(queries, keys, values).output)
    // END SOLUTION
  }
}

/// x + attention(norm(x)), then x + perceptron(norm(x)): the norm stands before each part and the sum stays untouched.
final class Block: Module {
  let attentionNorm, perceptronNorm: LayerNorm
  let attention: SelfAttention
  let expand, contract: Linear

  init(_ width: Int, heads: Int, scale: Float, using random: inout Random) {
    (attentionNorm, perceptronNorm) = (LayerNorm(width), LayerNorm(width))
    attention = SelfAttention(width, heads: heads, scale: scale, using: &random)
    expand = Linear(width, 4 * width, initialization: .glorotUniform, using: &random)
    contract = Linear(4 * width, width, initialization: .glorotUniform, using: &random)
    contract.weight = contract.weight * scale
  }

  func callAsFunction(_ x: Tensor, attend: (SelfAttention, Tensor) -> Tensor) -> Tensor {
    let x = x + attend(attention, attentionNorm(x))
    return x + contract(gelu(expand(perceptronNorm(x))))
  }
}

/// Logits of the next token at every time: `[batch, time] → [batch, time, vocabulary]`.
final class GPT: Module {
  let tokens, positions: Embedding
  let blocks: [Block]
  let norm: LayerNorm

  init(vocabulary: Int, context: Int, width: Int, heads: Int, layers: Int, using random: inout Random) {
    tokens = Embedding(vocabulary, width, initialization: .normal(standardDeviation: 0.1), using: &random)
    positions = Embedding(context, width, using: &random)
    // 1/√(2·layers): the paper's scale for what is added to the sum (section 2.3).
    let scale = 1 / Float(2 * layers).squareRoot()
    blocks = (0..<layers).map { _ in Block(width, heads: heads, scale: scale, using: &random) }
    norm = LayerNorm(width)
    positions.table = Self.waves(context, width)
  }

  /// Where the learned positions start: sines and cosines of many wavelengths (arXiv 1706.03762, section 3.5).
  ///
  /// From noise, which the paper starts from, it takes long to find out which position stands before which.
  static func waves(_ context: Int, _ width: Int) -> Tensor {
    let time = Tensor((0..<context).map { Float($0) }, shape: [context, 1])
    let rates = (0..<width).map { Float(pow(2 * Double(context), -Double($0 / 2 * 2) / Double(width))) }
    let phases = (0..<width).map { Float($0 % 2) * .pi / 2 }
    return sin(time * Tensor(rates) + Tensor(phases)) * 0.3  // [context, width]
  }

  var context: Int { positions.table.shape[0] }

  /// All times at once; `offset` is the position of the first.
  func callAsFunction(_ sequence: IndexTensor, from offset: Int = 0) -> Tensor {
    logits(sequence, from: offset) { _, attention, x in attention(x).output }
  }

  /// The times that follow those of the caches, one cache for each block.
  func callAsFunction(_ sequence: IndexTensor, caches: inout [KeyValueCache]) -> Tensor {
    logits(sequence, from: caches[0].time) { index, attention, x in attention(x, cache: &caches[index]) }
  }

  /// The attention weights of each block, `[batch, heads, time, time]`.
  func attentionWeights(_ sequence: IndexTensor) -> [Tensor] {
    var weights: [Tensor] = []
    _ = logits(sequence, from: 0) { _, attention, x in
      let result = attention(x)
      weights.append(result.weights)
      return result.output
    }
    return weights
  }

  private func logits(_ sequence: IndexTensor, from offset: Int, attend: (Int, SelfAttention, Tensor) -> Tensor)
    -> Tensor
  {
    var x = tokens(sequence) + positions.table.sliced(offset..<offset + sequence.shape[1], axis: 0)
    for (index, block) in blocks.enumerated() { x = block(x) { attend(index, $0, $1) } }  // [batch, time, width]
    return matmul(norm(x), tokens.table, transposingSecond: true)  // the embedding once more: tied
  }
}

/// The logits at which the next token is drawn: only the `topK` largest, divided by the temperature, `[batch, vocabulary]`.
func sharpened(_ logits: Tensor, temperature: Float, topK: Int?) -> Tensor {
  let vocabulary = logits.shape[1]
  guard let topK, topK < vocabulary else { return logits / temperature }
  let least = logits.sorted(axis: 1).values.sliced(vocabulary - topK..<vocabulary - topK + 1, axis: 1)
  return select(logits .< least, Tensor(-.infinity), logits / temperature)
}

extension GPT {
  /// `prompt` and `count` tokens after it, one drawn at a time; temperature 0 takes the likeliest.
  ///
  /// With caches each token is read once; without them all are read again for each new one.
  func continuation(
    of prompt: [Int32], count: Int, temperature: Float = 1, topK: Int? = nil, isCaching: Bool = true,
    using random: inout Random
  ) -> [Int32] {
    var sequence = prompt
    var caches = blocks.map { _ in KeyValueCache() }
    withoutGradients {
      while sequence.count < prompt.count + count {
        let unread = isCaching ? Array(sequence.dropFirst(caches[0].time)) : sequence
        let input = IndexTensor(unread, shape: [1, unread.count])
        let logits = isCaching ? self(input, caches: &caches) : self(input)
        let last = logits.sliced(unread.count - 1..<unread.count, axis: 1).reshaped(to: [1, tokens.table.shape[0]])
        let next =
          temperature == 0
          ? last.argmax(axis: 1)
          : IndexTensor.categorical(logits: sharpened(last, temperature: temperature, topK: topK), using: &random)
        sequence.append(next.scalars[0])
      }
    }
    return sequence
  }
}
