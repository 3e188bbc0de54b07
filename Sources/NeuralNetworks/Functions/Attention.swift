import Tensors

/// softmax(queries · keysᵀ / √depth) · values for each head: scaled dot-product attention (Vaswani et al., arXiv 1706.03762).
///
/// The last axis holds the heads one after another, as the linear maps before give them; no axes need to be exchanged.
/// Scores are never kept whole: memory grows with the time, not its square.
///
/// - Parameters:
///   - queries: `[…, time, heads·depth]`.
///   - keys: `[…, keyTime, heads·depth]`.
///   - values: `[…, keyTime, heads·valueDepth]`.
///   - heads: into how many parts the last axis falls; each attends by itself.
///   - causal: whether a query sees only the keys up to its own time. Queries are the last of the keys' times, so that the
///     keys may also hold what a cache has kept from before.
///   - mask: 1 where a query may see a key and 0 where not; broadcasts to `[…, time, keyTime]`. A query that sees nothing gives zeros.
/// - Returns: `[…, time, heads·valueDepth]`.
public func attention(
  _ queries: Tensor, _ keys: Tensor, _ values: Tensor, heads: Int = 1, causal: Bool = false, mask: Tensor? = nil
) -> Tensor {
  let layout = AttentionLayout(queries, keys, values, heads, causal, mask)
  let found = layout.forward([queries, keys, values])
  return found.output.recorded(fusing: [queries, keys, values]) { inputs in
    composedAttention(inputs[0], inputs[1], inputs[2], layout)
  } backward: { upstream, inputs, _ in
    layout.backward(upstream, inputs, found.normalizers)
  }
}

/// The extents of one attention, checked.
struct AttentionLayout {
  /// Leading axes, and the product of their extents.
  let leading: [Int]
  let heads, time, keyTime, depth, valueDepth: Int
  let isCausal: Bool
  /// `[time, keyTime]`, or one for each of the leading axes.
  let mask: Tensor?

  init(_ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ heads: Int, _ causal: Bool, _ mask: Tensor?) {
    let shapes = "the queries \(queries.shape), keys \(keys.shape) and values \(values.shape)"
    guard queries.rank >= 2, keys.rank == queries.rank, values.rank == queries.rank else {
      fail("attention", "\(shapes) must all be […, time, features]")
    }
    let rank = queries.rank
    guard queries.shape.dropLast(2) == keys.shape.dropLast(2), keys.shape.dropLast() == values.shape.dropLast(),
      queries.shape[rank - 1] == keys.shape[rank - 1]
    else { fail("attention", "\(shapes) do not fit") }
    leading = Array(queries.shape.dropLast(2))
    (time, keyTime) = (queries.shape[rank - 2], keys.shape[rank - 2])
    guard heads >= 1, keys.shape[rank - 1] % heads == 0, values.shape[rank - 1] % heads == 0 else {
      fail("attention", "\(shapes) cannot be divided among \(heads) heads")
    }
    (self.heads, depth, valueDepth) = (heads, keys.shape[rank - 1] / heads, values.shape[rank - 1] / heads)
    isCausal = causal
    if causal, time > keyTime { fail("attention", "causal attention needs a key for each query; \(shapes) have fewer") }
    let full = ((mask?.rank ?? 0) > 2 ? leading : []) + [time, keyTime]
    let stretches = zip(mask?.shape.reversed() ?? [], full.reversed()).allSatisfy { $0 == $1 || $0 == 1 }
    if let mask, mask.rank > full.count || !stretches {
      fail("attention", "the mask \(mask.shape) cannot be stretched to \(full)")
    }
    self.mask = mask?.copied(broadcastTo: full)
  }
}

/// The same in differentiable operations.
private func composedAttention(_ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ layout: AttentionLayout) -> Tensor
{
  let (time, keyTime, heads) = (layout.time, layout.keyTime, layout.heads)
  let batch = layout.leading.reduce(1, *)
  func split(_ x: Tensor, _ time: Int, _ depth: Int) -> Tensor {
    x.reshaped(to: [batch, time, heads, depth]).permuted([0, 2, 1, 3])
  }
  var allowed = Tensor.ones([1, 1, time, keyTime])
  if let mask = layout.mask { allowed = mask.reshaped(to: [mask.rank > 2 ? batch : 1, 1, time, keyTime]) }
  if layout.isCausal {
    let position = { (count: Int) in Tensor((0..<count).map { Float($0) }) }
    allowed = allowed * (position(keyTime) .<= position(time).reshaped(to: [time, 1]) + Float(keyTime - time))
  }
  let scale = 1 / Float(max(1, layout.depth)).squareRoot()
  let scores = matmul(split(queries, time, layout.depth), split(keys, keyTime, layout.depth), transposingSecond: true)
  let weights = softmax(scores * scale + (allowed - 1) * 1e30) * allowed  // [batch, heads, time, keyTime]
  return matmul(weights, split(values, keyTime, layout.valueDepth)).permuted([0, 2, 1, 3])
    .reshaped(to: layout.leading + [time, heads * layout.valueDepth])
}
