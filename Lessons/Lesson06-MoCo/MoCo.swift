import LessonKit

// Momentum contrast of He and others (2019), arXiv 1911.05722, with the names of its algorithm 1.

/// f: images to points of the unit sphere, a small convolutional network and a head that only training uses.
///
/// There is no batch normalisation: its statistics would tell which keys share a batch, which the paper must undo by shuffling.
final class Encoder: Module {
  let layers: Sequential
  let head: Sequential
  /// The number of features.
  let width: Int

  /// For images of `side` × `side` grey pixels, whose sides are quartered; keys of `dimension` numbers.
  init(side: Int, channels: Int, dimension: Int, head kind: Head, using random: inout Random) {
    let (pooled, width) = ((side / 4) * (side / 4) * 2 * channels, 4 * channels)
    self.width = width
    layers = Sequential {
      Conv2D(1, channels, size: 3, padding: .same, using: &random)
      relu
      Conv2D(channels, channels, size: 3, padding: .same, using: &random)
      relu
      Function { maxPool2D($0, size: 2) }
      Conv2D(channels, 2 * channels, size: 3, padding: .same, using: &random)
      relu
      Function { maxPool2D($0, size: 2) }
      Function { $0.reshaped(to: [$0.shape[0], pooled]) }
      Linear(pooled, width, using: &random)
      relu
    }
    head = Sequential {
      if kind == .mlp {
        Linear(width, width, using: &random)
        relu
      }
      Linear(width, dimension, using: &random)
    }
  }

  /// What is kept after training: `[batch, side, side, 1] → [batch, width]`.
  func features(_ x: Tensor) -> Tensor { layers(x) }

  /// What is contrasted, of length 1: `[batch, side, side, 1] → [batch, dimension]`.
  func callAsFunction(_ x: Tensor) -> Tensor { normalized(head(features(x))) }
}

/// Rows of length 1.
func normalized(_ z: Tensor) -> Tensor { z / sqrt(square(z).sum(axis: 1, keepingAxes: true) + 1e-12) }

/// The scores of 1 + K candidates for each query: its own key first, then the queue; all by dot product, divided by τ.
///
/// `q` and `k` are `[batch, dimension]`, `queue` is `[K, dimension]`; the result is `[batch, 1 + K]`. Gradients reach `q` alone.
func contrastiveLogits(_ q: Tensor, _ k: Tensor, queue: Tensor, temperature: Float) -> Tensor {
  // BEGIN SOLUTION MoCo.3
  let positive = (q * k.detached()).sum(axis: 1, keepingAxes: true)  // [batch, 1]
  let negatives = matmul(q, queue.detached(), transposingSecond: true)  // [batch, K]
  return concatenate([positive, negatives], axis: 1) / temperature
  // END SOLUTION
}

/// InfoNCE (equation 1): −log of the probability of candidate 0, nats, `[batch, 1 + K] → [batch]`.
func infoNCE(_ logits: Tensor) -> Tensor {
  -categoricalLogLikelihood(logits, IndexTensor([Int32](repeating: 0, count: logits.shape[0])))
}

/// Two encoders and the queue of keys.
final class MoCo: Module {
  /// f_q, which is trained, and f_k, which follows it.
  let query, key: Encoder
  /// K keys of earlier batches, `[K, dimension]`, a ring.
  @Untrained var queue: Tensor
  /// The row of the oldest key, the next to be replaced; one number.
  @Untrained var position: Tensor
  /// m and τ.
  let momentum, temperature: Float

  /// Begins with `key` equal to `query` and with directions drawn at random in the queue.
  init(
    _ makeEncoder: (inout Random) -> Encoder, dimension: Int, queue length: Int, momentum: Float, temperature: Float,
    using random: inout Random
  ) {
    var copy = random.split()
    var same = copy
    (query, key) = (makeEncoder(&copy), makeEncoder(&same))
    queue = normalized(.normal([length, dimension], using: &random))
    position = Tensor(0)
    (self.momentum, self.temperature) = (momentum, temperature)
  }

  /// θ_k ← m θ_k + (1 − m) θ_q, for every parameter (equation 2).
  func updateKeyEncoder() {
    // BEGIN SOLUTION MoCo.1
    for (slow, fast) in zip(key.parameters, query.parameters) {
      let (old, new) = (slow.parameter.wrappedValue, fast.parameter.wrappedValue)
      slow.parameter.wrappedValue = old * momentum + new * (1 - momentum)
    }
    // END SOLUTION
  }

  /// Puts a batch of keys, `[batch, dimension]` with batch at most K, in the places of the oldest.
  ///
  /// They go to the rows from `position` on, past the last row to the first; `position` moves on behind them.
  func enqueue(_ keys: Tensor) {
    // BEGIN SOLUTION MoCo.2
    let (start, count, length) = (Int(position.scalar), keys.shape[0], queue.shape[0])
    let fitting = min(count, length - start)
    queue = queue.replacing(start..<start + fitting, axis: 0, with: keys.sliced(0..<fitting, axis: 0))
    if fitting < count {
      queue = queue.replacing(0..<count - fitting, axis: 0, with: keys.sliced(fitting..<count, axis: 0))
    }
    position = Tensor(Float((start + count) % length))
    // END SOLUTION
  }

  /// The queue from the oldest key to the newest, `[K, dimension]`.
  var oldestFirst: Tensor { queue.rolled(by: -Int(position.scalar), axis: 0) }

  /// Algorithm 1 for two views of a batch, `[batch, side, side, 1]` each; returns the loss before the step, nats.
  ///
  /// The first view gives queries, the second keys. The queue still has the keys of earlier batches alone when the loss is taken.
  func step(_ first: Tensor, _ second: Tensor, _ optimizer: inout some Optimizer) -> Tensor {
    // BEGIN SOLUTION MoCo.4
    let q = query(first)
    let k = withoutGradients { key(second) }
    let loss = infoNCE(contrastiveLogits(q, k, queue: queue, temperature: temperature)).mean()
    optimizer.minimize(loss)
    updateKeyEncoder()
    enqueue(k)
    return loss
    // END SOLUTION
  }
}

/// SimCLR's loss (Chen and others 2020, arXiv 2002.05709), to compare with: each of 2N views picks its partner among 2N − 1.
///
/// `[N, dimension]` twice, of length 1; the 2(N − 1) views of other images in the batch are the negatives.
func batchContrast(_ first: Tensor, _ second: Tensor, temperature: Float) -> Tensor {
  let (z, count) = (concatenate([first, second], axis: 0), first.shape[0])
  let itself = oneHot(IndexTensor((0..<Int32(2 * count)).map { $0 }), classes: 2 * count) * 1e6
  let logits = matmul(z, z, transposingSecond: true) / temperature - itself  // [2N, 2N]
  let partners = IndexTensor((0..<2 * count).map { Int32(($0 + count) % (2 * count)) })
  return -categoricalLogLikelihood(logits, partners).mean()
}
