import Tensors

/// Attention of several heads between linear maps: `[batch, time, width] → [batch, time, width]`.
///
/// Vaswani and others (2017), arXiv 1706.03762, section 3.2; `MultiheadAttention` in PyTorch, whose one input
/// projection is three here.
public final class MultiHeadAttention: Layer {
  /// The maps to queries, keys and values, and from the heads' values to the result.
  public let queries, keys, values, output: Linear
  /// The number of heads, among which the width is divided.
  public let heads: Int
  /// Whether a time sees only itself and what came before.
  public let isCausal: Bool

  /// A layer with weights as by Glorot and biases of zeros.
  ///
  /// - Precondition: `heads` divides `width`.
  public init(_ width: Int, heads: Int, causal: Bool = false, using random: inout Random) {
    guard heads > 0, width > 0, width % heads == 0 else {
      fail("MultiHeadAttention", "cannot divide a width of \(width) among \(heads) heads")
    }
    queries = Linear(width, width, initialization: .glorotUniform, using: &random)
    keys = Linear(width, width, initialization: .glorotUniform, using: &random)
    values = Linear(width, width, initialization: .glorotUniform, using: &random)
    output = Linear(width, width, initialization: .glorotUniform, using: &random)
    self.heads = heads
    isCausal = causal
  }

  /// Self-attention.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil) }

  /// Self-attention in which `mask`, `[time, time]` or `[batch, time, time]`, is 1 where a time may see another and 0
  /// where not.
  public func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    check(x)
    return attend(x, keys(x), values(x), mask: mask)
  }

  /// Attention to another sequence, `[batch, memoryTime, width]`; `mask` is `[time, memoryTime]` or `[batch, time,
  /// memoryTime]`.
  public func callAsFunction(_ x: Tensor, to memory: Tensor, mask: Tensor? = nil) -> Tensor {
    check(x)
    check(memory)
    return attend(x, keys(memory), values(memory), mask: mask)
  }

  /// Causal self-attention of the times that follow those of `cache`, which takes them up.
  ///
  /// One call for each time, or for several, gives what one call on the whole sequence gives.
  ///
  /// - Precondition: the layer is causal.
  public func callAsFunction(_ x: Tensor, cache: inout AttentionCache) -> Tensor {
    check(x)
    guard isCausal else {
      fail("MultiHeadAttention", "a cache needs a causal layer: here, earlier times see later ones")
    }
    cache.append(keys: keys(x), values: values(x))
    return attend(x, cache.keys ?? x, cache.values ?? x, mask: nil)
  }

  private func attend(_ x: Tensor, _ keys: Tensor, _ values: Tensor, mask: Tensor?) -> Tensor {
    output(attention(queries(x), keys, values, heads: heads, causal: isCausal, mask: mask))
  }

  private func check(_ x: Tensor) {
    let width = queries.bias.count
    guard x.rank == 3, x.shape[2] == width else {
      fail("MultiHeadAttention", "reads [batch, time, \(width)]; the input has shape \(x.shape)")
    }
  }
}

/// The keys and values of the times that a ``MultiHeadAttention`` has read, so that they are computed once.
public struct AttentionCache: Sendable {
  /// `[batch, time, width]`; nil before the first time.
  public private(set) var keys, values: Tensor?

  /// A cache before the first time.
  public init() {}

  /// The number of times that are kept.
  public var time: Int { keys?.shape[1] ?? 0 }

  mutating func append(keys newKeys: Tensor, values newValues: Tensor) {
    guard let keys, let values else {
      (self.keys, self.values) = (newKeys, newValues)
      return
    }
    guard keys.shape[0] == newKeys.shape[0] else {
      fail("MultiHeadAttention", "the cache holds a batch of \(keys.shape[0]), the input one of \(newKeys.shape[0])")
    }
    self.keys = concatenate([keys, newKeys], axis: 1)
    self.values = concatenate([values, newValues], axis: 1)
  }
}
