import LessonKit

// WaveNet of van den Oord and others (2016), arXiv 1609.03499, with the paper's names and equations.

/// f(x) = sign(x) ln(1 + μ|x|) / ln(1 + μ) with μ = levels − 1 (section 2.2): amplitudes −1…1 to −1…1, any shape.
func companded(_ x: Tensor, levels: Int) -> Tensor {
  // BEGIN SOLUTION WaveNet.1
  let mu = Float(levels - 1)
  return sign(x) * log1p(abs(x) * mu) / log1p(mu)
  // END SOLUTION
}

/// The inverse of ``companded(_:levels:)``: −1…1 to amplitudes −1…1, any shape.
func expanded(_ y: Tensor, levels: Int) -> Tensor {
  // BEGIN SOLUTION WaveNet.2
  let mu = Float(levels - 1)
  return sign(y) * expm1(abs(y) * log1p(mu)) / mu
  // END SOLUTION
}

/// Amplitudes to the nearest of `levels` values that are equally far apart after companding, 0…levels − 1, any shape.
func encoded(_ x: Tensor, levels: Int) -> IndexTensor {
  let y = companded(x.clamped(to: -1...1), levels: levels)
  return IndexTensor(floor((y + 1) * (Float(levels - 1) / 2) + 0.5))
}

/// The amplitude that a level stands for, −1…1, any shape.
func decoded(_ codes: IndexTensor, levels: Int) -> Tensor {
  expanded(Tensor(codes) * (2 / Float(levels - 1)) - 1, levels: levels)
}

/// y_t = W₀ x_{t−d} + W₁ x_t + b, zeros before the first time (section 2.1): `[batch, time, inputs] → [batch, time, outputs]`.
///
/// - Parameters:
///   - weight: W₀ and W₁, `[2, inputs, outputs]`.
///   - bias: `[outputs]`.
///   - dilation: d, how many times back the first tap reads.
func dilatedCausalConvolution(_ x: Tensor, weight: Tensor, bias: Tensor, dilation: Int) -> Tensor {
  // BEGIN SOLUTION WaveNet.3
  let padded = x.padded(before: dilation, after: 0, axis: 1)  // [batch, dilation + time, inputs]
  return convolution1D(padded, weight, bias, dilation: dilation)
  // END SOLUTION
}

/// The inputs of a layer that its next steps will read again: those of the last `dilation` times.
struct Queue {
  /// A ring of `[batch, inputs]`, as many as the layer's dilation; zeros stand for the time before the first sample.
  var ring: [Tensor]
  /// The place in the ring of the oldest, x_{t−d}.
  var oldest = 0

  init(dilation: Int, batch: Int, inputs: Int) {
    ring = [Tensor](repeating: .zeros([batch, inputs]), count: dilation)
  }
}

/// ``dilatedCausalConvolution(_:weight:bias:dilation:)`` at one more time: `[batch, inputs] → [batch, outputs]`.
///
/// The queue gives up x_{t−d} and takes x_t in its place (Paine and others 2016, arXiv 1611.09482).
func cachedStep(_ x: Tensor, queue: inout Queue, weight: Tensor, bias: Tensor) -> Tensor {
  // BEGIN SOLUTION WaveNet.4
  let past = queue.ring[queue.oldest]
  queue.ring[queue.oldest] = x
  queue.oldest = (queue.oldest + 1) % queue.ring.count
  let both = concatenate([past, x], axis: 1)  // [batch, 2 · inputs]
  return linear(both, weight.reshaped(to: [both.shape[1], weight.shape[2]]), bias)
  // END SOLUTION
}

/// One layer: z = tanh(W_f ∗ x + V_f h) ⊙ σ(W_g ∗ x + V_g h) and a residual connection around it (sections 2.3–2.5, figure 4).
final class ResidualBlock: Module {
  let dilation: Int
  /// W_f and W_g side by side, `[2, channels, 2 · channels]`.
  @Parameter var weight: Tensor
  @Parameter var bias: Tensor
  /// V_f and V_g side by side, if there is a condition h.
  let conditioning: Linear?
  let residual: Linear

  init(channels: Int, dilation: Int, conditions: Int, using random: inout Random) {
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      Linear(inputs, outputs, initialization: .leCunUniform, using: &random)
    }
    self.dilation = dilation
    weight = linear(2 * channels, 2 * channels).weight.reshaped(to: [2, channels, 2 * channels])
    bias = .zeros([2 * channels])
    conditioning = conditions == 0 ? nil : linear(conditions, 2 * channels)
    residual = linear(channels, channels)
  }

  /// All times at once: `[batch, time, channels]`, with `h` of shape `[batch, conditions]`.
  func callAsFunction(_ x: Tensor, h: Tensor?) -> (output: Tensor, z: Tensor) {
    let sum = dilatedCausalConvolution(x, weight: weight, bias: bias, dilation: dilation)
    guard let h, let conditioning else { return gated(sum, x) }
    return gated(sum + conditioning(h).reshaped(to: [h.shape[0], 1, sum.shape[2]]), x)
  }

  /// One more time: `[batch, channels]`, with V h already computed, `[batch, 2 · channels]`.
  func step(_ x: Tensor, conditioned: Tensor?, queue: inout Queue) -> (output: Tensor, z: Tensor) {
    let sum = cachedStep(x, queue: &queue, weight: weight, bias: bias)
    return gated(conditioned.map { sum + $0 } ?? sum, x)
  }

  private func gated(_ sum: Tensor, _ x: Tensor) -> (output: Tensor, z: Tensor) {
    let channels = residual.bias.count
    let halves = sum.split(sizes: [channels, channels], axis: -1)
    let z = tanh(halves[0]) * sigmoid(halves[1])
    return (x + residual(z), z)
  }
}

/// p(x | h) = Π p(x_t | x_1, …, x_{t−1}, h), each factor a softmax over the levels of a sample (equation 3).
final class WaveNet: Module {
  let levels: Int
  /// What the paper's one-hot input is multiplied with, one row for each level.
  let embedding: Embedding
  /// The sample as two numbers, companded and not, so that neighbouring levels look alike from the beginning.
  let amplitude: Linear
  let blocks: [ResidualBlock]
  /// The skip connections of all blocks: a sum of 1×1 convolutions is one, of all z side by side.
  let skip: Linear
  let hidden, logits: Linear

  init(
    levels: Int, channels: Int, skips: Int, dilations: [Int], conditions: Int = 0, using random: inout Random
  ) {
    self.levels = levels
    embedding = Embedding(levels, channels, initialization: .normal(standardDeviation: 0.1), using: &random)
    amplitude = Linear(2, channels, initialization: .normal(standardDeviation: 1), using: &random)
    blocks = dilations.map { dilation in
      ResidualBlock(channels: channels, dilation: dilation, conditions: conditions, using: &random)
    }
    skip = Linear(dilations.count * channels, skips, initialization: .leCunUniform, using: &random)
    hidden = Linear(skips, skips, using: &random)
    logits = Linear(skips, levels, initialization: .leCunUniform, using: &random)
  }

  /// How many samples a prediction reads, those right before it: two taps a layer make it 1 + Σ d.
  var receptiveField: Int { 1 + blocks.reduce(0) { $0 + $1.dilation } }

  /// What the first block reads of each sample: `[…] → […, channels]`.
  func embedded(_ x: IndexTensor) -> Tensor {
    let y = Tensor(x).reshaped(to: x.shape + [1]) * (2 / Float(levels - 1)) - 1
    return embedding(x) + amplitude(concatenate([y, expanded(y, levels: levels)], axis: -1))
  }

  /// Scores of each sample's levels given the samples before it: `[batch, time] → [batch, time, levels]`.
  func callAsFunction(_ x: IndexTensor, h: Tensor? = nil) -> Tensor { scores(embedded(x), h: h) }

  /// The same from embedded samples, `[batch, time, channels]`, with respect to which gradients can be taken.
  func scores(_ embedded: Tensor, h: Tensor? = nil) -> Tensor {
    // Moved one time on, so that what is scored at t has read up to t − 1.
    var x = embedded.padded(before: 1, after: 0, axis: 1).sliced(0..<embedded.shape[1], axis: 1)
    var all: [Tensor] = []
    for block in blocks {
      let (output, z) = block(x, h: h)
      x = output
      all.append(z)
    }
    return head(all)
  }

  private func head(_ all: [Tensor]) -> Tensor { logits(relu(hidden(relu(skip(concatenate(all, axis: -1)))))) }

  /// What sampling keeps from one step to the next: a queue for each block, and V h.
  struct Cache {
    var queues: [Queue]
    let conditioned: [Tensor?]
  }

  /// The cache before the first sample.
  func cache(batch: Int, h: Tensor? = nil) -> Cache {
    let channels = amplitude.bias.count
    return Cache(
      queues: blocks.map { Queue(dilation: $0.dilation, batch: batch, inputs: channels) },
      conditioned: blocks.map { block in h.flatMap { h in block.conditioning.map { $0(h) } } })
  }

  /// Scores of the next sample, `[batch, levels]`, from the one before it, `[batch]`; at the beginning there is none.
  func step(after last: IndexTensor?, _ cache: inout Cache) -> Tensor {
    var x = last.map(embedded) ?? .zeros(cache.queues[0].ring[0].shape)  // [batch, channels]
    var all: [Tensor] = []
    for (index, block) in blocks.enumerated() {
      let (output, z) = block.step(x, conditioned: cache.conditioned[index], queue: &cache.queues[index])
      x = output
      all.append(z)
    }
    return head(all)
  }

  /// Sounds, sample by sample, each for the work of one time in each layer: `[batch, count]`.
  func sample(_ count: Int, batch: Int, h: Tensor? = nil, using random: inout Random) -> IndexTensor {
    var cache = cache(batch: batch, h: h)
    return drawn(count, using: &random) { step(after: $0.last, &cache) }
  }

  /// The same, each sample by a pass over all that it depends on.
  func naiveSample(_ count: Int, batch: Int, h: Tensor? = nil, using random: inout Random) -> IndexTensor {
    let next = IndexTensor([Int32](repeating: 0, count: batch))  // what stands here is not read
    return drawn(count, using: &random) { samples in
      let scores = self(sequence(samples.suffix(receptiveField) + [next]), h: h)
      let last = scores.shape[1] - 1
      return scores.sliced(last..<last + 1, axis: 1).reshaped(to: [batch, levels])
    }
  }

  private func drawn(
    _ count: Int, using random: inout Random, _ scores: ([IndexTensor]) -> Tensor
  ) -> IndexTensor {
    var samples: [IndexTensor] = []
    withoutGradients {
      while samples.count < count { samples.append(.categorical(logits: scores(samples), using: &random)) }
    }
    return sequence(samples)
  }

  private func sequence(_ samples: [IndexTensor]) -> IndexTensor {
    IndexTensor(stack(samples.map { Tensor($0) }, axis: 1))
  }
}
